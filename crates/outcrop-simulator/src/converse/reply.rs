//! An answer of a model, before it's written whole or as events.

use serde_json::{Map, Value, json};

use crate::prompt_cache::Cached;
use crate::tokens;

/// What a model answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop_reason: String,
    /// The stop sequence that ended it.
    pub(crate) stop_sequence: Option<String>,
    /// Without what went through a cache.
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// What a cache did, or is said to have done.
    pub(crate) cached: Option<Cached>,
    /// If a model was asked at all.
    pub(crate) asked: bool,
    /// What a guardrail found.
    pub(crate) trace: Option<Value>,
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
    Reasoning {
        text: String,
        signature: Option<String>,
        /// What it counts beyond the text that is shown.
        hidden_tokens: u64,
    },
    /// Reasoning that only the model can read, in base64.
    Redacted {
        content: String,
        hidden_tokens: u64,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
        /// The arguments as they are streamed, if they aren't the input as JSON.
        raw: Option<String>,
    },
    /// A text, and what it's taken from.
    Citation {
        text: String,
        citation: Value,
    },
    /// A PNG, in base64.
    Image(String),
}

/// What an image counts.
const TOKENS_PER_IMAGE: u64 = 1_000;

impl Block {
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Block::Text(text) | Block::Citation { text, .. } => tokens::of(text),
            Block::Reasoning {
                text, hidden_tokens, ..
            } => tokens::of(text) + hidden_tokens,
            Block::Redacted { hidden_tokens, .. } => *hidden_tokens,
            Block::ToolUse { name, input, .. } => tokens::of(name) + tokens::of(&input.to_string()),
            Block::Image(_) => TOKENS_PER_IMAGE,
        }
    }

    /// How many of the tokens are reasoning.
    pub(crate) fn thinking_tokens(&self) -> u64 {
        match self {
            Block::Reasoning { .. } | Block::Redacted { .. } => self.tokens(),
            _ => 0,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Block::Text(text) => json!({"text": text}),
            Block::Reasoning { text, signature, .. } => {
                let mut reasoning = json!({"text": text});
                if let Some(signature) = signature {
                    reasoning["signature"] = signature.as_str().into();
                }
                json!({"reasoningContent": {"reasoningText": reasoning}})
            }
            Block::Redacted { content, .. } => json!({"reasoningContent": {"redactedContent": content}}),
            Block::ToolUse { id, name, input, .. } => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
            }
            Block::Citation { text, citation } => {
                json!({"citationsContent": {"content": [{"text": text}], "citations": [citation]}})
            }
            Block::Image(bytes) => json!({"image": {"format": "png", "source": {"bytes": bytes}}}),
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
        if let Some(trace) = &self.trace {
            out.insert("trace".to_owned(), trace.clone());
        }
        if let Some(fields) = &self.extra_fields {
            out.insert("additionalModelResponseFields".to_owned(), fields.clone());
        }
        Value::Object(out)
    }

    /// Input that was read from a cache, or written to it, isn't in `inputTokens`, but in the total.
    pub(crate) fn usage(&self) -> Value {
        if !self.asked {
            return json!({"inputTokens": 0, "outputTokens": 0, "totalTokens": 0});
        }
        let output = self.output_tokens.max(1);
        let total = self.input_tokens + output;
        let mut usage = json!({"inputTokens": self.input_tokens, "outputTokens": output, "totalTokens": total});
        if let Some(Cached { read, written, details }) = &self.cached {
            usage["cacheReadInputTokens"] = (*read).into();
            usage["cacheWriteInputTokens"] = (*written).into();
            usage["totalTokens"] = total.saturating_add(*read).saturating_add(*written).into();
            let details = details
                .iter()
                .map(|(ttl, tokens)| json!({"ttl": ttl, "inputTokens": tokens}));
            usage["cacheDetails"] = details.collect();
        }
        usage
    }

    pub(crate) fn metrics(&self) -> Value {
        json!({"latencyMs": self.latency_ms})
    }
}
