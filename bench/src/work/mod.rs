//! The works: what is done, how it is measured, and the bar for it.

pub(crate) mod cpu;
pub(crate) mod first_byte;
pub(crate) mod memory;
pub(crate) mod startup;
pub(crate) mod tenants;

use std::net::SocketAddr;
use std::time::Duration;

use crate::error::Result;
use crate::process::Scratch;
use crate::table::Row;
use crate::target::{Kind, Target};

/// What all works need.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    /// For logs and bodies.
    pub(crate) scratch: &'a Scratch,
    /// Where the stub listens.
    pub(crate) stub: SocketAddr,
    /// What stands in the gateway's column.
    pub(crate) gateway: Kind,
    /// Alternating rounds of each work.
    pub(crate) rounds: usize,
    /// By how much to divide the number of requests, for a quick look.
    pub(crate) divisor: usize,
}

impl Setting<'_> {
    /// The proxy and the gateway, freshly started.
    pub(crate) fn pair(&self) -> Result<[Target; 2]> {
        Ok([self.start(&Kind::Proxy)?, self.start(&self.gateway)?])
    }

    /// One of them, freshly started.
    pub(crate) fn start(&self, kind: &Kind) -> Result<Target> {
        Target::start(kind, self.scratch, self.stub)
    }

    /// Measures both in turn, in each round the other one first, so that what drifts on the machine meets both alike.
    pub(crate) fn alternate<T>(&self, mut measure: impl FnMut(usize) -> Result<T>) -> Result<[Vec<T>; 2]> {
        let mut figures = [Vec::new(), Vec::new()];
        for round in 0..self.rounds {
            for which in [round % 2, (round + 1) % 2] {
                figures[which].push(measure(which)?);
            }
        }
        Ok(figures)
    }
}

/// All works: the name for `--only`, and what makes its rows.
pub(crate) const WORKS: [(&str, Measure); 16] = [
    ("small", |setting| cpu::SMALL.measure(setting)),
    ("conversation", |setting| cpu::CONVERSATION.measure(setting)),
    ("agent", |setting| cpu::AGENT.measure(setting)),
    ("image", |setting| cpu::IMAGE.measure(setting)),
    ("models", |setting| cpu::MODELS.measure(setting)),
    ("painting", |setting| cpu::PAINTING.measure(setting)),
    ("vectors", |setting| cpu::VECTORS.measure(setting)),
    ("vectors-base64", |setting| cpu::VECTORS_BASE64.measure(setting)),
    ("paced", |setting| cpu::PACED.measure(setting)),
    ("full-speed", |setting| cpu::FULL_SPEED.measure(setting)),
    ("first-byte", first_byte::measure),
    ("idle", memory::idle),
    ("streams", memory::streams),
    ("slow-reader", memory::slow_reader),
    ("startup", startup::measure),
    ("tenants", tenants::measure),
];

/// Makes the rows of a work.
pub(crate) type Measure = fn(&Setting<'_>) -> Result<Vec<Row>>;

/// The middle one of `values`, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// The lowest and the highest quotient of a round.
pub(crate) fn spread(proxy: &[f64], gateway: &[f64]) -> Option<(f64, f64)> {
    let quotients = || gateway.iter().zip(proxy).map(|(gateway, proxy)| gateway / proxy);
    Some((quotients().reduce(f64::min)?, quotients().reduce(f64::max)?))
}

/// Waits until what was begun has ended: closing connections, freeing memory.
pub(crate) fn settle(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn the_spread_goes_round_by_round() {
        assert_eq!(spread(&[1.0, 2.0], &[2.0, 3.0]), Some((1.5, 2.0)));
        assert_eq!(spread(&[], &[]), None);
    }
}
