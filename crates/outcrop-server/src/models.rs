//! `GET /v1/models`: what can be asked.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use outcrop_translate::{Problem, ProblemKind, openai};
use outcrop_upstream::{Client, Error};
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
type Listed = Result<Arc<Vec<Value>>, Problem>;

impl ModelList {
    async fn all(&self, client: &Client) -> Listed {
        let mut kept = self.0.lock().await;
        if let Some((asked, listed)) = &*kept
            && asked.elapsed() < if listed.is_ok() { FRESH } else { FAILED }
        {
            return listed.clone();
        }
        let listed = ask(client).await.map(Arc::new).map_err(|error| {
            tracing::warn!(%error, "models could not be listed");
            error::of_error(&error)
        });
        *kept = Some((Instant::now(), listed.clone()));
        listed
    }
}

impl ModelList {
    /// The inference profiles through which `model` can be called; none if they can't be listed.
    pub(crate) async fn profiles_of(&self, client: &Client, model: &str) -> Vec<String> {
        let Ok(Ok(models)) = tokio::time::timeout(HINT_PATIENCE, self.all(client)).await else {
            return Vec::new();
        };
        let ids = models.iter().filter_map(|listed| listed["id"].as_str());
        let is_profile = |id: &&str| id.split_once('.').is_some_and(|(_, behind)| behind == model);
        ids.filter(is_profile).map(ToOwned::to_owned).collect()
    }
}

async fn ask(client: &Client) -> Result<Vec<Value>, Error> {
    let (foundation, profiles) =
        futures_util::future::try_join(client.list_foundation_models(), client.list_inference_profiles()).await?;
    let created = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let on_demand = foundation
        .iter()
        .filter(|model| model.inference_types_supported.iter().any(|kind| kind == "ON_DEMAND"))
        .map(|model| model.model_id.as_str());
    let ids = on_demand.chain(profiles.iter().map(|profile| profile.inference_profile_id.as_str()));
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let object = |id: &str| json!({"id": id, "object": "model", "created": created, "owned_by": "bedrock"});
    Ok(ids.into_iter().map(object).collect())
}

/// `GET /v1/models`
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    match models(&gateway, &headers).await {
        Ok(models) => {
            let models: Vec<Value> = models
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
        models.iter().find(|model| model["id"] == id).cloned().ok_or_else(|| {
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

async fn models(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Vec<Value>>, Problem> {
    access::admit(headers, &gateway.config)?;
    gateway.models.all(&gateway.client).await
}

fn answer(body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
