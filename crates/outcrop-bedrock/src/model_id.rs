//! Model ids as they travel in a path.

use std::fmt::Write as _;

/// The longest model id or ARN that Converse takes (service model of Bedrock Runtime, 2026-11: `modelId` 1–2,048).
pub const MAX_MODEL_ID_CHARS: usize = 2048;

/// `model_id` as one path segment: all but unreserved characters (RFC 3986) percent-encoded, the `:` of versions and
/// the `/` of ARNs among them.
pub fn path_segment(model_id: &str) -> String {
    let mut segment = String::with_capacity(model_id.len() + 8);
    for byte in model_id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

/// Whether `model_id` has the characters and the length of an id or ARN that Converse takes.
pub fn is_plausible(model_id: &str) -> bool {
    (1..=MAX_MODEL_ID_CHARS).contains(&model_id.len())
        // Neither `..` nor an absolute path: an id becomes a segment of a path.
        && model_id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && model_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_arns_become_one_segment() {
        assert_eq!(path_segment("amazon.nova-lite-v1:0"), "amazon.nova-lite-v1%3A0");
        assert_eq!(
            path_segment("arn:aws:bedrock:us-east-1:1:inference-profile/us.x"),
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x"
        );
    }

    #[test]
    fn what_no_id_contains_is_implausible() {
        assert!(is_plausible("us.anthropic.claude-sonnet-4-5-20250929-v1:0"));
        for model_id in ["", "..", "/etc", "a b", "a\r\nb", "é", "a?b", "a%3A"] {
            assert!(!is_plausible(model_id), "{model_id:?}");
        }
    }
}
