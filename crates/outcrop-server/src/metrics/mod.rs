//! What the gateway counts of itself, for Prometheus (`GET /metrics`) and for CloudWatch ([`emf`]).
//!
//! `definition` has all metrics. What requests come to is added when they are over, by [`Metrics::finish`]; while they are
//! under way, one atomic addition for each piece of a stream is all. What is kept elsewhere anyway, such as breakers,
//! queues and budgets, is looked up when somebody asks (`scrape`).

mod definition;
pub(crate) mod emf;
mod gauges;
mod page;
mod process;
mod scrape;
mod series;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use scrape::{answer, apart};
pub(crate) use series::Finished;
pub(crate) use value::Counted;

use self::definition::GAPS;
use self::emf::Emf;
use self::series::{Ends, Models, Tenants};
use self::value::{Bounded, Counter, Gauge, Histogram};
use crate::Config;

/// Values of labels that come from requests are no more than this, those of models and of projects each; the rest is
/// counted as [`OTHER`].
pub(crate) const MAX_SERIES: usize = 200;
/// The label of what has no room.
pub(crate) const OTHER: &str = "other";

/// What is counted, as long as the process lives.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Requests that are not over.
    in_flight: Arc<Gauge>,
    open_streams: Arc<Gauge>,
    connections: Arc<Gauge>,
    gaps: Histogram,
    /// Requests by how they ended.
    ends: Ends,
    models: Models,
    projects: Tenants,
    cache_hits: Counter,
    cache_misses: Counter,
    /// By region and what came of them.
    attempts: Bounded<Counter>,
    repeats: Counter,
    moves: Counter,
    /// Lines for CloudWatch; `None` where nobody wants them.
    emf: Option<Emf>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

impl Metrics {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            in_flight: Arc::default(),
            open_streams: Arc::default(),
            connections: Arc::default(),
            gaps: Histogram::new(GAPS),
            ends: Bounded::new(MAX_SERIES * 2),
            models: Bounded::new(MAX_SERIES),
            projects: Bounded::new(MAX_SERIES),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            attempts: Bounded::new(MAX_SERIES),
            repeats: Counter::default(),
            moves: Counter::default(),
            emf: config.emf.clone().map(Emf::new),
        }
    }

    /// A request has begun; it is over when this is dropped.
    pub(crate) fn request(&self) -> Counted {
        Counted::by(&self.in_flight)
    }

    /// A streamed answer has begun.
    pub(crate) fn stream(&self) -> Counted {
        Counted::by(&self.open_streams)
    }

    /// A client has connected.
    pub(crate) fn connection(&self) -> Counted {
        Counted::by(&self.connections)
    }

    /// So much time was between two pieces of a stream.
    pub(crate) fn gap(&self, gap: Duration) {
        self.gaps.observe(gap.as_secs_f64());
    }

    /// A call to Bedrock was tried, and this came of it.
    pub(crate) fn attempt(&self, region: &str, outcome: &'static str) {
        let series = self.attempts.of(&[region, outcome], &[OTHER, outcome], true);
        series.value.add(1);
    }

    /// A call is made once more, at the same target or at another one.
    pub(crate) fn retry(&self, is_same_target: bool) {
        match is_same_target {
            true => self.repeats.add(1),
            false => self.moves.add(1),
        }
    }

    /// Writes how much is open to CloudWatch once a minute, where that is wanted; it never ends.
    pub(crate) async fn tell_gauges(self: Arc<Self>) {
        let Some(emf) = &self.emf else { return };
        let mut times = tokio::time::interval(Duration::from_secs(60));
        times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            emf.write_gauges(self.open_streams.get(), self.in_flight.get());
        }
    }
}
