//! What a call holds of its limits while it is under way.

use std::sync::Arc;

use super::ask::{Now, Rates, Warning};
use super::gate::{Gate, Ticket};
use crate::Money;

/// What a call holds of its limits while it is under way. Dropped, it comes back whole: as of a call that wasn't made.
#[derive(Debug, Default)]
#[must_use = "dropping it says that the call was not made"]
pub struct Reservation {
    held: [Option<Held>; 3],
    rates: Rates,
    warnings: Vec<Warning>,
}

/// What a call holds of one gate.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) gate: Arc<Gate>,
    pub(super) ticket: Ticket,
}

impl Reservation {
    pub(super) fn new(held: [Option<Held>; 3], rates: Rates, warnings: Vec<Warning>) -> Self {
        Self { held, rates, warnings }
    }

    /// Whether anything was limited at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.iter().all(Option::is_none)
    }

    /// How much was left of the limits of a minute behind this call.
    #[must_use]
    pub fn rates(&self) -> Rates {
        self.rates
    }

    /// Budgets that have reached the sum from which they warn.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The call is over. It took so many tokens, and cost so much. `mark` is the number by which whoever writes it to the
    /// database counts it; see [`Limits::take_over`](super::Limits::take_over).
    pub fn settle(mut self, now: Now, tokens: u64, cost: Money, mark: u64) {
        for held in self.held.iter_mut().filter_map(Option::take) {
            held.gate.lock().settle(held.ticket, now, tokens, cost, mark);
        }
    }

    /// The call was not made.
    pub fn release(self) {}
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for held in self.held.iter_mut().filter_map(Option::take) {
            held.gate.lock().release(held.ticket);
        }
    }
}
