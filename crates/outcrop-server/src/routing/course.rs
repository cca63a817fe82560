//! The course of one request through its targets: where it is, and where it goes when a call fails.

mod ahead;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use outcrop_bedrock::call::Call;
use outcrop_routing::{Condition, Fallbacks, Flight, Found, Health, RouteTarget, Router, backoff};
use outcrop_upstream::{Client, Error, Failure, Limits};
use tokio::time::Instant;

pub(crate) use self::ahead::Stop;
use super::fill::Fill;
use super::glance::Glance;
use super::hold::{Hold, NoRoom, Sent};
use super::verdict::{self, Verdict};
use crate::admission::{Held, Wanted};

/// The course of one request.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    router: Arc<Router>,
    limits: Limits,
    patience: Patience,
    session: Option<String>,
    streams: bool,
    /// Whether the request says itself what is called.
    brings_model_id: bool,
    leg: Leg,
    /// All names that were or will be asked, so that fallbacks can't go in a circle.
    names: Vec<String>,
    /// Names to be asked yet.
    ahead: VecDeque<String>,
    /// Whether a guardrail or the context's length has chosen the names ahead.
    has_turned: bool,
}

/// How long a client waits for its answer: for all of a whole one, and for the beginning of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    ends: Option<(Instant, Duration)>,
}

impl Patience {
    /// Of a client whose request came `now`; for `None`, it says nothing.
    pub(crate) fn new(now: Instant, lasts: Option<Duration>) -> Self {
        Self {
            ends: lasts.and_then(|lasts| Some((now.checked_add(lasts)?, lasts))),
        }
    }

    fn limit(self, limits: Limits, call: &Call) -> Limits {
        let Some((end, _)) = self.ends else { return limits };
        let deadline = if call.is_stream() {
            limits.deadline
        } else {
            limits.deadline.min(end)
        };
        let left = end.saturating_duration_since(Instant::now());
        Limits {
            deadline,
            first_byte_timeout: limits.first_byte_timeout.min(left),
        }
    }

    fn is_over(self) -> bool {
        self.ends.is_some_and(|(end, _)| Instant::now() >= end)
    }

    /// The timeout is the client's, if its patience is over.
    fn blame(self, mut failure: Failure) -> Failure {
        if let (Error::Timeout { phase, limit }, Some((_, lasts)), true) =
            (&mut failure.error, self.ends, self.is_over())
        {
            *phase = "which is as long as the client waits";
            *limit = lasts;
        }
        failure
    }
}

/// A name, and what was tried of it.
#[derive(Clone, Debug, Default)]
struct Leg {
    /// The name, where it isn't the one that the request asks for.
    name: Option<String>,
    found: Option<Found>,
    order: Vec<usize>,
    at: usize,
    /// Targets that need not be asked again.
    barred: Vec<usize>,
    tries: u32,
    /// Places in the order where there was no room, and what was wanted there.
    full: Vec<(usize, Wanted)>,
    /// Places for which the request waits or has waited.
    waited: Vec<usize>,
    /// Whether it has waited in vain, and waits no more.
    has_waited: bool,
    /// Whether a later try may succeed.
    may_recover: bool,
    retry_after: Option<Duration>,
}

/// What comes after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same call, after a while.
    Repeat(Duration),
    /// Another target, after a while. The request must be planned for it.
    Move(Duration),
    /// Whichever target has room first.
    Queue,
    /// Nothing. The failure stands.
    Over,
}

impl Next {
    /// Waits for as long as it says.
    pub(crate) async fn pause(self) {
        match self {
            Self::Repeat(wait) | Self::Move(wait) if !wait.is_zero() => tokio::time::sleep(wait).await,
            _ => {}
        }
    }
}

impl Course {
    /// The course of a request for `name`.
    pub(crate) fn new(
        router: &Arc<Router>,
        (limits, patience): (Limits, Patience),
        name: Option<&str>,
        glance: Glance,
    ) -> Self {
        router.retry_budget.earn();
        router.hedge_budget.earn();
        let mut course = Self {
            router: Arc::clone(router),
            limits,
            patience,
            session: glance.session,
            streams: glance.streams,
            brings_model_id: glance.brings_model_id,
            leg: Leg::default(),
            names: Vec::new(),
            ahead: VecDeque::new(),
            has_turned: false,
        };
        let name = name.map(ToOwned::to_owned).or(glance.model);
        course.leg = course.leg_of(name.as_deref().unwrap_or_default());
        course.names.extend(name);
        course
    }

    /// The model that is asked here in place of the one that the request names.
    pub(crate) fn model(&self) -> Option<String> {
        let leg = &self.leg;
        let of_target = leg.found.as_ref().and_then(|found| found.model(self.index()?));
        of_target.or_else(|| leg.name.clone())
    }

    /// The target that is asked here; `None` for a name without a route.
    pub(crate) fn target(&self) -> Option<&RouteTarget> {
        self.leg.found.as_ref()?.target(self.index()?)
    }

    /// The name of the route that is followed, unless it is a pattern: what a client is free to choose is no name of the
    /// operator's.
    pub(crate) fn route_name(&self) -> Option<&str> {
        let name = self.leg.found.as_ref()?.name();
        (!name.contains('*')).then_some(name)
    }

    /// Whether the model that is asked here is of the client's choice: the route is a pattern.
    fn is_clients_model(&self) -> bool {
        let has_own = self.target().is_some_and(|target| target.model_id.is_some());
        self.leg.found.is_some() && (self.route_name().is_none() || self.brings_model_id && !has_own)
    }

    /// What the target adds to the request.
    pub(crate) fn fill(&self) -> Fill<'_> {
        Fill {
            of_target: self.target().and_then(|target| target.parameters.as_deref()),
            of_key: None,
        }
    }

    /// Whether a refused content may be asked of others.
    pub(crate) fn turns_from_content(&self) -> bool {
        !self.has_turned && !self.fallbacks().content_policy.is_empty()
    }

    /// Makes a call here, once. What it holds of quotas is `held`; without a `flight`, what becomes of it says nothing
    /// of the target.
    pub(super) async fn attempt(
        &self,
        client: &Client,
        call: &Call,
        held: Option<Held>,
        flight: Option<Flight>,
    ) -> Result<Sent, Failure> {
        let mut hold = Hold::new(flight, held, call.is_stream());
        let mut limits = self.limits;
        if let Some(timeout) = self.target().and_then(|target| target.first_byte_timeout) {
            limits.first_byte_timeout = limits.first_byte_timeout.min(timeout);
        }
        let limits = self.patience.limit(limits, call);
        let answered = client.attempt(call, limits).await;
        let now = std::time::Instant::now();
        match answered {
            Ok(reply) => {
                hold.answered(now);
                Ok(Sent { reply, hold })
            }
            Err(failure) => {
                hold.failed(now, &failure.error, self.is_clients_model());
                Err(self.patience.blame(failure))
            }
        }
    }

    /// How long to wait before a call is repeated that has failed `attempts` times, where that may help.
    pub(super) fn repeats_after(&self, failure: &Failure, attempts: u32) -> Option<Duration> {
        if Verdict::of(&failure.error) != Verdict::Again || attempts >= self.router.retries.max_attempts {
            return None;
        }
        let wait = self.wait(attempts, verdict::retry_after(&failure.error))?;
        self.router.retry_budget.spend().then_some(wait)
    }

    /// A call to this target begins; `None` if the target is left alone by now, be it that one call is finding out about
    /// it, while another target is well.
    pub(super) fn begin(&self) -> Option<Option<Flight>> {
        let Some(health) = self.health() else {
            return Some(None);
        };
        let now = std::time::Instant::now();
        match health.try_begin(now) {
            None if self.beside().is_some() => None,
            None => Some(Some(health.begin(now))),
            begun => Some(begun),
        }
    }

    /// What comes after a call that was not made here, as the target is left alone.
    pub(crate) fn after_left_alone(&mut self) -> Next {
        self.next_target().unwrap_or_else(|| self.fall_back())
    }

    /// What comes after a call for which there is no room here.
    pub(crate) fn after_no_room(&mut self, no_room: NoRoom) -> Next {
        let NoRoom { lane, need, .. } = no_room;
        let health = self.health().cloned();
        self.leg.full.push((self.leg.at, Wanted { lane, need, health }));
        if let Some(next) = self.next_target() {
            return next;
        }
        match self.leg.has_waited {
            true => self.fall_back(),
            false => Next::Queue,
        }
    }

    /// What comes after calls for some choices for which there is no room, while others are answered: they wait for it
    /// here. Another model would have to answer all of them anew.
    pub(crate) fn after_no_room_for_the_rest(&mut self, no_room: NoRoom) -> Next {
        let is_one_model = self.leg.found.as_ref().is_some_and(|found| {
            let own = self.index().and_then(|index| found.model(index));
            (0..found.targets().len()).all(|index| found.model(index) == own)
        });
        if is_one_model || self.leg.has_waited {
            return self.after_no_room(no_room);
        }
        let NoRoom { lane, need, .. } = no_room;
        let health = self.health().cloned();
        self.leg.full = vec![(self.leg.at, Wanted { lane, need, health })];
        Next::Queue
    }

    /// Whether the target is not well while others only lack room: then a call waits for whichever is there first.
    pub(super) fn only_waits(&self) -> bool {
        !self.leg.full.is_empty() && !self.leg.has_waited && !self.is_well()
    }

    /// The places where there was no room, and when the waiting must end.
    pub(crate) fn take_full(&mut self) -> (Vec<(usize, Wanted)>, std::time::Instant) {
        let end = match self.patience.ends {
            Some((end, _)) => end.min(self.limits.deadline),
            None => self.limits.deadline,
        };
        let full = std::mem::take(&mut self.leg.full);
        self.leg.waited = full.iter().map(|(at, _)| *at).collect();
        (full, end.into_std())
    }

    /// Goes to the target where there is room now. The others that were waited for come after it, if it fails.
    pub(crate) fn go_to(&mut self, at: usize) {
        let waited = std::mem::take(&mut self.leg.waited);
        let order = std::mem::take(&mut self.leg.order).into_iter().enumerate();
        let (others, mut asked): (Vec<_>, Vec<_>) =
            order.partition(|(place, _)| *place != at && waited.contains(place));
        // The one with room is the last of those that are done with.
        asked.sort_by_key(|(place, _)| *place == at);
        self.leg.at = asked.len().saturating_sub(1);
        self.leg.order = asked.into_iter().chain(others).map(|(_, index)| index).collect();
    }

    /// What comes after waiting in vain: one that was left alone meanwhile, which may be back.
    pub(crate) fn after_queue(&mut self) -> Next {
        self.leg.has_waited = true;
        let now = std::time::Instant::now();
        let is_left_alone = |at: &usize| {
            let index = self.leg.order.get(*at);
            let health = index.and_then(|index| self.leg.found.as_ref()?.health(*index));
            health.is_some_and(|health| health.condition(now) == Condition::Broken)
        };
        let left_alone = self.leg.waited.iter().copied().find(is_left_alone);
        if let Some(at) = left_alone
            && self.has_time()
            && self.router.retry_budget.spend()
        {
            self.leg.waited.clear();
            self.go_to(at);
            return Next::Move(Duration::ZERO);
        }
        self.another_round().unwrap_or_else(|| self.fall_back())
    }

    /// What comes after a call that failed here.
    pub(crate) fn after(&mut self, error: &Error) -> Next {
        self.leg.tries += 1;
        let verdict = Verdict::of(error);
        match verdict {
            Verdict::Final => return Next::Over,
            Verdict::ContextWindow => return self.turn(|fallbacks| fallbacks.context_window),
            Verdict::ContentPolicy => return self.turn(|fallbacks| fallbacks.content_policy),
            Verdict::Again => self.recovers(error),
            Verdict::Elsewhere => self.leg.barred.extend(self.index()),
        }
        if !self.has_time() {
            return Next::Over;
        }
        if let Some(next) = self.next_target() {
            return next;
        }
        if !self.leg.full.is_empty() && !self.leg.has_waited {
            return Next::Queue;
        }
        self.another_round().unwrap_or_else(|| self.fall_back())
    }

    /// Where it is, of the targets of its name.
    pub(crate) fn place(&self) -> Option<usize> {
        self.index()
    }

    /// A call failed at another place, whose course was given up for this one.
    pub(crate) fn lost(&mut self, place: Option<usize>, error: &Error) {
        match Verdict::of(error) {
            Verdict::Again => self.recovers(error),
            _ => self.leg.barred.extend(place),
        }
    }

    /// A later try may succeed.
    fn recovers(&mut self, error: &Error) {
        self.leg.may_recover = true;
        let asked = verdict::retry_after(error);
        self.leg.retry_after = match (self.leg.retry_after, asked) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// What comes after a plan that can't be made for this target, though it may for another one.
    pub(crate) fn after_problem(&mut self) -> Next {
        self.leg.barred.extend(self.index());
        self.next_target().unwrap_or_else(|| self.fall_back())
    }

    /// Goes on to models for content that this one refuses.
    pub(crate) fn after_refused_content(&mut self) -> Next {
        self.turn(|fallbacks| fallbacks.content_policy)
    }

    /// Whether there is a target beside this one that was not asked yet.
    pub(crate) fn has_other_target(&self) -> bool {
        self.leg.at + 1 < self.leg.order.len()
    }

    /// The same course at the next target that is well.
    pub(crate) fn beside(&self) -> Option<Self> {
        let mut beside = self.clone();
        let now = std::time::Instant::now();
        while beside.has_other_target() {
            beside.leg.at += 1;
            let is_well = beside
                .health()
                .is_some_and(|health| health.condition(now) == Condition::Well);
            let is_barred = beside.index().is_some_and(|index| beside.leg.barred.contains(&index));
            if is_well && !is_barred {
                beside.leg.tries += 1;
                return Some(beside);
            }
        }
        None
    }

    /// A target of this name that was not asked in this round. One that is well may always be asked; for others there
    /// is a budget.
    fn next_target(&mut self) -> Option<Next> {
        if self.leg.tries >= self.most_tries() {
            return None;
        }
        while self.has_other_target() {
            self.leg.at += 1;
            if self.index().is_none_or(|index| self.leg.barred.contains(&index)) {
                continue;
            }
            if self.is_well() || self.only_waits() || self.router.retry_budget.spend() {
                return Some(Next::Move(Duration::ZERO));
            }
        }
        None
    }

    /// All targets of this name again, if that may help and isn't too much.
    fn another_round(&mut self) -> Option<Next> {
        if !self.leg.may_recover || self.leg.tries >= self.most_tries() {
            return None;
        }
        let rounds = self.leg.tries.div_ceil(self.targets());
        let retry_after = self.leg.retry_after.take();
        let wait = self.wait(rounds, retry_after)?;
        if !self.router.retry_budget.spend() {
            return None;
        }
        let Some(found) = &self.leg.found else {
            return Some(Next::Repeat(wait));
        };
        self.leg.full.clear();
        let mut order = found.order(std::time::Instant::now() + wait, self.session.as_deref(), self.streams);
        order.retain(|index| !self.leg.barred.contains(index));
        let last = self.index();
        if order.is_empty() {
            return None;
        }
        self.leg.order = order;
        self.leg.at = 0;
        Some(match self.index() == last {
            true => Next::Repeat(wait),
            false => Next::Move(wait),
        })
    }

    fn targets(&self) -> u32 {
        let targets = self.leg.found.as_ref().map_or(1, |found| found.targets().len());
        u32::try_from(targets).unwrap_or(u32::MAX).max(1)
    }

    /// Each target once, and as many further tries as one target alone would get.
    fn most_tries(&self) -> u32 {
        self.router.retries.max_attempts.saturating_add(self.targets() - 1)
    }

    /// A wait before another round, if the client's patience lasts.
    fn wait(&self, rounds: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let wait = backoff(rounds, retry_after)?;
        let then = Instant::now() + wait;
        let has_time = then < self.limits.deadline && self.patience.ends.is_none_or(|(end, _)| then < end);
        has_time.then_some(wait)
    }

    /// The next model of those that are asked where all targets have failed.
    fn fall_back(&mut self) -> Next {
        if !self.has_turned {
            let general = self.fallbacks().general;
            self.look_ahead(general);
        }
        self.next_name()
    }

    /// The first model of those for a refusal; where there are none, a target with another model.
    fn turn(&mut self, list: impl Fn(Fallbacks) -> Vec<String>) -> Next {
        let names = list(self.fallbacks());
        if names.is_empty() {
            if let (Some(found), Some(own)) = (&self.leg.found, self.index()) {
                let model = found.model(own);
                let same = (0..found.targets().len()).filter(|index| found.model(*index) == model);
                self.leg.barred.extend(same);
            }
            return self.next_target().unwrap_or_else(|| self.next_name());
        }
        if !self.has_turned {
            self.has_turned = true;
            self.ahead.clear();
        }
        self.look_ahead(names);
        self.next_name()
    }

    fn look_ahead(&mut self, names: Vec<String>) {
        for name in names {
            if !self.names.contains(&name) {
                self.names.push(name.clone());
                self.ahead.push_back(name);
            }
        }
    }

    fn next_name(&mut self) -> Next {
        let Some(name) = self.ahead.pop_front() else {
            return Next::Over;
        };
        self.leg = self.leg_of(&name);
        self.leg.name = Some(name);
        Next::Move(Duration::ZERO)
    }

    fn fallbacks(&self) -> Fallbacks {
        self.router.fallbacks(self.leg.found.as_ref())
    }

    fn leg_of(&self, name: &str) -> Leg {
        let found = self.router.find(name);
        let now = std::time::Instant::now();
        let order = found
            .as_ref()
            .map(|found| found.order(now, self.session.as_deref(), self.streams))
            .unwrap_or_default();
        Leg {
            found,
            order,
            ..Leg::default()
        }
    }

    fn index(&self) -> Option<usize> {
        self.leg.order.get(self.leg.at).copied()
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.limits.deadline && !self.patience.is_over()
    }

    fn is_well(&self) -> bool {
        let now = std::time::Instant::now();
        let health = self.health();
        health.is_none_or(|health| health.condition(now) == Condition::Well)
    }

    fn health(&self) -> Option<&Arc<Health>> {
        self.leg.found.as_ref()?.health(self.index()?)
    }
}

#[cfg(test)]
mod tests;
