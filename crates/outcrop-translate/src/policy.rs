//! How an operator wants requests to be treated.

use std::sync::Arc;

use crate::catalogue::Api;
use crate::notes::Notes;
use crate::problem::{Problem, ProblemKind};

/// How a caller's requests to a model are treated, where the request doesn't say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of a request that asks for what the model can't do.
    pub on_unsupported: OnUnsupported,
    /// Where cache points are placed.
    pub prompt_caching: PromptCaching,
    /// The guardrail of requests that name none.
    pub guardrail: Option<Guardrail>,
    /// The API by which Bedrock is asked, where neither the request nor the model's name says.
    pub bedrock_api: Option<Api>,
    /// Whether a request that names a guardrail is refused where there is one.
    pub is_guardrail_fixed: bool,
    /// The operator's part of Bedrock's request metadata. It comes before the request's own.
    pub request_metadata: Arc<[(String, String)]>,
}

impl Policy {
    /// Refuses a request that names another guardrail, where it may not.
    ///
    /// # Errors
    /// 403, if it does.
    pub(crate) fn check_guardrail(&self, names_guardrail: bool) -> Result<(), Problem> {
        if !(names_guardrail && self.is_guardrail_fixed && self.guardrail.is_some()) {
            return Ok(());
        }
        let message = "The guardrail of this API key is fixed: a request may not name one.";
        let problem = Problem::new(403, ProblemKind::Permission, message);
        Err(problem.with_code("guardrail_fixed").with_param("guardrailConfig"))
    }
}

/// What becomes of a request that asks for what the model can't do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnsupported {
    /// It is adapted, and the adaptation noted.
    #[default]
    Adapt,
    /// It is refused.
    Reject,
}

/// Where cache points are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptCaching {
    /// Nowhere, not even where the client asks for it.
    Off,
    /// Where the client asks for it.
    #[default]
    Explicit,
    /// Where the client asks for it; if it doesn't, at the borders that are likely to stay.
    Auto,
}

/// A guardrail, and how it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardrail {
    /// Id or ARN.
    pub id: String,
    /// A number, or `DRAFT`.
    pub version: String,
    /// What is told of its assessment.
    pub trace: Option<Trace>,
    /// When it looks at a streamed answer.
    pub stream_mode: Option<StreamMode>,
}

/// What is told of a guardrail's assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    Disabled,
    /// What it found.
    Enabled,
    /// What it looked for, too.
    EnabledFull,
}

/// When a guardrail looks at a streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMode {
    /// Before each piece is sent.
    Sync,
    /// While pieces are already sent.
    Async,
}

impl OnUnsupported {
    /// The value of a setting or a request.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "adapt" => Some(Self::Adapt),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }

    /// Refuses a request that would be adapted at a loss, where that is what is wanted.
    pub(crate) fn check(self, notes: &Notes) -> Result<(), Problem> {
        match notes.refusal() {
            Some(problem) if self == Self::Reject => Err(problem),
            _ => Ok(()),
        }
    }
}

impl PromptCaching {
    /// The value of a setting or a request.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "explicit" => Some(Self::Explicit),
            "auto" => Some(Self::Auto),
            _ => None,
        }
    }
}

impl Trace {
    /// Bedrock's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::EnabledFull => "enabled_full",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Disabled, Self::Enabled, Self::EnabledFull];
        all.into_iter().find(|trace| trace.name() == name)
    }
}

impl StreamMode {
    /// Bedrock's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sync, Self::Async].into_iter().find(|mode| mode.name() == name)
    }
}
