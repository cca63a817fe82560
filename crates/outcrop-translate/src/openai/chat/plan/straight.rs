//! The request for a model whose API is OpenAI's own: it passes as it is, but for what is the gateway's.

mod messages;

use std::collections::HashMap;

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::converse::ConverseRequest;
use outcrop_bedrock::json::{Fault, Json, ObjectWriter, Reader};

use super::super::part::PartKind;
use super::super::request::{ChatRequest, ToolChoice};
use super::super::response_format::ResponseFormat;
use super::{bedrock, others, thinking};
use crate::catalogue::Traits;
use crate::invoke;
use crate::notes::Notes;
use crate::policy::{Policy, PromptCaching};
use crate::problem::Problem;

/// Members that are the gateway's, or LiteLLM's switches: they say how to ask, not what.
const OWN_MEMBERS: &[&str] = &[
    "bedrock_api",
    "bedrock_model",
    "cache",
    "drop_params",
    "extra_body",
    "guardrailConfig",
    "guardrail_config",
    "include_thinking_data",
    "model_id",
    "model_provider",
    "modify_params",
    "on_unsupported",
    "prompt_cache_key",
    "prompt_caching",
    "safety_identifier",
    "store",
    "useConverseAPI",
    "use_converse_api",
];

/// What of the request only Converse can do; one word. `None` if it may pass.
pub(super) fn obstacle(request: &ChatRequest<'_>, policy: &Policy) -> Option<&'static str> {
    let bedrock = &request.bedrock;
    let messages = request.messages.as_deref().unwrap_or_default();
    let parts = || messages.iter().flat_map(|message| message.content.iter().flatten());
    let has_points = parts().any(|part| part.cache_point.is_some())
        || messages.iter().any(|message| message.cache_point.is_some())
        || request.tools.iter().any(|tool| tool.cache_point.is_some());
    let obstacles = [
        ("text-completion", request.continues_text),
        // The endpoint takes it, and doesn't keep to it.
        (
            "response_format",
            !matches!(request.response_format, ResponseFormat::Text),
        ),
        ("media", parts().any(|part| !matches!(part.kind, PartKind::Text(_)))),
        (
            "thoughts-in-history",
            messages
                .iter()
                .any(|message| message.has_reasoning_content || !message.thinking_blocks.is_empty()),
        ),
        ("thinking", request.thinking.is_some()),
        (
            "cache_control",
            has_points
                || !matches!(request.caching.mode, None | Some(PromptCaching::Off))
                || request.caching.parts.is_some(),
        ),
        (
            "tool_choice",
            matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })),
        ),
        (
            "metadata",
            !request.metadata.is_empty() || !bedrock.request_metadata.is_empty() || !policy.request_metadata.is_empty(),
        ),
        (
            "guardrail-stream-mode",
            request.stream
                && match &bedrock.guardrail_config {
                    Some(config) => config.iter().any(|(name, _)| name == "streamProcessingMode"),
                    None => policy
                        .guardrail
                        .as_ref()
                        .is_some_and(|guardrail| guardrail.stream_mode.is_some()),
                },
        ),
        (
            "converse-parameter",
            bedrock.performance_config.is_some()
                || bedrock.prompt_variables.is_some()
                || bedrock.service_tier.is_some()
                || !bedrock.additional_model_response_field_paths.is_empty(),
        ),
        ("prompt_caching", policy.prompt_caching == PromptCaching::Auto),
    ];
    obstacles
        .into_iter()
        .find(|(_, is_there)| *is_there)
        .map(|(name, _)| name)
}

/// The call.
pub(super) struct Straight {
    pub(super) operation: Operation,
    pub(super) body: CallBody,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) guardrail: Option<String>,
    pub(super) parameters: Vec<String>,
}

/// Writes the call.
pub(super) fn translate(
    request: &ChatRequest<'_>,
    source: &Bytes,
    model_id: &str,
    traits: &Traits,
    policy: &Policy,
    notes: &mut Notes,
) -> Result<Straight, Problem> {
    others::refuse(request)?;
    // The headers are those of InvokeModel, which are written from Converse's members.
    let mut converse = ConverseRequest::default();
    let guardrail = bedrock::place_guardrail(request, policy, &mut converse)?;
    let members = members(source)?;
    let mut parameters = Vec::new();
    let mut body = Vec::with_capacity(source.len() + 64);
    ObjectWriter::write(&mut body, |object| {
        object.field("model", model_id);
        for (name, value) in &members {
            let name = match name.as_str() {
                // The older name, which the endpoint's models don't take.
                "max_tokens" if request.max_completion_tokens.is_none() => "max_completion_tokens",
                "max_tokens" => continue,
                // Written above or below, or told by the number of calls.
                "model" | "stream" | "stream_options" | "n" | "stop" | "stop_sequences" => continue,
                name if OWN_MEMBERS.contains(&name) => continue,
                name => name,
            };
            if traits.has_refused(name) {
                notes.lose(name, "dropped", "refused-by-model");
                continue;
            }
            if value.as_str() == "null" {
                continue;
            }
            parameters.push(name.to_owned());
            match (name, request.reasoning_effort) {
                ("reasoning_effort", Some(effort)) => {
                    if let Some(word) = thinking::effort_word(effort, traits, notes) {
                        object.field(name, word);
                    }
                }
                ("messages", _) => messages::write(value, object.key(name)),
                _ => object.field(name, value),
            }
        }
        if !request.stop.is_empty() {
            if traits.has_refused("stop") {
                notes.lose("stop", "dropped", "refused-by-model");
            } else {
                parameters.push("stop".to_owned());
                object.field("stop", &request.stop);
            }
        }
        if request.stream {
            object.field("stream", &true);
            // Tokens are counted whether the client asks or not.
            object.object("stream_options", |options| options.field("include_usage", &true));
        }
    });
    parameters.retain(|name| name != "messages");
    Ok(Straight {
        operation: if request.stream {
            Operation::ChatCompletionsStream
        } else {
            Operation::ChatCompletions
        },
        body: CallBody::new(vec![Bytes::from(body)]),
        headers: invoke::headers(&converse)?,
        guardrail,
        parameters,
    })
}

/// The members of the body and of its `extra_body`; of several with one name, the last.
fn members(source: &[u8]) -> Result<Vec<(String, Json<'_>)>, Fault> {
    let mut members = Members::default();
    let (mut extra, mut own) = (None, None);
    Reader::document(source, |reader| {
        reader.object(|name, reader| {
            let value = reader.json()?;
            match name {
                "extra_body" => extra = value.as_slice(),
                // Converse's member for the model's own, which stand side by side here.
                "additionalModelRequestFields" => own = value.as_slice(),
                _ => members.put(name, value),
            }
            Ok(())
        })
    })?;
    for further in [own, extra].into_iter().flatten().filter(|further| *further != "null") {
        Reader::document(further.as_bytes(), |reader| {
            reader.object(|name, reader| {
                members.put(name, reader.json()?);
                Ok(())
            })
        })?;
    }
    Ok(members.list)
}

#[derive(Default)]
struct Members<'a> {
    list: Vec<(String, Json<'a>)>,
    places: HashMap<String, usize>,
}

impl<'a> Members<'a> {
    fn put(&mut self, name: &str, value: Json<'a>) {
        match self.places.get(name).and_then(|&place| self.list.get_mut(place)) {
            Some(member) => member.1 = value,
            None => {
                self.places.insert(name.to_owned(), self.list.len());
                self.list.push((name.to_owned(), value));
            }
        }
    }
}
