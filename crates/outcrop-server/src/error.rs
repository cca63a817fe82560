//! What the world sees of our failures: one table.

use axum::response::Response;
use http::HeaderValue;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use outcrop_bedrock::exception::Exception;
use outcrop_translate::{AwsDetail, Problem, ProblemKind, Unread};
use outcrop_upstream::{Error, Failure};

use crate::admission::Refused as NoRoom;

/// Seconds after which a throttled client should try again, where Bedrock does not say.
const RETRY_AFTER_SECONDS: u64 = 2;

/// As much of Bedrock's message as a client gets.
const MAX_MESSAGE_CHARS: usize = 4096;

/// Phrases in Bedrock's messages that mean that the prompt is too long; agents shorten it only if they are told by
/// code (collected from users' reports, 2026-11).
const TOO_LONG: [&str; 8] = [
    "input is too long",
    "prompt is too long",
    "too many tokens",
    "too many input tokens",
    "input text exceeds the limit",
    "expected maxlength",
    "maximum context",
    "context window",
];

/// Phrases that mean that a filter of the model's provider stopped what was asked for (Titan's and Nova's image models,
/// 2026-11; users' reports).
const FILTERED: [&str; 3] = [
    "blocked by our content filters",
    "blocked by our content policies",
    "stopped by the content filter",
];

/// Phrases that mean that there is no model of that name, or not in the region.
const NO_SUCH_MODEL: [&str; 2] = ["model identifier is invalid", "model arn is invalid"];

/// Phrases that mean that the model can be called through an inference profile only.
const NEEDS_PROFILE: [&str; 2] = ["throughput isn’t supported", "throughput isn't supported"];

/// A failed call, as the client is told.
pub(crate) fn of_failure(failure: &Failure, region: &str, model: &str) -> Problem {
    let mut problem = of_error(&failure.error);
    let error_type = match &failure.error {
        Error::Service { name, .. } => Some(name.clone()),
        _ => None,
    };
    problem.aws = Some(Box::new(AwsDetail {
        error_type,
        request_id: failure.request_id.clone(),
        region: Some(region.to_owned()),
        model: Some(model.to_owned()),
    }));
    if problem.code == Some("model_not_found") && !problem.message.contains(model) {
        problem.message = format!("The model '{model}' can't be called. {}", problem.message);
    }
    if failure.attempts > 1 {
        // The client's own retries on top of ours would multiply.
        problem.should_retry = Some(false);
    }
    problem
}

/// The same for a request that brings an AWS account: the gateway's own credentials have nothing to do with it, and asking
/// again doesn't help.
pub(crate) fn blame_account_of_request(problem: &mut Problem, error: &Error) {
    if problem.code != Some("upstream_credentials") {
        return;
    }
    problem.should_retry = Some(false);
    if matches!(error, Error::Credentials(_)) {
        problem.message =
            "The AWS credentials that the request asks for can't be had. This is not about your API key.".to_owned();
    }
}

/// A call that was not made, since the quota has no room for it.
pub(crate) fn of_no_room(no_room: &NoRoom) -> Problem {
    let mut problem = Problem::new(429, ProblemKind::RateLimit, no_room.message()).with_code("rate_limit_exceeded");
    problem.aws = Some(Box::new(AwsDetail {
        error_type: None,
        request_id: None,
        region: Some(no_room.key.region.clone()),
        model: Some(no_room.key.model.clone()),
    }));
    problem.retry_after_seconds = no_room.retry_after().map(|after| after.as_secs());
    if problem.retry_after_seconds.is_none() || no_room.attempts > 1 {
        // It will never fit, or the client's own retries on top of ours would multiply.
        problem.should_retry = Some(false);
    }
    problem
}

/// An error from upstream, before or in the middle of a stream.
pub(crate) fn of_error(error: &Error) -> Problem {
    use ProblemKind::{InvalidRequest, Permission, RateLimit, Server, Timeout, UpstreamCredentials};
    let server = |status, code, message: String| Problem::new(status, Server, message).with_code(code);
    match error {
        Error::Service {
            exception,
            name,
            status,
            message,
            retry_after_seconds,
        } => {
            let said = if message.is_empty() { name } else { message };
            let text = format!("Bedrock: {}", said.chars().take(MAX_MESSAGE_CHARS).collect::<String>());
            let mut problem = match exception {
                Exception::Validation => return validation(message, text),
                Exception::Conflict => Problem::invalid(text).with_code("conflict"),
                Exception::ServiceQuotaExceeded => Problem::new(429, RateLimit, text).with_code("quota_exceeded"),
                Exception::AccessDenied => Problem::new(403, Permission, text).with_code("model_access_denied"),
                Exception::Credentials => {
                    Problem::new(502, UpstreamCredentials, text).with_code("upstream_credentials")
                }
                Exception::ResourceNotFound => Problem::new(404, InvalidRequest, text)
                    .with_code("model_not_found")
                    .with_param("model"),
                Exception::ModelTimeout => Problem::new(504, Timeout, text).with_code("model_timeout"),
                Exception::ModelError | Exception::ModelStreamError => server(502, "upstream_model_error", text),
                Exception::Throttling => Problem::new(429, RateLimit, text).with_code("throttled"),
                Exception::ModelNotReady => server(503, "model_not_ready", text),
                Exception::InternalServer => server(500, "upstream_internal_error", text),
                Exception::ServiceUnavailable => server(503, "upstream_unavailable", text),
                _ if (400..500).contains(status) => Problem::invalid(text).with_code("upstream_refused"),
                _ => server(502, "upstream_error", text),
            };
            if matches!(problem.status, 429 | 503) {
                problem.retry_after_seconds = Some(retry_after_seconds.unwrap_or(RETRY_AFTER_SECONDS));
            }
            problem
        }
        Error::Credentials(_) => Problem::new(
            502,
            UpstreamCredentials,
            "The gateway has no valid AWS credentials. This is not about your API key.",
        )
        .with_code("upstream_credentials"),
        Error::Sign(_) => server(
            500,
            "internal_error",
            "The request to Bedrock could not be built.".to_owned(),
        ),
        Error::Connect(_) => server(502, "upstream_unreachable", "Bedrock can't be reached.".to_owned()),
        Error::Interrupted(_) => server(
            502,
            "upstream_interrupted",
            "The connection to Bedrock broke before the answer was whole.".to_owned(),
        ),
        Error::Timeout { .. } => Problem::new(504, Timeout, format!("{error}.")).with_code("upstream_timeout"),
        Error::Protocol(_) | Error::Frame(_) | Error::ServerSentEvent(_) => server(
            502,
            "upstream_invalid_response",
            "The upstream's answer is not one of Bedrock's, or is damaged.".to_owned(),
        ),
        _ => server(502, "upstream_error", "Bedrock could not be asked.".to_owned()),
    }
}

/// An answer that can't be read, as the failure of its call; `what` names the part that can't.
pub(crate) fn of_unread(unread: Unread, what: &str) -> Error {
    let body = match unread {
        Unread::Fault(fault) => return Error::Protocol(format!("{what}: {fault}")),
        Unread::Failed(body) => body,
    };
    let exception = match (&body.name, body.status) {
        (Some(name), _) => Exception::from_name(name),
        (None, Some(status)) => Exception::from_status(status),
        (None, None) => Exception::ModelError,
    };
    Error::Service {
        exception,
        name: body.name.unwrap_or_else(|| format!("{exception:?}")),
        status: exception.status(),
        message: body.message,
        retry_after_seconds: None,
    }
}

/// Whether Bedrock says that the prompt is too long for the model.
pub(crate) fn is_too_long(message: &str) -> bool {
    let lower = message.to_lowercase();
    TOO_LONG.iter().any(|phrase| lower.contains(phrase))
}

/// Whether Bedrock says that a filter stopped what was asked for.
pub(crate) fn is_filtered(message: &str) -> bool {
    let lower = message.to_lowercase();
    FILTERED.iter().any(|phrase| lower.contains(phrase))
}

/// Whether Bedrock says that there is no such model where it was asked.
pub(crate) fn is_no_model(message: &str) -> bool {
    let lower = message.to_lowercase();
    NO_SUCH_MODEL.iter().any(|phrase| lower.contains(phrase))
}

/// Whether Bedrock says that the model can be called through an inference profile only.
pub(crate) fn needs_profile(message: &str) -> bool {
    NEEDS_PROFILE.iter().any(|phrase| message.contains(phrase))
}

fn validation(message: &str, text: String) -> Problem {
    if is_too_long(message) {
        return Problem::invalid(text)
            .with_code("context_length_exceeded")
            .with_param("messages");
    }
    if is_no_model(message) || needs_profile(message) {
        return Problem::new(404, ProblemKind::InvalidRequest, text)
            .with_code("model_not_found")
            .with_param("model");
    }
    if is_filtered(message) {
        return Problem::invalid(text).with_code("content_policy_violation");
    }
    let problem = Problem::invalid(text).with_code("bedrock_validation");
    match blamed(message).or_else(|| blamed_by_schema(message)) {
        Some(param) => problem.with_param(param),
        None => problem,
    }
}

/// The client's field that a refusal names by its path in the call.
fn blamed(message: &str) -> Option<String> {
    /// Members of the call by which refusals begin their paths, and the client's name for them where it is another.
    const MEMBERS: [(&str, Option<&str>); 12] = [
        ("toolConfig.toolChoice", Some("tool_choice")),
        ("toolConfig", Some("tools")),
        ("tools.", Some("tools")),
        ("messages.", Some("messages")),
        ("system.", Some("messages")),
        ("inferenceConfig.maxTokens", Some("max_tokens")),
        ("inferenceConfig.temperature", Some("temperature")),
        ("inferenceConfig.topP", Some("top_p")),
        ("inferenceConfig.stopSequences", Some("stop")),
        ("toolResult.", Some("messages")),
        ("guardrailConfig", None),
        ("performanceConfig", None),
    ];
    let found = MEMBERS
        .iter()
        .filter_map(|(member, name)| Some((message.find(member)?, member, name)));
    let (start, _, name) = found.min_by_key(|(start, ..)| *start)?;
    if let Some(name) = name {
        return Some((*name).to_owned());
    }
    let path = &message[start..];
    let end = path.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    Some(path[..end.unwrap_or(path.len())].trim_end_matches('.').to_owned())
}

/// The field that a model's schema refuses: `#: extraneous key [foo] is not permitted`, `#/foo/bar: 36 is not …`.
fn blamed_by_schema(message: &str) -> Option<String> {
    let (_, complaint) = message.split_once("Malformed input request: #")?;
    let (place, what) = complaint.split_once(':')?;
    let mut path: Vec<&str> = place.split('/').filter(|name| !name.is_empty()).collect();
    let key = what
        .trim_start()
        .strip_prefix("extraneous key [")
        .and_then(|rest| rest.split_once(']'));
    path.extend(key.map(|(key, _)| key));
    (!path.is_empty()).then(|| path.join("."))
}

/// The gateway stops before the answer is whole.
pub(crate) fn shutting_down() -> Problem {
    let message = "The gateway is shutting down before the answer was whole; try again.";
    let mut problem = Problem::new(503, ProblemKind::Server, message).with_code("shutting_down");
    problem.retry_after_seconds = Some(1);
    problem
}

/// The time that the gateway itself was given is over before the answer was whole. Asking the same again takes as long.
pub(crate) fn out_of_time() -> Problem {
    let message = "The answer was not whole when the time of the Lambda function was over. Give the function a longer \
                   timeout, of up to 15 minutes, or ask for less.";
    let mut problem = Problem::new(504, ProblemKind::Timeout, message).with_code("function_timeout");
    problem.should_retry = Some(false);
    problem
}

/// The response that tells of a problem, with a body in the words of the endpoint's vendor.
pub(crate) fn response(problem: &Problem, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(problem.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(should_retry) = problem.should_retry {
        let word = if should_retry { "true" } else { "false" };
        headers.insert("x-should-retry", HeaderValue::from_static(word));
    }
    match problem.status {
        401 => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Whatever of the request was not read must not be taken for the next one.
        408 | 413 => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    if let Some(aws) = &problem.aws {
        for (name, value) in [("x-amzn-requestid", &aws.request_id), ("x-bedrock-model", &aws.model)] {
            if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
    }
    response
}

/// A method that a path doesn't take; `allowed` are those it does.
pub(crate) fn method_not_allowed(allowed: &'static str, body: impl FnOnce(&Problem) -> Vec<u8>) -> Response {
    let message = format!("Method not allowed; this path takes {allowed}.");
    let problem = Problem::new(405, ProblemKind::InvalidRequest, message).with_code("method_not_allowed");
    let mut response = response(&problem, body(&problem));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::exception::ErrorBody;
    use outcrop_bedrock::json::Fault;

    use super::*;

    #[test]
    fn an_error_in_place_of_an_answer_is_told_as_bedrocks_own_would_be() {
        let of = |unread| {
            let problem = of_error(&of_unread(unread, "the reply"));
            (problem.status, problem.code.unwrap(), problem.message)
        };
        let said = |document: &str| of(Unread::Failed(ErrorBody::parse(document.as_bytes())));
        let expected = |status, code, message: &str| (status, code, format!("Bedrock: {message}"));
        assert_eq!(
            said(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            expected(503, "upstream_unavailable", "Overloaded")
        );
        assert_eq!(
            said(r#"{"error":{"type":"rate_limit_error","message":"slow"}}"#),
            expected(429, "throttled", "slow")
        );
        assert_eq!(
            said(r#"{"throttlingException":{"message":"slow"}}"#),
            expected(429, "throttled", "slow")
        );
        for document in [
            r#"{"error":{"type":"api_error","message":"boom"}}"#,
            r#"{"message":"boom"}"#,
        ] {
            assert_eq!(said(document), expected(502, "upstream_model_error", "boom"));
        }
        assert_eq!(of(Unread::Fault(Fault::shape("no"))).1, "upstream_invalid_response");
    }
}
