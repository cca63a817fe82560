//! A client, no larger than it must be.

use serde_json::{Value, json};

/// The JSON of each `data:` line, and whether `[DONE]` was the last.
pub(crate) fn read_stream(sse: &str) -> (Vec<Value>, bool) {
    let mut lines: Vec<&str> = sse.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let done = lines.last() == Some(&"[DONE]");
    if done {
        lines.pop();
    }
    let chunks = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    (chunks.collect(), done)
}

/// Puts a streamed answer together as OpenAI's SDKs do: message, finish reason and usage.
pub(crate) fn fold(sse: &str) -> (Value, Value, Value) {
    let (mut message, mut finish_reason, mut usage) = (json!({}), Value::Null, Value::Null);
    for chunk in read_stream(sse).0 {
        if !chunk["usage"].is_null() {
            usage = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().unwrap() {
            if !choice["finish_reason"].is_null() {
                assert!(finish_reason.is_null(), "a choice finishes once");
                finish_reason = choice["finish_reason"].clone();
            }
            accumulate(&mut message, &choice["delta"]);
        }
    }
    (message, finish_reason, usage)
}

/// Texts grow, lists grow by their `index`, the rest is set.
pub(crate) fn accumulate(whole: &mut Value, delta: &Value) {
    for (key, part) in delta.as_object().unwrap() {
        let slot = &mut whole[key];
        match (slot, part) {
            // As OpenAI's SDK has it, which sets `index` and `type` and lets every other text grow.
            (Value::String(text), Value::String(more)) if key != "type" => text.push_str(more),
            (slot, Value::Array(items)) => {
                for item in items {
                    let index = usize::try_from(item["index"].as_u64().unwrap()).unwrap();
                    let list = slot.as_array().map_or(0, Vec::len);
                    assert!(index <= list, "tool calls are numbered without a gap");
                    if slot.is_null() {
                        *slot = json!([]);
                    }
                    if index == list {
                        slot.as_array_mut().unwrap().push(json!({}));
                    }
                    let mut item = item.clone();
                    item.as_object_mut().unwrap().remove("index");
                    accumulate(&mut slot[index], &item);
                }
            }
            (slot, Value::Object(_)) => {
                if slot.is_null() {
                    *slot = json!({});
                }
                accumulate(slot, part);
            }
            (slot, part) => *slot = part.clone(),
        }
    }
}
