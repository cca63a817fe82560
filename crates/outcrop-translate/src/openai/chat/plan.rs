//! From the request to the call.

mod bedrock;
mod caching;
mod conversation;
mod history;
mod mend;
mod metadata;
mod model;
mod others;
mod prefill;
mod results;
mod sampling;
mod stored_prompt;
mod straight;
mod structured;
mod thinking;
mod tools;

use bytes::Bytes;
use outcrop_bedrock::call::Operation;
use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, Role};
use outcrop_bedrock::json::JsonText;

use super::Memo;
use super::form::Way;
use super::message::Message;
use super::request::{ChatRequest, ToolChoice};
use crate::catalogue::{Api, Traits, Word};
use crate::endpoint::{CallSize, Context, Halt, Plan, Repair};
use crate::names::Names;
use crate::notes::{Note, Notes};
use crate::policy::Policy;
use crate::problem::Problem;
use crate::remote::Remote;
use crate::resolve::Target;
use crate::schema;
use crate::wire::{Wire, Writing};
use conversation::{Conversation, Telling};

pub(in crate::openai) use metadata::pairs as request_metadata;

/// Plans the calls that answer a request, which was read from `source`.
pub(super) fn plan(request: &ChatRequest<'_>, source: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Halt> {
    let (mut notes, mut names) = (Notes::default(), Names::default());
    let asked = model::asked(request, context)?;
    let choices = choices(request, context)?;
    context.note_user(request.whose().as_deref());
    let messages = request.messages.as_deref().ok_or_else(|| missing("messages"))?;
    let target = context.target(&asked, &mut notes)?;
    let model_id = target.model_id.as_str();
    let lessons = context
        .advisor
        .map_or_else(Vec::new, |advisor| advisor.lessons(model_id));
    let mut traits = Traits::of(context.catalogue, target.base_id.as_deref(), &lessons);
    if traits.vectors.is_some() {
        return Err(makes_vectors(asked.name).into());
    }
    let policy = context.policy(&target);
    policy.check_guardrail(request.bedrock.guardrail_config.is_some())?;
    let mut api = model::api(request, &target, &traits, &policy, &mut notes);
    if api == Api::OpenAi
        && let Some(obstacle) = find_mending(request, messages, &target, &traits, context)?
    {
        if request.bedrock_api == Some(api) {
            notes.add("bedrock_api", "converse", obstacle);
        }
        api = Api::Converse;
    }
    let wire = model::wire(api, request, &target, &traits).unwrap_or_else(|| {
        notes.add("bedrock_api", "converse", "no-known-body");
        api = Api::Converse;
        Wire::CONVERSE
    });
    if wire.is_straight() {
        let straight = straight::translate(request, source, model_id, &traits, &policy, &mut notes)?;
        refuse_losses(request, &policy, &notes)?;
        return Ok(Plan {
            operation: straight.operation,
            streams: request.stream,
            wire,
            model_id: model_id.to_owned(),
            region: target.region.clone(),
            headers: straight.headers,
            body: straight.body,
            further_bodies: Vec::new(),
            // Only text goes this way.
            size: CallSize {
                max_tokens: request.max_completion_tokens.or(request.max_tokens),
                terms: request.terms(),
                ..CallSize::default()
            },
            choices,
            is_reviewed: false,
            parameters: straight.parameters,
            guardrail: straight.guardrail,
            memo: Memo::straight(request, context, asked.name, choices),
            notes,
        });
    }
    wire.adapt(&mut traits);

    let has_tools = tools::are_within_reach(request, &traits)?;
    let mut remote = context.remote.cloned().unwrap_or_default();
    let mut telling = Telling {
        support: context.catalogue.media(target.base_id.as_deref()),
        traits: &traits,
        names: &mut names,
        notes: &mut notes,
        tools_in_words: !has_tools,
    };
    let Conversation { messages, system } = conversation::translate(messages, &mut remote, &mut telling)?;
    let (inference_config, own_stop) = sampling::translate(request, &traits, &mut notes)?;
    let mut converse = ConverseRequest {
        messages,
        system,
        inference_config,
        request_metadata: metadata::translate(request, &policy, &mut notes),
        ..ConverseRequest::default()
    };
    let guardrail = bedrock::place(request, &traits, &policy, &mut converse, &mut notes)?;
    others::place(request, &traits, &mut converse, &mut notes)?;
    let max_tokens = converse.inference_config.max_tokens;
    let thinking = thinking::place(request, target.thinks, max_tokens, &traits, &mut converse, &mut notes);
    model::place_long_context(
        &target,
        &traits,
        &mut converse.additional_model_request_fields,
        &mut notes,
    );
    sampling::fit_to_thinking(thinking, &mut converse, &mut notes);
    if has_tools {
        let config = tools::translate(request, &traits, thinking.restricts, &mut names, &mut notes)?;
        converse.tool_config = Some(config);
    }
    let form = structured::place(request, &traits, thinking, &mut names, &mut converse, &mut notes)?;
    tools::place_parallel(request, &traits, &mut converse, &mut notes);
    mend::place_system(&mut converse, &traits, &mut notes);
    let begun = prefill::settle(&mut converse.messages, &traits, thinking.is_on, &mut notes);
    if let Some(repair) = context.repair {
        ask_again(repair, &mut converse, &mut notes);
    }
    stored_prompt::fit(model_id, &mut converse, &mut notes);
    caching::settle(
        &mut converse,
        request.caching,
        policy.prompt_caching,
        &traits,
        &mut notes,
    );

    refuse_losses(request, &policy, &notes)?;
    // Nothing is fetched for a request that is refused anyhow.
    if !remote.missing().is_empty() {
        return Err(Halt::Fetch(remote.missing().to_vec()));
    }
    let is_asked_in_words = form.as_ref().is_some_and(|form| form.way == Way::Instruction);
    let is_strict = form.as_ref().is_some_and(|form| form.is_strict);
    let can_stream =
        traits.streaming && !is_asked_in_words && (converse.tool_config.is_none() || traits.tool_streaming);
    let streams = request.stream && can_stream;
    let max_output = target
        .base_id
        .as_deref()
        .and_then(|base_id| context.catalogue.model(base_id)?.max_output);
    let wire = wire.of_request(&converse);
    let (headers, body) = wire.write(
        &converse,
        source,
        &Writing {
            streams,
            base_id: target.base_id.as_deref().unwrap_or_default(),
            media: context.catalogue.media(target.base_id.as_deref()),
            max_output: max_output.unwrap_or(DEFAULT_MAX_OUTPUT),
        },
        &mut notes,
    )?;
    refuse_losses(request, &policy, &notes)?;
    Ok(Plan {
        operation: match (api, streams) {
            (Api::Invoke, true) => Operation::InvokeModelWithResponseStream,
            (Api::Invoke, false) => Operation::InvokeModel,
            (_, true) => Operation::ConverseStream,
            (_, false) => Operation::Converse,
        },
        streams: request.stream,
        wire,
        model_id: model_id.to_owned(),
        region: target.region.clone(),
        headers,
        is_reviewed: is_asked_in_words || (is_strict && !request.stream),
        parameters: parameters(&converse),
        guardrail,
        size: CallSize {
            max_tokens: converse.inference_config.max_tokens,
            media: converse.media_size(),
            terms: request.terms(),
        },
        choices,
        memo: Memo {
            names: names.restorer(),
            hides_calls: matches!(request.tool_choice, Some(ToolChoice::None)),
            stop: own_stop,
            begun,
            form,
            thinking_tag: request.include_thinking_data.then_some(traits.thinking_tag.name()),
            signs_thoughts: traits.takes_signed_thoughts,
            tells_tier: request.asks_for_tier(),
            tells_trace: bedrock::is_traced(&converse),
            tells_fields: !request.bedrock.additional_model_response_field_paths.is_empty(),
            counts_cached_input_twice: request.stream && traits.counts_cached_input_twice,
            ..Memo::straight(request, context, asked.name, choices)
        },
        body,
        further_bodies: Vec::new(),
        notes,
    })
}

/// The model that a request means.
pub(super) fn target(request: &ChatRequest<'_>, context: &Context<'_>) -> Result<std::sync::Arc<Target>, Halt> {
    let asked = model::asked(request, context)?;
    context.target(&asked, &mut Notes::default())
}

/// Checks a request that could pass straight through, as it is checked for Converse, so that errors name their field.
/// What must be mended in it only Converse's way mends: one word on what that is.
fn find_mending(
    request: &ChatRequest<'_>,
    messages: &[Message<'_>],
    target: &Target,
    traits: &Traits,
    context: &Context<'_>,
) -> Result<Option<&'static str>, Problem> {
    let (mut names, mut notes, mut remote) = (Names::default(), Notes::default(), Remote::default());
    let has_tools = tools::are_within_reach(request, traits)?;
    let mut telling = Telling {
        support: context.catalogue.media(target.base_id.as_deref()),
        traits,
        names: &mut names,
        notes: &mut notes,
        tools_in_words: !has_tools,
    };
    conversation::translate(messages, &mut remote, &mut telling)?;
    let needs_mending = |note: &Note| {
        // A turn without a word is refused, too.
        let is_blank = note.parameter == "messages.content" && note.reason == "blank";
        is_blank || note.parameter == "messages" || note.parameter.starts_with("messages.tool")
    };
    if notes.iter().any(needs_mending) {
        return Ok(Some("messages"));
    }
    sampling::translate(request, traits, &mut notes)?;
    if has_tools {
        tools::translate(request, traits, false, &mut names, &mut notes)?;
    }
    Ok((!names.is_unchanged()).then_some("names-of-tools"))
}

/// What a body that demands a limit of tokens is given where neither the request nor the catalogue has one: what
/// Anthropic's and Mistral's oldest models answer at most.
const DEFAULT_MAX_OUTPUT: u64 = 4096;

/// Refuses a request that would be adapted at a loss, where that is what its sender or the operator wants.
fn refuse_losses(request: &ChatRequest<'_>, policy: &Policy, notes: &Notes) -> Result<(), Problem> {
    let on_unsupported = request.on_unsupported.unwrap_or(policy.on_unsupported);
    on_unsupported.check(notes)
}

fn missing(parameter: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{parameter}'."))
        .with_code("missing_required_parameter")
        .with_param(parameter)
}

/// The refusal of a model that doesn't talk.
fn makes_vectors(name: &str) -> Problem {
    let name: String = name.chars().take(200).collect();
    let message = format!("The model '{name}' makes vectors, and doesn't chat: ask it at '/v1/embeddings'.");
    Problem::invalid(message)
        .with_code("model_not_supported")
        .with_param("model")
}

fn choices(request: &ChatRequest<'_>, context: &Context<'_>) -> Result<usize, Problem> {
    let choices = usize::try_from(request.choices.unwrap_or(1)).unwrap_or(usize::MAX);
    if !(1..=context.max_choices).contains(&choices) {
        let message = format!("Invalid 'n': expected 1 to {}, but got {choices}.", context.max_choices);
        return Err(Problem::invalid(message).with_code("invalid_value").with_param("n"));
    }
    Ok(choices)
}

/// Shows the model its answer, and what is wrong with it.
fn ask_again<'a>(repair: &Repair, converse: &mut ConverseRequest<'a>, notes: &mut Notes) {
    let answer = if repair.answer.trim().is_empty() {
        mend::NO_CONTENT
    } else {
        repair.answer.trim_end()
    };
    let turn = |role, text: &str| outcrop_bedrock::converse::Message {
        role,
        content: vec![ContentBlock::Text(JsonText::encode(text))],
    };
    converse.messages.push(turn(Role::Assistant, answer));
    converse
        .messages
        .push(turn(Role::User, &schema::repair(&repair.complaint)));
    notes.add("response_format", "repaired", "first-answer-did-not-fit");
}

/// The client's names of the parameters that a refusal may be about.
fn parameters(converse: &ConverseRequest<'_>) -> Vec<String> {
    let config = &converse.inference_config;
    let own = [
        ("temperature", config.temperature.is_some()),
        ("top_p", config.top_p.is_some()),
        ("stop", !config.stop_sequences.is_empty()),
        ("service_tier", converse.service_tier.is_some()),
        ("cache_control", caching::has_points(converse)),
    ];
    let own = own
        .into_iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(name, _)| name.to_owned());
    let extra = converse
        .additional_model_request_fields
        .iter()
        .map(|(name, _)| match name.as_ref() {
            "k" | "inferenceConfig" => "top_k".to_owned(),
            name => name.to_owned(),
        });
    own.chain(extra).collect()
}
