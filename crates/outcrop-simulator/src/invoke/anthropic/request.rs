//! A body in Converse's words.

use serde_json::{Map, Value, json};

use crate::rules::{list, messages};

/// The members that Converse takes beside its own.
const EXTRA: [&str; 8] = [
    "anthropic_beta",
    "context_management",
    "mcp_servers",
    "metadata",
    "output_config",
    "output_format",
    "thinking",
    "top_k",
];

/// What a body asks for. Its shape and its order have been checked.
pub(super) fn request(body: &Value) -> Value {
    let mut documents = 0;
    let mut turns: Vec<Value> = Vec::new();
    for message in messages(body) {
        let blocks = blocks(&message["content"], &mut documents);
        // Turns of one role that follow one another are one.
        match turns.last_mut().filter(|last| last["role"] == message["role"]) {
            Some(last) => {
                if let Some(content) = last["content"].as_array_mut() {
                    content.extend(blocks);
                }
            }
            None => turns.push(json!({"role": message["role"], "content": blocks})),
        }
    }
    let mut request = json!({"messages": turns, "inferenceConfig": inference_config(body)});
    let system = blocks(&body["system"], &mut documents);
    if !system.is_empty() {
        request["system"] = system.into();
    }
    if let Some(config) = tool_config(body) {
        request["toolConfig"] = config;
    }
    let extra = extra_fields(body);
    if !extra.is_empty() {
        request["additionalModelRequestFields"] = extra.into();
    }
    request
}

fn inference_config(body: &Value) -> Map<String, Value> {
    let names = [
        ("maxTokens", "max_tokens"),
        ("temperature", "temperature"),
        ("topP", "top_p"),
        ("stopSequences", "stop_sequences"),
    ];
    let given = |own: &str| body.get(own).filter(|value| !value.is_null()).cloned();
    let given = names
        .iter()
        .filter_map(|(name, own)| Some(((*name).to_owned(), given(own)?)));
    given.collect()
}

fn tool_config(body: &Value) -> Option<Value> {
    let mut tools = Vec::new();
    for tool in list(body, "tools") {
        let mut spec = json!({"name": tool["name"], "inputSchema": {"json": tool["input_schema"]}});
        for name in ["description", "strict"] {
            if let Some(value) = tool.get(name).filter(|value| !value.is_null()) {
                spec[name] = value.clone();
            }
        }
        tools.push(json!({"toolSpec": spec}));
        tools.extend(cache_point(tool));
    }
    if tools.is_empty() {
        return None;
    }
    let mut config = json!({"tools": tools});
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    match choice["type"].as_str() {
        Some("tool") => config["toolChoice"] = json!({"tool": {"name": choice["name"]}}),
        Some("any") => config["toolChoice"] = json!({"any": {}}),
        Some("auto") => config["toolChoice"] = json!({"auto": {}}),
        _ => {}
    }
    Some(config)
}

fn extra_fields(body: &Value) -> Map<String, Value> {
    let given = EXTRA.iter().filter_map(|name| {
        let value = body.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    let mut extra: Map<String, Value> = given.collect();
    if let Some(off) = body.pointer("/tool_choice/disable_parallel_tool_use") {
        extra.insert("tool_choice".to_owned(), json!({"disable_parallel_tool_use": off}));
    } else if body.get("tool_choice").is_some_and(Value::is_object) && list(body, "tools").is_empty() {
        extra.insert("tool_choice".to_owned(), json!({}));
    }
    extra
}

fn blocks(content: &Value, documents: &mut usize) -> Vec<Value> {
    if let Value::String(text) = content {
        return vec![json!({"text": text})];
    }
    let mut blocks = Vec::new();
    for part in content.as_array().into_iter().flatten() {
        blocks.push(block(part, documents));
        // Converse makes a text of a document that is one, and no point may follow it there.
        if part.pointer("/source/type").is_none_or(|kind| kind == "base64") {
            blocks.extend(cache_point(part));
        }
    }
    blocks
}

fn cache_point(part: &Value) -> Option<Value> {
    let control = part.get("cache_control").filter(|control| !control.is_null())?;
    let mut point = json!({"type": "default"});
    if let Some(ttl) = control.get("ttl").filter(|ttl| !ttl.is_null()) {
        point["ttl"] = ttl.clone();
    }
    Some(json!({"cachePoint": point}))
}

fn block(part: &Value, documents: &mut usize) -> Value {
    match part["type"].as_str().unwrap_or_default() {
        "image" => {
            let media_type = part["source"]["media_type"].as_str().unwrap_or_default();
            let format = media_type.trim_start_matches("image/");
            json!({"image": {"format": format, "source": {"bytes": part["source"]["data"]}}})
        }
        "document" => document(part, documents),
        "search_result" => {
            let texts: Vec<Value> = list(part, "content")
                .iter()
                .map(|text| json!({"text": text["text"]}))
                .collect();
            json!({"searchResult": {"source": part["source"], "title": part["title"], "content": texts}})
        }
        "tool_use" => json!({"toolUse": {"toolUseId": part["id"], "name": part["name"], "input": part["input"]}}),
        "tool_result" => {
            let failed = part["is_error"] == true;
            let content = blocks(&part["content"], documents);
            let status = if failed { "error" } else { "success" };
            json!({"toolResult": {"toolUseId": part["tool_use_id"], "content": content, "status": status}})
        }
        "thinking" => {
            let text = json!({"text": part["thinking"], "signature": part["signature"]});
            json!({"reasoningContent": {"reasoningText": text}})
        }
        "redacted_thinking" => json!({"reasoningContent": {"redactedContent": part["data"]}}),
        _ => json!({"text": part["text"]}),
    }
}

/// Claude's titles are no names, so documents are numbered.
fn document(part: &Value, documents: &mut usize) -> Value {
    *documents += 1;
    let name = format!("document {documents}");
    let source = &part["source"];
    match source["type"].as_str() {
        Some("base64") => json!({"document": {"format": "pdf", "name": name, "source": {"bytes": source["data"]}}}),
        Some("text") => json!({"document": {"format": "txt", "name": name, "source": {"text": source["data"]}}}),
        _ => json!({"document": {"format": "txt", "name": name, "source": {"content": source["content"]}}}),
    }
}
