//! What tenants may do within a time, and what they may spend.
//!
//! [`Limits::admit`] asks this instance's own counters first, which cost nothing to ask, and then those of all instances
//! (`shared`), where there are any and they answer. The [`Permit`] holds on to both until the call is over. `follow` takes
//! over what the database has of what was spent.

mod answer;
mod follow;
mod need;
mod permit;
mod shared;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use outcrop_tenants::Money;
use outcrop_tenants::limits::{self, Ask, MostCost, Now, Refused, Reservation, ScopeLimits};

pub(crate) use self::answer::{LimitHeaders, problem};
pub(crate) use self::need::Calls;
pub(crate) use self::permit::Permit;
use self::shared::{Asked, Shared};
use crate::response_cache::RedisUrl;

/// The limits of all tenants.
#[derive(Debug)]
pub struct Limits {
    own: limits::Limits,
    shared: Option<Arc<Shared>>,
    /// When ticks began.
    start: Instant,
    /// How many calls were settled. Each is written down for the database before it is counted here.
    marks: AtomicU64,
}

/// What a call needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Tokens that it surely reads.
    pub(crate) input_tokens: u64,
    /// Tokens that it may write.
    pub(crate) output_tokens: u64,
    /// What it may cost.
    pub(crate) most_cost: MostCost,
    /// Whether its answer is streamed.
    pub(crate) is_stream: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            own: limits::Limits::default(),
            shared: None,
            start: Instant::now(),
            marks: AtomicU64::new(0),
        }
    }
}

impl Limits {
    /// Limits that are counted together with other instances, where `shared` says by which Redis. It must be called
    /// within a runtime of Tokio.
    #[must_use]
    pub fn new(shared: Option<&RedisUrl>) -> Arc<Self> {
        let (shared, jobs) = shared.map(Shared::new).unzip();
        let limits = Arc::new(Self {
            shared,
            ..Self::default()
        });
        if let (Some(shared), Some(jobs)) = (&limits.shared, jobs) {
            shared::work(shared, Arc::downgrade(&limits), jobs);
        }
        follow::sweep(Arc::downgrade(&limits));
        limits
    }

    /// Waits until it is known whether the Redis can be reached, where there is one: a few seconds at most.
    pub async fn ready(&self) {
        if let Some(shared) = &self.shared {
            shared.tried().await;
        }
    }

    /// Waits until the Redis, where there is one, knows of all calls that are over.
    pub async fn told(&self) {
        if let Some(shared) = &self.shared {
            shared.told().await;
        }
    }

    /// Lets a call through, if none of the limits is in its way. `scopes` are an organization, a project and a key.
    ///
    /// # Errors
    /// What is in its way.
    pub(crate) async fn admit(self: &Arc<Self>, scopes: &[ScopeLimits], need: Need) -> Result<Permit, Box<Refused>> {
        let ask = Ask {
            input_tokens: need.input_tokens,
            output_tokens: need.output_tokens,
            most_cost: need.most_cost,
            is_stream: need.is_stream,
            now: self.now(),
        };
        let own = self.own.admit(scopes, &ask)?;
        if own.is_empty() {
            return Ok(Permit::default());
        }
        self.tell(&own);
        let mut permit = Permit::new(Arc::clone(self), own);
        if let Some(shared) = &self.shared {
            // Boxed, since every request would else carry room for it.
            match Box::pin(shared.admit(&self.own, scopes, &ask)).await {
                Asked::Admitted(hold, rates) => permit.hold(hold, rates),
                Asked::Refused(refused) => return Err(refused),
            }
        }
        Ok(permit)
    }

    /// By both clocks.
    pub(crate) fn now(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Now {
            ticks: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            seconds: since_1970.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)),
        }
    }

    /// Says once of each budget and period that it has reached the sum from which it warns.
    fn tell(&self, reservation: &Reservation) {
        for warning in reservation.warnings().iter().filter(|warning| warning.is_first) {
            tracing::warn!(
                scope = warning.scope.name(),
                name = &*warning.name,
                period = warning.budget.period.name(),
                spent_usd = %warning.budget.spent,
                limit_usd = %warning.budget.limit,
                "a budget has reached the sum from which it warns"
            );
        }
    }

    fn settle(&self, reservation: Reservation, tokens: u64, cost: Money) {
        let mark = self.marks.fetch_add(1, Ordering::AcqRel) + 1;
        reservation.settle(self.now(), tokens, cost, mark);
    }
}
