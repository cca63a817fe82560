//! From the request to the call.

mod bedrock;
mod caching;
mod conversation;
mod history;
mod mend;
mod metadata;
mod others;
mod prefill;
mod results;
mod sampling;
mod stored_prompt;
mod structured;
mod thinking;
mod tools;

use bytes::Bytes;
use outcrop_bedrock::call::Operation;
use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, Role};
use outcrop_bedrock::json::JsonText;
use outcrop_bedrock::model_id;

use super::Memo;
use super::form::Way;
use super::request::{ChatRequest, ToolChoice};
use crate::catalogue::{Traits, Word as _};
use crate::endpoint::{Context, Halt, Plan, Repair};
use crate::names::Names;
use crate::notes::Notes;
use crate::policy::{OnUnsupported, Policy};
use crate::problem::{Problem, ProblemKind};
use crate::schema;
use crate::wire::Wire;
use conversation::{Conversation, Telling};

/// Plans the calls that answer a request, which was read from `source`.
pub(super) fn plan(request: &ChatRequest<'_>, source: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Halt> {
    let model = model(request, context)?;
    let choices = choices(request, context)?;
    let messages = request.messages.as_deref().ok_or_else(|| missing("messages"))?;
    let lessons = context.advisor.map_or_else(Vec::new, |advisor| advisor.lessons(model));
    let traits = Traits::of(context.catalogue, model, &lessons);
    let policy = context
        .advisor
        .map_or_else(Policy::default, |advisor| advisor.policy(model));
    let (mut notes, mut names) = (Notes::default(), Names::default());

    let has_tools = tools::are_within_reach(request, &traits)?;
    let mut remote = context.remote.cloned().unwrap_or_default();
    let mut telling = Telling {
        support: context.catalogue.media(context.catalogue.base_id(model)),
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
        request_metadata: metadata::translate(request, &mut notes),
        ..ConverseRequest::default()
    };
    let guardrail = bedrock::place(request, &traits, &policy, &mut converse, &mut notes)?;
    others::place(request, &traits, &mut converse, &mut notes)?;
    let max_tokens = converse.inference_config.max_tokens;
    let thinking = thinking::place(request, max_tokens, &traits, &mut converse, &mut notes);
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
    stored_prompt::fit(model, &mut converse, &mut notes);
    caching::settle(
        &mut converse,
        request.caching,
        policy.prompt_caching,
        &traits,
        &mut notes,
    );

    let on_unsupported = request.on_unsupported.unwrap_or(policy.on_unsupported);
    if on_unsupported == OnUnsupported::Reject
        && let Some(problem) = notes.refusal()
    {
        return Err(problem.into());
    }
    // Nothing is fetched for a request that is refused anyhow.
    if !remote.missing().is_empty() {
        return Err(Halt::Fetch(remote.missing().to_vec()));
    }
    let is_asked_in_words = form.as_ref().is_some_and(|form| form.way == Way::Instruction);
    let is_strict = form.as_ref().is_some_and(|form| form.is_strict);
    let can_stream = !is_asked_in_words && (converse.tool_config.is_none() || traits.tool_streaming);
    Ok(Plan {
        operation: if request.stream && can_stream {
            Operation::ConverseStream
        } else {
            Operation::Converse
        },
        streams: request.stream,
        wire: Wire::CONVERSE,
        model_id: model.to_owned(),
        region: None,
        headers: Vec::new(),
        is_reviewed: is_asked_in_words || (is_strict && !request.stream),
        parameters: parameters(&converse),
        guardrail,
        choices,
        memo: Memo {
            id: format!("chatcmpl-{:032x}", context.unique),
            created: context.created,
            model: JsonText::encode(model),
            include_usage: request.include_usage,
            choices,
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
        },
        body: converse.to_body(source),
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
        .or(request.bedrock_model.as_deref())
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
