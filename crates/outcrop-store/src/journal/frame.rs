//! How records stand in a segment: a mark, the length, a checksum, JSON. The mark has bytes that no JSON has, so that
//! reading goes on behind whatever is damaged, and no client can write a record into another one.

use outcrop_tenants::UsageRecord;

/// What each frame begins with. 0xFF is in no UTF-8.
const MARK: [u8; 4] = [0xFF, b'u', b'1', 0xFF];
/// Mark, length and checksum.
const HEAD: usize = 12;
/// More than any record has: a longer one is damage.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// Appends a record to `out`. One that is too large, which none is, is left out.
pub fn encode(record: &UsageRecord, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&[0; HEAD - MARK.len()]);
    let written = serde_json::to_writer(&mut *out, record);
    let payload = out.get(start + HEAD..).unwrap_or_default();
    let (Ok(()), Ok(length), true) = (written, u32::try_from(payload.len()), payload.len() <= MAX_PAYLOAD) else {
        tracing::error!(request_id = record.request_id, "a record of usage could not be written");
        out.truncate(start);
        return;
    };
    let checksum = crc32fast::hash(payload);
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&checksum.to_le_bytes());
}

/// What stands in a segment.
#[derive(Debug, PartialEq)]
pub enum Found<'a> {
    /// A record.
    Record(Box<UsageRecord>),
    /// Bytes that are none.
    Damage(&'a [u8]),
    /// The beginning of a frame whose end isn't there.
    Torn(&'a [u8]),
}

/// Reads frames one after the other, and finds the next one behind whatever is damaged.
#[derive(Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Frames<'a> {
    /// The frames of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// How far it has read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The record at a position with its end; none if there is none.
    fn at(&self, position: usize) -> At {
        let rest = self.bytes.get(position..).unwrap_or_default();
        let seen = rest.len().min(MARK.len());
        if rest[..seen] != MARK[..seen] {
            return At::Damage;
        }
        let (Some(length), Some(checksum)) = (number(rest, 4), number(rest, 8)) else {
            return At::Torn;
        };
        let length = length as usize;
        if length > MAX_PAYLOAD {
            return At::Damage;
        }
        let Some(payload) = rest.get(HEAD..HEAD + length) else {
            return At::Torn;
        };
        if crc32fast::hash(payload) != checksum {
            return At::Damage;
        }
        match serde_json::from_slice(payload) {
            Ok(record) => At::Record(Box::new(record), position + HEAD + length),
            Err(_) => At::Damage,
        }
    }

    /// Where the next mark is from a position on.
    fn next_mark(&self, from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        let found = rest.windows(MARK.len()).position(|window| window == MARK);
        found.map(|found| from + found)
    }
}

enum At {
    Record(Box<UsageRecord>, usize),
    Damage,
    Torn,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

impl<'a> Iterator for Frames<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let start = self.position;
        if start >= self.bytes.len() {
            return None;
        }
        let is_torn = match self.at(start) {
            At::Record(record, end) => {
                self.position = end;
                return Some(Found::Record(record));
            }
            At::Torn => true,
            At::Damage => false,
        };
        // A length that was damaged may look as if the end were missing: what is whole behind it is read all the same.
        let mut from = start + 1;
        while let Some(mark) = self.next_mark(from) {
            if matches!(self.at(mark), At::Record(..)) {
                self.position = mark;
                return Some(Found::Damage(&self.bytes[start..mark]));
            }
            from = mark + 1;
        }
        self.position = self.bytes.len();
        let rest = &self.bytes[start..];
        Some(if is_torn {
            Found::Torn(rest)
        } else {
            Found::Damage(rest)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::testing::record;

    fn written(count: u64) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for number in 0..count {
            encode(&record(number), &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn ids(bytes: &[u8]) -> Vec<String> {
        let records = Frames::new(bytes).filter_map(|found| match found {
            Found::Record(record) => Some(record.id),
            _ => None,
        });
        records.collect()
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let (bytes, _) = written(3);
        let read: Vec<_> = Frames::new(&bytes).collect();
        let expected: Vec<_> = (0..3).map(|number| Found::Record(Box::new(record(number)))).collect();
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn a_cut_loses_the_record_that_was_cut(count in 1u64..8, cut in any::<prop::sample::Index>()) {
            let (bytes, ends) = written(count);
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().filter(|&&end| end > 0 && end <= cut).count();
            let read = ids(&bytes[..cut]);
            let expected: Vec<_> = (0..whole as u64).map(|number| record(number).id).collect();
            prop_assert_eq!(read, expected);
            let is_torn = Frames::new(&bytes[..cut]).any(|found| matches!(found, Found::Torn(_)));
            prop_assert_eq!(is_torn, !ends.contains(&cut));
        }

        #[test]
        fn a_flip_loses_the_record_that_was_hit(
            count in 1u64..8,
            at in any::<prop::sample::Index>(),
            mask in 1u8..,
        ) {
            let (mut bytes, ends) = written(count);
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            let hit = ends.iter().filter(|&&end| end <= at).count() as u64 - 1;
            let expected: Vec<_> = (0..count).filter(|&number| number != hit).map(|number| record(number).id).collect();
            prop_assert_eq!(ids(&bytes), expected);
        }

        #[test]
        fn whatever_is_read_ends_and_all_of_it_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut frames = Frames::new(&bytes);
            let told: usize = frames.by_ref().map(|found| match found {
                Found::Record(_) => 0,
                Found::Damage(bytes) | Found::Torn(bytes) => bytes.len(),
            }).sum();
            prop_assert_eq!(told, bytes.len());
            prop_assert_eq!(frames.position(), bytes.len());
        }
    }
}
