//! What refusals teach of quotas that nobody told, or that others use too.

use std::time::Duration;

/// What is left of what had been used when AWS refused.
const DECREASE: f64 = 0.85;
/// How much of the limit comes back each minute; and further on more and more (by the cube of the minutes), since a
/// limit that was refused nothing for long is not where the quota is.
const INCREASE_A_MINUTE: f64 = 0.05;
const INCREASE_OF_CUBE: f64 = 0.01;
/// What a refusal leaves of a limit that is known, however little was used: AWS refuses for other reasons too.
const LEAST_OF_KNOWN: f64 = 0.5;
/// What a refusal leaves at least of a limit that nobody knows: one of the first call of all says nothing of how many
/// there may be. Pauses are for those who share the quota with others.
const LEAST_REQUESTS: f64 = 4.0;
const LEAST_TOKENS: f64 = 10_000.0;
/// Fewer calls than these within the minute say nothing of a limit: others have used the quota up, or it was a whim. The
/// pause is for that; a limit made of one call would keep the next ones back for minutes.
pub(super) const TELLING_CALLS: u64 = 10;
/// After so long without a refusal nothing is believed any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// The first pause after a refusal; each further one without an answer in between is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The same for a day's quota, which doesn't come back within the minute.
const FIRST_PAUSE_OF_A_DAY: Duration = Duration::from_secs(60);
const LONGEST_PAUSE_OF_A_DAY: Duration = Duration::from_secs(900);

/// A limit that was learned: lowered at once by a refusal, raised slowly while there is none.
#[derive(Debug)]
pub(super) struct Learned {
    base: Option<Base>,
    /// It is never lower, where the quota isn't known to be.
    least: f64,
}

#[derive(Clone, Copy, Debug)]
struct Base {
    limit: f64,
    since: Duration,
}

impl Learned {
    /// Nothing is known of requests a minute.
    pub(super) fn of_requests() -> Self {
        Self {
            base: None,
            least: LEAST_REQUESTS,
        }
    }

    /// Nothing is known of tokens a minute.
    pub(super) fn of_tokens() -> Self {
        Self {
            base: None,
            least: LEAST_TOKENS,
        }
    }

    /// The limit to keep: what was learned, but never more than what is known.
    pub(super) fn limit(&self, now: Duration, known: Option<u64>) -> Option<u64> {
        let learned = self.current(now);
        match (learned, known) {
            (Some(learned), Some(known)) => Some(learned.min(known)),
            (learned, known) => learned.or(known),
        }
    }

    fn current(&self, now: Duration) -> Option<u64> {
        let base = self.base?;
        let age = now.saturating_sub(base.since);
        if age >= FORGOTTEN_AFTER {
            return None;
        }
        let minutes = age.as_secs_f64() / 60.0;
        let grown = base.limit * (1.0 + INCREASE_A_MINUTE * minutes + INCREASE_OF_CUBE * minutes.powi(3));
        Some(to_whole(grown))
    }

    /// AWS refused while `used` was counted. Where nothing was, there is nothing to be learned.
    #[allow(clippy::cast_precision_loss, reason = "a quota's last digits don't matter here")]
    pub(super) fn lower(&mut self, now: Duration, used: u64, known: Option<u64>) {
        if used == 0 {
            return;
        }
        let used = used as f64;
        let at_most = match (self.limit(now, known), known) {
            (Some(limit), Some(_)) => used.clamp(limit as f64 * LEAST_OF_KNOWN, limit as f64),
            (Some(limit), None) => used.min(limit as f64),
            (None, _) => used,
        };
        let least = if known.is_some() { 1.0 } else { self.least };
        let limit = (at_most * DECREASE).max(least);
        self.base = Some(Base { limit, since: now });
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits are positive, and the cast saturates"
)]
fn to_whole(limit: f64) -> u64 {
    limit as u64
}

/// Time in which nothing is asked, since AWS has just refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    since: Duration,
    until: Duration,
    length: Duration,
}

impl Pause {
    /// The pause after a refusal, `before` being the one that is still remembered.
    pub(super) fn after(before: Option<Self>, now: Duration, of_a_day: bool) -> Self {
        let (first, longest) = if of_a_day {
            (FIRST_PAUSE_OF_A_DAY, LONGEST_PAUSE_OF_A_DAY)
        } else {
            (FIRST_PAUSE, LONGEST_PAUSE)
        };
        let length = before.map_or(first, |pause| (pause.length * 2).clamp(first, longest));
        Self {
            since: now,
            until: now + length,
            length,
        }
    }

    /// How much of it is left.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        self.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Whether a call that began at `began` says that the refusals are over.
    pub(super) fn is_refuted_by(&self, began: Duration) -> bool {
        began > self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn a_refusal_lowers_and_time_raises() {
        let mut learned = Learned::of_requests();
        assert_eq!(learned.limit(minutes(0), None), None);
        learned.lower(minutes(1), 1000, None);
        assert_eq!(learned.limit(minutes(1), None), Some(850));
        assert_eq!(learned.limit(minutes(2), None), Some(901));
        learned.lower(minutes(2), 1000, None);
        assert_eq!(learned.limit(minutes(2), None), Some(765));
        assert!(learned.limit(minutes(12), None) > Some(5000), "faster and faster");
        assert_eq!(learned.limit(minutes(63), None), None, "forgotten");
    }

    #[test]
    fn what_is_known_is_the_ceiling() {
        let mut learned = Learned::of_requests();
        learned.lower(minutes(0), 5000, Some(1000));
        assert_eq!(learned.limit(minutes(0), Some(1000)), Some(850));
        assert_eq!(learned.limit(minutes(30), Some(1000)), Some(1000));
    }

    #[test]
    fn what_says_little_teaches_little() {
        let mut learned = Learned::of_requests();
        learned.lower(minutes(0), 0, None);
        assert_eq!(learned.limit(minutes(0), None), None, "nothing was used");
        learned.lower(minutes(0), 10, Some(1000));
        assert_eq!(
            learned.limit(minutes(0), Some(1000)),
            Some(425),
            "it is known to be more"
        );
        assert_eq!(learned.limit(minutes(8), Some(1000)), Some(1000));
        let mut learned = Learned::of_tokens();
        learned.lower(minutes(0), 20, None);
        assert_eq!(
            learned.limit(minutes(0), None),
            Some(10_000),
            "a first call says nothing"
        );
    }

    #[test]
    fn pauses_grow_until_an_answer_comes() {
        let now = minutes(1);
        let first = Pause::after(None, now, false);
        assert_eq!(first.left(now), Some(FIRST_PAUSE));
        let second = Pause::after(Some(first), now, false);
        assert_eq!(second.left(now), Some(FIRST_PAUSE * 2));
        assert_eq!(second.left(now + FIRST_PAUSE * 2), None);
        let mut pause = second;
        for _ in 0..10 {
            pause = Pause::after(Some(pause), now, false);
        }
        assert_eq!(pause.left(now), Some(LONGEST_PAUSE));
        assert!(!pause.is_refuted_by(now));
        assert!(pause.is_refuted_by(now + FIRST_PAUSE));
    }
}
