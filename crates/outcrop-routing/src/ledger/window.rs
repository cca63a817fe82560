//! What was spent lately: sums over a window that moves with time.
//!
//! AWS says that quotas refill within a minute, and not how. Whatever fits into each window of a minute, wherever it
//! begins, fits into a bucket that refills all the time, and into minutes of the clock: so this one counting is within
//! all of them, and at a steady load none gives more.
//!
//! Time is cut into slots, so that a window costs the same however much passes through it. A slot leaves as a whole
//! once all of it is old enough.

use std::collections::VecDeque;
use std::time::Duration;

/// Sums of requests and tokens over a window.
#[derive(Debug)]
pub(super) struct Window {
    /// How long a slot is.
    slot: Duration,
    /// How many slots count, that of the present included.
    slots: u64,
    /// Slots with something in them, oldest first.
    entries: VecDeque<Slot>,
    total: Amount,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    amount: Amount,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}

impl Window {
    /// A minute, and a half to a whole second more: calls reach AWS sooner or later after they leave here, so two that
    /// leave a minute apart may be less than a minute apart there. It costs less than two per cent of a quota.
    pub(super) fn of_a_minute() -> Self {
        Self::new(Duration::from_millis(250), 243)
    }

    /// A day, and up to five minutes more.
    pub(super) fn of_a_day() -> Self {
        Self::new(Duration::from_secs(300), 289)
    }

    fn new(slot: Duration, slots: u64) -> Self {
        Self {
            slot,
            slots,
            entries: VecDeque::new(),
            total: Amount::default(),
        }
    }

    /// The number of the slot of `now`. Threads may come with times that are slightly out of order; then the latest
    /// counts.
    fn number(&self, now: Duration) -> u64 {
        let slot = self.slot.as_millis().max(1);
        let number = u64::try_from(now.as_millis() / slot).unwrap_or(u64::MAX);
        self.entries.back().map_or(number, |last| number.max(last.number))
    }

    /// Forgets what is too old.
    pub(super) fn advance(&mut self, now: Duration) {
        let number = self.number(now);
        while let Some(first) = self.entries.front()
            && number - first.number >= self.slots
        {
            self.total.subtract(first.amount);
            self.entries.pop_front();
        }
    }

    /// What counts, as of the last time that it was advanced.
    pub(super) fn total(&self) -> Amount {
        self.total
    }

    /// Counts `amount` now. The number of the slot, for [`Window::give_back`].
    pub(super) fn add(&mut self, now: Duration, amount: Amount) -> u64 {
        let number = self.number(now);
        match self.entries.back_mut() {
            Some(last) if last.number == number => last.amount.add(amount),
            _ => self.entries.push_back(Slot { number, amount }),
        }
        self.total.add(amount);
        number
    }

    /// Takes back what was counted in the slot `number`, if that still counts.
    pub(super) fn give_back(&mut self, number: u64, amount: Amount) {
        let at = self.entries.partition_point(|slot| slot.number < number);
        if let Some(slot) = self.entries.get_mut(at).filter(|slot| slot.number == number) {
            slot.amount.subtract(amount);
            self.total.subtract(amount);
        }
    }

    /// How long until at most `most` of what `measure` measures counts, if nothing more is counted.
    pub(super) fn until_at_most(&self, now: Duration, most: u64, measure: fn(&Amount) -> u64) -> Duration {
        let mut left = measure(&self.total);
        if left <= most {
            return Duration::ZERO;
        }
        for slot in &self.entries {
            left = left.saturating_sub(measure(&slot.amount));
            if left <= most {
                return self.leaves(slot.number, now);
            }
        }
        Duration::ZERO
    }

    /// How long until nothing of what `measure` measures counts any more.
    pub(super) fn until_empty(&self, now: Duration, measure: fn(&Amount) -> u64) -> Duration {
        let last = self.entries.iter().rev().find(|slot| measure(&slot.amount) > 0);
        last.map_or(Duration::ZERO, |slot| self.leaves(slot.number, now))
    }

    fn leaves(&self, number: u64, now: Duration) -> Duration {
        let slot = u64::try_from(self.slot.as_millis()).unwrap_or(u64::MAX);
        let at = Duration::from_millis(number.saturating_add(self.slots).saturating_mul(slot));
        at.saturating_sub(now)
    }
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }

    fn subtract(&mut self, other: Self) {
        self.requests = self.requests.saturating_sub(other.requests);
        self.tokens = self.tokens.saturating_sub(other.tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(tokens: u64) -> Amount {
        Amount { requests: 1, tokens }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_spent_counts_for_a_minute_and_little_more() {
        let mut window = Window::of_a_minute();
        window.add(seconds(10), tokens(5));
        window.advance(seconds(70));
        assert_eq!(window.total(), tokens(5));
        window.advance(seconds(71));
        assert_eq!(window.total(), Amount::default());
    }

    #[test]
    fn what_is_given_back_counts_no_more_and_what_is_gone_cant_be() {
        let mut window = Window::of_a_minute();
        let old = window.add(seconds(0), tokens(5));
        let new = window.add(seconds(50), tokens(7));
        window.give_back(new, Amount { requests: 0, tokens: 3 });
        assert_eq!(window.total(), Amount { requests: 2, tokens: 9 });
        window.advance(seconds(62));
        window.give_back(old, tokens(5));
        assert_eq!(window.total(), tokens(4));
    }

    #[test]
    fn it_tells_when_there_is_room() {
        let mut window = Window::of_a_minute();
        window.add(seconds(0), tokens(60));
        window.add(seconds(30), tokens(40));
        let now = seconds(40);
        let measure: fn(&Amount) -> u64 = |amount| amount.tokens;
        assert_eq!(window.until_at_most(now, 100, measure), Duration::ZERO);
        let first = window.until_at_most(now, 50, measure);
        assert!(first >= seconds(20) && first <= seconds(21), "{first:?}");
        let both = window.until_empty(now, measure);
        assert!(both >= seconds(50) && both <= seconds(51), "{both:?}");
        window.advance(now + first);
        assert_eq!(window.total().tokens, 40);
    }
}
