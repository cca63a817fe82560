//! What a request comes to when it is over.

use std::sync::Arc;

use outcrop_bedrock::converse::{Served, TokenUsage};
use outcrop_tenants::{Estimate, Money, TokenCounts};
use outcrop_translate::catalogue::{Consumption, Terms};
use outcrop_translate::{Billed, Catalogue, Untold};

use super::called::{Called, counts};
use super::tally::Tally;
use crate::exchange::Gateway;

/// Bytes of text that make a token of an answer.
const BYTES_PER_TOKEN: u64 = 4;

/// How a request has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    /// The call that the answer is of.
    pub(crate) called: Option<&'a Arc<Called>>,
    /// Whether Bedrock has answered, be it with the beginning of a stream.
    pub(crate) is_answered: bool,
    /// The tokens that the client was told.
    pub(crate) usage: TokenUsage,
    /// Those of each call, where several have told theirs.
    pub(crate) of_each: &'a [TokenUsage],
    /// Which of them are of answers that were thrown away, and are counted as such.
    pub(crate) told_spent: TokenUsage,
    /// What else is paid for.
    pub(crate) billed: Billed,
    /// What has come of choices whose tokens Bedrock hasn't told.
    pub(crate) untold: Untold,
}

/// What a request has cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bill {
    pub(crate) tokens: TokenCounts,
    /// `None` where there is no price.
    pub(crate) cost: Option<Money>,
    /// The part of it that has a price.
    pub(crate) known_cost: Money,
    pub(crate) savings: Money,
    pub(crate) estimate: Estimate,
}

/// A sum over calls of several models.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    tokens: TokenCounts,
    cost: Money,
    savings: Money,
    is_unpriced: bool,
}

impl Sum {
    /// Adds what a call used.
    pub(super) fn add(&mut self, catalogue: &Catalogue, called: &Called, terms: &Terms, used: &Consumption) {
        if *used == Consumption::default() {
            return;
        }
        self.tokens = plus(self.tokens, counts(used));
        match called.cost(catalogue, terms, used) {
            Some(cost) => {
                self.cost += Money::from_nanos(cost.nanos);
                self.savings += Money::from_nanos(cost.savings_nanos);
            }
            None => self.is_unpriced = true,
        }
    }
}

impl Bill {
    pub(super) fn of(gateway: &Gateway, tally: &Tally, end: &End<'_>) -> Self {
        let mut sum = tally.thrown();
        let mut estimate = Estimate::Exact;
        let last = tally.last();
        let Some(called) = end.called.or(last.as_ref()) else {
            return Self::from((sum, estimate));
        };
        let catalogue = &gateway.config.catalogue;
        let mut terms = Terms::of(end.usage.served);
        // Each call has its own price: one that reads much costs more for each token.
        let calls = match end.of_each {
            [] => std::slice::from_ref(&end.usage),
            several => several,
        };
        for (index, usage) in calls.iter().enumerate() {
            let used = match index {
                // What was thrown away is told with the first.
                0 => Consumption::of(&less(*usage, end.told_spent), &end.billed),
                _ => Consumption::from(usage),
            };
            sum.add(catalogue, called, &terms, &used);
        }
        // Choices of which nobody knows what they cost: AWS counts them all the same.
        if end.is_answered && end.untold.choices > 0 {
            estimate = Estimate::Estimated;
            // Nobody knows how they were served, unless an answer has told.
            if end.usage.served == Served::default() {
                terms = called.terms;
            }
            let written = end.untold.text_bytes.div_ceil(BYTES_PER_TOKEN);
            for index in 0..end.untold.choices {
                let used = Consumption {
                    input: prompt_tokens(gateway, called),
                    output: if index == 0 { written } else { 0 },
                    ..Consumption::default()
                };
                sum.add(catalogue, called, &terms, &used);
            }
        }
        // Nor of calls that nobody has waited for: those that the client left, were given up, or lost to one beside.
        for called in tally.pending() {
            estimate = Estimate::Estimated;
            let used = Consumption {
                input: prompt_tokens(gateway, &called),
                ..Consumption::default()
            };
            sum.add(catalogue, &called, &called.terms, &used);
        }
        let reasoning = less(end.usage, end.told_spent).reasoning_tokens;
        sum.tokens.reasoning = sum.tokens.reasoning.saturating_add(reasoning);
        Self::from((sum, estimate))
    }
}

/// What a call reads, estimated.
fn prompt_tokens(gateway: &Gateway, called: &Called) -> u64 {
    let model = called.base_id().unwrap_or(&called.model_id);
    gateway.admission.prompt_tokens(model, called.prompt.0)
}

impl From<(Sum, Estimate)> for Bill {
    fn from((sum, estimate): (Sum, Estimate)) -> Self {
        Self {
            tokens: sum.tokens,
            known_cost: sum.cost,
            cost: (!sum.is_unpriced).then_some(sum.cost),
            savings: sum.savings,
            estimate,
        }
    }
}

fn plus(some: TokenCounts, more: TokenCounts) -> TokenCounts {
    TokenCounts {
        input: some.input.saturating_add(more.input),
        output: some.output.saturating_add(more.output),
        cache_read: some.cache_read.saturating_add(more.cache_read),
        cache_write: some.cache_write.saturating_add(more.cache_write),
        cache_write_1h: some.cache_write_1h.saturating_add(more.cache_write_1h),
        reasoning: some.reasoning.saturating_add(more.reasoning),
        images: some.images.saturating_add(more.images),
        searches: some.searches.saturating_add(more.searches),
    }
}

/// Tokens without those of others.
fn less(all: TokenUsage, others: TokenUsage) -> TokenUsage {
    TokenUsage {
        input_tokens: all.input_tokens.saturating_sub(others.input_tokens),
        output_tokens: all.output_tokens.saturating_sub(others.output_tokens),
        cache_read_input_tokens: all
            .cache_read_input_tokens
            .saturating_sub(others.cache_read_input_tokens),
        cache_write_input_tokens: all
            .cache_write_input_tokens
            .saturating_sub(others.cache_write_input_tokens),
        cache_write_1h_input_tokens: all
            .cache_write_1h_input_tokens
            .saturating_sub(others.cache_write_1h_input_tokens),
        reasoning_tokens: all.reasoning_tokens.saturating_sub(others.reasoning_tokens),
        served: all.served,
    }
}
