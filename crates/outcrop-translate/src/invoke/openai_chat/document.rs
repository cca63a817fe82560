//! Documents of OpenAI's shape: an answer, or a chunk of one, which differ in one name.

use outcrop_bedrock::converse::{StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use super::calls::CallPart;

/// An answer, or a chunk of one.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub(super) choice: Option<Choice<'a>>,
    pub(super) usage: TokenUsage,
}

impl<'a> Document<'a> {
    pub(super) fn read(document: &'a [u8]) -> Result<Self, Fault> {
        let mut read = Self::default();
        Reader::document(document, |reader| {
            reader.object(|member, reader| match member {
                "choices" if reader.kind()? == Kind::Array => reader.array(|reader| {
                    let choice = Choice::read(reader)?;
                    // One is asked for; other numbers would be others' answers.
                    if choice.index == 0 && read.choice.is_none() {
                        read.choice = Some(choice);
                    }
                    Ok(())
                }),
                "usage" => read_usage(reader).map(|usage| read.usage = usage),
                _ => reader.skip(),
            })
        })?;
        Ok(read)
    }
}

fn read_usage(reader: &mut Reader<'_>) -> Result<TokenUsage, Fault> {
    let mut usage = TokenUsage::default();
    if reader.kind()? != Kind::Object {
        return reader.skip().map(|()| usage);
    }
    reader.object(|member, reader| {
        let slot = match member {
            "prompt_tokens" => &mut usage.input_tokens,
            "completion_tokens" => &mut usage.output_tokens,
            "prompt_tokens_details" if reader.kind()? == Kind::Object => {
                return reader.object(|member, reader| match member {
                    "cached_tokens" => {
                        usage.cache_read_input_tokens = reader.nullable(Reader::count)?.unwrap_or(0);
                        Ok(())
                    }
                    _ => reader.skip(),
                });
            }
            "completion_tokens_details" if reader.kind()? == Kind::Object => {
                return reader.object(|member, reader| match member {
                    "reasoning_tokens" => {
                        usage.reasoning_tokens = reader.nullable(Reader::count)?.unwrap_or(0);
                        Ok(())
                    }
                    _ => reader.skip(),
                });
            }
            _ => return reader.skip(),
        };
        *slot = reader.nullable(Reader::count)?.unwrap_or(0);
        Ok(())
    })?;
    // OpenAI counts what was cached among the prompt's tokens, Bedrock doesn't.
    usage.input_tokens = usage.input_tokens.saturating_sub(usage.cache_read_input_tokens);
    Ok(usage)
}

/// A choice, whole or its new part.
#[derive(Default)]
pub(super) struct Choice<'a> {
    index: u64,
    pub(super) thoughts: Option<JsonText<'a>>,
    pub(super) content: Vec<Bit<'a>>,
    pub(super) refusal: Option<JsonText<'a>>,
    pub(super) calls: Vec<CallPart<'a>>,
    pub(super) reason: Option<StopReason>,
}

/// A bit of the content, in its order.
pub(super) enum Bit<'a> {
    Thought(JsonText<'a>),
    Text(JsonText<'a>),
}

impl<'a> Choice<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut choice, mut stop_reason) = (Self::default(), None);
        reader.object(|member, reader| {
            match member {
                "index" => choice.index = reader.nullable(Reader::count)?.unwrap_or(0),
                "message" | "delta" if reader.kind()? == Kind::Object => choice.read_message(reader)?,
                "finish_reason" if reader.kind()? == Kind::String => choice.reason = Some(read_reason(reader)?),
                // Mistral's word; servers of other models put a stop sequence here, beside the reason.
                "stop_reason" if reader.kind()? == Kind::String => stop_reason = Some(read_reason(reader)?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        choice.reason = choice.reason.or(stop_reason);
        Ok(choice)
    }

    fn read_message(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (mut reasoning_content, mut reasoning) = (None, None);
        reader.object(|member, reader| {
            match (member, reader.kind()?) {
                ("content", Kind::String) => self.content.push(Bit::Text(reader.text()?)),
                ("content", Kind::Array) => reader.array(|reader| self.read_part(reader))?,
                ("reasoning_content", Kind::String) => reasoning_content = Some(reader.text()?),
                ("reasoning", Kind::String) => reasoning = Some(reader.text()?),
                ("refusal", Kind::String) => {
                    self.refusal = Some(reader.text()?).filter(|text| !text.inner().is_empty());
                }
                ("tool_calls", Kind::Array) => self.calls = reader.list(CallPart::read)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        // Servers that are about to rename the one send both, with the same text.
        let is_said = |text: &JsonText<'_>| !text.inner().is_empty();
        self.thoughts = reasoning_content.filter(is_said).or(reasoning.filter(is_said));
        Ok(())
    }

    /// A part of content that is a list: text, or thoughts as Magistral has them.
    fn read_part(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Object {
            return reader.skip();
        }
        reader.object(|member, reader| {
            match (member, reader.kind()?) {
                ("text", Kind::String) => self.content.push(Bit::Text(reader.text()?)),
                ("thinking", Kind::String) => self.content.push(Bit::Thought(reader.text()?)),
                ("thinking", Kind::Array) => reader.array(|reader| {
                    if reader.kind()? != Kind::Object {
                        return reader.skip();
                    }
                    reader.object(|member, reader| match (member, reader.kind()?) {
                        ("text", Kind::String) => {
                            self.content.push(Bit::Thought(reader.text()?));
                            Ok(())
                        }
                        _ => reader.skip(),
                    })
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })
    }
}

fn read_reason(reader: &mut Reader<'_>) -> Result<StopReason, Fault> {
    Ok(match reader.string()?.as_ref() {
        "stop" => StopReason::EndTurn,
        "length" | "model_length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::ContentFiltered,
        name => StopReason::from_name(name),
    })
}
