//! `GET /v1/openapi.json` and `GET /docs`: what is served, for programs and for people.
//!
//! Each endpoint describes itself beside its code (`Endpoint::DESCRIPTION`, `Task::DESCRIPTION`, or a file in this
//! folder for the gateway's own); the table of routes says at which paths. What all have in common, security and errors,
//! is added here.

mod document;
mod headers;
mod page;

use std::sync::{Arc, OnceLock};

use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// Descriptions of the gateway's own endpoints.
pub(crate) mod own {
    /// `/healthz`
    pub(crate) const HEALTHZ: &str = include_str!("healthz.json");
    /// `/readyz`
    pub(crate) const READYZ: &str = include_str!("readyz.json");
    /// `/metrics`
    pub(crate) const METRICS: &str = include_str!("metrics.json");
    /// `/v1/mappings`
    pub(crate) const MAPPINGS: &str = include_str!("mappings.json");
    /// `/v1/models`
    pub(crate) const MODELS: &str = include_str!("models.json");
    /// `/v1/models/{model}`
    pub(crate) const MODEL: &str = include_str!("model.json");
    /// `/v1/images/{name}`
    pub(crate) const IMAGE: &str = include_str!("image.json");
    /// `/v1/providers`
    pub(crate) const PROVIDERS: &str = include_str!("providers.json");
    /// `/v1/auth/session`
    pub(crate) const SESSION: &str = include_str!("session.json");
    /// `/v1/usage`
    pub(crate) const USAGE: &str = include_str!("usage.json");
    /// `/v1/usage/records`
    pub(crate) const USAGE_RECORDS: &str = include_str!("usage_records.json");
    /// `/v1/organization/usage/completions`
    pub(crate) const USAGE_COMPLETIONS: &str = include_str!("usage_completions.json");
    /// `/v1/organization/usage/embeddings`
    pub(crate) const USAGE_EMBEDDINGS: &str = include_str!("usage_embeddings.json");
    /// `/v1/organization/usage/moderations`
    pub(crate) const USAGE_MODERATIONS: &str = include_str!("usage_moderations.json");
    /// `/v1/organization/usage/images`
    pub(crate) const USAGE_IMAGES: &str = include_str!("usage_images.json");
    /// `/v1/organization/costs`
    pub(crate) const COSTS: &str = include_str!("costs.json");
    /// `/v1/openapi.json`
    pub(crate) const OPENAPI: &str = include_str!("openapi.json");
    /// `/docs`
    pub(crate) const DOCS: &str = include_str!("docs.json");
}

/// One operation of the API.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// In small letters.
    pub(crate) method: &'static str,
    /// The path, with a member in braces for each of its parameters.
    pub(crate) path: String,
    /// JSON: `document::MEMBERS` names its members.
    pub(crate) description: std::borrow::Cow<'static, str>,
}

/// The description of the API, made when it is first asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenApi {
    operations: Arc<Vec<Operation>>,
    document: Arc<OnceLock<Bytes>>,
    page: Arc<OnceLock<Bytes>>,
}

impl OpenApi {
    pub(crate) fn new(operations: Vec<Operation>) -> Self {
        Self {
            operations: Arc::new(operations),
            ..Self::default()
        }
    }

    /// `GET /v1/openapi.json`
    pub(crate) fn document(&self) -> Response {
        let document = self.document.get_or_init(|| {
            let document = document::of(&self.operations);
            Bytes::from(document.to_string())
        });
        respond(document, "application/json")
    }

    /// `GET /docs`
    pub(crate) fn page(&self) -> Response {
        let page = self
            .page
            .get_or_init(|| Bytes::from(page::of(&document::of(&self.operations))));
        let mut response = respond(page, "text/html; charset=utf-8");
        // The page says all it has to say: nothing is fetched, run or framed.
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        response
    }
}

fn respond(body: &Bytes, content_type: &'static str) -> Response {
    let mut response = Response::new(body.clone().into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
