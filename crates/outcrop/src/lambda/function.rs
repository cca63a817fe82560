//! One invocation of the function: an event in, an answer out.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use lambda_runtime::{FunctionResponse, LambdaEvent, StreamResponse};
use outcrop_server::{Body, Handed, Problem, ProblemKind, Server};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::answer;
use super::body::{Left, Settled};
use super::event::{self, Event, Front};
use super::settle::{Settler, Until};
use crate::settings::LambdaResponse;

/// Milliseconds since 1970 that no clock shows: emulators say a time of the year 1970.
const NO_DEADLINE: u64 = 1_000_000_000_000;
/// An answer gets so much time, however late it is.
const LEAST: Duration = Duration::from_millis(50);

/// How much later than it should an answer may begin to end.
const GRACE: Duration = Duration::from_millis(500);

/// What an invocation is answered with.
pub(super) type Answered = FunctionResponse<Box<RawValue>, Settled>;

/// The function, for as long as its process lives.
pub(super) struct Function {
    pub(super) server: Server,
    pub(super) settler: Arc<Settler>,
    pub(super) response: LambdaResponse,
    pub(super) margin: Duration,
    /// When changes were last looked for.
    pub(super) looked: Mutex<SystemTime>,
    /// How many events there were.
    pub(super) events: AtomicU64,
    /// Tells the last streamed answer that nobody takes it.
    pub(super) left: Mutex<Arc<Left>>,
}

impl Function {
    /// Answers an event.
    pub(super) async fn invoke(self: Arc<Self>, event: LambdaEvent<Value>) -> Result<Answered, Infallible> {
        let (payload, context) = event.into_parts();
        self.events.fetch_add(1, Ordering::Relaxed);
        // It stands in each line of the log that this invocation leaves, at whatever level.
        let span = tracing::error_span!("invocation", lambda_request_id = context.request_id);
        let until = (context.deadline >= NO_DEADLINE).then(|| context.deadline());
        let answering = self.answer(payload, until, span.clone());
        Ok(answering.instrument(span).await)
    }

    /// The last answer is not taken to its end.
    pub(super) fn leave(&self) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).set();
    }

    async fn answer(self: Arc<Self>, payload: Value, until: Until, span: tracing::Span) -> Answered {
        self.settler.finish().await;
        let (front, response) = match event::read(payload) {
            Event::Other => {
                tracing::info!("an event that is no HTTP request");
                return FunctionResponse::BufferedResponse(answer::of_other());
            }
            Event::Broken(front, request, problem) => (front, self.server.refuse(*request, &problem).await),
            Event::Request(front, mut handed) => {
                self.catch_up().await;
                handed.ends_at = until.map(|until| self.ends_at(until));
                (front, self.in_time(*handed).await)
            }
        };
        if self.streams(front) {
            let (head, body) = response.into_parts();
            let left: Arc<Left> = Arc::default();
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&left);
            return FunctionResponse::StreamingResponse(StreamResponse {
                metadata_prelude: answer::prelude(head),
                stream: Settled::new(body, Arc::clone(&self.settler), until, span, left),
            });
        }
        let whole = self.whole(front, response).await;
        Arc::clone(&self.settler).settle(until).await;
        FunctionResponse::BufferedResponse(whole)
    }

    /// The answer to a request. What asks a model ends in time by itself; the rest should not need any.
    async fn in_time(&self, handed: Handed) -> Response<Body> {
        let Some(ends_at) = handed.ends_at else {
            return self.server.answer(handed).await;
        };
        let mut head = Request::new(());
        head.method_mut().clone_from(handed.request.method());
        head.uri_mut().clone_from(handed.request.uri());
        let answering = tokio::time::timeout_at(ends_at + GRACE, self.server.answer(handed));
        match answering.await {
            Ok(response) => response,
            Err(_) => self.server.refuse(head, &out_of_time()).await,
        }
    }

    /// Whether an answer is passed on piece by piece.
    fn streams(&self, front: Front) -> bool {
        match (self.response, front) {
            (LambdaResponse::Buffer, _) | (_, Front::LoadBalancer { .. }) => false,
            (LambdaResponse::Stream, _) => true,
            (LambdaResponse::Auto, front) => front == Front::FunctionUrl,
        }
    }

    async fn whole(&self, front: Front, response: Response<Body>) -> Box<RawValue> {
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        match answer::whole(front, &head, &body.unwrap_or_default()) {
            Ok(whole) => whole,
            Err(problem) => {
                tracing::warn!(error = problem.message, "an answer is too large");
                let refusal = self.server.refuse(Request::new(()), &problem).await;
                let (head, body) = refusal.into_parts();
                let body = body.collect().await.map(http_body_util::Collected::to_bytes);
                answer::whole(front, &head, &body.unwrap_or_default()).unwrap_or_default()
            }
        }
    }

    /// When an answer must have ended, so that there is time to say so.
    fn ends_at(&self, until: SystemTime) -> Instant {
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        Instant::now() + left.saturating_sub(self.margin).max(LEAST)
    }

    /// Takes over what has happened since the last invocation, by the clock on the wall: others may have stood still with
    /// the process.
    async fn catch_up(&self) {
        let now = SystemTime::now();
        let last = std::mem::replace(&mut *self.looked.lock().unwrap_or_else(PoisonError::into_inner), now);
        let stood_still = now.duration_since(last).unwrap_or(Duration::MAX);
        self.server.catch_up(stood_still).await;
    }
}

fn out_of_time() -> Problem {
    let message = "The request could not be answered before the time of the Lambda function was over.";
    Problem::new(504, ProblemKind::Timeout, message).with_code("function_timeout")
}
