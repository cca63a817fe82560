//! Admission: calls that AWS would refuse for a quota go elsewhere, wait, or are refused here, with more to say.
//!
//! What is taken of quotas is kept by [`Ledger`]; here is who waits for it, and for how long.

mod headers;
mod held;
mod queue;
mod refresh;
mod refused;
mod service_quotas;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use outcrop_bedrock::call::CallBody;
use outcrop_routing::ledger::{
    Estimator, Full, Input, Lane, LaneKey, Ledger, Need, Quota, Reservation, Usage, quota_model,
};
use outcrop_routing::{Admission as Settings, Condition, Health};
use outcrop_translate::{CallSize, Catalogue};

pub(crate) use headers::rate_limit_headers;
pub(crate) use held::Held;
pub(crate) use refused::{Refused, Why};

use service_quotas::by_model;

use queue::{Candidate, Queue};

use crate::meter::Prompt;

/// When somebody else is first in a lane that has room, it will be theirs within a moment.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Who may call, and who waits.
#[derive(Debug)]
pub(crate) struct Admission {
    settings: RwLock<Arc<Settings>>,
    /// Whether anything is counted: nobody pays for what nobody asks for.
    counts: AtomicBool,
    ledger: Ledger,
    estimator: Estimator,
    queue: Arc<Queue>,
    asked: refresh::Asked,
}

/// A model as its quotas see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The account's name; `None` for the gateway's own.
    pub(crate) account: Option<&'a str>,
    /// The region that is asked.
    pub(crate) region: &'a str,
    /// What is called: a model id, a profile, an ARN.
    pub(crate) called: &'a str,
    /// The catalogue's name for the model, where it is known.
    pub(crate) base_id: Option<&'a str>,
}

/// Room that a call wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) lane: Arc<Lane>,
    pub(crate) need: Need,
    /// How the target is; `None` for one of which nothing is known.
    pub(crate) health: Option<Arc<Health>>,
}

impl Wanted {
    /// Whether a call may be made there, if there is room.
    fn is_well(&self, now: Instant) -> bool {
        let health = self.health.as_ref();
        health.is_none_or(|health| health.condition(now) == Condition::Well)
    }

    fn is_half_open(&self, now: Instant) -> bool {
        self.health.as_ref().is_some_and(|health| health.is_half_open(now))
    }
}

impl From<(Arc<Lane>, Need)> for Wanted {
    fn from((lane, need): (Arc<Lane>, Need)) -> Self {
        Self {
            lane,
            need,
            health: None,
        }
    }
}

/// What is known of a call before it is made.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    /// What it will take of quotas.
    pub(crate) need: Need,
    /// What its prompt consists of, to learn by.
    input: Input,
    /// The model that is learned of.
    model: String,
}

impl Admission {
    pub(crate) fn new(settings: Settings, is_told: bool) -> Self {
        let queue = Arc::new(Queue::default());
        let woken = Arc::clone(&queue);
        let ledger = Ledger::new(&settings.quotas, now()).with_hook(move || woken.wake());
        Self {
            counts: AtomicBool::new(is_told || settings.enabled || !settings.quotas.is_empty()),
            settings: RwLock::new(Arc::new(settings)),
            ledger,
            estimator: Estimator::default(),
            queue,
            asked: refresh::Asked::default(),
        }
    }

    /// New settings, and whether AWS tells quotas, in the place of what was. What is taken stays taken, and who waits goes on waiting.
    pub(crate) fn configure(&self, settings: Settings, is_told: bool) {
        self.ledger.set_rules(&settings.quotas);
        let counts = is_told || settings.enabled || !settings.quotas.is_empty();
        self.counts.store(counts, Ordering::Relaxed);
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.queue.wake();
    }

    /// Whether anything is counted.
    pub(crate) fn counts(&self) -> bool {
        self.counts.load(Ordering::Relaxed)
    }

    /// Requests that wait for room.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// What is taken of quotas.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The lane of a call; `None` where there is no quota.
    pub(crate) fn lane(&self, asked: Asked<'_>) -> Option<Arc<Lane>> {
        let model = quota_model(asked.called, asked.base_id)?;
        Some(self.ledger.lane(now(), asked.account, asked.region, model))
    }

    /// What a call will take of quotas.
    pub(crate) fn estimate(
        &self,
        catalogue: &Catalogue,
        base_id: Option<&str>,
        called: &str,
        body: &CallBody,
        size: CallSize,
    ) -> Estimate {
        let Prompt(input) = Prompt::of(body, size);
        let model = base_id.unwrap_or(called);
        let need = self.estimator.need(
            model,
            input,
            size.max_tokens,
            catalogue.max_output(base_id),
            self.settings().default_output_tokens,
            catalogue.output_burn_rate(base_id),
        );
        Estimate {
            need,
            input,
            model: model.to_owned(),
        }
    }

    /// About how many tokens a prompt has.
    pub(crate) fn prompt_tokens(&self, model: &str, input: Input) -> u64 {
        self.estimator.prompt_tokens(model, input)
    }

    /// Reserves what a call needs, without waiting. Who waits is first.
    ///
    /// # Errors
    /// When there is no room.
    pub(crate) fn try_reserve(&self, lane: &Arc<Lane>, need: Need) -> Result<Reservation, Full> {
        if !self.settings().enabled {
            return Ok(lane.reserve(now(), need));
        }
        if lane.waiting().load(Ordering::Acquire) == 0 {
            return lane.try_reserve(now(), need);
        }
        lane.check(now(), need)?;
        Err(soon(lane))
    }

    /// Waits until one of the candidates has room and is well, `tenant` being the key that asks. The index is that of
    /// the candidate. Whoever goes away meanwhile holds nothing.
    ///
    /// # Errors
    /// When none has room in time, or too many wait already.
    pub(crate) async fn wait_for_room<W: Clone + Into<Wanted>>(
        &self,
        candidates: &[W],
        tenant: &str,
        deadline: Option<Instant>,
    ) -> Result<(usize, Reservation), Refused> {
        let candidates: Vec<Wanted> = candidates.iter().cloned().map(Into::into).collect();
        let settings = self.settings();
        let start = now();
        for (index, wanted) in candidates.iter().enumerate() {
            if wanted.is_well(start)
                && let Ok(reservation) = self.try_reserve(&wanted.lane, wanted.need)
            {
                return Ok((index, reservation));
            }
        }
        let until = start + settings.queue_timeout;
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        let refused = |why| match soonest(&candidates, now()) {
            Some((key, full)) => Refused::new(why, key, full),
            None => Refused::nothing_to_ask(),
        };
        // Those that will have room, with time or when calls that are under way give some back.
        let hopeful = candidates.iter().enumerate().filter_map(|(index, wanted)| {
            let has_hope = match wanted.lane.check(start, wanted.need) {
                Ok(()) => true,
                Err(full) => full
                    .retry_after
                    .is_some_and(|after| start + after <= until || wanted.lane.in_flight() > 0),
            };
            let wanted = wanted.clone();
            has_hope.then_some(Candidate { index, wanted })
        });
        let hopeful: Vec<Candidate> = hopeful.collect();
        if until <= start || hopeful.is_empty() {
            return Err(refused(Why::Full));
        }
        let Some(mut place) = self.queue.enter(hopeful, tenant, settings.queue_limit) else {
            return Err(refused(Why::QueueFull));
        };
        match tokio::time::timeout_at(until.into(), place.granted()).await {
            Ok(Some(granted)) => Ok(granted),
            Ok(None) => Err(refused(Why::QueueFull)),
            Err(_) => Err(refused(Why::TimedOut)),
        }
    }

    /// Settles what a call cost, and learns from it.
    pub(crate) fn settle(&self, reservation: Reservation, estimate: &Estimate, usage: Usage) {
        reservation.settle(now(), usage);
        self.estimator.learn(&estimate.model, estimate.input, usage);
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where there will be room first, and when.
fn soonest(candidates: &[Wanted], now: Instant) -> Option<(LaneKey, Full)> {
    let mut soonest: Option<(&Wanted, Full)> = None;
    for wanted in candidates {
        let full = match wanted.lane.check(now, wanted.need) {
            Err(full) => full,
            Ok(()) if wanted.is_well(now) => soon(&wanted.lane),
            // It is not for want of room that nobody calls there.
            Ok(()) => continue,
        };
        if soonest.is_none_or(|(_, other)| is_sooner(full, other)) {
            soonest = Some((wanted, full));
        }
    }
    let (wanted, full) = soonest.or_else(|| {
        let first = candidates.first()?;
        Some((first, soon(&first.lane)))
    })?;
    Some((wanted.lane.key().clone(), full))
}

/// There may be room within a moment.
fn soon(lane: &Lane) -> Full {
    Full {
        quota: Quota::Tokens,
        limit: lane.quotas().tokens_per_minute,
        retry_after: Some(A_MOMENT),
    }
}

fn is_sooner(full: Full, other: Full) -> bool {
    match (full.retry_after, other.retry_after) {
        (Some(own), Some(others)) => own < others,
        (own, others) => own.is_some() && others.is_none(),
    }
}

/// The time, which tests let pass.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
