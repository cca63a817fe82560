//! `InvokeModel` and `InvokeModelWithResponseStream`, whose bodies are each model family's own, and OpenAI's chat
//! completions.
//!
//! A [`shape::Shape`] reads a body strictly and puts what it asks for in Converse's words, so that the same rules apply
//! and the same answer is composed; then it writes the answer in its own words.

mod about;
mod anthropic;
mod chat;
mod chunks;
mod command_r;
mod embed;
mod headers;
mod images;
mod jamba;
mod json_schema;
mod mistral;
mod nova;
mod openai;
mod openai_chat;
pub(crate) mod rank;
mod shape;
mod text;

use bytes::Bytes;
use http::HeaderName;
use http::header::HeaderValue;
use http::request::Parts;
use serde_json::{Value, json};

use crate::converse::{Call, Mode, Outcome, Reply, events, outcome, sent_in_steps, sent_whole};
use crate::exchange::{Answer, parse};
use crate::frames::{self, Framed, Wire};
use crate::models::Target;
use crate::refusal::Refusal;
use crate::visit::Visit;
use crate::{rerank, rules, validate};
use about::About;
use headers::Asked;
use shape::Shape;

pub(crate) use chat::answer as chat;

/// Answers a call of `InvokeModel` or `InvokeModelWithResponseStream`.
pub(crate) async fn answer(
    shared: &Visit<'_>,
    identifier: &str,
    parts: &Parts,
    raw: &Bytes,
    mode: Mode,
) -> Result<Answer, Refusal> {
    let operation = match mode {
        Mode::Whole => "InvokeModel",
        Mode::Stream => "InvokeModelWithResponseStream",
    };
    validate::text("InvokeModelIdentifier", "modelId", identifier)?;
    let asked = Asked::read(operation, &parts.headers)?;
    asked.check_types()?;
    let body = parse(raw)?;
    let target = shared.catalogue.resolve(identifier)?;
    let painter = target.model.invoke.as_deref().and_then(images::named);
    if let Some(painter) = painter {
        target.check_streaming(mode == Mode::Stream)?;
        let body = asked.guardrail(body)?;
        return images::answer(shared, identifier, &target, painter, &asked, body, raw).await;
    }
    if let Some(embedder) = target.model.invoke.as_deref().and_then(embed::named) {
        target.check_streaming(mode == Mode::Stream)?;
        return embed::answer(shared, embedder, (identifier, &target), &asked, (body, raw)).await;
    }
    if target.model.invoke.as_deref() == Some(rerank::SHAPE) {
        target.check_streaming(mode == Mode::Stream)?;
        return rank::answer(shared, identifier, &target, &body).await;
    }
    let shape = shape_of(&target)?;
    target.check_streaming(mode == Mode::Stream)?;
    let (body, guardrail) = asked.guardrail(body)?;
    let mut request = shape.read(&body, &target, mode)?;
    asked.add_to(&mut request, guardrail.as_ref());
    let call = Call {
        operation,
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
    let about = About::new(&target, raw, body, &reply);
    let headers = headers_of(mode, &about, &reply);
    let mut answer = match mode {
        Mode::Whole => {
            let mut whole = shape.whole(&reply, &about);
            note_guardrail(&mut whole, &reply, guardrail.is_some());
            sent_whole(&script, whole.to_string().into(), pace)
        }
        Mode::Stream => {
            let metrics = metrics(&about, &reply);
            let mut last = json!({"amazon-bedrock-invocationMetrics": metrics});
            note_guardrail(&mut last, &reply, guardrail.is_some());
            let chunks = chunks::Chunks::new(events(*reply, &script), shape.chunks(about), last);
            let frames = chunks.enumerate().map(|(number, chunk)| Framed {
                closing: chunk.closing,
                bytes: frames::event("chunk", json!({"bytes": encoded(&chunk.value)}), number),
            });
            sent_in_steps(Wire::EventStream, &script, frames, pace)
        }
    };
    if answer.status.is_success() {
        answer.headers.extend(headers);
    }
    Ok(answer.holding(hold))
}

/// What a body of the model's own asks for, in Converse's words.
///
/// # Errors
///
/// A model that can't be invoked, and a body that isn't as the model's provider says.
pub(crate) fn request(target: &Target, body: &Value) -> Result<Value, Refusal> {
    shape_of(target)?.read(body, target, Mode::Whole)
}

/// Checks what is asked for, and composes an answer.
async fn composed(shared: &Visit<'_>, call: &Call<'_>) -> Result<Outcome, Refusal> {
    // Claude's own server has another name for where an image's bytes stand.
    let own_words = |refusal: Refusal| {
        let mut refusal = refusal.in_models_own_words();
        if call.target.family.strict_model {
            refusal.message = refusal.message.replacen(".source.bytes:", ".source.base64:", 1);
        }
        refusal
    };
    rules::check_asked(call.request, call.target, call.mode == Mode::Stream).map_err(own_words)?;
    outcome(shared, call).await.map_err(own_words)
}

fn shape_of(target: &Target) -> Result<&'static dyn Shape, Refusal> {
    let named = target.model.invoke.as_deref().and_then(shape::named);
    named.ok_or_else(|| {
        Refusal::validation("This action doesn't support the model that you provided. Try again with another model.")
    })
}

fn encoded(value: &Value) -> String {
    aws_smithy_types::base64::encode(value.to_string())
}

/// What a guardrail did stands beside the model's own members.
fn note_guardrail(body: &mut Value, reply: &Reply, guarded: bool) {
    if !guarded {
        return;
    }
    let intervened = reply.stop_reason == "guardrail_intervened";
    body["amazon-bedrock-guardrailAction"] = if intervened { "INTERVENED" } else { "NONE" }.into();
    if let Some(trace) = &reply.trace {
        body["amazon-bedrock-trace"] = trace.clone();
    }
}

/// What the last chunk of a stream tells, since its headers came too early for it.
fn metrics(about: &About, reply: &Reply) -> Value {
    let usage = &about.usage;
    let mut metrics = json!({
        "inputTokenCount": usage.input,
        "outputTokenCount": usage.output,
        "invocationLatency": reply.latency_ms,
        "firstByteLatency": reply.latency_ms / 4,
    });
    if let Some(cached) = &usage.cached {
        metrics["cacheReadInputTokenCount"] = cached.read.into();
        metrics["cacheWriteInputTokenCount"] = cached.written.into();
    }
    metrics
}

/// What an answer's headers tell.
fn headers_of(mode: Mode, about: &About, reply: &Reply) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.push((HeaderName::from_static(name), value));
        }
    };
    if mode == Mode::Stream {
        add("x-amzn-bedrock-content-type", "application/json");
    } else {
        add("x-amzn-bedrock-input-token-count", &about.usage.input.to_string());
        add("x-amzn-bedrock-output-token-count", &about.usage.output.to_string());
        add("x-amzn-bedrock-invocation-latency", &reply.latency_ms.to_string());
        // As seen in answers; no document names them.
        if let Some(cached) = &about.usage.cached {
            add("x-amzn-bedrock-cache-read-input-token-count", &cached.read.to_string());
            add(
                "x-amzn-bedrock-cache-write-input-token-count",
                &cached.written.to_string(),
            );
        }
    }
    let setting = |path: &str| Value::Object(reply.settings.clone()).pointer(path).cloned();
    if let Some(latency) = setting("/performanceConfig/latency").as_ref().and_then(Value::as_str) {
        add("x-amzn-bedrock-performanceconfig-latency", latency);
    }
    if let Some(tier) = setting("/serviceTier/type").as_ref().and_then(Value::as_str) {
        add("x-amzn-bedrock-service-tier", tier);
    }
    headers
}
