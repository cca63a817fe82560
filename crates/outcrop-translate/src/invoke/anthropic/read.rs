//! Claude's answers, as Converse's.

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Extras, Reasoning, StopReason, TokenUsage, ToolUse};
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::super::{ChunkReader, Sayings};

/// Reads a whole answer.
pub(super) fn reply(body: &[u8]) -> Result<ConverseResponse<'_>, Fault> {
    let (mut content, mut stop_reason, mut usage) = (Vec::new(), StopReason::EndTurn, Usage::default());
    let mut has_content = false;
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "content" => {
                has_content = true;
                reader.array(|reader| {
                    content.extend(Block::read(reader)?.into_content());
                    Ok(())
                })
            }
            "stop_reason" => read_stop_reason(reader).map(|reason| stop_reason = reason.unwrap_or(StopReason::EndTurn)),
            "usage" => usage.read(reader),
            _ => reader.skip(),
        })
    })?;
    if !has_content {
        return Err(Fault::shape("the reply lacks its content"));
    }
    Ok(ConverseResponse {
        content,
        stop_reason,
        usage: usage.tokens,
        extras: Extras {
            additional_model_response_fields: usage.details.map(fields_of),
            ..Extras::default()
        },
    })
}

/// Where Converse would have put the details, had it been asked for them.
fn fields_of(details: Json<'_>) -> Json<'static> {
    Json::object(|fields| fields.object("usage", |usage| usage.field("output_tokens_details", &details)))
}

fn read_stop_reason(reader: &mut Reader<'_>) -> Result<Option<StopReason>, Fault> {
    let reason = reader.nullable(Reader::string)?;
    Ok(reason.map(|reason| match reason.as_ref() {
        "refusal" => StopReason::ContentFiltered,
        // The model waits for a tool of Anthropic's own, which Bedrock doesn't have.
        "pause_turn" => StopReason::EndTurn,
        name => StopReason::from_name(name),
    }))
}

/// Tokens in Anthropic's words.
#[derive(Default)]
struct Usage<'a> {
    tokens: TokenUsage,
    details: Option<Json<'a>>,
}

impl<'a> Usage<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Object {
            return reader.skip();
        }
        reader.object(|member, reader| {
            let slot = match member {
                "input_tokens" => &mut self.tokens.input_tokens,
                "output_tokens" => &mut self.tokens.output_tokens,
                "cache_read_input_tokens" => &mut self.tokens.cache_read_input_tokens,
                "cache_creation_input_tokens" => &mut self.tokens.cache_write_input_tokens,
                "cache_creation" if reader.kind()? == Kind::Object => {
                    return reader.object(|member, reader| match member {
                        "ephemeral_1h_input_tokens" => {
                            let count = reader.nullable(Reader::count)?;
                            self.tokens.cache_write_1h_input_tokens = count.unwrap_or(0);
                            Ok(())
                        }
                        _ => reader.skip(),
                    });
                }
                "output_tokens_details" => {
                    self.details = reader.nullable(Reader::json)?;
                    return Ok(());
                }
                _ => return reader.skip(),
            };
            *slot = reader.nullable(Reader::count)?.unwrap_or(0);
            Ok(())
        })
    }
}

/// A content block, whole or as it begins in a stream.
enum Block<'a> {
    Text(JsonText<'a>),
    Thinking {
        text: JsonText<'a>,
        signature: Option<JsonText<'a>>,
    },
    Redacted(JsonText<'a>),
    ToolUse(ToolUse<'a>),
    /// One that a client could do nothing with, such as those of tools that run at Anthropic's.
    Other,
}

impl<'a> Block<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut kind, mut text, mut signature) = (None, None, None);
        let (mut id, mut name, mut input) = (None, None, None);
        reader.object(|member, reader| {
            match member {
                "type" => kind = Some(reader.string()?),
                "text" | "thinking" | "data" => text = reader.nullable(Reader::text)?,
                "signature" => signature = reader.nullable(Reader::text)?,
                "id" => id = Some(reader.text()?),
                "name" => name = Some(reader.text()?),
                "input" => input = Some(reader.json()?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let text = text.unwrap_or_else(|| JsonText::encode(""));
        Ok(match kind.as_deref() {
            Some("text") => Self::Text(text),
            Some("thinking") => Self::Thinking {
                text,
                signature: signature.filter(|signature| !signature.inner().is_empty()),
            },
            Some("redacted_thinking") => Self::Redacted(text),
            Some("tool_use") => {
                let (Some(id), Some(name)) = (id, name) else {
                    return Err(Fault::shape("a tool use lacks its id or name"));
                };
                let input = input.unwrap_or(Json::EMPTY_OBJECT);
                Self::ToolUse(ToolUse { id, name, input })
            }
            _ => Self::Other,
        })
    }

    fn into_content(self) -> Option<ContentBlock<'a>> {
        Some(match self {
            Self::Text(text) => ContentBlock::Text(text),
            Self::Thinking { text, signature } => ContentBlock::Reasoning(Reasoning::Text { text, signature }),
            Self::Redacted(bytes) => ContentBlock::Reasoning(Reasoning::Redacted(bytes)),
            Self::ToolUse(tool_use) => ContentBlock::ToolUse(tool_use),
            Self::Other => return None,
        })
    }
}

/// Reads a stream, whose events say what they are: there is nothing to remember.
#[derive(Debug)]
pub(super) struct Chunks;

impl ChunkReader for Chunks {
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
        let (mut kind, mut index, mut block, mut delta) = (None, 0, None, None);
        let (mut usage, mut stop_reason) = (Usage::default(), None);
        Reader::document(chunk, |reader| {
            reader.object(|member, reader| match member {
                "type" => reader.string().map(|name| kind = Some(name)),
                "index" => reader.nullable(Reader::count).map(|count| index = count.unwrap_or(0)),
                "content_block" => Block::read(reader).map(|read| block = Some(read)),
                "delta" => Delta::read(reader).map(|read| {
                    stop_reason.clone_from(&read.stop_reason);
                    delta = Some(read);
                }),
                "usage" => usage.read(reader),
                "message" => reader.object(|member, reader| match member {
                    "usage" => usage.read(reader),
                    _ => reader.skip(),
                }),
                _ => reader.skip(),
            })
        })?;
        match kind.as_deref() {
            Some("content_block_start") => match block {
                Some(Block::ToolUse(tool_use)) => said.call(index, tool_use.id, tool_use.name),
                Some(Block::Redacted(bytes)) => said.redacted_thought(bytes),
                Some(Block::Text(text)) => said.text(text),
                Some(Block::Thinking { text, .. }) => said.thought(text),
                Some(Block::Other) | None => {}
            },
            Some("content_block_delta") => {
                if let Some(delta) = delta {
                    delta.say(index, said);
                }
            }
            Some("content_block_stop") => said.end_block(index),
            // message_start, message_delta, message_stop, ping, and what is newer than this version.
            _ => {}
        }
        said.usage(usage.tokens);
        if let Some(details) = usage.details {
            said.fields(fields_of(details));
        }
        if let Some(reason) = stop_reason {
            said.stop(reason);
        }
        Ok(())
    }
}

/// The new part of a block, or of the message.
#[derive(Default)]
struct Delta<'a> {
    text: Option<JsonText<'a>>,
    thinking: Option<JsonText<'a>>,
    signature: Option<JsonText<'a>>,
    partial_json: Option<JsonText<'a>>,
    stop_reason: Option<StopReason>,
}

impl<'a> Delta<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut delta = Self::default();
        reader.object(|member, reader| {
            let slot = match member {
                "text" => &mut delta.text,
                "thinking" => &mut delta.thinking,
                "signature" => &mut delta.signature,
                "partial_json" => &mut delta.partial_json,
                "stop_reason" => {
                    delta.stop_reason = read_stop_reason(reader)?;
                    return Ok(());
                }
                _ => return reader.skip(),
            };
            *slot = reader.nullable(Reader::text)?;
            Ok(())
        })?;
        Ok(delta)
    }

    fn say(self, index: u64, said: &mut Sayings<'_>) {
        if let Some(text) = self.text {
            said.text(text);
        }
        if let Some(text) = self.thinking {
            said.thought(text);
        }
        if let Some(signature) = self.signature {
            said.signature(signature);
        }
        if let Some(json) = self.partial_json {
            said.arguments(index, json);
        }
    }
}
