//! What a call holds of a quota while it is under way.

use std::sync::Arc;
use std::time::Instant;

use super::lane::{Lane, Outcome, Ticket};
use super::need::Usage;

/// What a call holds of a quota while it is under way.
///
/// Dropped without a word it counts as spent: nobody knows what AWS has taken for a call that was cut off, and it is no
/// more than that, but for answers that burn at a multiple.
#[derive(Debug)]
#[must_use = "dropping it says that it is spent"]
pub struct Reservation {
    /// `None` once it is settled.
    held: Option<(Arc<Lane>, Ticket)>,
    burn_rate: u64,
}

impl Reservation {
    pub(super) fn new(lane: Arc<Lane>, ticket: Ticket, burn_rate: u64) -> Self {
        Self {
            held: Some((lane, ticket)),
            burn_rate,
        }
    }

    /// The lane in which it counts.
    pub fn lane(&self) -> Option<&Arc<Lane>> {
        self.held.as_ref().map(|(lane, _)| lane)
    }

    /// The tokens that are reserved.
    pub fn tokens(&self) -> u64 {
        self.held.as_ref().map_or(0, |(_, ticket)| ticket.tokens)
    }

    /// AWS has begun to answer, so it has accepted the call, and what it refused of late is over.
    pub fn accepted(&self) {
        if let Some((lane, ticket)) = &self.held {
            lane.accepted(ticket.began);
        }
    }

    /// The call is over, and cost `usage`.
    pub fn settle(mut self, now: Instant, usage: Usage) {
        self.accepted();
        let tokens = usage.tokens(self.burn_rate);
        self.end(Some(now), Outcome::Spent(tokens));
    }

    /// The call was never sent; all comes back.
    pub fn release(mut self) {
        self.end(None, Outcome::Unused);
    }

    /// AWS refused the call, for other reasons than a quota; the tokens come back.
    pub fn refused(mut self) {
        self.end(None, Outcome::Refused);
    }

    /// AWS refused the call for a quota, which `message` may name. The tokens come back, and the lane learns.
    pub fn throttled(mut self, now: Instant, message: &str) {
        let lane = self.lane().cloned();
        self.end(None, Outcome::Refused);
        if let Some(lane) = lane {
            lane.throttled(now, message);
        }
    }

    fn end(&mut self, now: Option<Instant>, outcome: Outcome) {
        if let Some((lane, ticket)) = self.held.take() {
            lane.settle(now, ticket, outcome);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let tokens = self.tokens();
        self.end(None, Outcome::Spent(tokens));
    }
}
