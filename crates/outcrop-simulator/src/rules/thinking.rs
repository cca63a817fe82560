//! Claude's `thinking`: which shapes a generation takes, and what can't go with it.

use serde_json::Value;

use super::at;
use crate::models::{Target, Thinking};
use crate::refusal::Refusal;

const MIN_BUDGET: u64 = 1024;

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    if !target.family.strict_model {
        return Ok(());
    }
    let extra = body.get("additionalModelRequestFields").unwrap_or(&Value::Null);
    let Some(thinking) = at(extra, &["thinking"]).or(at(extra, &["reasoning_config"])) else {
        return Ok(());
    };
    let kind = thinking.get("type").and_then(Value::as_str).unwrap_or_default();
    let takes = match target.family.thinking {
        Thinking::None => kind == "disabled",
        Thinking::Budget => matches!(kind, "enabled" | "disabled"),
        Thinking::Both => matches!(kind, "enabled" | "disabled" | "adaptive"),
        Thinking::Adaptive => matches!(kind, "disabled" | "adaptive"),
        Thinking::Always => kind == "adaptive",
    };
    if !takes {
        return Err(Refusal::by_model(&format!(
            "thinking.type: \"{kind}\" is not supported for this model."
        )));
    }
    match kind {
        "enabled" => check_budget(body, thinking),
        _ => Ok(()),
    }
}

fn check_budget(body: &Value, thinking: &Value) -> Result<(), Refusal> {
    let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) else {
        return Err(Refusal::by_model("thinking.enabled.budget_tokens: Field required"));
    };
    if budget < MIN_BUDGET {
        return Err(Refusal::by_model(&format!(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_BUDGET}"
        )));
    }
    let max_tokens = at(body, &["inferenceConfig", "maxTokens"]).and_then(Value::as_u64);
    if max_tokens.is_some_and(|max_tokens| budget >= max_tokens) {
        return Err(Refusal::by_model(
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ));
    }
    let number = |name| at(body, &["inferenceConfig", name]).and_then(Value::as_f64);
    if number("temperature").is_some_and(|temperature| temperature != 1.0) {
        return Err(Refusal::by_model(
            "`temperature` may only be set to 1 when thinking is enabled.",
        ));
    }
    if number("topP").is_some_and(|top_p| top_p < 0.95) {
        return Err(Refusal::by_model(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if at(body, &["additionalModelRequestFields", "top_k"]).is_some() {
        return Err(Refusal::by_model("`top_k` must be unset when thinking is enabled."));
    }
    let choice = at(body, &["toolConfig", "toolChoice"]);
    if choice.is_some_and(|choice| choice.get("auto").is_none()) {
        return Err(Refusal::by_model(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    Ok(())
}
