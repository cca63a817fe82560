//! Bodies with a prompt: one text that tells of the whole conversation, in the template that the model was trained on.
//!
//! AWS lets nearly any prompt pass, and a model answers one in a wrong template all the same, only worse. Here, a wrong
//! template is refused with what is wrong with it: the simulator is there to catch such mistakes. A right one is read
//! back into turns, so that the same rules apply and the same answers are composed as for Converse.

mod claude;
mod command;
mod deepseek;
mod headed;
mod imported;
mod inst;
mod jurassic;
mod labelled;
mod llama;
mod mistral;
mod pieces;
mod titan;

use serde_json::{Map, Value, json};

pub(super) use claude::Claude;
pub(super) use command::Command;
pub(super) use deepseek::DeepSeek;
pub(super) use imported::Imported;
pub(super) use jurassic::Jurassic;
pub(super) use llama::Llama;
pub(super) use mistral::Mistral;
pub(super) use titan::Titan;

use crate::converse::{Block, Reply};
use crate::refusal::Refusal;

/// The conversation that a prompt tells of.
#[derive(Debug, Default, PartialEq)]
struct Told {
    system: Option<String>,
    turns: Vec<(Role, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    User,
    Assistant,
}

impl Told {
    /// All of it in Converse's words.
    fn request(self, config: Map<String, Value>) -> Value {
        let messages = self.turns.into_iter().map(|(role, text)| {
            let role = if role == Role::User { "user" } else { "assistant" };
            json!({"role": role, "content": [{"text": text}]})
        });
        let mut request = json!({"messages": messages.collect::<Vec<_>>()});
        if let Some(system) = self.system {
            request["system"] = json!([{"text": system}]);
        }
        if !config.is_empty() {
            request["inferenceConfig"] = config.into();
        }
        request
    }
}

/// What limits the answer, by Converse's names; what isn't given is left out.
fn config<'a>(members: impl IntoIterator<Item = (&'a str, Option<&'a Value>)>) -> Map<String, Value> {
    let given = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_null())?.clone())));
    given.collect()
}

/// A prompt that isn't in its model's template. The words are ours.
fn wrong_prompt(template: &str, what: &str) -> Refusal {
    Refusal::validation(format!("Invalid prompt: not in the template of {template}: {what}"))
}

/// The text of an answer, all blocks in one.
fn text_of(reply: &Reply) -> String {
    let texts = reply.blocks.iter().filter_map(|block| match block {
        Block::Text(text) | Block::Citation { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// The words of a family for why an answer ended.
struct Reasons {
    end: &'static str,
    stop_sequence: &'static str,
    length: &'static str,
    filtered: &'static str,
}

impl Reasons {
    const PLAIN: Reasons = Reasons {
        end: "stop",
        stop_sequence: "stop",
        length: "length",
        filtered: "content_filter",
    };

    /// Words that Converse doesn't have stay as they are; what a guardrail did stands beside the answer.
    fn of<'a>(&self, stop_reason: &'a str) -> &'a str {
        match stop_reason {
            "end_turn" | "tool_use" | "guardrail_intervened" => self.end,
            "stop_sequence" => self.stop_sequence,
            "max_tokens" | "model_context_window_exceeded" => self.length,
            "content_filtered" => self.filtered,
            other => other,
        }
    }
}
