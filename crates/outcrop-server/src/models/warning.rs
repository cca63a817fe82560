//! What of the account's models can't be told, and why.

use http::HeaderValue;
use outcrop_upstream::Listed;
use serde_json::{Value, json};

use super::gather::List;

/// A list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    region: String,
    /// The operation, and the IAM action.
    operation: &'static str,
    /// Whether a permission is missing.
    pub(super) is_denied: bool,
    reason: String,
    /// What is shown in its place.
    instead: Option<&'static str>,
}

impl Warning {
    /// What is wrong with a list; `stand_in` is shown where it was never read.
    pub(super) fn of<T: Listed>(region: &str, list: &List<T>, stand_in: Option<&'static str>) -> Option<Self> {
        let failure = list.failure.as_ref()?;
        Some(Self {
            region: region.to_owned(),
            operation: T::OPERATION,
            is_denied: failure.is_denied,
            reason: failure.reason.clone(),
            instead: match list.items {
                Some(_) => Some("what it told before"),
                None => stand_in,
            },
        })
    }

    /// The same where nothing is shown in its place.
    pub(super) fn without_stand_in(mut self) -> Self {
        self.instead = None;
        self
    }

    fn message(&self) -> String {
        let (operation, region) = (self.operation, &self.region);
        let mut message = if self.is_denied {
            format!("bedrock:{operation} is not allowed in {region}")
        } else {
            format!(
                "bedrock:{operation} failed in {region} ({})",
                self.reason.trim_end_matches('.')
            )
        };
        match self.instead {
            Some(instead) => message.push_str(&format!("; in its place: {instead}.")),
            None => message.push_str("; what only it lists is missing here."),
        }
        message
    }

    /// As clients are told.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "code": if self.is_denied { "missing_permission" } else { "list_failed" },
            "action": format!("bedrock:{}", self.operation),
            "region": self.region,
            "message": self.message(),
        })
    }
}

/// All of them in a header.
pub(super) fn header(warnings: &[Warning]) -> Option<HeaderValue> {
    let messages: Vec<String> = warnings.iter().map(Warning::message).collect();
    header_of(&messages.join(" "))
}

/// A text as the value of a header.
pub(crate) fn header_of(text: &str) -> Option<HeaderValue> {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_ascii_graphic() { letter } else { ' ' })
        .collect();
    HeaderValue::from_str(&text).ok().filter(|text| !text.is_empty())
}

/// Says in the log what is new.
pub(super) fn log(now: &[Warning], before: &[Warning]) {
    for warning in now.iter().filter(|warning| !before.contains(warning)) {
        tracing::warn!(
            region = warning.region,
            reason = warning.reason,
            "{}",
            warning.message()
        );
    }
    if now.is_empty() && !before.is_empty() {
        tracing::info!("all lists of models can be read again");
    }
}
