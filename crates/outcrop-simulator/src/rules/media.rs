//! Images, documents, audio and video: how many, how large, where, from where, and that they are what they are said
//! to be.

use aws_smithy_types::base64;
use serde_json::Value;

use super::{at, blocks, image, is_from, list, messages, placed};
use crate::models::Target;
use crate::refusal::Refusal;

// Bedrock's user guide on the Converse API, read 2026-11.
const MAX_IMAGES: usize = 20;
const MAX_IMAGE_PIXELS: u32 = 8000;
/// In base64: 3.75 MB of the image itself.
const MAX_IMAGE_ENCODED_BYTES: usize = 5_242_880;
const MAX_DOCUMENTS: usize = 5;
const MAX_DOCUMENT_BYTES: usize = 4_718_592;
const MAX_VIDEOS: usize = 1;

const KINDS: [&str; 4] = ["image", "document", "video", "audio"];

/// One of them, where it stands.
struct Media<'a> {
    kind: &'static str,
    /// As Converse names it, such as `messages.0.content.1.image`.
    place: String,
    value: &'a Value,
}

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    for (place, message, block) in placed(body) {
        let misplaced = KINDS.iter().find(|kind| block.get(**kind).is_some());
        if let Some(kind) = misplaced.filter(|_| !is_from(message, "user")) {
            return Err(Refusal::validation(format!(
                "The {kind} block at {place} is only allowed in user messages."
            )));
        }
    }
    let all = all(body);
    check_counts(&all)?;
    for media in &all {
        let in_result = media.place.contains(".toolResult.");
        if in_result && !target.family.image_in_tool_result {
            return Err(unsupported(&format!("toolResult.content.{}", media.kind)));
        }
        check_one(media, target)?;
    }
    check_names_differ(&all)?;
    check_text_beside(body)
}

/// All of a conversation's, in tool results too.
fn all(body: &Value) -> Vec<Media<'_>> {
    let mut all = Vec::new();
    for (place, _, block) in placed(body) {
        all.extend(media_in(&place, block));
        let parts = list(block.get("toolResult").unwrap_or(&Value::Null), "content");
        for (index, part) in parts.iter().enumerate() {
            all.extend(media_in(&format!("{place}.toolResult.content.{index}"), part));
        }
    }
    all
}

fn media_in<'a>(place: &str, block: &'a Value) -> Option<Media<'a>> {
    KINDS.into_iter().find_map(|kind| {
        Some(Media {
            kind,
            place: format!("{place}.{kind}"),
            value: block.get(kind)?,
        })
    })
}

fn check_counts(all: &[Media]) -> Result<(), Refusal> {
    for (kind, limit) in [
        ("image", MAX_IMAGES),
        ("document", MAX_DOCUMENTS),
        ("video", MAX_VIDEOS),
    ] {
        if all.iter().filter(|media| media.kind == kind).count() > limit {
            return Err(Refusal::validation(format!(
                "The number of {kind}s exceeds the limit of {limit}."
            )));
        }
    }
    Ok(())
}

fn check_one(media: &Media, target: &Target) -> Result<(), Refusal> {
    let Media { kind, place, value } = media;
    let taken = match *kind {
        "document" => target.family.documents,
        kind => target.model.reads(&kind.to_uppercase()),
    };
    if !taken {
        return Err(unsupported(kind));
    }
    if *kind == "document" {
        check_name(value, place)?;
    }
    if at(value, &["source", "s3Location"]).is_some() && !target.family.s3 {
        return Err(Refusal::validation(format!(
            "This model doesn't support the {kind}.source.s3Location field. Remove {kind}.source.s3Location and try again."
        )));
    }
    let Some(encoded) = at(value, &["source", "bytes"]).and_then(Value::as_str) else {
        return Ok(());
    };
    let bytes = base64::decode(encoded).unwrap_or_default();
    match *kind {
        "image" => check_image(value, encoded, &bytes, place),
        "document" => check_document(value, &bytes, place, target),
        _ => Ok(()),
    }
}

fn check_image(value: &Value, encoded: &str, bytes: &[u8], place: &str) -> Result<(), Refusal> {
    let place = format!("{place}.source.bytes");
    if encoded.len() > MAX_IMAGE_ENCODED_BYTES {
        return Err(Refusal::by_model(&format!(
            "{place}: image exceeds 5 MB maximum: {} bytes > {MAX_IMAGE_ENCODED_BYTES} bytes",
            encoded.len()
        )));
    }
    let declared = value.get("format").and_then(Value::as_str).unwrap_or_default();
    match (image::format(bytes), image::size(bytes)) {
        (Some(found), _) if found != declared => Err(Refusal::by_model(&format!(
            "{place}: The image was specified using the image/{declared} media type, but the image appears to be a \
             image/{found} image"
        ))),
        (_, Some((width, height))) if width.max(height) > MAX_IMAGE_PIXELS => Err(Refusal::by_model(&format!(
            "{place}: At least one of the image dimensions exceed max allowed size: {MAX_IMAGE_PIXELS} pixels"
        ))),
        (Some(_), Some((1.., 1..))) => Ok(()),
        _ => Err(Refusal::by_model(&format!("{place}: Could not process image"))),
    }
}

fn check_document(value: &Value, bytes: &[u8], place: &str, target: &Target) -> Result<(), Refusal> {
    let place = format!("{place}.source.bytes");
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(Refusal::by_model(&format!(
            "{place}: document exceeds the maximum size: {} bytes > {MAX_DOCUMENT_BYTES} bytes",
            bytes.len()
        )));
    }
    let is_pdf = value.get("format").and_then(Value::as_str) == Some("pdf");
    match is_pdf && target.family.strict_model && !bytes.starts_with(b"%PDF-") {
        true => Err(Refusal::by_model(&format!("{place}: The PDF specified was not valid."))),
        false => Ok(()),
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

fn check_names_differ(all: &[Media]) -> Result<(), Refusal> {
    let documents = all.iter().filter(|media| media.kind == "document");
    let names: Vec<_> = documents.map(|document| document.value.get("name")).collect();
    match (1..names.len()).any(|at| names[..at].contains(&names[at])) {
        true => Err(Refusal::validation(
            "Messages can't contain duplicate document names. Rename the document and retry your request.",
        )),
        false => Ok(()),
    }
}

fn check_text_beside(body: &Value) -> Result<(), Refusal> {
    for (turn, message) in messages(body).iter().enumerate() {
        let holds = |kind: &str| blocks(message).iter().any(|block| block.get(kind).is_some());
        if holds("document") && !holds("text") && !holds("guardContent") {
            return Err(Refusal::validation(format!(
                "The Message object at messages.{turn} holds a document without text. Add a text block and try again."
            )));
        }
    }
    Ok(())
}

/// How Bedrock refuses a kind of block that a model can't read.
pub(super) fn unsupported(kind: &str) -> Refusal {
    Refusal::validation(format!(
        "This model doesn't support the {kind} content block that you provided. Remove {kind} and try again."
    ))
}
