//! A Bedrock that costs next to nothing: it reads each request to its end, ignores it, and answers with prebuilt bytes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::time::{Instant, Interval, interval_at};

use crate::error::Result;
use crate::frames::Script;
use crate::net;
use crate::plan::Plan;

/// A sentence of the canned reply, by which the load client knows that the answer came through whole.
pub(crate) const MARKER: &str = "beds of limestone";

/// The canned Converse reply: 60 tokens of text or so.
const REPLY: &str = concat!(
    r#"{"metrics":{"latencyMs":842},"output":{"message":{"content":[{"text":"An outcrop is where bedrock comes to "#,
    r#"the surface. Geologists like it because nothing hides the layers: beds of limestone, a seam of \"flint\", the "#,
    r#"fold of an old sea floor. You can walk up to it, touch it, and read in a minute what a drill would take days "#,
    r#"to bring up.\nThat is why so many maps begin there."}],"role":"assistant"}},"stopReason":"end_turn","#,
    r#""usage":{"inputTokens":25,"outputTokens":64,"totalTokens":89}}"#,
);

/// The end of the canned picture, which is base64.
pub(crate) const PICTURE_MARKER: &str = "bedsOfLimestone0";
/// As large as a picture of 1024 × 1024 pixels usually is, in base64.
const PICTURE_CHARS: usize = 1_000_000;

/// The canned picture, as Amazon's image models answer.
fn picture() -> &'static str {
    static PICTURE: OnceLock<String> = OnceLock::new();
    PICTURE.get_or_init(|| {
        let filling = "iVBORw0KGgoAAAANSUhEUgAABAAAAAQACAIAAADwf7zU".repeat(PICTURE_CHARS / 44);
        format!(r#"{{"images":["{filling}{PICTURE_MARKER}"],"error":null}}"#)
    })
}

/// Scripts by bytes of text per delta.
type Scripts = Arc<Mutex<HashMap<usize, Arc<Script>>>>;

/// Runs the stub until the process is ended. One thread: it must not take the CPU from what is measured.
pub(crate) async fn serve(listen: SocketAddr, defaults: Plan) -> Result<()> {
    let scripts = Scripts::default();
    net::serve(listen, move |request| answer(request, defaults, scripts.clone())).await
}

async fn answer(request: Request<Incoming>, defaults: Plan, scripts: Scripts) -> Response<Either<Full<Bytes>, Stream>> {
    let (head, mut body) = request.into_parts();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return json(StatusCode::BAD_REQUEST, r#"{"message":"the body broke off"}"#);
        }
    }
    let path = head.uri.path();
    let call = path.strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/'));
    match (call, path) {
        (Some((model, "converse-stream")), _) => stream(Plan::from_model_id(model, defaults), &scripts),
        (Some((_, "converse")), _) | (None, "/v1/chat/completions") => json(StatusCode::OK, REPLY),
        (Some((_, "invoke")), _) => json(StatusCode::OK, picture()),
        (None, "/foundation-models") => json(StatusCode::OK, models()),
        (None, "/inference-profiles") => json(StatusCode::OK, r#"{"inferenceProfileSummaries":[]}"#),
        _ => json(
            StatusCode::NOT_FOUND,
            r#"{"message":"the stub knows no such operation"}"#,
        ),
    }
}

/// As many models as a large region of AWS has.
fn models() -> &'static str {
    static MODELS: LazyLock<String> = LazyLock::new(|| {
        let model = |number| {
            format!(r#"{{"modelArn":"arn:aws:bedrock:us-east-1::foundation-model/stub.model-{number}","#,)
                + &format!(r#""modelId":"stub.model-{number}","modelName":"{MARKER} {number}","providerName":"Stub","#)
                + r#""inputModalities":["TEXT","IMAGE"],"outputModalities":["TEXT"],"responseStreamingSupported":true,"#
                + r#""customizationsSupported":[],"inferenceTypesSupported":["ON_DEMAND"],"#
                + r#""modelLifecycle":{"status":"ACTIVE","startOfLifeTime":"2026-01-15T00:00:00Z"}}"#
        };
        let models: Vec<String> = (0..150).map(model).collect();
        format!(r#"{{"modelSummaries":[{}]}}"#, models.join(","))
    });
    &MODELS
}

fn json(status: StatusCode, body: &'static str) -> Response<Either<Full<Bytes>, Stream>> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from_static(body.as_bytes()))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    stamp(&mut response);
    response
}

fn stream(plan: Plan, scripts: &Scripts) -> Response<Either<Full<Bytes>, Stream>> {
    let script = {
        let mut scripts = scripts.lock().unwrap_or_else(PoisonError::into_inner);
        match scripts.get(&plan.text_bytes) {
            Some(script) => script.clone(),
            None => match Script::new(plan.text_bytes) {
                Ok(script) => scripts.entry(plan.text_bytes).or_insert(Arc::new(script)).clone(),
                Err(_) => {
                    return json(StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":"no such script"}"#);
                }
            },
        }
    };
    let pace = (!plan.interval.is_zero()).then(|| interval_at(Instant::now() + plan.interval, plan.interval));
    let mut response = Response::new(Either::Right(Stream {
        script,
        chunks: plan.chunks,
        sent: 0,
        pace,
    }));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.amazon.eventstream"),
    );
    stamp(&mut response);
    response
}

/// The request id that each answer of AWS bears.
fn stamp<B>(response: &mut Response<B>) {
    let id = HeaderValue::from_static("5f1c2b9e-7a7d-4a53-9d7b-0c7c1d0e6f21");
    response.headers_mut().insert("x-amzn-requestid", id);
}

/// The body of a stream: each frame is an HTTP chunk of its own, as from Bedrock. At full speed hyper gathers up to 16
/// of them in one write; that is the burst.
struct Stream {
    script: Arc<Script>,
    /// Deltas to be sent.
    chunks: usize,
    /// Frames sent, all kinds.
    sent: usize,
    /// What each delta waits for, unless at full speed.
    pace: Option<Interval>,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let bytes = match this.sent.checked_sub(1) {
            None => &this.script.start,
            Some(delta) if delta < this.chunks => {
                if let Some(pace) = &mut this.pace {
                    ready!(pace.poll_tick(cx));
                }
                &this.script.deltas[delta % this.script.deltas.len()]
            }
            Some(past) => match this.script.end.get(past - this.chunks) {
                Some(bytes) => bytes,
                None => return Poll::Ready(None),
            },
        };
        this.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(bytes.clone()))))
    }
}
