//! A chat completion's body in Converse's words.

use serde_json::{Map, Value, json};

use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules::list;

/// The members that Converse takes beside its own.
const EXTRA: [&str; 2] = ["parallel_tool_calls", "reasoning_effort"];

/// What a body asks for. Its shape has been checked.
///
/// # Errors
///
/// Arguments that aren't JSON, and media that aren't in the body.
pub(in crate::invoke) fn request(body: &Value, target: &Target) -> Result<Value, Refusal> {
    let mut request = json!({"messages": []});
    let mut conversation = Conversation::default();
    for message in list(body, "messages") {
        conversation.add(message)?;
    }
    request["messages"] = conversation.turns.into();
    if !conversation.system.is_empty() {
        request["system"] = conversation.system.into();
    }
    let config = inference_config(body);
    if !config.is_empty() {
        request["inferenceConfig"] = config.into();
    }
    if let Some(tools) = tool_config(body) {
        request["toolConfig"] = tools;
    }
    // Who can't follow a schema takes it all the same.
    let schema = body.pointer("/response_format/json_schema/schema");
    if let Some(schema) = schema.filter(|_| target.family.structured_output) {
        let structure = json!({"jsonSchema": {"schema": schema.to_string()}});
        request["outputConfig"] = json!({"textFormat": {"type": "json_schema", "structure": structure}});
    }
    let extra: Map<String, Value> = EXTRA
        .iter()
        .filter_map(|name| {
            Some((
                (*name).to_owned(),
                body.get(*name).filter(|value| !value.is_null())?.clone(),
            ))
        })
        .collect();
    if !extra.is_empty() {
        request["additionalModelRequestFields"] = extra.into();
    }
    Ok(request)
}

/// Messages, gathered into turns.
#[derive(Default)]
struct Conversation {
    system: Vec<Value>,
    turns: Vec<Value>,
}

impl Conversation {
    fn add(&mut self, message: &Value) -> Result<(), Refusal> {
        let content = message.get("content").unwrap_or(&Value::Null);
        match message.get("role").and_then(Value::as_str).unwrap_or_default() {
            "system" | "developer" => self.system.extend(blocks(content)?),
            "assistant" => {
                let mut blocks = blocks(content)?;
                // A turn that only calls has an empty text.
                blocks.retain(|block| block.get("text").and_then(Value::as_str) != Some(""));
                for call in list(message, "tool_calls") {
                    blocks.push(tool_use(call)?);
                }
                self.turn("assistant", blocks);
            }
            "tool" => {
                let id = message.get("tool_call_id").cloned().unwrap_or_default();
                let content = match content {
                    Value::String(text) => vec![json!({"text": text})],
                    parts => blocks(parts)?,
                };
                self.turn(
                    "user",
                    vec![json!({"toolResult": {"toolUseId": id, "content": content}})],
                );
            }
            _ => self.turn("user", blocks(content)?),
        }
        Ok(())
    }

    /// Adds to the last turn, if it's of the same role.
    fn turn(&mut self, role: &str, blocks: Vec<Value>) {
        if let Some(last) = self.turns.last_mut().filter(|last| last["role"] == role)
            && let Some(content) = last["content"].as_array_mut()
        {
            content.extend(blocks);
            return;
        }
        self.turns.push(json!({"role": role, "content": blocks}));
    }
}

fn blocks(content: &Value) -> Result<Vec<Value>, Refusal> {
    match content {
        Value::String(text) => Ok(vec![json!({"text": text})]),
        Value::Array(parts) => parts.iter().map(block).collect(),
        _ => Ok(Vec::new()),
    }
}

fn block(part: &Value) -> Result<Value, Refusal> {
    match part.get("type").and_then(Value::as_str).unwrap_or_default() {
        "image_url" => {
            let url = part.pointer("/image_url/url").or(part.get("image_url"));
            let url = url.and_then(Value::as_str).unwrap_or_default();
            let data = url
                .strip_prefix("data:image/")
                .and_then(|rest| rest.split_once(";base64,"));
            let Some((format, bytes)) = data else {
                return Err(Refusal::validation(
                    "Only base64 data URLs are supported for image_url.",
                ));
            };
            Ok(json!({"image": {"format": format, "source": {"bytes": bytes}}}))
        }
        "input_audio" => {
            let audio = part.get("input_audio").unwrap_or(&Value::Null);
            Ok(json!({"audio": {"format": audio["format"], "source": {"bytes": audio["data"]}}}))
        }
        _ => Ok(json!({"text": part.get("text").cloned().unwrap_or_default()})),
    }
}

fn tool_use(call: &Value) -> Result<Value, Refusal> {
    let function = call.get("function").unwrap_or(&Value::Null);
    let arguments = function.get("arguments").and_then(Value::as_str).unwrap_or("{}");
    let input: Value = serde_json::from_str(arguments)
        .map_err(|_| Refusal::validation("The arguments of a tool call are not valid JSON."))?;
    Ok(json!({"toolUse": {"toolUseId": call["id"], "name": function["name"], "input": input}}))
}

fn inference_config(body: &Value) -> Map<String, Value> {
    let mut config = Map::new();
    let stop = match body.get("stop") {
        Some(stop @ Value::String(_)) => Some(json!([stop])),
        other => other.cloned(),
    };
    let given = |name: &str| body.get(name).filter(|value| !value.is_null()).cloned();
    for (name, value) in [
        (
            "maxTokens",
            given("max_completion_tokens").or_else(|| given("max_tokens")),
        ),
        ("temperature", given("temperature")),
        ("topP", given("top_p")),
        ("stopSequences", stop),
    ] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            config.insert(name.to_owned(), value);
        }
    }
    config
}

fn tool_config(body: &Value) -> Option<Value> {
    let tools = list(body, "tools").iter().map(|tool| {
        let function = tool.get("function").unwrap_or(&Value::Null);
        let schema = function.get("parameters").filter(|schema| !schema.is_null());
        let schema = schema.cloned().unwrap_or_else(|| json!({"type": "object"}));
        json!({"toolSpec": {"name": function["name"], "inputSchema": {"json": schema}}})
    });
    let tools: Vec<Value> = tools.collect();
    if tools.is_empty() {
        return None;
    }
    let mut config = json!({"tools": tools});
    let choice = match body.get("tool_choice") {
        Some(Value::String(choice)) if choice == "required" || choice == "any" => Some(json!({"any": {}})),
        Some(Value::Object(choice)) => {
            let name = choice.get("function").and_then(|function| function.get("name"));
            Some(json!({"tool": {"name": name}}))
        }
        _ => None,
    };
    if let Some(choice) = choice {
        config["toolChoice"] = choice;
    }
    Some(config)
}
