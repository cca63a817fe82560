//! What Claude's server says of a conversation that is out of order, where Converse says it in words of its own.

use serde_json::Value;

use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules::{blocks, is_from, list, messages};

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    check_max_tokens(body, target)?;
    check_roles(body, target)?;
    check_texts(body)?;
    check_calls(body)
}

fn check_max_tokens(body: &Value, target: &Target) -> Result<(), Refusal> {
    let (asked, limit) = (body["max_tokens"].as_u64().unwrap_or_default(), target.model.max_tokens);
    match asked > limit {
        true => Err(Refusal::validation(format!(
            "max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {}",
            target.model.id.trim_start_matches("anthropic.")
        ))),
        false => Ok(()),
    }
}

fn check_roles(body: &Value, target: &Target) -> Result<(), Refusal> {
    let system = messages(body).iter().position(|message| is_from(message, "system"));
    if let Some(turn) = system.filter(|_| !target.family.system_role) {
        return Err(Refusal::validation(format!(
            "messages.{turn}.role: Input should be 'user' or 'assistant'"
        )));
    }
    match messages(body).first() {
        Some(first) if is_from(first, "assistant") => Err(Refusal::validation(
            "messages: first message must use the \"user\" role",
        )),
        _ => Ok(()),
    }
}

fn check_texts(body: &Value) -> Result<(), Refusal> {
    for (turn, message) in messages(body).iter().enumerate() {
        let empty = match &message["content"] {
            Value::String(text) => text.is_empty(),
            content => content.as_array().is_none_or(Vec::is_empty),
        };
        if empty {
            return Err(Refusal::validation(format!(
                "messages.{turn}: all messages must have non-empty content except for the optional final assistant message"
            )));
        }
        let texts = blocks(message).iter().filter_map(|block| block.get("text")?.as_str());
        let texts: Vec<&str> = texts.chain(message["content"].as_str()).collect();
        if texts.iter().any(|text| text.is_empty()) {
            return Err(Refusal::validation("messages: text content blocks must be non-empty"));
        }
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(Refusal::validation(
                "messages: text content blocks must contain non-whitespace text",
            ));
        }
    }
    Ok(())
}

/// Each call is answered in the next message, and each result answers a call of the message before.
fn check_calls(body: &Value) -> Result<(), Refusal> {
    let all = messages(body);
    if list(body, "tools").is_empty() && all.iter().any(|message| !ids(message, "tool_use", "id").is_empty()) {
        return Err(Refusal::validation(
            "Requests which include `tool_use` or `tool_result` blocks must define tools",
        ));
    }
    for (turn, message) in all.iter().enumerate() {
        let before = turn.checked_sub(1).and_then(|before| all.get(before));
        let called = before.map(|before| ids(before, "tool_use", "id")).unwrap_or_default();
        let answered = ids(message, "tool_result", "tool_use_id");
        if let Some(missing) = called.iter().find(|id| !answered.contains(id)) {
            return Err(Refusal::validation(format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each \
                 `tool_use` block must have a corresponding `tool_result` block in the next message.",
                turn - 1
            )));
        }
        if let Some(surplus) = answered.iter().find(|id| !called.contains(id)) {
            return Err(Refusal::validation(format!(
                "messages.{turn}: unexpected `tool_use_id` found in `tool_result` blocks: {surplus}. Each `tool_result` \
                 block must have a corresponding `tool_use` block in the previous message."
            )));
        }
    }
    Ok(())
}

fn ids<'a>(message: &'a Value, kind: &str, member: &str) -> Vec<&'a str> {
    let of_kind = blocks(message).iter().filter(|block| block["type"] == kind);
    of_kind.filter_map(|block| block.get(member)?.as_str()).collect()
}
