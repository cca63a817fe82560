//! CPU time per request and per streamed chunk.

use std::time::Duration;

use super::{Setting, median, settle, spread};
use crate::bodies::Shape;
use crate::error::Result;
use crate::meter;
use crate::plan::Plan;
use crate::table::{Bar, Compare, Row, Unit};
use crate::target::{Kind, Load, Target};

/// A load whose CPU time is measured.
#[derive(Debug)]
pub(crate) struct CpuWork {
    pub(crate) work: &'static str,
    shape: Shape,
    plan: Option<Plan>,
    connections: usize,
    /// Requests of a round; of streams there is one per connection.
    requests: usize,
    ramp: Duration,
    /// Times the proxy's.
    bar: f64,
}

/// The floor of everything.
pub(crate) const SMALL: CpuWork = whole(
    "small request, 16 connections, per request",
    Shape::Small,
    16,
    6_000,
    2.5,
);
/// A chat that has been going on for a while.
pub(crate) const CONVERSATION: CpuWork = whole("22 KB, 40 messages, per request", Shape::Conversation, 16, 3_000, 3.0);
/// A coding agent's turn.
pub(crate) const AGENT: CpuWork = whole(
    "200 KB, 40 messages, 30 tools, per request",
    Shape::Agent,
    16,
    1_000,
    6.0,
);
/// A picture.
pub(crate) const IMAGE: CpuWork = whole("2 MB image data URL, per request", Shape::Image, 8, 120, 3.5);
/// A picture that comes back.
pub(crate) const PAINTING: CpuWork = whole("1 MB image answer, per request", Shape::Painting, 8, 240, 3.0);
/// What an index is built of.
pub(crate) const VECTORS: CpuWork = whole(
    "a batch of 96 embeddings, numbers, per request",
    Shape::Texts { base64: false },
    8,
    400,
    4.0,
);
/// The same as OpenAI's clients ask for it.
pub(crate) const VECTORS_BASE64: CpuWork = whole(
    "a batch of 96 embeddings, base64, per request",
    Shape::Texts { base64: true },
    8,
    400,
    8.0,
);
/// The list of models, which the gateway has in memory and the proxy fetches.
pub(crate) const MODELS: CpuWork = whole(
    "models list, 16 connections, per request",
    Shape::Models,
    16,
    3_000,
    1.0,
);
/// Streams at the pace of a fast model. They start a little apart, so that the chunks don't all fall on one tick, where
/// one wake-up would carry many of them.
pub(crate) const PACED: CpuWork = CpuWork {
    work: "64 streams, a chunk each 10 ms, per chunk",
    shape: Shape::Small,
    plan: Some(Plan::words(200, 10)),
    connections: 64,
    requests: 64,
    ramp: Duration::from_millis(100),
    bar: 1.4,
};
/// Streams as fast as they go through.
pub(crate) const FULL_SPEED: CpuWork = CpuWork {
    work: "8 streams at full speed, per chunk",
    shape: Shape::Small,
    plan: Some(Plan::words(20_000, 0)),
    connections: 8,
    requests: 8,
    ramp: Duration::ZERO,
    bar: 1.8,
};

const fn whole(work: &'static str, shape: Shape, connections: usize, requests: usize, bar: f64) -> CpuWork {
    CpuWork {
        work,
        shape,
        plan: None,
        connections,
        requests,
        ramp: Duration::ZERO,
        bar,
    }
}

impl CpuWork {
    /// Measures it.
    pub(crate) fn measure(&self, setting: &Setting<'_>) -> Result<Vec<Row>> {
        let load = self.load(setting.divisor);
        let warm_up = self.load(5 * setting.divisor);
        let kinds = [Kind::Proxy, setting.gateway.clone()];
        // A process of its own for each round: of two equal proxies that lived through all rounds, one could come out
        // a fifth dearer in every single round.
        let [proxy, gateway] = setting.alternate(|which| {
            let target = setting.start(&kinds[which])?;
            // Pools and caches fill before anything counts.
            target.load(setting.scratch, &warm_up)?;
            one_round(setting, &target, &load)
        })?;
        Ok(vec![Row {
            work: self.work.to_owned(),
            unit: Unit::Microseconds,
            proxy: median(&proxy),
            gateway: median(&gateway),
            compare: Compare::Quotient,
            spread: spread(&proxy, &gateway),
            bar: Some(Bar::Ratio(self.bar)),
        }])
    }

    pub(crate) fn load(&self, divisor: usize) -> Load {
        let mut load = Load {
            shape: self.shape,
            plan: self.plan,
            connections: self.connections,
            requests: self.requests,
            ramp: self.ramp,
            slow: None,
        };
        match &mut load.plan {
            Some(plan) => plan.chunks /= divisor,
            None => load.requests /= divisor,
        }
        load
    }
}

/// CPU time per request or chunk, in microseconds.
pub(crate) fn one_round(setting: &Setting<'_>, target: &Target, load: &Load) -> Result<f64> {
    settle(20);
    let before = meter::cpu_time(target.server.pid())?;
    target.load(setting.scratch, load)?;
    settle(20);
    let used = meter::cpu_time(target.server.pid())?.saturating_sub(before);
    let parts = load.requests * load.plan.map_or(1, |plan| plan.chunks);
    Ok(used.as_secs_f64() * 1e6 / parts as f64)
}
