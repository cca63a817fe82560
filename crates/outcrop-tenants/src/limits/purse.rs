//! What was spent of one organization, project or key in one period.
//!
//! It is the sum of three: what the database has, of all instances; what this instance has settled and the database
//! doesn't have yet; what is reserved. The second is kept in heaps with marks, which whoever writes to the database counts
//! up. A heap goes only with a sum that was read after all of its marks had reached the database: so nothing is ever
//! missing, and for the time between two sums something may count twice.

use std::collections::VecDeque;

use crate::{Money, Period};

/// The most heaps; if the database is away for long, the latest are put together.
const HEAPS: usize = 32;

/// What was spent in a period.
#[derive(Debug)]
pub(super) struct Purse {
    pub(super) period: Period,
    /// When the period began, in seconds since 1970.
    start: i64,
    /// When it ends.
    end: i64,
    /// The sum that the database had.
    in_database: Money,
    /// What was settled since the last sum, and the highest mark of it.
    open: Heap,
    /// What was settled before, and hadn't reached the database.
    closed: VecDeque<Heap>,
    /// The sum of these heaps.
    pending: Money,
    /// What calls under way may cost.
    reserved: Money,
    /// The highest limit of which it was said that it is reached.
    told: Money,
}

#[derive(Clone, Copy, Debug, Default)]
struct Heap {
    mark: u64,
    amount: Money,
}

impl Purse {
    pub(super) fn new(period: Period, now: i64, in_database: Money) -> Self {
        Self {
            period,
            start: period.start(now),
            end: period.end(now).unwrap_or(i64::MAX),
            in_database,
            open: Heap::default(),
            closed: VecDeque::new(),
            pending: Money::ZERO,
            reserved: Money::ZERO,
            told: Money::ZERO,
        }
    }

    /// Begins the period anew that `now` is in. What is reserved stays so, since it will be spent in the new one.
    pub(super) fn advance(&mut self, now: i64) {
        if now >= self.end {
            let reserved = self.reserved;
            *self = Self::new(self.period, now, Money::ZERO);
            self.reserved = reserved;
        }
    }

    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// When the period ends, if it does.
    pub(super) fn end(&self) -> Option<i64> {
        (self.end != i64::MAX).then_some(self.end)
    }

    /// What was spent.
    pub(super) fn spent(&self) -> Money {
        self.in_database + self.pending
    }

    pub(super) fn in_database(&self) -> Money {
        self.in_database
    }

    /// What was settled here, and isn't in the database's sum.
    pub(super) fn pending(&self) -> Money {
        self.pending
    }

    pub(super) fn reserved(&self) -> Money {
        self.reserved
    }

    /// Whether a call that costs at most `most` may be made under a hard limit: if it surely fits, or if it is the only
    /// one and there is something left. So a limit is exceeded by one call at most.
    pub(super) fn has_room(&self, most: Money, limit: Money) -> bool {
        let spent = self.spent();
        spent < limit && (self.reserved == Money::ZERO || spent + self.reserved + most <= limit)
    }

    pub(super) fn reserve(&mut self, most: Money) {
        self.reserved += most;
    }

    pub(super) fn release(&mut self, most: Money) {
        self.reserved = self.reserved.less(most);
    }

    pub(super) fn settle(&mut self, cost: Money, mark: u64) {
        if cost > Money::ZERO {
            self.open.amount += cost;
            self.open.mark = self.open.mark.max(mark);
            self.pending += cost;
        }
    }

    /// Takes over the database's sum of the period that began at `start`, which was read after all marks up to `reached`
    /// had reached it. Gives whether that changes anything.
    pub(super) fn sync(&mut self, start: i64, in_database: Money, reached: u64) -> bool {
        if start < self.start {
            return false;
        }
        let before = (self.start, self.in_database, self.pending);
        self.advance(start);
        self.in_database = in_database;
        let open = std::mem::take(&mut self.open);
        if open.amount > Money::ZERO {
            let is_full = self.closed.len() >= HEAPS;
            match self.closed.back_mut() {
                Some(last) if is_full => {
                    last.amount += open.amount;
                    last.mark = last.mark.max(open.mark);
                }
                _ => self.closed.push_back(open),
            }
        }
        let mut gone = Money::ZERO;
        self.closed.retain(|heap| {
            let stays = heap.mark > reached;
            gone += if stays { Money::ZERO } else { heap.amount };
            stays
        });
        self.pending = self.pending.less(gone);
        before != (self.start, self.in_database, self.pending)
    }

    /// Whether it is the first time in the period that a limit as high as this is reached.
    pub(super) fn tell(&mut self, reached: Money) -> bool {
        let is_new = reached > self.told || self.told == Money::ZERO;
        self.told = self.told.max(reached).max(Money::from_nanos(1));
        is_new
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_idle(&self, now: i64) -> bool {
        now >= self.end && self.reserved == Money::ZERO
            || self.pending == Money::ZERO && self.reserved == Money::ZERO && self.told == Money::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    const fn nanos(nanos: i64) -> Money {
        Money::from_nanos(nanos)
    }

    #[test]
    fn what_was_settled_counts_until_a_sum_surely_has_it() {
        let mut purse = Purse::new(Period::Day, 5, nanos(100));
        purse.settle(nanos(7), 1);
        purse.settle(nanos(8), 2);
        // The sum may have the first already. It is not known, so it counts twice for a moment.
        purse.sync(0, nanos(107), 0);
        assert_eq!(purse.spent(), nanos(122));
        purse.settle(nanos(1), 3);
        purse.sync(0, nanos(107), 1);
        assert_eq!(purse.spent(), nanos(123));
        purse.sync(0, nanos(115), 2);
        assert_eq!(purse.spent(), nanos(116));
        purse.sync(0, nanos(116), 3);
        assert_eq!((purse.spent(), purse.pending()), (nanos(116), Money::ZERO));
    }

    #[test]
    fn a_new_period_begins_with_what_is_reserved() {
        let mut purse = Purse::new(Period::Day, 5, nanos(100));
        purse.reserve(nanos(9));
        purse.settle(nanos(1), 1);
        purse.advance(DAY - 1);
        assert_eq!(purse.spent(), nanos(101));
        purse.advance(DAY);
        assert_eq!((purse.spent(), purse.reserved()), (Money::ZERO, nanos(9)));
        purse.sync(0, nanos(101), 1);
        assert_eq!(purse.spent(), Money::ZERO, "a sum of yesterday");
        purse.sync(2 * DAY, nanos(3), 1);
        assert_eq!((purse.start(), purse.spent()), (2 * DAY, nanos(3)));
    }

    #[test]
    fn the_database_may_be_away_for_long() {
        let mut purse = Purse::new(Period::Total, 5, Money::ZERO);
        for mark in 1..=1000 {
            purse.settle(nanos(1), mark);
            purse.sync(0, Money::ZERO, 0);
        }
        assert!(purse.closed.len() <= HEAPS);
        assert_eq!(purse.spent(), nanos(1000));
        purse.sync(0, nanos(1000), 1000);
        assert_eq!(purse.spent(), nanos(1000));
    }

    #[test]
    fn the_rest_of_a_budget_can_be_used_by_one_call() {
        let mut purse = Purse::new(Period::Total, 5, nanos(95));
        assert!(purse.has_room(nanos(50), nanos(100)));
        purse.reserve(nanos(50));
        assert!(!purse.has_room(nanos(1), nanos(100)));
        purse.release(nanos(50));
        purse.settle(nanos(5), 1);
        assert!(!purse.has_room(Money::ZERO, nanos(100)));
        assert!(
            !purse.has_room(Money::ZERO, Money::ZERO),
            "a limit of nothing lets nothing through"
        );
    }

    #[test]
    fn what_is_reached_is_told_once_in_a_period() {
        let mut purse = Purse::new(Period::Day, 5, Money::ZERO);
        assert!(purse.tell(nanos(80)) && !purse.tell(nanos(80)));
        assert!(purse.tell(nanos(100)));
        purse.advance(DAY);
        assert!(purse.tell(nanos(80)));
    }
}
