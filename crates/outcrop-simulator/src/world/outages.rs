//! Outages, which begin and end.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Asked, covers, durations, is_named};
use crate::refusal::{Refusal, default_message};

/// A time in which a region, or a model in it, doesn't work. Of those that fit a call, the first counts.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outage {
    /// The region; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The account; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The operation, such as `ListFoundationModels`; each if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// A part of the model's identifier, or the whole with `*` for any text; each, and all that isn't about a model, if
    /// not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When it begins, counted from the start, or from when it was set; at once if not given.
    #[serde(with = "durations")]
    pub from: Option<Duration>,
    /// When it ends; never if not given.
    #[serde(with = "durations")]
    pub until: Option<Duration>,
    /// What happens meanwhile.
    pub kind: OutageKind,
}

/// What a call meets in an outage.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutageKind {
    /// `ThrottlingException`.
    Throttle,
    /// `ServiceUnavailableException`.
    #[default]
    Unavailable,
    /// `InternalServerException`.
    Internal,
    /// `ModelNotReadyException`.
    NotReady,
    /// The edge's page of HTML, with status 503.
    Html,
    /// The connection is reset before any answer.
    Reset,
    /// The connection stays open, and nobody answers.
    Silence,
}

/// What stops a call.
pub(crate) enum Stop {
    Refusal(Refusal),
    Html,
    Reset,
    Silence,
}

/// All that are set, and since when.
pub(crate) struct Outages(Mutex<(Instant, Vec<Outage>)>);

impl Outages {
    pub(super) fn new(rows: Vec<Outage>) -> Outages {
        Outages(Mutex::new((Instant::now(), rows)))
    }

    /// What stops a call, if anything does.
    pub(crate) fn stop(&self, asked: Asked<'_>) -> Option<Stop> {
        let kind = {
            let (since, rows) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let age = since.elapsed();
            rows.iter().find(|row| row.is_on(age) && row.fits(asked))?.kind
        };
        let refusal = |exception| Stop::Refusal(Refusal::new(exception, default_message(exception)));
        Some(match kind {
            OutageKind::Throttle => refusal("ThrottlingException"),
            OutageKind::Unavailable => refusal("ServiceUnavailableException"),
            OutageKind::Internal => refusal("InternalServerException"),
            OutageKind::NotReady => refusal("ModelNotReadyException"),
            OutageKind::Html => Stop::Html,
            OutageKind::Reset => Stop::Reset,
            OutageKind::Silence => Stop::Silence,
        })
    }

    pub(super) fn replace(&self, rows: Vec<Outage>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), rows);
    }

    pub(super) fn shown(&self) -> Vec<Outage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Outage {
    fn is_on(&self, age: Duration) -> bool {
        self.from.is_none_or(|from| from <= age) && self.until.is_none_or(|until| age < until)
    }

    fn fits(&self, asked: Asked<'_>) -> bool {
        let about_it = self.model.is_none() || !asked.model.is_empty();
        about_it
            && is_named(self.region.as_ref(), asked.region)
            && is_named(self.account.as_ref(), asked.account)
            && is_named(self.operation.as_ref(), asked.operation)
            && covers(self.model.as_ref(), asked.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_and_ends() {
        let outage: Outage = serde_json::from_str(r#"{"from": "2s", "until": "5s", "kind": "not-ready"}"#).unwrap();
        let on = [0, 2, 4, 5].map(|age| outage.is_on(Duration::from_secs(age)));
        assert_eq!(on, [false, true, true, false]);
        assert_eq!(outage.kind, OutageKind::NotReady);
    }

    #[test]
    fn a_models_outage_leaves_the_rest_of_the_region_alone() {
        let outage = Outage {
            model: Some("claude".to_owned()),
            ..Outage::default()
        };
        let asked = |operation, model| Asked {
            region: "us-east-1",
            account: "1",
            operation,
            model,
        };
        assert!(outage.fits(asked("Converse", "us.anthropic.claude-x")));
        assert!(!outage.fits(asked("Converse", "amazon.nova-lite-v1:0")));
        assert!(!outage.fits(asked("ListFoundationModels", "")));
    }
}
