//! Prompts that are kept in Bedrock and asked by their ARN: they say by themselves what else a request says.

use outcrop_bedrock::converse::ConverseRequest;

use crate::notes::Notes;

/// Takes out what may not be said beside such a prompt (Converse API reference, `modelId`, read 2026-11).
pub(super) fn fit(model_id: &str, converse: &mut ConverseRequest<'_>, notes: &mut Notes) {
    if !model_id.starts_with("arn:") || !model_id.contains(":prompt/") {
        return;
    }
    const REASON: &str = "the-prompt-says-it";
    if !converse.system.is_empty() {
        converse.system.clear();
        notes.lose("messages.system", "dropped", REASON);
    }
    if converse.tool_config.take().is_some() {
        notes.lose("tools", "dropped", REASON);
    }
    let config = std::mem::take(&mut converse.inference_config);
    for (name, is_set) in [
        ("max_tokens", config.max_tokens.is_some()),
        ("temperature", config.temperature.is_some()),
        ("top_p", config.top_p.is_some()),
        ("stop", !config.stop_sequences.is_empty()),
    ] {
        if is_set {
            notes.lose(name, "dropped", REASON);
        }
    }
    for (name, _) in converse.additional_model_request_fields.drain(..) {
        notes.lose(&name, "dropped", REASON);
    }
}
