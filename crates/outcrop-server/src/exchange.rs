//! The life of one request: [`run`] is the flow, line by line.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::header::{CONTENT_TYPE, TE, TRAILER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_bedrock::call::Call;
use outcrop_bedrock::converse::Served;
use outcrop_routing::Router;
use outcrop_translate::resolve::Target;
use outcrop_translate::{Billed, Endpoint, Plan, Problem, Unread};
use outcrop_upstream::{Client, Failure, Reply, ReplyBody};
use tokio_util::sync::CancellationToken;

use crate::admission::{Admission, rate_limit_headers};
use crate::body::Takes;
use crate::config::Config;
use crate::ends::{self, Ending};
use crate::event_body::EventBody;
use crate::explain::Explanation;
use crate::fetch::Fetcher;
use crate::identity::Identities;
use crate::inquiry::Caller;
use crate::learned::Learned;
use crate::limits::Calls;
use crate::mappings::Mappings;
use crate::metrics::Metrics;
use crate::models::ModelList;
use crate::names::Names;
use crate::record::Record;
use crate::refusal::{Refusal, failed_in_answer, not_bedrocks};
use crate::response_cache::{Looked, Question, Repeats, ResponseCache, Ticket, add_stream_headers};
use crate::rounds::{Answered, Rounds, Trouble};
use crate::server::{Recorded, RequestId};
use crate::shelf::Files;
use crate::tenants::Tenants;
use crate::{body, caller, error, login, tenants};

/// `X-Bedrock-Model`: the model that is asked.
const X_BEDROCK_MODEL: HeaderName = HeaderName::from_static("x-bedrock-model");
/// `X-Bedrock-Region`: the region that is asked.
const X_BEDROCK_REGION: HeaderName = HeaderName::from_static("x-bedrock-region");
/// `X-Outcrop-Attempts`: how often Bedrock was asked until it answered.
const X_OUTCROP_ATTEMPTS: HeaderName = HeaderName::from_static("x-outcrop-attempts");
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
    pub(crate) router: Arc<Router>,
    pub(crate) admission: Arc<Admission>,
    /// Who may call besides those with a key of the settings.
    pub(crate) tenants: Arc<Tenants>,
    /// Finds out who somebody is that has no key.
    pub(crate) identities: Identities,
    pub(crate) models: ModelList,
    pub(crate) names: Names,
    pub(crate) mappings: Mappings,
    pub(crate) learned: Arc<Learned>,
    /// Files that answers only name.
    pub(crate) files: Arc<Files>,
    /// Answers that may be given again; `None` where they aren't kept.
    pub(crate) response_cache: Option<Arc<ResponseCache>>,
    /// Gets what URLs in requests point to.
    pub(crate) fetcher: Fetcher,
    /// Whether a name stands in for what URLs point to, because calls are only described.
    pub(crate) leaves_urls_out: bool,
    /// Set when it has been told to stop.
    pub(crate) leaving: CancellationToken,
    /// What is counted, as long as the process lives.
    pub(crate) metrics: Arc<Metrics>,
    /// Set when what has not ended by itself must end.
    pub(crate) ending: CancellationToken,
}

/// The calls of one request, under way.
pub(crate) type Sending<M> = BoxFuture<'static, Result<Answered<M>, Trouble>>;

impl Gateway {
    pub(crate) fn new(mut config: Config, client: Client, tenants: Arc<Tenants>) -> Self {
        // The gateway's own comes first, and each once.
        let mut regions = vec![client.region().to_owned()];
        for region in std::mem::take(&mut config.regions) {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        config.regions = regions;
        config.names.looks_behind = config.policies.rules.iter().any(|rule| !rule.models.is_empty());
        Self {
            fetcher: Fetcher::new(config.fetch.clone()),
            files: Arc::new(Files::new(config.kept_files_limit)),
            response_cache: ResponseCache::new(&config.cache, None),
            leaves_urls_out: false,
            admission: Arc::new(Admission::new(config.routing.admission.clone(), config.service_quotas)),
            router: Arc::new(Router::new(std::mem::take(&mut config.routing))),
            identities: Identities::new(std::mem::take(&mut config.identity)),
            metrics: Arc::new(Metrics::new(&config)),
            config,
            client,
            tenants,
            models: ModelList::default(),
            names: Names::default(),
            mappings: Mappings::default(),
            learned: Arc::default(),
            leaving: CancellationToken::new(),
            ending: CancellationToken::new(),
        }
    }

    /// What comes after it, with other settings. What was kept and learned goes on, and so does the end of all.
    pub(crate) fn successor(&self, mut config: Config, client: Client) -> Self {
        config.meter = self.config.meter.clone();
        config.limits = Arc::clone(&self.config.limits);
        config.has_metrics = self.config.has_metrics;
        config.is_closed = self.config.is_closed;
        // What is taken of quotas stays taken.
        let admission = Arc::clone(&self.admission);
        let router = Arc::new(self.router.successor(config.routing.clone()));
        let identities = self.identities.successor(config.identity.clone());
        admission.configure(config.routing.admission.clone(), config.service_quotas);
        Self {
            admission,
            router,
            identities,
            files: Arc::clone(&self.files),
            learned: Arc::clone(&self.learned),
            response_cache: ResponseCache::new(&config.cache, self.response_cache.as_deref()),
            leaving: self.leaving.clone(),
            metrics: Arc::clone(&self.metrics),
            ending: self.ending.clone(),
            ..Self::new(config, client, Arc::clone(&self.tenants))
        }
    }
}

/// Answers a request of endpoint `E`.
pub(crate) async fn run<E: Endpoint>(gateway: Arc<Gateway>, request: Request, path_model: Option<String>) -> Response {
    let (head, body) = request.into_parts();
    let mut record = new_record(&gateway, &head);
    let exchange = Exchange {
        takes_trailers: takes_trailers(&head.headers),
        ending: ends::of(&gateway, &head),
        gateway,
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
            record.error_code = problem.code;
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
    /// The answer must end when this comes true.
    ending: Ending,
}

enum Answer {
    Whole(Response),
    /// The record goes along with the stream, which ends later.
    Stream(Box<dyn FnOnce(Record) -> Response + Send>),
}

impl Exchange {
    async fn answer<E: Endpoint>(
        mut self,
        head: &Parts,
        body: axum::body::Body,
        path_model: Option<String>,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        let (body, mut caller) = receive(&self.gateway, head, body, Takes::Json, path_model).await?;
        let (body, login) = login::take_from_json(&self.gateway, body).await?;
        record.brings_account = login.as_ref().is_some_and(|login| login.account.is_some());
        record.is_clients = login.as_ref().is_some_and(|login| login.is_clients);
        record.tenant.clone_from(&caller.tenant);
        caller.login = login::of_tenant(&self.gateway, login, caller.tenant.as_deref()).await?;
        let question = Question::new::<E>(&self.gateway, head, &body, &caller, Repeats::Cold)?;
        let mut rounds = Rounds::<E>::new(Arc::clone(&self.gateway), body, caller);
        // It waits for the hosts of the request's URLs.
        let plan = tokio::select! {
            planned = rounds.plan() => planned?,
            problem = &mut self.ending => return Err(problem.into()),
        };
        note_plan(record, &self.gateway, &plan);
        if caller::is_dry_run(&head.headers) {
            let of_each = plan.choices / (1 + plan.further_bodies.len());
            let calls: Vec<Call> = (0..=plan.further_bodies.len())
                .map(|body| rounds.call(&plan, body * of_each))
                .collect();
            let explanation = Explanation {
                route: plan.wire.route(),
                calls: &calls,
                times: plan.choices,
                guardrail: plan.guardrail.as_deref(),
                notes: &plan.notes,
                left_out: rounds.left_out(),
                next: rounds.next(),
            };
            return Ok(Answer::Whole(explanation.response(&self.gateway.client)));
        }
        record.is_stream = plan.streams;
        let ticket = match question {
            None => None,
            // Boxed, since every stream would else carry room for it.
            Some(question) => match Box::pin(question.look_up(&plan, rounds.has_fetched(), record)).await {
                Looked::Hit(entry) => {
                    record.admit(&self.gateway, None).await?;
                    record.meter(&self.gateway, rounds.tally());
                    return Ok(Answer::Whole(entry.response(record)));
                }
                Looked::Not(ticket) => ticket,
            },
        };
        let target = rounds.target();
        record
            .admit(&self.gateway, Some(calls(&plan, target.as_deref())))
            .await?;
        record.meter(&self.gateway, rounds.tally());
        if plan.streams {
            self.stream::<E>(rounds, plan, ticket, record).await
        } else {
            self.whole::<E>(rounds, plan, ticket, record).await
        }
    }

    async fn whole<E: Endpoint>(
        &mut self,
        rounds: Rounds<E>,
        plan: Plan<E::Memo>,
        ticket: Option<Ticket>,
        record: &mut Record,
    ) -> Result<Answer, Refusal> {
        // Boxed, since every stream would else carry room for it as well.
        let sending = Box::pin(rounds.send(plan));
        let answered = tokio::select! {
            sent = sending => sent,
            problem = &mut self.ending => return Err(problem.into()),
        };
        let answered = match answered {
            Ok(answered) => answered,
            Err(trouble) => return Err(refusal(&self.gateway, trouble, record).await),
        };
        let Answered {
            plan, replies, spent, ..
        } = note_answered(record, &self.gateway, answered);
        let body = if plan.wire.is_straight() {
            let bodies: Vec<&[u8]> = replies.iter().filter_map(whole_body).map(|body| &body[..]).collect();
            let passed = E::pass(&plan.memo, &bodies).map_err(|fault| not_bedrocks(&fault))?;
            record.note_usages(passed.usages);
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
                record.told_spent = spent;
            }
            record.note_usages(translated.iter().map(|reply| reply.usage).collect());
            E::response(&plan.memo, &translated)?
        };
        record.first_byte();
        let body = match ticket {
            Some(ticket) => ticket.keep(record, body),
            None => body.into(),
        };
        let mut response = Response::new(body.into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        add_usage(headers, record);
        add_call_headers(headers, record);
        Ok(Answer::Whole(response))
    }

    async fn stream<E: Endpoint>(
        mut self,
        rounds: Rounds<E>,
        plan: Plan<E::Memo>,
        ticket: Option<Ticket>,
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
            problem = &mut self.ending => return Err(problem.into()),
        };
        let begun = match begun {
            Some(Err(trouble)) => return Err(refusal(&self.gateway, trouble, record).await),
            Some(Ok(answered)) => Some(note_answered(record, &self.gateway, answered)),
            None => None,
        };
        let Self {
            gateway,
            takes_trailers,
            ending,
        } = self;
        Ok(Answer::Stream(Box::new(move |record| {
            let mut headers = HeaderMap::new();
            add_stream_headers(&mut headers);
            if takes_trailers {
                headers.insert(
                    TRAILER,
                    HeaderValue::from_static("x-token-usage-input, x-token-usage-output"),
                );
            }
            add_call_headers(&mut headers, &record);
            let body = match begun {
                Some(answered) => EventBody::<E>::open(gateway, answered, record, (takes_trailers, ending)),
                None => EventBody::<E>::waiting(gateway, sending, memo, record, (takes_trailers, ending)),
            };
            let body = body.kept_by(ticket);
            let mut response = Response::new(axum::body::Body::new(body));
            *response.headers_mut() = headers;
            response
        })))
    }
}

/// What a client is told of calls that came to nothing.
async fn refusal(gateway: &Arc<Gateway>, trouble: Trouble, record: &mut Record) -> Refusal {
    match trouble {
        Trouble::Problem(problem) => problem.into(),
        Trouble::NoRoom(no_room) => gateway.no_room(&no_room, record).into(),
        Trouble::Failure(failed) => {
            record.lane = failed.lane;
            record.region = failed.region.unwrap_or_else(|| gateway.client.region().to_owned());
            let refusal = gateway.refusal(&failed.failure, &failed.model_id, record).await;
            match failed.about {
                Some(part) => refusal.about(&part),
                None => refusal,
            }
        }
    }
}

/// What a plan asks for.
fn calls<'a, M>(plan: &'a Plan<M>, target: Option<&'a Target>) -> Calls<'a> {
    let of_each = plan.choices / (1 + plan.further_bodies.len());
    let bodies = std::iter::once(&plan.body).chain(&plan.further_bodies);
    Calls {
        target,
        model_id: &plan.model_id,
        size: plan.size,
        bodies: bodies.map(|body| (body, of_each as u64)).collect(),
        asks: Billed::default(),
        is_stream: plan.streams,
    }
}

/// Lets the caller in, and reads what it sends.
pub(crate) async fn receive(
    gateway: &Gateway,
    head: &Parts,
    body: axum::body::Body,
    takes: Takes,
    path_model: Option<String>,
) -> Result<(Bytes, Caller), Problem> {
    let config = &gateway.config;
    let admitted = match tenants::admit(gateway, head).await {
        Ok(admitted) => admitted,
        Err(problem) => {
            body::discard(head, body, config).await;
            return Err(problem);
        }
    };
    let body = body::read(head, body, takes, config).await?;
    let guardrail = caller::guardrail(&head.headers)?;
    if let Some(tenant) = &admitted.tenant {
        tenant.check_guardrail(guardrail.is_some())?;
    }
    let caller = Caller {
        path_model,
        key: admitted.key,
        tenant: admitted.tenant,
        user: admitted.user,
        guardrail,
        on_unsupported: caller::on_unsupported(&head.headers)?,
        session: caller::session(&head.headers),
        patience: caller::patience(&head.headers)?,
        login: None,
    };
    Ok((body, caller))
}

/// The body of a reply that came as a whole.
pub(crate) fn whole_body(reply: &Reply) -> Option<&Bytes> {
    match &reply.body {
        ReplyBody::Whole(body) => Some(body),
        ReplyBody::Stream(_) => None,
    }
}

/// What is known of a request that begins.
pub(crate) fn new_record(gateway: &Gateway, head: &Parts) -> Record {
    let id = head
        .extensions
        .get::<RequestId>()
        .map_or(HeaderValue::from_static(""), |id| id.0.clone());
    Record::new(id, head.method.clone(), head.uri.path(), Instant::now()).counted_by(&gateway.metrics)
}

/// Notes what a plan has decided.
pub(crate) fn note_plan<M>(record: &mut Record, gateway: &Gateway, plan: &Plan<M>) {
    record.model.clone_from(&plan.model_id);
    record.route = plan.wire.route();
    record.region = region_of(gateway, plan.region.as_deref());
    record.adapted = plan.notes.to_string();
}

/// The region that a plan names, or the gateway's own.
pub(crate) fn region_of(gateway: &Gateway, region: Option<&str>) -> String {
    region.unwrap_or_else(|| gateway.client.region()).to_owned()
}

/// Notes what an answer that has begun tells of itself. The record holds on to its calls for as long as it is written.
pub(crate) fn note_answered<M>(record: &mut Record, gateway: &Gateway, mut answered: Answered<M>) -> Answered<M> {
    // The calls may have been planned anew.
    note_plan(record, gateway, &answered.plan);
    note_replies(record, &answered.replies);
    record.is_changed = answered.is_changed;
    record.hold(std::mem::take(&mut answered.holds));
    answered
}

/// The most of AWS's request ids that one answer shows: a batch of texts can be two thousand calls, and clients don't read
/// headers of any length.
const MAX_SHOWN_IDS: usize = 16;

/// Notes what the calls' replies tell of themselves.
pub(crate) fn note_replies(record: &mut Record, replies: &[Reply]) {
    let ids: Vec<&str> = replies.iter().filter_map(|reply| reply.request_id.as_deref()).collect();
    record.aws_request_id = ids[..ids.len().min(MAX_SHOWN_IDS)].join(", ");
    if ids.len() > MAX_SHOWN_IDS {
        let more = ids.len() - MAX_SHOWN_IDS;
        record.aws_request_id.push_str(&format!(", and {more} more"));
    }
    record.attempts = replies.iter().map(|reply| reply.attempts).sum();
    record.served = replies
        .first()
        .map_or_else(Served::default, |reply| reply.tokens.served);
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

/// The tokens of all calls.
pub(crate) fn add_usage(headers: &mut HeaderMap, record: &Record) {
    headers.insert(X_TOKEN_USAGE_INPUT, record.usage.prompt_tokens().into());
    headers.insert(X_TOKEN_USAGE_OUTPUT, record.usage.output_tokens.into());
}

/// What was asked, and of whom.
pub(crate) fn add_call_headers(headers: &mut HeaderMap, record: &Record) {
    for (name, value) in [
        (X_BEDROCK_MODEL, &record.model),
        (X_AMZN_REQUESTID, &record.aws_request_id),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if let Some(cached) = record.cache {
        cached.add_header(headers);
    }
    add_route(headers, record);
}

/// How the request was translated, and where its calls went, which is worth knowing of a failed one, too.
pub(crate) fn add_route(headers: &mut HeaderMap, record: &Record) {
    if !record.route.is_empty() {
        headers.insert(X_OUTCROP_ROUTE, HeaderValue::from_static(record.route));
    }
    if let Some(limits) = record.rate_limits() {
        rate_limit_headers(&limits, headers);
    }
    if let Some(own) = &record.limit_headers {
        own.add_to(headers);
    }
    if record.attempts > 0 {
        headers.insert(X_OUTCROP_ATTEMPTS, record.attempts.into());
    }
    let is_asked = record.attempts > 0 || record.lane.is_some();
    if let (true, Ok(region)) = (is_asked, HeaderValue::from_str(&record.region)) {
        headers.insert(X_BEDROCK_REGION, region);
    }
    if let (false, Ok(value)) = (record.adapted.is_empty(), HeaderValue::from_str(&record.adapted)) {
        headers.insert(X_OUTCROP_ADAPTED, value);
    }
}
