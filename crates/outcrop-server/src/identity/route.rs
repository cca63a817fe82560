//! `POST /v1/auth/session`: a key of an hour, for a token that is good once.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use outcrop_translate::{Problem, openai};
use serde_json::json;

use crate::exchange::Gateway;
use crate::{body, error, tenants};

/// Answers with the key of a session.
pub(crate) async fn create_session(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let begun = begin(&gateway, &head).await;
    // All that is said stands in the head.
    body::discard(&head, body, &gateway.config).await;
    match begun {
        Ok(session) => {
            let mut response = Response::new(session.into());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => error::response(&problem, openai::error_body(&problem)),
    }
}

async fn begin(gateway: &Gateway, head: &Parts) -> Result<String, Problem> {
    let admitted = tenants::admit(gateway, head).await?;
    let Some(identity) = admitted.identity.filter(|identity| identity.may_begin_session) else {
        let message = "A session is for an AWS identity: show the token that `outcrop token` makes.";
        return Err(Problem::invalid(message).with_code("no_session"));
    };
    let now = tenants::now();
    let session = gateway.identities.begin_session(&identity, now);
    tracing::info!(user = session.user, login = session.credential_id, "a session begins");
    let told = json!({
        "object": "auth.session",
        "key": session.write(gateway.tenants.pepper()),
        "expires_at": session.expires_at,
        "expires_in": session.expires_at - now,
        "user": session.user,
    });
    Ok(told.to_string())
}
