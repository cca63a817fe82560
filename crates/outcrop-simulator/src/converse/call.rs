//! A call of a model, from the script that it brings to the reply that is composed for it, whatever its body's shape.

use std::time::Duration;

use serde_json::{Value, json};

use super::guardrail::Guardrail;
use super::reply::Reply;
use super::{Mode, compose, faults};
use crate::exchange::{Answer, Shared};
use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules;
use crate::script::{Directions, Script, user_text};

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
    },
}

/// Follows the script of a call, and composes its reply.
///
/// # Errors
///
/// A guardrail that doesn't exist, a marker that isn't one, and the errors that the script asks for.
pub(crate) async fn outcome(shared: &Shared, call: &Call<'_>) -> Result<Outcome, Refusal> {
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
    let marked = directions.actions(|key| shared.state.attempt(identifier, &format!("sequence\n{key}")));
    let script = Script::new(scripted.into_iter().chain(marked));
    if let Some(refusal) = script.refused_field(call.body) {
        return Err(refusal.clone());
    }
    let first_byte = script.delay.unwrap_or(shared.first_byte);
    if !first_byte.is_zero() {
        tokio::time::sleep(first_byte).await;
    }
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
    Ok(Outcome::Reply {
        reply: Box::new(reply),
        pace: script.pace.unwrap_or(shared.pace),
        script: Box::new(script),
    })
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
fn cached(shared: &Shared, request: &Value, target: &Target, mut reply: Reply) -> Reply {
    if let (None, Some(cached)) = (&reply.cached, shared.state.cached(request, target)) {
        reply.input_tokens = reply.input_tokens.saturating_sub(cached.read + cached.written);
        reply.cached = Some(cached);
    }
    reply
}
