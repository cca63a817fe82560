//! A call of a model, from the script that it brings to the reply that is composed for it, whatever its body's shape.

use std::time::Duration;

use serde_json::{Value, json};

use super::guardrail::Guardrail;
use super::reply::Reply;
use super::{Mode, compose, faults};
use crate::exchange::Answer;
use crate::ledger::Hold;
use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules;
use crate::script::{Directions, Script, user_text};
use crate::tokens;
use crate::visit::Visit;

/// A call that keeps to the rules.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) identifier: &'a str,
    pub(crate) target: &'a Target,
    /// What is asked for, in Converse's words.
    pub(crate) request: &'a Value,
    /// The body in its own words; the same as `request` if they are Converse's.
    pub(crate) body: &'a Value,
    /// The body as it came.
    pub(crate) raw: &'a [u8],
    pub(crate) mode: Mode,
}

/// What becomes of a call that isn't refused.
pub(crate) enum Outcome {
    /// Something that isn't a model's answer.
    Instead(Answer),
    Reply {
        reply: Box<Reply>,
        script: Box<Script>,
        /// The time between two chunks.
        pace: Duration,
        /// What goes to the answer.
        hold: Hold,
    },
}

/// Follows the script of a call, and composes its reply.
///
/// # Errors
///
/// A guardrail that doesn't exist, a marker that isn't one, and the errors that the script asks for.
pub(crate) async fn outcome(shared: &Visit<'_>, call: &Call<'_>) -> Result<Outcome, Refusal> {
    let Call {
        request,
        identifier,
        target,
        ..
    } = *call;
    let guardrail = Guardrail::of(request, shared.catalogue.region())?;
    let directions = Directions::read(request).map_err(|error| Refusal::validation(error.to_string()))?;
    let last = rules::messages(request)
        .iter()
        .rfind(|message| rules::is_from(message, "user"));
    let prompt = last.map(user_text).unwrap_or_default();
    let text = directions.text.clone();
    let scripted = shared.scripted(call.operation, identifier, &prompt);
    // A call that is refused isn't one of a sequence's.
    let steady = Script::new(scripted.iter().cloned().chain(directions.steady()));
    if let Some(refusal) = steady.refused_field(call.body) {
        return Err(refusal.clone());
    }
    let needed = all_input(request, &steady).saturating_add(most_tokens(request, target));
    let mut reservation = shared.reserve(call.operation, identifier, target, needed)?;
    let marked = directions.actions(|key| shared.state.attempt(identifier, &format!("sequence\n{key}")));
    let script = Script::new(scripted.into_iter().chain(marked));
    if let Some(refusal) = script.refused_field(call.body) {
        return Err(refusal.clone());
    }
    shared.wait(script.delay.unwrap_or(shared.first_byte)).await;
    if script.counts_attempts()
        && let Some(refusal) = script.error_at(shared.state.attempt(identifier, &prompt))
    {
        return Err(refusal.clone());
    }
    if let Some(answer) = script.fault.as_ref().and_then(faults::instead) {
        return Ok(Outcome::Instead(answer));
    }
    let reply = compose::reply(request, call.raw, &text, target, &script);
    let reply = match &guardrail {
        Some(guardrail) if guardrail.blocks(request) => guardrail.answer(request, reply),
        Some(guardrail) => guardrail.apply(request, cached(shared, request, target, reply), call.mode),
        None => cached(shared, request, target, reply),
    };
    let reply = routed(target, reply);
    if let Some(reservation) = &mut reservation {
        reservation.burns(burned(target, &reply));
    }
    let entry = shared.state.ledger.enter(identifier, request, &reply);
    Ok(Outcome::Reply {
        reply: Box::new(reply),
        pace: script.pace.or(shared.latency.pace).unwrap_or(shared.pace),
        hold: Hold::new(entry, reservation),
        script: Box::new(script),
    })
}

/// All of the input. What a cache has counts as well, until the end: nobody knows before what it will have.
fn all_input(request: &Value, script: &Script) -> u64 {
    let told = script
        .cached
        .as_ref()
        .map_or(0, |told| told.read.saturating_add(told.written));
    tokens::input(request).saturating_add(told)
}

/// The longest answer that there could be. Vectors aren't tokens.
fn most_tokens(request: &Value, target: &Target) -> u64 {
    if !target.model.output.iter().any(|modality| modality == "TEXT") {
        return 0;
    }
    let asked = request.pointer("/inferenceConfig/maxTokens").and_then(Value::as_u64);
    asked.unwrap_or(target.model.max_tokens)
}

/// What a reply takes from quotas in the end.
fn burned(target: &Target, reply: &Reply) -> u64 {
    if !reply.asked {
        return 0;
    }
    let written = reply.cached.as_ref().map_or(0, |cached| cached.written);
    let output = match target.model.output.iter().any(|modality| modality == "TEXT") {
        true => reply.output_tokens.max(1).saturating_mul(target.model.burndown),
        false => 0,
    };
    reply.input_tokens.saturating_add(written).saturating_add(output)
}

/// Tells which model a prompt router chose.
fn routed(target: &Target, mut reply: Reply) -> Reply {
    if let Some(model) = &target.routed {
        let mut trace = reply.trace.take().unwrap_or_else(|| json!({}));
        trace["promptRouter"] = json!({"invokedModelId": model});
        reply.trace = Some(trace);
    }
    reply
}

/// Counts what went through the cache apart, unless a marker said what did.
fn cached(shared: &Visit<'_>, request: &Value, target: &Target, mut reply: Reply) -> Reply {
    if let (None, Some(cached)) = (&reply.cached, shared.state.cached(request, target)) {
        reply.input_tokens = reply.input_tokens.saturating_sub(cached.read + cached.written);
        reply.cached = Some(cached);
    }
    reply
}
