//! Answers in the models' own words, whole and in chunks that say the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::said::json_object;

/// Tokens that Bedrock tells: in headers, and in the last chunk.
pub(crate) const TOKENS: (u64, u64) = (21, 9);

/// What a model says, as far as all ways to say it can hold it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its text, as it is cut for a stream.
    pub(crate) pieces: Vec<String>,
    /// Names and arguments of the tools that it calls, where it can.
    pub(crate) calls: Vec<(String, Value)>,
    /// Whether it was too long.
    pub(crate) is_cut: bool,
}

/// Texts of few letters, in which tags, whole or cut, are likely.
pub(crate) fn answer() -> impl Strategy<Value = Answer> {
    let piece = "[ \na<é\"]{0,3}|<think>|</think>|</th|ink>|<reasoning>|</reasoning>|</reas|oning>";
    let calls = prop::collection::vec(("[a-z]{1,6}", json_object()), 0..3);
    let answer = (prop::collection::vec(piece, 0..8), calls, any::<bool>());
    answer.prop_map(|(pieces, calls, is_cut)| Answer { pieces, calls, is_cut })
}

/// How a shape writes answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Anthropic,
    AnthropicText,
    Titan,
    Command,
    CommandR,
    /// Llama's, and imported models'.
    Generation,
    Mistral,
    DeepSeek,
    Nova,
    /// OpenAI's, by InvokeModel or straight.
    Chat,
    /// The same without tools.
    ChatOfText,
}

/// A model of each shape of bodies. Jurassic's answer is one chunk however it is asked, and no stream of its own.
pub(crate) const MODELS: &[(&str, Shape)] = &[
    ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", Shape::Anthropic),
    ("anthropic.claude-v2:1", Shape::AnthropicText),
    ("amazon.titan-text-express-v1", Shape::Titan),
    ("cohere.command-text-v14", Shape::Command),
    ("cohere.command-r-plus-v1:0", Shape::CommandR),
    ("ai21.jamba-1-5-mini-v1:0", Shape::ChatOfText),
    ("meta.llama2-13b-chat-v1", Shape::Generation),
    ("us.meta.llama3-1-70b-instruct-v1:0", Shape::Generation),
    ("us.meta.llama4-scout-17b-instruct-v1:0", Shape::Generation),
    ("mistral.mistral-7b-instruct-v0:2", Shape::Mistral),
    ("mistral.mistral-large-2407-v1:0", Shape::Chat),
    ("us.deepseek.r1-v1:0", Shape::DeepSeek),
    ("us.amazon.nova-lite-v1:0", Shape::Nova),
    ("openai.gpt-oss-120b-1:0", Shape::Chat),
    ("qwen.qwen3-32b-v1:0", Shape::Chat),
    (
        "bedrock/qwen2/arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
        Shape::Generation,
    ),
    (
        "bedrock/openai/arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
        Shape::Chat,
    ),
];

impl Shape {
    fn has_tools(self) -> bool {
        matches!(self, Self::Anthropic | Self::CommandR | Self::Nova | Self::Chat)
    }

    /// The shape's word for the end.
    fn reason(self, answer: &Answer) -> &'static str {
        let calls = self.has_tools() && !answer.calls.is_empty();
        let [end, length, tools] = match self {
            Self::Anthropic | Self::Nova => ["end_turn", "max_tokens", "tool_use"],
            Self::AnthropicText => ["stop_sequence", "max_tokens", ""],
            Self::Titan => ["FINISH", "LENGTH", ""],
            Self::Command | Self::CommandR => ["COMPLETE", "MAX_TOKENS", "COMPLETE"],
            Self::Generation | Self::Mistral | Self::DeepSeek => ["stop", "length", ""],
            Self::Chat | Self::ChatOfText => ["stop", "length", "tool_calls"],
        };
        match (answer.is_cut, calls) {
            (true, _) => length,
            (false, true) => tools,
            (false, false) => end,
        }
    }

    /// The whole answer.
    pub(crate) fn whole(self, answer: &Answer) -> Value {
        let (text, reason) = (answer.pieces.concat(), self.reason(answer));
        match self {
            Self::Anthropic => {
                let mut content = vec![json!({"type": "text", "text": text})];
                content.extend(answer.calls.iter().enumerate().map(
                    |(index, (name, input))| json!({"type": "tool_use", "id": id(index), "name": name, "input": input}),
                ));
                json!({"type": "message", "content": content, "stop_reason": reason})
            }
            Self::AnthropicText => json!({"completion": text, "stop_reason": reason, "stop": null}),
            Self::Titan => json!({"results": [{"outputText": text, "completionReason": reason}]}),
            Self::Command => json!({"id": "a", "generations": [{"id": "b", "text": text, "finish_reason": reason}]}),
            Self::CommandR => self.cohere(answer, &text, reason),
            Self::Generation => json!({"generation": text, "stop_reason": reason}),
            Self::Mistral => json!({"outputs": [{"text": text, "stop_reason": reason}]}),
            Self::DeepSeek => json!({"choices": [{"text": text, "stop_reason": reason}]}),
            Self::Nova => {
                let mut content = vec![json!({"text": text})];
                content.extend(answer.calls.iter().enumerate().map(
                    |(index, (name, input))| json!({"toolUse": {"toolUseId": id(index), "name": name, "input": input}}),
                ));
                json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason})
            }
            Self::Chat | Self::ChatOfText => {
                let mut message = json!({"role": "assistant", "content": text});
                if self.has_tools() && !answer.calls.is_empty() {
                    let calls = answer.calls.iter().enumerate().map(|(index, (name, input))| {
                        json!({"id": id(index), "type": "function", "function": {"name": name, "arguments": input.to_string()}})
                    });
                    message["tool_calls"] = calls.collect();
                }
                json!({"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": reason}]})
            }
        }
    }

    /// The same in chunks.
    pub(crate) fn chunks(self, answer: &Answer) -> Vec<Value> {
        let reason = self.reason(answer);
        let texts = answer.pieces.iter();
        let mut chunks: Vec<Value> = Vec::new();
        match self {
            Self::Anthropic => {
                chunks.push(json!({"type": "message_start", "message": {"role": "assistant", "content": []}}));
                let text = json!({"type": "text", "text": ""});
                chunks.push(json!({"type": "content_block_start", "index": 0, "content_block": text}));
                let delta =
                    |index, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
                chunks.extend(texts.map(|text| delta(0, json!({"type": "text_delta", "text": text}))));
                chunks.push(json!({"type": "content_block_stop", "index": 0}));
                for (index, (name, input)) in answer.calls.iter().enumerate() {
                    let block = json!({"type": "tool_use", "id": id(index), "name": name, "input": {}});
                    let number = index + 1;
                    chunks.push(json!({"type": "content_block_start", "index": number, "content_block": block}));
                    chunks.extend(
                        letters(input)
                            .map(|piece| delta(number, json!({"type": "input_json_delta", "partial_json": piece}))),
                    );
                    chunks.push(json!({"type": "content_block_stop", "index": number}));
                }
                chunks.push(json!({"type": "message_delta", "delta": {"stop_reason": reason}}));
                chunks.push(json!({"type": "message_stop"}));
            }
            Self::AnthropicText => {
                chunks.extend(texts.map(|text| json!({"completion": text, "stop_reason": null, "stop": null})));
                chunks.push(json!({"completion": "", "stop_reason": reason, "stop": null}));
            }
            Self::Titan => {
                chunks.extend(texts.map(|text| json!({"outputText": text, "index": 0, "completionReason": null})));
                chunks.push(json!({"outputText": "", "index": 0, "completionReason": reason}));
            }
            Self::Command => {
                chunks.extend(texts.map(|text| json!({"text": text, "is_finished": false})));
                chunks.push(json!({"is_finished": true, "finish_reason": reason}));
            }
            Self::CommandR => {
                chunks.push(json!({"event_type": "stream-start"}));
                chunks.extend(texts.map(|text| json!({"event_type": "text-generation", "text": text})));
                let whole = self.whole(answer);
                if let Some(calls) = whole.get("tool_calls") {
                    chunks.push(json!({"event_type": "tool-calls-generation", "text": "", "tool_calls": calls}));
                }
                chunks.push(json!({"event_type": "stream-end", "finish_reason": reason, "response": whole}));
            }
            Self::Generation => {
                chunks.extend(texts.map(|text| json!({"generation": text, "stop_reason": null})));
                chunks.push(json!({"generation": "", "stop_reason": reason}));
            }
            Self::Mistral => {
                chunks.extend(texts.map(|text| json!({"outputs": [{"text": text, "stop_reason": null}]})));
                chunks.push(json!({"outputs": [{"text": "", "stop_reason": reason}]}));
            }
            Self::DeepSeek => {
                chunks.extend(texts.map(|text| json!({"choices": [{"text": text, "stop_reason": null}]})));
                chunks.push(json!({"choices": [{"text": "", "stop_reason": reason}]}));
            }
            Self::Nova => {
                let delta = |index: usize, delta: Value| json!({"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}});
                chunks.push(json!({"messageStart": {"role": "assistant"}}));
                chunks.extend(texts.map(|text| delta(0, json!({"text": text}))));
                chunks.push(json!({"contentBlockStop": {"contentBlockIndex": 0}}));
                for (index, (name, input)) in answer.calls.iter().enumerate() {
                    let start = json!({"toolUse": {"toolUseId": id(index), "name": name}});
                    let number = index + 1;
                    chunks.push(json!({"contentBlockStart": {"start": start, "contentBlockIndex": number}}));
                    chunks.extend(letters(input).map(|piece| delta(number, json!({"toolUse": {"input": piece}}))));
                    chunks.push(json!({"contentBlockStop": {"contentBlockIndex": number}}));
                }
                chunks.push(json!({"messageStop": {"stopReason": reason}}));
                chunks.push(json!({"metadata": {"usage": {}, "metrics": {}}}));
            }
            Self::Chat | Self::ChatOfText => {
                let chunk = |delta: Value, reason: Value| {
                    json!({"object": "chat.completion.chunk",
                        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
                };
                chunks.push(chunk(json!({"role": "assistant", "content": ""}), Value::Null));
                chunks.extend(texts.map(|text| chunk(json!({"content": text}), Value::Null)));
                let calls = answer.calls.iter().enumerate().filter(|_| self.has_tools());
                for (index, (name, input)) in calls {
                    let start = json!({"index": index, "id": id(index), "type": "function",
                        "function": {"name": name, "arguments": ""}});
                    chunks.push(chunk(json!({"tool_calls": [start]}), Value::Null));
                    chunks.extend(letters(input).map(|piece| {
                        let more = json!({"index": index, "function": {"arguments": piece}});
                        chunk(json!({"tool_calls": [more]}), Value::Null)
                    }));
                }
                chunks.push(chunk(json!({}), json!(reason)));
            }
        }
        chunks
    }

    fn cohere(self, answer: &Answer, text: &str, reason: &str) -> Value {
        let mut whole = json!({"text": text, "finish_reason": reason});
        if !answer.calls.is_empty() {
            let calls = answer.calls.iter();
            whole["tool_calls"] = calls
                .map(|(name, input)| json!({"name": name, "parameters": input}))
                .collect();
        }
        whole
    }
}

fn id(index: usize) -> String {
    format!("call_{index}")
}

/// The JSON in pieces of three letters.
fn letters(input: &Value) -> impl Iterator<Item = String> {
    let letters: Vec<char> = input.to_string().chars().collect();
    let pieces: Vec<String> = letters.chunks(3).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}
