//! Content blocks: what messages are made of, in both directions.

use std::borrow::Cow;

use super::cache::CacheTtl;
use super::media::{Audio, Document, Image, Source, Video};
use crate::json::{Fault, Json, JsonText, Kind, ObjectWriter, Reader, ToJson};

/// The `type` of a tool use that AWS runs itself.
pub(super) const SERVER_TOOL_USE: &str = "server_tool_use";

/// A block of a message. A union: exactly one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentBlock<'a> {
    /// Text; Bedrock refuses blank ones.
    Text(JsonText<'a>),
    /// Text that a guardrail judges, even where it judges nothing else.
    GuardText(JsonText<'a>),
    /// An image, in user turns only.
    Image(Image<'a>),
    /// A document, in user turns only, with a text beside it.
    Document(Document<'a>),
    /// A sound, in user turns only.
    Audio(Audio<'a>),
    /// A film, in user turns only.
    Video(Video<'a>),
    /// A call of a tool by the model.
    ToolUse(ToolUse<'a>),
    /// What a tool answered.
    ToolResult(ToolResult<'a>),
    /// What the model thought.
    Reasoning(Reasoning<'a>),
    /// What stands before it may be remembered.
    CachePoint(CacheTtl),
    /// A member that this version has no name for, as it stands.
    Other {
        /// Name of the member.
        member: Cow<'a, str>,
        /// Its value.
        value: Json<'a>,
    },
}

/// A call of a tool by the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolUse<'a> {
    /// Ties the result to the call: 1–64 of `[a-zA-Z0-9_.:-]`.
    pub id: JsonText<'a>,
    /// 1–64 of `[a-zA-Z0-9_-]`.
    pub name: JsonText<'a>,
    /// The arguments: an object.
    pub input: Json<'a>,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult<'a> {
    /// The id of the call.
    pub id: JsonText<'a>,
    /// What it answered.
    pub content: Vec<ToolResultBlock<'a>>,
    /// Whether the tool failed; absent is success.
    pub status: Option<ToolResultStatus>,
}

/// How a call of a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolResultStatus {
    /// `success`
    Success,
    /// `error`; Claude and Nova look at it.
    Error,
}

impl ToolResultStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
        }
    }
}

/// A block of a tool's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolResultBlock<'a> {
    /// Text.
    Text(JsonText<'a>),
    /// An object.
    Json(Json<'a>),
    /// An image.
    Image(Image<'a>),
    /// A document.
    Document(Document<'a>),
    /// A film.
    Video(Video<'a>),
}

/// What the model thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reasoning<'a> {
    /// Readable thoughts.
    Text {
        /// The thoughts.
        text: JsonText<'a>,
        /// Proof for the model that they are its own; some models give none.
        signature: Option<JsonText<'a>>,
    },
    /// Thoughts that only the model can read, in base64.
    Redacted(JsonText<'a>),
}

impl<'a> ContentBlock<'a> {
    /// Reads a block.
    ///
    /// # Errors
    /// When it is no object with exactly one member, or the member has another shape than the service model says.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut block = None;
        reader.object(|member, reader| {
            if reader.kind()? == Kind::Null {
                return reader.skip();
            }
            let value = match member {
                "text" => Self::Text(reader.text()?),
                "toolUse" => ToolUse::read(reader)?,
                "reasoningContent" => Reasoning::read(reader)?,
                "citationsContent" => Self::Text(read_cited_text(reader)?),
                _ => Self::Other {
                    member: Cow::Owned(member.to_owned()),
                    value: reader.json()?,
                },
            };
            if block.replace(value).is_some() {
                return Err(Fault::shape("a content block has more than one member"));
            }
            Ok(())
        })?;
        block.ok_or_else(|| Fault::shape("a content block has no member"))
    }
}

impl<'a> ContentBlock<'a> {
    /// The large media of the block, in the order in which they are written.
    pub(super) fn large_media(&self) -> impl Iterator<Item = &Source<'a>> {
        self.media()
            .map(|(_, source)| source)
            .filter(|source| source.is_large())
    }

    /// The media of the block, in the order in which they are written, and whether each is an image.
    pub(super) fn media(&self) -> impl Iterator<Item = (bool, &Source<'a>)> {
        let (own, of_result) = match self {
            Self::Image(image) => (Some((true, &image.source)), &[][..]),
            Self::Document(document) => (Some((false, &document.source)), &[][..]),
            Self::Audio(audio) => (Some((false, &audio.source)), &[][..]),
            Self::Video(video) => (Some((false, &video.source)), &[][..]),
            Self::ToolResult(result) => (None, result.content.as_slice()),
            _ => (None, &[][..]),
        };
        let of_result = of_result.iter().filter_map(|block| match block {
            ToolResultBlock::Image(image) => Some((true, &image.source)),
            ToolResultBlock::Document(document) => Some((false, &document.source)),
            ToolResultBlock::Video(video) => Some((false, &video.source)),
            ToolResultBlock::Text(_) | ToolResultBlock::Json(_) => None,
        });
        own.into_iter().chain(of_result)
    }
}

/// The text of a block with citations, which come in a list of their own.
fn read_cited_text<'a>(reader: &mut Reader<'a>) -> Result<JsonText<'a>, Fault> {
    let mut texts = Vec::new();
    reader.object(|member, reader| {
        if member != "content" {
            return reader.skip();
        }
        reader.array(|reader| {
            reader.object(|member, reader| match member {
                "text" => reader.text().map(|text| texts.push(text)),
                _ => reader.skip(),
            })
        })
    })?;
    Ok(JsonText::join(&texts, ""))
}

impl<'a> ToolUse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<ContentBlock<'a>, Fault> {
        let value = reader.json()?;
        let (mut id, mut name, mut input, mut is_server_side) = (None, None, None, false);
        let document = value.as_slice().unwrap_or_default();
        Reader::document(document.as_bytes(), |reader| {
            reader.object(|member, reader| {
                match member {
                    "toolUseId" => id = Some(reader.text()?),
                    "name" => name = Some(reader.text()?),
                    "input" => input = reader.nullable(Reader::json)?,
                    "type" => is_server_side = reader.string()? == SERVER_TOOL_USE,
                    _ => reader.skip()?,
                }
                Ok(())
            })
        })?;
        if is_server_side {
            // AWS has run it already; a client that took it for a call of its own would run it again.
            return Ok(ContentBlock::Other {
                member: Cow::Borrowed("toolUse"),
                value,
            });
        }
        let (Some(id), Some(name)) = (id, name) else {
            return Err(Fault::shape("a tool use lacks its id or name"));
        };
        let input = input.unwrap_or(Json::EMPTY_OBJECT);
        Ok(ContentBlock::ToolUse(Self { id, name, input }))
    }
}

impl<'a> Reasoning<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<ContentBlock<'a>, Fault> {
        let mut reasoning = None;
        reader.object(|member, reader| {
            match member {
                "reasoningText" => {
                    let (mut text, mut signature) = (None, None);
                    reader.object(|member, reader| {
                        match member {
                            "text" => text = Some(reader.text()?),
                            "signature" => signature = reader.nullable(Reader::text)?,
                            _ => reader.skip()?,
                        }
                        Ok(())
                    })?;
                    let text = text.unwrap_or_else(|| JsonText::encode(""));
                    reasoning = Some(ContentBlock::Reasoning(Self::Text { text, signature }));
                }
                "redactedContent" => reasoning = Some(ContentBlock::Reasoning(Self::Redacted(reader.text()?))),
                _ => {
                    reasoning = Some(ContentBlock::Other {
                        member: Cow::Owned(member.to_owned()),
                        value: reader.json()?,
                    });
                }
            }
            Ok(())
        })?;
        reasoning.ok_or_else(|| Fault::shape("a reasoning block has no member"))
    }
}

impl ToJson for ContentBlock<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |block| match self {
            Self::Text(text) => block.field("text", text),
            Self::GuardText(text) => write_guard_text(block, text),
            Self::Image(image) => image.write(block),
            Self::Document(document) => document.write(block),
            Self::Audio(audio) => audio.write(block),
            Self::Video(video) => video.write(block),
            Self::CachePoint(ttl) => ttl.write(block),
            Self::ToolUse(tool_use) => block.object("toolUse", |object| {
                object.field("toolUseId", &tool_use.id);
                object.field("name", &tool_use.name);
                object.field("input", &tool_use.input);
            }),
            Self::ToolResult(result) => block.object("toolResult", |object| {
                object.field("toolUseId", &result.id);
                object.field("content", &result.content);
                if let Some(status) = result.status {
                    object.field("status", status.name());
                }
            }),
            Self::Reasoning(reasoning) => block.object("reasoningContent", |object| match reasoning {
                Reasoning::Text { text, signature } => object.object("reasoningText", |object| {
                    object.field("text", text);
                    object.optional("signature", signature);
                }),
                Reasoning::Redacted(bytes) => object.field("redactedContent", bytes),
            }),
            Self::Other { member, value } => block.field(member, value),
        });
    }
}

impl ToJson for ToolResultBlock<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |block| match self {
            Self::Text(text) => block.field("text", text),
            Self::Json(value) => block.field("json", value),
            Self::Image(image) => image.write(block),
            Self::Document(document) => document.write(block),
            Self::Video(video) => video.write(block),
        });
    }
}

/// Writes the member `guardContent`.
pub(super) fn write_guard_text(block: &mut ObjectWriter<'_>, text: &JsonText<'_>) {
    block.object("guardContent", |content| {
        content.object("text", |object| object.field("text", text));
    });
}
