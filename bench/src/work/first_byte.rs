//! Time to the first byte of a streamed answer.

use std::time::Duration;

use super::{Setting, median};
use crate::bodies::Shape;
use crate::error::Result;
use crate::plan::Plan;
use crate::table::{Compare, Row, Unit};
use crate::target::Load;

/// Streams one after the other on one connection: nothing waits but for the work itself.
pub(crate) fn measure(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let load = Load {
        shape: Shape::Small,
        plan: Some(Plan::words(20, 0)),
        connections: 1,
        requests: 500 / setting.divisor,
        ramp: Duration::ZERO,
        slow: None,
    };
    let targets = setting.pair()?;
    for target in &targets {
        target.load(
            setting.scratch,
            &Load {
                requests: 100,
                ..load.clone()
            },
        )?;
    }
    let [proxy, gateway] = setting.alternate(|which| targets[which].load(setting.scratch, &load))?;
    let row = |work: &str, figure: fn(&crate::load::Report) -> f64| Row {
        work: work.to_owned(),
        unit: Unit::Microseconds,
        proxy: median(&proxy.iter().map(figure).collect::<Vec<_>>()),
        gateway: median(&gateway.iter().map(figure).collect::<Vec<_>>()),
        compare: Compare::Difference,
        spread: None,
        bar: None,
    };
    Ok(vec![
        row("time to first byte, median", |report| report.first_byte_p50_us),
        row("time to first byte, 99th percentile", |report| report.first_byte_p99_us),
    ])
}
