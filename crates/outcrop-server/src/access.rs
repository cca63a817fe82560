//! Who may call.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName};
use outcrop_translate::{Problem, ProblemKind};
use subtle::{Choice, ConstantTimeEq as _};

use crate::config::Config;

/// For whom a browser asks (Fetch Metadata Request Headers, W3C).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Azure's header for keys.
pub(crate) const API_KEY: &str = "api-key";

/// What a caller shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing that matters: no key is asked for.
    Nothing,
    /// A key of the settings.
    Known(String),
    /// Something else, which may be a key of the database.
    Unknown(String),
}

/// Reads what a caller shows. Where the gateway `is_open`, anyone is let in whose credentials don't contradict each other,
/// but for web pages where only programs of this machine are meant.
///
/// # Errors
/// 401 or 403, in words that don't repeat what was shown.
pub(crate) fn admit(headers: &HeaderMap, config: &Config, is_open: bool) -> Result<Shown, Problem> {
    let shown = shown_key(headers)?;
    if is_open {
        if config.local_only {
            check_local(headers)?;
        }
        return Ok(Shown::Nothing);
    }
    let Some(shown) = shown else {
        return Err(refusal(
            "You didn't provide an API key. Send it as 'Authorization: Bearer KEY' or as 'api-key: KEY'.",
            "missing_api_key",
        ));
    };
    // All keys are compared, and all of each, so that the time tells nothing of where they differ.
    let known = config
        .api_keys
        .iter()
        .fold(Choice::from(0), |known, key| known | key.as_bytes().ct_eq(shown));
    let shown = String::from_utf8(shown.to_vec()).map_err(|_| unknown_key())?;
    Ok(if known.into() {
        Shown::Known(shown)
    } else {
        Shown::Unknown(shown)
    })
}

/// Whether a caller shows a key or a token of its own: not that of AWS's signature, by which its front door let it in.
pub(crate) fn shows_bearer(headers: &HeaderMap) -> bool {
    let of_authorization = headers.get_all(AUTHORIZATION).iter();
    headers.contains_key(API_KEY)
        || of_authorization
            .into_iter()
            .any(|value| !value.as_bytes().starts_with(b"AWS4-"))
}

/// A key that nobody knows.
pub(crate) fn unknown_key() -> Problem {
    refusal("Incorrect API key provided.", "invalid_api_key")
}

/// Without a key, whoever can connect may call, and every page in a browser of this machine can connect. Browsers say
/// for whom they ask (`Origin`, `Sec-Fetch-Site`), and by which name they came (`Host`), which is the page's own where
/// it had its name point to this machine.
fn check_local(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_foreign_site = text(SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
    let is_foreign_origin = text(ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        !is_loopback(authority)
    });
    let is_foreign_host = text(HOST).is_some_and(|host| !is_loopback(host));
    if is_foreign_site || is_foreign_origin || is_foreign_host {
        let message = "Without an API key configured, only programs on this machine may call, under a name of this \
                       machine such as localhost; web pages may not. Configure a key to allow others.";
        return Err(Problem::new(403, ProblemKind::Permission, message).with_code("local_only"));
    }
    Ok(())
}

/// Whether an authority, with or without a port, is this machine by name or address.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The one key that the headers show.
pub(crate) fn shown_key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let mut shown: Option<&[u8]> = None;
    for value in headers.get_all(AUTHORIZATION) {
        let (scheme, key) = split_scheme(value.as_bytes());
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Err(refusal(
                "The Authorization header must have the form 'Bearer KEY'.",
                "invalid_authorization",
            ));
        }
        agree(&mut shown, key)?;
    }
    for value in headers.get_all(API_KEY) {
        agree(&mut shown, value.as_bytes().trim_ascii())?;
    }
    Ok(shown.filter(|key| !key.is_empty()))
}

fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    match value.iter().position(|&byte| byte == b' ') {
        Some(space) => (&value[..space], value[space..].trim_ascii()),
        None => (value, b""),
    }
}

fn agree<'a>(shown: &mut Option<&'a [u8]>, key: &'a [u8]) -> Result<(), Problem> {
    match shown {
        Some(other) if *other != key => Err(refusal(
            "The request shows two different API keys; send one.",
            "contradicting_credentials",
        )),
        _ => {
            *shown = Some(key);
            Ok(())
        }
    }
}

/// A 401.
pub(crate) fn refusal(message: &str, code: &'static str) -> Problem {
    Problem::new(401, ProblemKind::Authentication, message).with_code(code)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn code(headers: &[(&'static str, &'static str)], keys: &[&str]) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let config = Config {
            api_keys: keys.iter().map(|&key| key.to_owned()).collect(),
            local_only: true,
            ..Config::default()
        };
        match admit(&map, &config, keys.is_empty()) {
            Ok(Shown::Unknown(_)) => Some("unknown"),
            Ok(_) => None,
            Err(problem) => problem.code,
        }
    }

    #[test]
    fn a_known_key_is_let_in_in_either_header() {
        let keys = ["first", "second"];
        assert_eq!(code(&[("authorization", "Bearer second")], &keys), None);
        assert_eq!(code(&[("authorization", "bearer  first")], &keys), None);
        assert_eq!(code(&[("api-key", "first")], &keys), None);
        assert_eq!(
            code(&[("api-key", "first"), ("authorization", "Bearer first")], &keys),
            None
        );
    }

    #[test]
    fn others_are_not() {
        let keys = ["first", "second"];
        assert_eq!(code(&[], &keys), Some("missing_api_key"));
        assert_eq!(code(&[("api-key", "")], &keys), Some("missing_api_key"));
        assert_eq!(code(&[("api-key", "firs")], &keys), Some("unknown"));
        assert_eq!(code(&[("api-key", "first1")], &keys), Some("unknown"));
        assert_eq!(
            code(&[("authorization", "Basic first")], &keys),
            Some("invalid_authorization")
        );
        let both = [("api-key", "first"), ("authorization", "Bearer second")];
        assert_eq!(code(&both, &keys), Some("contradicting_credentials"));
        assert_eq!(code(&both, &[]), Some("contradicting_credentials"));
        let twice = [("authorization", "Bearer first"), ("authorization", "Bearer second")];
        assert_eq!(code(&twice, &keys), Some("contradicting_credentials"));
    }

    #[test]
    fn a_web_page_is_no_program_of_this_machine() {
        for headers in [
            &[("host", "localhost:8080")][..],
            &[("host", "127.0.0.1:8080"), ("origin", "http://localhost:3000")],
            &[("host", "[::1]:8080"), ("sec-fetch-site", "none")],
            &[("host", "outcrop.localhost")],
            &[],
        ] {
            assert_eq!(code(headers, &[]), None, "{headers:?}");
        }
        for headers in [
            &[("host", "evil.example")][..],
            &[("host", "127.0.0.1.evil.example:8080")],
            &[("host", "localhost"), ("origin", "https://evil.example")],
            &[("host", "localhost"), ("origin", "null")],
            &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(code(headers, &[]), Some("local_only"), "{headers:?}");
            // A key is proof enough.
            let with_key: Vec<_> = headers.iter().copied().chain([("api-key", "first")]).collect();
            assert_eq!(code(&with_key, &["first"]), None, "{headers:?}");
        }
    }
}
