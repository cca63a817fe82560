//! What is asked of limits, and what they answer.

use std::fmt;
use std::sync::Arc;

use crate::{Budget, Id, Money, Period, Settings};

/// What limits are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// A key or login.
    Key,
}

impl Scope {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Key => "key",
        }
    }
}

/// The limits of one organization, project or key. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ScopeLimits {
    /// What they are of.
    pub scope: Scope,
    /// Its id.
    pub id: Arc<str>,
    /// Its name, for messages.
    pub name: Arc<str>,
    /// The limits.
    pub limits: Arc<LimitSet>,
}

impl ScopeLimits {
    /// What the settings of an organization, a project or a key say.
    #[must_use]
    pub fn new(scope: Scope, id: &Id, name: &str, settings: &Settings) -> Self {
        Self {
            scope,
            id: id.as_str().into(),
            name: name.into(),
            limits: Arc::new(LimitSet::new(settings)),
        }
    }
}

/// What may pass, as far as it is limited.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitSet {
    /// Requests in 60 seconds.
    pub requests_per_minute: Option<u64>,
    /// Tokens, read and written, in 60 seconds.
    pub tokens_per_minute: Option<u64>,
    /// Requests that are open at the same time.
    pub concurrent_requests: Option<u32>,
    /// Streams that are open at the same time.
    pub concurrent_streams: Option<u32>,
    /// What may be spent.
    pub budgets: Vec<Budget>,
}

impl LimitSet {
    /// What settings say.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            requests_per_minute: settings.requests_per_minute,
            tokens_per_minute: settings.tokens_per_minute,
            concurrent_requests: settings.concurrent_requests,
            concurrent_streams: settings.concurrent_streams,
            budgets: settings.budgets.clone(),
        }
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests_per_minute.is_none()
            && self.tokens_per_minute.is_none()
            && self.concurrent_requests.is_none()
            && self.concurrent_streams.is_none()
            && self.budgets.is_empty()
    }

    /// Whether money may stop a call.
    #[must_use]
    pub fn has_hard_budget(&self) -> bool {
        self.budgets.iter().any(|budget| !budget.soft)
    }
}

impl Budget {
    /// The sum from which it warns, if it does.
    #[must_use]
    pub fn warns_from(&self) -> Option<Money> {
        let at = self.warn_at.or(self.soft.then_some(1.0))?;
        Money::from_dollars(self.limit_usd.dollars() * at)
    }
}

/// A moment, by two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back.
    pub ticks: u64,
    /// Seconds since 1970.
    pub seconds: i64,
}

/// What a call may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MostCost {
    /// Nothing: it isn't made at all.
    Free,
    /// At most so much.
    AtMost(Money),
    /// Nobody knows: there is no price.
    Unknown,
}

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Tokens that it surely reads.
    pub input_tokens: u64,
    /// Tokens that it may write.
    pub output_tokens: u64,
    /// What it may cost.
    pub most_cost: MostCost,
    /// Whether its answer is streamed.
    pub is_stream: bool,
    /// When.
    pub now: Now,
}

impl Ask {
    /// Tokens that a call needs. What it may write is cut to the limit: one that could write more than that may go if it
    /// has the minute for itself.
    #[must_use]
    pub fn tokens_within(&self, limit: Option<u64>) -> u64 {
        let all = self.input_tokens.saturating_add(self.output_tokens);
        limit.map_or(all, |limit| all.min(limit.max(self.input_tokens)))
    }
}

/// How much of a limit is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The limit.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// Milliseconds until all of it is there again.
    pub reset_ms: u64,
}

impl Rate {
    /// That with less left.
    #[must_use]
    pub fn tighter(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.remaining < one.remaining { other } else { one }),
            (one, other) => one.or(other),
        }
    }
}

/// How much of the limits of a minute is left, of all that count the one with the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of requests.
    pub requests: Option<Rate>,
    /// Of tokens.
    pub tokens: Option<Rate>,
}

impl Rates {
    /// Of each the one with less left.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        Self {
            requests: Rate::tighter(self.requests, other.requests),
            tokens: Rate::tighter(self.tokens, other.tokens),
        }
    }
}

/// What stands in a call's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests in a minute.
    Requests(u64),
    /// Tokens in a minute, and how many the call needs.
    Tokens(u64, u64),
    /// Open requests.
    ConcurrentRequests(u32),
    /// Open streams.
    ConcurrentStreams(u32),
    /// What may be spent.
    Budget(BudgetState),
    /// There is a hard budget for the period, and no price to count by.
    NoPrice(Period),
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetState {
    /// Its period.
    pub period: Period,
    /// Its limit.
    pub limit: Money,
    /// What is spent.
    pub spent: Money,
    /// What calls under way may cost.
    pub reserved: Money,
    /// When it begins anew, in seconds since 1970.
    pub ends: Option<i64>,
}

/// A call may not be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whose limit it is.
    pub scope: Scope,
    /// Its name.
    pub name: Arc<str>,
    /// Which limit.
    pub limit: Limit,
    /// Milliseconds after which there may be room; `None` if there never will be.
    pub retry_after_ms: Option<u64>,
    /// How much of the limits of a minute is left.
    pub rates: Rates,
}

impl Refused {
    /// Whether it is for money.
    #[must_use]
    pub fn is_budget(&self) -> bool {
        matches!(self.limit, Limit::Budget(_) | Limit::NoPrice(_))
    }
}

impl fmt::Display for Refused {
    /// A sentence for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, name, .. } = self;
        let scope = scope.name();
        match &self.limit {
            Limit::Requests(limit) => write!(f, "The {scope} '{name}' may make {limit} requests per minute."),
            Limit::Tokens(limit, needed) if needed > limit => write!(
                f,
                "The request is too large: it needs {needed} tokens, and the {scope} '{name}' may use {limit} per minute."
            ),
            Limit::Tokens(limit, needed) => write!(
                f,
                "The {scope} '{name}' may use {limit} tokens per minute; this request needs {needed}, and fewer are left."
            ),
            Limit::ConcurrentRequests(limit) => {
                write!(
                    f,
                    "The {scope} '{name}' may have {limit} requests open at the same time."
                )
            }
            Limit::ConcurrentStreams(limit) => {
                write!(
                    f,
                    "The {scope} '{name}' may have {limit} streams open at the same time."
                )
            }
            Limit::Budget(state) => {
                write!(f, "The {scope} '{name}' {state}")
            }
            Limit::NoPrice(period) => write!(
                f,
                "The {scope} '{name}' has a budget {}, and the gateway knows no price of this model.",
                of(*period)
            ),
        }
    }
}

fn of(period: Period) -> &'static str {
    match period {
        Period::Day => "for each day",
        Period::Week => "for each week",
        Period::Month => "for each month",
        Period::Total => "in total",
    }
}

impl fmt::Display for BudgetState {
    /// The rest of a sentence that begins with whose budget it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, spent, .. } = self;
        if self.spent >= self.limit {
            write!(f, "has spent ${spent} of its budget of ${limit} {}.", of(self.period))?;
        } else {
            write!(
                f,
                "has spent ${spent} of its budget of ${limit} {}, and requests under way may cost ${}.",
                of(self.period),
                self.reserved
            )?;
        }
        match self.ends {
            Some(ends) => write!(f, " It begins anew on {} UTC.", Date(ends)),
            None => f.write_str(" It doesn't begin anew."),
        }
    }
}

/// Seconds since 1970 at midnight, as a date and a time.
struct Date(i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = crate::settings::date(self.0.div_euclid(86_400));
        write!(f, "{year:04}-{month:02}-{day:02} at 00:00")
    }
}

/// A budget has reached the sum from which it warns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whose budget it is.
    pub scope: Scope,
    /// Its name.
    pub name: Arc<str>,
    /// How it stands.
    pub budget: BudgetState,
    /// Whether it is the first of its kind in the period.
    pub is_first: bool,
}
