//! Parameters that Converse has no member for: passed on, left out or refused, as the table says.

use std::collections::HashMap;

use outcrop_bedrock::converse::ConverseRequest;
use outcrop_bedrock::json::{Json, JsonText, Kind};

use super::super::parameter::{self, Treatment};
use super::super::request::ChatRequest;
use super::sampling;
use crate::catalogue::{Parameter, Traits, Word as _};
use crate::notes::Notes;
use crate::openai::members::unsupported;
use crate::problem::Problem;

/// Refuses the parameters without which an answer would be wrong, but for those that models may take whose API is
/// OpenAI's own.
pub(super) fn refuse(request: &ChatRequest<'_>) -> Result<(), Problem> {
    for (name, value) in &request.others {
        if let Treatment::Refuse { neutral, advice } = parameter::treatment(name)
            && !matches!(name.as_str(), "logprobs" | "top_logprobs")
            && neutral.iter().all(|neutral| !parameter::is_neutral(value, neutral))
        {
            return Err(unsupported(name, advice));
        }
    }
    Ok(())
}

/// Places them.
pub(super) fn place<'a>(
    request: &ChatRequest<'a>,
    traits: &Traits,
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
        let is_wanted = |neutral: &str| !parameter::is_neutral(value, neutral);
        let passes = match parameter::treatment(name) {
            Treatment::Ignore => false,
            Treatment::Placed => false,
            Treatment::Drop { neutral } => {
                if is_wanted(neutral) {
                    notes.lose(name, "dropped", "unsupported");
                }
                false
            }
            Treatment::PassToSome { neutral } => {
                let is_taken =
                    Parameter::named(name).is_some_and(|parameter| traits.openai_parameters.contains(parameter));
                if !is_taken && is_wanted(neutral) {
                    notes.lose(name, "dropped", "unsupported-by-model");
                }
                is_taken && is_wanted(neutral)
            }
            Treatment::Refuse { neutral, advice } => {
                if neutral.iter().all(|neutral| is_wanted(neutral)) {
                    return Err(unsupported(name, advice));
                }
                false
            }
            Treatment::Pass => true,
        };
        if !passes {
            continue;
        }
        if traits.has_refused(name) {
            notes.lose(name, "dropped", "refused-by-model");
            continue;
        }
        let value = match name.as_str() {
            "anthropic_beta" => as_list(value),
            _ => value.clone(),
        };
        converse
            .additional_model_request_fields
            .push((name.clone().into(), value));
    }
    if let Some(&index) = last.get("top_k")
        && let Some((_, value)) = request.others.get(index)
    {
        sampling::place_top_k(value.clone(), traits, converse, notes);
    }
    Ok(())
}

/// Anthropic's header of the same name is one text; the field is a list.
fn as_list<'a>(value: &Json<'a>) -> Json<'a> {
    let text = value.read(|reader| match reader.kind()? {
        Kind::String => reader.string().map(|text| Some(text.into_owned())),
        _ => reader.skip().map(|()| None),
    });
    let Ok(Some(text)) = text else {
        return value.clone();
    };
    let betas: Vec<JsonText<'_>> = text.split(',').map(|beta| JsonText::encode(beta.trim())).collect();
    Json::encode(&betas.as_slice())
}
