//! Tools: what is declared, what was called, and that each call is answered in the next turn.

use serde_json::Value;

use super::{at, blocks, is_from, list, messages, placed, schema};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) fn check(body: &Value, target: &Target, streaming: bool) -> Result<(), Refusal> {
    check_declared(body, target, streaming)?;
    check_own_choice(body, target)?;
    check_blocks(body)?;
    check_answered(body)?;
    if !target.family.mixed_turns {
        check_unmixed(body)?;
    }
    Ok(())
}

fn check_declared(body: &Value, target: &Target, streaming: bool) -> Result<(), Refusal> {
    let Some(config) = at(body, &["toolConfig"]) else {
        let used = placed(body).any(|(_, _, block)| block.get("toolUse").or(block.get("toolResult")).is_some());
        return match used {
            true => Err(Refusal::validation(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            )),
            false => Ok(()),
        };
    };
    if !target.family.tools {
        return Err(Refusal::validation("This model doesn't support tool use."));
    }
    if streaming && !target.family.tool_streaming {
        return Err(Refusal::validation(
            "This model doesn't support tool use in streaming mode.",
        ));
    }
    check_specs(config, target)?;
    check_choice(config, target)
}

fn check_specs(config: &Value, target: &Target) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::new();
    for (index, tool) in list(config, "tools").iter().enumerate() {
        let Some(spec) = at(tool, &["toolSpec"]) else {
            continue;
        };
        let schema_type = at(spec, &["inputSchema", "json", "type"]).and_then(Value::as_str);
        if schema_type != Some("object") {
            return Err(Refusal::validation(format!(
                "The value at toolConfig.tools.{index}.toolSpec.inputSchema.json.type must be one of the following: object."
            )));
        }
        check_strict(spec, index, target)?;
        let name = spec.get("name").and_then(Value::as_str).unwrap_or_default();
        if names.contains(&name) {
            return Err(Refusal::validation(format!(
                "The tool {name} is already defined at toolConfig.tools.{index}."
            )));
        }
        names.push(name);
    }
    Ok(())
}

fn check_strict(spec: &Value, index: usize, target: &Target) -> Result<(), Refusal> {
    let Some(strict) = at(spec, &["strict"]) else {
        return Ok(());
    };
    if !target.family.strict_tools {
        return Err(match target.family.strict_model {
            true => Refusal::by_model(&format!("tools.{index}.custom.strict: Extra inputs are not permitted")),
            false => unsupported(&format!("toolConfig.tools.{index}.toolSpec.strict")),
        });
    }
    let complaint = at(spec, &["inputSchema", "json"]).and_then(schema::complaint);
    match complaint.filter(|_| strict == &Value::Bool(true)) {
        Some(complaint) => Err(Refusal::by_model(&format!("tools.{index}.custom: {complaint}"))),
        None => Ok(()),
    }
}

/// `tool_choice` of Anthropic's own API, beside Converse's.
fn check_own_choice(body: &Value, target: &Target) -> Result<(), Refusal> {
    let Some(choice) =
        at(body, &["additionalModelRequestFields", "tool_choice"]).filter(|_| target.family.strict_model)
    else {
        return Ok(());
    };
    if at(body, &["toolConfig"]).is_none() {
        return Err(Refusal::by_model(
            "tool_choice: tool_choice may only be specified while providing tools.",
        ));
    }
    if choice.get("disable_parallel_tool_use").is_some() && !target.family.parallel_off {
        return Err(Refusal::by_model(
            "tool_choice.disable_parallel_tool_use: Extra inputs are not permitted",
        ));
    }
    let kind = choice.get("type").and_then(Value::as_str);
    match kind.is_some_and(|kind| forces(kind) && !target.family.tool_choices.iter().any(|known| known == kind)) {
        true => Err(unforced()),
        false => Ok(()),
    }
}

fn forces(kind: &str) -> bool {
    ["any", "tool"].contains(&kind)
}

fn unforced() -> Refusal {
    Refusal::by_model("tool_choice: type \"tool\" and \"any\" are not supported for this model.")
}

fn check_choice(config: &Value, target: &Target) -> Result<(), Refusal> {
    let Some(choice) = at(config, &["toolChoice"]).and_then(Value::as_object) else {
        return Ok(());
    };
    for kind in choice.keys() {
        if target.family.tool_choices.contains(kind) {
            continue;
        }
        if target.family.strict_model && forces(kind) {
            return Err(unforced());
        } else {
            return Err(unsupported(&format!("toolConfig.toolChoice.{kind}")));
        }
    }
    let Some(chosen) = choice.get("tool").and_then(|tool| tool.get("name")) else {
        return Ok(());
    };
    let declared = list(config, "tools")
        .iter()
        .filter_map(|tool| at(tool, &["toolSpec", "name"]));
    if declared.into_iter().any(|name| name == chosen) {
        return Ok(());
    }
    let chosen = chosen.as_str().unwrap_or_default();
    Err(Refusal::validation(format!(
        "The tool {chosen} at toolConfig.toolChoice.tool.name is not defined in toolConfig.tools."
    )))
}

fn unsupported(field: &str) -> Refusal {
    Refusal::validation(format!(
        "This model doesn't support the {field} field. Remove {field} and try again."
    ))
}

fn check_blocks(body: &Value) -> Result<(), Refusal> {
    for (place, message, block) in placed(body) {
        for (kind, role) in [("toolUse", "assistant"), ("toolResult", "user")] {
            if block.get(kind).is_some() && !is_from(message, role) {
                return Err(Refusal::validation(format!(
                    "The {kind} block at {place} is only allowed in {role} messages."
                )));
            }
        }
        let input = at(block, &["toolUse", "input"]);
        if block.get("toolUse").is_some() && !input.is_some_and(Value::is_object) {
            return Err(Refusal::validation(format!(
                "The format of the value at {place}.toolUse.input is invalid. Provide a json object for the field and try again."
            )));
        }
        if let Some(json) = list(block.get("toolResult").unwrap_or(&Value::Null), "content")
            .iter()
            .position(|part| part.get("json").is_some_and(|json| !json.is_object()))
        {
            return Err(Refusal::validation(format!(
                "The format of the value at {place}.toolResult.content.{json}.json is invalid. Provide a json object for the field and try again."
            )));
        }
    }
    Ok(())
}

/// Each turn's results answer exactly the calls of the turn before.
fn check_answered(body: &Value) -> Result<(), Refusal> {
    let mut called: Vec<&str> = Vec::new();
    for (turn, message) in messages(body).iter().enumerate() {
        if is_from(message, "system") {
            continue;
        }
        let place = format!("messages.{turn}.content");
        let answered = ids(message, "toolResult");
        unique(&answered, "toolResult", &place)?;
        if answered.len() > called.len() {
            return Err(Refusal::validation(format!(
                "The number of toolResult blocks at {place} exceeds the number of toolUse blocks of previous turn."
            )));
        }
        let missing: Vec<&str> = called.iter().copied().filter(|id| !answered.contains(id)).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Refusal::validation(format!(
                "Expected toolResult blocks at {place} for the following Ids: {missing}"
            )));
        }
        called = ids(message, "toolUse");
        unique(&called, "toolUse", &place)?;
    }
    Ok(())
}

/// The ids of a message's calls or results; a call that the server answers itself needs no one else.
fn ids<'a>(message: &'a Value, kind: &str) -> Vec<&'a str> {
    let of_kind = blocks(message).iter().filter_map(|block| block.get(kind));
    let ours = of_kind.filter(|block| block.get("type").is_none_or(Value::is_null));
    ours.filter_map(|block| block.get("toolUseId"))
        .filter_map(Value::as_str)
        .collect()
}

fn unique(ids: &[&str], kind: &str, place: &str) -> Result<(), Refusal> {
    let twice = ids.iter().enumerate().find(|(index, id)| ids[..*index].contains(id));
    match twice {
        Some((_, id)) => Err(Refusal::validation(format!(
            "The {kind} blocks at {place} contain duplicate Ids: {id}"
        ))),
        None => Ok(()),
    }
}

fn check_unmixed(body: &Value) -> Result<(), Refusal> {
    for (turn, message) in messages(body).iter().enumerate() {
        let holds = |kind: &str| blocks(message).iter().any(|block| block.get(kind).is_some());
        for (tool, name) in [("toolUse", "tool use"), ("toolResult", "tool result")] {
            if holds(tool) && (holds("text") || holds("image")) {
                return Err(Refusal::validation(format!(
                    "messages.{turn}.content: Conversation blocks and {name} blocks cannot be provided in the same turn."
                )));
            }
        }
    }
    Ok(())
}
