//! What passes for one organization, project or key, and what may.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ask::{Ask, BudgetState, Limit, MostCost, Now, Rate, Rates, Scope, ScopeLimits, Warning};
use super::purse::Purse;
use super::window::Window;
use crate::{Money, Period};

/// What passes for one organization, project or key.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) scope: Scope,
    pub(super) id: Arc<str>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    window: Window,
    requests: u32,
    streams: u32,
    /// One for each period of which there is, or was, a budget.
    pub(super) purses: Vec<Purse>,
    /// Counts up with each change of what is settled.
    pub(super) version: u64,
}

/// What a call holds of a gate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ticket {
    slot: u64,
    tokens: u64,
    most: Money,
    is_stream: bool,
    is_counted: bool,
    /// A bit for each period of which money is reserved.
    periods: u8,
}

/// What is in a call's way.
#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) limit: Limit,
    /// Milliseconds until it may not be any more.
    pub(super) retry_after_ms: Option<u64>,
}

impl Obstacle {
    /// Whether it is there for longer than another one.
    pub(super) fn is_worse(&self, other: &Self) -> bool {
        match (self.retry_after_ms, other.retry_after_ms) {
            (this, Some(other)) => this.is_none_or(|this| this > other),
            (_, None) => false,
        }
    }
}

impl Gate {
    /// A gate that comes later than another one of the same id has higher versions.
    pub(super) fn new(scope: Scope, id: Arc<str>, now: Now) -> Self {
        Self {
            scope,
            id,
            state: Mutex::new(State {
                version: now.ticks << 16,
                ..State::default()
            }),
        }
    }

    /// A panic elsewhere leaves nothing half done here.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Brings it up to now. `sum` is asked for what the database has of a period.
    pub(super) fn advance(&mut self, now: Now, limits: &ScopeLimits, sum: impl Fn(Period) -> Money) {
        self.window.advance(now.ticks);
        for budget in &limits.limits.budgets {
            if self.purse(budget.period).is_none() {
                self.purses
                    .push(Purse::new(budget.period, now.seconds, sum(budget.period)));
            }
        }
        for purse in &mut self.purses {
            purse.advance(now.seconds);
        }
    }

    fn purse(&self, period: Period) -> Option<&Purse> {
        self.purses.iter().find(|purse| purse.period == period)
    }

    /// What is in a call's way, the longest of all.
    pub(super) fn obstacle(&self, limits: &ScopeLimits, ask: &Ask) -> Option<Obstacle> {
        let limits = &*limits.limits;
        let ticks = ask.now.ticks;
        let mut worst: Option<Obstacle> = None;
        let mut refuse = |limit: Limit, retry_after_ms: Option<u64>| {
            let this = Obstacle { limit, retry_after_ms };
            if worst.as_ref().is_none_or(|other| this.is_worse(other)) {
                worst = Some(this);
            }
        };
        if let Some(limit) = limits.requests_per_minute
            && self.window.requests() >= limit
        {
            let wait = limit.checked_sub(1).map(|most| self.window.until_requests(ticks, most));
            refuse(Limit::Requests(limit), wait);
        }
        if let Some(limit) = limits.tokens_per_minute {
            let needed = ask.tokens_within(Some(limit));
            if needed > limit {
                refuse(Limit::Tokens(limit, needed), None);
            } else if needed > 0 && self.window.tokens() > limit - needed {
                let wait = self.window.until_tokens(ticks, limit - needed);
                refuse(Limit::Tokens(limit, needed), Some(wait));
            }
        }
        if let Some(limit) = limits.concurrent_requests
            && self.requests >= limit
        {
            refuse(Limit::ConcurrentRequests(limit), (limit > 0).then_some(SOON));
        }
        if let Some(limit) = limits.concurrent_streams
            && ask.is_stream
            && self.streams >= limit
        {
            refuse(Limit::ConcurrentStreams(limit), (limit > 0).then_some(SOON));
        }
        let most = match ask.most_cost {
            MostCost::Free => return worst,
            MostCost::AtMost(most) => Some(most),
            MostCost::Unknown => None,
        };
        for budget in limits.budgets.iter().filter(|budget| !budget.soft) {
            let (Some(purse), Some(most)) = (self.purse(budget.period), most) else {
                refuse(Limit::NoPrice(budget.period), None);
                continue;
            };
            if !purse.has_room(most, budget.limit_usd) {
                let state = state_of(purse, budget.limit_usd);
                let wait = if state.spent >= state.limit {
                    state.ends.map(|ends| millis_until(ends, ask.now.seconds))
                } else {
                    Some(SOON)
                };
                refuse(Limit::Budget(state), wait);
            }
        }
        worst
    }

    /// Lets a call through.
    pub(super) fn pass(&mut self, limits: &ScopeLimits, ask: &Ask) -> Ticket {
        let limits = &*limits.limits;
        let is_counted = limits.requests_per_minute.is_some() || limits.tokens_per_minute.is_some();
        let tokens = ask.tokens_within(limits.tokens_per_minute);
        let mut ticket = Ticket {
            tokens,
            is_stream: ask.is_stream,
            is_counted,
            ..Ticket::default()
        };
        if is_counted {
            ticket.slot = self.window.add(ask.now.ticks, 1, tokens);
        }
        self.requests = self.requests.saturating_add(1);
        if ask.is_stream {
            self.streams = self.streams.saturating_add(1);
        }
        if let MostCost::AtMost(most) = ask.most_cost {
            // At least something, so that one knows of the call.
            ticket.most = most.max(Money::from_nanos(1));
            for purse in &mut self.purses {
                purse.reserve(ticket.most);
                ticket.periods |= bit(purse.period);
            }
        }
        ticket
    }

    /// How much is left.
    pub(super) fn rates(&self, limits: &ScopeLimits, now: Now) -> Rates {
        let rate = |limit: u64, used: u64| Rate {
            limit,
            remaining: limit.saturating_sub(used),
            reset_ms: if used == 0 {
                0
            } else {
                self.window.until_empty(now.ticks)
            },
        };
        let limits = &*limits.limits;
        Rates {
            requests: limits
                .requests_per_minute
                .map(|limit| rate(limit, self.window.requests())),
            tokens: limits.tokens_per_minute.map(|limit| rate(limit, self.window.tokens())),
        }
    }

    /// Budgets that have reached what they warn from.
    pub(super) fn warnings(&mut self, limits: &ScopeLimits, warnings: &mut Vec<Warning>) {
        for budget in &limits.limits.budgets {
            let Some(from) = budget.warns_from() else {
                continue;
            };
            if let Some(purse) = self.purses.iter_mut().find(|purse| purse.period == budget.period)
                && purse.spent() >= from
            {
                warnings.push(Warning {
                    scope: limits.scope,
                    name: Arc::clone(&limits.name),
                    is_first: purse.tell(from),
                    budget: state_of(purse, budget.limit_usd),
                });
            }
        }
    }

    /// The call is over, and has cost something, if anything.
    pub(super) fn settle(&mut self, ticket: Ticket, now: Now, tokens: u64, cost: Money, mark: u64) {
        self.leave(ticket);
        if ticket.is_counted {
            self.window.advance(now.ticks);
            if tokens > ticket.tokens {
                self.window.add(now.ticks, 0, tokens - ticket.tokens);
            } else {
                self.window.give_back(ticket.slot, 0, ticket.tokens - tokens);
            }
        }
        if cost > Money::ZERO && !self.purses.is_empty() {
            self.version += 1;
            for purse in &mut self.purses {
                purse.advance(now.seconds);
                purse.settle(cost, mark);
            }
        }
    }

    /// The call was not made.
    pub(super) fn release(&mut self, ticket: Ticket) {
        self.leave(ticket);
        if ticket.is_counted {
            self.window.give_back(ticket.slot, 1, ticket.tokens);
        }
    }

    fn leave(&mut self, ticket: Ticket) {
        self.requests = self.requests.saturating_sub(1);
        if ticket.is_stream {
            self.streams = self.streams.saturating_sub(1);
        }
        for purse in &mut self.purses {
            if ticket.periods & bit(purse.period) != 0 {
                purse.release(ticket.most);
            }
        }
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_idle(&mut self, now: Now) -> bool {
        self.window.advance(now.ticks);
        self.requests == 0
            && self.streams == 0
            && self.window.is_empty()
            && self.purses.iter().all(|purse| purse.is_idle(now.seconds))
    }

    #[cfg(test)]
    pub(super) fn open(&self) -> (u32, u32, Money) {
        let reserved = self.purses.iter().map(Purse::reserved).sum();
        (self.requests, self.streams, reserved)
    }
}

/// Milliseconds after which to look again, where nobody knows how long a call takes.
const SOON: u64 = 1000;

fn state_of(purse: &Purse, limit: Money) -> BudgetState {
    BudgetState {
        period: purse.period,
        limit,
        spent: purse.spent(),
        reserved: purse.reserved(),
        ends: purse.end(),
    }
}

fn millis_until(end: i64, now: i64) -> u64 {
    u64::try_from(end.saturating_sub(now))
        .unwrap_or_default()
        .saturating_mul(1000)
}

fn bit(period: Period) -> u8 {
    match period {
        Period::Day => 1,
        Period::Week => 2,
        Period::Month => 4,
        Period::Total => 8,
    }
}
