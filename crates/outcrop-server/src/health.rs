//! Whether the gateway is alive, and whether it can do its work.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use outcrop_upstream::Error;
use serde_json::{Value, json};

use crate::exchange::Gateway;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Response {
    answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// `GET /readyz`: credentials can be had and Bedrock can be reached; if not, why.
pub(crate) async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let region = gateway.client.region();
    if gateway.ending.is_cancelled() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "stopping", "region": region}),
        );
    }
    match gateway.client.check().await {
        Ok(()) => answer(StatusCode::OK, &json!({"status": "ready", "region": region})),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let failed = match error {
                Error::Credentials(_) => "credentials",
                _ => "upstream",
            };
            let why = json!({"status": "not ready", "region": region, "failed": failed, "reason": error.to_string()});
            answer(StatusCode::SERVICE_UNAVAILABLE, &why)
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
