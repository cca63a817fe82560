//! What calls need, cost, and are told when there is no room.

use std::time::Duration;

/// No call costs more: it keeps sums from running over.
const MAX_TOKENS: u64 = 1 << 40;

/// What a call will need, as far as it is known before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Tokens of the prompt: an estimate.
    pub input_tokens: u64,
    /// Tokens that AWS reserves for the answer: the call's limit, or the model's where the call has none.
    pub output_tokens: u64,
    /// Tokens that the answer will likely have; 0 where nothing is known.
    pub expected_output_tokens: u64,
    /// How many tokens of the quota a token of the answer costs.
    pub burn_rate: u64,
}

impl Need {
    /// What is reserved: what AWS reserves, prompt and limit of the answer, or what will likely be spent, if that is
    /// more. An answer that burns at a multiple of its length may cost more than its limit.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let expected = self.expected_output_tokens.min(self.output_tokens);
        let burned = expected.saturating_mul(self.burn_rate.max(1));
        let output = self.output_tokens.max(burned);
        self.input_tokens.saturating_add(output).min(MAX_TOKENS)
    }

    /// What it needs for sure. The prompt is an estimate, so half of it.
    fn least_tokens(&self) -> u64 {
        (self.input_tokens / 2)
            .saturating_add(self.output_tokens)
            .min(MAX_TOKENS)
    }

    /// What is reserved of a quota of `limit`; `None` if the call can never have room in it. An estimate that is
    /// somewhat too large must not lock a call out for ever: it has room once nothing else is under way.
    pub(super) fn tokens_within(&self, limit: u64) -> Option<u64> {
        let tokens = self.tokens();
        if tokens <= limit {
            return Some(tokens);
        }
        (self.least_tokens() <= limit).then_some(limit)
    }
}

/// What a call cost in the end, as Bedrock tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt that the cache had no part in.
    pub input: u64,
    /// Tokens that were written to the cache.
    pub cache_write: u64,
    /// Tokens that were read from the cache, which cost nothing of a quota.
    pub cache_read: u64,
    /// Tokens of the answer.
    pub output: u64,
}

impl Usage {
    /// What AWS takes of the quota for it.
    #[must_use]
    pub fn tokens(&self, burn_rate: u64) -> u64 {
        let output = self.output.saturating_mul(burn_rate.max(1));
        self.input
            .saturating_add(self.cache_write)
            .saturating_add(output)
            .min(MAX_TOKENS)
    }
}

/// One of the quotas that AWS keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Tokens a day.
    TokensPerDay,
}

impl Quota {
    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests per minute",
            Self::Tokens => "tokens per minute",
            Self::TokensPerDay => "tokens per day",
        }
    }

    /// Which one AWS says is used up. Its words are "Too many tokens, please wait before trying again.", "Too many
    /// tokens per day, …" and "Too many requests, …".
    #[must_use]
    pub fn of_refusal(message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        if message.contains("per day") {
            Self::TokensPerDay
        } else if message.contains("token") {
            Self::Tokens
        } else {
            Self::Requests
        }
    }
}

/// There is no room for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// The quota that has none.
    pub quota: Quota,
    /// That quota; `None` where AWS has refused, and it isn't known.
    pub limit: Option<u64>,
    /// When there will be room, if nothing comes back earlier and nobody else takes it; `None` for never: the call is
    /// larger than the quota.
    pub retry_after: Option<Duration>,
}

impl Full {
    /// The one that lasts longer.
    pub(super) fn or_longer(self, other: Self) -> Self {
        match (self.retry_after, other.retry_after) {
            (None, _) => self,
            (_, None) => other,
            (Some(own), Some(others)) if others > own => other,
            _ => self,
        }
    }
}

/// How much there is of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The quota.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// When all of it will be there again.
    pub reset: Duration,
}

/// The quotas of a lane that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests a minute.
    pub requests: Option<RateLimit>,
    /// Tokens a minute.
    pub tokens: Option<RateLimit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reserves_what_aws_reserves_or_what_it_will_likely_burn() {
        let mut need = Need {
            input_tokens: 1000,
            output_tokens: 4000,
            expected_output_tokens: 0,
            burn_rate: 5,
        };
        assert_eq!(need.tokens(), 5000);
        need.expected_output_tokens = 500;
        assert_eq!(need.tokens(), 5000, "2,500 is within what is reserved");
        need.expected_output_tokens = 2000;
        assert_eq!(need.tokens(), 11_000);
        need.expected_output_tokens = 9000;
        assert_eq!(need.tokens(), 21_000, "no answer is longer than its limit");
    }

    #[test]
    fn what_is_read_from_the_cache_costs_nothing_and_output_burns() {
        let usage = Usage {
            input: 100,
            cache_write: 20,
            cache_read: 3000,
            output: 7,
        };
        assert_eq!(usage.tokens(1), 127);
        assert_eq!(usage.tokens(5), 155);
    }

    #[test]
    fn an_estimate_locks_nothing_out_but_a_limit_of_the_answer_does() {
        let need = |input_tokens, output_tokens| Need {
            input_tokens,
            output_tokens,
            burn_rate: 1,
            ..Need::default()
        };
        assert_eq!(need(500, 100).tokens_within(1000), Some(600));
        assert_eq!(need(1500, 100).tokens_within(1000), Some(1000));
        assert_eq!(need(2500, 100).tokens_within(1000), None);
        assert_eq!(need(0, 64_000).tokens_within(1000), None);
    }

    #[test]
    fn refusals_name_their_quota() {
        for (message, quota) in [
            ("Too many tokens, please wait before trying again.", Quota::Tokens),
            (
                "Too many tokens per day, please wait before trying again.",
                Quota::TokensPerDay,
            ),
            ("Too many requests, please wait before trying again.", Quota::Requests),
            ("Rate exceeded", Quota::Requests),
        ] {
            assert_eq!(Quota::of_refusal(message), quota, "{message}");
        }
    }
}
