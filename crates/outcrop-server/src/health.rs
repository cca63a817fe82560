//! Whether the gateway is alive, and whether it can do its work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use futures_util::future::{join_all, join3};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use outcrop_upstream::Error;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::exchange::Gateway;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Response {
    answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// Time for the credentials of an account; one that is slow to give them is told as having none.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(3);

/// `GET /readyz`: credentials can be had and Bedrock can be reached; if not, why. A gateway that was told to stop is
/// not ready, whatever it still answers.
pub(crate) async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let region = gateway.client.region();
    if gateway.leaving.is_cancelled() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "stopping", "region": region}),
        );
    }
    let (accounts, checked) = check(&gateway).await;
    let mut told = json!({"region": region});
    if !accounts.is_empty() {
        told["accounts"] = accounts.into();
    }
    match checked {
        Ok(()) => {
            told["status"] = "ready".into();
            answer(StatusCode::OK, &told)
        }
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let failed = match error {
                Error::Credentials(_) => "credentials",
                _ => "upstream",
            };
            told["status"] = "not ready".into();
            told["failed"] = failed.into();
            told["reason"] = error.to_string().into();
            answer(StatusCode::SERVICE_UNAVAILABLE, &told)
        }
    }
}

/// How it is with each account that routes name, and whether requests can be answered. An account without credentials
/// is told, but as long as others have some, the gateway is of use: all of its instances would go at once.
async fn check(gateway: &Gateway) -> (Map<String, Value>, Result<(), Error>) {
    let client = &gateway.client;
    let targets: Vec<_> = gateway.router.routes().flat_map(|route| &route.targets).collect();
    // A gateway whose targets all have accounts may have no credentials of its own.
    let needs_own = targets.is_empty() || targets.iter().any(|target| target.account.is_none());
    let names: BTreeSet<&str> = targets.iter().filter_map(|target| target.account.as_deref()).collect();
    let asking = names.into_iter().map(|name| async move {
        let checked = timeout(ACCOUNT_TIMEOUT, client.check_credentials(Some(name))).await;
        let checked = checked.unwrap_or_else(|_| Err(Error::Credentials(format!("account '{name}': nothing in time"))));
        (name, checked)
    });
    let own = async {
        match needs_own {
            true => client.check_credentials(None).await,
            false => Ok(()),
        }
    };
    let (own, endpoint, accounts) = join3(own, client.check_endpoint(), join_all(asking)).await;
    let (mut told, mut failed, mut has_any) = (Map::new(), None, needs_own);
    for (name, checked) in accounts {
        let word = match checked {
            Ok(()) => {
                has_any = true;
                "ready"
            }
            Err(error) => {
                tracing::warn!(account = name, %error, "an account is not ready");
                failed.get_or_insert(error);
                "no credentials"
            }
        };
        told.insert(name.to_owned(), word.into());
    }
    let accounts = match failed {
        Some(error) if !has_any => Err(error),
        _ => Ok(()),
    };
    (told, own.and(accounts).and(endpoint))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
