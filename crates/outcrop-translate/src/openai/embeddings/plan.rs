//! From the request to the calls.

use std::borrow::Cow;

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::converse::ConverseRequest;
use outcrop_bedrock::json::{Fault, JsonText, ObjectWriter};

use super::super::chat::request_metadata;
use super::Memo;
use super::input::Inputs;
use super::request::EmbeddingsRequest;
use crate::catalogue::{Catalogue, Modality, Traits, VectorShape};
use crate::endpoint::{Context, Halt};
use crate::invoke;
use crate::notes::Notes;
use crate::openai::members::{refuse_operators, unsupported};
use crate::problem::Problem;
use crate::resolve::{Asked, Purpose, Target};
use crate::task::{TaskCall, TaskPlan};
use crate::vectors::{Aim, FLOAT, Family, Item, Part, Truncate, Wishes, family};

/// A call takes 25 MB (Bedrock's user guide, read 2026-11); images of a call are no more than this, in base64.
const MAX_CALL_BYTES: usize = 20_000_000;

/// Plans the calls.
pub(super) fn plan(request: &EmbeddingsRequest<'_>, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
    let mut notes = Notes::default();
    let (asked, purpose) = asked(request, context)?;
    request.named.check()?;
    let input = request.input.as_ref().ok_or_else(|| missing("input"))?;
    context.note_user(request.whose().as_deref());
    refuse_operators(request.wishes.others.iter().map(|(name, _)| name.as_ref()))?;
    let target = context.target(&asked, &mut notes)?;
    let traits = Traits::of(context.catalogue, target.base_id.as_deref(), &[]);
    let shape = traits
        .vectors
        .ok_or_else(|| makes_no_vectors(&asked, &target, context.catalogue))?;
    let family = family(shape);
    let policy = context.policy(&target);
    if policy.guardrail.is_some() || request.names_guardrail {
        notes.add("guardrailConfig", "not-applied", "no-guardrails-before-vectors");
    }
    if request.wants_other_api {
        notes.add("bedrock_api", "invoke", "only-api-of-model");
    }

    let mut wishes = request.wishes.clone();
    let of_name = purpose.or(target.vectors_for.as_deref().and_then(Aim::from_word));
    let is_purpose_of_name = wishes.purpose.is_none() && of_name.is_some();
    wishes.purpose = wishes.purpose.or(of_name);
    // Texts with more characters than the model takes are cut here, whatever the model can do about tokens.
    let truncate = wishes.truncate;
    let normalizes = fit(&mut wishes, shape, family, &traits, &mut notes)?;
    let mut remote = context.remote.cloned().unwrap_or_default();
    let support = context.catalogue.media(target.base_id.as_deref());
    let mut items = Vec::with_capacity(input.items.len());
    for (index, given) in input.items.iter().enumerate() {
        let item = given.item(asked.name, family, support, &mut remote).and_then(|item| {
            let complaint = family.complaint(&item);
            complaint.map_or(Ok(item), |complaint| Err(Fault::shape(complaint)))
        });
        items.push(item.map_err(|fault| placed(fault, input, index))?);
    }
    family.fit_items(&items, &mut wishes, &mut notes);
    shorten(&mut items, input, truncate, &traits, &mut notes)?;
    let on_unsupported = request.on_unsupported.unwrap_or(policy.on_unsupported);
    on_unsupported.check(&notes)?;
    // Nothing is fetched for a request that is refused anyhow.
    if !remote.missing().is_empty() {
        return Err(Halt::Fetch(remote.missing().to_vec()));
    }

    let headers = headers(request, &mut notes)?;
    on_unsupported.check(&notes)?;
    let ranges = batches(&items, family);
    let calls = ranges.iter().map(|range| {
        let mut body = Vec::new();
        ObjectWriter::write(&mut body, |body| family.write(&items[range.clone()], &wishes, body));
        TaskCall {
            operation: Operation::InvokeModel,
            model_id: target.model_id.clone(),
            headers: headers.clone(),
            body: CallBody::new(vec![Bytes::from(body)]),
            param: Some(name_of(range, input.is_list)),
        }
    });
    let model = match (&target.base_id, target.defaulted) {
        (Some(base_id), true) => base_id.as_str(),
        _ => asked.name,
    };
    Ok(TaskPlan {
        calls: calls.collect(),
        model_id: target.model_id.clone(),
        region: target.region.clone(),
        route: "invoke",
        memo: Memo {
            model: JsonText::encode(model),
            base64: request.base64,
            normalizes,
            types: wishes.types.iter().map(|name| name.clone().into_owned()).collect(),
            members: wishes
                .others
                .iter()
                .map(|(name, _)| name.clone().into_owned())
                .collect(),
            is_purpose_of_name,
            counts: ranges.iter().map(ExactSizeIterator::len).collect(),
            images: items.iter().flat_map(Item::images).count() as u64,
        },
        notes,
    })
}

/// What the request says of its model, and of what the vectors are for: `#search_query` behind the name is a way to say
/// so for clients that send nothing but OpenAI's parameters.
fn asked<'r>(request: &'r EmbeddingsRequest<'_>, context: &Context<'r>) -> Result<(Asked<'r>, Option<Aim>), Problem> {
    let said = |name: &'r Option<Cow<'_, str>>| name.as_deref().filter(|name| !name.trim().is_empty());
    // Azure's clients name the deployment in the path, and whatever they like in the body.
    let name = context
        .path_model
        .or(said(&request.bedrock_model))
        .or(said(&request.model));
    let name = name
        .filter(|name| !name.trim().is_empty())
        .ok_or_else(|| missing("model"))?;
    let (name, purpose_of_name) = match name.rsplit_once('#') {
        Some((name, word)) => (name, Some(Aim::from_word(word).ok_or_else(|| no_purpose(word))?)),
        None => (name, None),
    };
    let asked = Asked {
        name,
        provider: said(&request.model_provider),
        model_id: said(&request.model_id),
        purpose: Purpose::Embedding,
        ..Asked::default()
    };
    Ok((asked, purpose_of_name))
}

/// The refusal of what stands behind `#`.
fn no_purpose(word: &str) -> Problem {
    let word: String = word.chars().take(100).collect();
    let message = format!(
        "Invalid 'model': '{word}' behind '#' doesn't say what vectors are for, which is one of {}.",
        Aim::words()
    );
    Problem::invalid(message).with_code("invalid_value").with_param("model")
}

/// Makes the wishes what the model can grant. Whether vectors must be made of length 1 here.
fn fit(
    wishes: &mut Wishes<'_>,
    shape: VectorShape,
    family: &dyn Family,
    traits: &Traits,
    notes: &mut Notes,
) -> Result<bool, Problem> {
    // LiteLLM's switches, and OpenAI's book-keeping: nothing that a vector would show.
    const IGNORED: [&str; 5] = ["cache", "drop_params", "modify_params", "store", "safety_identifier"];
    wishes.others.retain(|(name, _)| !IGNORED.contains(&name.as_ref()));
    let own = |name: &str| family.own_members().contains(&name);
    if let Some((name, _)) = wishes.others.iter().find(|(name, _)| own(name)) {
        return Err(unsupported(name, "say it by 'input'"));
    }
    check_dimension(wishes.dimension, &traits.dimensions)?;
    if traits.dimensions.len() == 1 {
        // It has no such parameter.
        wishes.dimension = None;
    }
    family.fit(wishes, notes);
    if shape == VectorShape::Titan2 {
        return Ok(false);
    }
    let normalize = wishes.normalize.take();
    if normalize == Some(false) {
        notes.add("normalize", "dropped", "vectors-are-as-the-model-makes-them");
    }
    let has_float = wishes.types.is_empty() || wishes.types.iter().any(|kind| kind == FLOAT);
    if normalize == Some(true) && wishes.wants_other_types() {
        notes.lose(
            "normalize",
            if has_float { "float" } else { "dropped" },
            "only-for-floats",
        );
    }
    Ok(normalize == Some(true) && has_float)
}

fn check_dimension(dimension: Option<u64>, possible: &[u64]) -> Result<(), Problem> {
    let Some(dimension) = dimension else { return Ok(()) };
    if possible.contains(&dimension) || (possible.is_empty() && dimension > 0) {
        return Ok(());
    }
    let mut possible: Vec<String> = possible.iter().map(u64::to_string).collect();
    possible.sort_by_key(|number| (number.len(), number.clone()));
    let last = possible.pop().unwrap_or_else(|| "more".to_owned());
    let list = match possible.as_slice() {
        [] => last,
        others => format!("{} or {last}", others.join(", ")),
    };
    let message = format!("Invalid 'dimensions': the model's vectors have {list} numbers, not {dimension}.");
    Err(Problem::invalid(message)
        .with_code("invalid_value")
        .with_param("dimensions"))
}

/// A fault of an item's, where the item stands.
fn placed(fault: Fault, input: &Inputs<'_>, index: usize) -> Problem {
    let fault = if input.is_list { fault.at_index(index) } else { fault };
    fault.under_key("input").into()
}

/// Cuts texts that have more characters than the model takes, where the client wants too long texts cut. Bedrock counts
/// characters before the model counts tokens, and refuses the whole call.
fn shorten(
    items: &mut [Item<'_>],
    input: &Inputs<'_>,
    truncate: Option<Truncate>,
    traits: &Traits,
    notes: &mut Notes,
) -> Result<(), Problem> {
    let Some(most) = traits.max_text_chars else {
        return Ok(());
    };
    for (index, item) in items.iter_mut().enumerate() {
        for part in &mut item.parts {
            let Part::Text(text) = part else { continue };
            // No text has more characters than bytes.
            if text.inner().len() <= most {
                continue;
            }
            let decoded = text.decoded();
            let found = decoded.chars().count();
            if found <= most {
                continue;
            }
            let kept: String = match truncate {
                Some(Truncate::Start) => decoded.chars().skip(found - most).collect(),
                Some(Truncate::End) => decoded.chars().take(most).collect(),
                Some(Truncate::Never) | None => {
                    let fault = Fault::shape(format!(
                        "the text has {found} characters, but the model takes at most {most}; 'truncate' can be \
                         'START' or 'END'"
                    ));
                    return Err(placed(fault.with_code("context_length_exceeded"), input, index));
                }
            };
            notes.add("input", "cut", "longest-text-of-model");
            *text = JsonText::encode(&kept);
        }
    }
    Ok(())
}

/// Who asks, for Bedrock's log.
fn headers(request: &EmbeddingsRequest<'_>, notes: &mut Notes) -> Result<Vec<(&'static str, String)>, Problem> {
    let metadata = request
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_ref()));
    let user = request.user.as_deref().map(|user| ("user", user));
    invoke::headers(&ConverseRequest {
        request_metadata: request_metadata(metadata.chain(user), notes),
        ..ConverseRequest::default()
    })
}

/// Which items go into which call, in order.
fn batches(items: &[Item<'_>], family: &dyn Family) -> Vec<std::ops::Range<usize>> {
    let mut batches: Vec<std::ops::Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, item) in items.iter().enumerate() {
        let own = item.size();
        let grown = batches.last().map(|batch| batch.start..index + 1);
        let fits = grown.filter(|grown| {
            grown.len() <= family.batch() && bytes + own <= MAX_CALL_BYTES && family.go_together(&items[grown.clone()])
        });
        match (fits, batches.last_mut()) {
            (Some(grown), Some(last)) => {
                *last = grown;
                bytes += own;
            }
            _ => {
                batches.push(index..index + 1);
                bytes = own;
            }
        }
    }
    batches
}

/// The items of a call, as the client is told.
fn name_of(range: &std::ops::Range<usize>, is_list: bool) -> String {
    match range.len() {
        _ if !is_list => "input".to_owned(),
        1 => format!("input[{}]", range.start),
        _ => format!("input[{}-{}]", range.start, range.end - 1),
    }
}

fn missing(parameter: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{parameter}'."))
        .with_code("missing_required_parameter")
        .with_param(parameter)
}

/// The refusal of a model that does something else, or nobody knows what.
fn makes_no_vectors(asked: &Asked<'_>, target: &Target, catalogue: &Catalogue) -> Problem {
    let known: Vec<&str> = catalogue
        .models()
        .filter(|model| model.output.contains(Modality::Embedding) && !model.id.starts_with("arn:"))
        .map(|model| model.id.as_str())
        .collect();
    let name: String = asked.name.chars().take(200).collect();
    let what = match &target.base_id {
        Some(_) => format!("The model '{name}' makes no vectors"),
        None => format!("It isn't known how the model '{name}' makes vectors, if it does"),
    };
    let message = format!("{what}. Models that do: {}.", known.join(", "));
    Problem::invalid(message)
        .with_code("model_not_supported")
        .with_param("model")
}
