//! A Converse request as Nova's own body.

use bytes::Bytes;
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{
    ContentBlock, ConverseRequest, Image, InferenceConfig, Message, Source, SystemBlock, ToolResultBlock,
};
use outcrop_bedrock::json::{Kind, ObjectWriter, Reader};

use super::super::unplaced::{note_lost, note_lost_output_config, unsupported, write_rest};
use crate::notes::Notes;
use crate::problem::Problem;

/// The only version of the body.
const SCHEMA_VERSION: &str = "messages-v1";

/// Writes the body. The messages are Converse's, large media as pieces of their own; the rest stands around them.
pub(super) fn body(request: &ConverseRequest<'_>, notes: &mut Notes) -> Result<CallBody, Problem> {
    check(request)?;
    note_lost(request, notes);
    note_lost_output_config(request, notes);
    let messages = ConverseRequest {
        messages: request.messages.iter().map(unguarded).collect(),
        ..ConverseRequest::default()
    };
    let messages = messages.to_body(&Bytes::new());
    let mut rest = Vec::with_capacity(1024);
    ObjectWriter::write(&mut rest, |body| write_rest_of_body(request, body, notes));
    let mut head = Vec::new();
    ObjectWriter::write(&mut head, |head| head.field("schemaVersion", SCHEMA_VERSION));
    Ok(CallBody::new(joined(&[
        CallBody::new(vec![head.into()]),
        messages,
        CallBody::new(vec![rest.into()]),
    ])))
}

/// The members of several objects as one object.
fn joined(objects: &[CallBody]) -> Vec<Bytes> {
    let mut pieces = vec![Bytes::from_static(b"{")];
    for object in objects {
        let last = object.pieces().len().saturating_sub(1);
        let mut members: Vec<Bytes> = Vec::new();
        for (index, piece) in object.pieces().iter().enumerate() {
            // Without the braces: the first byte of all and the last.
            let start = usize::from(index == 0).min(piece.len());
            let end = piece.len().saturating_sub(usize::from(index == last)).max(start);
            members.push(piece.slice(start..end));
        }
        if members.iter().all(Bytes::is_empty) {
            continue;
        }
        if pieces.len() > 1 {
            pieces.push(Bytes::from_static(b","));
        }
        pieces.append(&mut members);
    }
    pieces.push(Bytes::from_static(b"}"));
    pieces
}

/// Refuses what the body has no place for.
fn check(request: &ConverseRequest<'_>) -> Result<(), Problem> {
    for block in request.messages.iter().flat_map(|message| &message.content) {
        match block {
            ContentBlock::Image(image) => check_image(image)?,
            ContentBlock::Document(_) => return Err(unsupported("documents")),
            ContentBlock::Other { member, .. } => return Err(unsupported(&format!("'{member}'"))),
            ContentBlock::ToolResult(result) => {
                for block in &result.content {
                    match block {
                        ToolResultBlock::Image(image) => check_image(image)?,
                        ToolResultBlock::Document(_) => return Err(unsupported("documents")),
                        ToolResultBlock::Text(_) | ToolResultBlock::Json(_) | ToolResultBlock::Video(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Films may lie in S3, images may not.
fn check_image(image: &Image<'_>) -> Result<(), Problem> {
    match image.source {
        Source::S3(_) => Err(unsupported("an image in S3")),
        _ => Ok(()),
    }
}

/// The message without marks for a guardrail, which are Converse's alone.
fn unguarded<'a>(message: &Message<'a>) -> Message<'a> {
    let blocks = message.content.iter().map(|block| match block {
        ContentBlock::GuardText(text) => ContentBlock::Text(text.clone()),
        block => block.clone(),
    });
    Message {
        role: message.role,
        content: blocks.collect(),
    }
}

fn write_rest_of_body(request: &ConverseRequest<'_>, body: &mut ObjectWriter<'_>, notes: &mut Notes) {
    let mut written = vec!["schemaVersion", "messages", "inferenceConfig"];
    if !request.system.is_empty() {
        let blocks = request.system.iter().map(|block| match block {
            SystemBlock::GuardText(text) => SystemBlock::Text(text.clone()),
            block => block.clone(),
        });
        body.field("system", &blocks.collect::<Vec<_>>());
        written.push("system");
    }
    write_inference_config(request, body, notes);
    if let Some(config) = &request.tool_config {
        body.field("toolConfig", config);
        written.push("toolConfig");
    }
    // What `inferenceConfig` says has been noted by itself.
    let fields = &request.additional_model_request_fields;
    let own: Vec<_> = fields
        .iter()
        .filter(|(name, _)| name != "inferenceConfig")
        .cloned()
        .collect();
    if own.len() == fields.len() {
        return write_rest(request, &written, body, notes);
    }
    let request = ConverseRequest {
        additional_model_request_fields: own,
        guardrail_config: request.guardrail_config.clone(),
        ..ConverseRequest::default()
    };
    write_rest(&request, &written, body, notes);
}

/// Converse's members and those of the additional field of the same name, such as `topK`.
fn write_inference_config(request: &ConverseRequest<'_>, body: &mut ObjectWriter<'_>, notes: &mut Notes) {
    let mut fields = request.additional_model_request_fields.iter();
    let extra = fields
        .find(|(name, _)| name == "inferenceConfig")
        .map(|(_, value)| value);
    let config = &request.inference_config;
    if extra.is_none() && *config == InferenceConfig::default() {
        return;
    }
    body.object("inferenceConfig", |object| {
        object.optional("maxTokens", &config.max_tokens);
        object.optional("temperature", &config.temperature);
        object.optional("topP", &config.top_p);
        object.unless_empty("stopSequences", &config.stop_sequences);
        let is_said = |name: &str| match name {
            "maxTokens" => config.max_tokens.is_some(),
            "temperature" => config.temperature.is_some(),
            "topP" => config.top_p.is_some(),
            "stopSequences" => !config.stop_sequences.is_empty(),
            _ => false,
        };
        // What is no object has no members; Bedrock would refuse it on Converse, too.
        let _ = extra.map(|extra| {
            extra.read(|reader: &mut Reader<'_>| {
                if reader.kind()? != Kind::Object {
                    notes.lose("inferenceConfig", "dropped", "no-object");
                    return reader.skip();
                }
                reader.object(|name, reader| {
                    let value = reader.json()?;
                    if is_said(name) {
                        notes.lose(name, "dropped", "said-twice");
                    } else {
                        object.field(name, &value);
                    }
                    Ok(())
                })
            })
        });
    });
}
