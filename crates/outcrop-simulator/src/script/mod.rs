//! Scripted behaviour: what a scenario's rules and the markers in a prompt ask for.

mod action;
mod conversation;
mod field;
mod markers;
mod scan;
mod scenario;
mod words;

use std::time::Duration;

use serde_json::Value;

pub use action::{Action, ActionError, Fault};
pub(crate) use conversation::{Directions, user_text};
pub(crate) use markers::Marked;
pub use scenario::{Rule, Scenario, ScenarioError};

use crate::prompt_cache::Cached;
use crate::refusal::Refusal;

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
    /// What a cache is said to have done.
    pub(crate) cached: Option<Cached>,
    pub(crate) fault: Option<Fault>,
    /// How a stream's blocks are numbered, if not from 0.
    pub(crate) block_numbers: Vec<usize>,
    /// If the fragments of several calls take turns.
    pub(crate) interleave: bool,
    errors: Vec<ScriptedError>,
    refused_fields: Vec<(String, Refusal)>,
}

/// A block that was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Scripted {
    Text(String),
    Tool { name: String, input: Value },
    RawTool { name: String, arguments: String },
    Reasoning(String),
    RedactedReasoning,
    Citation(String),
    Image,
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
            Action::RawTool { name, arguments } => self.blocks.push(Scripted::RawTool { name, arguments }),
            Action::RedactedReasoning => self.blocks.push(Scripted::RedactedReasoning),
            Action::Citation(text) => self.blocks.push(Scripted::Citation(text)),
            Action::Image => self.blocks.push(Scripted::Image),
            Action::BlockNumbers(numbers) => self.block_numbers = numbers,
            Action::Interleave => self.interleave = true,
            Action::RefuseField {
                path,
                exception,
                message,
            } => self.refused_fields.push((path, Refusal::new(&exception, message))),
            // Which of their steps is followed was decided before.
            Action::Sequence { .. } | Action::Turns(_) => {}
            Action::Tokens(tokens) => self.tokens = Some(tokens),
            Action::Stop(reason) => self.stop_reason = Some(reason),
            Action::Echo => self.echo = true,
            Action::Delay(delay) => self.delay = Some(delay),
            Action::Pace(pace) => self.pace = Some(pace),
            Action::Chunk(chars) => self.chunk = Some(chars),
            Action::Cached { read, written } => self.cached = Some(Cached::told(read, written)),
            Action::Fault(fault) => self.fault = Some(fault),
            Action::Error {
                exception,
                message,
                times,
                retry_after,
            } => {
                let message = message.unwrap_or_else(|| crate::refusal::default_message(&exception).to_owned());
                self.errors.push(ScriptedError {
                    refusal: Refusal {
                        retry_after,
                        ..Refusal::new(&exception, message)
                    },
                    times,
                });
            }
        }
    }

    /// The refusal of the first field that the body shouldn't hold.
    pub(crate) fn refused_field(&self, body: &Value) -> Option<&Refusal> {
        let held = self.refused_fields.iter().find(|(path, _)| field::holds(body, path));
        held.map(|(_, refusal)| refusal)
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
