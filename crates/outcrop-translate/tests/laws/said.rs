//! What a model says: whole, and as the events that say the same.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

<<<<<<< HEAD
use super::asked::{Asked, FORM_TOOL};
use super::json::json_object;

#[derive(Clone, Debug)]
pub(crate) enum Block {
    Text(Vec<String>),
    Thought {
=======
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Text(Vec<String>),
    Reasoning {
>>>>>>> main
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
<<<<<<< HEAD
    stop_reason: &'static str,
    usage: [u32; 4],
    thinking_tokens: Option<u32>,
}

/// Any text, with a liking for what stop sequences, beginnings and forms are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        3 => "[aEND\n ]{0,4}",
        2 => prop::sample::select(vec!["{\"sum\":", "4}", "{\"sum\":4}", "{\"value\":[", "1,2]}", "```json\n", "}"])
            .prop_map(str::to_owned),
    ]
}

fn arguments() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => json_object(),
        1 => any::<i32>().prop_map(|sum| json!({"sum": sum})),
        1 => prop::collection::vec(any::<i32>(), 0..3).prop_map(|value| json!({"value": value})),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let cuts = || prop::collection::vec(any::<Index>(), 0..5);
    let thoughts = || prop::collection::vec(any::<String>(), 1..4);
    prop_oneof![
        4 => prop::collection::vec(piece(), 0..5).prop_map(Block::Text),
        2 => (thoughts(), prop::option::of("[a-zA-Z0-9+/]{1,8}"))
            .prop_map(|(pieces, signature)| Block::Thought { pieces, signature }),
        1 => "[a-zA-Z0-9+/]{4}".prop_map(Block::Redacted),
        2 => ("[a-zA-Z0-9_.:-]{1,20}", "[a-zA-Z0-9_-]{1,12}", arguments(), cuts())
            .prop_map(|(id, name, input, cuts)| Block::ToolUse { id, name, input, cuts }),
        1 => ("[a-zA-Z0-9_.:-]{1,20}", arguments(), cuts())
            .prop_map(|(id, input, cuts)| Block::ToolUse { id, name: FORM_TOOL.to_owned(), input, cuts }),
        1 => Just(Block::Unknown),
    ]
}

pub(crate) fn said() -> impl Strategy<Value = Said> {
    let stop_reason = prop::sample::select(vec![
        "end_turn",
        "end_turn",
=======
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
>>>>>>> main
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
        "content_filtered",
<<<<<<< HEAD
        "malformed_model_output",
        "malformed_tool_use",
        "model_context_window_exceeded",
        "a_reason_of_tomorrow",
    ]);
    let blocks = prop::collection::vec(block(), 0..5);
    (blocks, stop_reason, any::<[u32; 4]>(), prop::option::of(any::<u32>())).prop_map(
        |(blocks, stop_reason, usage, thinking_tokens)| Said {
            blocks,
            stop_reason,
            usage,
            thinking_tokens,
        },
    )
}

impl Said {
    /// As a model would say it that was asked so: thoughts first, then texts, then calls, and signed only where the model signs.
    pub(crate) fn answering(mut self, asked: &Asked) -> Self {
        for block in &mut self.blocks {
            match block {
                Block::Thought { signature, .. } if !asked.signs => *signature = None,
                Block::Redacted(_) if !asked.signs => *block = Block::Unknown,
                _ => {}
            }
        }
        // An answer that the gateway has ended doesn't go on to a call that fails.
        if asked.request["stop"].is_array() && self.stop_reason.starts_with("malformed") {
            self.stop_reason = "end_turn";
        }
        if asked.request["response_format"].is_object() {
            self.answer_in_form(asked);
        }
        self.blocks.sort_by_key(|block| match block {
            Block::Thought { .. } | Block::Redacted(_) => 0,
            Block::Text(_) | Block::Unknown => 1,
            Block::ToolUse { .. } => 2,
        });
        self
    }

    /// Calls the tool that takes the answer, or those of the client, if there are any.
    fn answer_in_form(&mut self, asked: &Asked) {
        let is_of_form = |block: &Block| matches!(block, Block::ToolUse { name, .. } if name == FORM_TOOL);
        let answers = asked.is_nova() && self.blocks.iter().any(is_of_form);
        let has_tools = asked.request["tools"].is_array();
        self.blocks.retain(|block| match block {
            Block::ToolUse { .. } if is_of_form(block) => answers,
            Block::ToolUse { .. } => has_tools && !answers,
            _ => true,
        });
        // An answer that was cut off has no form.
        if !["end_turn", "tool_use", "stop_sequence"].contains(&self.stop_reason) {
            self.stop_reason = "end_turn";
        }
        if asked.is_wrapped {
            self.answer_with_a_list(asked);
        }
    }

    /// Gives the one answer that fits a list, beside thoughts.
    fn answer_with_a_list(&mut self, asked: &Asked) {
        for block in &mut self.blocks {
            if matches!(block, Block::Text(_) | Block::ToolUse { .. }) {
                *block = Block::Unknown;
            }
        }
        self.blocks.push(if asked.is_nova() {
            Block::ToolUse {
                id: "t".to_owned(),
                name: FORM_TOOL.to_owned(),
                input: json!({"value": self.usage}),
                cuts: Vec::new(),
            }
        } else {
            Block::Text(vec!["{\"value\":[1".to_owned(), ",2]}".to_owned()])
        });
    }

    fn usage(&self) -> Value {
=======
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
>>>>>>> main
        let [input, output, read, write] = self.usage;
        json!({
            "inputTokens": input,
            "outputTokens": output,
            "totalTokens": 0,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": write,
        })
    }

<<<<<<< HEAD
    /// What the model's own answer holds besides.
    fn fields(&self) -> Option<Value> {
        let tokens = self.thinking_tokens?;
        Some(json!({"usage": {"output_tokens_details": {"thinking_tokens": tokens}}}))
    }

=======
>>>>>>> main
    /// The whole reply.
    pub(crate) fn reply(&self) -> Value {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Text(pieces) => json!({"text": pieces.concat()}),
<<<<<<< HEAD
            Block::Thought { pieces, signature } => {
                let mut text = json!({"text": pieces.concat()});
                if let Some(signature) = signature {
                    text["signature"] = json!(signature);
                }
                json!({"reasoningContent": {"reasoningText": text}})
=======
            Block::Reasoning { pieces, signature } => {
                let mut thought = json!({"text": pieces.concat()});
                if let Some(signature) = signature {
                    thought["signature"] = json!(signature);
                }
                json!({"reasoningContent": {"reasoningText": thought}})
>>>>>>> main
            }
            Block::Redacted(data) => json!({"reasoningContent": {"redactedContent": data}}),
            Block::ToolUse { id, name, input, .. } => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
            }
            Block::Unknown => json!({"somethingNew": {"x": [1]}}),
        });
<<<<<<< HEAD
        let mut reply = json!({
=======
        json!({
>>>>>>> main
            "output": {"message": {"role": "assistant", "content": blocks.collect::<Vec<_>>()}},
            "stopReason": self.stop_reason,
            "usage": self.usage(),
            "metrics": {"latencyMs": 1},
<<<<<<< HEAD
        });
        if let Some(fields) = self.fields() {
            reply["additionalModelResponseFields"] = fields;
        }
        reply
=======
        })
>>>>>>> main
    }

    /// The events, by name and payload.
    pub(crate) fn events(&self) -> Vec<(&'static str, Value)> {
        let mut events = vec![("messageStart", json!({"role": "assistant"}))];
        for (index, block) in self.blocks.iter().enumerate() {
            let delta = |delta: Value| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
            match block {
                Block::Text(pieces) => events.extend(pieces.iter().map(|text| delta(json!({"text": text})))),
<<<<<<< HEAD
                Block::Thought { pieces, signature } => {
                    let thought = |text| delta(json!({"reasoningContent": {"text": text}}));
                    events.extend(pieces.iter().map(thought));
                    let signed = |signature| delta(json!({"reasoningContent": {"signature": signature}}));
                    events.extend(signature.iter().map(signed));
=======
                Block::Reasoning { pieces, signature } => {
                    let texts = pieces.iter().map(|text| json!({"text": text}));
                    let proof = signature.iter().map(|signature| json!({"signature": signature}));
                    events.extend(
                        texts
                            .chain(proof)
                            .map(|thought| delta(json!({"reasoningContent": thought}))),
                    );
>>>>>>> main
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
<<<<<<< HEAD
        let mut stop = json!({"stopReason": self.stop_reason});
        if let Some(fields) = self.fields() {
            stop["additionalModelResponseFields"] = fields;
        }
        events.push(("messageStop", stop));
=======
        events.push(("messageStop", json!({"stopReason": self.stop_reason})));
>>>>>>> main
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
