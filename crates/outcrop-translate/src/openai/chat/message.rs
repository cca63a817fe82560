//! The messages of a request.

use std::borrow::Cow;

use outcrop_bedrock::converse::CacheTtl;
use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use super::cache_control::read_cache_control;
use super::part::Part;

/// A message, read but not judged.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    pub(super) role: Role,
    /// `None` for `null` and for none; a plain string is one part.
    pub(super) content: Option<Vec<Part<'a>>>,
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    pub(super) tool_call_id: Option<JsonText<'a>>,
    /// Whether the tool failed.
    pub(super) is_error: bool,
    /// What the assistant thought, with the model's proofs.
    pub(super) thinking_blocks: Vec<ThinkingBlock<'a>>,
    /// Whether the message has thoughts without proofs.
    pub(super) has_reasoning_content: bool,
    /// Set where the client wants what stands up to here remembered.
    pub(super) cache_point: Option<CacheTtl>,
    /// Whether the message names its participant, which Converse has no place for.
    pub(super) is_named: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// A thought that an earlier answer carried, in Anthropic's form.
#[derive(Clone, Debug)]
pub(super) enum ThinkingBlock<'a> {
    Thinking {
        text: JsonText<'a>,
        signature: Option<JsonText<'a>>,
    },
    Redacted(JsonText<'a>),
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub(super) struct ToolCall<'a> {
    pub(super) id: JsonText<'a>,
    pub(super) name: JsonText<'a>,
    /// JSON in a string.
    pub(super) arguments: Cow<'a, str>,
}

impl<'a> Message<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut role, mut refusal) = (None, None);
        let mut message = Self {
            role: Role::User,
            content: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            is_error: false,
            thinking_blocks: Vec::new(),
            has_reasoning_content: false,
            cache_point: None,
            is_named: false,
        };
        reader.object(|name, reader| {
            match name {
                "role" => role = Some(Role::read(reader)?),
                "content" => message.content = reader.nullable(Part::read_all)?,
                "tool_calls" => {
                    message.tool_calls = reader
                        .nullable(|reader| reader.list(ToolCall::read))?
                        .unwrap_or_default();
                }
                "tool_call_id" => message.tool_call_id = reader.nullable(Reader::text)?,
                "name" => message.is_named = reader.nullable(Reader::text)?.is_some(),
                "function_call" if reader.kind()? != Kind::Null => {
                    return Err(Fault::shape("is deprecated; use 'tool_calls' instead"));
                }
                "refusal" => refusal = reader.nullable(Reader::text)?,
                // Ways to say that a tool failed: Bedrock's and Anthropic's.
                "status" => message.is_error |= reader.nullable(Reader::string)?.as_deref() == Some("error"),
                "is_error" => message.is_error |= reader.nullable(Reader::bool)?.unwrap_or(false),
                "thinking_blocks" => {
                    message.thinking_blocks = reader
                        .nullable(|reader| reader.list(ThinkingBlock::read))?
                        .unwrap_or_default();
                }
                "reasoning_content" => {
                    let text = reader.nullable(Reader::text)?;
                    message.has_reasoning_content = text.is_some_and(|text| !text.is_blank());
                }
                "cache_control" => message.cache_point = read_cache_control(reader)?,
                // What an answer of OpenAI's carries besides, sent back as history: annotations, audio.
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        message.role = role.ok_or_else(|| Fault::shape("is required").under_key("role"))?;
        if let (None, Some(refusal)) = (&message.content, refusal) {
            // That the assistant refused is what it said.
            message.content = Some(vec![Part::text(refusal)]);
        }
        if message.content.is_none() && message.tool_calls.is_empty() && message.role != Role::Assistant {
            return Err(Fault::shape("is required").under_key("content"));
        }
        if message.role == Role::Tool && message.tool_call_id.is_none() {
            return Err(Fault::shape("is required").under_key("tool_call_id"));
        }
        Ok(message)
    }
}

impl Role {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.string()?.as_ref() {
            "system" | "developer" => Ok(Self::System),
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "tool" => Ok(Self::Tool),
            "function" => Err(Fault::shape("'function' is deprecated; use 'tool' instead")),
            _ => Err(Fault::shape(
                "expected 'system', 'developer', 'user', 'assistant' or 'tool'",
            )),
        }
    }
}

impl<'a> ThinkingBlock<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut kind, mut text, mut signature, mut data) = (None, None, None, None);
        reader.object(|name, reader| {
            match name {
                "type" => kind = Some(reader.string()?),
                "thinking" => text = reader.nullable(Reader::text)?,
                "signature" => signature = reader.nullable(Reader::text)?,
                "data" => data = reader.nullable(Reader::text)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        match kind.as_deref() {
            Some("thinking") => Ok(Self::Thinking {
                text: text.unwrap_or_else(|| JsonText::encode("")),
                signature: signature.filter(|signature| !signature.inner().is_empty()),
            }),
            Some("redacted_thinking") => data
                .map(Self::Redacted)
                .ok_or_else(|| Fault::shape("is required").under_key("data")),
            _ => Err(Fault::shape("expected 'thinking' or 'redacted_thinking'").under_key("type")),
        }
    }
}

impl<'a> ToolCall<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut id, mut name, mut arguments) = (None, None, Cow::Borrowed(""));
        reader.object(|member, reader| match member {
            "id" => reader.text().map(|text| id = Some(text)),
            "function" => reader.object(|member, reader| match member {
                "name" => reader.text().map(|text| name = Some(text)),
                "arguments" => reader.string().map(|text| arguments = text),
                _ => reader.skip(),
            }),
            _ => reader.skip(),
        })?;
        let missing = |member: &str| Fault::shape("is required").under_key(member);
        Ok(Self {
            id: id.ok_or_else(|| missing("id"))?,
            name: name.ok_or_else(|| missing("name").under_key("function"))?,
            arguments,
        })
    }
}
