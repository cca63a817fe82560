//! Images and documents: how many, how large, where, and that the bytes are what they are said to be.

use aws_smithy_types::base64;
use serde_json::Value;

use super::{at, blocks, is_from, list, messages, placed};
use crate::models::Target;
use crate::refusal::Refusal;

// Bedrock's user guide on the Converse API, read 2026-11.
const MAX_IMAGES: usize = 20;
const MAX_IMAGE_BYTES: usize = 3_932_160;
const MAX_DOCUMENTS: usize = 5;
const MAX_DOCUMENT_BYTES: usize = 4_718_592;

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    check_counts(body)?;
    for (place, message, block) in placed(body) {
        for kind in ["image", "document", "video", "audio"] {
            let Some(media) = block.get(kind) else {
                continue;
            };
            if !is_from(message, "user") {
                return Err(Refusal::validation(format!(
                    "The {kind} block at {place} is only allowed in user messages."
                )));
            }
            check_one(kind, media, &format!("{place}.{kind}"), target)?;
        }
        for (index, part) in list(block.get("toolResult").unwrap_or(&Value::Null), "content")
            .iter()
            .enumerate()
        {
            for kind in ["image", "document", "video"] {
                let Some(media) = part.get(kind) else {
                    continue;
                };
                let place = format!("{place}.toolResult.content.{index}.{kind}");
                if !target.family.image_in_tool_result {
                    return Err(unsupported(&format!("toolResult.content.{kind}")));
                }
                check_one(kind, media, &place, target)?;
            }
        }
    }
    check_text_beside(body)
}

fn check_counts(body: &Value) -> Result<(), Refusal> {
    let count = |kind: &str| placed(body).filter(|(_, _, block)| block.get(kind).is_some()).count();
    if count("image") > MAX_IMAGES {
        return Err(Refusal::validation(format!(
            "The number of images exceeds the limit of {MAX_IMAGES}."
        )));
    }
    if count("document") > MAX_DOCUMENTS {
        return Err(Refusal::validation(format!(
            "The number of documents exceeds the limit of {MAX_DOCUMENTS}."
        )));
    }
    Ok(())
}

fn check_one(kind: &str, media: &Value, place: &str, target: &Target) -> Result<(), Refusal> {
    let taken = match kind {
        "image" => target.model.reads("IMAGE"),
        "video" => target.model.reads("VIDEO"),
        "document" => target.family.documents,
        _ => false,
    };
    if !taken {
        return Err(unsupported(kind));
    }
    if kind == "document" {
        check_name(media, place)?;
    }
    let Some(bytes) = at(media, &["source", "bytes"]).and_then(Value::as_str) else {
        return Ok(());
    };
    let bytes = base64::decode(bytes).unwrap_or_default();
    let max = if kind == "document" {
        MAX_DOCUMENT_BYTES
    } else {
        MAX_IMAGE_BYTES
    };
    if matches!(kind, "image" | "document") && bytes.len() > max {
        return Err(Refusal::by_model(&format!(
            "{place}.source.bytes: {kind} exceeds the maximum size: {} bytes > {max} bytes",
            bytes.len()
        )));
    }
    if kind == "image" {
        check_magic(media, &bytes, place)?;
    }
    Ok(())
}

fn check_magic(image: &Value, bytes: &[u8], place: &str) -> Result<(), Refusal> {
    let declared = image.get("format").and_then(Value::as_str).unwrap_or_default();
    match sniff(bytes) {
        Some(found) if found == declared => Ok(()),
        Some(found) => Err(Refusal::by_model(&format!(
            "{place}.source.bytes: The image was specified using the image/{declared} media type, but the image \
             appears to be a image/{found} image"
        ))),
        None => Err(Refusal::by_model(&format!(
            "{place}.source.bytes: Could not process image"
        ))),
    }
}

/// The format that the first bytes tell.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

fn check_name(document: &Value, place: &str) -> Result<(), Refusal> {
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || " -()[]".contains(c);
    if name.chars().all(allowed) && !name.contains("  ") {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "The document file name at {place}.name can only contain alphanumeric characters, whitespace characters, \
         hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character."
    )))
}

fn check_text_beside(body: &Value) -> Result<(), Refusal> {
    for (turn, message) in messages(body).iter().enumerate() {
        let holds = |kind: &str| blocks(message).iter().any(|block| block.get(kind).is_some());
        if holds("document") && !holds("text") {
            return Err(Refusal::validation(format!(
                "The Message object at messages.{turn} holds a document without text. Add a text block and try again."
            )));
        }
    }
    Ok(())
}

pub(super) fn unsupported(kind: &str) -> Refusal {
    Refusal::validation(format!(
        "This model doesn't support the {kind} content block that you provided. Remove {kind} and try again."
    ))
}
