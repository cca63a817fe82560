//! What passed within the last minute.
//!
//! Time is cut into seconds, and a second leaves as a whole once all of it is a minute old. So in no 60 seconds, wherever
//! they begin, more passes than the limit, and it costs less than two per cent of it.

use std::collections::VecDeque;

/// Milliseconds of a slot.
const SLOT: u64 = 1000;
/// Slots that count, the present one included.
const SLOTS: u64 = 61;

/// Sums of requests and tokens over a minute.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Slots with something in them, oldest first.
    slots: VecDeque<Slot>,
    requests: u64,
    tokens: u64,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    requests: u32,
    tokens: u64,
}

impl Window {
    /// The number of the slot of `ticks`. Threads may come with times that are slightly out of order; then the latest
    /// counts.
    fn number(&self, ticks: u64) -> u64 {
        let number = ticks / SLOT;
        self.slots.back().map_or(number, |last| number.max(last.number))
    }

    /// Forgets what is too old.
    pub(super) fn advance(&mut self, ticks: u64) {
        let number = self.number(ticks);
        while let Some(first) = self.slots.front()
            && number - first.number >= SLOTS
        {
            self.requests = self.requests.saturating_sub(u64::from(first.requests));
            self.tokens = self.tokens.saturating_sub(first.tokens);
            self.slots.pop_front();
        }
    }

    /// Requests that count.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Tokens that count.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Whether nothing counts.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Counts something now. The number of the slot, for [`Window::give_back`].
    pub(super) fn add(&mut self, ticks: u64, requests: u32, tokens: u64) -> u64 {
        let number = self.number(ticks);
        match self.slots.back_mut() {
            Some(last) if last.number == number => {
                last.requests = last.requests.saturating_add(requests);
                last.tokens = last.tokens.saturating_add(tokens);
            }
            _ => self.slots.push_back(Slot {
                number,
                requests,
                tokens,
            }),
        }
        self.requests = self.requests.saturating_add(u64::from(requests));
        self.tokens = self.tokens.saturating_add(tokens);
        number
    }

    /// Takes back what was counted in a slot, if that still counts.
    pub(super) fn give_back(&mut self, number: u64, requests: u32, tokens: u64) {
        let at = self.slots.partition_point(|slot| slot.number < number);
        if let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.number == number) {
            slot.requests = slot.requests.saturating_sub(requests);
            slot.tokens = slot.tokens.saturating_sub(tokens);
            self.requests = self.requests.saturating_sub(u64::from(requests));
            self.tokens = self.tokens.saturating_sub(tokens);
        }
    }

    /// Milliseconds until at most `most` requests count.
    pub(super) fn until_requests(&self, ticks: u64, most: u64) -> u64 {
        self.until(ticks, most, self.requests, |slot| u64::from(slot.requests))
    }

    /// Milliseconds until at most `most` tokens count.
    pub(super) fn until_tokens(&self, ticks: u64, most: u64) -> u64 {
        self.until(ticks, most, self.tokens, |slot| slot.tokens)
    }

    /// Milliseconds until nothing counts any more.
    pub(super) fn until_empty(&self, ticks: u64) -> u64 {
        self.slots.back().map_or(0, |last| leaves(last.number, ticks))
    }

    fn until(&self, ticks: u64, most: u64, mut left: u64, measure: fn(&Slot) -> u64) -> u64 {
        if left <= most {
            return 0;
        }
        for slot in &self.slots {
            left = left.saturating_sub(measure(slot));
            if left <= most {
                return leaves(slot.number, ticks);
            }
        }
        0
    }
}

fn leaves(number: u64, ticks: u64) -> u64 {
    ((number + SLOTS) * SLOT).saturating_sub(ticks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_passed_counts_for_a_minute_and_at_most_a_second_more() {
        let mut window = Window::default();
        window.add(10_999, 1, 5);
        window.advance(70_999);
        assert_eq!((window.requests(), window.tokens()), (1, 5));
        assert_eq!(window.until_empty(70_999), 1);
        window.advance(71_000);
        assert!(window.is_empty());
        assert_eq!((window.requests(), window.tokens()), (0, 0));
    }

    #[test]
    fn it_tells_when_there_is_room() {
        let mut window = Window::default();
        let old = window.add(0, 1, 60);
        window.add(30_000, 1, 40);
        assert_eq!(window.until_tokens(40_000, 100), 0);
        assert_eq!(window.until_tokens(40_000, 50), 21_000);
        assert_eq!(window.until_requests(40_000, 0), 51_000);
        window.advance(61_000);
        window.give_back(old, 1, 60);
        assert_eq!(
            (window.requests(), window.tokens()),
            (1, 40),
            "what is gone can't come back"
        );
    }

    proptest! {
        #[test]
        fn in_no_minute_more_passes_than_the_limit(
            limit in 1_u64..8,
            steps in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let mut window = Window::default();
            let (mut now, mut passed) = (0, Vec::new());
            for step in steps {
                now += step;
                window.advance(now);
                let wait = window.until_requests(now, limit - 1);
                if wait == 0 {
                    window.add(now, 1, 0);
                    passed.push(now);
                } else {
                    prop_assert!(wait <= 61_000);
                }
            }
            for (index, first) in passed.iter().enumerate() {
                let within = passed[index..].iter().take_while(|time| **time - first < 60_000).count();
                prop_assert!(within as u64 <= limit);
            }
        }
    }
}
