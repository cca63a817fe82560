//! A whole chat completion.

use serde_json::{Value, json};

use super::{CLOSE, Dialect, OPEN, finish_reason};
use crate::converse::{Block, Reply};
use crate::invoke::about::{About, Usage};

/// The answer; the same one several times if `n` asks for it.
pub(in crate::invoke) fn whole(dialect: &Dialect, reply: &Reply, about: &About) -> Value {
    let message = message(dialect, &reply.blocks);
    let choices = about.body.get("n").and_then(Value::as_u64).unwrap_or(1);
    let choices = (0..choices.max(1))
        .map(|index| json!({"index": index, "message": message, dialect.reason: finish_reason(&reply.stop_reason)}));
    let mut whole = json!({
        "id": format!("chatcmpl-{}", about.id),
        "object": "chat.completion",
        "created": about.created,
        "model": about.model,
        "choices": choices.collect::<Vec<_>>(),
        "usage": usage(&about.usage),
    });
    if let Some(tier) = about.body.get("service_tier").filter(|tier| !tier.is_null()) {
        whole["service_tier"] = tier.clone();
    }
    whole
}

/// Cached input is a part of the prompt here.
pub(super) fn usage(usage: &Usage) -> Value {
    let prompt = usage.all_input();
    let mut out = json!({
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
    });
    if let Some(cached) = &usage.cached {
        out["prompt_tokens_details"] = json!({"cached_tokens": cached.read});
    }
    out
}

pub(in crate::invoke) fn message(dialect: &Dialect, blocks: &[Block]) -> Value {
    let mut content = String::new();
    let mut calls = Vec::new();
    for block in blocks {
        match block {
            Block::Text(text) | Block::Citation { text, .. } => content.push_str(text),
            Block::Reasoning { text, .. } if dialect.thoughts_in_tags => {
                content.extend([OPEN, text, CLOSE]);
            }
            Block::ToolUse { id, name, input, raw } => calls.push(json!({
                "id": id,
                "type": "function",
                "function": {"name": name, "arguments": raw.clone().unwrap_or_else(|| input.to_string())},
            })),
            Block::Reasoning { .. } | Block::Redacted { .. } | Block::Image(_) => {}
        }
    }
    let content = match content.is_empty() && !calls.is_empty() {
        true => Value::Null,
        false => content.into(),
    };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}
