//! Base64 (RFC 4648, section 4), as Converse carries bytes: written for bytes that come from elsewhere, checked and
//! looked into for those that a client sent in base64 already.

use std::borrow::Cow;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` in base64, padded.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let groups = bytes.chunks_exact(3);
    let rest = groups.remainder();
    for group in groups {
        out.extend_from_slice(&letters(group[0], group[1], group[2]));
    }
    match *rest {
        [a] => {
            let [first, second, ..] = letters(a, 0, 0);
            out.extend_from_slice(&[first, second, b'=', b'=']);
        }
        [a, b] => {
            let [first, second, third, _] = letters(a, b, 0);
            out.extend_from_slice(&[first, second, third, b'=']);
        }
        _ => {}
    }
    String::from_utf8(out).unwrap_or_default()
}

fn letters(a: u8, b: u8, c: u8) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| LETTERS[(bits >> shift & 63) as usize])
}

/// Base64 that is known to be well-formed: only letters of the alphabet, padded to a multiple of four, not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base64<'a>(Cow<'a, str>);

impl<'a> Base64<'a> {
    /// Checks `text`, in one pass. White space, as some clients wrap base64 in lines, is taken out; missing padding is
    /// put back. `None` when it is no base64, or holds no byte.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let mut text = text.into();
        if !is_base64(&text) {
            text.to_mut().retain(|letter| !letter.is_ascii_whitespace());
            while !text.len().is_multiple_of(4) && !text.ends_with("==") {
                text.to_mut().push('=');
            }
            if !is_base64(&text) {
                return None;
            }
        }
        Some(Self(text))
    }

    /// The letters, padding included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many bytes it holds; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        let letters = self.0.trim_end_matches('=').len();
        letters / 4 * 3 + (letters % 4).saturating_sub(1)
    }

    /// The bytes from `start` on, at most `length` of them. Only those are decoded.
    pub fn bytes_at(&self, start: usize, length: usize) -> Vec<u8> {
        let start = start.min(self.len());
        let end = start.saturating_add(length).min(self.len());
        let groups = self.0.as_bytes().chunks_exact(4).skip(start / 3);
        let mut bytes = Vec::with_capacity(end - start + 4);
        for group in groups.take((end.div_ceil(3)).saturating_sub(start / 3)) {
            let bits = group
                .iter()
                .fold(0_u32, |bits, &letter| bits << 6 | u32::from(sextet(letter)));
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        bytes.drain(..(start % 3).min(bytes.len()));
        bytes.truncate(end - start);
        bytes
    }

    /// All bytes.
    pub fn decode(&self) -> Vec<u8> {
        self.bytes_at(0, usize::MAX)
    }
}

fn is_base64(text: &str) -> bool {
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    // A fold without an early exit, which the compiler turns into vector code: images are large.
    let all_known = letters.bytes().fold(true, |known, byte| {
        known & (((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'/') < 11) | (byte == b'+'))
    });
    !letters.is_empty() && all_known && padding <= 2 && text.len().is_multiple_of(4)
}

fn sextet(letter: u8) -> u8 {
    match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn encoding_is_what_awss_own_is(bytes: Vec<u8>) {
            prop_assert_eq!(encode(&bytes), aws_smithy_types::base64::encode(&bytes));
        }

        #[test]
        fn a_look_at_any_place_gives_the_bytes_that_stand_there(
            bytes in prop::collection::vec(any::<u8>(), 1..64),
            start in 0_usize..70,
            length in 0_usize..70,
        ) {
            let base64 = Base64::parse(encode(&bytes)).unwrap();
            prop_assert_eq!(base64.len(), bytes.len());
            let expected: Vec<u8> = bytes.iter().copied().skip(start).take(length).collect();
            prop_assert_eq!(base64.bytes_at(start, length), expected);
            prop_assert_eq!(base64.decode(), bytes);
        }
    }

    #[test]
    fn lines_and_missing_padding_are_mended() {
        for text in ["aGVsbG8=", "aGVs\nbG8=\n", "aGVsbG8", " aGVsbG8 "] {
            let base64 = Base64::parse(text).unwrap();
            assert_eq!(base64.as_str(), "aGVsbG8=", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["", "=", "====", "a", "aGVsbG8==", "aGV*", "aGV=bG8=", "aGVsb", "é=="] {
            assert!(Base64::parse(text).is_none(), "{text:?}");
        }
    }
}
