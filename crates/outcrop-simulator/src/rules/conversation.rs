//! How a conversation must run: who speaks first, in turns, and never says nothing.

use serde_json::Value;

use super::{at, blocks, is_from, list, media, messages, placed};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    if at(body, &["messages"]).is_none() {
        let violation = "Value null at 'messages' failed to satisfy constraint: Member must not be null";
        return Err(Refusal::constraints(&[violation.to_owned()]));
    }
    check_turns(body, target)?;
    check_kinds(body, target)?;
    check_texts(body)?;
    check_end(body, target)
}

fn check_turns(body: &Value, target: &Target) -> Result<(), Refusal> {
    let from_system = |message: &&Value| is_from(message, "system");
    if !target.family.system_role && messages(body).iter().any(|message| from_system(&message)) {
        let message = "This model doesn't support the system role in messages. Use the system field and try again.";
        return Err(Refusal::validation(message));
    }
    // Instructions in mid-conversation are nobody's turn.
    let turns: Vec<&Value> = messages(body).iter().filter(|message| !from_system(message)).collect();
    if !turns.first().is_some_and(|message| is_from(message, "user")) {
        return Err(Refusal::validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    if turns.windows(2).any(|pair| pair[0].get("role") == pair[1].get("role")) {
        return Err(Refusal::validation(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates \
             between user and assistant roles and try again.",
        ));
    }
    Ok(())
}

/// Blocks that only Claude has, some of them in some turns only.
fn check_kinds(body: &Value, target: &Target) -> Result<(), Refusal> {
    let roles = [
        ("searchResult", "user"),
        ("citationsContent", "assistant"),
        ("toolAddition", "system"),
        ("toolRemoval", "system"),
    ];
    for (place, message, block) in placed(body) {
        for (kind, role) in roles.iter().filter(|(kind, _)| block.get(*kind).is_some()) {
            if !target.family.strict_model {
                return Err(media::unsupported(kind));
            }
            if !is_from(message, role) {
                return Err(Refusal::validation(format!(
                    "The {kind} block at {place} is only allowed in {role} messages."
                )));
            }
        }
    }
    Ok(())
}

fn check_texts(body: &Value) -> Result<(), Refusal> {
    for (turn, message) in messages(body).iter().enumerate() {
        if blocks(message).is_empty() {
            return Err(Refusal::validation(format!(
                "The content field in the Message object at messages.{turn} is empty. Add a ContentBlock object to \
                 the content field and try again."
            )));
        }
        for (index, block) in blocks(message).iter().enumerate() {
            not_blank(block, "ContentBlock", &format!("messages.{turn}.content.{index}"))?;
        }
    }
    for (index, block) in list(body, "system").iter().enumerate() {
        not_blank(block, "SystemContentBlock", &format!("system.{index}"))?;
    }
    Ok(())
}

fn not_blank(block: &Value, kind: &str, place: &str) -> Result<(), Refusal> {
    match block.get("text").and_then(Value::as_str) {
        Some(text) if text.trim().is_empty() => Err(Refusal::validation(format!(
            "The text field in the {kind} object at {place} is blank. Add text to the text field, and try again."
        ))),
        _ => Ok(()),
    }
}

/// A conversation that ends with an assistant turn asks for its continuation, which few models still take.
fn check_end(body: &Value, target: &Target) -> Result<(), Refusal> {
    let Some(last) = messages(body).last().filter(|message| is_from(message, "assistant")) else {
        return Ok(());
    };
    if target.family.prefill {
        let text = blocks(last)
            .last()
            .and_then(|block| block.get("text"))
            .and_then(Value::as_str);
        return match text {
            Some(text) if text.ends_with(char::is_whitespace) => Err(Refusal::by_model(
                "messages: final assistant content cannot end with trailing whitespace",
            )),
            _ => Ok(()),
        };
    }
    if target.family.strict_model {
        return Err(Refusal::by_model(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    Err(Refusal::validation(
        "A conversation must end with a user message. Try again with a conversation that ends with a user message.",
    ))
}
