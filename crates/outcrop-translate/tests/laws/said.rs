//! What a model says: whole, and as the events that say the same.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) enum Block {
    Text(Vec<String>),
    Reasoning {
        pieces: Vec<String>,
        signature: Option<String>,
    },
    Redacted(String),
    ToolUse {
        id: String,
        name: String,
        input: Value,
        cuts: Vec<Index>,
    },
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop_reason: &'static str,
    pub(crate) usage: [u32; 4],
}

pub(crate) fn json_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..3).prop_map(Value::from_iter),
        ]
    });
    prop::collection::vec((any::<String>(), value), 0..4).prop_map(Value::from_iter)
}

pub(crate) fn said() -> impl Strategy<Value = Said> {
    let pieces = || prop::collection::vec(any::<String>(), 0..5);
    let block = prop_oneof![
        3 => pieces().prop_map(Block::Text),
        1 => pieces().prop_map(|pieces| Block::Reasoning { pieces, signature: None }),
        2 => ("[a-zA-Z0-9_.:-]{1,20}", "[a-zA-Z0-9_-]{1,12}", json_object(), prop::collection::vec(any::<Index>(), 0..5))
            .prop_map(|(id, name, input, cuts)| Block::ToolUse { id, name, input, cuts }),
        1 => Just(Block::Unknown),
    ];
    let stop_reason = prop::sample::select(vec![
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
        "content_filtered",
        "model_context_window_exceeded",
        "a_reason_of_tomorrow",
    ]);
    (prop::collection::vec(block, 0..5), stop_reason, any::<[u32; 4]>()).prop_map(|(blocks, stop_reason, usage)| Said {
        blocks,
        stop_reason,
        usage,
    })
}

impl Said {
    pub(crate) fn usage(&self) -> Value {
        let [input, output, read, write] = self.usage;
        json!({
            "inputTokens": input,
            "outputTokens": output,
            "totalTokens": 0,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": write,
        })
    }

    /// The whole reply.
    pub(crate) fn reply(&self) -> Value {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Text(pieces) => json!({"text": pieces.concat()}),
            Block::Reasoning { pieces, signature } => {
                let mut thought = json!({"text": pieces.concat()});
                if let Some(signature) = signature {
                    thought["signature"] = json!(signature);
                }
                json!({"reasoningContent": {"reasoningText": thought}})
            }
            Block::Redacted(data) => json!({"reasoningContent": {"redactedContent": data}}),
            Block::ToolUse { id, name, input, .. } => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
            }
            Block::Unknown => json!({"somethingNew": {"x": [1]}}),
        });
        json!({
            "output": {"message": {"role": "assistant", "content": blocks.collect::<Vec<_>>()}},
            "stopReason": self.stop_reason,
            "usage": self.usage(),
            "metrics": {"latencyMs": 1},
        })
    }

    /// The events, by name and payload.
    pub(crate) fn events(&self) -> Vec<(&'static str, Value)> {
        let mut events = vec![("messageStart", json!({"role": "assistant"}))];
        for (index, block) in self.blocks.iter().enumerate() {
            let delta = |delta: Value| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
            match block {
                Block::Text(pieces) => events.extend(pieces.iter().map(|text| delta(json!({"text": text})))),
                Block::Reasoning { pieces, signature } => {
                    let texts = pieces.iter().map(|text| json!({"text": text}));
                    let proof = signature.iter().map(|signature| json!({"signature": signature}));
                    events.extend(
                        texts
                            .chain(proof)
                            .map(|thought| delta(json!({"reasoningContent": thought}))),
                    );
                }
                Block::Redacted(data) => events.push(delta(json!({"reasoningContent": {"redactedContent": data}}))),
                Block::ToolUse { id, name, input, cuts } => {
                    let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                    events.push(("contentBlockStart", json!({"contentBlockIndex": index, "start": start})));
                    // Bedrock sends nothing at all for empty arguments.
                    if input.as_object().is_some_and(|input| !input.is_empty()) {
                        let letters: Vec<char> = input.to_string().chars().collect();
                        events.extend(
                            pieces(&letters, cuts)
                                .map(|piece| delta(json!({"toolUse": {"input": piece.iter().collect::<String>()}}))),
                        );
                    }
                }
                Block::Unknown => events.push(delta(json!({"somethingNew": {"x": [1]}}))),
            }
            events.push(("contentBlockStop", json!({"contentBlockIndex": index})));
        }
        events.push(("messageStop", json!({"stopReason": self.stop_reason})));
        events.push(("metadata", json!({"usage": self.usage(), "metrics": {"latencyMs": 1}})));
        events
    }

    /// The events as bytes on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
        let mut bytes = Vec::new();
        for (name, payload) in self.events() {
            let message = Message::new(serde_json::to_vec(&payload).unwrap())
                .add_header(header(":event-type", name))
                .add_header(header(":content-type", "application/json"))
                .add_header(header(":message-type", "event"));
            write_message_to(&message, &mut bytes).unwrap();
        }
        bytes
    }
}

/// `whole` in pieces.
pub(crate) fn pieces<'a, T>(whole: &'a [T], cuts: &[Index]) -> impl Iterator<Item = &'a [T]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
    ends.push(whole.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(move |end| &whole[std::mem::replace(&mut start, end)..end])
}
