//! What one model takes and another refuses: sampling, stop sequences, system prompts, caching, structured output.

use serde_json::{Map, Value};

use super::{at, effort, list, schema};
use crate::models::{ExtraFields, Family, Reasoning, Sampling, Target};
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

/// How the names of betas begin that Bedrock lets pass.
const BETAS: [&str; 10] = [
    "computer-use-",
    "context-1m-",
    "context-management-",
    "effort-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "output-128k-",
    "structured-outputs-",
    "token-efficient-tools-",
    "tool-",
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
    check_conflicts(body)?;
    check_betas(body, family)?;
    check_settings(body, target)?;
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
    if family.extra_fields == ExtraFields::Nova {
        return check_nova_fields(fields, family);
    }
    let unknown = match family.extra_fields {
        ExtraFields::Any | ExtraFields::Nova => None,
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

fn check_nova_fields(fields: &Map<String, Value>, family: &Family) -> Result<(), Refusal> {
    let extraneous = |place: &str, name: &str| {
        Refusal::by_model(&format!(
            "Malformed input request: {place}: extraneous key [{name}] is not permitted, please reformat your input \
             and try again."
        ))
    };
    for (name, value) in fields {
        match name.as_str() {
            "reasoningConfig" if family.reasoning != Reasoning::Nova => return Err(effort::invalid_config()),
            "reasoningConfig" => {}
            "inferenceConfig" => {
                let mut names = value.as_object().into_iter().flat_map(Map::keys);
                if let Some(name) = names.find(|name| *name != "topK") {
                    return Err(extraneous("#/inferenceConfig", name));
                }
            }
            name => return Err(extraneous("#", name)),
        }
    }
    Ok(())
}

/// What is given both in Converse's own field and in the model's.
fn check_conflicts(body: &Value) -> Result<(), Refusal> {
    let extra = |path: &[&str]| {
        at(body, &["additionalModelRequestFields"])
            .and_then(|extra| at(extra, path))
            .is_some()
    };
    let both = [
        (
            "temperature",
            extra(&["temperature"]),
            at(body, &["inferenceConfig", "temperature"]),
        ),
        ("top_p", extra(&["top_p"]), at(body, &["inferenceConfig", "topP"])),
        (
            "tool_choice",
            extra(&["tool_choice", "type"]),
            at(body, &["toolConfig", "toolChoice"]),
        ),
    ];
    match both.iter().find(|(_, extra, own)| *extra && own.is_some()) {
        Some((name, ..)) => Err(conflict(name)),
        None => Ok(()),
    }
}

pub(super) fn conflict(name: &str) -> Refusal {
    Refusal::validation(format!("The additional field {name} conflicts with an existing field."))
}

/// The betas of Anthropic's own API that a request asks for.
pub(super) fn betas(body: &Value) -> impl Iterator<Item = &str> {
    let given = at(body, &["additionalModelRequestFields", "anthropic_beta"]);
    given
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn check_betas(body: &Value, family: &Family) -> Result<(), Refusal> {
    let given = at(body, &["additionalModelRequestFields", "anthropic_beta"]).filter(|_| family.strict_model);
    if given.is_some_and(|given| !given.is_array()) {
        return Err(Refusal::by_model("anthropic_beta: Input should be a valid list"));
    }
    let known = |beta: &str| BETAS.iter().any(|known| beta.starts_with(known));
    match family.strict_model && !betas(body).all(known) {
        true => Err(Refusal::by_model("invalid beta flag")),
        false => Ok(()),
    }
}

fn check_settings(body: &Value, target: &Target) -> Result<(), Refusal> {
    let latency = at(body, &["performanceConfig", "latency"]).and_then(Value::as_str);
    if latency == Some("optimized") && !target.model.latency_optimized {
        return Err(Refusal::validation(format!(
            "Latency performance configuration is not supported for {}.",
            target.model.id
        )));
    }
    if at(body, &["promptVariables"]).is_some() {
        return Err(Refusal::validation(
            "The promptVariables field can only be used with a prompt ARN. Remove promptVariables and try again.",
        ));
    }
    let paths = list(body, "additionalModelResponseFieldPaths")
        .iter()
        .filter_map(Value::as_str);
    for path in paths {
        let escapes_right = path.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if !path.starts_with('/') || !escapes_right {
            return Err(Refusal::validation(format!(
                "The JSON Pointer {path} in additionalModelResponseFieldPaths is invalid. Correct it and try again."
            )));
        }
    }
    Ok(())
}

fn check_output_format(body: &Value, family: &Family) -> Result<(), Refusal> {
    let own = at(body, &["additionalModelRequestFields", "output_config", "format"]).filter(|_| family.strict_model);
    let converse = at(body, &["outputConfig", "textFormat"]);
    if own.is_none() && converse.is_none() {
        return Ok(());
    }
    if own.is_some() && converse.is_some() {
        return Err(conflict("output_config"));
    }
    if !family.structured_output && family.strict_model {
        return Err(Refusal::by_model(
            "output_config.format: Extra inputs are not permitted",
        ));
    }
    if !family.structured_output {
        return Err(Refusal::validation(
            "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again.",
        ));
    }
    let schema = match converse.and_then(|format| at(format, &["structure", "jsonSchema", "schema"])) {
        Some(schema) => serde_json::from_str(schema.as_str().unwrap_or_default()).map_err(|_| {
            Refusal::validation("The value at outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON.")
        })?,
        None => own
            .and_then(|format| at(format, &["schema"]))
            .cloned()
            .unwrap_or_default(),
    };
    match schema::complaint(&schema).filter(|_| family.strict_model) {
        Some(complaint) => Err(Refusal::by_model(&format!("output_config.format.schema: {complaint}"))),
        None => Ok(()),
    }
}
