//! How much a model may reason: Claude's `effort`, Nova's `reasoningConfig`, `reasoning_effort` of gpt-oss.

use serde_json::Value;

use super::{at, model, thinking};
use crate::models::{Reasoning, Target, Thinking};
use crate::refusal::Refusal;

const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];
const BETA: &str = "effort-2025-11-24";

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    let extra = |name| at(body, &["additionalModelRequestFields", name]);
    let converse = at(body, &["outputConfig", "effort"]);
    let own = extra("output_config").and_then(|config| at(config, &["effort"]));
    if !target.family.strict_model {
        if converse.is_some() {
            return Err(Refusal::validation(
                "This model doesn't support the outputConfig.effort field. Remove outputConfig.effort and try again.",
            ));
        }
        return match target.family.reasoning {
            Reasoning::Nova => extra("reasoningConfig").map_or(Ok(()), |config| check_nova(body, config)),
            Reasoning::Effort => extra("reasoning_effort").map_or(Ok(()), check_gpt_oss),
            _ => Ok(()),
        };
    }
    if converse.is_some() && own.is_some() {
        return Err(model::conflict("output_config"));
    }
    match converse.or(own) {
        Some(effort) => check_claude(body, effort, target),
        None => Ok(()),
    }
}

fn check_claude(body: &Value, effort: &Value, target: &Target) -> Result<(), Refusal> {
    let family = target.family;
    if family.efforts.is_empty() {
        return Err(Refusal::by_model("This model does not support the effort parameter."));
    }
    if family.effort_beta && !model::betas(body).any(|beta| beta == BETA) {
        return Err(Refusal::by_model("output_config: Extra inputs are not permitted"));
    }
    let effort = effort.as_str().unwrap_or_default();
    if !EFFORTS.contains(&effort) {
        return Err(Refusal::by_model(
            "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
        ));
    }
    if !family.efforts.iter().any(|known| known == effort) {
        return Err(Refusal::by_model(&format!(
            "This model does not support effort level '{effort}'. Supported levels: {}.",
            family.efforts.join(", ")
        )));
    }
    let off = thinking::Wanted::of(body).kind == Some("disabled");
    if off && family.thinking == Thinking::On && ["xhigh", "max"].contains(&effort) {
        return Err(Refusal::by_model(&format!(
            "\"thinking.type.disabled\" is not supported with effort level '{effort}'."
        )));
    }
    Ok(())
}

fn check_nova(body: &Value, config: &Value) -> Result<(), Refusal> {
    let text = |name: &str| config.get(name).and_then(Value::as_str);
    let effort = text("maxReasoningEffort");
    let right = match text("type") {
        Some("enabled") => effort.is_some_and(|effort| ["low", "medium", "high"].contains(&effort)),
        Some("disabled") => effort.is_none(),
        _ => false,
    };
    if !right {
        return Err(invalid_config());
    }
    if effort == Some("high") {
        let given = ["temperature", "topP", "maxTokens"];
        let given = given.iter().find(|name| at(body, &["inferenceConfig", name]).is_some());
        if let Some(name) = given {
            return Err(Refusal::by_model(&format!(
                "Malformed input request: {name} must be unset when maxReasoningEffort is high, please reformat your \
                 input and try again."
            )));
        }
    }
    Ok(())
}

/// How Nova refuses a `reasoningConfig`.
pub(super) fn invalid_config() -> Refusal {
    Refusal::by_model(
        "Malformed input request: the provided reasoning config value is invalid, please reformat your input and try \
         again.",
    )
}

fn check_gpt_oss(effort: &Value) -> Result<(), Refusal> {
    match effort.as_str() {
        Some("low" | "medium" | "high") => Ok(()),
        _ => Err(Refusal::by_model(
            "reasoning_effort: Input should be 'low', 'medium' or 'high'",
        )),
    }
}
