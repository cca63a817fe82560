//! An answer of a model, before it's written whole or as events.

use serde_json::{Map, Value, json};

use crate::script::Cached;
use crate::tokens;

/// What a model answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop_reason: String,
    pub(crate) input_tokens: u64,
    /// What a cache is said to have done.
    pub(crate) cached: Option<Cached>,
    pub(crate) latency_ms: u64,
    /// Of the model's own answer, what was asked for.
    pub(crate) extra_fields: Option<Value>,
    /// `performanceConfig` and `serviceTier`, given back as asked for.
    pub(crate) settings: Map<String, Value>,
}

/// A block of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Text(String),
    Reasoning { text: String, signature: Option<String> },
    ToolUse { id: String, name: String, input: Value },
}

impl Block {
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Block::Text(text) | Block::Reasoning { text, .. } => tokens::of(text),
            Block::ToolUse { name, input, .. } => tokens::of(name) + tokens::of(&input.to_string()),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Block::Text(text) => json!({"text": text}),
            Block::Reasoning { text, signature } => {
                let mut reasoning = json!({"text": text});
                if let Some(signature) = signature {
                    reasoning["signature"] = signature.as_str().into();
                }
                json!({"reasoningContent": {"reasoningText": reasoning}})
            }
            Block::ToolUse { id, name, input } => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
            }
        }
    }
}

impl Reply {
    /// The body of `Converse`'s response.
    pub(crate) fn to_json(&self) -> Value {
        let content: Vec<Value> = self.blocks.iter().map(Block::to_json).collect();
        let mut out = self.settings.clone();
        out.insert(
            "output".to_owned(),
            json!({"message": {"role": "assistant", "content": content}}),
        );
        out.insert("stopReason".to_owned(), self.stop_reason.clone().into());
        out.insert("usage".to_owned(), self.usage());
        out.insert("metrics".to_owned(), self.metrics());
        if let Some(fields) = &self.extra_fields {
            out.insert("additionalModelResponseFields".to_owned(), fields.clone());
        }
        Value::Object(out)
    }

    /// Input that was read from a cache, or written to it, isn't in `inputTokens`, but in the total.
    pub(crate) fn usage(&self) -> Value {
        let output = self.blocks.iter().map(Block::tokens).sum::<u64>().max(1);
        let total = self.input_tokens + output;
        let mut usage = json!({"inputTokens": self.input_tokens, "outputTokens": output, "totalTokens": total});
        if let Some(Cached { read, written }) = self.cached {
            usage["cacheReadInputTokens"] = read.into();
            usage["cacheWriteInputTokens"] = written.into();
            usage["totalTokens"] = total.saturating_add(read).saturating_add(written).into();
        }
        usage
    }

    pub(crate) fn metrics(&self) -> Value {
        json!({"latencyMs": self.latency_ms})
    }
}
