//! What a failed call means for the next try.

use std::time::Duration;

use outcrop_bedrock::exception::Exception;
use outcrop_routing::Outcome;
use outcrop_upstream::Error;

use crate::error;

/// What a failed call means for the next try, from what tells a client the least to what tells it the most: what is wrong
/// with the request is more than what may be over soon, and that is more than what is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It may succeed at another target, but hardly at this one.
    Elsewhere,
    /// The same call may succeed later, and at another target at once.
    Again,
    /// A guardrail or a filter refused.
    ContentPolicy,
    /// The prompt is too long for the model.
    ContextWindow,
    /// It will not succeed anywhere.
    Final,
}

impl Verdict {
    /// What `error` means.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Service {
                exception,
                status,
                message,
                ..
            } => match exception {
                Exception::Validation if error::is_too_long(message) => Self::ContextWindow,
                Exception::Validation if error::is_filtered(message) => Self::ContentPolicy,
                Exception::Validation if error::is_no_model(message) || error::needs_profile(message) => {
                    Self::Elsewhere
                }
                Exception::ServiceQuotaExceeded
                | Exception::AccessDenied
                | Exception::ResourceNotFound
                | Exception::Credentials => Self::Elsewhere,
                exception if exception.is_retryable() => Self::Again,
                Exception::Unknown if *status >= 500 => Self::Again,
                _ => Self::Final,
            },
            Error::Connect(_) | Error::Interrupted(_) | Error::Frame(_) => Self::Again,
            // A model that was silent for minutes will be so again, and the client has waited long enough.
            Error::Timeout { .. } | Error::Credentials(_) | Error::Protocol(_) | Error::ServerSentEvent(_) => {
                Self::Elsewhere
            }
            _ => Self::Final,
        }
    }

    /// Whether another target may succeed.
    pub(crate) fn is_avoidable(self) -> bool {
        matches!(self, Self::Again | Self::Elsewhere)
    }
}

/// What a failed call says of its target. That a model isn't there says nothing, where the client has chosen it: a client
/// must not take a target from others by asking for what doesn't exist.
pub(super) fn outcome(error: &Error, is_clients_model: bool) -> Outcome {
    match error {
        Error::Service {
            exception: Exception::AccessDenied | Exception::ResourceNotFound | Exception::Validation,
            ..
        } if is_clients_model => Outcome::Answered,
        Error::Service {
            exception: Exception::Throttling | Exception::ModelNotReady | Exception::ServiceQuotaExceeded,
            ..
        } => Outcome::Throttled(retry_after(error)),
        _ if Verdict::of(error).is_avoidable() => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

/// When Bedrock wants to be asked again.
pub(super) fn retry_after(error: &Error) -> Option<Duration> {
    match error {
        Error::Service {
            retry_after_seconds, ..
        } => retry_after_seconds.map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_for_what_is_not_there_breaks_no_target() {
        let missing = Error::Service {
            exception: Exception::ResourceNotFound,
            name: "ResourceNotFoundException".to_owned(),
            status: 404,
            message: "Could not resolve the foundation model from the provided model identifier.".to_owned(),
            retry_after_seconds: None,
        };
        assert_eq!(outcome(&missing, true), Outcome::Answered);
        assert_eq!(outcome(&missing, false), Outcome::Failed, "the operator has named it");
    }
}
