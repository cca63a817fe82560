//! Earlier reasoning: who takes it back. Claude's comes back signed, as it was, and before the calls it led to.

use serde_json::Value;

use super::{at, blocks, is_from, messages, placed};
use crate::models::{Reasoning, Target, Thinking};
use crate::refusal::Refusal;
use crate::signature;

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    check_taken(body, target)?;
    if !target.family.strict_model {
        return Ok(());
    }
    for (place, _, block) in placed(body) {
        if let Some(reasoning) = at(block, &["reasoningContent", "reasoningText"]) {
            check_signature(reasoning, &place)?;
        }
        let redacted = at(block, &["reasoningContent", "redactedContent"]).and_then(Value::as_str);
        if redacted.is_some_and(|content| !signature::is_redacted(content)) {
            return Err(Refusal::by_model(&format!(
                "{place}: Invalid `data` in `redacted_thinking` block"
            )));
        }
    }
    let kind = at(body, &["additionalModelRequestFields", "thinking", "type"]);
    match kind.and_then(Value::as_str) {
        Some("enabled") => check_begins_with_reasoning(body),
        _ => Ok(()),
    }
}

/// Who reasons takes reasoning back, but for DeepSeek R1.
fn check_taken(body: &Value, target: &Target) -> Result<(), Refusal> {
    let family = target.family;
    let reasons = match family.strict_model {
        true => family.thinking != Thinking::None,
        false => family.reasoning != Reasoning::None,
    };
    for (_, message, _) in placed(body).filter(|(_, _, block)| block.get("reasoningContent").is_some()) {
        if is_from(message, "user") || family.reasoning == Reasoning::Always {
            return Err(Refusal::validation(
                "User messages cannot contain reasoning content. Please remove the reasoning content and try again.",
            ));
        }
        if !reasons {
            return Err(super::media::unsupported("reasoningContent"));
        }
    }
    Ok(())
}

fn check_signature(reasoning: &Value, place: &str) -> Result<(), Refusal> {
    let text = reasoning.get("text").and_then(Value::as_str).unwrap_or_default();
    match reasoning.get("signature").and_then(Value::as_str) {
        Some(signature) if signature::fits(signature, text) => Ok(()),
        Some(_) => Err(Refusal::by_model(&format!(
            "{place}: Invalid `signature` in `thinking` block"
        ))),
        None => Err(Refusal::by_model(&format!(
            "{place}.thinking.signature: Field required"
        ))),
    }
}

/// While a call is being answered, the turn that made it must begin with its reasoning.
fn check_begins_with_reasoning(body: &Value) -> Result<(), Refusal> {
    let Some((last, earlier)) = messages(body).split_last() else {
        return Ok(());
    };
    let answers = blocks(last).iter().any(|block| block.get("toolResult").is_some());
    let asking = earlier
        .iter()
        .enumerate()
        .rfind(|(_, message)| is_from(message, "assistant"));
    let (true, Some((turn, message))) = (answers, asking) else {
        return Ok(());
    };
    let first = blocks(message)
        .first()
        .and_then(Value::as_object)
        .and_then(|block| block.keys().next());
    match first.map(String::as_str) {
        None | Some("reasoningContent") => Ok(()),
        Some(other) => {
            let found = if other == "toolUse" { "tool_use" } else { other };
            Err(Refusal::by_model(&format!(
                "messages.{turn}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When \
                 `thinking` is enabled, a final `assistant` message must start with a thinking block."
            )))
        }
    }
}
