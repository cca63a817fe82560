//! What all shapes have in common: headers, and fields that Converse only carries.

use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::converse::{ConverseRequest, ConverseResponse, Served, StopReason};
use outcrop_bedrock::json::{Json, JsonText, Kind, ObjectWriter, Reader};

use super::Family;
use super::stream::OfBedrock;
use crate::problem::Problem;
use crate::unread::Unread;
use crate::wire::Headers;

/// The headers in which `InvokeModel` takes what Converse has members for (service model of Bedrock Runtime, botocore
/// 1.44.5, 2026-11).
///
/// # Errors
/// When a value has characters that no header takes.
pub(crate) fn headers(request: &ConverseRequest<'_>) -> Result<Headers, Problem> {
    let mut headers = Vec::new();
    if let Some(config) = &request.guardrail_config {
        for (name, value) in string_members(config) {
            match name.as_str() {
                "guardrailIdentifier" => headers.push(("x-amzn-bedrock-guardrailidentifier", value)),
                "guardrailVersion" => headers.push(("x-amzn-bedrock-guardrailversion", value)),
                "trace" => headers.push(("x-amzn-bedrock-trace", value.to_ascii_uppercase())),
                // How a stream is judged stands in the body: `amazon-bedrock-guardrailConfig`.
                _ => {}
            }
        }
    }
    if let Some(config) = &request.performance_config {
        let latency = string_members(config).into_iter().find(|(name, _)| name == "latency");
        headers.extend(latency.map(|(_, value)| ("x-amzn-bedrock-performanceconfig-latency", value)));
    }
    if let Some(tier) = &request.service_tier {
        headers.push(("x-amzn-bedrock-service-tier", tier.decoded().into_owned()));
    }
    if !request.request_metadata.is_empty() {
        let metadata = Json::object(|object| {
            for (key, value) in &request.request_metadata {
                object.field(key, value);
            }
        });
        headers.push(("x-amzn-bedrock-request-metadata", metadata.as_str().to_owned()));
    }
    let is_unfit = |(_, value): &&(&str, String)| !value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    match headers.iter().find(is_unfit) {
        Some((name, _)) => Err(unfit(name)),
        None => Ok(headers),
    }
}

fn unfit(header: &str) -> Problem {
    let param = match header {
        "x-amzn-bedrock-guardrailidentifier" => "guardrailConfig.guardrailIdentifier",
        "x-amzn-bedrock-guardrailversion" => "guardrailConfig.guardrailVersion",
        "x-amzn-bedrock-trace" => "guardrailConfig.trace",
        "x-amzn-bedrock-performanceconfig-latency" => "performanceConfig.latency",
        "x-amzn-bedrock-service-tier" => "serviceTier.type",
        _ => "requestMetadata",
    };
    Problem::invalid(format!(
        "Invalid '{param}': expected ASCII characters that can be seen."
    ))
    .with_code("invalid_value")
    .with_param(param)
}

/// Writes the fields that are the model's own, and that Converse would carry as `additionalModelRequestFields`, but for
/// those in `placed`, which the shape has written itself; and the guardrail's mode, where there is one.
pub(crate) fn write_additional_fields(request: &ConverseRequest<'_>, placed: &[&str], body: &mut ObjectWriter<'_>) {
    for (name, value) in &request.additional_model_request_fields {
        if !placed.contains(&name.as_ref()) {
            body.field(name, value);
        }
    }
    let mode = request.guardrail_config.as_ref().and_then(|config| {
        let members = string_members(config).into_iter();
        members.into_iter().find(|(name, _)| name == "streamProcessingMode")
    });
    if let Some((_, mode)) = mode {
        body.object("amazon-bedrock-guardrailConfig", |config| {
            config.field("streamProcessingMode", mode_word(&mode));
        });
    }
}

/// Converse's word for a stream's mode, as bodies have it.
///
/// Source: Amazon Bedrock User Guide, "Configure streaming response behavior to filter content", read 2026-11.
fn mode_word(mode: &str) -> &str {
    match mode {
        "async" => "ASYNCHRONOUS",
        "sync" => "SYNCHRONOUS",
        newer => newer,
    }
}

/// Reads a whole answer of `family`, with the tokens that the headers tell and what Bedrock adds.
///
/// # Errors
/// When the body is not what the model answers, or tells of an error.
pub(crate) fn reply<'a>(
    family: &dyn Family,
    body: &'a [u8],
    tokens: TokenCounts,
) -> Result<ConverseResponse<'a>, Unread> {
    if let Some(error) = Unread::error_of(body) {
        return Err(error);
    }
    let mut reply = family.reply(body)?;
    if reply.usage.prompt_tokens() == 0 {
        reply.usage.input_tokens = tokens.input.unwrap_or(0);
    }
    if reply.usage.output_tokens == 0 {
        reply.usage.output_tokens = tokens.output.unwrap_or(0);
    }
    if reply.usage.served == Served::default() {
        reply.usage.served = tokens.served;
    }
    reply.usage.reasoning_tokens = reply.extras.thinking_tokens().unwrap_or(reply.usage.reasoning_tokens);
    let of_bedrock = OfBedrock::read(body)?;
    if of_bedrock.intervened {
        reply.stop_reason = StopReason::GuardrailIntervened;
    }
    reply.extras.trace = of_bedrock.trace;
    Ok(reply)
}

/// The members of an object that are strings.
fn string_members(object: &Json<'_>) -> Vec<(String, String)> {
    let mut members = Vec::new();
    // What is no object has none; Bedrock has checked what the operator or the client wrote.
    let _ = object.read(|reader: &mut Reader<'_>| {
        reader.object(|name, reader| {
            if reader.kind()? == Kind::String {
                let value: JsonText<'_> = reader.text()?;
                members.push((name.to_owned(), value.decoded().into_owned()));
                return Ok(());
            }
            reader.skip()
        })
    });
    members
}
