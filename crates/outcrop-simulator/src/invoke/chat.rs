//! OpenAI's chat completions, at `/openai/v1/chat/completions`: the model stands in the body.

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

use super::about::About;
use super::headers::Asked;
use super::openai::{self, Dialect, Stream};
use super::{chunks, composed, note_guardrail};
use crate::converse::{Call, Mode, Outcome, events, sent_in_steps, sent_whole};
use crate::exchange::{Answer, parse};
use crate::frames::{self, Framed, Wire};
use crate::refusal::Refusal;
use crate::visit::Visit;

/// Answers a chat completion. Refusals are AWS's own, not OpenAI's, as users report them.
pub(crate) async fn answer(shared: &Visit<'_>, parts: &Parts, raw: &Bytes) -> Result<Answer, Refusal> {
    let asked = Asked::read("InvokeModel", &parts.headers)?;
    let (body, guardrail) = asked.guardrail(parse(raw)?)?;
    openai::check_native(&body)?;
    let identifier = body.get("model").and_then(Value::as_str).unwrap_or_default();
    let target = shared.catalogue.resolve(identifier)?;
    if !target.model.openai {
        return Err(Refusal::validation(format!(
            "The model {identifier} doesn't support chat completions. Try again with a supported model."
        )));
    }
    let mode = match body.get("stream") {
        Some(Value::Bool(true)) => Mode::Stream,
        _ => Mode::Whole,
    };
    let mut request = openai::request(&body, &target)?;
    asked.add_to(&mut request, guardrail.as_ref());
    let call = Call {
        operation: "ChatCompletions",
        identifier,
        target: &target,
        request: &request,
        body: &body,
        raw,
        mode,
    };
    let (reply, script, pace, hold) = match composed(shared, &call).await? {
        Outcome::Instead(answer) => return Ok(answer),
        Outcome::Reply {
            reply,
            script,
            pace,
            hold,
        } => (reply, script, pace, hold),
    };
    let about = About::new(&target, raw, body.clone(), &reply);
    if mode == Mode::Whole {
        let mut whole = openai::whole(&NATIVE, &reply, &about);
        note_guardrail(&mut whole, &reply, guardrail.is_some());
        return Ok(sent_whole(&script, whole.to_string().into(), pace).holding(hold));
    }
    let dialect = match body.pointer("/stream_options/include_usage") {
        Some(Value::Bool(true)) => &NATIVE_WITH_USAGE,
        _ => &NATIVE,
    };
    let mut last = json!({});
    note_guardrail(&mut last, &reply, guardrail.is_some());
    let chunks = chunks::Chunks::new(events(*reply, &script), Box::new(Stream::new(dialect, about)), last);
    let frames = chunks.map(|chunk| Framed {
        closing: chunk.closing,
        bytes: frames::sse(&chunk.value),
    });
    let done = std::iter::once_with(|| Framed {
        closing: true,
        bytes: Bytes::from_static(b"data: [DONE]\n\n"),
    });
    Ok(sent_in_steps(Wire::Sse, &script, frames.chain(done), pace).holding(hold))
}

const NATIVE: Dialect = Dialect {
    thoughts_in_tags: true,
    reason: "finish_reason",
    content_in: "delta",
    usage_in_stream: false,
};

const NATIVE_WITH_USAGE: Dialect = Dialect {
    usage_in_stream: true,
    ..NATIVE
};
