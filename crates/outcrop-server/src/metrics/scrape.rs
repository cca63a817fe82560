//! `GET /metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use outcrop_translate::openai::error_body;
use outcrop_translate::{Problem, ProblemKind};

use super::page::{OPEN_METRICS, PROMETHEUS, Page, wants_open_metrics};
use super::{gauges, process};
use crate::exchange::Gateway;
use crate::{admin, error, tenants};

/// `GET /metrics` at the gateway's own address: for administrators, where keys are asked for.
pub(crate) async fn answer(State(gateway): State<Arc<Gateway>>, head: Parts) -> Response {
    match admit(&gateway, &head).await {
        Ok(()) => apart(&gateway, &head.headers),
        Err(problem) => error::response(&problem, error_body(&problem)),
    }
}

async fn admit(gateway: &Gateway, head: &Parts) -> Result<(), Problem> {
    let is_open = gateway.config.admin_keys.is_empty() && tenants::is_open(gateway, head).await;
    match is_open {
        // Web pages are kept out all the same.
        true => tenants::admit(gateway, head).await.map(drop),
        false => admin::admit_to_metrics(gateway, head).await,
    }
}

/// The same for whoever asks, at an address of its own.
pub(crate) fn apart(gateway: &Gateway, headers: &HeaderMap) -> Response {
    let mut page = Page::default();
    gateway.metrics.tell(&mut page);
    gauges::tell(gateway, &mut page);
    process::tell(&mut page);
    let (written, media_type) = match wants_open_metrics(headers) {
        true => (page.open_metrics(), OPEN_METRICS),
        false => (page.prometheus(), PROMETHEUS),
    };
    let Ok(written) = written else {
        let problem = Problem::new(500, ProblemKind::Server, "The metrics can't be written.");
        return error::response(&problem, error_body(&problem));
    };
    let mut response = Response::new(written.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
