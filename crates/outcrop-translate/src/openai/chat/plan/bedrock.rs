//! Bedrock's own parameters, which clients give by Bedrock's names: guardrail, performance, tier, prompt variables.

use outcrop_bedrock::converse::ConverseRequest;
use outcrop_bedrock::json::{Json, JsonText, Reader};

use super::super::request::ChatRequest;
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::policy::{Guardrail, Policy};
use crate::problem::Problem;

/// The most `additionalModelResponseFieldPaths` (service model of Bedrock Runtime, 2026-11).
const MAX_PATHS: usize = 10;

/// Places them. Gives the guardrail that the call names.
pub(super) fn place<'a>(
    request: &ChatRequest<'a>,
    traits: &Traits,
    policy: &Policy,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) -> Result<Option<String>, Problem> {
    let own = &request.bedrock;
    converse.performance_config.clone_from(&own.performance_config);
    converse.prompt_variables.clone_from(&own.prompt_variables);
    if own.additional_model_response_field_paths.len() > MAX_PATHS {
        let name = "additionalModelResponseFieldPaths";
        let problem = Problem::invalid(format!("Invalid '{name}': expected at most {MAX_PATHS} paths."));
        return Err(problem.with_code("invalid_value").with_param(name));
    }
    converse
        .additional_model_response_field_paths
        .clone_from(&own.additional_model_response_field_paths);
    converse.service_tier = own.service_tier.clone();
    place_service_tier(request, traits, converse, notes)?;
    place_guardrail(request, policy, converse)
}

/// Places the guardrail that the request names, else the operator's. Gives its name.
pub(super) fn place_guardrail<'a>(
    request: &ChatRequest<'a>,
    policy: &Policy,
    converse: &mut ConverseRequest<'a>,
) -> Result<Option<String>, Problem> {
    if let Some(asked) = &request.bedrock.guardrail_config {
        return place_asked_guardrail(asked, request.stream, converse);
    }
    let Some(guardrail) = &policy.guardrail else {
        return Ok(None);
    };
    converse.guardrail_config = Some(config_of(guardrail, request.stream));
    Ok(Some(guardrail.id.clone()))
}

/// OpenAI's `service_tier` in Bedrock's words. Bedrock has no `auto`, which is what it does when nothing is said.
fn place_service_tier(
    request: &ChatRequest<'_>,
    traits: &Traits,
    converse: &mut ConverseRequest<'_>,
    notes: &mut Notes,
) -> Result<(), Problem> {
    const NAME: &str = "service_tier";
    let Some((_, value)) = request.others.iter().rfind(|(name, _)| name == NAME) else {
        return Ok(());
    };
    let tier = value
        .read(|reader| reader.string().map(std::borrow::Cow::into_owned))
        .map_err(|fault| Problem::from(fault.under_key(NAME)))?;
    let tier = match tier.as_str() {
        "auto" => return Ok(()),
        "default" | "flex" | "priority" | "reserved" => tier,
        // Tokens that are paid for in advance.
        "scale" => {
            notes.add(NAME, "reserved", "bedrock-calls-it-so");
            "reserved".to_owned()
        }
        // OpenAI's other word for the same.
        "fast" => {
            notes.add(NAME, "priority", "bedrock-calls-it-so");
            "priority".to_owned()
        }
        _ => {
            let message = "Invalid 'service_tier': expected 'auto', 'default', 'flex', 'fast', 'priority' or 'scale'.";
            return Err(Problem::invalid(message).with_code("invalid_value").with_param(NAME));
        }
    };
    if traits.has_refused(NAME) {
        notes.lose(NAME, "dropped", "refused-by-model");
    } else {
        converse.service_tier = Some(JsonText::encode(&tier));
    }
    Ok(())
}

fn place_asked_guardrail<'a>(
    asked: &[(String, JsonText<'a>)],
    is_stream: bool,
    converse: &mut ConverseRequest<'a>,
) -> Result<Option<String>, Problem> {
    let given = |name: &str| asked.iter().rfind(|(known, _)| known == name).map(|(_, value)| value);
    let required = |name: &str| {
        given(name).filter(|value| !value.is_blank()).ok_or_else(|| {
            let path = format!("guardrailConfig.{name}");
            let problem = Problem::invalid(format!("Missing required parameter: '{path}'."));
            problem.with_code("missing_required_parameter").with_param(path)
        })
    };
    let identifier = required("guardrailIdentifier")?;
    let version = required("guardrailVersion")?;
    converse.guardrail_config = Some(Json::object(|config| {
        config.field("guardrailIdentifier", identifier);
        config.field("guardrailVersion", version);
        if let Some(trace) = given("trace") {
            config.field("trace", trace);
        }
        // Whole answers have no mode.
        if let (true, Some(mode)) = (is_stream, given("streamProcessingMode")) {
            config.field("streamProcessingMode", mode);
        }
    }));
    Ok(Some(identifier.decoded().into_owned()))
}

fn config_of(guardrail: &Guardrail, is_stream: bool) -> Json<'static> {
    Json::object(|config| {
        config.field("guardrailIdentifier", guardrail.id.as_str());
        config.field("guardrailVersion", guardrail.version.as_str());
        if let Some(trace) = guardrail.trace {
            config.field("trace", trace.name());
        }
        if let (true, Some(mode)) = (is_stream, guardrail.stream_mode) {
            config.field("streamProcessingMode", mode.name());
        }
    })
}

/// Whether the client is told what the guardrail, or the prompt router, did.
pub(super) fn is_traced(converse: &ConverseRequest<'_>) -> bool {
    let mut is_traced = false;
    if let Some(config) = &converse.guardrail_config {
        let _ = config.read(|reader: &mut Reader<'_>| {
            reader.object(|name, reader| match name {
                "trace" => reader.string().map(|trace| is_traced = trace.starts_with("enabled")),
                _ => reader.skip(),
            })
        });
    }
    is_traced
}
