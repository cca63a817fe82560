//! OpenAI's answers and chunks, read as far as they are written anew; all else is kept as it stands.

use outcrop_bedrock::converse::{ServiceTier, TokenUsage};
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, ObjectWriter, Reader};

use super::{METRICS, Member, OF_BEDROCK, OWN_MEMBERS};

/// Where Bedrock tells, in an answer or a chunk, whether a guardrail has stepped in.
const GUARDRAIL_ACTION: &str = "amazon-bedrock-guardrailAction";

/// A whole answer, or a chunk.
#[derive(Debug, Default)]
pub(super) struct ReplyRead<'a> {
    pub(super) choices: Vec<ChoiceRead<'a>>,
    pub(super) usage: Option<TokenUsage>,
    /// What Bedrock itself says that it cost.
    pub(super) metrics: Option<TokenUsage>,
    pub(super) usage_json: Option<Json<'a>>,
    pub(super) thinking_tokens: Option<u64>,
    /// The tier that served the call, where it is told.
    pub(super) tier: Option<ServiceTier>,
    /// Whether a guardrail has stepped in.
    pub(super) is_filtered: bool,
    /// Members that pass.
    pub(super) others: Vec<Member<'a>>,
}

/// A choice.
#[derive(Debug, Default)]
pub(super) struct ChoiceRead<'a> {
    /// The text, where there is one.
    pub(super) content: Option<JsonText<'a>>,
    /// The other members of the message, or of the delta.
    pub(super) message: Vec<Member<'a>>,
    /// The other members of the choice.
    pub(super) others: Vec<Member<'a>>,
    /// Whether it tells why it ends.
    pub(super) is_finished: bool,
    /// The calls of tools in it.
    pub(super) calls: Vec<CallRead>,
}

/// A call of a tool, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallRead {
    /// Its number.
    pub(super) index: u64,
    /// Whether it has arguments, or a piece of them.
    pub(super) has_arguments: bool,
}

impl<'a> ReplyRead<'a> {
    /// Reads an answer whose choices hold their text in the member `message`, or `delta`.
    pub(super) fn parse(body: &'a [u8], message: &str) -> Result<Self, Fault> {
        let (mut read, mut has_choices, mut metrics) = (Self::default(), false, None);
        Reader::document(body, |reader| {
            reader.object(|name, reader| match name {
                "choices" => {
                    has_choices = true;
                    read.choices = reader.list(|reader| ChoiceRead::read(reader, message))?;
                    Ok(())
                }
                "usage" => {
                    read.usage_json = reader.nullable(Reader::json)?;
                    Ok(())
                }
                _ if OWN_MEMBERS.contains(&name) => reader.skip(),
                // Bedrock's own, such as a guardrail's, pass as the model's do.
                _ => {
                    let value = reader.json()?;
                    // What is Bedrock's own may come alone.
                    has_choices |= name.starts_with(OF_BEDROCK);
                    if name == "service_tier" {
                        let tier = value.as_str().trim_matches('"');
                        read.tier = (tier != "null").then(|| ServiceTier::from_name(tier));
                    }
                    if name == METRICS {
                        metrics = value.read(read_metrics).ok();
                    }
                    read.is_filtered |= name == GUARDRAIL_ACTION && value.as_str() == "\"INTERVENED\"";
                    read.others.push((name.to_owned(), value));
                    Ok(())
                }
            })
        })?;
        if !has_choices {
            return Err(Fault::shape("the answer lacks its choices"));
        }
        if let Some(usage) = &read.usage_json {
            let (tokens, thinking_tokens) = usage.read(read_usage)?;
            (read.usage, read.thinking_tokens) = (Some(tokens), thinking_tokens);
        }
        read.metrics = metrics;
        Ok(read)
    }
}

impl<'a> ChoiceRead<'a> {
    fn read(reader: &mut Reader<'a>, message: &str) -> Result<Self, Fault> {
        let mut choice = Self::default();
        reader.object(|name, reader| {
            match name {
                // Choices are numbered anew.
                "index" => reader.skip()?,
                _ if name == message => choice.read_message(reader)?,
                _ => {
                    if name == "finish_reason" {
                        choice.is_finished = reader.kind()? != Kind::Null;
                    }
                    choice.others.push((name.to_owned(), reader.json()?));
                }
            }
            Ok(())
        })?;
        Ok(choice)
    }

    fn read_message(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        reader.object(|name, reader| {
            if name == "content" && reader.kind()? == Kind::String {
                self.content = Some(reader.text()?);
                return Ok(());
            }
            if name == "tool_calls" && reader.kind()? == Kind::Array {
                let calls = reader.json()?;
                self.calls = calls.read(read_calls)?;
                self.message.push((name.to_owned(), calls));
                return Ok(());
            }
            // What the other ways call thoughts.
            let name = if name == "reasoning" { "reasoning_content" } else { name };
            self.message.push((name.to_owned(), reader.json()?));
            Ok(())
        })
    }
}

/// What the call cost, as Bedrock itself tells.
fn read_metrics(reader: &mut Reader<'_>) -> Result<TokenUsage, Fault> {
    let mut usage = TokenUsage::default();
    reader.object(|name, reader| {
        match name {
            "inputTokenCount" => usage.input_tokens = reader.nullable(Reader::count)?.unwrap_or(0),
            "outputTokenCount" => usage.output_tokens = reader.nullable(Reader::count)?.unwrap_or(0),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(usage)
}

fn read_calls(reader: &mut Reader<'_>) -> Result<Vec<CallRead>, Fault> {
    let mut count = 0;
    reader.list(|reader| {
        let mut call = CallRead {
            index: count,
            has_arguments: false,
        };
        count += 1;
        reader.object(|name, reader| match name {
            "index" => reader
                .nullable(Reader::count)
                .map(|index| call.index = index.unwrap_or(call.index)),
            "function" => reader.object(|name, reader| match name {
                "arguments" => {
                    let arguments = reader.nullable(Reader::text)?;
                    call.has_arguments = arguments.is_some_and(|arguments| !arguments.is_blank());
                    Ok(())
                }
                _ => reader.skip(),
            }),
            _ => reader.skip(),
        })?;
        Ok(call)
    })
}

/// The calls of a whole message, in which no arguments at all are `{}`: clients parse them.
pub(super) fn with_arguments(calls: &Json<'_>) -> Json<'static> {
    let mut out = Vec::new();
    let written = calls.read(|reader| {
        out.push(b'[');
        let mut is_first = true;
        reader.array(|reader| {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            write_call(reader, &mut out)
        })?;
        out.push(b']');
        Ok(())
    });
    match written {
        Ok(()) => Json::parse(&String::from_utf8_lossy(&out)).map_or(calls.clone().into_owned(), Json::into_owned),
        Err(_) => calls.clone().into_owned(),
    }
}

fn write_call(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut read = Ok(());
    ObjectWriter::write(out, |call| {
        read = reader.object(|name, reader| {
            if name != "function" || reader.kind()? != Kind::Object {
                call.field(name, &reader.json()?);
                return Ok(());
            }
            let mut read = Ok(());
            call.object(name, |function| {
                read = reader.object(|name, reader| {
                    let value = reader.json()?;
                    match (name, value.as_str()) {
                        ("arguments", "\"\"" | "null") => function.field(name, "{}"),
                        _ => function.field(name, &value),
                    }
                    Ok(())
                });
            });
            read
        });
    });
    read
}

/// OpenAI's usage in Bedrock's terms, and the tokens of thoughts. OpenAI's `prompt_tokens` counts the cached ones.
fn read_usage(reader: &mut Reader<'_>) -> Result<(TokenUsage, Option<u64>), Fault> {
    let (mut usage, mut prompt_tokens, mut thinking_tokens) = (TokenUsage::default(), 0, None);
    reader.object(|name, reader| match name {
        "prompt_tokens" => reader
            .nullable(Reader::count)
            .map(|count| prompt_tokens = count.unwrap_or(0)),
        "completion_tokens" => reader
            .nullable(Reader::count)
            .map(|count| usage.output_tokens = count.unwrap_or(0)),
        "prompt_tokens_details" | "completion_tokens_details" if reader.kind()? == Kind::Object => {
            reader.object(|name, reader| {
                match name {
                    "cached_tokens" => usage.cache_read_input_tokens = reader.nullable(Reader::count)?.unwrap_or(0),
                    "reasoning_tokens" => thinking_tokens = reader.nullable(Reader::count)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })
        }
        _ => reader.skip(),
    })?;
    usage.input_tokens = u64::saturating_sub(prompt_tokens, usage.cache_read_input_tokens);
    usage.reasoning_tokens = thinking_tokens.unwrap_or(0);
    Ok((usage, thinking_tokens))
}
