//! The ledger: what of AWS's quotas is taken, so that calls that AWS would refuse aren't made.
//!
//! AWS takes the tokens of the prompt and the limit of the answer when a call begins, and puts in their place, when it
//! is over, what it cost: prompt, what was written to the cache, and the answer times a rate of the model's (Amazon
//! Bedrock User Guide, "How tokens are counted in Amazon Bedrock", read 2026-11). So does this ledger. Quotas are of a
//! model as it is called, in a region, by an account: each such has a [`Lane`].

mod estimate;
mod lane;
mod learned;
mod need;
mod quota_name;
mod quotas;
mod reservation;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::config::QuotaRule;
use lane::Hook;
use quotas::Known;

pub use estimate::{Estimator, Input};
pub use lane::Lane;
pub use need::{Full, Need, Quota, RateLimit, RateLimits, Usage};
pub use quota_name::{QuotaName, Scope, names_model};
pub use quotas::{LaneKey, Quotas};
pub use reservation::Reservation;

/// Lanes that are kept. Names of models come from requests, so there is an end to it.
const MAX_LANES: usize = 4096;

/// What of AWS's quotas is taken.
pub struct Ledger {
    start: Instant,
    known: RwLock<Known>,
    lanes: RwLock<HashMap<String, Arc<Lane>>>,
    hook: Option<Hook>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("known", &self.known)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger in which nothing is taken. No time that it is told later may be before `start`.
    #[must_use]
    pub fn new(rules: &[QuotaRule], start: Instant) -> Self {
        Self {
            start,
            known: RwLock::new(Known::of_rules(rules)),
            lanes: RwLock::default(),
            hook: None,
        }
    }

    /// Calls `hook` whenever there may be room in a lane in which somebody waits. It must not wait itself, nor ask the
    /// ledger.
    #[must_use]
    pub fn with_hook(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// The lane of calls to `model`, which stands for what has the quota: see [`quota_model`].
    pub fn lane(&self, now: Instant, account: Option<&str>, region: &str, model: &str) -> Arc<Lane> {
        let name = lane_name(account, region, model);
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&name) {
            return Arc::clone(lane);
        }
        drop(lanes);
        let key = LaneKey {
            account: account.map(str::to_owned),
            region: region.to_owned(),
            model: model.to_owned(),
        };
        // Held until the lane is there, or quotas that are told meanwhile would miss it.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let quotas = known.of(&key);
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= MAX_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_idle(now));
        }
        let has_room = lanes.len() < MAX_LANES;
        let new = || Arc::new(Lane::new(key, quotas, self.start, self.hook.clone()));
        if has_room {
            Arc::clone(lanes.entry(name).or_insert_with(new))
        } else {
            lanes.get(&name).map_or_else(new, Arc::clone)
        }
    }

    /// All lanes.
    pub fn lanes(&self) -> Vec<Arc<Lane>> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.values().cloned().collect()
    }

    /// The operator's quotas, in the place of what they were; what is taken stays.
    pub fn set_rules(&self, rules: &[QuotaRule]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.set_rules(rules);
        self.apply(&known);
    }

    /// What AWS says of an account's quotas in a region, by model, in the place of what it said before.
    pub fn set_quotas(&self, account: Option<&str>, region: &str, quotas: HashMap<String, Quotas>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.tell(account, region, quotas);
        self.apply(&known);
    }

    fn apply(&self, known: &Known) {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        for lane in lanes.values() {
            lane.set_quotas(known.of(lane.key()));
        }
    }
}

fn lane_name(account: Option<&str>, region: &str, model: &str) -> String {
    let account = account.unwrap_or_default();
    let mut name = String::with_capacity(account.len() + region.len() + model.len() + 2);
    for part in [account, "\0", region, "\0", model] {
        name.push_str(part);
    }
    name
}

/// What has the quota of calls to `called`, a model id, profile or ARN: an inference profile has one of its own, apart
/// from that of its model. `behind` is the model behind an ARN, where it is known. `None` where there is no such quota:
/// provisioned throughput has its own capacity, and imported and custom models have other rules.
#[must_use]
pub fn quota_model<'a>(called: &'a str, behind: Option<&'a str>) -> Option<&'a str> {
    if !called.starts_with("arn:") {
        return Some(called);
    }
    let resource = called.splitn(6, ':').nth(5)?;
    let (kind, id) = resource.split_once('/')?;
    match kind {
        "foundation-model" | "inference-profile" => Some(id),
        "application-inference-profile" | "prompt-router" | "default-prompt-router" => Some(behind.unwrap_or(called)),
        _ => None,
    }
}
