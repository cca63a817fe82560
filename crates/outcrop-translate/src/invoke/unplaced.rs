//! What a shape has no place for: refused where an answer without it would be wrong, noted as lost elsewhere.

use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, SystemBlock, Tool};
use outcrop_bedrock::json::ObjectWriter;

use super::write_additional_fields;
use crate::notes::Notes;
use crate::problem::Problem;

/// The refusal of content that the model's body can't hold.
pub(super) fn unsupported(what: &str) -> Problem {
    let message = format!("Unsupported content: this model can't take {what} through Bedrock's Invoke API.");
    Problem::invalid(message)
        .with_code("unsupported_parameter")
        .with_param("messages")
}

/// The refusal of tools, for bodies without them.
pub(super) fn unsupported_tools() -> Problem {
    let message = "Unsupported parameter: this model can't take 'tools' through Bedrock's Invoke API.";
    Problem::invalid(message)
        .with_code("unsupported_parameter")
        .with_param("tools")
}

/// Notes what no body of a model's own has a place for.
pub(super) fn note_lost(request: &ConverseRequest<'_>, notes: &mut Notes) {
    // The tokens of thoughts, which are asked for unasked, are no loss.
    let mut paths = request.additional_model_response_field_paths.iter();
    if paths.any(|path| path.inner() != "/usage/output_tokens_details") {
        notes.lose("additionalModelResponseFieldPaths", "dropped", "invoke-api");
    }
    let in_system = request
        .system
        .iter()
        .any(|block| matches!(block, SystemBlock::GuardText(_)));
    if in_system || blocks(request).any(|block| matches!(block, ContentBlock::GuardText(_))) {
        notes.lose("messages", "judged-as-a-whole", "invoke-api");
    }
}

/// Notes the loss of cache points, for bodies that know none.
pub(super) fn note_lost_cache_points(request: &ConverseRequest<'_>, notes: &mut Notes) {
    let mut tools = request.tool_config.iter().flat_map(|config| &config.tools);
    let has_points = request
        .system
        .iter()
        .any(|block| matches!(block, SystemBlock::CachePoint(_)))
        || tools.any(|tool| matches!(tool, Tool::CachePoint(_)))
        || blocks(request).any(|block| matches!(block, ContentBlock::CachePoint(_)));
    if has_points {
        notes.lose("cache_control", "dropped", "unsupported-by-model");
    }
}

/// Notes the loss of the answer's form and effort, for bodies that have no word for them.
pub(super) fn note_lost_output_config(request: &ConverseRequest<'_>, notes: &mut Notes) {
    if request.output_config.text_format.is_some() {
        notes.lose("response_format", "dropped", "invoke-api");
    }
    if request.output_config.effort.is_some() {
        notes.lose("reasoning_effort", "dropped", "invoke-api");
    }
}

/// Writes the model's own fields behind those in `written`, and notes those of them that were said in both ways.
pub(super) fn write_rest(
    request: &ConverseRequest<'_>,
    written: &[&str],
    body: &mut ObjectWriter<'_>,
    notes: &mut Notes,
) {
    for (name, _) in &request.additional_model_request_fields {
        if written.contains(&name.as_ref()) {
            notes.lose(name, "dropped", "said-twice");
        }
    }
    write_additional_fields(request, written, body);
}

fn blocks<'r, 'a>(request: &'r ConverseRequest<'a>) -> impl Iterator<Item = &'r ContentBlock<'a>> {
    request.messages.iter().flat_map(|message| &message.content)
}
