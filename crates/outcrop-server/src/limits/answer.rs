//! What clients are told of their limits.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_routing::ledger::{RateLimit, RateLimits};
use outcrop_tenants::limits::{Limit, Rate, Rates, Refused, Warning};
use outcrop_translate::{Problem, ProblemKind};

/// `retry-after-ms`, which OpenAI's SDKs prefer to `Retry-After`.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// `X-Outcrop-Budget-Warning`: of each budget that has reached the sum from which it warns, whose it is, its period, what
/// is spent and the limit.
const X_OUTCROP_BUDGET_WARNING: HeaderName = HeaderName::from_static("x-outcrop-budget-warning");

/// What an answer or an error tells of limits, in headers.
#[derive(Debug)]
pub(crate) struct LimitHeaders {
    rates: Rates,
    retry_after_ms: Option<u64>,
    warning: Option<HeaderValue>,
}

impl LimitHeaders {
    pub(super) fn of_permit(rates: Rates, warnings: &[Warning]) -> Option<Box<Self>> {
        let texts: Vec<String> = warnings.iter().map(text).collect();
        let warning = (!texts.is_empty()).then(|| HeaderValue::try_from(texts.join(", ")));
        let this = Self {
            rates,
            retry_after_ms: None,
            warning: warning.and_then(Result::ok),
        };
        (this.rates != Rates::default() || this.warning.is_some()).then(|| Box::new(this))
    }

    pub(crate) fn of_refusal(refused: &Refused) -> Box<Self> {
        Box::new(Self {
            rates: refused.rates,
            retry_after_ms: refused.retry_after_ms.filter(|_| !refused.is_budget()),
            warning: None,
        })
    }

    /// Sets all but the rates.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        if let Some(millis) = self.retry_after_ms {
            headers.insert(RETRY_AFTER_MS, HeaderValue::from(millis));
        }
        if let Some(warning) = &self.warning {
            headers.insert(X_OUTCROP_BUDGET_WARNING, warning.clone());
        }
    }

    /// Of these limits and those of AWS each with less left.
    pub(crate) fn rates_with(&self, quotas: Option<RateLimits>) -> RateLimits {
        let lower = |own: Option<Rate>, quota: Option<RateLimit>| {
            let own = own.map(|rate| RateLimit {
                limit: rate.limit,
                remaining: rate.remaining,
                reset: Duration::from_millis(rate.reset_ms),
            });
            match (own, quota) {
                (Some(own), Some(quota)) => Some(if quota.remaining < own.remaining { quota } else { own }),
                (own, quota) => own.or(quota),
            }
        };
        RateLimits {
            requests: lower(self.rates.requests, quotas.and_then(|quotas| quotas.requests)),
            tokens: lower(self.rates.tokens, quotas.and_then(|quotas| quotas.tokens)),
        }
    }
}

/// Whose budget it is isn't told by its name, which may not be fit for a header.
fn text(warning: &Warning) -> String {
    let budget = &warning.budget;
    format!(
        "{} {} {}/{}",
        warning.scope.name(),
        budget.period.name(),
        budget.spent,
        budget.limit
    )
}

/// A request that a limit refused, as the client is told.
pub(crate) fn problem(refused: &Refused) -> Problem {
    let mut problem = if refused.is_budget() {
        Problem::new(429, ProblemKind::Quota, refused.to_string()).with_code("insufficient_quota")
    } else {
        Problem::new(429, ProblemKind::RateLimit, refused.to_string()).with_code("rate_limit_exceeded")
    };
    problem.retry_after_seconds = refused.retry_after_ms.map(|millis| millis.div_ceil(1000));
    let is_for_good = refused.retry_after_ms.is_none();
    let is_spent = matches!(&refused.limit, Limit::Budget(budget) if budget.spent >= budget.limit);
    if is_for_good || is_spent {
        problem.should_retry = Some(false);
    }
    problem
}
