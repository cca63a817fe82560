//! A Converse request as Claude's own body.

use outcrop_bedrock::converse::{
    CacheTtl, ContentBlock, ConverseRequest, DocumentFormat, Message, Reasoning, Role, Source, SystemBlock, Tool,
    ToolChoice, ToolConfig, ToolResult, ToolResultBlock, ToolResultStatus,
};
use outcrop_bedrock::json::{Json, JsonText, ObjectWriter, Reader, write_array, write_str};

use super::super::{Ask, write_additional_fields};
use crate::notes::Notes;
use crate::problem::Problem;

/// The only version that Bedrock takes.
const VERSION: &str = "bedrock-2023-05-31";

/// Members that are written here, merged with what the additional fields say of them.
const MERGED: &[&str] = &["output_config", "tool_choice", "max_tokens"];

/// Writes the body.
pub(super) fn body(ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<Vec<u8>, Problem> {
    let request = ask.request;
    check(request, notes)?;
    let config = &request.inference_config;
    let mut out = Vec::with_capacity(4096);
    ObjectWriter::write(&mut out, |body| {
        body.field("anthropic_version", VERSION);
        body.field("max_tokens", &config.max_tokens.unwrap_or(ask.max_output));
        if !request.system.is_empty() {
            write_blocks(body.key("system"), &request.system, system_ttl, write_system);
        }
        write_array(body.key("messages"), &request.messages, write_message);
        body.optional("temperature", &config.temperature);
        body.optional("top_p", &config.top_p);
        body.unless_empty("stop_sequences", &config.stop_sequences);
        write_tools(request, body);
        write_output_config(request, body);
        write_additional_fields(request, MERGED, body);
    });
    Ok(out)
}

/// Refuses what the body has no place for.
fn check(request: &ConverseRequest<'_>, notes: &mut Notes) -> Result<(), Problem> {
    if !request.additional_model_response_field_paths.is_empty() {
        // The tokens of thoughts, which are asked for unasked, are read from the answer itself.
        let asked = request
            .additional_model_response_field_paths
            .iter()
            .any(|path| path.inner() != "/usage/output_tokens_details");
        if asked {
            notes.lose("additionalModelResponseFieldPaths", "dropped", "invoke-api");
        }
    }
    for block in request.messages.iter().flat_map(|message| &message.content) {
        match block {
            ContentBlock::Image(image) => check_source("an image in S3", &image.source)?,
            ContentBlock::Document(document) => {
                check_source("a document in S3", &document.source)?;
                if matches!(
                    document.format,
                    DocumentFormat::Doc | DocumentFormat::Docx | DocumentFormat::Xls | DocumentFormat::Xlsx
                ) {
                    return Err(unsupported(&format!(
                        "a document of the format '{}'",
                        document.format.name()
                    )));
                }
            }
            ContentBlock::Audio(_) => return Err(unsupported("audio")),
            ContentBlock::Video(_) => return Err(unsupported("video")),
            ContentBlock::Other { member, .. } => return Err(unsupported(&format!("'{member}'"))),
            ContentBlock::GuardText(_) => notes.lose("messages", "judged-as-a-whole", "invoke-api"),
            _ => {}
        }
    }
    Ok(())
}

fn check_source(what: &str, source: &Source<'_>) -> Result<(), Problem> {
    match source {
        Source::S3(_) => Err(unsupported(what)),
        _ => Ok(()),
    }
}

fn unsupported(what: &str) -> Problem {
    let message = format!("Unsupported content: this model can't take {what} through Bedrock's Invoke API.");
    Problem::invalid(message)
        .with_code("unsupported_parameter")
        .with_param("messages")
}

/// Writes blocks; a cache point becomes a mark of the block before it, which `ttl_of` tells apart.
fn write_blocks<B>(
    out: &mut Vec<u8>,
    blocks: &[B],
    ttl_of: fn(&B) -> Option<CacheTtl>,
    write: impl Fn(&B, &mut ObjectWriter<'_>),
) {
    let marked = blocks.iter().enumerate().filter(|(_, block)| ttl_of(block).is_none());
    write_array(out, marked, |(index, block), out| {
        ObjectWriter::write(out, |object| {
            write(block, object);
            if let Some(ttl) = blocks.get(index + 1).and_then(ttl_of) {
                write_cache_control(ttl, object);
            }
        });
    });
}

fn write_cache_control(ttl: CacheTtl, block: &mut ObjectWriter<'_>) {
    block.object("cache_control", |control| {
        control.field("type", "ephemeral");
        match ttl {
            CacheTtl::Default => {}
            CacheTtl::FiveMinutes => control.field("ttl", "5m"),
            CacheTtl::OneHour => control.field("ttl", "1h"),
        }
    });
}

fn system_ttl(block: &SystemBlock<'_>) -> Option<CacheTtl> {
    match block {
        SystemBlock::CachePoint(ttl) => Some(*ttl),
        _ => None,
    }
}

fn write_system(block: &SystemBlock<'_>, object: &mut ObjectWriter<'_>) {
    if let SystemBlock::Text(text) | SystemBlock::GuardText(text) = block {
        write_text(text, object);
    }
}

fn write_text(text: &JsonText<'_>, object: &mut ObjectWriter<'_>) {
    object.field("type", "text");
    object.field("text", text);
}

fn write_message(message: &Message<'_>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        object.field(
            "role",
            match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            },
        );
        let ttl_of = |block: &ContentBlock<'_>| match block {
            ContentBlock::CachePoint(ttl) => Some(*ttl),
            _ => None,
        };
        write_blocks(object.key("content"), &message.content, ttl_of, write_block);
    });
}

fn write_block(block: &ContentBlock<'_>, object: &mut ObjectWriter<'_>) {
    match block {
        ContentBlock::Text(text) | ContentBlock::GuardText(text) => write_text(text, object),
        ContentBlock::Image(image) => write_image(image.format.name(), &image.source, object),
        ContentBlock::Document(document) => {
            write_document(document.format, &document.name, &document.source, object);
        }
        ContentBlock::ToolUse(tool_use) => {
            object.field("type", "tool_use");
            object.field("id", &tool_use.id);
            object.field("name", &tool_use.name);
            object.field("input", &tool_use.input);
        }
        ContentBlock::ToolResult(result) => write_result(result, object),
        ContentBlock::Reasoning(Reasoning::Text { text, signature }) => {
            object.field("type", "thinking");
            object.field("thinking", text);
            object.optional("signature", signature);
        }
        ContentBlock::Reasoning(Reasoning::Redacted(bytes)) => {
            object.field("type", "redacted_thinking");
            object.field("data", bytes);
        }
        // None of these gets past the check, and cache points are marks.
        ContentBlock::Audio(_) | ContentBlock::Video(_) | ContentBlock::CachePoint(_) | ContentBlock::Other { .. } => {}
    }
}

fn write_image(format: &str, source: &Source<'_>, object: &mut ObjectWriter<'_>) {
    object.field("type", "image");
    write_base64(&format!("image/{format}"), source, object);
}

fn write_base64(media_type: &str, source: &Source<'_>, object: &mut ObjectWriter<'_>) {
    object.object("source", |object| {
        object.field("type", "base64");
        object.field("media_type", media_type);
        object.field("data", &source.base64().unwrap_or_default());
    });
}

fn write_document(format: DocumentFormat, name: &str, source: &Source<'_>, object: &mut ObjectWriter<'_>) {
    object.field("type", "document");
    if format == DocumentFormat::Pdf {
        write_base64("application/pdf", source, object);
    } else {
        object.object("source", |object| {
            object.field("type", "text");
            object.field("media_type", "text/plain");
            let bytes = match source {
                Source::Base64(base64) => base64.decode(),
                Source::Bytes(bytes) => bytes.to_vec(),
                Source::Absent(text) => text.as_bytes().to_vec(),
                Source::S3(_) => Vec::new(),
            };
            write_str(&String::from_utf8_lossy(&bytes), object.key("data"));
        });
    }
    object.field("title", name);
}

fn write_result(result: &ToolResult<'_>, object: &mut ObjectWriter<'_>) {
    object.field("type", "tool_result");
    object.field("tool_use_id", &result.id);
    write_array(object.key("content"), &result.content, |block, out| {
        ObjectWriter::write(out, |object| match block {
            ToolResultBlock::Text(text) => write_text(text, object),
            ToolResultBlock::Json(json) => write_text(&JsonText::encode(json.as_str()), object),
            ToolResultBlock::Image(image) => write_image(image.format.name(), &image.source, object),
            ToolResultBlock::Document(document) => {
                write_document(document.format, &document.name, &document.source, object);
            }
            // Models that take films in results have another shape.
            ToolResultBlock::Video(_) => write_text(&JsonText::encode("(a video)"), object),
        });
    });
    if result.status == Some(ToolResultStatus::Error) {
        object.field("is_error", &true);
    }
}

fn write_tools(request: &ConverseRequest<'_>, body: &mut ObjectWriter<'_>) {
    let extra = additional(request, "tool_choice");
    let Some(ToolConfig { tools, tool_choice }) = &request.tool_config else {
        if let Some(extra) = extra {
            body.field("tool_choice", extra);
        }
        return;
    };
    let ttl_of = |tool: &Tool<'_>| match tool {
        Tool::CachePoint(ttl) => Some(*ttl),
        Tool::Spec(_) => None,
    };
    write_blocks(body.key("tools"), tools, ttl_of, |tool, object| {
        if let Tool::Spec(spec) = tool {
            object.field("name", &spec.name);
            object.optional("description", &spec.description);
            object.field("input_schema", &spec.input_schema);
            if spec.strict {
                object.field("strict", &true);
            }
        }
    });
    if tool_choice.is_none() && extra.is_none() {
        return;
    }
    body.object("tool_choice", |choice| {
        match tool_choice {
            Some(ToolChoice::Auto) => choice.field("type", "auto"),
            Some(ToolChoice::Any) => choice.field("type", "any"),
            Some(ToolChoice::Tool(name)) => {
                choice.field("type", "tool");
                choice.field("name", name);
            }
            None => {}
        }
        let is_said = tool_choice.is_some();
        write_members(extra, choice, |name| is_said && (name == "type" || name == "name"));
    });
}

fn write_output_config(request: &ConverseRequest<'_>, body: &mut ObjectWriter<'_>) {
    let extra = additional(request, "output_config");
    let config = &request.output_config;
    if extra.is_none() && config.text_format.is_none() && config.effort.is_none() {
        return;
    }
    body.object("output_config", |object| {
        if let Some(effort) = config.effort {
            object.field("effort", effort);
        }
        if let Some(format) = &config.text_format {
            object.object("format", |object| {
                object.field("type", "json_schema");
                // Converse has it as a string, Claude as what is in it.
                object
                    .key("schema")
                    .extend_from_slice(format.schema.decoded().as_bytes());
            });
        }
        let (has_effort, has_format) = (config.effort.is_some(), config.text_format.is_some());
        write_members(extra, object, |name| {
            name == "effort" && has_effort || name == "format" && has_format
        });
    });
}

fn additional<'r, 'a>(request: &'r ConverseRequest<'a>, name: &str) -> Option<&'r Json<'a>> {
    let mut fields = request.additional_model_request_fields.iter();
    fields.find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Writes the members of an object that aren't written yet.
fn write_members(object: Option<&Json<'_>>, out: &mut ObjectWriter<'_>, is_written: impl Fn(&str) -> bool) {
    let Some(object) = object else { return };
    // The client's own; what is no object has no members.
    let _ = object.read(|reader: &mut Reader<'_>| {
        reader.object(|name, reader| {
            let value = reader.json()?;
            if !is_written(name) {
                out.field(name, &value);
            }
            Ok(())
        })
    });
}
