//! Sampling and length: what Converse calls the inference configuration.

use std::collections::HashSet;

use outcrop_bedrock::converse::{ConverseRequest, InferenceConfig};
use outcrop_bedrock::json::{Json, JsonText};

use super::super::request::ChatRequest;
use super::thinking;
use crate::catalogue::{MAX_STOP_SEQUENCES, Sampling, TopK, Traits};
use crate::effort::Effort;
use crate::notes::Notes;
use crate::problem::Problem;
use crate::stop::StopMatcher;

/// Sampling and length of a request, and what looks for the stop sequences that the model can't look for itself.
pub(super) fn translate<'a>(
    request: &ChatRequest<'a>,
    traits: &Traits,
    notes: &mut Notes,
) -> Result<(InferenceConfig<'a>, Option<StopMatcher>), Problem> {
    let in_range = |name: &str, value: Option<f64>, largest: f64| match value {
        Some(value) if !(0.0..=largest).contains(&value) => {
            let message = format!("Invalid '{name}': expected a number from 0 to {largest}, but got {value}.");
            Err(Problem::invalid(message).with_code("invalid_value").with_param(name))
        }
        value => Ok(value),
    };
    let mut temperature = in_range("temperature", request.temperature, 2.0)?;
    let mut top_p = in_range("top_p", request.top_p, 1.0)?;
    for (name, value) in [("temperature", &mut temperature), ("top_p", &mut top_p)] {
        let is_refused = match traits.sampling {
            Sampling::Neither => true,
            Sampling::WithoutThinking => request.reasoning_effort != Some(Effort::None),
            Sampling::Both | Sampling::Either => traits.has_refused(name),
        };
        if is_refused && value.take().is_some() {
            notes.lose(name, "dropped", "refused-by-model");
        }
    }
    if traits.sampling == Sampling::Either && temperature.is_some() && top_p.take().is_some() {
        notes.lose("top_p", "dropped", "temperature-set");
    }
    // OpenAI's scale ends at 2, Bedrock's at 1.
    if temperature.is_some_and(|temperature| temperature > 1.0) {
        temperature = Some(1.0);
        notes.lose("temperature", "1", "largest-on-bedrock");
    }
    let (stop_sequences, own_stop) = stop_sequences(request, traits, notes)?;
    let config = InferenceConfig {
        max_tokens: max_tokens(request, traits, notes)?,
        temperature,
        top_p,
        stop_sequences,
    };
    Ok((config, own_stop))
}

/// Takes out what a model refuses while it thinks with a budget (Anthropic's documentation of extended thinking, read
/// 2026-11).
pub(super) fn fit_to_thinking(placed: thinking::Placed, converse: &mut ConverseRequest<'_>, notes: &mut Notes) {
    if !placed.restricts {
        return;
    }
    let config = &mut converse.inference_config;
    if config.temperature.take().is_some_and(|temperature| temperature != 1.0) {
        notes.lose("temperature", "1", "thinking-is-on");
    }
    if config.top_p.is_some_and(|top_p| top_p < 0.95) {
        config.top_p = None;
        notes.lose("top_p", "dropped", "thinking-is-on");
    }
    let fields = &mut converse.additional_model_request_fields;
    let before = fields.len();
    fields.retain(|(name, _)| name != "top_k");
    if fields.len() < before {
        notes.lose("top_k", "dropped", "thinking-is-on");
    }
}

fn max_tokens(request: &ChatRequest<'_>, traits: &Traits, notes: &mut Notes) -> Result<Option<u64>, Problem> {
    let (name, max_tokens) = match (request.max_completion_tokens, request.max_tokens) {
        (Some(max), other) => {
            if other.is_some_and(|other| other != max) {
                notes.lose("max_tokens", "dropped", "max_completion_tokens-set");
            }
            ("max_completion_tokens", Some(max))
        }
        (None, max) => ("max_tokens", max),
    };
    if max_tokens == Some(0) {
        let message = format!("Invalid '{name}': expected a whole number, 1 or above.");
        return Err(Problem::invalid(message).with_code("invalid_value").with_param(name));
    }
    let least = traits.least_max_tokens;
    if max_tokens.is_some_and(|max_tokens| max_tokens < least) {
        notes.lose(name, &least.to_string(), "smallest-of-model");
        return Ok(Some(least));
    }
    Ok(max_tokens)
}

/// The stop sequences for the model and, where it can't look for all of them, what looks for the others.
fn stop_sequences<'a>(
    request: &ChatRequest<'a>,
    traits: &Traits,
    notes: &mut Notes,
) -> Result<(Vec<JsonText<'a>>, Option<StopMatcher>), Problem> {
    let invalid = |message: String| Problem::invalid(message).with_code("invalid_value").with_param("stop");
    if request.stop.len() > MAX_STOP_SEQUENCES {
        let message = format!("Invalid 'stop': expected at most {MAX_STOP_SEQUENCES} sequences.");
        return Err(invalid(message));
    }
    let mut seen = HashSet::with_capacity(request.stop.len());
    let mut sequences = Vec::with_capacity(request.stop.len());
    for sequence in &request.stop {
        if sequence.inner().is_empty() {
            notes.add("stop", "shortened", "empty-sequence");
        } else if seen.insert(sequence.token()) {
            sequences.push(sequence.clone());
        }
    }
    let for_model = if traits.has_refused("stop") {
        0
    } else {
        traits.stop_sequences
    };
    // The model stops as early as it can; the rest is cut off here.
    let (mut own, mut kept) = (Vec::new(), 0);
    sequences.retain(|sequence: &JsonText<'a>| {
        let is_models = kept < for_model && takes(traits, sequence);
        kept += usize::from(is_models);
        if !is_models {
            own.push(sequence.decoded().into_owned());
        }
        is_models
    });
    if own.is_empty() {
        return Ok((sequences, None));
    }
    if own.iter().map(String::len).sum::<usize>() > StopMatcher::MAX_BYTES {
        let most = StopMatcher::MAX_BYTES;
        return Err(invalid(format!(
            "Invalid 'stop': expected at most {most} bytes together in sequences that the model doesn't look for itself."
        )));
    }
    notes.add("stop", "by-gateway", "beyond-the-model");
    Ok((sequences, Some(StopMatcher::new(own))))
}

/// Claude refuses sequences of white space alone, which people do stop at.
fn takes(traits: &Traits, sequence: &JsonText<'_>) -> bool {
    traits.blank_stop_sequences || !sequence.is_blank()
}

/// Puts `top_k` where the family wants it.
pub(super) fn place_top_k<'a>(value: Json<'a>, traits: &Traits, converse: &mut ConverseRequest<'a>, notes: &mut Notes) {
    let fields = &mut converse.additional_model_request_fields;
    match traits.top_k {
        _ if traits.has_refused("top_k") => notes.lose("top_k", "dropped", "refused-by-model"),
        TopK::Nowhere => notes.lose("top_k", "dropped", "refused-by-model"),
        TopK::Field => fields.push(("top_k".into(), value)),
        TopK::K => fields.push(("k".into(), value)),
        TopK::NovaInferenceConfig if fields.iter().any(|(name, _)| name == "inferenceConfig") => {
            notes.lose("top_k", "dropped", "inferenceConfig-set");
        }
        TopK::NovaInferenceConfig => {
            let config = Json::object(|config| config.field("topK", &value));
            fields.push(("inferenceConfig".into(), config));
        }
    }
}
