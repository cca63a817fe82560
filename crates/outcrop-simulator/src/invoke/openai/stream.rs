//! A streamed chat completion.

use serde_json::{Value, json};

use super::whole::usage;
use super::{CLOSE, Dialect, OPEN, finish_reason};
use crate::converse::Event;
use crate::invoke::about::About;
use crate::invoke::shape::Writer;

/// Writes `chat.completion.chunk`s.
pub(in crate::invoke) struct Stream {
    dialect: &'static Dialect,
    about: About,
    /// If reasoning has begun and not ended: `</reasoning>` is to come.
    reasoning: bool,
    /// The calls, in order; their place is their number.
    calls: Vec<Call>,
}

struct Call {
    /// The block that it is.
    block: u64,
    /// If some of its arguments were sent.
    begun: bool,
}

impl Stream {
    pub(in crate::invoke) fn new(dialect: &'static Dialect, about: About) -> Stream {
        Stream {
            dialect,
            about,
            reasoning: false,
            calls: Vec::new(),
        }
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.about.id),
            "object": "chat.completion.chunk",
            "created": self.about.created,
            "model": self.about.model,
            "choices": choices,
        })
    }

    fn delta(&self, delta: &Value) -> Value {
        self.chunk(&json!([{"index": 0, self.dialect.content_in: delta, self.dialect.reason: null}]))
    }

    fn block_start(&mut self, payload: &Value, out: &mut Vec<Value>) {
        let Some(call) = payload.pointer("/start/toolUse") else {
            return;
        };
        self.end_reasoning(out);
        self.calls.push(Call {
            block: block(payload),
            begun: false,
        });
        let function = json!({"name": call["name"], "arguments": ""});
        let call =
            json!({"index": self.calls.len() - 1, "id": call["toolUseId"], "type": "function", "function": function});
        out.push(self.delta(&json!({"tool_calls": [call]})));
    }

    fn block_delta(&mut self, payload: &Value, out: &mut Vec<Value>) {
        let text = |path: &str| payload.pointer(path).and_then(Value::as_str);
        if let Some(thought) = text("/delta/reasoningContent/text").filter(|_| self.dialect.thoughts_in_tags) {
            let open = if self.reasoning { "" } else { OPEN };
            self.reasoning = true;
            out.push(self.delta(&json!({"content": format!("{open}{thought}")})));
        }
        if let Some(text) = text("/delta/text") {
            self.end_reasoning(out);
            out.push(self.delta(&json!({"content": text})));
        }
        if let Some(arguments) = text("/delta/toolUse/input") {
            self.arguments(block(payload), arguments, out);
        }
    }

    fn arguments(&mut self, block: u64, arguments: &str, out: &mut Vec<Value>) {
        let Some(index) = self.calls.iter().position(|call| call.block == block) else {
            return;
        };
        self.calls[index].begun = true;
        let call = json!({"index": index, "function": {"arguments": arguments}});
        out.push(self.delta(&json!({"tool_calls": [call]})));
    }

    /// A call without arguments still has some, here.
    fn block_stop(&mut self, payload: &Value, out: &mut Vec<Value>) {
        self.end_reasoning(out);
        let block = block(payload);
        if self.calls.iter().any(|call| call.block == block && !call.begun) {
            self.arguments(block, "{}", out);
        }
    }

    fn end_reasoning(&mut self, out: &mut Vec<Value>) {
        if std::mem::take(&mut self.reasoning) {
            out.push(self.delta(&json!({"content": CLOSE})));
        }
    }
}

impl Writer for Stream {
    fn push(&mut self, event: &Event, out: &mut Vec<Value>) {
        let payload = &event.payload;
        match event.name {
            "messageStart" => out.push(self.delta(&json!({"role": "assistant", "content": ""}))),
            "contentBlockStart" => self.block_start(payload, out),
            "contentBlockDelta" => self.block_delta(payload, out),
            "contentBlockStop" => self.block_stop(payload, out),
            "messageStop" => {
                let reason = payload["stopReason"].as_str().unwrap_or_default();
                let choice =
                    json!({"index": 0, self.dialect.content_in: {}, self.dialect.reason: finish_reason(reason)});
                out.push(self.chunk(&json!([choice])));
            }
            "metadata" if self.dialect.usage_in_stream => {
                let mut chunk = self.chunk(&json!([]));
                chunk["usage"] = usage(&self.about.usage);
                out.push(chunk);
            }
            _ => {}
        }
    }
}

fn block(payload: &Value) -> u64 {
    payload["contentBlockIndex"].as_u64().unwrap_or_default()
}
