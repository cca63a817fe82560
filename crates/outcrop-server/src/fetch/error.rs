//! What goes wrong with a fetch: in words for the client, and in others for the log.

use std::fmt;
use std::time::Duration;

use outcrop_translate::{Problem, ProblemKind};

/// A URL that was not fetched.
///
/// [`FetchError::problem`] is for the client and tells nothing of the gateway's network: a name that isn't known, one
/// that leads to a private address and a port that is closed are all the same. `Display` is for the log, with the host
/// and the cause, but without the URL, which may carry a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchError {
    pub(super) reason: Reason,
    /// Host and cause, for the log alone; empty where the reason says it all.
    detail: String,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The operator has switched fetching off.
    Disabled,
    /// The URL is none that is fetched.
    Url(&'static str),
    /// The host is not on the operator's list.
    HostNotListed,
    /// The URL names an address that is not public.
    NotPublic,
    /// A name that leads nowhere, or nowhere that may be connected to; or nobody answers there.
    Unreachable,
    /// There is a server, but no TLS with it.
    Tls,
    /// The status was another than 200.
    Status(u16),
    /// More redirects than this.
    Redirects(usize),
    /// A redirect to nowhere.
    BadRedirect,
    /// A redirect from `https` to `http`.
    Downgrade,
    /// The answer is compressed, although that was not asked for.
    Encoded,
    /// More bytes than this.
    TooLarge(usize),
    /// More bytes than this with the request's other files.
    TooLargeTogether(usize),
    /// More URLs in one request than this.
    TooMany(usize),
    /// The answer broke off, or is not HTTP.
    Interrupted,
    /// It took longer than this.
    TooSlow(Duration),
    /// Too much is being fetched for others.
    Busy,
}

impl FetchError {
    /// With a host and a cause for the log.
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    /// What the client is told; `param` is the path of the URL in its request.
    pub(crate) fn problem(&self, param: &str) -> Problem {
        let why = self.reason.to_string();
        let message = format!("The URL at '{param}' can't be fetched: {why}.");
        let problem = match self.reason {
            Reason::Busy => {
                let mut problem = Problem::new(503, ProblemKind::Server, message);
                problem.retry_after_seconds = Some(1);
                problem
            }
            _ => Problem::invalid(message),
        };
        problem.with_code(self.reason.code()).with_param(param)
    }
}

impl Reason {
    fn code(&self) -> &'static str {
        match self {
            Reason::Disabled => "media_fetch_disabled",
            Reason::Url(_) | Reason::HostNotListed | Reason::NotPublic | Reason::TooMany(_) => "invalid_media_url",
            Reason::TooLarge(_) | Reason::TooLargeTogether(_) => "media_too_large",
            Reason::Busy => "media_fetch_busy",
            Reason::Unreachable
            | Reason::Tls
            | Reason::Status(_)
            | Reason::Redirects(_)
            | Reason::BadRedirect
            | Reason::Downgrade
            | Reason::Encoded
            | Reason::Interrupted
            | Reason::TooSlow(_) => "media_fetch_failed",
        }
    }
}

impl fmt::Display for Reason {
    /// The end of a sentence. Nothing of the gateway's network may stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Disabled => f.write_str(
                "this gateway's operator has switched that off (its setting `fetch_urls`); send the file itself, as a \
                 data URL",
            ),
            Reason::Url(why) => f.write_str(why),
            Reason::HostNotListed => f.write_str(
                "its host is not among those that this gateway's operator allows (its setting `fetch_hosts`)",
            ),
            Reason::NotPublic => f.write_str("its address is not a public one"),
            Reason::Unreachable => f.write_str("its host has no public address that answers"),
            Reason::Tls => f.write_str("there is no safe connection to its host; its certificate may not be valid"),
            Reason::Status(status) => write!(f, "its server answered with status {status} instead of 200"),
            Reason::Redirects(0) => f.write_str("it is a redirect, and none are followed"),
            Reason::Redirects(limit) => write!(f, "it redirects more than {limit} times"),
            Reason::BadRedirect => f.write_str("its server answered with a redirect to no valid URL"),
            Reason::Downgrade => f.write_str("it redirects from https:// to http://"),
            Reason::Encoded => f.write_str("its server answered with a compressed body, which was not asked for"),
            Reason::TooLarge(limit) => write!(f, "it is larger than {limit} bytes"),
            Reason::TooLargeTogether(limit) => {
                write!(f, "with the request's other files it is larger than {limit} bytes")
            }
            Reason::TooMany(limit) => write!(f, "the request has more than {limit} URLs to fetch"),
            Reason::Interrupted => f.write_str("its server did not answer to the end"),
            Reason::TooSlow(limit) => write!(f, "it took longer than {limit:?}"),
            Reason::Busy => f.write_str("too many others are being fetched; try again"),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a URL was not fetched: {}", self.reason)?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.detail)
    }
}

impl std::error::Error for FetchError {}
