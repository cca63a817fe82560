//! Reading what AWS answers, whole.

use std::pin::pin;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::converse::{Served, ServiceTier};
use outcrop_bedrock::exception::{ErrorBody, Exception, bare_name};
use tokio::time::{Duration, Instant, timeout_at};

use crate::error::Error;

/// The largest whole reply; Bedrock's own limit for a body is 25 MB.
pub(crate) const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;
/// The largest error body that is read; the rest can't say more.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The error that an unsuccessful response tells of; `by_key` says that the call had a Bedrock API key.
pub(crate) async fn refusal(
    status: u16,
    headers: &HeaderMap,
    body: Incoming,
    by_key: bool,
    deadline: Instant,
    timeout: Duration,
) -> Error {
    if (300..400).contains(&status) {
        return Error::Protocol(format!("a redirect ({status}), which is not followed"));
    }
    // An error body that is too long or breaks off still leaves the status and the headers.
    let patience = Patience {
        deadline: deadline.min(Instant::now() + timeout),
        limit: timeout,
        silence: timeout,
    };
    let body = collect(body, MAX_ERROR_BYTES, patience).await.unwrap_or_default();
    let body = ErrorBody::parse(&body);
    let header = text_header(headers, "x-amzn-errortype").map(|name| bare_name(&name).to_owned());
    let name = header.or(body.name);
    let exception = match &name {
        Some(name) => Exception::from_name(name),
        None => Exception::from_status(status),
    };
    // A refused API key, or token, is an AccessDeniedException like any other but for its words.
    let words = if by_key {
        "api key"
    } else {
        "security token included in the request"
    };
    let is_key_refused = matches!(status, 401 | 403) && body.message.to_ascii_lowercase().contains(words);
    Error::Service {
        exception: if is_key_refused || status == 401 {
            Exception::Credentials
        } else {
            exception
        },
        name: name.unwrap_or_else(|| format!("HTTP {status}")),
        status,
        message: body.message,
        retry_after_seconds: text_header(headers, RETRY_AFTER.as_str()).and_then(|value| retry_after(&value)),
    }
}

/// How long a body may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// When it must be whole.
    pub(crate) deadline: Instant,
    /// The limit that the deadline comes from.
    pub(crate) limit: Duration,
    /// How long nothing of it may come.
    pub(crate) silence: Duration,
}

/// A whole body.
pub(crate) async fn collect(body: Incoming, limit: usize, patience: Patience) -> Result<Bytes, Error> {
    let mut body = pin!(Limited::new(body, limit));
    let mut pieces = Vec::new();
    loop {
        let silence_ends = Instant::now() + patience.silence;
        let frame = match timeout_at(patience.deadline.min(silence_ends), body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                return Err(Error::Protocol(format!("its body is larger than {limit} bytes")));
            }
            Ok(Some(Err(error))) => return Err(Error::interrupted(&*error)),
            Err(_) if silence_ends < patience.deadline => return Err(Error::silence(patience.silence)),
            Err(_) => {
                return Err(Error::Timeout {
                    phase: "to send its answer",
                    limit: patience.limit,
                });
            }
        };
        // What isn't data is trailers, which Bedrock doesn't send.
        pieces.extend(frame.into_data());
    }
    Ok(match pieces.as_slice() {
        // Not copied.
        [piece] => piece.clone(),
        pieces => pieces.concat().into(),
    })
}

pub(crate) fn check_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Error> {
    let media_type = text_header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    if media_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case(expected)
    {
        return Ok(());
    }
    Err(Error::Protocol(format!(
        "it has the media type '{}' instead of '{expected}'",
        media_type.chars().take(100).collect::<String>()
    )))
}

/// Seconds from now that a `Retry-After` asks for, whether it tells seconds or a date.
fn retry_after(value: &str) -> Option<u64> {
    value.trim().parse().ok().or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        Some(date.duration_since(SystemTime::now()).map_or(0, |wait| wait.as_secs()))
    })
}

pub(crate) fn token_counts(headers: &HeaderMap) -> TokenCounts {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let count = |name: &str| text(name)?.parse().ok();
    TokenCounts {
        input: count("x-amzn-bedrock-input-token-count"),
        output: count("x-amzn-bedrock-output-token-count"),
        served: Served {
            tier: text("x-amzn-bedrock-service-tier").map_or(ServiceTier::Default, ServiceTier::from_name),
            is_latency_optimized: text("x-amzn-bedrock-performanceconfig-latency") == Some("optimized"),
        },
    }
}

pub(crate) fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}
