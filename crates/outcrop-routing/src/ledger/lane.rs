//! The quotas of one model in one region and account, and what of them is taken.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::learned::{Learned, Pause, TELLING_CALLS};
use super::need::{Full, Need, Quota, RateLimit, RateLimits};
use super::quotas::{LaneKey, Quotas};
use super::reservation::Reservation;
use super::window::{Amount, Window};

/// What is called when there may be room that there was not.
pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

/// The quotas of one model in one region and account, and what of them is taken.
pub struct Lane {
    key: LaneKey,
    start: Instant,
    state: Mutex<State>,
    /// Requests that wait for room here.
    waiting: AtomicUsize,
    hook: Option<Hook>,
}

#[derive(Debug)]
struct State {
    quotas: Quotas,
    minute: Window,
    day: Window,
    requests: Learned,
    tokens: Learned,
    /// The last pause, until an answer says that it is over.
    pause: Option<(Quota, Pause)>,
    in_flight: usize,
}

/// Where the tokens of a reservation are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) began: Duration,
    pub(super) tokens: u64,
    minute: u64,
    day: u64,
}

/// What becomes of a reservation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// The call cost so many tokens.
    Spent(u64),
    /// The call was not made.
    Unused,
    /// AWS refused the call; tokens come back, but a request was made.
    Refused,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("key", &self.key)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Lane {
    pub(super) fn new(key: LaneKey, quotas: Quotas, start: Instant, hook: Option<Hook>) -> Self {
        Self {
            key,
            start,
            state: Mutex::new(State {
                quotas,
                minute: Window::of_a_minute(),
                day: Window::of_a_day(),
                requests: Learned::of_requests(),
                tokens: Learned::of_tokens(),
                pause: None,
                in_flight: 0,
            }),
            waiting: AtomicUsize::new(0),
            hook,
        }
    }

    /// What the lane is for.
    pub fn key(&self) -> &LaneKey {
        &self.key
    }

    /// The quotas that are known.
    pub fn quotas(&self) -> Quotas {
        self.lock().quotas
    }

    /// Sets the quotas that are known.
    pub fn set_quotas(&self, quotas: Quotas) {
        let has_changed = std::mem::replace(&mut self.lock().quotas, quotas) != quotas;
        if has_changed {
            self.call_hook();
        }
    }

    /// Reserves what a call needs.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn try_reserve(self: &Arc<Self>, now: Instant, need: Need) -> Result<Reservation, Full> {
        let ticket = self.take(self.time(now), need)?;
        Ok(Reservation::new(Arc::clone(self), ticket, need.burn_rate))
    }

    /// Reserves what a call needs, whether there is room for it or not.
    pub fn reserve(self: &Arc<Self>, now: Instant, need: Need) -> Reservation {
        let now = self.time(now);
        let mut state = self.lock();
        state.advance(now);
        let ticket = state.book(now, need.tokens());
        drop(state);
        Reservation::new(Arc::clone(self), ticket, need.burn_rate)
    }

    /// Whether there would be room for a call.
    ///
    /// # Errors
    /// When there would not.
    pub fn check(&self, now: Instant, need: Need) -> Result<(), Full> {
        let now = self.time(now);
        let mut state = self.lock();
        state.advance(now);
        state.room(now, need).map(|_| ())
    }

    fn take(&self, now: Duration, need: Need) -> Result<Ticket, Full> {
        let mut state = self.lock();
        state.advance(now);
        let tokens = state.room(now, need)?;
        Ok(state.book(now, tokens))
    }

    /// AWS refused a call for a quota, which `message` may name. Reservations say so themselves.
    pub fn throttled(&self, now: Instant, message: &str) {
        let now = self.time(now);
        let mut state = self.lock();
        state.advance(now);
        state.refused(now, Quota::of_refusal(message));
    }

    /// Calls that were admitted and aren't over.
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// How many requests wait for room; whoever lets them wait counts them here.
    pub fn waiting(&self) -> &AtomicUsize {
        &self.waiting
    }

    /// The quotas of a minute that are known, and what is left of them. `None` if there is none.
    pub fn snapshot(&self, now: Instant) -> Option<RateLimits> {
        let now = self.time(now);
        let mut state = self.lock();
        state.advance(now);
        let total = state.minute.total();
        let left = |quota: Quota, limit: u64, kept: Option<u64>, used: u64, measure: fn(&Amount) -> u64| {
            let pause = state.pause.filter(|(paused, _)| *paused == quota);
            let paused = pause.and_then(|(_, pause)| pause.left(now));
            let free = kept.unwrap_or(limit).saturating_sub(used);
            RateLimit {
                limit,
                remaining: if paused.is_some() { 0 } else { free },
                reset: state.minute.until_empty(now, measure).max(paused.unwrap_or_default()),
            }
        };
        let known = state.quotas;
        let requests = known.requests_per_minute.map(|limit| {
            let kept = state.requests.limit(now, Some(limit));
            left(Quota::Requests, limit, kept, total.requests, |amount| amount.requests)
        });
        let tokens = known.tokens_per_minute.map(|limit| {
            let kept = state.tokens.limit(now, Some(limit));
            left(Quota::Tokens, limit, kept, total.tokens, |amount| amount.tokens)
        });
        (requests.is_some() || tokens.is_some()).then_some(RateLimits { requests, tokens })
    }

    /// Whether nothing is known or counted here that would be lost with the lane.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let now = self.time(now);
        let mut state = self.lock();
        state.advance(now);
        state.in_flight == 0 && state.minute.total() == Amount::default() && self.waiting.load(Ordering::Relaxed) == 0
    }

    /// Settles a reservation.
    pub(super) fn settle(&self, now: Option<Instant>, ticket: Ticket, outcome: Outcome) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        let back = match outcome {
            Outcome::Spent(tokens) if tokens > ticket.tokens => {
                // AWS has taken this while the answer was written, so it counts from its end.
                let now = now.map_or(ticket.began, |now| self.time(now));
                let more = Amount {
                    requests: 0,
                    tokens: tokens - ticket.tokens,
                };
                state.advance(now);
                state.minute.add(now, more);
                state.day.add(now, more);
                Amount::default()
            }
            Outcome::Spent(tokens) => Amount {
                requests: 0,
                tokens: ticket.tokens - tokens,
            },
            Outcome::Refused => Amount {
                requests: 0,
                tokens: ticket.tokens,
            },
            Outcome::Unused => Amount {
                requests: 1,
                tokens: ticket.tokens,
            },
        };
        state.minute.give_back(ticket.minute, back);
        state.day.give_back(ticket.day, back);
        drop(state);
        if back != Amount::default() {
            self.call_hook();
        }
    }

    /// A call that began at `began` was accepted.
    pub(super) fn accepted(&self, began: Duration) {
        let mut state = self.lock();
        if state.pause.is_some_and(|(_, pause)| pause.is_refuted_by(began)) {
            state.pause = None;
        }
    }

    fn time(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    fn call_hook(&self) {
        if let Some(hook) = &self.hook
            && self.waiting.load(Ordering::Acquire) > 0
        {
            hook();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self, now: Duration) {
        self.minute.advance(now);
        self.day.advance(now);
    }

    fn book(&mut self, now: Duration, tokens: u64) -> Ticket {
        let amount = Amount { requests: 1, tokens };
        self.in_flight += 1;
        Ticket {
            began: now,
            tokens,
            minute: self.minute.add(now, amount),
            day: self.day.add(now, amount),
        }
    }

    /// How many tokens to reserve, if there is room for them.
    fn room(&self, now: Duration, need: Need) -> Result<u64, Full> {
        let mut full: Option<Full> = None;
        let mut refuse = |quota, limit, retry_after| {
            let this = Full {
                quota,
                limit,
                retry_after,
            };
            full = Some(full.map_or(this, |other| other.or_longer(this)));
        };
        if let Some((quota, pause)) = self.pause
            && let Some(left) = pause.left(now)
        {
            refuse(quota, self.known(quota), Some(left));
        }
        let known = self.quotas;
        if let Some(limit) = self.requests.limit(now, known.requests_per_minute) {
            let told = known.requests_per_minute.unwrap_or(limit);
            if told == 0 {
                refuse(Quota::Requests, Some(0), None);
            } else {
                let most = limit.max(1) - 1;
                let wait = self.minute.until_at_most(now, most, |amount| amount.requests);
                if !wait.is_zero() {
                    refuse(Quota::Requests, Some(told), Some(wait));
                }
            }
        }
        let mut tokens = need.tokens();
        for (quota, window, limit, told) in [
            (
                Quota::Tokens,
                &self.minute,
                self.tokens.limit(now, known.tokens_per_minute),
                known.tokens_per_minute,
            ),
            (
                Quota::TokensPerDay,
                &self.day,
                known.tokens_per_day,
                known.tokens_per_day,
            ),
        ] {
            let Some(limit) = limit else {
                continue;
            };
            // What is known says what can never be; what was learned may be wrong, and then one call goes at a time.
            let Some(within) = told.map_or(Some(tokens), |told| need.tokens_within(told)) else {
                refuse(quota, told, None);
                continue;
            };
            let within = within.min(limit);
            let wait = window.until_at_most(now, limit - within, |amount| amount.tokens);
            if !wait.is_zero() {
                refuse(quota, Some(told.unwrap_or(limit)), Some(wait));
            }
            tokens = tokens.min(within);
        }
        full.map_or(Ok(tokens), Err)
    }

    fn known(&self, quota: Quota) -> Option<u64> {
        match quota {
            Quota::Requests => self.quotas.requests_per_minute,
            Quota::Tokens => self.quotas.tokens_per_minute,
            Quota::TokensPerDay => self.quotas.tokens_per_day,
        }
    }

    fn refused(&mut self, now: Duration, quota: Quota) {
        // Calls that were sent together are refused together, which says no more than one refusal.
        if let Some((of, pause)) = self.pause
            && pause.left(now).is_some()
            && (of == quota || quota != Quota::TokensPerDay)
        {
            return;
        }
        let before = self.pause.filter(|(of, _)| *of == quota).map(|(_, pause)| pause);
        // As long as nothing was answered, a further refusal says that it isn't over, and nothing of how much there is.
        if before.is_none() {
            let total = self.minute.total();
            let known = self.quotas;
            match quota {
                _ if total.requests < TELLING_CALLS => {}
                // The refused one counts as well.
                Quota::Requests => {
                    self.requests
                        .lower(now, total.requests.saturating_sub(1), known.requests_per_minute)
                }
                Quota::Tokens => self.tokens.lower(now, total.tokens, known.tokens_per_minute),
                Quota::TokensPerDay => {}
            }
        }
        let pause = Pause::after(before, now, quota == Quota::TokensPerDay);
        self.pause = Some((quota, pause));
    }
}
