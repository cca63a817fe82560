//! An answer in Cohere's words, whole and as events.

use serde_json::{Value, json};

use crate::converse::{Block, Event, Reply};
use crate::invoke::about::About;
use crate::invoke::shape::Writer;

pub(super) fn whole(reply: &Reply, about: &About) -> Value {
    let mut text = String::new();
    let mut calls = Vec::new();
    for block in &reply.blocks {
        match block {
            Block::Text(piece) | Block::Citation { text: piece, .. } => text.push_str(piece),
            Block::ToolUse { name, input, .. } => calls.push(json!({"name": name, "parameters": input})),
            Block::Reasoning { .. } | Block::Redacted { .. } | Block::Image(_) => {}
        }
    }
    response(about, &text, &calls, &reply.stop_reason)
}

fn response(about: &About, text: &str, calls: &[Value], stop_reason: &str) -> Value {
    let mut history = about.body.get("chat_history").cloned().unwrap_or_else(|| json!([]));
    if let Some(history) = history.as_array_mut() {
        history.push(json!({"role": "USER", "message": about.body["message"]}));
        let mut said = json!({"role": "CHATBOT", "message": text});
        if !calls.is_empty() {
            said["tool_calls"] = calls.into();
        }
        history.push(said);
    }
    let units = json!({"input_tokens": about.usage.all_input(), "output_tokens": about.usage.output});
    let mut response = json!({
        "response_id": format!("response-{}", about.id),
        "generation_id": format!("generation-{}", about.id),
        "text": text,
        "chat_history": history,
        "finish_reason": finish_reason(stop_reason),
        "meta": {"api_version": {"version": "1"}, "billed_units": units, "tokens": units},
    });
    if !calls.is_empty() {
        response["tool_calls"] = calls.into();
    }
    response
}

/// A call is a complete answer here.
fn finish_reason(stop_reason: &str) -> &str {
    match stop_reason {
        "end_turn" | "stop_sequence" | "tool_use" | "guardrail_intervened" => "COMPLETE",
        "max_tokens" => "MAX_TOKENS",
        "content_filtered" => "ERROR_TOXIC",
        "model_context_window_exceeded" => "ERROR_LIMIT",
        _ => "ERROR",
    }
}

/// Writes events; calls come in one, when all are known.
pub(super) struct Stream {
    about: About,
    text: String,
    calls: Vec<Call>,
}

struct Call {
    /// The block that it is.
    block: Value,
    name: Value,
    arguments: String,
}

impl Stream {
    pub(super) fn new(about: About) -> Stream {
        Stream {
            about,
            text: String::new(),
            calls: Vec::new(),
        }
    }

    fn delta(&mut self, payload: &Value, out: &mut Vec<Value>) {
        if let Some(text) = payload.pointer("/delta/text").and_then(Value::as_str) {
            self.text.push_str(text);
            out.push(json!({"event_type": "text-generation", "is_finished": false, "text": text}));
        }
        let input = payload.pointer("/delta/toolUse/input").and_then(Value::as_str);
        let mut calls = self.calls.iter_mut();
        let call = calls.find(|call| call.block == payload["contentBlockIndex"]);
        if let (Some(input), Some(call)) = (input, call) {
            call.arguments.push_str(input);
        }
    }

    fn stop(&mut self, payload: &Value, out: &mut Vec<Value>) {
        let calls: Vec<Value> = self.calls.iter().map(Call::to_json).collect();
        if !calls.is_empty() {
            out.push(json!({"event_type": "tool-calls-generation", "is_finished": false, "tool_calls": calls}));
        }
        let reason = payload["stopReason"].as_str().unwrap_or_default();
        let response = response(&self.about, &self.text, &calls, reason);
        let reason = &response["finish_reason"];
        out.push(json!({
            "event_type": "stream-end",
            "is_finished": true,
            "finish_reason": reason,
            "response": response,
        }));
    }
}

impl Call {
    fn to_json(&self) -> Value {
        let parameters = match self.arguments.as_str() {
            "" => json!({}),
            arguments => serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into()),
        };
        json!({"name": self.name, "parameters": parameters})
    }
}

impl Writer for Stream {
    fn push(&mut self, event: &Event, out: &mut Vec<Value>) {
        let payload = &event.payload;
        match event.name {
            "messageStart" => {
                let id = format!("generation-{}", self.about.id);
                out.push(json!({"event_type": "stream-start", "is_finished": false, "generation_id": id}));
            }
            "contentBlockStart" => {
                if let Some(call) = payload.pointer("/start/toolUse") {
                    self.calls.push(Call {
                        block: payload["contentBlockIndex"].clone(),
                        name: call["name"].clone(),
                        arguments: String::new(),
                    });
                }
            }
            "contentBlockDelta" => self.delta(payload, out),
            "messageStop" => self.stop(payload, out),
            _ => {}
        }
    }
}
