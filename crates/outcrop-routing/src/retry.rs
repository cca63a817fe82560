//! When to try again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The first wait is at most this long; each further one at most twice as long.
const BASE: Duration = Duration::from_millis(200);
/// No wait of our own is longer.
const LONGEST: Duration = Duration::from_secs(5);
/// What is always there, so that a gateway with little to do can retry at all; AWS's own SDKs have as much.
const RESERVE: f64 = 100.0;

/// A wait before the next try: exponential, with full jitter, and not before Bedrock's own word.
///
/// `attempt` counts the tries so far, from 1. `None` when Bedrock asks for more patience than a client has.
pub fn backoff(attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
    let longest = BASE.saturating_mul(1 << attempt.saturating_sub(1).min(8)).min(LONGEST);
    let jittered = longest.mul_f64(fastrand::f64());
    match retry_after {
        Some(asked) if asked > LONGEST => None,
        // Those who were refused together don't come back together.
        Some(asked) => Some(asked + jittered),
        None => Some(jittered),
    }
}

/// Further calls for all requests together, so that an outage is not made worse: each request earns a share of one,
/// each further call costs one.
#[derive(Debug)]
pub struct Budget {
    share: f64,
    reserve: f64,
    balance: Mutex<f64>,
}

impl Budget {
    /// A budget that earns `share` of a call with each request, and begins with what makes up for a hundred.
    pub fn new(share: f64) -> Self {
        Self::with_reserve(share, RESERVE)
    }

    /// A budget that begins with `reserve`, and never holds more.
    pub fn with_reserve(share: f64, reserve: f64) -> Self {
        Self {
            share,
            reserve,
            balance: Mutex::new(reserve),
        }
    }

    /// A request begins.
    pub fn earn(&self) {
        let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        *balance = (*balance + self.share).min(self.reserve);
    }

    /// Whether there is a call left, which is then spent.
    pub fn spend(&self) -> bool {
        let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        if *balance < 1.0 {
            return false;
        }
        *balance -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_in_bounds() {
        for attempt in 1..40 {
            let longest = BASE * 2_u32.pow((attempt - 1).min(8));
            assert!(backoff(attempt, None).unwrap() <= longest.min(LONGEST));
        }
        assert!(backoff(1, Some(Duration::from_secs(2))).unwrap() >= Duration::from_secs(2));
        let asked = Some(Duration::from_secs(2));
        assert!((0..20).any(|_| backoff(1, asked) != asked), "not all come back at once");
        assert_eq!(backoff(1, Some(Duration::from_secs(60))), None);
    }

    #[test]
    fn an_outage_uses_the_budget_up_and_requests_fill_it_again() {
        let budget = Budget::new(0.1);
        let spent = (0..1000).filter(|_| budget.spend()).count();
        assert_eq!(spent, RESERVE as usize);
        for _ in 0..25 {
            budget.earn();
        }
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 2);
    }
}
