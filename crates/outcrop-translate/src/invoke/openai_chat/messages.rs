//! The conversation in OpenAI's words: system, user, assistant and tool.

use std::borrow::Cow;

use outcrop_bedrock::converse::{
    Audio, AudioFormat, ContentBlock, ConverseRequest, Image, Message, Role, Source, SystemBlock, ToolResult,
    ToolResultBlock, ToolUse,
};
use outcrop_bedrock::json::{JsonText, ObjectWriter, ToJson, write_array, write_str};

use super::super::unplaced::unsupported;
use super::write::Dialect;
use crate::notes::Notes;
use crate::problem::Problem;

/// What stands for a result of nothing but images.
const SEE_BELOW: &str = "(The result is in the next message.)";

/// The messages, ready to be written.
pub(super) struct Messages<'r, 'a>(Vec<Item<'r, 'a>>);

/// One message.
enum Item<'r, 'a> {
    System(Vec<&'r JsonText<'a>>),
    User(Vec<Part<'r, 'a>>),
    Assistant {
        texts: Vec<&'r JsonText<'a>>,
        calls: Vec<&'r ToolUse<'a>>,
    },
    Result(&'r ToolResult<'a>),
}

/// A part of a user's message.
enum Part<'r, 'a> {
    Text(&'r JsonText<'a>),
    Image(&'r Image<'a>),
    Audio(&'r Audio<'a>),
}

impl<'r, 'a> Messages<'r, 'a> {
    /// The conversation of `request`.
    pub(super) fn of(request: &'r ConverseRequest<'a>, dialect: &Dialect, notes: &mut Notes) -> Result<Self, Problem> {
        let mut items = Vec::with_capacity(request.messages.len() + 1);
        let system = request.system.iter().filter_map(|block| match block {
            SystemBlock::Text(text) | SystemBlock::GuardText(text) => Some(text),
            SystemBlock::CachePoint(_) => None,
        });
        let system: Vec<_> = system.collect();
        if !system.is_empty() {
            items.push(Item::System(system));
        }
        for message in &request.messages {
            match message.role {
                Role::User => push_user(message, dialect, notes, &mut items)?,
                Role::Assistant => push_assistant(message, dialect, notes, &mut items)?,
            }
        }
        Ok(Self(items))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_array(out, &self.0, |item, out| {
            ObjectWriter::write(out, |message| item.write(message));
        });
    }
}

/// Results come first, each as a message of its own, since they answer the calls before them.
fn push_user<'r, 'a>(
    message: &'r Message<'a>,
    dialect: &Dialect,
    notes: &mut Notes,
    items: &mut Vec<Item<'r, 'a>>,
) -> Result<(), Problem> {
    let mut parts = Vec::new();
    for block in &message.content {
        let ContentBlock::ToolResult(result) = block else {
            continue;
        };
        if !dialect.tools {
            return Err(unsupported("results of tools"));
        }
        for block in &result.content {
            match block {
                ToolResultBlock::Text(_) | ToolResultBlock::Json(_) => {}
                ToolResultBlock::Image(image) => {
                    parts.push(image_part(image, dialect)?);
                    notes.add("messages.tool.content", "user-turn", "model-takes-no-media-in-results");
                }
                ToolResultBlock::Document(_) => return Err(unsupported("documents")),
                ToolResultBlock::Video(_) => return Err(unsupported("video")),
            }
        }
        items.push(Item::Result(result));
    }
    for block in &message.content {
        match block {
            ContentBlock::Text(text) | ContentBlock::GuardText(text) => parts.push(Part::Text(text)),
            ContentBlock::Image(image) => parts.push(image_part(image, dialect)?),
            ContentBlock::Audio(audio) => parts.push(audio_part(audio, dialect)?),
            ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_) => {}
            ContentBlock::ToolUse(_) => return Err(unsupported("calls of tools by the user")),
            ContentBlock::Reasoning(_) => note_thoughts(notes),
            other => return Err(unsupported(&name_of(other))),
        }
    }
    if !parts.is_empty() {
        items.push(Item::User(parts));
    }
    Ok(())
}

fn push_assistant<'r, 'a>(
    message: &'r Message<'a>,
    dialect: &Dialect,
    notes: &mut Notes,
    items: &mut Vec<Item<'r, 'a>>,
) -> Result<(), Problem> {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    for block in &message.content {
        match block {
            ContentBlock::Text(text) | ContentBlock::GuardText(text) => texts.push(text),
            ContentBlock::ToolUse(_) if !dialect.tools => return Err(unsupported("calls of tools")),
            ContentBlock::ToolUse(call) => calls.push(call),
            ContentBlock::CachePoint(_) => {}
            ContentBlock::Reasoning(_) => note_thoughts(notes),
            other => return Err(unsupported(&format!("{} of the assistant's", name_of(other)))),
        }
    }
    if !texts.is_empty() || !calls.is_empty() {
        items.push(Item::Assistant { texts, calls });
    }
    Ok(())
}

/// None of these models is shown its thoughts again on Converse either.
fn note_thoughts(notes: &mut Notes) {
    notes.add("messages.thinking_blocks", "dropped", "model-takes-none");
}

fn name_of(block: &ContentBlock<'_>) -> Cow<'static, str> {
    match block {
        ContentBlock::Image(_) => "images".into(),
        ContentBlock::Document(_) => "documents".into(),
        ContentBlock::Audio(_) => "audio".into(),
        ContentBlock::Video(_) => "video".into(),
        ContentBlock::Other { member, .. } => format!("'{member}'").into(),
        _ => "such content".into(),
    }
}

fn image_part<'r, 'a>(image: &'r Image<'a>, dialect: &Dialect) -> Result<Part<'r, 'a>, Problem> {
    match image.source {
        _ if !dialect.images => Err(unsupported("images")),
        Source::S3(_) => Err(unsupported("an image in S3")),
        _ => Ok(Part::Image(image)),
    }
}

/// OpenAI's parts have a word for two formats only.
fn audio_part<'r, 'a>(audio: &'r Audio<'a>, dialect: &Dialect) -> Result<Part<'r, 'a>, Problem> {
    match (audio.format, &audio.source) {
        _ if !dialect.audio => Err(unsupported("audio")),
        (_, Source::S3(_)) => Err(unsupported("audio in S3")),
        (AudioFormat::Mp3 | AudioFormat::Wav, _) => Ok(Part::Audio(audio)),
        (format, _) => Err(unsupported(&format!("audio of the format '{}'", format.name()))),
    }
}

impl Item<'_, '_> {
    fn write(&self, message: &mut ObjectWriter<'_>) {
        match self {
            Self::System(texts) => {
                message.field("role", "system");
                write_joined(texts, "\\n\\n", message.key("content"));
            }
            Self::User(parts) => {
                message.field("role", "user");
                write_parts(parts, message.key("content"));
            }
            Self::Assistant { texts, calls } => {
                message.field("role", "assistant");
                write_joined(texts, "\\n", message.key("content"));
                if !calls.is_empty() {
                    write_array(message.key("tool_calls"), calls, |call, out| write_call(call, out));
                }
            }
            Self::Result(result) => {
                message.field("role", "tool");
                message.field("tool_call_id", &result.id);
                write_result(result, message.key("content"));
            }
        }
    }
}

/// Text alone is one string, which all of these models' templates take.
fn write_parts(parts: &[Part<'_, '_>], out: &mut Vec<u8>) {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(*text),
        Part::Image(_) | Part::Audio(_) => None,
    });
    let texts: Vec<_> = texts.collect();
    if texts.len() == parts.len() {
        return write_joined(&texts, "\\n", out);
    }
    write_array(out, parts, |part, out| {
        ObjectWriter::write(out, |object| match part {
            Part::Text(text) => {
                object.field("type", "text");
                object.field("text", text);
            }
            Part::Image(image) => {
                object.field("type", "image_url");
                object.object("image_url", |object| {
                    let out = object.key("url");
                    out.extend_from_slice(b"\"data:image/");
                    out.extend_from_slice(image.format.name().as_bytes());
                    out.extend_from_slice(b";base64,");
                    write_base64(&image.source, out);
                    out.push(b'"');
                });
            }
            Part::Audio(audio) => {
                object.field("type", "input_audio");
                object.object("input_audio", |object| {
                    let out = object.key("data");
                    out.push(b'"');
                    write_base64(&audio.source, out);
                    out.push(b'"');
                    object.field("format", audio.format.name());
                });
            }
        });
    });
}

/// Base64 holds nothing that JSON escapes; what stands for bytes that aren't there yet may.
fn write_base64(source: &Source<'_>, out: &mut Vec<u8>) {
    let text = source.base64().unwrap_or_default();
    match source {
        Source::Absent(_) => out.extend_from_slice(JsonText::encode(&text).inner().as_bytes()),
        _ => out.extend_from_slice(text.as_bytes()),
    }
}

fn write_call(call: &ToolUse<'_>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        object.field("id", &call.id);
        object.field("type", "function");
        object.object("function", |function| {
            function.field("name", &call.name);
            function.field("arguments", call.input.as_str());
        });
    });
}

fn write_result(result: &ToolResult<'_>, out: &mut Vec<u8>) {
    let texts = result.content.iter().filter_map(|block| match block {
        ToolResultBlock::Text(text) => Some(Cow::Borrowed(text)),
        ToolResultBlock::Json(json) => Some(Cow::Owned(JsonText::encode(json.as_str()))),
        ToolResultBlock::Image(_) | ToolResultBlock::Document(_) | ToolResultBlock::Video(_) => None,
    });
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() && !result.content.is_empty() {
        return write_str(SEE_BELOW, out);
    }
    let texts: Vec<&JsonText<'_>> = texts.iter().map(AsRef::as_ref).collect();
    write_joined(&texts, "\\n", out);
}

/// Writes the texts as one, with `separator`, as it stands in JSON, between them. No text is decoded.
fn write_joined(texts: &[&JsonText<'_>], separator: &str, out: &mut Vec<u8>) {
    if let [text] = texts {
        return text.write_json(out);
    }
    out.push(b'"');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(text.inner().as_bytes());
    }
    out.push(b'"');
}
