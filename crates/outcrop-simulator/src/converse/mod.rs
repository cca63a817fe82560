//! `Converse` and `ConverseStream`: the request checked, the script followed, an answer composed and sent.

mod answer_text;
mod compose;
mod events;
mod faults;
mod guardrail;
mod prompt;
mod reasoning;
mod reply;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::body::Step;
use crate::exchange::{Answer, Shared, parse};
use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules;
use crate::script::{Directions, Script, user_text};
use crate::{frames, validate};
use guardrail::Guardrail;
use reply::Reply;

/// How the answer is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Whole,
    Stream,
}

impl Mode {
    fn operation(self) -> &'static str {
        match self {
            Mode::Whole => "Converse",
            Mode::Stream => "ConverseStream",
        }
    }
}

/// Answers a call of `Converse` or `ConverseStream`.
pub(crate) async fn answer(shared: &Shared, identifier: &str, body: &Bytes, mode: Mode) -> Result<Answer, Refusal> {
    let request = parse(body)?;
    validate::body(mode.operation(), &request)?;
    let (identifier, request) = prompt::filled(identifier, shared.catalogue.region(), request)?;
    let identifier = identifier.as_ref();
    let target = shared.catalogue.resolve(identifier)?;
    rules::check(&request, &target, mode == Mode::Stream)?;
    let guardrail = Guardrail::of(&request, shared.catalogue.region())?;

    let directions = Directions::read(&request).map_err(|error| Refusal::validation(error.to_string()))?;
    let last = rules::messages(&request)
        .iter()
        .rfind(|message| rules::is_from(message, "user"));
    let prompt = last.map(user_text).unwrap_or_default();
    let text = directions.text.clone();
    let scripted = shared.scripted(mode.operation(), identifier, &prompt);
    // A call that is refused isn't one of a sequence's.
    let steady = Script::new(scripted.iter().cloned().chain(directions.steady()));
    if let Some(refusal) = steady.refused_field(&request) {
        return Err(refusal.clone());
    }
    let marked = directions.actions(|key| shared.state.attempt(identifier, &format!("sequence\n{key}")));
    let script = Script::new(scripted.into_iter().chain(marked));
    if let Some(refusal) = script.refused_field(&request) {
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
        return Ok(answer);
    }
    let reply = compose::reply(&request, body, &text, &target, &script);
    let reply = match &guardrail {
        Some(guardrail) if guardrail.blocks(&request) => guardrail.answer(&request, reply),
        Some(guardrail) => guardrail.apply(&request, cached(shared, &request, &target, reply), mode),
        None => cached(shared, &request, &target, reply),
    };
    let pace = script.pace.unwrap_or(shared.pace);
    Ok(match mode {
        Mode::Whole => whole(&reply, &script, pace),
        Mode::Stream => stream(reply, &script, pace),
    })
}

/// Counts what went through the cache apart, unless a marker said what did.
fn cached(shared: &Shared, request: &Value, target: &Target, mut reply: Reply) -> Reply {
    if let (None, Some(cached)) = (&reply.cached, shared.state.cached(request, target)) {
        reply.input_tokens = reply.input_tokens.saturating_sub(cached.read + cached.written);
        reply.cached = Some(cached);
    }
    reply
}

fn whole(reply: &Reply, script: &Script, pace: Duration) -> Answer {
    let body = Bytes::from(reply.to_json().to_string());
    match &script.fault {
        Some(fault) => faults::in_whole(fault, &body, pace),
        None => Answer::bytes(body),
    }
}

fn stream(reply: Reply, script: &Script, pace: Duration) -> Answer {
    let events = events::Events::new(reply, script.chunk, script.block_numbers.clone());
    let events: Box<dyn Iterator<Item = events::Event> + Send> = match script.interleave {
        true => Box::new(events::interleaved(events)),
        false => Box::new(events),
    };
    let sent = events
        .enumerate()
        .map(|(number, event)| (frames::event(event.name, event.payload, number), event.name));
    let steps: Box<dyn Iterator<Item = Step> + Send> = match script.fault.clone() {
        Some(fault) => Box::new(faults::InStream::new(sent, fault, pace)),
        None => Box::new(
            sent.enumerate()
                .flat_map(move |(number, (frame, _))| paced(number, frame, pace)),
        ),
    };
    Answer::steps("application/vnd.amazon.eventstream", steps)
}

/// A frame after its pause; the first one comes at once.
fn paced(number: usize, frame: Bytes, pace: Duration) -> [Step; 2] {
    [
        Step::Wait(if number == 0 { Duration::ZERO } else { pace }),
        Step::Send(frame),
    ]
}

#[cfg(test)]
mod tests;
