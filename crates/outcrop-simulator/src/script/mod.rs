//! Scripted behaviour: what a scenario's rules and the markers in a prompt ask for.

mod action;
mod markers;
mod scenario;

use std::time::Duration;

use serde_json::Value;

pub use action::{Action, ActionError, Fault};
pub use scenario::{Rule, Scenario, ScenarioError};

use crate::refusal::Refusal;
use crate::rules::{blocks, is_from, messages};

/// All that was asked for about one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// The blocks to answer with, in order.
    pub(crate) blocks: Vec<Scripted>,
    /// The length of a made-up text.
    pub(crate) tokens: Option<u64>,
    pub(crate) stop_reason: Option<String>,
    /// Answer with the request itself.
    pub(crate) echo: bool,
    pub(crate) delay: Option<Duration>,
    pub(crate) pace: Option<Duration>,
    /// Characters in a chunk.
    pub(crate) chunk: Option<usize>,
    pub(crate) cached: Option<Cached>,
    pub(crate) fault: Option<Fault>,
    errors: Vec<ScriptedError>,
}

/// Tokens that a cache is said to have given or taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached {
    pub(crate) read: u64,
    pub(crate) written: u64,
}

/// A block that was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Scripted {
    Text(String),
    Tool { name: String, input: Value },
    Reasoning(String),
}

#[derive(Clone, Debug)]
struct ScriptedError {
    refusal: Refusal,
    /// On how many calls; on all if not given.
    times: Option<u32>,
}

impl Script {
    pub(crate) fn new(actions: impl IntoIterator<Item = Action>) -> Script {
        let mut script = Script::default();
        for action in actions {
            script.add(action);
        }
        script
    }

    fn add(&mut self, action: Action) {
        match action {
            Action::Text(text) => self.blocks.push(Scripted::Text(text)),
            Action::Tool { name, input } => self.blocks.push(Scripted::Tool { name, input }),
            Action::Reasoning(text) => self.blocks.push(Scripted::Reasoning(text)),
            Action::Tokens(tokens) => self.tokens = Some(tokens),
            Action::Stop(reason) => self.stop_reason = Some(reason),
            Action::Echo => self.echo = true,
            Action::Delay(delay) => self.delay = Some(delay),
            Action::Pace(pace) => self.pace = Some(pace),
            Action::Chunk(chars) => self.chunk = Some(chars),
            Action::Cached { read, written } => self.cached = Some(Cached { read, written }),
            Action::Fault(fault) => self.fault = Some(fault),
            Action::Error {
                exception,
                message,
                times,
            } => {
                let message = message.unwrap_or_else(|| crate::refusal::default_message(&exception).to_owned());
                self.errors.push(ScriptedError {
                    refusal: Refusal { exception, message },
                    times,
                });
            }
        }
    }

    /// If the errors depend on how often this was called.
    pub(crate) fn counts_attempts(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The error for the `attempt`th call (from 1); errors with `times` follow one another.
    pub(crate) fn error_at(&self, attempt: u32) -> Option<&Refusal> {
        let mut left = attempt;
        for error in &self.errors {
            match error.times {
                None => return Some(&error.refusal),
                Some(times) if left <= times => return Some(&error.refusal),
                Some(times) => left -= times,
            }
        }
        None
    }
}

/// The text of the last user turn, where the markers stand.
pub(crate) fn last_user_text(body: &Value) -> String {
    let last = messages(body).iter().rfind(|message| is_from(message, "user"));
    let texts = last
        .map_or(&[][..], blocks)
        .iter()
        .filter_map(|block| block.get("text")?.as_str());
    texts.collect::<Vec<_>>().join("\n")
}

pub(crate) use markers::Marked;
