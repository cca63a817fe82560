//! The life of one request of an endpoint without a conversation: [`run`] is the flow, line by line.

mod refusal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use outcrop_bedrock::call::{Call, TokenCounts};
use outcrop_bedrock::converse::{MediaSize, ServiceTier, TokenUsage};
use outcrop_translate::catalogue::Terms;
use outcrop_translate::{
    AnswerContext, CallSize, Context, Halt, Input, Problem, ProblemKind, Task, TaskCall, TaskPlan, TaskReply,
};
use outcrop_upstream::{Failure, Reply};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::block_in_place;

use crate::body::{self, Takes};
use crate::exchange::{self, Gateway, new_record, note_replies};
use crate::explain::Explanation;
use crate::inquiry::{GoOn, Inquiry};
use crate::limits::Calls;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::response_cache::{Looked, Question, Repeats, Ticket};
use crate::routing::{Fill, Missed, Sent, Verdict};
use crate::server::Recorded;
use crate::shelf::RequestShelf;
use crate::{caller, ends, error, form, login};

/// As many calls of one request are made side by side: enough to hide the way to Bedrock, and too few for one request
/// to use up an account's rate.
const SIDE_BY_SIDE: usize = 16;

/// What calls of tasks may cost besides their prompts: answers that aren't texts have no tokens.
const NO_ANSWER: CallSize = CallSize {
    terms: Terms {
        tier: ServiceTier::Default,
        is_latency_optimized: false,
        is_batch: false,
    },
    max_tokens: Some(0),
    media: MediaSize {
        images: 0,
        image_chars: 0,
        other_chars: 0,
    },
};

/// As many pages of one reply are asked for: more than a list of a thousand has, so that it ends whatever comes.
const MAX_PAGES: usize = 1000;

/// Answers a request of task `T`.
pub(crate) async fn run<T: Task>(gateway: Arc<Gateway>, request: Request, path_model: Option<String>) -> Response {
    let (head, body) = request.into_parts();
    let mut record = new_record(&gateway, &head);
    let mut response = match answer::<T>(gateway, &head, body, path_model, &mut record).await {
        Ok(response) => {
            record.status = 200;
            record.complete();
            response
        }
        Err(Refusal { problem, cause }) => {
            record.status = problem.status;
            record.error_code = problem.code;
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
    let (mut body, mut caller) = exchange::receive(&gateway, head, body, takes, path_model).await?;
    let (input, login) = login::take_from_input(&gateway, read_input(head, body.clone()).await?).await?;
    record.brings_account = login.as_ref().is_some_and(|login| login.account.is_some());
    record.is_clients = login.as_ref().is_some_and(|login| login.is_clients);
    record.tenant.clone_from(&caller.tenant);
    caller.login = login::of_tenant(&gateway, login, caller.tenant.as_deref()).await?;
    if let Input::Json(rest) = &input {
        body.clone_from(rest);
    }
    let repeats = if T::REPEATS { Repeats::Always } else { Repeats::Seeded };
    let question = Question::new::<T>(&gateway, head, &body, &caller, repeats)?;
    let mut inquiry = Inquiry::new(Arc::clone(&gateway), caller, &input);
    let ending = ends::of(&gateway, head);
    let planning = |context: &Context<'_>, fill: Fill<'_>| plan_aside::<T>(&fill.input(&input), context);
    let work = async {
        let mut plan = {
            let _turn = turn::<T>().await;
            inquiry.plan(planning).await?
        };
        note_plan(record, &gateway, &plan);
        if caller::is_dry_run(&head.headers) {
            return Ok(explain(&inquiry, &plan));
        }
        let ticket = match question {
            None => None,
            Some(question) => match question.look_up_task(&plan, inquiry.has_fetched(), record).await {
                Looked::Hit(entry) => {
                    record.admit(&gateway, None).await?;
                    record.meter(&gateway, &inquiry.tally);
                    return Ok(entry.response(record));
                }
                Looked::Not(ticket) => ticket,
            },
        };
        let target = inquiry.kept_target();
        let calls = Calls {
            target: target.as_deref(),
            model_id: &plan.model_id,
            size: NO_ANSWER,
            bodies: plan.calls.iter().map(|call| (&call.body, 1)).collect(),
            asks: T::asks(&plan.memo),
            is_stream: false,
        };
        record.admit(&gateway, Some(calls)).await?;
        record.meter(&gateway, &inquiry.tally);
        let mut refused = 0;
        let mut telling: Option<Telling<T::Memo>> = None;
        let mut pages = BTreeMap::new();
        while let Err((missed, index)) = send_missing::<T>(&inquiry, &plan, &mut pages).await {
            let next = match missed {
                Missed::LeftAlone => inquiry.course.after_left_alone(),
                Missed::NoRoom(no_room) => inquiry.course.after_no_room(*no_room),
                Missed::Failed(failure) => {
                    refused += failure.attempts;
                    if inquiry.learns_models(&failure).await {
                        let _turn = turn::<T>().await;
                        let better = inquiry.plan_again(None, planning)?;
                        if (&better.model_id, &better.region) != (&plan.model_id, &plan.region) {
                            throw_away::<T>(&inquiry, &plan.memo, &mut pages);
                            plan = better;
                            note_plan(record, &gateway, &plan);
                            continue;
                        }
                    }
                    let next = inquiry.course.after(&failure.error);
                    Telling::keep(&mut telling, failure, index, &plan);
                    next
                }
            };
            let next = inquiry.wait(next).await;
            let next = {
                // Nobody holds a turn while it waits.
                let _turn = turn::<T>().await;
                inquiry.go_on(next, planning).await
            };
            match next {
                GoOn::Repeat => {}
                GoOn::Plan(better) => {
                    if better.calls != plan.calls {
                        record.is_changed = true;
                        throw_away::<T>(&inquiry, &plan.memo, &mut pages);
                    }
                    plan = better;
                    note_plan(record, &gateway, &plan);
                }
                GoOn::Over => {
                    throw_away::<T>(&inquiry, &plan.memo, &mut pages);
                    let is_about_target = |telling: &Telling<T::Memo>| telling.verdict() == Verdict::Elsewhere;
                    if let Some(mut no_room) = inquiry.refused_room.take()
                        && telling.as_ref().is_none_or(is_about_target)
                    {
                        no_room.attempts = refused;
                        return Err(gateway.no_room(&no_room, record).into());
                    }
                    let Some(mut telling) = telling else {
                        return Err(not_asked().into());
                    };
                    telling.failure.attempts = refused;
                    note_plan(record, &gateway, &telling.plan);
                    let Telling { failure, index, plan } = telling;
                    return Err(refusal::refusal::<T>(&gateway, &failure, index, &plan, record).await);
                }
            }
        }
        let (mut replies, mut holds) = (Vec::new(), Vec::new());
        for sent in pages.into_values().flatten() {
            replies.push(sent.reply);
            holds.push(sent.hold);
        }
        record.hold(holds);
        note_replies(record, &replies);
        record.attempts += refused;
        write::<T>(&plan, &replies, &inquiry, head, ticket, record)
    };
    tokio::select! {
        answered = work => answered,
        problem = ending => Err(problem.into()),
    }
}

/// The failure that tells the client the most, with the number of the call and the plan that it was made by.
struct Telling<M> {
    failure: Failure,
    index: usize,
    plan: TaskPlan<M>,
}

impl<M: Clone> Telling<M> {
    fn verdict(&self) -> Verdict {
        Verdict::of(&self.failure.error)
    }

    /// Keeps a failure if it tells more than the one that is kept.
    fn keep(kept: &mut Option<Self>, failure: Failure, index: usize, plan: &TaskPlan<M>) {
        let verdict = Verdict::of(&failure.error);
        if kept.as_ref().is_none_or(|known| verdict > known.verdict()) {
            *kept = Some(Self {
                failure,
                index,
                plan: plan.clone(),
            });
        }
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

/// The replies to calls, with all pages, by the numbers of the calls.
type Pages = BTreeMap<usize, Vec<Sent>>;

/// The number of a call and the replies to it, or its failure.
type Sending<'a> = BoxFuture<'a, (usize, Result<Vec<Sent>, Missed>)>;

/// Makes the calls that have no reply yet, a few at a time. A failure that another target may avoid lets those end that
/// are under way; each other ends them. The first is given with the number of its call.
async fn send_missing<T: Task>(
    inquiry: &Inquiry,
    plan: &TaskPlan<T::Memo>,
    pages: &mut Pages,
) -> Result<(), (Missed, usize)> {
    // Boxed, since the compiler can't tell that the futures of borrowed calls may go from thread to thread.
    let mut waiting: VecDeque<Sending<'_>> = VecDeque::new();
    for (index, call) in plan
        .calls
        .iter()
        .enumerate()
        .filter(|(index, _)| !pages.contains_key(index))
    {
        let region = plan.region.as_deref();
        waiting.push_back(async move { (index, send_pages::<T>(inquiry, call, region).await) }.boxed());
    }
    let mut sending = FuturesUnordered::new();
    sending.extend(waiting.drain(..waiting.len().min(SIDE_BY_SIDE)));
    let mut failed = None;
    while let Some((index, sent)) = sending.next().await {
        match sent {
            Ok(sent) => {
                pages.insert(index, sent);
            }
            Err(missed) if missed.is_final() => return Err((missed, index)),
            Err(missed) => {
                failed.get_or_insert((missed, index));
            }
        }
        if failed.is_none() {
            sending.extend(waiting.pop_front());
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Makes a call, and those for what its replies have left over.
async fn send_pages<T: Task>(inquiry: &Inquiry, call: &TaskCall, region: Option<&str>) -> Result<Vec<Sent>, Missed> {
    let first = inquiry.address(call.call(region));
    let mut sent = vec![inquiry.attempt(&first, NO_ANSWER).await?];
    while sent.len() < MAX_PAGES
        && let Some(next) = sent.last().and_then(|Sent { reply, .. }| {
            let body = exchange::whole_body(reply)?;
            let tokens = reply.tokens;
            T::next(call, &TaskReply { body, tokens })
        })
    {
        let next = inquiry.address(next.call(region));
        sent.push(inquiry.attempt_patiently(&next, NO_ANSWER).await?);
    }
    Ok(sent)
}

/// Counts what replies have cost that nobody gets.
fn throw_away<T: Task>(inquiry: &Inquiry, memo: &T::Memo, pages: &mut Pages) {
    let catalogue = &inquiry.gateway.config.catalogue;
    for sent in std::mem::take(pages).into_values() {
        let first = sent.first().and_then(|sent| task_reply(&sent.reply));
        let mut made = T::made(memo, first.as_slice());
        for sent in &sent {
            if let Some(called) = sent.hold.called() {
                let usage = header_usage(std::iter::once(sent.reply.tokens));
                inquiry
                    .tally
                    .throw_away(catalogue, called, usage, &std::mem::take(&mut made));
            }
        }
    }
}

/// A reply as tasks read it.
fn task_reply(reply: &Reply) -> Option<TaskReply<'_>> {
    let (body, tokens) = (exchange::whole_body(reply)?, reply.tokens);
    Some(TaskReply { body, tokens })
}

/// Tokens as headers of replies tell them.
fn header_usage(tokens: impl Iterator<Item = TokenCounts>) -> TokenUsage {
    tokens.fold(TokenUsage::default(), |sum, tokens| {
        sum.plus(TokenUsage {
            input_tokens: tokens.input.unwrap_or_default(),
            output_tokens: tokens.output.unwrap_or_default(),
            ..TokenUsage::default()
        })
    })
}

/// Nothing was asked, which doesn't happen.
fn not_asked() -> Problem {
    Problem::new(502, ProblemKind::Server, "Bedrock could not be asked.").with_code("upstream_error")
}

fn write<T: Task>(
    plan: &TaskPlan<T::Memo>,
    replies: &[Reply],
    inquiry: &Inquiry,
    head: &Parts,
    ticket: Option<Ticket>,
    record: &mut Record,
) -> Result<Response, Refusal> {
    let replies: Vec<TaskReply<'_>> = replies.iter().filter_map(task_reply).collect();
    let context = AnswerContext {
        unique: inquiry.unique,
        created: inquiry.created,
        shelf: &RequestShelf::new(&inquiry.gateway, head, inquiry.unique, inquiry.organization_id()),
    };
    // If no answer comes of it, this is what is known of its cost.
    record.usage = header_usage(replies.iter().map(|reply| reply.tokens));
    record.billed = T::made(&plan.memo, &replies);
    let answer = T::answer(&plan.memo, &replies, &context)?;
    record.usage = answer.usage.unwrap_or_default();
    record.billed = answer.billed;
    let mut notes = plan.notes.clone();
    notes.merge(&answer.notes);
    record.adapted = notes.to_string();
    record.first_byte();
    let body = match ticket {
        Some(ticket) => ticket.keep(record, answer.body),
        None => answer.body.into(),
    };
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if answer.usage.is_some() {
        exchange::add_usage(headers, record);
    }
    exchange::add_call_headers(headers, record);
    Ok(response)
}

fn explain<M>(inquiry: &Inquiry, plan: &TaskPlan<M>) -> Response {
    let calls: Vec<Call> = plan
        .calls
        .iter()
        .map(|call| inquiry.address(call.call(plan.region.as_deref())))
        .collect();
    let explanation = Explanation {
        route: plan.route,
        times: calls.len(),
        calls: &calls,
        guardrail: None,
        notes: &plan.notes,
        left_out: inquiry.left_out(),
        next: inquiry.next(),
    };
    explanation.response(&inquiry.gateway.client)
}

fn note_plan<M>(record: &mut Record, gateway: &Gateway, plan: &TaskPlan<M>) {
    record.model.clone_from(&plan.model_id);
    record.route = plan.route;
    record.region = exchange::region_of(gateway, plan.region.as_deref());
    record.adapted = plan.notes.to_string();
}
