//! Quotas: buckets that refill all the time. What a call may need is taken from them at its start, and what it did need
//! in its place at its end.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asked, covers, durations, is_named};
use crate::refusal::Refusal;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Quotas of some models. Of rows that fit, later ones win over earlier ones, number by number; each model, and each of
/// its inference profiles, has them for itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// The region; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The account; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A part of the model's or profile's id, or the whole with `*` for any text; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Tokens a day.
    pub tokens_per_day: Option<u64>,
    /// What is taken for a minute, so that tests need not wait for one.
    #[serde(with = "durations", skip_serializing_if = "Option::is_none")]
    pub period: Option<Duration>,
    /// What is taken for a day.
    #[serde(with = "durations", skip_serializing_if = "Option::is_none")]
    pub day: Option<Duration>,
}

/// So many in a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) amount: u64,
    pub(crate) period: Duration,
}

/// The limits of one model for one account in one region.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) requests: Option<Limit>,
    pub(crate) tokens: Option<Limit>,
    pub(crate) daily_tokens: Option<Limit>,
}

/// All that are set, and how full they are.
#[derive(Default)]
pub(crate) struct Quotas(Mutex<Ledger>);

#[derive(Default)]
struct Ledger {
    rules: Vec<Quota>,
    buckets: HashMap<Key, Bucket>,
    /// By region and model.
    refused: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    account: String,
    region: String,
    model: String,
    what: What,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum What {
    Requests,
    Tokens,
    DailyTokens,
}

struct Bucket {
    limit: Limit,
    /// What is left; below zero after an answer that burned more than was reserved.
    level: f64,
    at: Instant,
}

/// What a call has taken. Dropped, it gives back what the call didn't need, or takes what it needed beyond.
pub(crate) struct Reservation {
    quotas: Arc<Quotas>,
    keys: Vec<Key>,
    reserved: u64,
    used: u64,
}

impl Limits {
    fn of(rules: &[Quota], region: &str, account: &str, model: &str) -> Limits {
        let mut limits = Limits::default();
        let fits = |rule: &&Quota| {
            is_named(rule.region.as_ref(), region)
                && is_named(rule.account.as_ref(), account)
                && covers(rule.model.as_ref(), model)
        };
        for rule in rules.iter().filter(fits) {
            let within = |amount: Option<u64>, period: Option<Duration>, usual: Duration| {
                let period = period.filter(|period| !period.is_zero()).unwrap_or(usual);
                amount.map(|amount| Limit { amount, period })
            };
            limits.requests = within(rule.requests_per_minute, rule.period, MINUTE).or(limits.requests);
            limits.tokens = within(rule.tokens_per_minute, rule.period, MINUTE).or(limits.tokens);
            limits.daily_tokens = within(rule.tokens_per_day, rule.day, DAY).or(limits.daily_tokens);
        }
        limits
    }

    fn each(&self) -> impl Iterator<Item = (What, Limit)> {
        let all = [
            (What::Requests, self.requests),
            (What::Tokens, self.tokens),
            (What::DailyTokens, self.daily_tokens),
        ];
        all.into_iter().filter_map(|(what, limit)| Some((what, limit?)))
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let full = self.limit.amount as f64;
        let share = now.duration_since(self.at).as_secs_f64() / self.limit.period.as_secs_f64();
        self.level = (self.level + full * share).min(full);
        self.at = now;
    }
}

impl What {
    /// What AWS says where it doesn't fit.
    fn refusal(self) -> Refusal {
        let message = match self {
            What::Requests => "Too many requests, please wait before trying again.",
            What::Tokens => "Too many tokens, please wait before trying again.",
            What::DailyTokens => "Too many tokens per day, please wait before trying again.",
        };
        Refusal::new("ThrottlingException", message)
    }
}

impl Quotas {
    pub(super) fn new(rules: Vec<Quota>) -> Quotas {
        Quotas(Mutex::new(Ledger {
            rules,
            ..Ledger::default()
        }))
    }

    /// Takes one request and so many tokens, if all of it fits.
    ///
    /// # Errors
    ///
    /// `ThrottlingException`, and nothing is taken.
    pub(crate) fn reserve(self: &Arc<Quotas>, asked: Asked<'_>, tokens: u64) -> Result<Option<Reservation>, Refusal> {
        let now = Instant::now();
        let mut ledger = self.lock();
        let limits = Limits::of(&ledger.rules, asked.region, asked.account, asked.model);
        let mut keys = Vec::new();
        for (what, limit) in limits.each() {
            let key = Key {
                account: asked.account.to_owned(),
                region: asked.region.to_owned(),
                model: asked.model.to_owned(),
                what,
            };
            let bucket = ledger.buckets.entry(key.clone()).or_insert(Bucket {
                limit,
                level: limit.amount as f64,
                at: now,
            });
            bucket.refill(now);
            let wanted = if what == What::Requests { 1 } else { tokens };
            if bucket.level < wanted as f64 {
                let models = ledger.refused.entry(asked.region.to_owned()).or_default();
                *models.entry(asked.model.to_owned()).or_default() += 1;
                return Err(what.refusal());
            }
            keys.push(key);
        }
        for key in &keys {
            if let Some(bucket) = ledger.buckets.get_mut(key) {
                bucket.level -= if key.what == What::Requests { 1 } else { tokens } as f64;
            }
        }
        keys.retain(|key| key.what != What::Requests);
        Ok((!keys.is_empty()).then(|| Reservation {
            quotas: Arc::clone(self),
            keys,
            reserved: tokens,
            used: 0,
        }))
    }

    /// The limits that are enforced for a model.
    pub(crate) fn limits(&self, region: &str, account: &str, model: &str) -> Limits {
        Limits::of(&self.lock().rules, region, account, model)
    }

    /// How many calls were refused, by region and model.
    pub(crate) fn refused(&self) -> Value {
        json!(self.lock().refused)
    }

    /// Fills all buckets, and forgets what was refused.
    pub(crate) fn reset(&self) {
        let mut ledger = self.lock();
        ledger.buckets.clear();
        ledger.refused.clear();
    }

    pub(super) fn replace(&self, rules: Vec<Quota>) {
        let mut ledger = self.lock();
        ledger.rules = rules;
        ledger.buckets.clear();
    }

    pub(super) fn rules(&self) -> Vec<Quota> {
        self.lock().rules.clone()
    }

    /// What is left of each quota that was used.
    pub(super) fn levels(&self) -> Vec<Value> {
        let now = Instant::now();
        let mut ledger = self.lock();
        let mut levels: Vec<Value> = Vec::new();
        for (key, bucket) in &mut ledger.buckets {
            bucket.refill(now);
            levels.push(json!({
                "account": key.account,
                "region": key.region,
                "model": key.model,
                "quota": match key.what {
                    What::Requests => "requests_per_minute",
                    What::Tokens => "tokens_per_minute",
                    What::DailyTokens => "tokens_per_day",
                },
                "limit": bucket.limit.amount,
                "left": bucket.level.floor(),
            }));
        }
        levels.sort_by_key(Value::to_string);
        levels
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Says what the call burns in the end.
    pub(crate) fn burns(&mut self, tokens: u64) {
        self.used = tokens;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut ledger = self.quotas.lock();
        for key in &self.keys {
            if let Some(bucket) = ledger.buckets.get_mut(key) {
                bucket.refill(now);
                let full = bucket.limit.amount as f64;
                bucket.level = (bucket.level + self.reserved as f64 - self.used as f64).min(full);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn asked(account: &str) -> Asked<'_> {
        Asked {
            region: "us-east-1",
            account,
            operation: "Converse",
            model: "us.anthropic.claude-x",
        }
    }

    fn quotas(rules: &[Quota]) -> Arc<Quotas> {
        Arc::new(Quotas::new(rules.to_vec()))
    }

    fn tokens(amount: u64) -> Quota {
        Quota {
            tokens_per_minute: Some(amount),
            // So long that nothing comes back while a test runs.
            period: Some(1000 * HOUR),
            ..Quota::default()
        }
    }

    #[test]
    fn a_reservation_becomes_what_was_burned() {
        let quotas = quotas(&[tokens(1000)]);
        let mut first = quotas.reserve(asked("1"), 900).unwrap().unwrap();
        let refusal = quotas.reserve(asked("1"), 200).err().unwrap();
        assert_eq!(refusal.message, "Too many tokens, please wait before trying again.");
        first.burns(300);
        drop(first);
        assert!(quotas.reserve(asked("1"), 701).is_err());
        assert!(quotas.reserve(asked("1"), 700).is_ok());
        assert_eq!(quotas.refused()["us-east-1"]["us.anthropic.claude-x"], 2);
    }

    #[test]
    fn more_than_was_reserved_can_burn() {
        let quotas = quotas(&[tokens(1000)]);
        let mut first = quotas.reserve(asked("1"), 100).unwrap().unwrap();
        first.burns(1500);
        drop(first);
        assert!(quotas.reserve(asked("1"), 1).is_err());
        assert!(quotas.reserve(asked("2"), 1000).is_ok(), "each account has its own");
    }

    #[test]
    fn requests_refill() {
        let rule = Quota {
            requests_per_minute: Some(1),
            ..Quota::default()
        };
        let quotas = quotas(&[rule]);
        assert!(quotas.reserve(asked("1"), 0).is_ok());
        assert_eq!(
            quotas.reserve(asked("1"), 0).err().unwrap().message,
            "Too many requests, please wait before trying again."
        );
        for bucket in quotas.lock().buckets.values_mut() {
            bucket.at -= MINUTE;
        }
        assert!(quotas.reserve(asked("1"), 0).is_ok());
    }

    #[test]
    fn later_rules_win_number_by_number() {
        let day = Quota {
            model: Some("*claude*".to_owned()),
            tokens_per_day: Some(5),
            ..Quota::default()
        };
        let quotas = quotas(&[tokens(1000), day, tokens(10)]);
        let limits = quotas.limits("us-east-1", "1", "us.anthropic.claude-x");
        assert_eq!(limits.tokens.unwrap().amount, 10);
        assert_eq!(limits.daily_tokens, Some(Limit { amount: 5, period: DAY }));
        let message = quotas.reserve(asked("1"), 6).err().unwrap().message;
        assert_eq!(message, "Too many tokens per day, please wait before trying again.");
    }
}
