//! What came of a run, and the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::client::{Answer, Load};
use super::{REGIONS, SetUp};

/// What came of a run.
#[derive(Debug)]
pub(super) struct Figures {
    answers: Vec<Answer>,
    /// Calls that AWS refused for a quota, by region.
    throttled: BTreeMap<String, u64>,
    /// Calls that reached AWS.
    calls: u64,
}

impl Figures {
    /// Of what clients saw, and what the simulator says.
    pub(super) fn new(answers: Vec<Answer>, state: &Value) -> Self {
        let regions = state["throttled"].as_object().into_iter().flatten();
        let sum = |models: &Value| {
            models
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(_, count)| count.as_u64())
                .sum()
        };
        Self {
            answers,
            throttled: regions.map(|(region, models)| (region.clone(), sum(models))).collect(),
            calls: state["calls"]["total"].as_u64().unwrap_or(0),
        }
    }

    /// Requests that a client got no answer to.
    pub(super) fn errors(&self) -> usize {
        self.answers.iter().filter(|answer| answer.error.is_some()).count()
    }

    fn throttles(&self) -> u64 {
        self.throttled.values().sum()
    }

    /// Throttles of AWS's for a hundred requests.
    pub(super) fn throttles_in_hundred(&self) -> f64 {
        self.throttles() as f64 * 100.0 / self.answers.len().max(1) as f64
    }

    /// Times that requests took that were answered, from the shortest.
    fn times(&self, is_meant: impl Fn(&Answer) -> bool) -> Vec<Duration> {
        let answered = self.answers.iter().filter(|answer| answer.error.is_none());
        let mut times: Vec<Duration> = answered
            .filter(|answer| is_meant(answer))
            .map(|answer| answer.took)
            .collect();
        times.sort_unstable();
        times
    }

    /// What clients were told, and how often.
    fn messages(&self) -> BTreeMap<String, usize> {
        let mut messages = BTreeMap::new();
        for error in self.answers.iter().filter_map(|answer| answer.error.as_ref()) {
            // When there will be room differs from one to the next.
            let error = error.split(" There will be room").next().unwrap_or_default();
            *messages.entry(error.to_owned()).or_default() += 1;
        }
        messages
    }
}

fn percentile(times: &[Duration], part: f64) -> String {
    let index = (times.len().saturating_sub(1) as f64 * part).round() as usize;
    let time = times.get(index).copied().unwrap_or_default();
    format!("{:.2} s", time.as_secs_f64())
}

/// The table, in Markdown, and below it the errors.
pub(super) fn table(load: &Load, all: &[(SetUp, Figures)]) -> String {
    let mut text = format!(
        "{} requests in {} s, a third of them streams, {} tokens a minute; quotas of ",
        load.requests,
        load.lasting.as_secs(),
        load.tokens_a_minute(1.0),
    );
    let quotas = REGIONS.map(|(region, _, share, _)| format!("{} ({region})", load.quota(share)));
    let _ = writeln!(text, "{}\n", quotas.join(", "));
    let mut row = |name: &str, cell: &dyn Fn(&SetUp, &Figures) -> String| {
        let cells: Vec<String> = all.iter().map(|(set_up, figures)| cell(set_up, figures)).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    row("", &|set_up, _| set_up.what.to_owned());
    row("---", &|_, _| "---:".to_owned());
    row("requests that failed", &|_, figures| figures.errors().to_string());
    row("calls that reached AWS", &|_, figures| figures.calls.to_string());
    row("throttled by AWS", &|_, figures| {
        format!("{} ({:.1} %)", figures.throttles(), figures.throttles_in_hundred())
    });
    for (region, ..) in REGIONS {
        row(&format!("throttled in {region}"), &|_, figures| {
            figures.throttled.get(region).copied().unwrap_or(0).to_string()
        });
    }
    for (region, ..) in REGIONS {
        row(&format!("answered by {region}"), &|_, figures| {
            let by = |answer: &&Answer| answer.region.as_deref() == Some(region);
            figures.answers.iter().filter(by).count().to_string()
        });
    }
    row("more than one call", &|_, figures| {
        figures
            .answers
            .iter()
            .filter(|answer| answer.attempts > 1)
            .count()
            .to_string()
    });
    for (name, streams) in [("whole answers", false), ("first bytes of streams", true)] {
        row(&format!("{name}: median, 95 %, 99 %, all"), &|_, figures| {
            let times = figures.times(|answer| answer.streams == streams);
            [0.5, 0.95, 0.99, 1.0].map(|part| percentile(&times, part)).join(", ")
        });
    }
    row(
        "whole answers, 95 %: the loudest tenant's, the others'",
        &|_, figures| {
            let of = |is_loudest: bool| {
                percentile(
                    &figures.times(|answer| !answer.streams && (answer.tenant == 0) == is_loudest),
                    0.95,
                )
            };
            format!("{}, {}", of(true), of(false))
        },
    );
    for (set_up, figures) in all {
        for (message, count) in figures.messages() {
            let _ = writeln!(text, "\n{}: {count} × {message}", set_up.name);
        }
    }
    text
}
