//! Parts that hold images, files, audio and video, as blocks.

use outcrop_bedrock::converse::{ContentBlock, ToolResultBlock};
use outcrop_bedrock::json::Fault;

use super::part::{File, Link, PartKind};
use crate::media::{Expected, Form, Given, Intake, Medium};

/// A part of a user's message. Faults name the field within the part.
pub(super) fn block<'a>(kind: &'a PartKind<'a>, intake: &mut Intake<'_>) -> Result<ContentBlock<'a>, Fault> {
    match kind {
        PartKind::Text(text) => Ok(ContentBlock::Text(text.clone())),
        PartKind::GuardedText(text) => Ok(ContentBlock::GuardText(text.clone())),
        _ => medium(kind, intake).map(ContentBlock::from),
    }
}

/// A part of a tool's answer.
pub(super) fn result_block<'a>(kind: &'a PartKind<'a>, intake: &mut Intake<'_>) -> Result<ToolResultBlock<'a>, Fault> {
    match kind {
        PartKind::Text(text) | PartKind::GuardedText(text) => Ok(ToolResultBlock::Text(text.clone())),
        _ => match medium(kind, intake)? {
            Medium::Image(image) => Ok(ToolResultBlock::Image(image)),
            Medium::Document(document) => Ok(ToolResultBlock::Document(document)),
            Medium::Video(video) => Ok(ToolResultBlock::Video(video)),
            Medium::Audio(_) => Err(Fault::shape("a tool message takes no audio").under_key("type")),
        },
    }
}

fn medium<'a>(kind: &'a PartKind<'a>, intake: &mut Intake<'_>) -> Result<Medium<'a>, Fault> {
    match kind {
        PartKind::Image(link) => linked(link, Expected::Image, intake),
        PartKind::Video(link) => linked(link, Expected::Video, intake),
        PartKind::File(file) => of_file(file, intake).map_err(|fault| fault.under_key("file")),
        PartKind::Audio { data, format } => {
            let given = Given {
                format: format.as_ref(),
                ..Given::new(Expected::Audio, data, Form::UrlOrBase64)
            };
            let audio = intake.take(given);
            audio.map_err(|fault| fault.under_key("data").under_key("input_audio"))
        }
        PartKind::Text(_) | PartKind::GuardedText(_) => Err(Fault::shape("expected no text").under_key("type")),
    }
}

fn linked<'a>(link: &'a Link<'a>, expected: Expected, intake: &mut Intake<'_>) -> Result<Medium<'a>, Fault> {
    let url = link.url.as_ref().ok_or_else(|| Fault::shape("is required"));
    let given = url.map(|url| Given {
        format: link.format.as_ref(),
        bucket_owner: link.bucket_owner.as_ref(),
        ..Given::new(expected, url, Form::Url)
    });
    let medium = given.and_then(|given| intake.take(given));
    medium.map_err(|fault| fault.under_key("url").under_key(link.member))
}

fn of_file<'a>(file: &'a File<'a>, intake: &mut Intake<'_>) -> Result<Medium<'a>, Fault> {
    let (member, text, form) = match (&file.file_data, &file.file_id) {
        (Some(data), _) => ("file_data", data, Form::UrlOrBase64),
        (None, Some(id)) if !id.decoded().contains(':') => {
            let fault = Fault::shape("uploaded files are not supported yet; send the file itself as 'file_data'");
            return Err(fault.with_code("unsupported_content").under_key("file_id"));
        }
        (None, Some(id)) => ("file_id", id, Form::Url),
        (None, None) => return Err(Fault::shape("is required").under_key("file_data")),
    };
    let given = Given {
        format: file.format.as_ref(),
        file_name: file.filename.as_ref(),
        bucket_owner: file.bucket_owner.as_ref(),
        ..Given::new(Expected::File, text, form)
    };
    intake.take(given).map_err(|fault| fault.under_key(member))
}
