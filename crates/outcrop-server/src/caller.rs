//! What a caller says in headers, besides its key.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use outcrop_translate::Problem;
use outcrop_translate::policy::{Guardrail, OnUnsupported, Trace};

/// Headers by which Bedrock's `InvokeModel` is told its guardrail (service model of Bedrock Runtime, 2026-11).
const GUARDRAIL_IDENTIFIER: HeaderName = HeaderName::from_static("x-amzn-bedrock-guardrailidentifier");
const GUARDRAIL_VERSION: HeaderName = HeaderName::from_static("x-amzn-bedrock-guardrailversion");
const TRACE: HeaderName = HeaderName::from_static("x-amzn-bedrock-trace");
/// `X-Outcrop-On-Unsupported`: `adapt` or `reject`.
const ON_UNSUPPORTED: HeaderName = HeaderName::from_static("x-outcrop-on-unsupported");
/// `X-Session-Id`: the conversation, which stays with a target.
const SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
/// `X-Outcrop-Timeout`: how long the client waits for its answer to begin, in seconds.
const TIMEOUT: HeaderName = HeaderName::from_static("x-outcrop-timeout");
/// LiteLLM's name for it.
const LITELLM_TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
/// What OpenAI's and Anthropic's SDKs say of their own timeout, in seconds (openai-node 6.10, openai-python 3.5,
/// 2026-11).
const STAINLESS_TIMEOUTS: [HeaderName; 2] = [
    HeaderName::from_static("x-stainless-timeout"),
    HeaderName::from_static("x-stainless-read-timeout"),
];
/// `X-Outcrop-Dry-Run`: the call is told, not made.
pub(crate) const DRY_RUN: HeaderName = HeaderName::from_static("x-outcrop-dry-run");

/// The guardrail that the headers name.
///
/// # Errors
/// When they name half of one.
pub(crate) fn guardrail(headers: &HeaderMap) -> Result<Option<Guardrail>, Problem> {
    let text = |name: &HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let (id, version) = match (text(&GUARDRAIL_IDENTIFIER), text(&GUARDRAIL_VERSION)) {
        (Some(id), Some(version)) => (id, version),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(invalid(
                &GUARDRAIL_VERSION,
                "is missing beside the guardrail's identifier",
            ));
        }
        (None, Some(_)) => {
            return Err(invalid(
                &GUARDRAIL_IDENTIFIER,
                "is missing beside the guardrail's version",
            ));
        }
    };
    let trace = match text(&TRACE).map(|trace| trace.to_ascii_lowercase()).as_deref() {
        None => None,
        Some("disabled") => Some(Trace::Disabled),
        Some("enabled") => Some(Trace::Enabled),
        Some("enabled_full") => Some(Trace::EnabledFull),
        Some(_) => return Err(invalid(&TRACE, "takes 'ENABLED', 'ENABLED_FULL' or 'DISABLED'")),
    };
    Ok(Some(Guardrail {
        id,
        version,
        trace,
        stream_mode: None,
    }))
}

/// What is to become of what a model can't do.
///
/// # Errors
/// When it is neither of the two words.
pub(crate) fn on_unsupported(headers: &HeaderMap) -> Result<Option<OnUnsupported>, Problem> {
    let Some(value) = headers.get(ON_UNSUPPORTED) else {
        return Ok(None);
    };
    let known = value.to_str().ok().and_then(OnUnsupported::from_name);
    known
        .map(Some)
        .ok_or_else(|| invalid(&ON_UNSUPPORTED, "takes 'adapt' or 'reject'"))
}

/// The session that the caller says its request belongs to.
pub(crate) fn session(headers: &HeaderMap) -> Option<String> {
    let session = headers.get(SESSION_ID)?.to_str().ok()?.trim();
    (!session.is_empty()).then(|| session.to_owned())
}

/// How long the caller waits for its answer to begin, in all.
///
/// # Errors
/// When a header of ours or LiteLLM's is no number of seconds.
pub(crate) fn patience(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    for name in [&TIMEOUT, &LITELLM_TIMEOUT] {
        let Some(value) = headers.get(name) else { continue };
        let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
        let patience = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        return match patience.filter(|patience| !patience.is_zero()) {
            Some(patience) => Ok(Some(patience)),
            None => Err(invalid(name, "takes a number of seconds above 0")),
        };
    }
    // What an SDK says by itself isn't the user's mistake.
    let said = STAINLESS_TIMEOUTS
        .iter()
        .find_map(|name| headers.get(name)?.to_str().ok());
    let seconds = said.and_then(|text| text.trim().parse::<f64>().ok());
    let patience = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok(patience.filter(|patience| !patience.is_zero()))
}

/// Whether the caller only wants to know what would be called.
pub(crate) fn is_dry_run(headers: &HeaderMap) -> bool {
    headers
        .get(DRY_RUN)
        .is_some_and(|value| !matches!(value.as_bytes(), b"" | b"0" | b"false"))
}

fn invalid(name: &HeaderName, what: &str) -> Problem {
    let problem = Problem::invalid(format!("The header '{name}' {what}."));
    problem.with_code("invalid_header").with_param(name.as_str())
}
