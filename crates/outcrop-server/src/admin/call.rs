//! A request for administration, and its answer.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::IF_MATCH;
use outcrop_store::Store;
use outcrop_tenants::validate::{self, Fault};
use outcrop_translate::{Problem, ProblemKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::access::Who;
use super::{patch, problems};
use crate::exchange::Gateway;

/// A request.
pub(super) struct Call {
    pub(super) gateway: Arc<Gateway>,
    pub(super) store: Store,
    pub(super) who: Who,
    /// What stands for the braces of the path.
    pub(super) path: HashMap<String, String>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) body: Value,
    /// What tells this state from others.
    pub(super) tag: Option<String>,
    /// What isn't as it was asked.
    pub(super) warning: Option<String>,
}

pub(super) type Answered = Result<Answer, Problem>;

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self {
            body,
            ..Self::default()
        }
    }
}

impl Answer {
    /// The state of something, which `If-Match` can name.
    pub(super) fn tagged(body: Value) -> Self {
        Self {
            tag: Some(patch::tag(&body)),
            body,
            warning: None,
        }
    }
}

impl Call {
    /// What stands for a brace of the path.
    pub(super) fn named(&self, brace: &str) -> &str {
        self.path.get(brace).map(String::as_str).unwrap_or_default()
    }

    /// The body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read(&self.body)
    }

    /// The body, where there may be none.
    pub(super) fn read_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.trim_ascii().is_empty() {
            return Ok(T::default());
        }
        self.read()
    }

    /// Refuses a change of something that is no longer as `If-Match` says.
    pub(super) fn check_match(&self, current: &Value) -> Result<(), Problem> {
        let mut wanted = self.headers.get_all(IF_MATCH).iter().peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let tag = patch::tag(current);
        let is_named = |value: &http::HeaderValue| {
            let text = value.to_str().unwrap_or_default();
            text.split(',').map(str::trim).any(|one| one == "*" || one == tag)
        };
        if wanted.any(is_named) {
            return Ok(());
        }
        let message = "It has been changed since it was read: 'If-Match' names another state.";
        let problem = Problem::new(412, ProblemKind::InvalidRequest, message);
        Err(problem.with_code("changed").with_param("if-match"))
    }

    /// Has what was changed hold from now on, in this process: what comes after the answer meets it. Others take it
    /// over within a second.
    pub(super) async fn take_over(&self) {
        if let Err(error) = self.gateway.tenants.refresh().await {
            // It is in the database, and comes with the next look into it.
            tracing::warn!(%error, "a change of an administrator holds a little later");
        }
    }
}

/// Reads an object of JSON.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = bytes.trim_ascii();
    if text.first() != Some(&b'{') {
        // Lists would be read as members in their order.
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
            Ok(_) => problems::of_fault(Fault::new("", "must be a JSON object")),
            Err(error) => not_json(&error),
        });
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            problems::of_fault(validate::misfit(&error))
        } else {
            not_json(error.inner())
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(read)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::invalid(format!("The request body is not valid JSON: {error}.")).with_code("invalid_json")
}
