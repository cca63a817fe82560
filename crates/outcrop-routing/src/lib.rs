//! Which of many targets a call goes to, and when: routes, the health of targets, retries, quotas.
//!
//! There is no I/O here, and no clock: whoever asks says what time it is. So each decision can be tested by itself, and
//! an hour of traffic be played through in a moment.

mod config;
mod health;
pub mod ledger;
mod retry;
mod router;

pub use config::{
    Admission, Affinity, Breaker, Fallbacks, Hedging, QuotaRule, Retries, Route, RouteTarget, Routing, Strategy,
};
pub use health::{Condition, Flight, Health, Outcome};
pub use retry::{Budget, backoff};
pub use router::{Found, Lanes, Router};
