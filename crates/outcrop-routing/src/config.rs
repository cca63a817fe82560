//! What the operator says of routing.

use std::time::Duration;

/// All that is said of routing.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    /// The routes; the first whose name fits counts. A name without one is its own only target.
    pub routes: Vec<Route>,
    /// What is asked where no route says otherwise, once all targets of a request have failed.
    pub fallbacks: Fallbacks,
    /// When a target is left alone.
    pub breaker: Breaker,
    /// How often a call is tried.
    pub retries: Retries,
    /// Asking a second target when the first is slow; `None` for never.
    pub hedging: Option<Hedging>,
    /// Keeping within quotas.
    pub admission: Admission,
}

/// What a public model name stands for.
#[derive(Clone, Debug)]
pub struct Route {
    /// The public name. `*` in it is any text, and capital letters are the same as small ones.
    pub name: String,
    /// Its targets, at least one.
    pub targets: Vec<RouteTarget>,
    /// Which target is asked first.
    pub strategy: Strategy,
    /// What keeps a conversation at one target.
    pub affinity: Affinity,
    /// What is asked once all targets have failed. A list that is empty says nothing, so that the general one counts.
    pub fallbacks: Fallbacks,
}

impl Route {
    /// Whether its name is a pattern, and so many names.
    pub fn is_pattern(&self) -> bool {
        self.name.contains('*')
    }
}

/// One of the places that answer for a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTarget {
    /// The model to ask, by any name that requests may use, but not by that of a route. `None` for the name that was
    /// asked for. A `*` in it stands for the text that the `*` of the route's name stood for.
    pub model: Option<String>,
    /// LiteLLM's `model_id`: what is called (an ARN), while `model` says what it is.
    pub model_id: Option<String>,
    /// The region; `None` for the account's.
    pub region: Option<String>,
    /// The account, by its name; `None` for the gateway's own.
    pub account: Option<String>,
    /// Its share of the requests where the strategy is `weighted`; of none where it is 0, so that it is a reserve.
    pub weight: u32,
    /// Members of a request, as the text of a JSON object, for requests that don't have them.
    pub parameters: Option<String>,
    /// The most calls to it at the same time; `None` for any number.
    pub max_parallel_requests: Option<u32>,
    /// How long it may take to begin its answer; `None` for the general limit.
    pub first_byte_timeout: Option<Duration>,
}

/// Which target is asked first. The others follow in the same order of preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The first that is well.
    #[default]
    Ordered,
    /// A random one, by weight.
    Weighted,
    /// The one with the fewest calls under way.
    LeastBusy,
    /// The one whose first token came soonest of late.
    LowestLatency,
}

impl Strategy {
    /// Its name in the operator's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Weighted => "weighted",
            Self::LeastBusy => "least_busy",
            Self::LowestLatency => "lowest_latency",
        }
    }
}

/// What keeps a conversation at one target, so that its prompt cache stays warm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    /// The header `x-session-id`, or the request's `prompt_cache_key`, `safety_identifier` or `user`.
    #[default]
    Session,
    /// Nothing.
    None,
}

/// Other models, by any name that requests may use, those of routes too, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// Where all targets failed.
    pub general: Vec<String>,
    /// Where the prompt is too long for the model.
    pub context_window: Vec<String>,
    /// Where a guardrail or a filter refused.
    pub content_policy: Vec<String>,
}

/// When a target is left alone, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    /// The share of calls that must have failed, from 0 to 1.
    pub failure_ratio: f64,
    /// The least calls within the window that say anything.
    pub min_calls: u32,
    /// How far back is looked.
    pub window: Duration,
    /// How long the target is left alone. One call is let through then, and if it fails, the time begins anew.
    pub cool_down: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failure_ratio: 0.5,
            min_calls: 5,
            window: Duration::from_secs(30),
            cool_down: Duration::from_secs(15),
        }
    }
}

/// How often a call is tried.
#[derive(Clone, Debug)]
pub struct Retries {
    /// Tries of one call, over all targets, the first included; at least 1.
    pub max_attempts: u32,
    /// How many retries there may be for each call, on average: 0.1 allows one retry in ten calls.
    pub budget: f64,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            budget: 0.1,
        }
    }
}

/// Asking a second target while the first is silent, and taking the answer that begins first.
#[derive(Clone, Copy, Debug)]
pub struct Hedging {
    /// How long the first may be silent.
    pub after: Duration,
    /// The most second calls for each call, on average.
    pub budget: f64,
}

/// Keeping within quotas before AWS says no.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Whether calls are held back at all. Without it quotas are only told.
    pub enabled: bool,
    /// What is known of quotas. Of rules that fit, later ones win over earlier ones, number by number.
    pub quotas: Vec<QuotaRule>,
    /// How long a request waits for room at most; zero refuses at once.
    pub queue_timeout: Duration,
    /// The most requests that wait at a time.
    pub queue_limit: usize,
    /// Tokens that are reserved for the answer to a request that doesn't limit it, while nothing is known of the
    /// model's answers.
    pub default_output_tokens: u64,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            enabled: false,
            quotas: Vec::new(),
            queue_timeout: Duration::from_secs(10),
            queue_limit: 1000,
            default_output_tokens: 4096,
        }
    }
}

/// Quotas of some models. What is `None` is not said.
#[derive(Clone, Debug, Default)]
pub struct QuotaRule {
    /// The models as Bedrock calls them (ids and profiles), with `*` for any text; `None` for all.
    pub model: Option<String>,
    /// The region; `None` for each.
    pub region: Option<String>,
    /// The account, by its name; `None` for each.
    pub account: Option<String>,
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Tokens a day.
    pub tokens_per_day: Option<u64>,
}
