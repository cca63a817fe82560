//! `/_simulator/…`: what a test may ask, without a signature.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use crate::exchange::Answer;
use crate::state::State;

/// Where scripted redirects lead.
pub(crate) const REDIRECTED: &str = "/_simulator/redirected";

pub(crate) fn answer(state: &Arc<State>, method: &Method, path: &str) -> Answer {
    match (method, path) {
        (&Method::GET, "state") => Answer::json(&state.snapshot()),
        (&Method::DELETE, "state") => {
            state.reset();
            Answer::json(&json!({}))
        }
        (_, "redirected") => {
            state.count_redirect();
            Answer::json(&json!({"message": "No one should have followed this redirect."}))
        }
        _ => {
            let mut answer = Answer::json(&json!({"message": "There is nothing here."}));
            answer.status = StatusCode::NOT_FOUND;
            answer
        }
    }
}
