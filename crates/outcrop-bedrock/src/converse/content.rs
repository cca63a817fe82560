//! Content blocks: what messages are made of, in both directions.

use std::borrow::Cow;

use crate::json::{Fault, Json, JsonText, Kind, ObjectWriter, Reader, ToJson};

/// The `type` of a tool use that AWS runs itself.
pub(super) const SERVER_TOOL_USE: &str = "server_tool_use";

/// From this many characters of base64 on, an image is not copied into the body but becomes a piece of its own.
const LARGE_IMAGE_CHARS: usize = 64 * 1024;
/// What stands for such an image in the JSON until the pieces are cut: a NUL, which JSON never holds unescaped.
pub(super) const LARGE_IMAGE: u8 = 0;

/// A block of a message. A union: exactly one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentBlock<'a> {
    /// Text; Bedrock refuses blank ones.
    Text(JsonText<'a>),
    /// An image, in user turns only.
    Image {
        /// What its bytes are.
        format: ImageFormat,
        /// The bytes in base64.
        base64: Cow<'a, str>,
    },
    /// A call of a tool by the model.
    ToolUse(ToolUse<'a>),
    /// What a tool answered.
    ToolResult(ToolResult<'a>),
    /// What the model thought.
    Reasoning(Reasoning<'a>),
    /// A member that this version has no name for, as it stands.
    Other {
        /// Name of the member.
        member: Cow<'a, str>,
        /// Its value.
        value: Json<'a>,
    },
}

/// The image formats that Bedrock takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// `png`
    Png,
    /// `jpeg`
    Jpeg,
    /// `gif`
    Gif,
    /// `webp`
    Webp,
}

impl ImageFormat {
    /// Bedrock's name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    /// The format that the first bytes of a file tell; a dozen bytes are enough.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }
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
}

/// A block of a tool's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolResultBlock<'a> {
    /// Text.
    Text(JsonText<'a>),
    /// An image.
    Image {
        /// What its bytes are.
        format: ImageFormat,
        /// The bytes in base64.
        base64: Cow<'a, str>,
    },
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
    /// The large images of the block, in the order in which they are written.
    pub(super) fn large_images(&self) -> impl Iterator<Item = &Cow<'a, str>> {
        let (own, of_result) = match self {
            Self::Image { base64, .. } => (Some(base64), &[][..]),
            Self::ToolResult(result) => (None, result.content.as_slice()),
            _ => (None, &[][..]),
        };
        let of_result = of_result.iter().filter_map(|block| match block {
            ToolResultBlock::Image { base64, .. } => Some(base64),
            ToolResultBlock::Text(_) => None,
        });
        own.into_iter()
            .chain(of_result)
            .filter(|base64| base64.len() >= LARGE_IMAGE_CHARS)
    }
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
            Self::Image { format, base64 } => write_image(block, *format, base64),
            Self::ToolUse(tool_use) => block.object("toolUse", |object| {
                object.field("toolUseId", &tool_use.id);
                object.field("name", &tool_use.name);
                object.field("input", &tool_use.input);
            }),
            Self::ToolResult(result) => block.object("toolResult", |object| {
                object.field("toolUseId", &result.id);
                object.field("content", &result.content);
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
            Self::Image { format, base64 } => write_image(block, *format, base64),
        });
    }
}

fn write_image(block: &mut ObjectWriter<'_>, format: ImageFormat, base64: &str) {
    block.object("image", |image| {
        image.field("format", format.name());
        image.object("source", |source| {
            // Base64 holds nothing that JSON escapes.
            let out = source.key("bytes");
            out.push(b'"');
            if base64.len() < LARGE_IMAGE_CHARS {
                out.extend_from_slice(base64.as_bytes());
            } else {
                out.push(LARGE_IMAGE);
            }
            out.push(b'"');
        });
    });
}
