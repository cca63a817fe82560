//! From the request to the call.

mod conversation;
mod metadata;
mod tools;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use outcrop_bedrock::call::Operation;
use outcrop_bedrock::converse::{ConverseRequest, InferenceConfig};
use outcrop_bedrock::json::JsonText;
use outcrop_bedrock::model_id;

use super::Memo;
use super::parameter::{self, Treatment};
use super::request::ChatRequest;
use crate::endpoint::{Context, Plan};
use crate::family::{self, Sampling};
use crate::notes::Notes;
use crate::problem::{Problem, ProblemKind};
use crate::remote::Remote;

/// The most stop sequences that Converse takes (service model of Bedrock Runtime, 2026-11).
const MAX_STOP_SEQUENCES: usize = 2500;

/// Plans the calls that answer a request, which was read from `source`.
pub(super) fn plan(request: &ChatRequest<'_>, source: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Problem> {
    let mut notes = Notes::default();
    let model = model(request, context)?;
    let choices = choices(request, context)?;
    let messages = request.messages.as_deref().ok_or_else(|| missing("messages"))?;
    let mut remote = Remote::default();
    let mut conversation = conversation::translate(messages, model, &mut remote, &mut notes)?;
    if !remote.missing().is_empty() {
        remote.fail_missing("this gateway fetches nothing; send a data URL");
        conversation = conversation::translate(messages, model, &mut remote, &mut notes)?;
    }
    let mut converse = ConverseRequest {
        tool_config: tools::translate(request, &conversation.messages, &mut notes)?,
        messages: conversation.messages,
        system: conversation.system,
        inference_config: inference_config(request, model, &mut notes)?,
        additional_model_request_fields: Vec::new(),
        request_metadata: metadata::translate(request, &mut notes),
    };
    place_others(request, &mut converse, &mut notes)?;
    Ok(Plan {
        operation: if request.stream {
            Operation::ConverseStream
        } else {
            Operation::Converse
        },
        model_id: model.to_owned(),
        body: converse.to_body(source),
        choices,
        memo: Memo {
            id: format!("chatcmpl-{:032x}", context.unique),
            created: context.created,
            model: JsonText::encode(model),
            include_usage: request.include_usage,
            choices,
        },
        notes,
    })
}

fn missing(parameter: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{parameter}'."))
        .with_code("missing_required_parameter")
        .with_param(parameter)
}

fn model<'r>(request: &'r ChatRequest<'_>, context: &Context<'r>) -> Result<&'r str, Problem> {
    // Azure's clients name the deployment in the path, and whatever they like in the body.
    let model = context
        .path_model
        .or(request.model.as_deref())
        .filter(|model| !model.is_empty())
        .ok_or_else(|| missing("model"))?;
    if !model_id::is_plausible(model) {
        let problem = Problem::new(
            404,
            ProblemKind::InvalidRequest,
            "The model does not exist: its name is no Bedrock model id, inference profile or ARN.",
        );
        return Err(problem.with_code("model_not_found").with_param("model"));
    }
    Ok(model)
}

fn choices(request: &ChatRequest<'_>, context: &Context<'_>) -> Result<usize, Problem> {
    let choices = usize::try_from(request.choices.unwrap_or(1)).unwrap_or(usize::MAX);
    if !(1..=context.max_choices).contains(&choices) {
        let message = format!("Invalid 'n': expected 1 to {}, but got {choices}.", context.max_choices);
        return Err(Problem::invalid(message).with_code("invalid_value").with_param("n"));
    }
    Ok(choices)
}

fn inference_config<'a>(
    request: &ChatRequest<'a>,
    model: &str,
    notes: &mut Notes,
) -> Result<InferenceConfig<'a>, Problem> {
    let in_range = |name: &str, value: Option<f64>, largest: f64| match value {
        Some(value) if !(0.0..=largest).contains(&value) => {
            let message = format!("Invalid '{name}': expected a number from 0 to {largest}, but got {value}.");
            Err(Problem::invalid(message).with_code("invalid_value").with_param(name))
        }
        value => Ok(value),
    };
    let mut temperature = in_range("temperature", request.temperature, 2.0)?;
    let mut top_p = in_range("top_p", request.top_p, 1.0)?;
    match family::sampling(model) {
        Sampling::Both => {}
        Sampling::Either => {
            if temperature.is_some() && top_p.take().is_some() {
                notes.add("top_p", "dropped", "temperature-set");
            }
        }
        Sampling::Neither => {
            if temperature.take().is_some() {
                notes.add("temperature", "dropped", "refused-by-model");
            }
            if top_p.take().is_some() {
                notes.add("top_p", "dropped", "refused-by-model");
            }
        }
    }
    // OpenAI's scale ends at 2, Bedrock's at 1.
    if temperature.is_some_and(|temperature| temperature > 1.0) {
        temperature = Some(1.0);
        notes.add("temperature", "1", "largest-on-bedrock");
    }
    Ok(InferenceConfig {
        max_tokens: max_tokens(request, notes)?,
        temperature,
        top_p,
        stop_sequences: stop_sequences(request, notes)?,
    })
}

fn max_tokens(request: &ChatRequest<'_>, notes: &mut Notes) -> Result<Option<u64>, Problem> {
    let (name, max_tokens) = match (request.max_completion_tokens, request.max_tokens) {
        (Some(max), other) => {
            if other.is_some_and(|other| other != max) {
                notes.add("max_tokens", "dropped", "max_completion_tokens-set");
            }
            ("max_completion_tokens", Some(max))
        }
        (None, max) => ("max_tokens", max),
    };
    if max_tokens == Some(0) {
        let message = format!("Invalid '{name}': expected a whole number, 1 or above.");
        return Err(Problem::invalid(message).with_code("invalid_value").with_param(name));
    }
    Ok(max_tokens)
}

fn stop_sequences<'a>(request: &ChatRequest<'a>, notes: &mut Notes) -> Result<Vec<JsonText<'a>>, Problem> {
    if request.stop.len() > MAX_STOP_SEQUENCES {
        let message = format!("Invalid 'stop': expected at most {MAX_STOP_SEQUENCES} sequences.");
        return Err(Problem::invalid(message).with_code("invalid_value").with_param("stop"));
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
    Ok(sequences)
}

fn place_others<'a>(
    request: &ChatRequest<'a>,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) -> Result<(), Problem> {
    // As with every parameter, the last one of a name counts.
    let last: HashMap<&str, usize> = request
        .others
        .iter()
        .enumerate()
        .map(|(index, (name, _))| (name.as_str(), index))
        .collect();
    for (index, (name, value)) in request.others.iter().enumerate() {
        if last.get(name.as_str()) != Some(&index) {
            continue;
        }
        match parameter::treatment(name) {
            Treatment::Ignore => {}
            Treatment::Drop { neutral } => {
                if !parameter::is_neutral(value, neutral) {
                    notes.add(name, "dropped", "unsupported");
                }
            }
            Treatment::Refuse { neutral, advice } => {
                if !neutral.iter().any(|neutral| parameter::is_neutral(value, neutral)) {
                    let message = format!("Unsupported parameter: '{name}'; {advice}.");
                    return Err(Problem::invalid(message)
                        .with_code("unsupported_parameter")
                        .with_param(name));
                }
            }
            Treatment::Pass => converse
                .additional_model_request_fields
                .push((name.clone().into(), value.clone())),
        }
    }
    Ok(())
}
