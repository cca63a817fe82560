//! Claude's `thinking`: which shapes a generation takes, and what can't go with it.

use serde_json::Value;

use super::at;
use crate::models::{Target, Thinking};
use crate::refusal::Refusal;

const MIN_BUDGET: u64 = 1024;
const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";

/// The kinds of `thinking.type`.
const KINDS: [&str; 3] = ["enabled", "disabled", "adaptive"];
const DISPLAYS: [&str; 2] = ["summarized", "omitted"];

/// How a request wants Claude to think.
pub(crate) struct Wanted<'a> {
    /// `enabled`, `disabled` or `adaptive`, if it says.
    pub(crate) kind: Option<&'a str>,
    /// `summarized` or `omitted`, if it says.
    pub(crate) display: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn of(body: &'a Value) -> Wanted<'a> {
        let thinking = field(body).unwrap_or(&Value::Null);
        let text = |name: &str| thinking.get(name).and_then(Value::as_str);
        Wanted {
            kind: text("type"),
            display: text("display"),
        }
    }
}

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    let Some(thinking) = field(body).filter(|_| target.family.strict_model) else {
        return Ok(());
    };
    let wanted = Wanted::of(body);
    let kind = wanted.kind.unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Err(Refusal::by_model(
            "thinking: Input tag found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', \
             'enabled'",
        ));
    }
    if wanted.display.is_some_and(|display| !DISPLAYS.contains(&display)) {
        return Err(Refusal::by_model(&format!(
            "thinking.{kind}.display: Input should be 'summarized' or 'omitted'"
        )));
    }
    check_kind(kind, target)?;
    match kind {
        "enabled" => {
            check_budget(body, thinking)?;
            check_company(body)
        }
        "adaptive" if target.family.thinking == Thinking::Both => check_company(body),
        _ => Ok(()),
    }
}

fn field(body: &Value) -> Option<&Value> {
    let extra = body.get("additionalModelRequestFields")?;
    at(extra, &["thinking"]).or(at(extra, &["reasoning_config"]))
}

fn check_kind(kind: &str, target: &Target) -> Result<(), Refusal> {
    let takes = match target.family.thinking {
        Thinking::None => kind == "disabled",
        Thinking::Budget => kind != "adaptive",
        Thinking::Both => true,
        Thinking::Adaptive | Thinking::On => kind != "enabled",
        Thinking::Always => kind == "adaptive",
    };
    if takes {
        return Ok(());
    }
    let instead = match (kind, target.family.thinking) {
        ("enabled", Thinking::Adaptive | Thinking::On | Thinking::Always) => {
            " Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior."
        }
        _ => "",
    };
    Err(Refusal::by_model(&format!(
        "\"thinking.type.{kind}\" is not supported for this model.{instead}"
    )))
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
    // Between calls, a model may think more than it may answer at once.
    if max_tokens.is_some_and(|max_tokens| budget >= max_tokens)
        && !super::model::betas(body).any(|beta| beta == INTERLEAVED)
    {
        return Err(Refusal::by_model(
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ));
    }
    Ok(())
}

/// What can't go with thinking.
fn check_company(body: &Value) -> Result<(), Refusal> {
    let extra = |name| at(body, &["additionalModelRequestFields", name]);
    let number = |name, own| {
        at(body, &["inferenceConfig", name])
            .or(extra(own))
            .and_then(Value::as_f64)
    };
    if number("temperature", "temperature").is_some_and(|temperature| temperature != 1.0) {
        return Err(Refusal::by_model(
            "`temperature` may only be set to 1 when thinking is enabled.",
        ));
    }
    if number("topP", "top_p").is_some_and(|top_p| top_p < 0.95) {
        return Err(Refusal::by_model(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if extra("top_k").is_some() {
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
