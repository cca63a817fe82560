//! How many tokens a call will have, before it is made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use super::need::{Need, Usage};

/// Bytes of text that make a token, until a model shows otherwise: English has about four.
const BYTES_PER_TOKEN: f64 = 4.0;
/// Whatever a model shows, it is believed within these bounds.
const BOUNDS: (f64, f64) = (1.0, 8.0);
/// Prompts that are shorter say little: what stands around them counts too much.
const LEAST_BYTES: u64 = 400;
/// How much each answer counts in what is learned.
const WEIGHT: f64 = 0.1;
/// Tokens of an image. Claude's have width × height / 750, and are made smaller above some 1,600 (Anthropic, "Vision",
/// read 2026-11).
const TOKENS_PER_IMAGE: u64 = 1600;
/// Bytes of a document that make a token. A page of a PDF has some 2,000 tokens and 50 KB.
const DOCUMENT_BYTES_PER_TOKEN: u64 = 25;
/// Models of which something is learned; names come from requests.
const MAX_MODELS: usize = 1024;

/// What a prompt consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Bytes of text, JSON around it included.
    pub text_bytes: u64,
    /// Images.
    pub images: u64,
    /// Bytes of documents and other media.
    pub document_bytes: u64,
}

/// What is learned of models' tokens.
#[derive(Debug, Default)]
pub struct Estimator {
    habits: RwLock<HashMap<String, Mutex<Habits>>>,
}

/// What is learned of one model.
#[derive(Clone, Copy, Debug)]
struct Habits {
    bytes_per_token: f64,
    /// The length of answers on average, and how far they are from it; as TCP has it for the time of an answer.
    output: Option<(f64, f64)>,
}

impl Estimator {
    /// What a call to `model` needs. `limit` is the limit of its answer, where the call has one, and `most` the model's
    /// own, where it is known. AWS reserves the one, or else the other; where neither is known, what is reserved is
    /// what answers of the model are like, or `default` while there were none.
    #[must_use]
    pub fn need(
        &self,
        model: &str,
        input: Input,
        limit: Option<u64>,
        most: Option<u64>,
        default: u64,
        burn_rate: u64,
    ) -> Need {
        let habits = self.of(model);
        let likely = habits
            .and_then(|habits| habits.output)
            .map(|(mean, off)| to_tokens(mean + 2.0 * off));
        let output_tokens = limit.or(most).or(likely).unwrap_or(default);
        let text = to_tokens(as_float(input.text_bytes) / habits.map_or(BYTES_PER_TOKEN, |it| it.bytes_per_token));
        Need {
            input_tokens: text
                .saturating_add(input.images.saturating_mul(TOKENS_PER_IMAGE))
                .saturating_add(input.document_bytes / DOCUMENT_BYTES_PER_TOKEN),
            output_tokens,
            expected_output_tokens: likely.unwrap_or(0).min(output_tokens),
            burn_rate,
        }
    }

    /// How many tokens a prompt for `model` has.
    #[must_use]
    pub fn prompt_tokens(&self, model: &str, input: Input) -> u64 {
        self.need(model, input, None, None, 0, 1).input_tokens
    }

    /// Learns from what a call to `model` had.
    pub fn learn(&self, model: &str, input: Input, usage: Usage) {
        let habits = self.habits.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(habits) = habits.get(model) {
            return habits
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .learn(input, usage);
        }
        drop(habits);
        let mut all = self.habits.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_MODELS {
            return;
        }
        let habits = all.entry(model.to_owned()).or_insert_with(|| {
            Mutex::new(Habits {
                bytes_per_token: BYTES_PER_TOKEN,
                output: None,
            })
        });
        habits
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .learn(input, usage);
    }

    fn of(&self, model: &str) -> Option<Habits> {
        let all = self.habits.read().unwrap_or_else(PoisonError::into_inner);
        let habits = all.get(model)?;
        Some(*habits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Habits {
    fn learn(&mut self, input: Input, usage: Usage) {
        let prompt = usage
            .input
            .saturating_add(usage.cache_read)
            .saturating_add(usage.cache_write);
        let is_text = input.images == 0 && input.document_bytes == 0;
        if is_text && input.text_bytes >= LEAST_BYTES && prompt > 0 {
            let found = as_float(input.text_bytes) / as_float(prompt);
            self.bytes_per_token += WEIGHT * (found - self.bytes_per_token);
            self.bytes_per_token = self.bytes_per_token.clamp(BOUNDS.0, BOUNDS.1);
        }
        if usage.output > 0 {
            let found = as_float(usage.output);
            self.output = Some(match self.output {
                None => (found, found / 2.0),
                Some((mean, off)) => {
                    let error = found - mean;
                    (mean + WEIGHT * error, off + WEIGHT * (error.abs() - off))
                }
            });
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "it is an estimate")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never below nothing, and the cast saturates"
)]
fn to_tokens(number: f64) -> u64 {
    number.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn text(text_bytes: u64) -> Input {
        Input {
            text_bytes,
            images: 0,
            document_bytes: 0,
        }
    }

    fn usage(input: u64, output: u64) -> Usage {
        Usage {
            input,
            output,
            ..Usage::default()
        }
    }

    #[test]
    fn a_model_that_nobody_knows_has_four_bytes_a_token() {
        let estimator = Estimator::default();
        let need = estimator.need("m", text(4000), None, None, 512, 1);
        assert_eq!((need.input_tokens, need.output_tokens), (1000, 512));
        assert_eq!(need.expected_output_tokens, 0);
    }

    #[test]
    fn what_aws_reserves_is_reserved() {
        let estimator = Estimator::default();
        estimator.learn("m", text(4000), usage(1000, 100));
        let need = |limit, most| estimator.need("m", text(0), limit, most, 512, 1).output_tokens;
        assert_eq!(need(Some(300), Some(64_000)), 300);
        assert_eq!(need(None, Some(64_000)), 64_000);
        assert_eq!(need(None, None), 200, "what answers are like");
    }

    #[test]
    fn it_learns_a_models_tokens_within_bounds() {
        let estimator = Estimator::default();
        for _ in 0..100 {
            estimator.learn("m", text(6000), usage(3000, 10));
            estimator.learn("odd", text(6000), usage(1, 10));
        }
        let input = |model| estimator.need(model, text(6000), None, None, 1, 1).input_tokens;
        assert!((2990..=3010).contains(&input("m")), "{}", input("m"));
        assert_eq!(input("odd"), 750);
        assert_eq!(input("other"), 1500);
    }

    #[test]
    fn an_image_is_no_text() {
        let estimator = Estimator::default();
        let input = Input {
            text_bytes: 400,
            images: 2,
            document_bytes: 50_000,
        };
        let need = estimator.need("m", input, Some(1), None, 1, 1);
        assert_eq!(need.input_tokens, 100 + 3200 + 2000);
        estimator.learn("m", input, usage(9000, 1));
        assert_eq!(
            estimator.need("m", input, Some(1), None, 1, 1),
            Need {
                expected_output_tokens: 1,
                ..need
            }
        );
    }
}
