//! Routes: which targets a name has, and in which order they are asked.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use crate::config::{Affinity, Breaker, Fallbacks, Hedging, Retries, Route, RouteTarget, Routing, Strategy};
use crate::health::{Condition, Health};
use crate::retry::Budget;

/// Latencies that differ by less are the same, so that a session need not move for nothing.
const SAME_LATENCY: f64 = 1.5;
/// A session leaves a target that has half as many calls again under way as the average, and as many more.
const SPARE_CALLS: u32 = 8;
/// Hedges that are always there.
const HEDGE_RESERVE: f64 = 10.0;

/// All routes, with what is known of their targets.
#[derive(Debug)]
pub struct Router {
    routes: Vec<Arc<Lanes>>,
    fallbacks: Fallbacks,
    /// How often a call is tried.
    pub retries: Retries,
    /// Asking a second target when the first is slow.
    pub hedging: Option<Hedging>,
    /// Tries again.
    pub retry_budget: Budget,
    /// Second calls while the first is silent.
    pub hedge_budget: Budget,
}

/// A route with how its targets are.
#[derive(Debug)]
pub struct Lanes {
    route: Route,
    health: Vec<Arc<Health>>,
}

/// A route that a name has, and the text that stands in the place of its `*`.
#[derive(Clone, Debug)]
pub struct Found {
    /// The route.
    pub lanes: Arc<Lanes>,
    captured: String,
}

impl Router {
    /// A router as the operator wants it, of whose targets nothing is known.
    pub fn new(routing: Routing) -> Self {
        Self::build(routing, None)
    }

    /// A router as the operator wants it from now on. How targets are that stay as they were is not forgotten.
    #[must_use]
    pub fn successor(&self, routing: Routing) -> Self {
        Self::build(routing, Some(self))
    }

    fn build(routing: Routing, before: Option<&Self>) -> Self {
        let Routing {
            routes,
            fallbacks,
            breaker,
            retries,
            hedging,
            admission: _,
        } = routing;
        let lanes = |route: Route| {
            let health = route.targets.iter().map(|target| {
                let known = before.and_then(|before| before.health_of(&route.name, target, &breaker));
                known.unwrap_or_else(|| Arc::new(Health::new(breaker.clone(), target.max_parallel_requests)))
            });
            Arc::new(Lanes {
                health: health.collect(),
                route,
            })
        };
        Self {
            routes: routes.into_iter().map(lanes).collect(),
            fallbacks,
            retry_budget: Budget::new(retries.budget),
            hedge_budget: Budget::with_reserve(hedging.map_or(0.0, |hedging| hedging.budget), HEDGE_RESERVE),
            retries,
            hedging,
        }
    }

    /// How a target is that is the same as one of the route `name`.
    fn health_of(&self, name: &str, target: &RouteTarget, breaker: &Breaker) -> Option<Arc<Health>> {
        let lanes = self.routes.iter().find(|lanes| lanes.route.name == name)?;
        let place = lanes.route.targets.iter().position(|known| known == target)?;
        let health = lanes.health.get(place)?;
        health.is_judged_by(breaker).then(|| Arc::clone(health))
    }

    /// Whether names may mean anything else than themselves, so that it is worth knowing them.
    pub fn is_plain(&self) -> bool {
        self.routes.is_empty() && self.fallbacks == Fallbacks::default()
    }

    /// The routes.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|lanes| &lanes.route)
    }

    /// All targets of all routes, with how they are.
    pub fn targets(&self) -> impl Iterator<Item = (&Route, &RouteTarget, &Arc<Health>)> {
        self.routes.iter().flat_map(|lanes| {
            let targets = lanes.route.targets.iter().zip(&lanes.health);
            targets.map(|(target, health)| (&lanes.route, target, health))
        })
    }

    /// The route of a name.
    pub fn find(&self, name: &str) -> Option<Found> {
        self.routes.iter().find_map(|lanes| {
            let captured = capture(&lanes.route.name, name)?.to_owned();
            Some(Found {
                lanes: Arc::clone(lanes),
                captured,
            })
        })
    }

    /// What is asked after the targets of `found`, or of a name without a route.
    pub fn fallbacks(&self, found: Option<&Found>) -> Fallbacks {
        let own = found
            .map(|found| found.lanes.route.fallbacks.clone())
            .unwrap_or_default();
        let or = |own: Vec<String>, general: &Vec<String>| match own.is_empty() {
            true => general.clone(),
            false => own,
        };
        Fallbacks {
            general: or(own.general, &self.fallbacks.general),
            context_window: or(own.context_window, &self.fallbacks.context_window),
            content_policy: or(own.content_policy, &self.fallbacks.content_policy),
        }
    }
}

impl Found {
    /// The route's name.
    pub fn name(&self) -> &str {
        &self.lanes.route.name
    }

    /// What the operator says of it.
    pub fn route(&self) -> &Route {
        &self.lanes.route
    }

    /// Its targets.
    pub fn targets(&self) -> &[RouteTarget] {
        &self.lanes.route.targets
    }

    /// The target numbered `index`.
    pub fn target(&self, index: usize) -> Option<&RouteTarget> {
        self.lanes.route.targets.get(index)
    }

    /// How the target numbered `index` is.
    pub fn health(&self, index: usize) -> Option<&Arc<Health>> {
        self.lanes.health.get(index)
    }

    /// The model that the target numbered `index` asks for; `None` for the name that was asked for.
    pub fn model(&self, index: usize) -> Option<String> {
        let model = self.target(index)?.model.as_deref()?;
        Some(model.replacen('*', &self.captured, 1))
    }

    /// Whether it matters which session a request belongs to.
    pub fn has_sessions(&self) -> bool {
        let route = &self.lanes.route;
        route.targets.len() > 1 && route.affinity == Affinity::Session && route.strategy != Strategy::Ordered
    }

    /// The numbers of all targets, in the order in which they should be asked now. Requests of one session get the same
    /// order as long as the targets are well. `streams` says which latency counts.
    pub fn order(&self, now: Instant, session: Option<&str>, streams: bool) -> Vec<usize> {
        let lanes = &*self.lanes;
        let mut order: Vec<usize> = (0..lanes.health.len()).collect();
        if order.len() < 2 {
            return order;
        }
        let session = session.filter(|_| self.has_sessions());
        match lanes.route.strategy {
            Strategy::Ordered => {}
            Strategy::Weighted => {
                let draws: Vec<f64> = order.iter().map(|index| lanes.draw(*index, session)).collect();
                sort_by_draw(&mut order, &draws);
            }
            Strategy::LeastBusy => lanes.sort_by_calls(&mut order, session),
            Strategy::LowestLatency => lanes.sort_by_latency(&mut order, session, (now, streams)),
        }
        order.sort_by_key(|index| lanes.condition(*index, now));
        order
    }
}

impl Lanes {
    fn condition(&self, index: usize, now: Instant) -> Condition {
        self.health
            .get(index)
            .map_or(Condition::Broken, |health| health.condition(now))
    }

    /// A number by which targets are sorted such that each is the first as often as its weight says: of a session always
    /// the same, else a random one (weighted rendezvous hashing). With a target fewer, only its own sessions move.
    fn draw(&self, index: usize, session: Option<&str>) -> f64 {
        let weight = self.route.targets.get(index).map_or(0, |target| target.weight);
        if weight == 0 {
            return f64::MAX;
        }
        -uniform(index, session).ln() / f64::from(weight)
    }

    fn sort_by_calls(&self, order: &mut [usize], session: Option<&str>) {
        let calls: Vec<u32> = self.health.iter().map(|health| health.in_flight()).collect();
        let average = calls.iter().sum::<u32>() / u32::try_from(calls.len()).unwrap_or(u32::MAX).max(1);
        let bound = average + average / 2 + SPARE_CALLS;
        sort_by_draw(order, &shuffle(order, session));
        order.sort_by_key(|index| {
            let calls = calls.get(*index).copied().unwrap_or_default();
            match session {
                Some(_) => u32::from(calls > bound),
                None => calls,
            }
        });
    }

    fn sort_by_latency(&self, order: &mut [usize], session: Option<&str>, (now, streams): (Instant, bool)) {
        // What nobody has measured may be the best.
        let latency = |health: &Arc<Health>| {
            let latency = health.first_byte(now, streams);
            latency.map_or(0.0, |latency| latency.as_secs_f64())
        };
        let latencies: Vec<f64> = self.health.iter().map(latency).collect();
        let best = latencies.iter().copied().fold(f64::MAX, f64::min).max(0.001);
        let rank = |index: &usize| {
            let latency = latencies.get(*index).copied().unwrap_or_default();
            match session {
                Some(_) if latency <= best * SAME_LATENCY => 0.0,
                _ => latency,
            }
        };
        sort_by_draw(order, &shuffle(order, session));
        order.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    }
}

/// Sorts targets by their numbers in `draws`.
fn sort_by_draw(order: &mut [usize], draws: &[f64]) {
    let draw = |index: &usize| draws.get(*index).copied().unwrap_or_default();
    order.sort_by(|one, other| draw(one).total_cmp(&draw(other)));
}

/// A number for each target, by which they come in a random order, which is always the same for a session.
fn shuffle(order: &[usize], session: Option<&str>) -> Vec<f64> {
    order.iter().map(|index| uniform(*index, session)).collect()
}

/// A number above 0 and at most 1 for a target: of a session always the same.
fn uniform(index: usize, session: Option<&str>) -> f64 {
    let Some(session) = session else {
        return 1.0 - fastrand::f64();
    };
    // Its keys are fixed, so that all instances and restarts agree as long as they are built by one compiler.
    let mut hasher = DefaultHasher::new();
    (session, index).hash(&mut hasher);
    // As many bits as an f64 keeps.
    ((hasher.finish() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
}

/// The text for which the first `*` of a pattern stands in a name, if the name fits; capital letters are the same as
/// small ones.
fn capture<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern.eq_ignore_ascii_case(name).then_some("");
    };
    let rest = name.get(before.len()..)?;
    let captured = rest.get(..rest.len().checked_sub(after.len())?)?;
    let fits = |text: Option<&str>, part: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(part));
    (fits(name.get(..before.len()), before) && fits(rest.get(captured.len()..), after)).then_some(captured)
}

#[cfg(test)]
mod tests;
