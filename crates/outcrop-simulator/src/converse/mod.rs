//! `Converse` and `ConverseStream`: the request checked, the script followed, an answer composed and sent.

mod answer_text;
mod call;
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

use crate::exchange::{Answer, parse};
use crate::frames::{self, Framed, Wire};
use crate::refusal::Refusal;
use crate::script::Script;
use crate::visit::Visit;
use crate::{rules, validate};

pub(crate) use call::{Call, Outcome, outcome};
pub(crate) use events::{Event, events};
pub(crate) use faults::{sent_in_steps, sent_whole};
pub(crate) use reply::{Block, Reply};

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
pub(crate) async fn answer(shared: &Visit<'_>, identifier: &str, body: &Bytes, mode: Mode) -> Result<Answer, Refusal> {
    let request = parse(body)?;
    validate::body(mode.operation(), &request)?;
    let (identifier, request) = prompt::filled(identifier, shared.catalogue.region(), request)?;
    let target = shared.catalogue.resolve(&identifier)?;
    rules::check(&request, &target, mode == Mode::Stream)?;
    target.check_streaming(mode == Mode::Stream)?;
    let call = Call {
        operation: mode.operation(),
        identifier: &identifier,
        target: &target,
        body: &request,
        request: &request,
        raw: body,
        mode,
    };
    Ok(match outcome(shared, &call).await? {
        Outcome::Instead(answer) => answer,
        Outcome::Reply {
            reply,
            script,
            pace,
            hold,
        } => match mode {
            Mode::Whole => sent_whole(&script, reply.to_json().to_string().into(), pace),
            Mode::Stream => stream(*reply, &script, pace),
        }
        .holding(hold),
    })
}

fn stream(reply: Reply, script: &Script, pace: Duration) -> Answer {
    let frames = events(reply, script).enumerate().map(|(number, event)| Framed {
        closing: event.name == "messageStop",
        bytes: frames::event(event.name, event.payload, number),
    });
    sent_in_steps(Wire::EventStream, script, frames, pace)
}

#[cfg(test)]
mod tests;
