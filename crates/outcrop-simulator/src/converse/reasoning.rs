//! Who reasons, and what is shown of it.

use serde_json::Value;

use super::reply::Block;
use crate::models::{Reasoning, Target, Thinking};
use crate::rules::Wanted;
use crate::signature;
use crate::tokens;

/// The reasoning that belongs to a request.
pub(super) struct Reasoner<'a> {
    pub(super) body: &'a Value,
    /// The last user text, without markers.
    pub(super) prompt: &'a str,
    pub(super) target: &'a Target,
}

impl Reasoner<'_> {
    /// If the model reasons unasked, or was asked to.
    pub(super) fn thinks(&self) -> bool {
        let family = self.target.family;
        let extra = |name: &str| {
            self.body
                .get("additionalModelRequestFields")
                .and_then(|extra| extra.get(name))
        };
        if family.strict_model {
            return match Wanted::of(self.body).kind {
                Some(kind) => kind != "disabled",
                None => matches!(family.thinking, Thinking::On | Thinking::Always),
            };
        }
        match family.reasoning {
            Reasoning::None => false,
            Reasoning::Nova => extra("reasoningConfig").is_some_and(|config| config["type"] == "enabled"),
            Reasoning::Effort | Reasoning::Always => true,
            Reasoning::Open => extra("reasoning_effort").or(extra("reasoning_config")).is_some(),
        }
    }

    /// If Claude keeps the text of its reasoning to itself, as its later generations do unless asked for a summary.
    fn omits(&self) -> bool {
        let family = self.target.family;
        let later = matches!(family.thinking, Thinking::Adaptive | Thinking::On | Thinking::Always);
        let shown = match Wanted::of(self.body).display {
            Some(display) => display == "summarized",
            None => !later,
        };
        family.strict_model && self.thinks() && !shown
    }

    /// Reasoning that nobody scripted. Nova never shows its own.
    pub(super) fn own(&self) -> Block {
        let text = format!("The user wants an answer to this: {}", self.prompt.trim());
        match self.target.family.reasoning {
            Reasoning::Nova => Block::Reasoning {
                hidden_tokens: tokens::of(&text),
                text: "[REDACTED]".to_owned(),
                signature: None,
            },
            _ => self.block(text),
        }
    }

    /// Only Claude signs its reasoning.
    pub(super) fn block(&self, text: String) -> Block {
        if self.omits() {
            return Block::Reasoning {
                signature: Some(signature::of(&text, signature::Text::Blank)),
                hidden_tokens: tokens::of(&text),
                text: String::new(),
            };
        }
        let signed = self.target.family.strict_model;
        Block::Reasoning {
            signature: signed.then(|| signature::of(&text, signature::Text::Shown)),
            text,
            hidden_tokens: 0,
        }
    }
}
