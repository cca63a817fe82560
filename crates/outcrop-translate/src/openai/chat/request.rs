//! The request as OpenAI's clients write it (OpenAI's API description, `CreateChatCompletionRequest`, read 2026-11).
//!
//! Texts, schemas and images stay slices of the body.

use std::borrow::Cow;

use outcrop_bedrock::converse::{CacheTtl, ServiceTier};
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::cache_control::read_cache_control;
use super::message::Message;
use super::response_format::ResponseFormat;
use crate::catalogue::{Api, Terms, Word};
use crate::effort::Effort;
use crate::openai::members::read_members;
use crate::policy::{OnUnsupported, PromptCaching};

/// A request, read but not judged.
#[derive(Clone, Debug, Default)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    /// The proxy API specification's way to name Bedrock's model beside another.
    pub(super) bedrock_model: Option<Cow<'a, str>>,
    /// The proxy API specification's way to say who makes the model.
    pub(super) model_provider: Option<Cow<'a, str>>,
    /// LiteLLM's way to call another id for the model.
    pub(super) model_id: Option<Cow<'a, str>>,
    /// Which of Bedrock's APIs is asked.
    pub(super) bedrock_api: Option<Api>,
    pub(super) messages: Option<Vec<Message<'a>>>,
    /// Whether the one message is no turn of a conversation but a text to go on with: no parameter, but the endpoint's.
    pub(super) continues_text: bool,
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
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) response_format: ResponseFormat<'a>,
    pub(super) reasoning_effort: Option<Effort>,
    /// Anthropic's own words for thinking.
    pub(super) thinking: Option<Thinking<'a>>,
    /// bedrock-wrapper's switch: thoughts stand in the content.
    pub(super) include_thinking_data: bool,
    pub(super) user: Option<Cow<'a, str>>,
    pub(super) metadata: Vec<(String, Cow<'a, str>)>,
    pub(super) caching: Caching,
    pub(super) on_unsupported: Option<OnUnsupported>,
    /// Bedrock's own parameters, by Bedrock's names.
    pub(super) bedrock: BedrockParameters<'a>,
    /// Parameters that have no place of their own: OpenAI's others, and those that aren't OpenAI's.
    pub(super) others: Vec<(String, Json<'a>)>,
}

/// A tool of the client's.
#[derive(Clone, Debug)]
pub(super) struct Tool<'a> {
    pub(super) name: JsonText<'a>,
    pub(super) description: Option<JsonText<'a>>,
    pub(super) parameters: Option<Json<'a>>,
    pub(super) strict: bool,
    pub(super) cache_point: Option<CacheTtl>,
}

/// Whether a tool must be called.
#[derive(Clone, Debug)]
pub(super) enum ToolChoice<'a> {
    Auto,
    None,
    Required,
    Function(JsonText<'a>),
    /// Only some of the tools.
    Allowed {
        names: Vec<JsonText<'a>>,
        is_required: bool,
    },
}

/// `thinking`, as it stands, and what must be known of it.
#[derive(Clone, Debug)]
pub(super) struct Thinking<'a> {
    /// `thinking`, or `reasoning_config`, which bedrock-access-gateway and older clients of Claude say.
    pub(super) name: &'static str,
    pub(super) json: Json<'a>,
    pub(super) kind: Option<String>,
    pub(super) budget_tokens: Option<u64>,
}

/// What a request says of caching, besides the points it marks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caching {
    /// `prompt_caching`: which points are placed by the gateway.
    pub(super) mode: Option<PromptCaching>,
    /// bedrock-access-gateway's form of it, which names the parts of the request.
    pub(super) parts: Option<CachedParts>,
    /// OpenAI's `prompt_cache_key`, `prompt_cache_options` or `prompt_cache_retention`: the client expects caching.
    pub(super) is_expected: bool,
    /// OpenAI's `prompt_cache_options.mode` is `explicit`: no points but those of the client's.
    pub(super) is_explicit: bool,
    /// How long it should last.
    pub(super) ttl: CacheTtl,
}

/// Parts of a request that are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CachedParts {
    pub(super) system: bool,
    pub(super) messages: bool,
}

/// Bedrock's own parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct BedrockParameters<'a> {
    pub(super) guardrail_config: Option<Vec<(String, JsonText<'a>)>>,
    pub(super) performance_config: Option<Json<'a>>,
    pub(super) service_tier: Option<JsonText<'a>>,
    pub(super) prompt_variables: Option<Json<'a>>,
    pub(super) request_metadata: Vec<(String, Cow<'a, str>)>,
    pub(super) additional_model_response_field_paths: Vec<JsonText<'a>>,
}

impl<'a> ChatRequest<'a> {
    /// Reads the body of a request.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut request = Self::default();
        read_members(body, |name, reader| request.read_parameter(name, reader))?;
        Ok(request)
    }

    fn read_parameter(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        // OpenAI takes null for "not given" almost everywhere, and SDKs send it.
        if reader.kind()? == Kind::Null && name != "messages" {
            return reader.skip();
        }
        match name {
            "model" => self.model = Some(reader.string()?),
            "bedrock_model" => self.bedrock_model = Some(reader.string()?),
            "model_provider" => self.model_provider = Some(reader.string()?),
            "model_id" => self.model_id = Some(reader.string()?),
            "bedrock_api" => {
                self.bedrock_api = Some(read_word(reader, Api::named, "'converse', 'invoke' or 'openai'")?)
            }
            // bedrock-wrapper's switch, in both of its spellings.
            "useConverseAPI" | "use_converse_api" => {
                let uses_converse = reader.bool()?;
                let api = if uses_converse { Api::Converse } else { Api::Invoke };
                self.bedrock_api.get_or_insert(api);
            }
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
            "parallel_tool_calls" => self.parallel_tool_calls = Some(reader.bool()?),
            "response_format" => self.response_format = ResponseFormat::read(reader)?,
            "reasoning_effort" => self.reasoning_effort = Some(read_word(reader, Effort::from_name, Effort::NAMES)?),
            "thinking" => self.thinking = Some(Thinking::read("thinking", reader)?),
            "reasoning_config" if reader.kind()? == Kind::Object => {
                self.thinking = Some(Thinking::read("reasoning_config", reader)?);
            }
            "include_thinking_data" => self.include_thinking_data = reader.bool()?,
            "user" => self.user = Some(reader.string()?),
            "metadata" => self.metadata = read_pairs(reader)?,
            "on_unsupported" => {
                self.on_unsupported = Some(read_word(reader, OnUnsupported::from_name, "'adapt' or 'reject'")?);
            }
            "cache_control" => {
                // Anthropic's automatic caching: points where they are likely to help.
                self.caching.ttl = read_cache_control(reader)?.unwrap_or_default();
                self.caching.mode = Some(PromptCaching::Auto);
            }
            "prompt_caching" | "prompt_cache_key" | "prompt_cache_options" | "prompt_cache_retention" => {
                self.caching.read_parameter(name, reader)?;
            }
            _ if self.bedrock.read_parameter(name, reader)? => {}
            "additionalModelRequestFields" => reader.object(|name, reader| match name {
                // The rules of thinking hold wherever it is asked for.
                "thinking" | "reasoning_config" | "reasoning_effort" => self.read_parameter(name, reader),
                _ => {
                    self.others.push((name.to_owned(), reader.json()?));
                    Ok(())
                }
            })?,
            _ => self.others.push((name.to_owned(), reader.json()?)),
        }
        Ok(())
    }

    /// Who it is for, as the client says: `user`, or OpenAI's newer name for it.
    pub(super) fn whose(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed).or_else(|| {
            let said = self.others.iter().find(|(name, _)| name == "safety_identifier");
            let read = said?.1.read(|reader| reader.string().map(Cow::into_owned));
            read.ok().map(Cow::Owned)
        })
    }

    /// On which terms it is answered, for what it costs.
    pub(super) fn terms(&self) -> Terms {
        let own = self
            .bedrock
            .service_tier
            .as_ref()
            .map(|tier| tier.decoded().into_owned());
        let tier = own.or_else(|| {
            let said = self.others.iter().rfind(|(name, _)| name == "service_tier");
            said?.1.read(|reader| reader.string().map(Cow::into_owned)).ok()
        });
        let tier = tier.map(|tier| ServiceTier::from_name(&tier));
        let latency = self.bedrock.performance_config.as_ref();
        Terms {
            tier: tier.unwrap_or_default(),
            is_latency_optimized: latency.is_some_and(|config| config.as_str().contains("\"optimized\"")),
            is_batch: false,
        }
    }

    /// Whether the client says which tier it wants.
    pub(super) fn asks_for_tier(&self) -> bool {
        self.bedrock.service_tier.is_some() || self.others.iter().any(|(name, _)| name == "service_tier")
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
        let (mut kind, mut tool, mut cache_point) = (None, None, None);
        reader.object(|name, reader| {
            match name {
                "type" => kind = Some(reader.string()?),
                "function" => tool = Some(Self::read_function(reader)?),
                "cache_control" => cache_point = read_cache_control(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        match kind.as_deref() {
            Some("function") | None => {}
            Some(_) => return Err(Fault::shape("only tools of type 'function' are supported").under_key("type")),
        }
        let mut tool: Self = tool.ok_or_else(|| Fault::shape("is required").under_key("function"))?;
        tool.cache_point = cache_point.or(tool.cache_point);
        Ok(tool)
    }

    fn read_function(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut name, mut description, mut parameters) = (None, None, None);
        let (mut strict, mut cache_point) = (false, None);
        reader.object(|member, reader| {
            match member {
                "name" => name = Some(reader.text()?),
                "strict" => strict = reader.nullable(Reader::bool)?.unwrap_or(false),
                "cache_control" => cache_point = read_cache_control(reader)?,
                "description" => description = reader.nullable(Reader::text)?,
                "parameters" => {
                    parameters = reader.nullable(read_object)?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let name = name.ok_or_else(|| Fault::shape("is required").under_key("name"))?;
        Ok(Self {
            name,
            description,
            parameters,
            strict,
            cache_point,
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
        let (mut kind, mut function, mut allowed) = (None, None, None);
        reader.object(|name, reader| match name {
            "type" => reader.string().map(|text| kind = Some(text)),
            "function" => read_name(reader).map(|name| function = name),
            "allowed_tools" => Self::read_allowed(reader).map(|read| allowed = Some(read)),
            _ => reader.skip(),
        })?;
        match kind.as_deref() {
            Some("function") | None => function
                .map(Self::Function)
                .ok_or_else(|| Fault::shape("is required").under_key("name").under_key("function")),
            Some("allowed_tools") => allowed.ok_or_else(|| Fault::shape("is required").under_key("allowed_tools")),
            Some(_) => Err(Fault::shape("expected 'function' or 'allowed_tools'").under_key("type")),
        }
    }

    fn read_allowed(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut names, mut is_required) = (Vec::new(), false);
        reader.object(|name, reader| {
            match name {
                "mode" => is_required = reader.string()? == "required",
                "tools" => {
                    let read = reader.list(|reader| {
                        let mut function = None;
                        reader.object(|name, reader| match name {
                            "function" => read_name(reader).map(|name| function = name),
                            _ => reader.skip(),
                        })?;
                        function.ok_or_else(|| Fault::shape("is required").under_key("function"))
                    });
                    names = read?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(Self::Allowed { names, is_required })
    }
}

/// The `name` of an object.
fn read_name<'a>(reader: &mut Reader<'a>) -> Result<Option<JsonText<'a>>, Fault> {
    let mut found = None;
    reader.object(|name, reader| match name {
        "name" => reader.text().map(|name| found = Some(name)),
        _ => reader.skip(),
    })?;
    Ok(found)
}

impl<'a> Thinking<'a> {
    fn read(name: &'static str, reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let json = reader.json()?;
        let (mut kind, mut budget_tokens) = (None, None);
        json.read(|reader| {
            reader.object(|name, reader| {
                match name {
                    "type" => kind = Some(reader.string()?.into_owned()),
                    "budget_tokens" => budget_tokens = reader.nullable(Reader::count)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })
        })?;
        Ok(Self {
            name,
            json,
            kind,
            budget_tokens,
        })
    }
}

impl Caching {
    fn read_parameter(&mut self, name: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match name {
            "prompt_caching" if reader.kind()? == Kind::Object => {
                let mut parts = CachedParts {
                    system: false,
                    messages: false,
                };
                reader.object(|name, reader| {
                    match name {
                        "system" => parts.system = reader.nullable(Reader::bool)?.unwrap_or(false),
                        "messages" => parts.messages = reader.nullable(Reader::bool)?.unwrap_or(false),
                        _ => return Err(Fault::shape("expected 'system' and 'messages'")),
                    }
                    Ok(())
                })?;
                self.parts = Some(parts);
            }
            "prompt_caching" => {
                self.mode = Some(read_word(
                    reader,
                    PromptCaching::from_name,
                    "'off', 'explicit' or 'auto'",
                )?);
            }
            "prompt_cache_options" => {
                self.is_expected = true;
                reader.object(|name, reader| {
                    match name {
                        "mode" => self.is_explicit = reader.nullable(Reader::string)?.as_deref() == Some("explicit"),
                        // OpenAI's only lifetime, 30 minutes, is between Bedrock's two: the longer one keeps the promise.
                        "ttl" => {
                            if reader.nullable(Reader::string)?.is_some() {
                                self.ttl = CacheTtl::OneHour;
                            }
                        }
                        _ => reader.skip()?,
                    }
                    Ok(())
                })?;
            }
            "prompt_cache_retention" => {
                self.is_expected = true;
                if reader.string()? == "24h" {
                    self.ttl = CacheTtl::OneHour;
                }
            }
            _ => {
                // Which key it is doesn't matter to Bedrock, which finds prefixes by their content.
                reader.string()?;
                self.is_expected = true;
            }
        }
        Ok(())
    }
}

impl<'a> BedrockParameters<'a> {
    /// Reads the parameter if it is one of these.
    fn read_parameter(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, Fault> {
        match name {
            "guardrailConfig" | "guardrail_config" => self.guardrail_config = Some(read_guardrail(reader)?),
            "performanceConfig" => self.performance_config = Some(read_object(reader)?),
            "serviceTier" => reader.object(|name, reader| match name {
                "type" => reader.text().map(|tier| self.service_tier = Some(tier)),
                _ => Err(Fault::shape("expected 'type'")),
            })?,
            "promptVariables" => self.prompt_variables = Some(read_object(reader)?),
            "requestMetadata" => self.request_metadata = read_pairs(reader)?,
            "additionalModelResponseFieldPaths" => {
                self.additional_model_response_field_paths = reader.list(Reader::text)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Reads the members of a guardrail's configuration, of which some take few words.
fn read_guardrail<'a>(reader: &mut Reader<'a>) -> Result<Vec<(String, JsonText<'a>)>, Fault> {
    const MEMBERS: [(&str, &[&str]); 4] = [
        ("guardrailIdentifier", &[]),
        ("guardrailVersion", &[]),
        ("trace", &["enabled", "disabled", "enabled_full"]),
        ("streamProcessingMode", &["sync", "async"]),
    ];
    let mut members = Vec::new();
    reader.object(|name, reader| {
        let Some((_, words)) = MEMBERS.iter().find(|(known, _)| *known == name) else {
            let known = MEMBERS.map(|(known, _)| known).join(", ");
            return Err(Fault::shape(format!("expected one of {known}")));
        };
        let value = reader.text()?;
        if !words.is_empty() && !words.contains(&value.decoded().as_ref()) {
            return Err(Fault::shape(format!("expected one of {}", words.join(", "))));
        }
        members.push((name.to_owned(), value));
        Ok(())
    })?;
    Ok(members)
}

/// Reads an object as it stands.
pub(super) fn read_object<'a>(reader: &mut Reader<'a>) -> Result<Json<'a>, Fault> {
    match reader.kind()? {
        Kind::Object => reader.json(),
        other => Err(Fault::shape(format!(
            "expected an object, but got {}",
            other.described()
        ))),
    }
}

fn read_pairs<'a>(reader: &mut Reader<'a>) -> Result<Vec<(String, Cow<'a, str>)>, Fault> {
    let mut pairs = Vec::new();
    reader.object(|key, reader| {
        pairs.push((key.to_owned(), reader.string()?));
        Ok(())
    })?;
    Ok(pairs)
}

fn read_word<T>(reader: &mut Reader<'_>, known: fn(&str) -> Option<T>, names: &str) -> Result<T, Fault> {
    known(&reader.string()?).ok_or_else(|| Fault::shape(format!("expected {names}")))
}
