//! The life of one request of an endpoint without a conversation: [`run`] is the flow, line by line.

mod refusal;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use outcrop_bedrock::call::{Call, TokenCounts};
use outcrop_translate::{AnswerContext, Context, Halt, Input, Problem, Task, TaskCall, TaskPlan, TaskReply};
use outcrop_upstream::{Client, Failure, Reply};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::block_in_place;

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

/// As many pages of one reply are asked for: more than a list of a thousand has, so that it ends whatever comes.
const MAX_PAGES: usize = 1000;

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
        let mut plan = {
            let _turn = turn::<T>().await;
            inquiry.plan(|context| plan_aside::<T>(&input, context)).await?
        };
        note_plan(record, &plan);
        if caller::is_dry_run(&head.headers) {
            return Ok(explain(&gateway.client, &plan, inquiry.left_out()));
        }
        let mut refused = 0;
        let replies = loop {
            let (failure, index) = match send_all::<T>(&gateway.client, &plan).await {
                Ok(replies) => break replies,
                Err(failed) => failed,
            };
            let better = match inquiry.learns_models(&failure).await {
                true => {
                    let _turn = turn::<T>().await;
                    Some(inquiry.plan_again(None, |context| plan_aside::<T>(&input, context))?)
                }
                false => None,
            };
            let is_other =
                |better: &TaskPlan<T::Memo>| (&better.model_id, &better.region) != (&plan.model_id, &plan.region);
            let Some(better) = better.filter(is_other) else {
                return Err(refusal::refusal::<T>(&gateway, &failure, index, &plan, record).await);
            };
            refused += failure.attempts;
            plan = better;
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

/// A turn at planning what takes long. The turns are few, so that whatever is sent, a part of the machine is left for
/// all others.
async fn turn<T: Task>() -> Option<SemaphorePermit<'static>> {
    static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Semaphore::new((cores / 2).max(1))
    });
    match T::PLANS_SLOWLY {
        // It fails only once the turns are over, which they never are.
        true => TURNS.acquire().await.ok(),
        false => None,
    }
}

/// Plans. What takes long has another worker take over this one's requests meanwhile, where there are several.
fn plan_aside<T: Task>(input: &Input, context: &Context<'_>) -> Result<TaskPlan<T::Memo>, Halt> {
    let has_workers = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    match T::PLANS_SLOWLY && has_workers() {
        true => block_in_place(|| T::plan(input, context)),
        false => T::plan(input, context),
    }
}

/// The number of a call and the replies to it, or its failure.
type Sending<'a> = BoxFuture<'a, Result<(usize, Vec<Reply>), (Failure, usize)>>;

/// Makes the calls, a few at a time. The replies are in the order of the calls, with all pages. The first failure ends
/// all, and is given with the number of its call.
async fn send_all<T: Task>(client: &Client, plan: &TaskPlan<T::Memo>) -> Result<Vec<Reply>, (Failure, usize)> {
    // Boxed, since the compiler can't tell that the futures of borrowed calls may go from thread to thread.
    let mut sending: Vec<Sending<'_>> = Vec::new();
    for (index, call) in plan.calls.iter().enumerate() {
        let region = plan.region.as_deref();
        sending.push(
            async move {
                let sent = send_pages::<T>(client, call, region).await;
                match sent {
                    Ok(replies) => Ok((index, replies)),
                    Err(failure) => Err((failure, index)),
                }
            }
            .boxed(),
        );
    }
    let sent = stream::iter(sending).buffer_unordered(SIDE_BY_SIDE);
    let mut pages: Vec<(usize, Vec<Reply>)> = sent.try_collect().await?;
    pages.sort_by_key(|(index, _)| *index);
    Ok(pages.into_iter().flat_map(|(_, replies)| replies).collect())
}

/// Makes a call, and those for what its replies have left over.
async fn send_pages<T: Task>(client: &Client, call: &TaskCall, region: Option<&str>) -> Result<Vec<Reply>, Failure> {
    let mut replies = vec![client.send(&call.call(region)).await?];
    while replies.len() < MAX_PAGES
        && let Some(next) = replies.last().and_then(|reply| {
            let body = exchange::whole_body(reply)?;
            let tokens = reply.tokens;
            T::next(call, &TaskReply { body, tokens })
        })
    {
        replies.push(client.send(&next.call(region)).await?);
    }
    Ok(replies)
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
        shelf: &RequestShelf::new(&inquiry.gateway, head, inquiry.unique),
    };
    let answer = T::answer(&plan.memo, &replies, &context)?;
    record.usage = answer.usage.unwrap_or_default();
    let mut notes = plan.notes.clone();
    notes.merge(&answer.notes);
    record.adapted = notes.to_string();
    record.first_byte();
    let mut response = Response::new(answer.body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if answer.usage.is_some() {
        exchange::add_usage(headers, record);
    }
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
