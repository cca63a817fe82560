//! Memory: idle, per open stream, and with a reader that lags behind. Each figure is of a process started for it, since
//! memory once taken is rarely given back.

use std::time::Duration;

use super::{Setting, settle};
use crate::bodies::Shape;
use crate::error::Result;
use crate::load::Slow;
use crate::meter::{self, Memory};
use crate::plan::Plan;
use crate::process::LoadClient;
use crate::table::{Bar, Compare, Row, Unit};
use crate::target::{Kind, Load, Target};

/// Streams held open at once.
const STREAMS: usize = 1_000;

/// One small request, to load what is loaded lazily.
const ONE: Load = Load {
    shape: Shape::Small,
    plan: None,
    connections: 1,
    requests: 1,
    ramp: Duration::ZERO,
    slow: None,
};

/// Resident memory after the first request, with nothing to do.
pub(crate) fn idle(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let measure = |kind| -> Result<f64> { Ok(megabytes(started(setting, kind)?.1.resident)) };
    Ok(vec![row(
        "idle memory",
        Unit::Megabytes,
        measure(&Kind::Proxy)?,
        measure(&setting.gateway)?,
        Some(Bar::AtMost(20.0)),
    )])
}

/// Memory per stream, with 1,000 of them held open and a chunk on each twice a second.
pub(crate) fn streams(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let load = Load {
        plan: Some(Plan::words(16, 500)),
        connections: STREAMS,
        requests: STREAMS,
        ramp: Duration::from_secs(2),
        ..ONE
    };
    let measure = |kind| -> Result<(f64, f64)> {
        let (target, idle) = started(setting, kind)?;
        let mut client = LoadClient::start(setting.scratch, &target.job(&load)?)?;
        client.wait_until_open()?;
        let mut held = 0;
        for _ in 0..30 {
            settle(100);
            held = held.max(meter::memory(target.server.pid())?.resident);
        }
        client.finish(target.name())?;
        let peak = meter::memory(target.server.pid())?.peak;
        let each = |bytes: u64| bytes.saturating_sub(idle.resident) as f64 / STREAMS as f64 / 1e3;
        Ok((each(held), each(peak)))
    };
    let (proxy, gateway) = (measure(&Kind::Proxy)?, measure(&setting.gateway)?);
    let bar = Some(Bar::AtMost(32.0));
    Ok(vec![
        row(
            "memory per open stream, 1,000 held",
            Unit::Kilobytes,
            proxy.0,
            gateway.0,
            bar,
        ),
        row("the same, at its peak", Unit::Kilobytes, proxy.1, gateway.1, None),
    ])
}

/// How much a process grows at most, in front of a client that reads a stream of 50 MB at 2 MB/s for five seconds, and
/// then the rest at once.
pub(crate) fn slow_reader(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let load = Load {
        plan: Some(Plan {
            text_bytes: 4_096,
            ..Plan::words(12_200, 0)
        }),
        slow: Some(Slow {
            bytes_per_second: 2_000_000,
            lasting: Duration::from_secs(5),
        }),
        ..ONE
    };
    let measure = |kind| -> Result<f64> {
        let (target, idle) = started(setting, kind)?;
        target.load(setting.scratch, &load)?;
        let peak = meter::memory(target.server.pid())?.peak;
        Ok(megabytes(peak.saturating_sub(idle.resident)))
    };
    // Buffers of hyper grow to 400 KB on each side; ten times that is still bounded, the stream is not.
    Ok(vec![row(
        "growth with a slow reader of 50 MB",
        Unit::Megabytes,
        measure(&Kind::Proxy)?,
        measure(&setting.gateway)?,
        Some(Bar::AtMost(4.0)),
    )])
}

/// A fresh process that has answered one request, and its memory then.
fn started(setting: &Setting<'_>, kind: &Kind) -> Result<(Target, Memory)> {
    let target = setting.start(kind)?;
    target.load(setting.scratch, &ONE)?;
    settle(500);
    let memory = meter::memory(target.server.pid())?;
    Ok((target, memory))
}

fn row(work: &str, unit: Unit, proxy: f64, gateway: f64, bar: Option<Bar>) -> Row {
    Row {
        work: work.to_owned(),
        unit,
        proxy,
        gateway,
        compare: Compare::Nothing,
        spread: None,
        bar,
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
