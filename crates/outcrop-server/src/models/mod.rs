//! `GET /v1/models`: what can be asked.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use outcrop_translate::resolve::Listing;
use outcrop_translate::{Problem, ProblemKind, openai};
use outcrop_upstream::{Client, Error, FoundationModel, InferenceProfile};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::exchange::Gateway;
use crate::learned::Learned;
use crate::{access, error};

/// Lists change with AWS's launches; a few minutes late is early enough.
const FRESH: Duration = Duration::from_secs(300);

/// A failure is remembered for this long, so that those who wait don't each wait for another one.
const FAILED: Duration = Duration::from_secs(5);
/// As long as a refusal waits for the list, which only makes it more helpful.
const HINT_PATIENCE: Duration = Duration::from_secs(2);

/// The models of the account, asked for once in a while. The lock is held while Bedrock is asked, so that it is asked
/// once; chat completions don't need it.
#[derive(Debug, Default)]
pub(crate) struct ModelList(Mutex<Option<(Instant, Listed)>>);

/// What Bedrock answered the last time.
type Listed = Result<Arc<Models>, Problem>;

/// The models of the account.
#[derive(Debug)]
struct Models {
    /// As clients are told.
    list: Vec<Value>,
    /// As names are resolved by.
    listing: Arc<Listing>,
}

impl ModelList {
    async fn all(&self, gateway: &Gateway) -> Listed {
        let mut kept = self.0.lock().await;
        if let Some((asked, listed)) = &*kept
            && asked.elapsed() < if listed.is_ok() { FRESH } else { FAILED }
        {
            return listed.clone();
        }
        let listed = ask(&gateway.client).await.map(Arc::new).map_err(|error| {
            tracing::warn!(%error, "models could not be listed");
            error::of_error(&error)
        });
        if let Ok(models) = &listed {
            gateway.names.know(Arc::clone(&models.listing));
        }
        *kept = Some((Instant::now(), listed.clone()));
        listed
    }
}

impl ModelList {
    /// The inference profiles through which `model` can be called; none if they can't be listed.
    pub(crate) async fn profiles_of(&self, gateway: &Gateway, model: &str) -> Vec<String> {
        let Ok(Ok(models)) = tokio::time::timeout(HINT_PATIENCE, self.all(gateway)).await else {
            return Vec::new();
        };
        let ids = models.listing.profiles.iter();
        let is_profile = |id: &&String| id.split_once('.').is_some_and(|(_, behind)| behind == model);
        let mut profiles: Vec<String> = ids.filter(is_profile).cloned().collect();
        profiles.sort_unstable();
        profiles
    }

    /// Makes sure that names are resolved by what Bedrock lists, if it lists it in time.
    pub(crate) async fn refresh_names(&self, gateway: &Gateway) {
        let _ = tokio::time::timeout(HINT_PATIENCE, self.all(gateway)).await;
    }
}

async fn ask(client: &Client) -> Result<Models, Error> {
    let (foundation, profiles) =
        futures_util::future::try_join(client.list_foundation_models(), client.list_inference_profiles()).await?;
    let created = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let is_on_demand =
        |model: &&FoundationModel| model.inference_types_supported.iter().any(|kind| kind == "ON_DEMAND");
    let on_demand = foundation
        .iter()
        .filter(is_on_demand)
        .map(|model| model.model_id.as_str());
    // What the account has made is called by its ARN.
    let name = |profile: &'_ InferenceProfile| match profile.r#type.as_str() {
        "APPLICATION" if !profile.inference_profile_arn.is_empty() => profile.inference_profile_arn.clone(),
        _ => profile.inference_profile_id.clone(),
    };
    let named: Vec<String> = profiles.iter().map(name).collect();
    let ids = on_demand.chain(named.iter().map(String::as_str));
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let object = |id: &str| json!({"id": id, "object": "model", "created": created, "owned_by": "bedrock"});
    let list = ids.into_iter().map(object).collect();
    let listing = Listing {
        models: foundation.iter().map(|model| model.model_id.clone()).collect(),
        on_demand: foundation
            .iter()
            .filter(is_on_demand)
            .map(|model| model.model_id.clone())
            .collect(),
        profiles: profiles
            .into_iter()
            .map(|profile| profile.inference_profile_id)
            .collect(),
    };
    Ok(Models {
        list,
        listing: Arc::new(listing),
    })
}

/// `GET /v1/models`
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    match models(&gateway, &headers).await {
        Ok(models) => {
            let models: Vec<Value> = models
                .list
                .iter()
                .map(|model| with_lessons(model.clone(), &gateway.learned))
                .collect();
            answer(&json!({"object": "list", "data": models}))
        }
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

/// `GET /v1/models/{id}`
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let found = models(&gateway, &headers).await.and_then(|models| {
        models
            .list
            .iter()
            .find(|model| model["id"] == id)
            .cloned()
            .ok_or_else(|| {
                Problem::new(
                    404,
                    ProblemKind::InvalidRequest,
                    "The model does not exist, or the account can't call it.",
                )
                .with_code("model_not_found")
                .with_param("model")
            })
    });
    match found {
        Ok(model) => answer(&with_lessons(model, &gateway.learned)),
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

/// A model with what it was found to refuse.
fn with_lessons(mut model: Value, learned: &Learned) -> Value {
    let lessons = model["id"].as_str().map_or_else(Vec::new, |id| learned.of(id));
    if let (false, Some(members)) = (lessons.is_empty(), model.as_object_mut()) {
        let refused: Vec<String> = lessons.iter().map(ToString::to_string).collect();
        members.insert("learned".to_owned(), json!({"refused": refused}));
    }
    model
}

async fn models(gateway: &Gateway, headers: &HeaderMap) -> Listed {
    access::admit(headers, &gateway.config)?;
    gateway.models.all(gateway).await
}

fn answer(body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
