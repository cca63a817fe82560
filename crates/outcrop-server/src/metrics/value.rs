//! Numbers that many threads add to, without a lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are of something.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One that is counted by a gauge until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Gauge>);

impl Counted {
    pub(crate) fn by(gauge: &Arc<Gauge>) -> Self {
        gauge.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(gauge))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How values are spread.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above all of them.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Histogram {
    /// `bounds` are the upper ends of its buckets, in order.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(crate) fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Of each bucket its upper end, and how many values are in it alone.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let ends = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        ends.zip(counts).collect()
    }

    pub(crate) fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }
}

/// Values by labels that come from requests, so that there is an end to them.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    most: usize,
    known: RwLock<HashMap<String, Arc<Series<V>>>>,
}

/// A value with its labels.
#[derive(Debug)]
pub(crate) struct Series<V> {
    pub(crate) labels: Vec<String>,
    pub(crate) value: V,
}

impl<V: Default> Bounded<V> {
    /// At most so many, and those for what has no room.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            known: RwLock::default(),
        }
    }

    /// The one with these labels; the one with `others` where it is not known yet, and it must not be new, or there is no
    /// room for it. The labels of `others` must be from a small set.
    pub(crate) fn of(&self, labels: &[&str], others: &[&str], may_be_new: bool) -> Arc<Series<V>> {
        let name = labels.join("\0");
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&name) {
            return Arc::clone(series);
        }
        let has_room = may_be_new && known.len() < self.most;
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let (name, labels) = match has_room {
            true => (name, labels),
            false => (others.join("\0"), others),
        };
        let new = || {
            Arc::new(Series {
                labels: labels.iter().map(|&label| label.to_owned()).collect(),
                value: V::default(),
            })
        };
        Arc::clone(known.entry(name).or_insert_with(new))
    }

    /// All of them, in the order of their labels.
    pub(crate) fn all(&self) -> Vec<Arc<Series<V>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.values().cloned().collect();
        drop(known);
        all.sort_by(|one, other| one.labels.cmp(&other.labels));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_first_bucket_whose_end_it_does_not_pass() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 2.5, 100.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets(), [(1.0, 2), (2.0, 1), (f64::INFINITY, 2)]);
        assert!((histogram.sum() - 105.5).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_room_is_counted_with_others() {
        let counters: Bounded<Counter> = Bounded::new(2);
        for label in ["a", "b", "c", "d", "a"] {
            counters.of(&["x", label], &["x", "other"], true).value.add(1);
        }
        counters.of(&["x", "new"], &["x", "other"], false).value.add(1);
        let all: Vec<_> = counters
            .all()
            .iter()
            .map(|series| (series.labels[1].clone(), series.value.get()))
            .collect();
        let expected = [("a", 2), ("b", 1), ("other", 3)].map(|(label, count)| (label.to_owned(), count));
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_counted_is_so_until_it_is_dropped() {
        let gauge = Arc::new(Gauge::default());
        let one = Counted::by(&gauge);
        let other = Counted::by(&gauge);
        drop(one);
        assert_eq!(gauge.get(), 1);
        drop(other);
        assert_eq!(gauge.get(), 0);
    }
}
