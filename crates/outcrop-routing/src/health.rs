//! How a target is, by what its calls came to.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Breaker;

/// The window of the breaker is counted in as many pieces, the oldest of which is forgotten at a time.
const PIECES: u32 = 6;
/// The first rest of a target that throttles, where Bedrock doesn't say; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_millis(250);
/// So many times the least calls that say anything, all failed one after another, are an outage, however many were
/// answered before it within the window: a busy target has answered thousands.
const IN_A_ROW: u32 = 2;
/// The share of the newest measurement in the average.
const NEWEST: f64 = 0.3;
/// A latency that is older says nothing any more, so that a target that was slow once is asked again some time.
const LATENCY_LASTS: Duration = Duration::from_secs(60);

/// How a target is, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Nothing is wrong with it.
    Well,
    /// It throttled a moment ago.
    Resting,
    /// It has as many calls as it may have.
    Busy,
    /// Its calls failed, and it is left alone.
    Broken,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered, or refused for what it asks.
    Answered,
    /// It was throttled. Bedrock may have said for how long.
    Throttled(Option<Duration>),
    /// It failed, and another may fail as well.
    Failed,
}

/// How a target is.
#[derive(Debug)]
pub struct Health {
    breaker: Breaker,
    max_in_flight: Option<u32>,
    in_flight: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls and failures in each piece of the window, the newest at `piece`.
    pieces: [Piece; PIECES as usize],
    /// Which piece is the newest, counted from the first call.
    piece: u64,
    began: Option<Instant>,
    /// Failures since the last answer.
    in_a_row: u32,
    broken_until: Option<Instant>,
    probing: bool,
    resting_until: Option<Instant>,
    rests: u32,
    /// Of whole answers, and of streams: averages, and when they were last brought up to date.
    first_byte: [Option<(Duration, Instant)>; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    calls: u32,
    failures: u32,
}

impl Health {
    /// A target of which nothing is known.
    pub fn new(breaker: Breaker, max_in_flight: Option<u32>) -> Self {
        Self {
            breaker,
            max_in_flight,
            in_flight: AtomicU32::new(0),
            state: Mutex::default(),
        }
    }

    /// Whether these are its breaker's settings.
    pub(crate) fn is_judged_by(&self, breaker: &Breaker) -> bool {
        self.breaker == *breaker
    }

    /// How it is now.
    pub fn condition(&self, now: Instant) -> Condition {
        let state = self.state();
        if state.is_left_alone(now) {
            return Condition::Broken;
        }
        if self.max_in_flight.is_some_and(|most| self.in_flight() >= most) {
            return Condition::Busy;
        }
        match state.resting_until {
            Some(until) if now < until => Condition::Resting,
            _ => Condition::Well,
        }
    }

    /// Whether the next call is the one that finds out whether the target is back.
    pub fn is_half_open(&self, now: Instant) -> bool {
        let state = self.state();
        !state.probing && state.broken_until.is_some_and(|until| now >= until)
    }

    /// Calls under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long its answers took to begin, of late. Streams begin with their first token, whole answers with their last.
    pub fn first_byte(&self, now: Instant, streams: bool) -> Option<Duration> {
        let [whole, streamed] = self.state().first_byte;
        let (average, measured) = if streams { streamed } else { whole }?;
        (now.saturating_duration_since(measured) < LATENCY_LASTS).then_some(average)
    }

    /// A call begins.
    pub fn begin(self: &Arc<Self>, now: Instant) -> Flight {
        let is_probe = self.state().begins_probe(now);
        self.flight(now, is_probe)
    }

    /// A call begins, unless the target is left alone.
    pub fn try_begin(self: &Arc<Self>, now: Instant) -> Option<Flight> {
        let is_probe = {
            let mut state = self.state();
            if state.is_left_alone(now) {
                return None;
            }
            state.begins_probe(now)
        };
        Some(self.flight(now, is_probe))
    }

    fn flight(self: &Arc<Self>, now: Instant, is_probe: bool) -> Flight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Flight {
            health: Arc::clone(self),
            began: now,
            is_probe,
            is_over: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings an average up to date; one that is too old counts as none.
    fn measured(&self, now: Instant, streams: bool, update: impl FnOnce(Option<Duration>) -> Duration) {
        let mut state = self.state();
        let [whole, streamed] = &mut state.first_byte;
        let known = if streams { streamed } else { whole };
        let fresh = known.filter(|(_, measured)| now.saturating_duration_since(*measured) < LATENCY_LASTS);
        *known = Some((update(fresh.map(|(average, _)| average)), now));
    }

    fn note(&self, now: Instant, outcome: Outcome, is_probe: bool) {
        let mut state = self.state();
        if is_probe {
            state.probing = false;
        }
        match outcome {
            Outcome::Answered => {
                state.count(now, self.breaker.window, false);
                state.rests = 0;
                if is_probe {
                    state.broken_until = None;
                    state.pieces = <[Piece; PIECES as usize]>::default();
                }
            }
            Outcome::Throttled(asked) => {
                // A target that throttles is there: what it wants is fewer calls.
                if is_probe {
                    state.broken_until = None;
                }
                let own = FIRST_REST.saturating_mul(1 << state.rests.min(10));
                let rest = asked.unwrap_or(own).min(self.breaker.cool_down.max(FIRST_REST));
                // Calls that were under way together are refused together, which is one refusal.
                if state.resting_until.is_none_or(|until| now >= until) {
                    state.rests = state.rests.saturating_add(1);
                    state.resting_until = Some(now + rest);
                }
            }
            Outcome::Failed => {
                state.count(now, self.breaker.window, true);
                if is_probe || state.is_too_bad(&self.breaker) {
                    let cool_down = self.breaker.cool_down;
                    state.broken_until = (!cool_down.is_zero()).then_some(now + cool_down);
                }
            }
        }
    }
}

impl State {
    /// Whether no call should begin. Once the time is over, one finds out.
    fn is_left_alone(&self, now: Instant) -> bool {
        self.broken_until.is_some_and(|until| now < until || self.probing)
    }

    /// Whether the call that begins now is the one that finds out.
    fn begins_probe(&mut self, now: Instant) -> bool {
        let is_probe = self.broken_until.is_some_and(|until| now >= until) && !self.probing;
        self.probing |= is_probe;
        is_probe
    }

    fn count(&mut self, now: Instant, window: Duration, is_failure: bool) {
        self.in_a_row = if is_failure { self.in_a_row.saturating_add(1) } else { 0 };
        let began = *self.began.get_or_insert(now);
        let length = (window / PIECES).max(Duration::from_millis(1));
        let elapsed = now.saturating_duration_since(began).as_nanos() / length.as_nanos();
        let piece = u64::try_from(elapsed).unwrap_or(u64::MAX);
        // Pieces in which nothing happened are empty ones.
        for passed in 1..=piece.saturating_sub(self.piece).min(u64::from(PIECES)) {
            if let Some(old) = self.pieces.get_mut(index(self.piece + passed)) {
                *old = Piece::default();
            }
        }
        self.piece = self.piece.max(piece);
        if let Some(newest) = self.pieces.get_mut(index(self.piece)) {
            newest.calls += 1;
            newest.failures += u32::from(is_failure);
        }
    }

    fn is_too_bad(&self, breaker: &Breaker) -> bool {
        if self.in_a_row >= breaker.min_calls.max(1).saturating_mul(IN_A_ROW) {
            return true;
        }
        let calls: u32 = self.pieces.iter().map(|piece| piece.calls).sum();
        let failures: u32 = self.pieces.iter().map(|piece| piece.failures).sum();
        calls >= breaker.min_calls && f64::from(failures) >= f64::from(calls) * breaker.failure_ratio
    }
}

fn index(piece: u64) -> usize {
    usize::try_from(piece % u64::from(PIECES)).unwrap_or(0)
}

/// A call under way. Dropped, it is over; if nobody has said what it came to, it says nothing of its target.
#[derive(Debug)]
pub struct Flight {
    health: Arc<Health>,
    began: Instant,
    is_probe: bool,
    is_over: bool,
}

impl Flight {
    /// The answer has begun; it may be a stream.
    pub fn first_byte(&mut self, now: Instant, streams: bool) {
        let took = now.saturating_duration_since(self.began);
        self.health.measured(now, streams, |average| match average {
            Some(average) => average.mul_f64(1.0 - NEWEST) + took.mul_f64(NEWEST),
            None => took,
        });
    }

    /// Nobody waits for the answer any more: it takes longer than this.
    pub fn given_up(&mut self, now: Instant, streams: bool) {
        let waited = now.saturating_duration_since(self.began);
        self.health.measured(now, streams, |average| {
            average.map_or(waited, |average| average.max(waited))
        });
    }

    /// What it came to. An answer that has begun may yet fail.
    pub fn note(&mut self, now: Instant, outcome: Outcome) {
        let is_probe = self.is_probe && !self.is_over;
        self.is_over = true;
        self.health.note(now, outcome, is_probe);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.health.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.is_probe && !self.is_over {
            // Whoever asked has left before there was an answer. The next call finds out.
            self.health.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn health() -> Arc<Health> {
        Arc::new(Health::new(Breaker::default(), None))
    }

    fn call(health: &Arc<Health>, now: Instant, outcome: Outcome) {
        health.begin(now).note(now, outcome);
    }

    #[test]
    fn a_target_that_fails_is_left_alone_and_one_call_finds_out_whether_it_is_back() {
        let (health, start) = (health(), Instant::now());
        for _ in 0..4 {
            call(&health, start, Outcome::Failed);
            assert_eq!(health.condition(start), Condition::Well, "too few say nothing");
        }
        call(&health, start, Outcome::Failed);
        assert_eq!(health.condition(start), Condition::Broken);

        let later = start + Breaker::default().cool_down;
        assert_eq!(health.condition(later), Condition::Well);
        let mut probe = health.begin(later);
        assert_eq!(
            health.condition(later),
            Condition::Broken,
            "one call is enough to find out"
        );
        probe.note(later, Outcome::Failed);
        assert_eq!(health.condition(later + SECOND), Condition::Broken);

        let later = later + Breaker::default().cool_down;
        drop(health.begin(later));
        assert_eq!(
            health.condition(later),
            Condition::Well,
            "a probe whose client left says nothing"
        );
        call(&health, later, Outcome::Answered);
        assert_eq!(health.condition(later), Condition::Well);
        call(&health, later, Outcome::Failed);
        assert_eq!(health.condition(later), Condition::Well, "what was before is forgotten");
    }

    #[test]
    fn failures_that_are_few_or_long_ago_say_nothing() {
        let (health, start) = (health(), Instant::now());
        for _ in 0..6 {
            call(&health, start, Outcome::Answered);
        }
        for _ in 0..5 {
            call(&health, start + SECOND, Outcome::Failed);
        }
        assert_eq!(health.condition(start + SECOND), Condition::Well);
        // The answers have left the window, and so have the failures.
        let later = start + 60 * SECOND;
        call(&health, later, Outcome::Failed);
        assert_eq!(health.condition(later), Condition::Well);
    }

    #[test]
    fn an_outage_is_seen_at_once_at_a_target_that_has_answered_much() {
        let (health, start) = (health(), Instant::now());
        for _ in 0..1000 {
            call(&health, start, Outcome::Answered);
        }
        for _ in 0..9 {
            call(&health, start, Outcome::Failed);
        }
        assert_eq!(health.condition(start), Condition::Well);
        call(&health, start, Outcome::Answered);
        for _ in 0..10 {
            assert_eq!(health.condition(start), Condition::Well, "not in a row");
            call(&health, start, Outcome::Failed);
        }
        assert_eq!(health.condition(start), Condition::Broken);
    }

    #[test]
    fn a_target_that_throttles_rests_for_longer_each_time() {
        let (health, start) = (health(), Instant::now());
        call(&health, start, Outcome::Throttled(None));
        call(&health, start, Outcome::Throttled(None));
        assert_eq!(health.condition(start), Condition::Resting);
        let later = start + FIRST_REST;
        assert_eq!(
            health.condition(later),
            Condition::Well,
            "two at a time are one refusal"
        );
        call(&health, later, Outcome::Throttled(None));
        assert_eq!(health.condition(later + FIRST_REST), Condition::Resting);
        assert_eq!(health.condition(later + 2 * FIRST_REST), Condition::Well);
        call(&health, later + SECOND, Outcome::Throttled(Some(3 * SECOND)));
        assert_eq!(health.condition(later + 3 * SECOND), Condition::Resting);
        for _ in 0..20 {
            call(&health, later + 60 * SECOND, Outcome::Throttled(None));
        }
        assert_ne!(health.condition(later + 60 * SECOND), Condition::Broken, "it is there");
    }

    #[test]
    fn calls_under_way_are_counted_and_may_be_limited() {
        let health = Arc::new(Health::new(Breaker::default(), Some(2)));
        let now = Instant::now();
        let first = health.begin(now);
        let second = health.begin(now);
        assert_eq!((health.in_flight(), health.condition(now)), (2, Condition::Busy));
        drop(first);
        assert_eq!((health.in_flight(), health.condition(now)), (1, Condition::Well));
        drop(second);
    }

    #[test]
    fn latency_follows_the_newest_and_is_forgotten() {
        let (health, start) = (health(), Instant::now());
        assert_eq!(health.first_byte(start, true), None);
        health.begin(start).first_byte(start + SECOND, true);
        assert_eq!(health.first_byte(start + SECOND, true), Some(SECOND));
        health.begin(start + SECOND).first_byte(start + 3 * SECOND, true);
        let average = health.first_byte(start + 3 * SECOND, true).unwrap();
        assert!(average > SECOND && average < 2 * SECOND, "{average:?}");
        assert_eq!(health.first_byte(start + 100 * SECOND, true), None);

        let later = start + 100 * SECOND;
        health.begin(later).given_up(later + 4 * SECOND, true);
        assert_eq!(health.first_byte(later + 4 * SECOND, true), Some(4 * SECOND));
        health.begin(later).given_up(later + SECOND, true);
        assert_eq!(
            health.first_byte(later + 4 * SECOND, true),
            Some(4 * SECOND),
            "who leaves early knows nothing"
        );
    }
}
