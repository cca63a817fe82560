//! Time from starting the process to the first request answered.

use std::time::Instant;

use super::{Setting, median};
use crate::bodies::{self, Shape};
use crate::error::Result;
use crate::plan::Plan;
use crate::process::{KEY, answers_ok, free_address};
use crate::table::{Bar, Compare, Row, Unit};
use crate::target::{Kind, Target, path};

/// Starts each several times, and asks every millisecond until there is an answer.
pub(crate) fn measure(setting: &Setting<'_>) -> Result<Vec<Row>> {
    let kinds = [Kind::Proxy, setting.gateway.clone()];
    let [proxy, gateway] = setting.alternate(|which| once(setting, &kinds[which]))?;
    Ok(vec![Row {
        work: "from start to the first answer".to_owned(),
        unit: Unit::Milliseconds,
        proxy: median(&proxy),
        gateway: median(&gateway),
        compare: Compare::Nothing,
        spread: None,
        bar: Some(Bar::AtMost(30.0)),
    }])
}

/// Milliseconds of one start.
fn once(setting: &Setting<'_>, kind: &Kind) -> Result<f64> {
    let address = free_address()?;
    let model = Plan::words(0, 0).model_id();
    let body = bodies::request(Shape::Small, &model, false)?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        path(kind, Shape::Small, &model, false),
        body.len(),
    );
    let request = [head.into_bytes(), body].concat();
    let start = Instant::now();
    let mut target = Target::launch(kind, setting.scratch, address, setting.stub)?;
    while !answers_ok(address, &request) {
        target.server.still_coming(start)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
