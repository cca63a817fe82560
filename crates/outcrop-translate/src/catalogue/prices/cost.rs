//! What a call costs.
//!
//! Prices are whole billionths of a dollar for a million tokens, so sums of tokens times prices are whole numbers, and
//! a call is rounded once, at its end.

use std::sync::Arc;

use outcrop_bedrock::converse::{Served, ServiceTier, TokenUsage};

use super::amount::Price;
use super::rules::{Prices, Rates};
use crate::task::Billed;

/// Prices of tokens are for so many.
const TOKENS: u128 = 1_000_000;

/// What a factor of 1 is.
const ONE: u128 = 1_000_000_000;

/// Where a call goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The geography of the profile that is called; `None` for a bare id.
    pub geography: Option<Arc<str>>,
    /// The region that is called; empty where that isn't known.
    pub region: Arc<str>,
}

/// On which terms a call is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The service tier.
    pub tier: ServiceTier,
    /// Whether latency-optimized inference answers.
    pub is_latency_optimized: bool,
    /// Whether it is part of a batch.
    pub is_batch: bool,
}

/// Images that were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// How many.
    pub count: u64,
    /// Their quality, in the model's words: `standard`, `premium`. Empty where it has none.
    pub quality: &'static str,
    /// How many pixels one of them has; 0 where that isn't known.
    pub pixels: u64,
}

/// What of a call is paid for. The kinds of tokens don't overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumption {
    /// Tokens read, and not found in the cache.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens found in the cache.
    pub cache_read: u64,
    /// Tokens put into the cache for five minutes.
    pub cache_write: u64,
    /// Tokens put into the cache for an hour.
    pub cache_write_1h: u64,
    /// Images read that have no tokens, as for embeddings.
    pub input_images: u64,
    /// Images made.
    pub images: Images,
    /// Search units.
    pub searches: u64,
}

/// What a call may come to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Tokens that it reads.
    pub input: u64,
    /// Tokens that it writes at most.
    pub output: u64,
    /// Whether what it reads may be put into the cache.
    pub may_cache: bool,
    /// Images that it reads, and that have no tokens.
    pub input_images: u64,
    /// Images that it makes.
    pub images: u64,
    /// Search units.
    pub searches: u64,
}

/// What a call costs, in billionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What it costs.
    pub nanos: i64,
    /// What it would have cost more without the prompt cache. Less than nothing where writing into it cost more than
    /// reading from it saved.
    pub savings_nanos: i64,
    /// Whether another price stands in for one of the cache that isn't known.
    pub is_assumed: bool,
}

impl Terms {
    /// The terms on which a call was answered.
    #[must_use]
    pub fn of(served: Served) -> Self {
        Self {
            tier: served.tier,
            is_latency_optimized: served.is_latency_optimized,
            is_batch: false,
        }
    }
}

impl Consumption {
    /// What a call has used: tokens, and what else is paid for.
    #[must_use]
    pub fn of(usage: &TokenUsage, billed: &Billed) -> Self {
        Self {
            input_images: billed.input_images,
            images: billed.images,
            searches: billed.searches,
            ..Self::from(usage)
        }
    }
}

impl From<&TokenUsage> for Consumption {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write: usage.cache_write_5m_input_tokens(),
            cache_write_1h: usage.cache_write_1h_input_tokens,
            ..Self::default()
        }
    }
}

impl Consumption {
    /// All tokens read.
    fn read(&self) -> u64 {
        let cached = self.cache_read.saturating_add(self.cache_write);
        self.input.saturating_add(cached).saturating_add(self.cache_write_1h)
    }
}

impl Prices {
    /// What a call costs at `place`; `None` where a price that is needed isn't
    /// known. Without a price for what the cache does, what it stands in for counts: `input` for reading and writing,
    /// and `cache_write` for writing for an hour.
    #[must_use]
    pub fn cost(&self, place: &Place, terms: &Terms, used: &Consumption) -> Option<Cost> {
        let (rates, factor) = self.holding(place, terms, used.read())?;
        let mut sum = Sum::default();
        sum.tokens(used.input, rates.input)?;
        sum.tokens(used.output, rates.output)?;
        let cached = [
            (used.cache_read, rates.cache_read, rates.input),
            (used.cache_write, rates.cache_write, rates.input),
            (
                used.cache_write_1h,
                rates.cache_write_1h,
                rates.cache_write.or(rates.input),
            ),
        ];
        let (mut cache, mut uncached, mut is_assumed) = (Sum::default(), Sum::default(), false);
        for (tokens, own, other) in cached {
            cache.tokens(tokens, own.or(other))?;
            is_assumed |= tokens > 0 && own.is_none();
            // What has a price in the cache alone saves nothing that could be told.
            uncached.tokens(tokens, rates.input.or(own).or(other))?;
        }
        sum.0 = sum.0.saturating_add(cache.0);
        sum.things(used.input_images, rates.input_image)?;
        sum.things(used.searches, rates.search)?;
        if used.images.count > 0 {
            sum.things(used.images.count, self.image(&used.images))?;
        }
        let factor = factor.map_or(ONE, |factor| u128::from(factor.nanos()));
        Some(Cost {
            nanos: sum.nanos(factor),
            savings_nanos: uncached.less(cache, factor),
            is_assumed,
        })
    }

    /// The most that a call can cost, in billionths of a dollar: with `read` tokens of input, at most `written` of
    /// output, and `others` besides. `None` where a price that may be needed isn't known.
    #[must_use]
    pub fn most(&self, place: &Place, terms: &Terms, ask: &Ask) -> Option<i64> {
        let default = Terms {
            tier: ServiceTier::Default,
            ..*terms
        };
        // A tier that has no room lets the call through as usual.
        let both = [*terms, default];
        both.iter()
            .map(|terms| self.most_on(place, terms, ask))
            .try_fold(0, |most, one| one.map(|one| one.max(most)))
    }

    fn most_on(&self, place: &Place, terms: &Terms, ask: &Ask) -> Option<i64> {
        let (rates, factor) = self.holding(place, terms, ask.input)?;
        let mut sum = Sum::default();
        sum.tokens(ask.input, dearest(&rates, ask.may_cache))?;
        sum.tokens(ask.output, rates.output)?;
        sum.things(ask.input_images, rates.input_image)?;
        sum.things(ask.searches, rates.search)?;
        if ask.images > 0 {
            sum.things(ask.images, self.dearest_image())?;
        }
        Some(sum.nanos(factor.map_or(ONE, |factor| u128::from(factor.nanos()))))
    }
}

/// The dearest that a token of input can be.
fn dearest(rates: &Rates, may_cache: bool) -> Option<Price> {
    let cached = [rates.cache_read, rates.cache_write, rates.cache_write_1h];
    let cached = cached.into_iter().flatten().max().filter(|_| may_cache);
    // The price of input must be known: there is always some that isn't cached.
    rates
        .input
        .map(|input| cached.map_or(input, |cached| cached.max(input)))
}

/// A sum in billionths of a dollar for a million.
#[derive(Clone, Copy, Debug, Default)]
struct Sum(u128);

impl Sum {
    fn add(&mut self, count: u64, price: Option<Price>, times: u128) -> Option<()> {
        if count == 0 {
            return Some(());
        }
        let cost = u128::from(count).saturating_mul(u128::from(price?.nanos()));
        self.0 = self.0.saturating_add(cost.saturating_mul(times));
        Some(())
    }

    fn tokens(&mut self, count: u64, price: Option<Price>) -> Option<()> {
        self.add(count, price, 1)
    }

    fn things(&mut self, count: u64, price: Option<Price>) -> Option<()> {
        self.add(count, price, TOKENS)
    }

    /// In billionths of a dollar: half of one is one.
    fn nanos(self, factor: u128) -> i64 {
        let (whole, half) = (TOKENS * ONE, TOKENS * ONE / 2);
        let rounded = self.0.saturating_mul(factor).saturating_add(half) / whole;
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }

    /// What it is more than another one.
    fn less(self, other: Self, factor: u128) -> i64 {
        if self.0 >= other.0 {
            Self(self.0 - other.0).nanos(factor)
        } else {
            -Self(other.0 - self.0).nanos(factor)
        }
    }
}
