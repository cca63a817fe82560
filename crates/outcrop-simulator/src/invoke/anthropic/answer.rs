//! A whole message.

use serde_json::{Value, json};

use crate::converse::{Block, Reply};
use crate::invoke::about::{About, Usage};

pub(super) fn whole(reply: &Reply, about: &About) -> Value {
    let content: Vec<Value> = reply.blocks.iter().filter_map(block).collect();
    let mut message = frame(about);
    message["content"] = content.into();
    message["stop_reason"] = stop_reason(&reply.stop_reason).into();
    message["stop_sequence"] = about.stop_sequence.clone().into();
    message["usage"] = usage(&about.usage, about.usage.output);
    message
}

/// A message before it has content.
pub(super) fn frame(about: &About) -> Value {
    json!({
        "id": format!("msg_bdrk_{}", about.id),
        "type": "message",
        "role": "assistant",
        "model": about.model.trim_start_matches("anthropic."),
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    })
}

fn block(block: &Block) -> Option<Value> {
    Some(match block {
        Block::Text(text) => json!({"type": "text", "text": text}),
        Block::Reasoning { text, signature, .. } => {
            json!({"type": "thinking", "thinking": text, "signature": signature.clone().unwrap_or_default()})
        }
        Block::Redacted { content, .. } => json!({"type": "redacted_thinking", "data": content}),
        Block::ToolUse { id, name, input, .. } => json!({"type": "tool_use", "id": id, "name": name, "input": input}),
        Block::Citation { text, citation: found } => {
            json!({"type": "text", "text": text, "citations": [citation(found)]})
        }
        // Claude makes none.
        Block::Image(_) => return None,
    })
}

/// A citation of Converse's, by characters of a document.
pub(super) fn citation(found: &Value) -> Value {
    json!({
        "type": "char_location",
        "cited_text": found.pointer("/sourceContent/0/text"),
        "document_index": found.pointer("/location/documentChar/documentIndex"),
        "document_title": found["title"],
        "start_char_index": found.pointer("/location/documentChar/start"),
        "end_char_index": found.pointer("/location/documentChar/end"),
    })
}

/// A guardrail stands before Claude, so that Claude has no word for it.
pub(super) fn stop_reason(stop_reason: &str) -> &str {
    match stop_reason {
        "guardrail_intervened" => "end_turn",
        "content_filtered" => "refusal",
        other => other,
    }
}

/// `output` of the tokens have been made so far.
pub(super) fn usage(usage: &Usage, output: u64) -> Value {
    let cached = usage.cached.clone().unwrap_or_default();
    let written = |ttl: &str| {
        let known = cached.details.iter().find(|(known, _)| known == ttl);
        known.map_or(0, |(_, tokens)| *tokens)
    };
    let mut out = json!({
        "input_tokens": usage.input,
        "cache_creation_input_tokens": cached.written,
        "cache_read_input_tokens": cached.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written("5m"),
            "ephemeral_1h_input_tokens": written("1h"),
        },
        "output_tokens": output,
    });
    if usage.thinking > 0 {
        out["output_tokens_details"] = json!({"thinking_tokens": usage.thinking});
    }
    out
}
