//! Bytes of a medium, in base64 or not, looked at here and there without being decoded as a whole.

use std::borrow::Cow;

use bytes::Bytes;
use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::converse::Source;

/// The bytes of a medium.
#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    Base64(Base64<'a>),
    Bytes(Bytes),
}

impl<'a> Content<'a> {
    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Base64(base64) => base64.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// How many characters they have in base64.
    pub(super) fn base64_len(&self) -> usize {
        self.len().div_ceil(3) * 4
    }

    /// The bytes from `start` on, at most `length` of them.
    pub(super) fn slice(&self, start: usize, length: usize) -> Vec<u8> {
        match self {
            Self::Base64(base64) => base64.bytes_at(start, length),
            Self::Bytes(bytes) => {
                let start = start.min(bytes.len());
                let end = start.saturating_add(length).min(bytes.len());
                bytes[start..end].to_vec()
            }
        }
    }

    /// Exactly `N` bytes from `start` on, if there are that many.
    pub(super) fn array<const N: usize>(&self, start: usize) -> Option<[u8; N]> {
        self.slice(start, N).try_into().ok()
    }

    /// All bytes.
    pub(super) fn whole(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Base64(base64) => Cow::Owned(base64.decode()),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// A name for these bytes: the same for the same bytes in the same form, and hardly ever for others.
    pub(super) fn fingerprint(&self) -> u64 {
        match self {
            Self::Base64(base64) => fingerprint(base64.as_str().as_bytes()),
            Self::Bytes(bytes) => fingerprint(bytes),
        }
    }

    pub(super) fn into_source(self) -> Source<'a> {
        match self {
            Self::Base64(base64) => Source::Base64(base64),
            Self::Bytes(bytes) => Source::Bytes(bytes),
        }
    }
}

/// Multiplies and folds, eight bytes at a time. Who wants a collision can make one; it costs them a clear name only.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let fold = |sum: u64, word: u64| {
        let product = u128::from(sum ^ word) * u128::from(FACTOR);
        (product as u64) ^ ((product >> 64) as u64).rotate_left(23)
    };
    let words = bytes.chunks_exact(8);
    let mut rest = [0; 8];
    rest[..words.remainder().len()].copy_from_slice(words.remainder());
    let sum = words
        .filter_map(|word| word.try_into().ok().map(u64::from_le_bytes))
        .fold(bytes.len() as u64, fold);
    fold(fold(sum, u64::from_le_bytes(rest)), FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_more_or_another_byte_anywhere_is_another_fingerprint() {
        let bytes: Vec<u8> = (0..200).collect();
        let mut seen = std::collections::HashSet::new();
        for length in 0..bytes.len() {
            assert!(seen.insert(fingerprint(&bytes[..length])), "{length}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                assert!(seen.insert(fingerprint(&other)), "{at} {bit}");
            }
        }
    }
}
