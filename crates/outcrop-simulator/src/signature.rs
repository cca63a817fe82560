//! The signatures of Claude's reasoning: made here, and recognised when they come back.

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};

/// If the reasoning text went out with its signature.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Text {
    Shown,
    Blank,
}

/// The signature of a reasoning text.
pub(crate) fn of(reasoning: &str, text: Text) -> String {
    let tag = [u8::from(text == Text::Blank)];
    sealed(&[&tag, digest(&SHA256, reasoning.as_bytes()).as_ref()].concat())
}

/// If `signature` was made here for `reasoning`, or for one whose text wasn't shown.
pub(crate) fn fits(signature: &str, reasoning: &str) -> bool {
    match opened(signature).as_deref() {
        Some([0, hash @ ..]) => hash == digest(&SHA256, reasoning.as_bytes()).as_ref(),
        Some([1, ..]) => reasoning.is_empty(),
        _ => false,
    }
}

/// Reasoning that nobody but the model can read.
pub(crate) fn redacted(reasoning: &str) -> String {
    let tag = [2];
    sealed(&[&tag, digest(&SHA256, reasoning.as_bytes()).as_ref()].concat())
}

/// If `content` was made by [`redacted`].
pub(crate) fn is_redacted(content: &str) -> bool {
    opened(content).is_some_and(|bytes| bytes.first() == Some(&2))
}

fn sealed(bytes: &[u8]) -> String {
    base64::encode([bytes, &seal(bytes)].concat())
}

fn opened(text: &str) -> Option<Vec<u8>> {
    let mut bytes = base64::decode(text).ok()?;
    let seal_at = bytes.len().checked_sub(SHA256.output_len())?;
    let given = bytes.split_off(seal_at);
    (given == seal(&bytes)).then_some(bytes)
}

fn seal(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, &[b"simulator\n", bytes].concat()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_fits() {
        assert!(fits(&of("hm", Text::Shown), "hm"));
        assert!(fits(&of("hm", Text::Blank), ""));
        assert!(!fits(&of("hm", Text::Shown), "hm!"));
        assert!(!fits(&of("hm", Text::Shown), ""));
        assert!(!fits(&of("hm", Text::Blank), "hm"));
        assert!(!fits(&redacted("hm"), "hm"));
        assert!(!fits("made up", "hm"));
    }

    #[test]
    fn redacted_reasoning_is_recognised() {
        let content = redacted("hm");
        assert!(is_redacted(&content));
        assert!(!is_redacted(&content.to_lowercase()));
        assert!(!is_redacted(&of("hm", Text::Shown)));
    }
}
