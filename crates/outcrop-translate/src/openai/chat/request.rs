//! The request as OpenAI's clients write it (OpenAI's API description, `CreateChatCompletionRequest`, read 2026-11).
//!
//! Texts, schemas and images stay slices of the body.

use std::borrow::Cow;

use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::message::Message;

/// A request, read but not judged.
#[derive(Clone, Debug, Default)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) messages: Option<Vec<Message<'a>>>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) choices: Option<u64>,
    pub(super) max_tokens: Option<u64>,
    pub(super) max_completion_tokens: Option<u64>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) stop: Vec<JsonText<'a>>,
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    pub(super) user: Option<Cow<'a, str>>,
    pub(super) metadata: Vec<(String, Cow<'a, str>)>,
    /// Parameters that have no place of their own: OpenAI's others, and those that aren't OpenAI's.
    pub(super) others: Vec<(String, Json<'a>)>,
}

/// A tool of the client's.
#[derive(Clone, Debug)]
pub(super) struct Tool<'a> {
    pub(super) name: JsonText<'a>,
    pub(super) description: Option<JsonText<'a>>,
    pub(super) parameters: Option<Json<'a>>,
}

/// Whether a tool must be called.
#[derive(Clone, Debug)]
pub(super) enum ToolChoice<'a> {
    Auto,
    None,
    Required,
    Function(JsonText<'a>),
}

impl<'a> ChatRequest<'a> {
    /// Reads the body of a request.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut request = Self::default();
        // SDKs merge `extra_body` into the body, where its members win; whoever writes requests by hand sends it as
        // it is. So its members are read last, wherever it stands.
        let mut extra_body: Option<Json<'a>> = None;
        Reader::document(body, |reader| {
            reader.object(|name, reader| {
                if name == "extra_body" {
                    extra_body = reader.nullable(Reader::json)?;
                    return Ok(());
                }
                request.read_parameter(name, reader)
            })
        })?;
        if let Some(extra_body) = extra_body.as_ref().and_then(Json::as_slice) {
            Reader::document(extra_body.as_bytes(), |reader| {
                reader.object(|name, reader| request.read_parameter(name, reader))
            })
            .map_err(|fault| fault.under_key("extra_body"))?;
        }
        Ok(request)
    }

    fn read_parameter(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        // OpenAI takes null for "not given" almost everywhere, and SDKs send it.
        if reader.kind()? == Kind::Null && name != "messages" {
            return reader.skip();
        }
        match name {
            "model" => self.model = Some(reader.string()?),
            "messages" => self.messages = Some(reader.list(Message::read)?),
            "stream" => self.stream = reader.bool()?,
            "stream_options" => reader.object(|name, reader| match name {
                "include_usage" => {
                    self.include_usage = reader.nullable(Reader::bool)?.unwrap_or(false);
                    Ok(())
                }
                // `include_obfuscation` is an offer of OpenAI's to pad chunks; the padding carries nothing.
                _ => reader.skip(),
            })?,
            "n" => self.choices = Some(reader.count()?),
            "max_tokens" => self.max_tokens = Some(reader.count()?),
            "max_completion_tokens" => self.max_completion_tokens = Some(reader.count()?),
            "temperature" => self.temperature = Some(reader.number()?),
            "top_p" => self.top_p = Some(reader.number()?),
            "stop" | "stop_sequences" => self.read_stop(reader)?,
            "tools" => self.tools = reader.list(Tool::read)?,
            "tool_choice" => self.tool_choice = Some(ToolChoice::read(reader)?),
            "user" => self.user = Some(reader.string()?),
            "metadata" => reader.object(|key, reader| {
                self.metadata.push((key.to_owned(), reader.string()?));
                Ok(())
            })?,
            _ => self.others.push((name.to_owned(), reader.json()?)),
        }
        Ok(())
    }

    fn read_stop(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match reader.kind()? {
            Kind::String => self.stop.push(reader.text()?),
            Kind::Array => self.stop.extend(reader.list(Reader::text)?),
            other => {
                return Err(Fault::shape(format!(
                    "expected a string or an array of strings, but got {}",
                    other.described()
                )));
            }
        }
        Ok(())
    }
}

impl<'a> Tool<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut kind, mut tool) = (None, None);
        reader.object(|name, reader| {
            match name {
                "type" => kind = Some(reader.string()?),
                "function" => tool = Some(Self::read_function(reader)?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        match kind.as_deref() {
            Some("function") | None => {}
            Some(_) => return Err(Fault::shape("only tools of type 'function' are supported").under_key("type")),
        }
        tool.ok_or_else(|| Fault::shape("is required").under_key("function"))
    }

    fn read_function(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut name, mut description, mut parameters) = (None, None, None);
        reader.object(|member, reader| {
            match member {
                "name" => name = Some(reader.text()?),
                "description" => description = reader.nullable(Reader::text)?,
                "parameters" => {
                    parameters = reader.nullable(|reader| match reader.kind()? {
                        Kind::Object => reader.json(),
                        other => Err(Fault::shape(format!(
                            "expected an object, but got {}",
                            other.described()
                        ))),
                    })?;
                }
                // `strict` asks for what only some models can promise; without it the answer is still valid.
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let name = name.ok_or_else(|| Fault::shape("is required").under_key("name"))?;
        Ok(Self {
            name,
            description,
            parameters,
        })
    }
}

impl<'a> ToolChoice<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        if reader.kind()? == Kind::String {
            return match reader.string()?.as_ref() {
                "auto" => Ok(Self::Auto),
                "none" => Ok(Self::None),
                "required" => Ok(Self::Required),
                _ => Err(Fault::shape("expected 'auto', 'none', 'required' or a function")),
            };
        }
        let mut function = None;
        reader.object(|name, reader| match name {
            "function" => reader.object(|name, reader| match name {
                "name" => reader.text().map(|name| function = Some(name)),
                _ => reader.skip(),
            }),
            _ => reader.skip(),
        })?;
        function
            .map(Self::Function)
            .ok_or_else(|| Fault::shape("is required").under_key("name").under_key("function"))
    }
}
