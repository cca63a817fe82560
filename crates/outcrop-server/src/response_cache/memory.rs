//! Answers in the gateway's own memory.
//!
//! A map, and an order of use beside it: some fifty lines, no library. What is done under the lock takes a microsecond,
//! against the milliseconds of a call.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::key::Key;

/// What an answer takes beside its own bytes, about.
const OVERHEAD: usize = 256;

/// Answers in memory. Those that were not asked for the longest make room for others.
#[derive(Debug)]
pub(super) struct Memory {
    /// The most bytes of all together.
    limit: usize,
    bytes: usize,
    kept: HashMap<Key, Kept>,
    /// Keys by their last use.
    order: BTreeMap<u64, Key>,
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    until: Instant,
    last_use: u64,
}

impl Kept {
    fn size(&self) -> usize {
        OVERHEAD + self.entry.body.len() + self.entry.region.len() + self.entry.adapted.len()
    }
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            kept: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
        }
    }

    pub(super) fn get(&mut self, key: &Key, now: Instant) -> Option<Entry> {
        if self.kept.get(key)?.until <= now {
            self.remove(key);
            return None;
        }
        self.uses += 1;
        let kept = self.kept.get_mut(key)?;
        self.order.remove(&kept.last_use);
        self.order.insert(self.uses, *key);
        kept.last_use = self.uses;
        Some(kept.entry.clone())
    }

    pub(super) fn put(&mut self, key: Key, entry: Entry, ttl: Duration, now: Instant) {
        self.remove(&key);
        // Times that end beyond all clocks don't.
        let Some(until) = now.checked_add(ttl) else { return };
        self.uses += 1;
        let kept = Kept {
            entry,
            until,
            last_use: self.uses,
        };
        self.bytes += kept.size();
        self.order.insert(self.uses, key);
        self.kept.insert(key, kept);
        while self.bytes > self.limit
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.order.remove(&kept.last_use);
            self.bytes -= kept.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    fn entry(length: usize) -> Entry {
        Entry {
            created: SystemTime::UNIX_EPOCH,
            region: String::new(),
            adapted: String::new(),
            body: vec![b'x'; length].into(),
        }
    }

    fn has(memory: &mut Memory, keys: &[u8], now: Instant) -> Vec<bool> {
        keys.iter()
            .map(|key| memory.get(&Key::of(*key), now).is_some())
            .collect()
    }

    #[test]
    fn an_answer_is_kept_for_its_time() {
        let (mut memory, now) = (Memory::new(10_000), Instant::now());
        memory.put(Key::of(1), entry(10), TTL, now);
        let just_before = now + TTL - Duration::from_millis(1);
        assert_eq!(memory.get(&Key::of(1), just_before), Some(entry(10)));
        assert_eq!(memory.get(&Key::of(1), now + TTL), None);
        assert!(memory.bytes == 0 && memory.order.is_empty());
    }

    #[test]
    fn the_least_used_make_room() {
        let (mut memory, now) = (Memory::new(3 * (100 + OVERHEAD)), Instant::now());
        for key in [1, 2, 3] {
            memory.put(Key::of(key), entry(100), TTL, now);
        }
        assert_eq!(has(&mut memory, &[1], now), [true]);
        memory.put(Key::of(4), entry(100), TTL, now);
        assert_eq!(has(&mut memory, &[1, 2, 3, 4], now), [true, false, true, true]);
        // A larger one needs the room of two.
        memory.put(Key::of(5), entry(150), TTL, now);
        assert_eq!(has(&mut memory, &[1, 3, 4, 5], now), [false, false, true, true]);
    }

    #[test]
    fn a_new_answer_replaces_the_old_one() {
        let (mut memory, now) = (Memory::new(10_000), Instant::now());
        memory.put(Key::of(1), entry(100), TTL, now);
        memory.put(Key::of(1), entry(7), TTL, now);
        assert_eq!(memory.get(&Key::of(1), now), Some(entry(7)));
        assert_eq!(memory.bytes, 7 + OVERHEAD);
        assert_eq!((memory.kept.len(), memory.order.len()), (1, 1));
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let (mut memory, now) = (Memory::new(100), Instant::now());
        memory.put(Key::of(1), entry(101), TTL, now);
        assert_eq!(memory.get(&Key::of(1), now), None);
        assert_eq!(memory.bytes, 0);
    }
}
