//! A call that asks for images, from its body to its answer.

use aws_smithy_types::base64;
use bytes::Bytes;
use http::HeaderName;
use http::header::HeaderValue;
use serde_json::{Value, json};

use super::{Filtered, Format, Order, Painter, jpeg, picture};
use crate::converse::{Call, Mode, Outcome, outcome, sent_whole};
use crate::exchange::Answer;
use crate::invoke::headers::Asked;
use crate::invoke::note_guardrail;
use crate::models::Target;
use crate::refusal::Refusal;
use crate::visit::Visit;

/// Answers a call whose body asks for images.
///
/// # Errors
///
/// What the painter, the guardrail or a marker refuses.
pub(in crate::invoke) async fn answer(
    shared: &Visit<'_>,
    identifier: &str,
    target: &Target,
    painter: &'static dyn Painter,
    asked: &Asked,
    (body, guardrail): (Value, Option<Value>),
    raw: &Bytes,
) -> Result<Answer, Refusal> {
    let order = painter.read(&body, target)?;
    // What is asked for in Converse's words, for guardrails, scenarios and markers.
    let mut request = json!({"messages": [{"role": "user", "content": [{"text": order.prompt}]}]});
    asked.add_to(&mut request, guardrail.as_ref());
    let call = Call {
        operation: "InvokeModel",
        identifier,
        target,
        request: &request,
        body: &body,
        raw,
        mode: Mode::Whole,
    };
    let (reply, script, pace) = match outcome(shared, &call).await? {
        Outcome::Instead(answer) => return Ok(answer),
        Outcome::Reply {
            reply, script, pace, ..
        } => (reply, script, pace),
    };
    let filtered = match reply.stop_reason.as_str() {
        "content_filtered" | "guardrail_intervened" => Some(Filtered::Prompt),
        "output_filtered" => Some(Filtered::Picture),
        _ => None,
    };
    let pictures = match filtered {
        None => paint(target.model.id.clone(), order.clone()).await?,
        Some(_) => Vec::new(),
    };
    let mut whole = painter.whole(&order, pictures, filtered)?;
    note_guardrail(&mut whole, &reply, guardrail.is_some());
    let mut answer = sent_whole(&script, whole.to_string().into(), pace);
    // No header counts tokens: images are paid for by the piece.
    if answer.status.is_success()
        && let Ok(latency) = HeaderValue::from_str(&reply.latency_ms.to_string())
    {
        let name = HeaderName::from_static("x-amzn-bedrock-invocation-latency");
        answer.headers.push((name, latency));
    }
    Ok(answer)
}

/// The pictures in base64. Painting takes a while, so that other calls mustn't wait for it.
async fn paint(model: String, order: Order) -> Result<Vec<String>, Refusal> {
    let painted = tokio::task::spawn_blocking(move || {
        let one = |number| {
            let key = format!("{model}\n{}\n{}", order.prompt, order.seed_of(number));
            let bytes = match order.format {
                Format::Png => picture::png(order.width, order.height, &key, order.cut_out),
                Format::Jpeg => jpeg::jpeg(order.width, order.height, &key),
            };
            base64::encode(bytes)
        };
        (0..order.count).map(one).collect()
    });
    painted
        .await
        .map_err(|_| Refusal::new("InternalServerException", "The picture couldn't be painted."))
}
