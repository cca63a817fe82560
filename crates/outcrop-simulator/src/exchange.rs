//! One request, from its first byte to its answer: recorded, admitted, checked, answered.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

pub(crate) use crate::answer::{Answer, request_id};

use crate::access::{Access, Caller, Signed, denied};
use crate::body::{Broken, Content, Outgoing};
use crate::models::{ACCOUNT, Catalogue};
use crate::refusal::{Refusal, default_message};
use crate::route::Route;
use crate::script::{Marked, Script};
use crate::services;
use crate::socket::Reset;
use crate::state::State;
use crate::visit::Visit;
use crate::world::{Asked, Stop, World};
use crate::{
    Config, Scenario, converse, count_tokens, foundation_models, guardrail, inference_profiles, introspection, invoke,
    rerank,
};

/// What Bedrock reads at most.
const MAX_BODY_BYTES: usize = 25_000_000;

/// What all exchanges share.
pub(crate) struct Shared {
    access: Access,
    pub(crate) catalogue: Catalogue,
    pub(crate) pace: Duration,
    pub(crate) first_byte: Duration,
    scenario: Scenario,
    pub(crate) state: Arc<State>,
    pub(crate) world: Arc<World>,
}

impl Shared {
    pub(crate) fn new(config: Config, state: Arc<State>, world: Arc<World>) -> Shared {
        let own = config.api_keys.into_iter().map(|key| (key, ACCOUNT.to_owned()));
        let api_keys = own.chain(config.foreign_api_keys).collect();
        Shared {
            catalogue: Catalogue::new(&config.region).with(Arc::clone(&state.created)),
            access: Access::new(config.region, config.credentials, api_keys),
            pace: config.pace,
            first_byte: config.first_byte,
            scenario: config.scenario.unwrap_or_default(),
            state,
            world,
        }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// What the scenario asks for about a call; the first rule that matches and takes this number decides.
    pub(crate) fn scripted(&self, operation: &str, model: &str, prompt: &str) -> Vec<crate::Action> {
        let mut chosen = None;
        for (index, rule) in self.scenario.rules.iter().enumerate() {
            if rule.matches(operation, model, prompt) {
                let call = self.state.rule_call(index);
                if chosen.is_none() && rule.takes(call) {
                    chosen = Some(rule.actions_on(call));
                }
            }
        }
        chosen.unwrap_or_default()
    }

    /// Does what the scenario, and markers in a text, ask for about a call that isn't a conversation: waits, or refuses.
    pub(crate) async fn follow(&self, operation: &str, model: &str, text: &str) -> Result<(), Refusal> {
        let marked = Marked::read(text).map_err(|error| Refusal::validation(error.to_string()))?;
        let script = Script::new(self.scripted(operation, model, text).into_iter().chain(marked.actions));
        if let Some(delay) = script.delay {
            tokio::time::sleep(delay).await;
        }
        let refused = script
            .counts_attempts()
            .then(|| script.error_at(self.state.attempt(model, text)).cloned());
        refused.flatten().map_or(Ok(()), Err)
    }
}

/// Answers one request; an error breaks the connection, as was asked for.
pub(crate) async fn run(
    shared: Arc<Shared>,
    reset: Reset,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Broken> {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix("/_simulator/").map(str::to_owned) {
        let body = read(body).await.unwrap_or_default();
        let answer = introspection::answer(&shared, &parts.method, &path, &body);
        return Ok(answer.into_response(|content, _| Outgoing::new(content, reset, None, None)));
    }
    let call = shared.state.begin();
    let answer = answer(&shared, parts, body).await;
    match answer.content {
        Content::Reset => {
            call.finish();
            reset.ask();
            Err(Broken)
        }
        // No one wakes us; the connection is dropped when the client has had enough.
        Content::Silence => std::future::pending().await,
        _ => Ok(answer.into_response(|content, hold| Outgoing::new(content, reset, Some(call), hold))),
    }
}

async fn answer(shared: &Arc<Shared>, mut parts: Parts, body: Incoming) -> Answer {
    let body = read(body).await;
    // HTTP/2 has the host in its pseudo-header, and signatures cover it under its old name.
    if let (false, Some(authority)) = (parts.headers.contains_key(HOST), parts.uri.authority())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(HOST, host);
    }
    let empty = Bytes::new();
    let received = body.as_ref().unwrap_or(&empty);
    if let Some(call) = services::Call::find(&parts, received) {
        shared.state.record(Some(call.operation()), &parts, received);
        return call.answer(shared, &parts, received).await;
    }
    let route = Route::find(&parts.method, parts.uri.path());
    shared
        .state
        .record(route.as_ref().map(Route::operation), &parts, received);
    let answered = match (route, body) {
        (None, _) => Err(Refusal::new(
            "UnknownOperationException",
            "The requested operation is not recognized by the service.",
        )),
        (_, Err(refusal)) => Err(refusal),
        (Some(route), Ok(body)) => operate(shared, &route, &parts, &body).await,
    };
    answered.unwrap_or_else(|refusal| Answer::refusal(&refusal))
}

async fn operate(shared: &Shared, route: &Route, parts: &Parts, body: &Bytes) -> Result<Answer, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let signed = Signed {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query,
        headers: &parts.headers,
        body,
    };
    let caller = shared.access.admit(&signed, SystemTime::now())?;
    if route.is_of_control_plane() {
        caller.may_look_up(route.operation())?;
    }
    let visit = match enter(shared, caller, route, body).await {
        Ok(visit) => visit,
        Err(Stop::Refusal(refusal)) => return Err(refusal),
        Err(Stop::Html) => return Ok(Answer::html(StatusCode::SERVICE_UNAVAILABLE)),
        Err(Stop::Reset) => return Ok(Answer::none(Content::Reset)),
        Err(Stop::Silence) => return Ok(Answer::none(Content::Silence)),
    };
    let shared = &visit;
    match route {
        Route::Converse { model } => converse::answer(shared, model, body, converse::Mode::Whole).await,
        Route::ConverseStream { model } => converse::answer(shared, model, body, converse::Mode::Stream).await,
        Route::InvokeModel { model } => invoke::answer(shared, model, parts, body, converse::Mode::Whole).await,
        Route::InvokeModelWithResponseStream { model } => {
            invoke::answer(shared, model, parts, body, converse::Mode::Stream).await
        }
        Route::ChatCompletions => invoke::chat(shared, parts, body).await,
        Route::Rerank => {
            let found = rerank::answer(&shared.catalogue, body)?;
            let (model, query) = rerank::asked(body);
            shared.follow("Rerank", &model, &query).await?;
            Ok(Answer::json(&found))
        }
        Route::ApplyGuardrail { identifier, version } => {
            let found = guardrail::apply::answer(shared.catalogue.region(), identifier, version, body)?;
            shared.follow("ApplyGuardrail", identifier, &found.text).await?;
            Ok(Answer::json(&found.answer))
        }
        Route::InvokeGuardrailChecks => {
            let found = guardrail::checks::answer(body)?;
            shared.follow("InvokeGuardrailChecks", "", &found.text).await?;
            Ok(Answer::json(&found.answer))
        }
        other => {
            let script = Script::new(shared.scripted(other.operation(), "", ""));
            if let Some(delay) = script.delay {
                tokio::time::sleep(delay).await;
            }
            // Nothing tells these calls apart but their number, which the rule has counted.
            if let Some(refusal) = script.error_at(1) {
                return Err(match is_plain_denial(refusal) && other.is_of_control_plane() {
                    true => denied(other.operation()),
                    false => refusal.clone(),
                });
            }
            look_up(shared, other, query, body)
        }
    }
}

/// Lets a call in, as late as its region is slow, unless there is an outage.
async fn enter<'a>(shared: &'a Shared, caller: Caller, route: &Route, body: &Bytes) -> Result<Visit<'a>, Stop> {
    let in_body;
    let model = match route {
        Route::ChatCompletions => {
            in_body = parse(body)
                .ok()
                .and_then(|body| Some(body.get("model")?.as_str()?.to_owned()));
            in_body.as_deref().unwrap_or_default()
        }
        route => route.model(),
    };
    let asked = Asked {
        region: shared.catalogue.region(),
        account: &caller.account,
        operation: route.operation(),
        model,
    };
    let latency = shared.world.latencies.of(asked);
    // Who asks a model waits once its quota is reserved.
    if let (false, Some(wait)) = (route.asks_a_model(), latency.first_byte) {
        tokio::time::sleep(wait).await;
    }
    match shared.world.outages.stop(asked) {
        Some(stop) => Err(stop),
        None => Ok(Visit {
            shared,
            caller,
            latency,
        }),
    }
}

/// The operations that are answered at once.
fn look_up(shared: &Shared, route: &Route, query: &str, body: &Bytes) -> Result<Answer, Refusal> {
    let catalogue = &shared.catalogue;
    let found = match route {
        Route::CountTokens { model } => count_tokens::answer(catalogue, model, body)?,
        Route::ListFoundationModels => foundation_models::list(catalogue, query)?,
        Route::GetFoundationModel { id } => foundation_models::one(catalogue, id)?,
        Route::ListInferenceProfiles => inference_profiles::list(catalogue, query)?,
        Route::GetInferenceProfile { id } => inference_profiles::one(catalogue, id)?,
        Route::CreateInferenceProfile => {
            let mut answer = Answer::json(&inference_profiles::create(catalogue, body)?);
            answer.status = StatusCode::CREATED;
            return Ok(answer);
        }
        Route::DeleteInferenceProfile { id } => inference_profiles::delete(catalogue, id)?,
        Route::Lookup(lookup) => lookup.answer(catalogue, query)?,
        Route::Converse { .. }
        | Route::ConverseStream { .. }
        | Route::InvokeModel { .. }
        | Route::InvokeModelWithResponseStream { .. }
        | Route::ChatCompletions
        | Route::Rerank
        | Route::ApplyGuardrail { .. }
        | Route::InvokeGuardrailChecks => Value::Null,
    };
    Ok(Answer::json(&found))
}

/// If a script asks for a denial without saying how it is worded.
fn is_plain_denial(refusal: &Refusal) -> bool {
    refusal.exception == "AccessDeniedException" && refusal.message == default_message("AccessDeniedException")
}

/// The JSON in a body.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Refusal> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Refusal::validation(
            "Malformed input request, please reformat your input and try again.",
        )),
    }
}

/// Reads a body to its end, even one that is too long: a client that is still sending hears no answer.
async fn read(mut body: Incoming) -> Result<Bytes, Refusal> {
    let mut read = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Refusal::validation("The request body ended too early."));
        };
        if let Ok(bytes) = frame.into_data() {
            length += bytes.len();
            if length <= MAX_BODY_BYTES {
                read.extend_from_slice(&bytes);
            }
        }
    }
    match length <= MAX_BODY_BYTES {
        true => Ok(read.freeze()),
        false => Err(Refusal::new(
            "RequestEntityTooLargeException",
            "Request Entity Too Large",
        )),
    }
}
