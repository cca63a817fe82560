//! The life of one request of an endpoint without a conversation: [`run`] is the flow, line by line.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use outcrop_bedrock::call::{Call, TokenCounts};
use outcrop_translate::{AnswerContext, Input, Problem, Task, TaskPlan, TaskReply};
use outcrop_upstream::{Client, Failure, Reply};

use crate::body::{self, Takes};
use crate::exchange::{self, Gateway, new_record, note_replies};
use crate::explain::Explanation;
use crate::inquiry::Inquiry;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Recorded;
use crate::shelf::RequestShelf;
use crate::{caller, error, form};

/// As many calls of one request are made side by side: enough to hide the way to Bedrock, and too few for one request
/// to use up an account's rate.
const SIDE_BY_SIDE: usize = 16;

/// Answers a request of task `T`.
pub(crate) async fn run<T: Task>(gateway: Arc<Gateway>, request: Request, path_model: Option<String>) -> Response {
    let (head, body) = request.into_parts();
    let mut record = new_record(&head);
    let mut response = match answer::<T>(gateway, &head, body, path_model, &mut record).await {
        Ok(response) => {
            record.status = 200;
            record.complete();
            response
        }
        Err(Refusal { problem, cause }) => {
            record.status = problem.status;
            record.fail(cause.unwrap_or_else(|| problem.message.clone()));
            let mut response = error::response(&problem, T::error(&problem));
            exchange::add_route(response.headers_mut(), &record);
            response
        }
    };
    response.extensions_mut().insert(Recorded);
    response
}

async fn answer<T: Task>(
    gateway: Arc<Gateway>,
    head: &Parts,
    body: axum::body::Body,
    path_model: Option<String>,
    record: &mut Record,
) -> Result<Response, Refusal> {
    let takes = if T::TAKES_FORMS { Takes::JsonOrForm } else { Takes::Json };
    let (body, caller) = exchange::receive(&gateway.config, head, body, takes, path_model).await?;
    let input = read_input(head, body).await?;
    let mut inquiry = Inquiry::new(Arc::clone(&gateway), caller);
    let ending = gateway.ending.clone();
    let work = async {
        let mut plan = inquiry.plan(|context| T::plan(&input, context)).await?;
        note_plan(record, &plan);
        if caller::is_dry_run(&head.headers) {
            return Ok(explain(&gateway.client, &plan, inquiry.left_out()));
        }
        let mut refused = 0;
        let replies = loop {
            let (failure, index) = match send_all(&gateway.client, &plan).await {
                Ok(replies) => break replies,
                Err(failed) => failed,
            };
            if !inquiry.learns_profiles(&failure).await {
                return Err(refusal(&gateway, &failure, index, &plan, record).await);
            }
            refused += failure.attempts;
            plan = inquiry.plan_again(None, |context| T::plan(&input, context))?;
            note_plan(record, &plan);
        };
        note_replies(record, &replies);
        record.attempts += refused;
        write::<T>(&plan, &replies, &inquiry, head, record)
    };
    tokio::select! {
        answered = work => answered,
        () = ending.cancelled() => Err(error::shutting_down().into()),
    }
}

async fn read_input(head: &Parts, body: Bytes) -> Result<Input, Problem> {
    if body::essence(head).as_deref() == Some(body::FORM) {
        return form::parse(head, body).await.map(Input::Form);
    }
    Ok(Input::Json(body))
}

/// Makes the calls, a few at a time. The replies are in the order of the calls. Gives the first failure, and the number
/// of its call.
async fn send_all<M>(client: &Client, plan: &TaskPlan<M>) -> Result<Vec<Reply>, (Failure, usize)> {
    // Boxed, since the compiler can't tell that the futures of borrowed calls may go from thread to thread.
    let mut sending: Vec<BoxFuture<'_, Result<Reply, (Failure, usize)>>> = Vec::new();
    for (index, call) in plan.calls.iter().enumerate() {
        let call = call.call(plan.region.as_deref());
        sending.push(async move { client.send(&call).await.map_err(|failure| (failure, index)) }.boxed());
    }
    stream::iter(sending).buffered(SIDE_BY_SIDE).try_collect().await
}

/// What a failed call means for the client, who knows the part of its request that the call was about.
async fn refusal<M>(
    gateway: &Arc<Gateway>,
    failure: &Failure,
    index: usize,
    plan: &TaskPlan<M>,
    record: &mut Record,
) -> Refusal {
    let mut refusal = gateway.refusal(failure, &plan.model_id, record).await;
    let problem = &mut refusal.problem;
    if let Some(param) = plan.calls.get(index).and_then(|call| call.param.as_deref())
        && problem.param.as_deref() != Some("model")
    {
        problem.message = format!("{param}: {}", problem.message);
        problem.param = Some(param.to_owned());
    }
    refusal
}

fn write<T: Task>(
    plan: &TaskPlan<T::Memo>,
    replies: &[Reply],
    inquiry: &Inquiry,
    head: &Parts,
    record: &mut Record,
) -> Result<Response, Refusal> {
    let bodies: Vec<(&Bytes, TokenCounts)> = replies
        .iter()
        .filter_map(|reply| Some((exchange::whole_body(reply)?, reply.tokens)))
        .collect();
    let replies: Vec<TaskReply<'_>> = bodies
        .into_iter()
        .map(|(body, tokens)| TaskReply { body, tokens })
        .collect();
    let context = AnswerContext {
        unique: inquiry.unique,
        created: inquiry.created,
        shelf: &RequestShelf::new(&inquiry.gateway, head),
    };
    let answer = T::answer(&plan.memo, &replies, &context)?;
    record.usage = answer.usage;
    record.first_byte();
    let mut response = Response::new(answer.body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    exchange::add_usage(headers, record);
    exchange::add_call_headers(headers, record);
    Ok(response)
}

fn explain<M>(client: &Client, plan: &TaskPlan<M>, left_out: &[String]) -> Response {
    let calls: Vec<Call> = plan
        .calls
        .iter()
        .map(|call| call.call(plan.region.as_deref()))
        .collect();
    let explanation = Explanation {
        route: plan.route,
        times: calls.len(),
        calls: &calls,
        guardrail: None,
        notes: &plan.notes,
        left_out,
    };
    explanation.response(client)
}

fn note_plan<M>(record: &mut Record, plan: &TaskPlan<M>) {
    record.model.clone_from(&plan.model_id);
    record.route = plan.route;
    record.region = plan.region.clone().unwrap_or_default();
    record.adapted = plan.notes.to_string();
}
