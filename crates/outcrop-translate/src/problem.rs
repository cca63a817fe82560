//! What goes wrong, as the client is told: each vendor's endpoint puts it into its own words.

use outcrop_bedrock::json::Fault;

/// An error for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What kind of error it is.
    pub kind: ProblemKind,
    /// A word for programs, such as `model_not_found`.
    pub code: Option<&'static str>,
    /// A sentence for people.
    pub message: String,
    /// Path of the field to blame.
    pub param: Option<String>,
    /// Seconds after which to try again.
    pub retry_after_seconds: Option<u64>,
    /// Whether the client should try again; `None` leaves it to the client's own rules.
    pub should_retry: Option<bool>,
    /// What AWS said, where AWS said it.
    pub aws: Option<Box<AwsDetail>>,
}

/// Kinds of errors that vendors have names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request is wrong.
    InvalidRequest,
    /// The gateway doesn't know the caller.
    Authentication,
    /// The caller, or the AWS account, may not.
    Permission,
    /// Too many requests or tokens.
    RateLimit,
    /// The money is spent.
    Quota,
    /// Somebody took too long.
    Timeout,
    /// The gateway or Bedrock failed.
    Server,
    /// The gateway's own AWS credentials failed.
    UpstreamCredentials,
}

/// What AWS said of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsDetail {
    /// Name of the exception.
    pub error_type: Option<String>,
    /// `x-amzn-requestid`
    pub request_id: Option<String>,
    /// Region that was asked.
    pub region: Option<String>,
    /// Model id that was asked.
    pub model: Option<String>,
}

impl Problem {
    /// A problem with just what each has.
    pub fn new(status: u16, kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            message: message.into(),
            param: None,
            retry_after_seconds: None,
            should_retry: None,
            aws: None,
        }
    }

    /// The request is wrong: 400.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, ProblemKind::InvalidRequest, message)
    }

    /// The same with a word for programs.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same with the field to blame.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }
}

impl From<Fault> for Problem {
    /// A body that can't be read: 400, with the field to blame where it is JSON.
    fn from(fault: Fault) -> Self {
        let place = if fault.path.is_empty() {
            String::new()
        } else {
            format!(" at '{}'", fault.path)
        };
        let problem = match fault.offset {
            Some(offset) => Self::invalid(format!(
                "The request body is not valid JSON: {} (byte {offset}{place}).",
                fault.message
            ))
            .with_code("invalid_json"),
            None => Self::invalid(format!("Invalid request{place}: {}.", fault.message))
                .with_code(fault.code.unwrap_or("invalid_value")),
        };
        match fault.path {
            path if path.is_empty() => problem,
            path => problem.with_param(path),
        }
    }
}
