//! What may be used once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many there are before those that have ended are looked for.
const CLEAN_ABOVE: usize = 1024;

/// What was used, until it would have ended anyway. With a value for what it proved.
#[derive(Debug)]
pub(super) struct Once<T> {
    used: Mutex<Used<T>>,
}

#[derive(Debug)]
struct Used<T> {
    most: usize,
    until: HashMap<[u8; 32], (i64, T)>,
    clean_above: usize,
}

impl<T> Once<T> {
    /// Has room for so many that haven't ended.
    pub(super) fn new(most: usize) -> Self {
        Self {
            used: Mutex::new(Used {
                most,
                until: HashMap::new(),
                clean_above: CLEAN_ABOVE,
            }),
        }
    }
}

/// There is no room to note that something was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<T: Clone> Once<T> {
    /// What was noted of something, if it was used and hasn't ended.
    pub(super) fn get(&self, fingerprint: &[u8; 32], now: i64) -> Option<T> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, value) = used.until.get(fingerprint)?;
        (now <= *until).then(|| value.clone())
    }

    /// Notes that something was used; false if it was before.
    pub(super) fn note(&self, fingerprint: [u8; 32], until: i64, value: T, now: i64) -> Result<bool, Full> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.until.get(&fingerprint).is_some_and(|(until, _)| now <= *until) {
            return Ok(false);
        }
        if used.until.len() >= used.clean_above {
            used.until.retain(|_, (until, _)| now <= *until);
            // Seldom enough that it costs nothing to speak of.
            used.clean_above = CLEAN_ABOVE.max(2 * used.until.len()).min(used.most);
        }
        if used.until.len() >= used.most {
            return Err(Full);
        }
        used.until.insert(fingerprint, (until, value));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_used_once_until_it_ends() {
        let once = Once::new(10);
        assert_eq!(once.note([1; 32], 100, "a", 50), Ok(true));
        assert_eq!(once.note([1; 32], 100, "b", 100), Ok(false));
        assert_eq!(once.get(&[1; 32], 100), Some("a"));
        assert_eq!(once.get(&[1; 32], 101), None);
        assert_eq!(once.note([2; 32], 100, "a", 50), Ok(true));
    }

    #[test]
    fn what_has_ended_makes_room() {
        let once = Once::new(100_000);
        for number in 0..10_000_u32 {
            let mut fingerprint = [0; 32];
            fingerprint[..4].copy_from_slice(&number.to_be_bytes());
            let now = i64::from(number);
            assert_eq!(once.note(fingerprint, now + 10, (), now), Ok(true));
        }
        assert!(once.used.lock().unwrap().until.len() <= 2 * CLEAN_ABOVE);
        let small = Once::new(1);
        assert_eq!(small.note([1; 32], 100, (), 50), Ok(true));
        assert_eq!(small.note([2; 32], 100, (), 100), Err(Full));
    }
}
