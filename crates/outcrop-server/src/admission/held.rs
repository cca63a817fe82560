//! What one call holds of its quota, and what is known of it.

use std::sync::Arc;

use outcrop_bedrock::converse::TokenUsage;
use outcrop_routing::ledger::{Lane, Reservation, Usage};

use super::{Admission, Estimate, now};

/// What one call holds of its quota. Dropped without a word, what was reserved counts as spent: so it is right to let
/// it go with a stream that is cut off.
#[derive(Debug)]
#[must_use = "dropping it says that it is spent"]
pub(crate) struct Held {
    admission: Arc<Admission>,
    reservation: Reservation,
    estimate: Estimate,
}

impl Held {
    pub(crate) fn new(admission: Arc<Admission>, reservation: Reservation, estimate: Estimate) -> Self {
        Self {
            admission,
            reservation,
            estimate,
        }
    }

    /// The lane, for its headers.
    pub(crate) fn lane(&self) -> Option<&Arc<Lane>> {
        self.reservation.lane()
    }

    /// AWS has begun to answer.
    pub(crate) fn accepted(&self) {
        self.reservation.accepted();
    }

    /// The answer is over, and cost this. All zeros are no news: what was reserved stays spent.
    pub(crate) fn settle(self, usage: TokenUsage) {
        let usage = Usage {
            input: usage.input_tokens,
            cache_write: usage.cache_write_input_tokens,
            cache_read: usage.cache_read_input_tokens,
            output: usage.output_tokens,
        };
        if usage != Usage::default() {
            self.admission.settle(self.reservation, &self.estimate, usage);
        }
    }

    /// AWS refused the call for a quota; `message` is what it said.
    pub(crate) fn throttled(self, message: &str) {
        self.reservation.throttled(now(), message);
    }

    /// AWS refused the call for another reason.
    pub(crate) fn refused(self) {
        self.reservation.refused();
    }

    /// The call was never sent.
    pub(crate) fn release(self) {
        self.reservation.release();
    }
}
