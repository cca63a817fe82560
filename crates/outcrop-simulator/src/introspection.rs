//! `/_simulator/…`: what a test may ask, and change, without a signature.

use http::{Method, StatusCode};
use serde_json::json;

use crate::exchange::{Answer, Shared};

/// Where scripted redirects lead.
pub(crate) const REDIRECTED: &str = "/_simulator/redirected";

pub(crate) fn answer(shared: &Shared, method: &Method, path: &str, body: &[u8]) -> Answer {
    let (state, world) = (&shared.state, &shared.world);
    match (method, path) {
        (&Method::GET, "state") => {
            let mut snapshot = state.snapshot();
            snapshot["throttled"] = world.quotas.refused();
            Answer::json(&snapshot)
        }
        (&Method::DELETE, "state") => {
            state.reset();
            world.quotas.reset();
            Answer::json(&json!({}))
        }
        (_, "redirected") => {
            state.count_redirect();
            Answer::json(&json!({"message": "No one should have followed this redirect."}))
        }
        (&Method::GET, kind) => world.shown(kind).map_or_else(nothing, |shown| Answer::json(&shown)),
        (&Method::PUT, kind) => match world.replace(kind, body) {
            Some(Ok(())) => Answer::json(&world.shown(kind).unwrap_or_else(|| json!({}))),
            Some(Err(error)) => told(StatusCode::BAD_REQUEST, &error.to_string()),
            None => nothing(),
        },
        (&Method::DELETE, kind @ ("quotas" | "outages" | "latencies")) => {
            // An empty list is always right.
            let _ = world.replace(kind, b"[]");
            Answer::json(&json!({}))
        }
        _ => nothing(),
    }
}

fn nothing() -> Answer {
    told(StatusCode::NOT_FOUND, "There is nothing here.")
}

fn told(status: StatusCode, message: &str) -> Answer {
    let mut answer = Answer::json(&json!({"message": message}));
    answer.status = status;
    answer
}
