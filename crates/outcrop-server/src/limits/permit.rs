//! What a request holds of its tenant's limits.

use std::sync::Arc;

use outcrop_tenants::Money;
use outcrop_tenants::limits::{Rates, Reservation};

use super::shared::Hold;
use super::{LimitHeaders, Limits};

/// What a request holds of its tenant's limits while it is under way. Dropped, it comes back whole: as of a request for
/// which Bedrock wasn't asked.
#[derive(Debug, Default)]
pub(crate) struct Permit(Option<Held>);

#[derive(Debug)]
struct Held {
    limits: Arc<Limits>,
    own: Reservation,
    shared: Option<Hold>,
    rates: Rates,
}

impl Permit {
    pub(super) fn new(limits: Arc<Limits>, own: Reservation) -> Self {
        let rates = own.rates();
        Self(Some(Held {
            limits,
            own,
            shared: None,
            rates,
        }))
    }

    pub(super) fn hold(&mut self, hold: Hold, rates: Option<Rates>) {
        if let Some(held) = &mut self.0 {
            held.shared = Some(hold);
            held.rates = rates.map_or(held.rates, |rates| rates.tighter(held.rates));
        }
    }

    /// What the answer tells of limits and budgets.
    pub(crate) fn headers(&self) -> Option<Box<LimitHeaders>> {
        let held = self.0.as_ref()?;
        LimitHeaders::of_permit(held.rates, held.own.warnings())
    }

    /// The request is over. It took so many tokens, and cost so much. What it leaves for the database must have been
    /// written down before.
    pub(crate) fn settle(mut self, tokens: u64, cost: Money) {
        if let Some(held) = self.0.take() {
            held.limits.settle(held.own, tokens, cost);
            // What is told to the others has this in it.
            if let Some(hold) = held.shared {
                hold.settle(tokens);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            held.own.release();
            if let Some(hold) = held.shared {
                hold.release();
            }
        }
    }
}
