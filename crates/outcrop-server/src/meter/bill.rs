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
        let usage = less(end.usage, end.told_spent);
        let mut used = Consumption::of(&usage, &end.billed);
        let mut terms = Terms::of(usage.served);
        // Calls of which nobody knows what they cost: AWS counts them all the same.
        let silent = match end.is_answered {
            true => end.untold.choices as u64,
            false => u64::from(tally.pending()),
        };
        if silent > 0 {
            estimate = Estimate::Estimated;
            // Nobody knows how it was served, unless an answer has told.
            if usage.served == Served::default() {
                terms = called.terms;
            }
            let model = called.base_id().unwrap_or(&called.model_id);
            let prompt = gateway.admission.prompt_tokens(model, called.prompt.0);
            used.input = used.input.saturating_add(prompt.saturating_mul(silent));
            used.output = used
                .output
                .saturating_add(end.untold.text_bytes.div_ceil(BYTES_PER_TOKEN));
        }
        sum.add(&gateway.config.catalogue, called, &terms, &used);
        sum.tokens.reasoning = sum.tokens.reasoning.saturating_add(usage.reasoning_tokens);
        Self::from((sum, estimate))
    }
}

impl From<(Sum, Estimate)> for Bill {
    fn from((sum, estimate): (Sum, Estimate)) -> Self {
        Self {
            tokens: sum.tokens,
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
