//! What goes wrong on the way to Bedrock and back.

use std::time::Duration;

use outcrop_bedrock::exception::Exception;
use outcrop_bedrock::frame::FrameError;
use outcrop_bedrock::sse::SseError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bedrock answered with an error.
    #[error("{name} ({status}): {message}")]
    Service {
        /// Which.
        exception: Exception,
        /// Its name as Bedrock wrote it.
        name: String,
        /// HTTP status; that of the service model where the error came in the stream.
        status: u16,
        /// What Bedrock says.
        message: String,
        /// Seconds after which Bedrock wants to be asked again.
        retry_after_seconds: Option<u64>,
    },
    /// There are no credentials, or they can't be renewed.
    #[error("no AWS credentials: {0}")]
    Credentials(String),
    /// A call names an account that there is not.
    #[error("there is no account '{0}'")]
    Account(String),
    /// The request can't be signed.
    #[error("the request can't be signed: {0}")]
    Sign(String),
    /// No connection stands.
    #[error("no connection to Bedrock: {0}")]
    Connect(String),
    /// The connection broke.
    #[error("the connection to Bedrock broke: {0}")]
    Interrupted(String),
    /// A time limit passed.
    #[error("Bedrock took longer than {limit:?} {phase}")]
    Timeout {
        /// To do what.
        phase: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The answer is not one of Bedrock's.
    #[error("the answer is not one of Bedrock's: {0}")]
    Protocol(String),
    /// The event stream is damaged.
    #[error("the event stream is damaged: {0}")]
    Frame(#[from] FrameError),
    /// So are the server-sent events.
    #[error("the event stream is damaged: {0}")]
    ServerSentEvent(#[from] SseError),
}

impl Error {
    /// A failure of hyper's, with its causes.
    pub(crate) fn interrupted(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Interrupted(with_causes(error))
    }

    /// Bedrock has fallen silent in the middle of its answer.
    pub(crate) fn silence(limit: Duration) -> Self {
        Self::Timeout {
            phase: "between two pieces of the answer",
            limit,
        }
    }
}

/// The message of an error and of all its causes.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

/// A call that failed for good.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why.
    #[source]
    pub error: Error,
    /// `x-amzn-requestid` of the last answer.
    pub request_id: Option<String>,
    /// How often the call was tried.
    pub attempts: u32,
}
