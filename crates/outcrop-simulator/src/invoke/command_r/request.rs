//! A body in Converse's words.

use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::rules::list;

pub(super) fn request(body: &Value) -> Result<Value, Refusal> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let results = list(body, "tool_results");
    if !results.is_empty() && given("tools").is_none() {
        return Err(Refusal::validation(
            "invalid request: tool_results can only be used with tools.",
        ));
    }
    let message = given("message").and_then(Value::as_str).unwrap_or_default();
    if message.is_empty() && results.is_empty() {
        return Err(Refusal::validation(
            "invalid request: message must be at least 1 token long or tool results must be specified.",
        ));
    }
    let mut turns = Vec::new();
    for message in list(body, "chat_history") {
        let role = if message["role"] == "USER" { "user" } else { "assistant" };
        turn(&mut turns, role, vec![json!({"text": message["message"]})]);
    }
    if !message.is_empty() {
        turn(&mut turns, "user", vec![json!({"text": message})]);
    }
    if !results.is_empty() {
        turn(&mut turns, "assistant", results.iter().enumerate().map(call).collect());
        turn(&mut turns, "user", results.iter().enumerate().map(result).collect());
    }
    let mut request = json!({"messages": turns});
    if let Some(preamble) = given("preamble").filter(|preamble| *preamble != "") {
        request["system"] = json!([{"text": preamble}]);
    }
    let names = [
        ("maxTokens", "max_tokens"),
        ("temperature", "temperature"),
        ("topP", "p"),
        ("stopSequences", "stop_sequences"),
    ];
    let config: Map<String, Value> = names
        .iter()
        .filter_map(|(name, own)| Some(((*name).to_owned(), given(own)?.clone())))
        .collect();
    request["inferenceConfig"] = config.into();
    let tools: Vec<Value> = list(body, "tools").iter().map(tool).collect();
    if !tools.is_empty() {
        request["toolConfig"] = json!({"tools": tools});
    }
    Ok(request)
}

/// Adds to the last turn, if it's of the same role.
fn turn(turns: &mut Vec<Value>, role: &str, blocks: Vec<Value>) {
    match turns.last_mut().filter(|last| last["role"] == role) {
        Some(last) => {
            if let Some(content) = last["content"].as_array_mut() {
                content.extend(blocks);
            }
        }
        None => turns.push(json!({"role": role, "content": blocks})),
    }
}

fn call((index, result): (usize, &Value)) -> Value {
    let call = &result["call"];
    json!({"toolUse": {"toolUseId": format!("call_{index}"), "name": call["name"], "input": call["parameters"]}})
}

fn result((index, result): (usize, &Value)) -> Value {
    // A result that is a text alone is a text.
    let outputs = list(result, "outputs").iter().map(|output| match output.as_object() {
        Some(fields) if fields.len() == 1 && output["text"].is_string() => json!({"text": output["text"]}),
        _ => json!({"json": output}),
    });
    json!({"toolResult": {"toolUseId": format!("call_{index}"), "content": outputs.collect::<Vec<_>>()}})
}

fn tool(tool: &Value) -> Value {
    let definitions = tool.get("parameter_definitions").and_then(Value::as_object);
    let definitions = definitions.cloned().unwrap_or_default();
    let required: Vec<&String> = definitions
        .iter()
        .filter(|(_, parameter)| parameter["required"] == true)
        .map(|(name, _)| name)
        .collect();
    let properties: Map<String, Value> = definitions
        .iter()
        .map(|(name, parameter)| (name.clone(), json!({"type": json_type(parameter)})))
        .collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    json!({"toolSpec": {"name": tool["name"], "inputSchema": {"json": schema}}})
}

/// Cohere's types are Python's.
fn json_type(parameter: &Value) -> &'static str {
    let name = parameter["type"].as_str().unwrap_or_default().to_ascii_lowercase();
    match name.split('[').next().unwrap_or_default() {
        "int" | "integer" => "integer",
        "float" | "number" => "number",
        "bool" | "boolean" => "boolean",
        "list" | "array" => "array",
        "dict" | "object" => "object",
        _ => "string",
    }
}
