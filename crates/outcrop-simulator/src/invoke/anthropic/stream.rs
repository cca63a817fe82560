//! A streamed message.

use serde_json::{Value, json};

use super::answer::{citation, frame, stop_reason, usage};
use crate::converse::Event;
use crate::invoke::about::About;
use crate::invoke::shape::Writer;

/// Writes the events of Anthropic's own API.
pub(super) struct Stream {
    about: About,
    /// The blocks that have begun and not ended.
    open: Vec<Value>,
    /// If the `ping` that follows the first block's start was sent.
    pinged: bool,
}

impl Stream {
    pub(super) fn new(about: About) -> Stream {
        Stream {
            about,
            open: Vec::new(),
            pinged: false,
        }
    }

    /// Begins a block, if it hasn't: Converse announces calls only.
    fn begin(&mut self, index: &Value, content: &Value, out: &mut Vec<Value>) {
        if self.open.contains(index) {
            return;
        }
        self.open.push(index.clone());
        out.push(json!({"type": "content_block_start", "index": index, "content_block": content}));
        if !std::mem::replace(&mut self.pinged, true) {
            out.push(json!({"type": "ping"}));
        }
    }

    fn start(&mut self, payload: &Value, out: &mut Vec<Value>) {
        if let Some(call) = payload.pointer("/start/toolUse") {
            let call = json!({"type": "tool_use", "id": call["toolUseId"], "name": call["name"], "input": {}});
            self.begin(&payload["contentBlockIndex"], &call, out);
        }
    }

    fn delta(&mut self, payload: &Value, out: &mut Vec<Value>) {
        let delta = &payload["delta"];
        let (content, delta) = if let Some(text) = delta.get("text") {
            (
                json!({"type": "text", "text": ""}),
                json!({"type": "text_delta", "text": text}),
            )
        } else if let Some(input) = delta.pointer("/toolUse/input") {
            (Value::Null, json!({"type": "input_json_delta", "partial_json": input}))
        } else if let Some(found) = delta.get("citation") {
            let delta = json!({"type": "citations_delta", "citation": citation(found)});
            (json!({"type": "text", "text": "", "citations": []}), delta)
        } else if let Some(reasoning) = delta.get("reasoningContent") {
            return self.reasoning(&payload["contentBlockIndex"], reasoning, out);
        } else {
            return;
        };
        let index = &payload["contentBlockIndex"];
        self.begin(index, &content, out);
        out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }

    fn reasoning(&mut self, index: &Value, reasoning: &Value, out: &mut Vec<Value>) {
        if let Some(data) = reasoning.get("redactedContent") {
            return self.begin(index, &json!({"type": "redacted_thinking", "data": data}), out);
        }
        let delta = match reasoning.get("signature") {
            Some(signature) => json!({"type": "signature_delta", "signature": signature}),
            None => json!({"type": "thinking_delta", "thinking": reasoning["text"]}),
        };
        self.begin(
            index,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
            out,
        );
        out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }

    fn stop(&mut self, payload: &Value, out: &mut Vec<Value>) {
        let index = &payload["contentBlockIndex"];
        // A text of no characters still begins; an image isn't Claude's.
        self.begin(index, &json!({"type": "text", "text": ""}), out);
        self.open.retain(|open| open != index);
        out.push(json!({"type": "content_block_stop", "index": index}));
    }
}

impl Writer for Stream {
    fn push(&mut self, event: &Event, out: &mut Vec<Value>) {
        let payload = &event.payload;
        match event.name {
            "messageStart" => {
                let mut message = frame(&self.about);
                message["usage"] = usage(&self.about.usage, 1);
                out.push(json!({"type": "message_start", "message": message}));
            }
            "contentBlockStart" => self.start(payload, out),
            "contentBlockDelta" => self.delta(payload, out),
            "contentBlockStop" => self.stop(payload, out),
            "messageStop" => {
                let reason = stop_reason(payload["stopReason"].as_str().unwrap_or_default());
                let delta = json!({"stop_reason": reason, "stop_sequence": self.about.stop_sequence});
                let mut used = json!({"output_tokens": self.about.usage.output});
                if self.about.usage.thinking > 0 {
                    used["output_tokens_details"] = json!({"thinking_tokens": self.about.usage.thinking});
                }
                out.push(json!({"type": "message_delta", "delta": delta, "usage": used}));
            }
            "metadata" => out.push(json!({"type": "message_stop"})),
            _ => {}
        }
    }
}
