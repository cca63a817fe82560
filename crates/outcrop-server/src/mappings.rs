//! `GET /v1/mappings`: what names mean, and why.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use outcrop_translate::catalogue::{Api, Catalogue, Word as _};
use outcrop_translate::resolve::{Asked, Purpose, Step, Target, Unresolved};
use outcrop_translate::{Problem, openai};
use serde_json::{Value, json};

use crate::exchange::Gateway;
use crate::{access, error};

/// Answers with the steps of one name, `?name=…`, or with all names that are known.
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match answer(&gateway, &headers, query.as_deref().unwrap_or_default()).await {
        Ok(body) => {
            let mut response = Response::new(body.to_string().into());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

async fn answer(gateway: &Gateway, headers: &HeaderMap, query: &str) -> Result<Value, Problem> {
    access::admit(headers, &gateway.config)?;
    let (mut name, mut provider, mut purpose) = (None, None, Purpose::Chat);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "name" | "model" => name = Some(value.into_owned()),
            "provider" => provider = Some(value.into_owned()),
            "type" => {
                purpose = match value.as_ref() {
                    "chat" => Purpose::Chat,
                    "embedding" => Purpose::Embedding,
                    "image" => Purpose::Image,
                    _ => return Err(unknown_type()),
                }
            }
            _ => {}
        }
    }
    match name {
        Some(name) => {
            let asked = Asked {
                name: &name,
                provider: provider.as_deref(),
                model_id: None,
                purpose,
            };
            let target = gateway.resolve(&asked).await?;
            let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
            let policy = gateway.config.policies.resolve(&names, target.is_opaque, None);
            Ok(mapping(
                &gateway.config.catalogue,
                &name,
                &target,
                Some(gateway.client.region()),
                policy.bedrock_api,
            ))
        }
        None => Ok(all(gateway, provider.as_deref())),
    }
}

fn unknown_type() -> Problem {
    Problem::invalid("Invalid 'type': expected 'chat', 'embedding' or 'image'.")
        .with_code("invalid_value")
        .with_param("type")
}

impl Gateway {
    /// The model that is meant; what must be looked up for it is.
    pub(crate) async fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Problem> {
        let resolve = || self.names.resolve(asked, &self.config, self.client.region());
        let resolved = match resolve() {
            Err(Unresolved::LookUp(arn)) => {
                self.names.look_up(&self.client, &arn).await;
                resolve()
            }
            resolved => resolved,
        };
        resolved.map_err(|unresolved| match unresolved {
            Unresolved::Problem(problem) => problem,
            Unresolved::LookUp(_) => Problem::invalid("What is behind the model's ARN can't be told."),
        })
    }
}

/// One name with its steps. `region` is the gateway's own, where that is known; `wanted` the API that the operator wants
/// the model to be asked by.
pub fn mapping(catalogue: &Catalogue, name: &str, target: &Target, region: Option<&str>, wanted: Option<Api>) -> Value {
    let model = target.base_id.as_deref().and_then(|base_id| catalogue.model(base_id));
    let steps: Vec<Value> = target.steps.iter().map(step).collect();
    let apis = model.map_or(&[Api::Converse][..], |model| &model.apis);
    let is_imported = target.format.is_some();
    let answers = |api: &Api| apis.contains(api) || (is_imported && *api == Api::Invoke);
    let usual = if is_imported {
        Some(Api::Invoke)
    } else {
        apis.first().copied()
    };
    let api = target.api.or(wanted).filter(answers).or(usual);
    json!({
        "object": "mapping",
        "name": name,
        "model_id": target.model_id,
        "base_model": target.base_id,
        "provider": model.map(|model| model.provider.as_str()),
        "region": target.region.as_deref().or(region),
        "bedrock_api": api.map(Api::name),
        "prompt_format": target.format,
        "thinking": target.thinks,
        "steps": steps,
    })
}

fn step(step: &Step) -> Value {
    json!({"step": step.rule, "result": step.result, "why": step.why})
}

/// All names that can be listed: aliases, short names, ids.
fn all(gateway: &Gateway, provider: Option<&str>) -> Value {
    let (catalogue, rules) = (&gateway.config.catalogue, &gateway.config.names);
    let meant = |name: &str| {
        let asked = Asked {
            name,
            ..Asked::default()
        };
        let target = gateway.names.resolve(&asked, &gateway.config, gateway.client.region());
        target.ok().map(|target| target.model_id.clone())
    };
    let row = |name: &str, kind: &str, model: Option<String>| json!({"object": "mapping", "name": name, "model_id": model, "kind": kind});
    let mut rows = Vec::new();
    if provider.is_none() {
        for alias in &rules.aliases {
            let mut row = row(alias.name.as_str(), "alias", meant(&alias.model));
            if !alias.name.is_exact()
                && let Some(members) = row.as_object_mut()
            {
                members.insert("pattern".to_owned(), json!(true));
            }
            rows.push(row);
        }
        for (name, default) in [
            ("(unknown chat models)", &rules.default_model),
            ("(unknown embedding models)", &rules.default_embedding_model),
            ("(unknown image models)", &rules.default_image_model),
        ] {
            if let Some(default) = default {
                rows.push(row(name, "default", meant(default)));
            }
        }
    }
    let wanted = |id: &str| provider.is_none_or(|provider| id.eq_ignore_ascii_case(provider));
    for model in catalogue.models().filter(|model| wanted(&model.provider)) {
        for name in &model.short_names {
            rows.push(row(name, "short_name", meant(name)));
            let thinking = format!("{name}-Thinking");
            if catalogue.thinks(&model.id) && catalogue.by_short_name(&thinking).is_none() {
                rows.push(row(&thinking, "short_name", meant(&thinking)));
            }
        }
        rows.push(row(&model.id, "id", meant(&model.id)));
    }
    json!({"object": "list", "data": rows})
}
