//! The id that ties a request to its answer and its line in the log.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};

/// `X-Request-ID`
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a client's that is kept.
const MAX_CHARS: usize = 128;

/// The client's own id if it sent a sane one, else a new one.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    match headers.get(X_REQUEST_ID) {
        Some(id) if is_sane(id.as_bytes()) => id.clone(),
        _ => {
            let id = format!("req_{:012x}{:020x}", now(), fastrand::u128(..) >> 48);
            HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("req_"))
        }
    }
}

/// In milliseconds since 1970. Ids that begin with the time are written to an index at its end, which costs the database
/// a fraction of what it costs to write them all over it.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX) & 0xffff_ffff_ffff
    })
}

fn is_sane(id: &[u8]) -> bool {
    let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (1..=MAX_CHARS).contains(&id.len()) && id.iter().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        let of_client = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            of(&headers)
        };
        assert_eq!(of_client("trace-1.a:b_C"), "trace-1.a:b_C");
        for id in ["", "a b", "<script>", "é", &"a".repeat(129)] {
            assert!(of_client(id).to_str().unwrap().starts_with("req_"), "{id}");
        }
        let made = of(&HeaderMap::new());
        assert_eq!(made.len(), 36);
        assert_ne!(made, of(&HeaderMap::new()));
    }
}
