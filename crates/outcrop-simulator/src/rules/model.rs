//! What one model takes and another refuses: sampling, stop sequences, system prompts, caching, structured output.

use serde_json::Value;

use super::{at, list};
use crate::models::{ExtraFields, Family, Sampling, Target};
use crate::refusal::Refusal;

/// The fields of Anthropic's own API that Claude takes beside Converse's.
const CLAUDE_FIELDS: [&str; 14] = [
    "anthropic_beta",
    "context_management",
    "effort",
    "inferenceConfig",
    "mcp_servers",
    "metadata",
    "output_config",
    "output_format",
    "reasoning_config",
    "temperature",
    "thinking",
    "tool_choice",
    "top_k",
    "top_p",
];

pub(super) fn check(body: &Value, target: &Target) -> Result<(), Refusal> {
    let family = target.family;
    if !family.system && !list(body, "system").is_empty() {
        return Err(Refusal::validation(
            "This model doesn't support system messages. Try again without a system message or use a model that \
             supports system messages.",
        ));
    }
    check_max_tokens(body, target)?;
    check_sampling(body, family)?;
    check_stop_sequences(body, family)?;
    check_extra_fields(body, family)?;
    check_output_format(body, family)
}

fn check_max_tokens(body: &Value, target: &Target) -> Result<(), Refusal> {
    let limit = target.model.max_tokens;
    let asked = at(body, &["inferenceConfig", "maxTokens"]).and_then(Value::as_u64);
    if asked.is_some_and(|asked| asked > limit) {
        return Err(Refusal::validation(format!(
            "The maximum tokens you requested exceeds the model limit of {limit}. Try again with a maximum tokens \
             value that is lower than {limit}."
        )));
    }
    Ok(())
}

fn check_sampling(body: &Value, family: &Family) -> Result<(), Refusal> {
    let config = |name| at(body, &["inferenceConfig", name]).is_some();
    let extra = |name| at(body, &["additionalModelRequestFields", name]).is_some();
    let given = [
        ("temperature", config("temperature") || extra("temperature")),
        ("top_p", config("topP") || extra("top_p")),
        ("top_k", extra("top_k")),
    ];
    match family.sampling {
        Sampling::None => match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Refusal::by_model(&format!("`{name}` is deprecated for this model."))),
            None => Ok(()),
        },
        Sampling::One if given[0].1 && given[1].1 => Err(Refusal::by_model(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        )),
        _ => Ok(()),
    }
}

fn check_stop_sequences(body: &Value, family: &Family) -> Result<(), Refusal> {
    let config = body.get("inferenceConfig").unwrap_or(&Value::Null);
    let given = list(config, "stopSequences");
    if given.is_empty() {
        return Ok(());
    }
    let limit = family.stop_sequences;
    if limit == 0 {
        return Err(Refusal::validation(
            "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
        ));
    }
    if given.len() > limit {
        return Err(Refusal::validation(format!(
            "The number of stop sequences exceeds the model limit of {limit}. Try again with at most {limit} stop sequences."
        )));
    }
    let blank = given
        .iter()
        .filter_map(Value::as_str)
        .any(|sequence| sequence.trim().is_empty());
    if family.strict_model && blank {
        return Err(Refusal::by_model(
            "stop_sequences: each stop sequence must contain non-whitespace",
        ));
    }
    Ok(())
}

fn check_extra_fields(body: &Value, family: &Family) -> Result<(), Refusal> {
    let Some(extra) = at(body, &["additionalModelRequestFields"]) else {
        return Ok(());
    };
    let Some(fields) = extra.as_object() else {
        return Err(Refusal::validation(
            "The format of the additionalModelRequestFields field is invalid. Provide a json object for the field and try again.",
        ));
    };
    let unknown = match family.extra_fields {
        ExtraFields::Any => None,
        ExtraFields::Claude => fields.keys().find(|name| !CLAUDE_FIELDS.contains(&name.as_str())),
        ExtraFields::Unknown => fields.keys().next(),
        ExtraFields::None if fields.is_empty() => None,
        ExtraFields::None => {
            return Err(Refusal::validation(
                "This model doesn't support the additionalModelRequestFields that you provided.",
            ));
        }
    };
    match unknown {
        Some(name) => Err(Refusal::by_model(&format!("{name}: Extra inputs are not permitted"))),
        None => Ok(()),
    }
}

fn check_output_format(body: &Value, family: &Family) -> Result<(), Refusal> {
    let Some(format) = at(body, &["outputConfig", "textFormat"]) else {
        return Ok(());
    };
    if !family.structured_output {
        return Err(Refusal::validation(
            "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again.",
        ));
    }
    let schema = at(format, &["structure", "jsonSchema", "schema"])
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Ok(schema) = serde_json::from_str::<Value>(schema) else {
        return Err(Refusal::validation(
            "The value at outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON.",
        ));
    };
    if family.strict_model && has_open_object(&schema) {
        return Err(Refusal::by_model(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ));
    }
    Ok(())
}

fn has_open_object(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let is_object = fields.get("type").and_then(Value::as_str) == Some("object");
            (is_object && fields.get("additionalProperties") != Some(&Value::Bool(false)))
                || fields.values().any(has_open_object)
        }
        Value::Array(items) => items.iter().any(has_open_object),
        _ => false,
    }
}
