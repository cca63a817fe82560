//! Who may call.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use outcrop_translate::{Problem, ProblemKind};
use subtle::{Choice, ConstantTimeEq as _};

/// Azure's header for keys.
const API_KEY: &str = "api-key";

/// Lets a caller in who shows one of `keys`; with no keys, anyone whose credentials don't contradict each other.
///
/// # Errors
/// 401, in words that don't repeat what was shown.
pub(crate) fn admit(headers: &HeaderMap, keys: &[String]) -> Result<(), Problem> {
    let shown = shown_key(headers)?;
    if keys.is_empty() {
        return Ok(());
    }
    let Some(shown) = shown else {
        return Err(refusal(
            "You didn't provide an API key. Send it as 'Authorization: Bearer KEY' or as 'api-key: KEY'.",
            "missing_api_key",
        ));
    };
    // All keys are compared, and all of each, so that the time tells nothing of where they differ.
    let known = keys
        .iter()
        .fold(Choice::from(0), |known, key| known | key.as_bytes().ct_eq(shown));
    if known.into() {
        Ok(())
    } else {
        Err(refusal("Incorrect API key provided.", "invalid_api_key"))
    }
}

/// The one key that the headers show.
fn shown_key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
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

fn refusal(message: &str, code: &'static str) -> Problem {
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
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        admit(&map, &keys).err().and_then(|problem| problem.code)
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
        assert_eq!(code(&[("api-key", "firs")], &keys), Some("invalid_api_key"));
        assert_eq!(code(&[("api-key", "first1")], &keys), Some("invalid_api_key"));
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
}
