//! Which model is asked, and by which of Bedrock's APIs.

use outcrop_bedrock::json::{Json, JsonText, Kind};

use super::super::request::ChatRequest;
use super::{missing, straight};
use crate::catalogue::{Api, Traits, Word};
use crate::endpoint::Context;
use crate::invoke;
use crate::notes::Notes;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::resolve::{Asked, Target};
use crate::wire::Wire;

/// What the request says of its model.
pub(super) fn asked<'r>(request: &'r ChatRequest<'_>, context: &Context<'r>) -> Result<Asked<'r>, Problem> {
    let said = |name: &'r Option<std::borrow::Cow<'_, str>>| name.as_deref().filter(|name| !name.trim().is_empty());
    // Azure's clients name the deployment in the path, and whatever they like in the body.
    let name = context
        .path_model
        .or(said(&request.bedrock_model))
        .or(said(&request.model))
        .filter(|name| !name.trim().is_empty())
        .ok_or_else(|| missing("model"))?;
    Ok(Asked {
        name,
        provider: said(&request.model_provider),
        model_id: said(&request.model_id),
        ..Asked::default()
    })
}

/// The API by which the model is asked: as the request wants it, the name, the operator, or the catalogue.
pub(super) fn api(
    request: &ChatRequest<'_>,
    target: &Target,
    traits: &Traits,
    policy: &Policy,
    notes: &mut Notes,
) -> Api {
    const NAME: &str = "bedrock_api";
    let wanted = request.bedrock_api.or(target.api).or(policy.bedrock_api);
    let is_imported = target.format.is_some();
    let is_for_texts = request.continues_text && traits.invoke.is_some_and(invoke::is_for_texts);
    let usual = if is_imported || is_for_texts {
        Api::Invoke
    } else {
        traits.api
    };
    let mut api = match wanted {
        Some(api) if traits.apis.contains(api) || (is_imported && api == Api::Invoke) => api,
        Some(_) => {
            notes.add(NAME, usual.name(), "only-api-of-model");
            usual
        }
        None => usual,
    };
    // The endpoint takes ids, and knows nothing of ARNs.
    let obstacle = match target.model_id.starts_with("arn:") {
        true => Some("arn"),
        false => straight::obstacle(request, policy),
    };
    if api == Api::OpenAi
        && let Some(obstacle) = obstacle
    {
        if wanted == Some(Api::OpenAi) {
            notes.add(NAME, "converse", obstacle);
        }
        api = Api::Converse;
    }
    api
}

/// How a call by this API is written and read; `None` where no body of the model's is known.
pub(super) fn wire(api: Api, request: &ChatRequest<'_>, target: &Target, traits: &Traits) -> Option<Wire> {
    match api {
        Api::Converse => Some(Wire::CONVERSE),
        Api::OpenAi => Some(Wire::STRAIGHT),
        Api::Invoke if request.continues_text && continuing(target, traits).is_some() => {
            continuing(target, traits).map(Wire::invoke)
        }
        Api::Invoke => {
            let family = match &target.format {
                Some(format) => invoke::imported(format),
                None => invoke::family(traits.invoke?, traits.prompt),
            };
            family.map(Wire::invoke)
        }
    }
}

/// The body of a text to go on with, where the model takes such texts.
fn continuing(target: &Target, traits: &Traits) -> Option<&'static dyn invoke::Family> {
    let shape = match target.format.as_deref() {
        Some(format) => invoke::shape_of_format(format)?,
        None => traits.invoke?,
    };
    invoke::continuing(shape)
}

/// Asks for the long context, where the model must be asked for it.
pub(super) fn place_long_context<'a>(
    target: &Target,
    traits: &Traits,
    fields: &mut Vec<(std::borrow::Cow<'a, str>, Json<'a>)>,
    notes: &mut Notes,
) {
    const NAME: &str = "anthropic_beta";
    if !target.long_context {
        return;
    }
    let Some(beta) = &traits.long_context_beta else {
        notes.add("model", "suffix-dropped", "no-beta-for-long-context");
        return;
    };
    notes.add(NAME, "long-context", "suffix-of-model");
    let mut betas = vec![JsonText::encode(beta)];
    if let Some(at) = fields.iter().position(|(name, _)| name == NAME) {
        let (_, own) = fields.remove(at);
        // The client's own; what is no list of texts, Bedrock refuses anyhow.
        let own = own.read(|reader| match reader.kind()? {
            Kind::Array => reader.list(|reader| reader.string().map(|beta| JsonText::encode(&beta))),
            _ => reader.skip().map(|()| Vec::new()),
        });
        betas.extend(own.unwrap_or_default());
        betas.dedup();
    }
    fields.push((NAME.into(), Json::encode(&betas)));
}
