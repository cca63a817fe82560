//! The life of one request: [`run`] is the flow, line by line.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, TE, TRAILER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::json::Fault;
use outcrop_translate::catalogue::Status;
use outcrop_translate::resolve::{Asked, Directory, near};
use outcrop_translate::{Endpoint, Plan, Problem, Unread};
use outcrop_upstream::{Client, Error, Failure, Reply, ReplyBody};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::event_body::EventBody;
use crate::fetch::Fetcher;
use crate::learned::Learned;
use crate::models::ModelList;
use crate::names::Names;
use crate::record::Record;
use crate::rounds::{Answered, Caller, Rounds, Trouble};
use crate::server::{Recorded, RequestId};
use crate::{access, body, caller, error, explain};

/// `X-Bedrock-Model`: the model that is asked.
const X_BEDROCK_MODEL: HeaderName = HeaderName::from_static("x-bedrock-model");
/// `X-Token-Usage-Input`
pub(crate) const X_TOKEN_USAGE_INPUT: HeaderName = HeaderName::from_static("x-token-usage-input");
/// `X-Token-Usage-Output`
pub(crate) const X_TOKEN_USAGE_OUTPUT: HeaderName = HeaderName::from_static("x-token-usage-output");
/// `X-Outcrop-Adapted`: what was changed or left out.
const X_OUTCROP_ADAPTED: HeaderName = HeaderName::from_static("x-outcrop-adapted");
/// `X-Outcrop-Route`: which of Bedrock's APIs was asked: `converse`, `invoke` or `openai`.
const X_OUTCROP_ROUTE: HeaderName = HeaderName::from_static("x-outcrop-route");
/// AWS's request id, under AWS's own name.
const X_AMZN_REQUESTID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) models: ModelList,
    pub(crate) names: Names,
    pub(crate) learned: Learned,
    /// Gets what URLs in requests point to.
    pub(crate) fetcher: Fetcher,
    /// Whether a name stands in for what URLs point to, because calls are only described.
    pub(crate) leaves_urls_out: bool,
    /// Set when what has not ended by itself must end.
    pub(crate) ending: CancellationToken,
}

/// The calls of one request, under way.
pub(crate) type Sending<M> = BoxFuture<'static, Result<Answered<M>, Trouble>>;

impl Gateway {
    pub(crate) fn new(mut config: Config, client: Client) -> Self {
        config.names.looks_behind = config.policies.rules.iter().any(|rule| !rule.models.is_empty());
        Self {
            fetcher: Fetcher::new(config.fetch.clone()),
            leaves_urls_out: false,
            config,
            client,
            models: ModelList::default(),
            names: Names::default(),
            learned: Learned::default(),
            ending: CancellationToken::new(),
        }
    }

    /// A failed call, as the client is told.
    pub(crate) fn problem(&self, failure: &Failure, region: &str, model: &str) -> Problem {
        let region = if region.is_empty() {
            self.client.region()
        } else {
            region
        };
        error::of_failure(failure, region, model)
    }
}

/// Answers a request of endpoint `E`.
pub(crate) async fn run<E: Endpoint>(gateway: Arc<Gateway>, request: Request, path_model: Option<String>) -> Response {
    let (head, body) = request.into_parts();
    let mut record = new_record(&head);
    let exchange = Exchange {
        gateway,
        takes_trailers: takes_trailers(&head.headers),
    };
    let answered = exchange.answer::<E>(&head, body, path_model, &mut record).await;
    let mut response = match answered {
        Ok(Answer::Whole(response)) => {
            record.status = 200;
            record.complete();
            response
        }
        Ok(Answer::Stream(begin)) => {
            record.status = 200;
            begin(record)
        }
        Err(Refusal { problem, cause }) => {
            record.status = problem.status;
            record.fail(cause.unwrap_or_else(|| problem.message.clone()));
            let mut response = error::response(&problem, E::error(&problem));
            add_route(response.headers_mut(), &record);
            response
        }
    };
    response.extensions_mut().insert(Recorded);
    response
}

/// One request on its way through: what its steps need besides each other's results.
struct Exchange {
    gateway: Arc<Gateway>,
    takes_trailers: bool,
}

enum Answer {
    Whole(Response),
    /// The record goes along with the stream, which ends later.
    Stream(Box<dyn FnOnce(Record) -> Response + Send>),
}

/// A problem for the client and, where it says more, its cause for the log.
struct Refusal {
    problem: Problem,
    cause: Option<String>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, cause: None }
    }
}

impl Exchange {
    async fn answer<E: Endpoint>(
        self,
        head: &Parts,
        body: axum::body::Body,
        path_model: Option<String>,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        let config = &self.gateway.config;
        let key = match access::admit(&head.headers, config) {
            Ok(key) => key,
            Err(problem) => {
                body::discard(head, body, config).await;
                return Err(problem.into());
            }
        };
        let body = body::read(head, body, config).await?;
        let caller = Caller {
            path_model,
            key,
            guardrail: caller::guardrail(&head.headers)?,
            on_unsupported: caller::on_unsupported(&head.headers)?,
        };
        let mut rounds = Rounds::<E>::new(Arc::clone(&self.gateway), body, caller);
        // It waits for the hosts of the request's URLs.
        let plan = tokio::select! {
            planned = rounds.plan() => planned?,
            () = self.gateway.ending.cancelled() => return Err(error::shutting_down().into()),
        };
        note_plan(record, &plan);
        if caller::is_dry_run(&head.headers) {
            return Ok(Answer::Whole(explain::response(
                &self.gateway.client,
                &plan,
                rounds.left_out(),
            )));
        }
        record.is_stream = plan.streams;
        if plan.streams {
            self.stream::<E>(rounds, plan, record).await
        } else {
            self.whole::<E>(rounds, plan, record).await
        }
    }

    async fn whole<E: Endpoint>(
        &self,
        rounds: Rounds<E>,
        plan: Plan<E::Memo>,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        // Boxed, since every stream would else carry room for it as well.
        let sending = Box::pin(rounds.send(plan));
        let answered = tokio::select! {
            sent = sending => sent,
            () = self.gateway.ending.cancelled() => return Err(error::shutting_down().into()),
        };
        let Answered { plan, replies, spent } = match answered {
            Ok(answered) => answered,
            Err(trouble) => return Err(self.refusal(trouble, record).await),
        };
        note_plan(record, &plan);
        note_replies(record, &replies);
        let body = if plan.wire.is_straight() {
            let bodies: Vec<&[u8]> = replies.iter().filter_map(whole_body).collect();
            let passed = E::pass(&plan.memo, &bodies).map_err(|fault| not_bedrocks(&fault))?;
            record.usage = passed.usage;
            passed.body
        } else {
            let mut translated = replies
                .iter()
                .filter_map(|reply| Some(plan.wire.reply(whole_body(reply)?, reply.tokens)))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|unread| match unread {
                    Unread::Fault(fault) => not_bedrocks(&fault),
                    failed => failed_in_answer(failed),
                })?;
            if let Some(first) = translated.first_mut() {
                first.usage = first.usage.plus(spent);
            }
            record.usage = translated
                .iter()
                .fold(TokenUsage::default(), |sum, reply| sum.plus(reply.usage));
            E::response(&plan.memo, &translated)?
        };
        record.first_byte();
        let mut response = Response::new(body.into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(X_TOKEN_USAGE_INPUT, record.usage.prompt_tokens().into());
        headers.insert(X_TOKEN_USAGE_OUTPUT, record.usage.output_tokens.into());
        add_call_headers(headers, record);
        Ok(Answer::Whole(response))
    }

    async fn stream<E: Endpoint>(
        self,
        rounds: Rounds<E>,
        plan: Plan<E::Memo>,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        let memo = plan.memo.clone();
        let mut sending: Sending<E::Memo> = rounds.send(plan).boxed();
        // An error before the first byte is a plain HTTP error. But silence gets a connection cut, so after a while
        // the answer begins with a comment.
        let patience = self.gateway.config.keep_alive_interval;
        let begun = tokio::select! {
            sent = &mut sending => Some(sent),
            () = tokio::time::sleep(patience), if !patience.is_zero() => None,
            () = self.gateway.ending.cancelled() => return Err(error::shutting_down().into()),
        };
        let begun = match begun {
            Some(Err(trouble)) => return Err(self.refusal(trouble, record).await),
            Some(Ok(answered)) => Some(answered),
            None => None,
        };
        if let Some(answered) = &begun {
            note_plan(record, &answered.plan);
            note_replies(record, &answered.replies);
        }
        let Self {
            gateway,
            takes_trailers,
            ..
        } = self;
        Ok(Answer::Stream(Box::new(move |record| {
            let mut headers = HeaderMap::new();
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("text/event-stream; charset=utf-8"),
            );
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            // nginx would otherwise collect chunks before it passes them on.
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            if takes_trailers {
                headers.insert(
                    TRAILER,
                    HeaderValue::from_static("x-token-usage-input, x-token-usage-output"),
                );
            }
            add_call_headers(&mut headers, &record);
            let body = match begun {
                Some(answered) => EventBody::<E>::open(gateway, answered, record, takes_trailers),
                None => EventBody::<E>::waiting(gateway, sending, memo, record, takes_trailers),
            };
            let mut response = Response::new(axum::body::Body::new(body));
            *response.headers_mut() = headers;
            response
        })))
    }

    /// What to ask instead of a model that isn't there: the successor of one that is gone, or what may have been meant;
    /// empty where there is nothing to say.
    fn instead_of(&self, model_id: &str) -> String {
        let config = &self.gateway.config;
        let catalogue = &config.catalogue;
        let base_id = catalogue.base_id(model_id).unwrap_or(model_id);
        if let Some(model) = catalogue.model(base_id) {
            if let Some(successor) = &model.lifecycle.successor
                && model.lifecycle.status != Status::Active
            {
                return format!(" Its successor is '{successor}'.");
            }
            // A profile of another geography, perhaps.
            let asked = Asked {
                name: base_id,
                ..Asked::default()
            };
            return match self.gateway.names.resolve(&asked, config, self.gateway.client.region()) {
                Ok(target) if target.model_id != model_id => format!(" Did you mean '{}'?", target.model_id),
                _ => String::new(),
            };
        }
        let directory = Directory {
            rules: &config.names,
            ..Directory::offline(catalogue)
        };
        // A profile's prefix stays.
        let geography = model_id
            .strip_suffix(base_id)
            .and_then(|prefix| prefix.strip_suffix('.'));
        let has_it = |id: &str| {
            let model = catalogue.model(id.trim_matches('\''));
            model.is_some_and(|model| model.profiles.iter().any(|profile| Some(profile.as_str()) == geography))
        };
        let offers: Vec<String> = near(base_id, &directory)
            .into_iter()
            .map(|offer| match geography {
                Some(geography) if has_it(&offer) => offer.replacen('\'', &format!("'{geography}."), 1),
                _ => offer,
            })
            .collect();
        if offers.is_empty() {
            return String::new();
        }
        format!(" Did you mean {}?", offers.join(" or "))
    }

    async fn refusal(&self, trouble: Trouble, record: &mut Record) -> Refusal {
        let (failure, model) = match trouble {
            Trouble::Problem(problem) => return problem.into(),
            Trouble::Failure(failure, model) => (failure, model),
        };
        note_failure(record, &failure);
        let mut problem = self.gateway.problem(&failure, &record.region, &model);
        if let Error::Service { message, .. } = &failure.error {
            if error::needs_profile(message) {
                let profiles = self.gateway.models.profiles_of(&self.gateway, &model).await;
                if !profiles.is_empty() {
                    problem.message = format!(
                        "{} Inference profiles with it: {}.",
                        problem.message,
                        profiles.join(", ")
                    );
                }
            } else if problem.status == 404 {
                problem.message.push_str(&self.instead_of(&model));
            }
        }
        Refusal {
            problem,
            cause: Some(failure.to_string()),
        }
    }
}

/// The body of a reply that came as a whole.
fn whole_body(reply: &Reply) -> Option<&[u8]> {
    match &reply.body {
        ReplyBody::Whole(body) => Some(body),
        ReplyBody::Stream(_) => None,
    }
}

fn failed_in_answer(unread: Unread) -> Refusal {
    let error = error::of_unread(unread, "the reply");
    Refusal {
        cause: Some(error.to_string()),
        problem: error::of_error(&error),
    }
}

fn not_bedrocks(fault: &Fault) -> Refusal {
    Refusal {
        cause: Some(format!("the reply is not what Bedrock answers: {fault}")),
        problem: error::of_error(&Error::Protocol(String::new())),
    }
}

fn new_record(head: &Parts) -> Record {
    let id = head
        .extensions
        .get::<RequestId>()
        .map_or(HeaderValue::from_static(""), |id| id.0.clone());
    Record::new(id, head.method.clone(), head.uri.path(), Instant::now())
}

/// Notes what a plan has decided.
pub(crate) fn note_plan<M>(record: &mut Record, plan: &Plan<M>) {
    record.model.clone_from(&plan.model_id);
    record.route = plan.wire.route();
    record.region = plan.region.clone().unwrap_or_default();
    record.adapted = plan.notes.to_string();
}

/// Notes what the calls' replies tell of themselves.
pub(crate) fn note_replies(record: &mut Record, replies: &[Reply]) {
    let ids: Vec<&str> = replies.iter().filter_map(|reply| reply.request_id.as_deref()).collect();
    record.aws_request_id = ids.join(", ");
    record.attempts = replies.iter().map(|reply| reply.attempts).sum();
}

/// Notes what a failed call tells of itself.
pub(crate) fn note_failure(record: &mut Record, failure: &Failure) {
    record.aws_request_id = failure.request_id.clone().unwrap_or_default();
    record.attempts = failure.attempts;
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    headers.get_all(TE).iter().any(|value| {
        let codings = value.to_str().unwrap_or_default();
        codings
            .split(',')
            .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
    })
}

fn add_call_headers(headers: &mut HeaderMap, record: &Record) {
    for (name, value) in [
        (X_BEDROCK_MODEL, &record.model),
        (X_AMZN_REQUESTID, &record.aws_request_id),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    add_route(headers, record);
}

/// How the request was translated, which is worth knowing of a failed one, too.
fn add_route(headers: &mut HeaderMap, record: &Record) {
    if !record.route.is_empty() {
        headers.insert(X_OUTCROP_ROUTE, HeaderValue::from_static(record.route));
    }
    if let (false, Ok(value)) = (record.adapted.is_empty(), HeaderValue::from_str(&record.adapted)) {
        headers.insert(X_OUTCROP_ADAPTED, value);
    }
}
