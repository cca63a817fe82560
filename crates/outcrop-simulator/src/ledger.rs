//! The tokens of all answers, as AWS's bill would have them: by model and request metadata.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::converse::Reply;
use crate::world::Reservation;

/// More rows than any test looks at. What comes beyond them is counted without its metadata.
const MAX_ROWS: usize = 10_000;

/// All that was answered.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<Key, Row>>);

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    model: String,
    /// As JSON.
    metadata: String,
}

#[derive(Debug, Default)]
struct Row {
    finished: Sum,
    aborted: Sum,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    calls: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

/// What an answer leaves behind when it is over.
#[derive(Debug)]
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    key: Key,
    sum: Sum,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Composed,
    Given,
    Finished,
}

/// What a call holds until its answer is over, or is given up.
pub(crate) struct Hold {
    entry: Entry,
    /// What was taken from quotas.
    _reservation: Option<Reservation>,
}

impl Ledger {
    /// An answer is composed, which may still become none.
    pub(crate) fn enter(self: &Arc<Ledger>, model: &str, request: &Value, reply: &Reply) -> Entry {
        let metadata = request.get("requestMetadata").filter(|metadata| metadata.is_object());
        let cached = reply.cached.as_ref();
        let sum = match reply.asked {
            true => Sum {
                calls: 1,
                input: reply.input_tokens,
                output: reply.output_tokens.max(1),
                cache_read: cached.map_or(0, |cached| cached.read),
                cache_write: cached.map_or(0, |cached| cached.written),
            },
            false => Sum {
                calls: 1,
                ..Sum::default()
            },
        };
        Entry {
            ledger: Arc::clone(self),
            key: Key {
                model: model.to_owned(),
                metadata: metadata.map_or_else(|| "{}".to_owned(), Value::to_string),
            },
            sum,
            state: State::Composed,
        }
    }

    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    pub(crate) fn shown(&self) -> Value {
        let rows = self.lock();
        let shown = rows.iter().map(|(key, row)| {
            json!({
                "model": key.model,
                "requestMetadata": serde_json::from_str::<Value>(&key.metadata).unwrap_or_default(),
                "finished": row.finished.shown(),
                "aborted": row.aborted.shown(),
            })
        });
        shown.collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sum {
    fn add(&mut self, more: Sum) {
        self.calls += more.calls;
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.cache_read = self.cache_read.saturating_add(more.cache_read);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
    }

    fn shown(self) -> Value {
        json!({
            "calls": self.calls,
            "inputTokens": self.input,
            "outputTokens": self.output,
            "cacheReadInputTokens": self.cache_read,
            "cacheWriteInputTokens": self.cache_write,
        })
    }
}

impl Hold {
    pub(crate) fn new(entry: Entry, reservation: Option<Reservation>) -> Hold {
        Hold {
            entry,
            _reservation: reservation,
        }
    }

    /// The answer is on its way.
    pub(crate) fn given(mut self) -> Hold {
        self.entry.state = State::Given;
        self
    }

    /// The client has all of it.
    pub(crate) fn finish(mut self) {
        self.entry.state = State::Finished;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.state == State::Composed {
            return;
        }
        let mut rows = self.ledger.lock();
        let mut key = self.key.clone();
        if rows.len() >= MAX_ROWS && !rows.contains_key(&key) {
            "{}".clone_into(&mut key.metadata);
        }
        let row = rows.entry(key).or_default();
        match self.state {
            State::Finished => row.finished.add(self.sum),
            _ => row.aborted.add(self.sum),
        }
    }
}
