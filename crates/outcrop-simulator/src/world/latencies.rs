//! Regions and models that are slower than others.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Asked, covers, durations, is_named};

/// How slow a region is. Of rows that fit a call, the last one counts.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// The region; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A part of the model's identifier, or the whole with `*` for any text; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What is added before the first byte.
    #[serde(with = "durations")]
    pub first_byte: Option<Duration>,
    /// The time between two chunks of a stream.
    #[serde(with = "durations")]
    pub pace: Option<Duration>,
}

/// All that are set.
pub(crate) struct Latencies(Mutex<Vec<Latency>>);

impl Latencies {
    pub(super) fn new(rows: Vec<Latency>) -> Latencies {
        Latencies(Mutex::new(rows))
    }

    /// What goes for a call.
    pub(crate) fn of(&self, asked: Asked<'_>) -> Latency {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = rows
            .iter()
            .rfind(|row| is_named(row.region.as_ref(), asked.region) && covers(row.model.as_ref(), asked.model));
        fitting.cloned().unwrap_or_default()
    }

    pub(super) fn replace(&self, rows: Vec<Latency>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    pub(super) fn shown(&self) -> Vec<Latency> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
