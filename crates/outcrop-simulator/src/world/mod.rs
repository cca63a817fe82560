//! What differs from region to region, from account to account, and from one moment to the next: quotas, latencies,
//! outages; and what the accounts hold beside Bedrock.

mod durations;
mod latencies;
mod outages;
mod quotas;
mod things;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use latencies::Latencies;
pub use latencies::Latency;
pub use outages::{Outage, OutageKind};
pub(crate) use outages::{Outages, Stop};
pub use quotas::Quota;
pub(crate) use quotas::{Limit, Limits, Quotas, Reservation};
pub(crate) use things::Things;
pub use things::{Parameter, Role, Secret};

use crate::script::Scenario;

/// A call, as quotas, latencies and outages tell calls apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) operation: &'a str,
    /// As called; empty where no model is.
    pub(crate) model: &'a str,
}

/// What all regions share, and what can be changed while the simulator runs.
pub(crate) struct World {
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) outages: Outages,
    pub(crate) latencies: Latencies,
    pub(crate) things: Things,
}

impl World {
    pub(crate) fn new(scenario: &Scenario) -> World {
        World {
            quotas: Arc::new(Quotas::new(scenario.quotas.clone())),
            outages: Outages::new(scenario.outages.clone()),
            latencies: Latencies::new(scenario.latencies.clone()),
            things: Things::new(scenario),
        }
    }

    /// What is set of a kind.
    pub(crate) fn shown(&self, kind: &str) -> Option<Value> {
        Some(match kind {
            "quotas" => json!({"quotas": self.quotas.rules(), "levels": self.quotas.levels()}),
            "outages" => json!({"outages": self.outages.shown()}),
            "latencies" => json!({"latencies": self.latencies.shown()}),
            _ => return None,
        })
    }

    /// Replaces all that is set of a kind. `None` if there is no such kind, else what is wrong with the rows.
    pub(crate) fn replace(&self, kind: &str, body: &[u8]) -> Option<Result<(), serde_json::Error>> {
        Some(match kind {
            "quotas" => rows(body).map(|rows| self.quotas.replace(rows)),
            "outages" => rows(body).map(|rows| self.outages.replace(rows)),
            "latencies" => rows(body).map(|rows| self.latencies.replace(rows)),
            "secrets" => rows(body).map(|rows| self.things.put_secrets(rows)),
            "parameters" => rows(body).map(|rows| self.things.put_parameters(rows)),
            _ => return None,
        })
    }
}

/// A list of rows, or one row.
fn rows<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    match serde_json::from_slice(body)? {
        Value::Array(rows) => rows.into_iter().map(serde_json::from_value).collect(),
        row => Ok(vec![serde_json::from_value(row)?]),
    }
}

/// If a rule's word is said of a text: the same where it is exact, all where it isn't given.
fn is_named(word: Option<&String>, text: &str) -> bool {
    word.is_none_or(|word| word == text)
}

/// If a rule's model covers one: a part of its identifier, or the whole with `*` for any text.
fn covers(pattern: Option<&String>, model: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    if !pattern.contains('*') {
        return model.contains(first);
    }
    let Some(mut rest) = model.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_covered_by_a_part_or_a_pattern() {
        let covers = |pattern: &str, model| covers(Some(&pattern.to_owned()), model);
        assert!(covers("claude", "us.anthropic.claude-sonnet-4-6"));
        assert!(covers("us.*", "us.anthropic.claude-sonnet-4-6"));
        assert!(covers("*sonnet*6", "us.anthropic.claude-sonnet-4-6"));
        assert!(!covers("anthropic.*", "us.anthropic.claude-sonnet-4-6"));
        assert!(!covers("*sonnet", "us.anthropic.claude-sonnet-4-6"));
    }
}
