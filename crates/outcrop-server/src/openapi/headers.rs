//! The headers that requests may have and answers have, as OpenAPI has them.

use serde_json::{Map, Value, json};

/// Headers of answers: name, schema, what they tell.
fn known() -> [(&'static str, Value, &'static str); 20] {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let time = || json!({"type": "string", "pattern": "^[0-9hms.]+$"});
    [
        (
            REQUEST_ID,
            text(),
            "The id of the request, as in the log: the client's own, if it sent one.",
        ),
        ("X-Bedrock-Model", text(), "What Bedrock was asked: an id or an ARN."),
        (
            "X-Bedrock-Region",
            text(),
            "The region that has answered; of an error, whose error it is.",
        ),
        (
            "X-Outcrop-Attempts",
            count(),
            "Calls that were made, those that failed included.",
        ),
        ("X-Outcrop-Route", text(), "Which of Bedrock's APIs was asked."),
        (
            "X-Outcrop-Adapted",
            text(),
            "What became of parameters that the model doesn't have, if anything was changed.",
        ),
        (
            "X-Token-Usage-Input",
            count(),
            "Tokens that were read, where Bedrock tells; of a stream, in its trailer.",
        ),
        (
            "X-Token-Usage-Output",
            count(),
            "Tokens that were written, where Bedrock tells; of a stream, in its trailer.",
        ),
        (
            "X-Outcrop-Cache",
            json!({"enum": ["hit", "miss"]}),
            "Whether the answer was given before, where one was looked for.",
        ),
        ("Age", count(), "How many seconds ago it was given, if it was."),
        (
            "x-ratelimit-limit-requests",
            count(),
            "Requests a minute that the account may make of the model, where that is known.",
        ),
        (
            "x-ratelimit-remaining-requests",
            count(),
            "Requests that are left of them.",
        ),
        (
            "x-ratelimit-reset-requests",
            time(),
            "When all of them are there again, such as `1m30s`.",
        ),
        (
            "x-ratelimit-limit-tokens",
            count(),
            "Tokens a minute, where that is known.",
        ),
        ("x-ratelimit-remaining-tokens", count(), "Tokens that are left of them."),
        (
            "x-ratelimit-reset-tokens",
            time(),
            "When all of them are there again, such as `120ms`.",
        ),
        ("Retry-After", count(), "After how many seconds to try again."),
        (
            "X-Should-Retry",
            json!({"enum": ["true", "false"]}),
            "`false` if the gateway has tried several times already, so that SDKs don't try again.",
        ),
        (
            "ETag",
            text(),
            "What to send as `If-None-Match` to get no more than news.",
        ),
        ("X-Outcrop-Warning", text(), "What can't be told, and why."),
    ]
}

const REQUEST_ID: &str = "X-Request-ID";
/// What is told of a call, whether it was answered or not.
const OF_CALLS: [&str; 11] = [
    "X-Bedrock-Model",
    "X-Bedrock-Region",
    "X-Outcrop-Attempts",
    "X-Outcrop-Route",
    "X-Outcrop-Adapted",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];
/// What the answer to a call tells besides.
const OF_ANSWERS: [&str; 4] = ["X-Token-Usage-Input", "X-Token-Usage-Output", "X-Outcrop-Cache", "Age"];
/// Statuses of requests that never became a call.
const NEVER_CALLED: [&str; 5] = ["401", "405", "408", "413", "415"];
/// What the lists of models tell.
const OF_LISTS: [&str; 2] = ["ETag", "X-Outcrop-Warning"];

/// `components.headers` of the document.
pub(super) fn components() -> Value {
    let headers = known().into_iter().map(|(name, schema, description)| {
        let mut header = json!({"description": description, "schema": schema});
        if name == REQUEST_ID {
            header["required"] = true.into();
        }
        (name.to_owned(), header)
    });
    Value::Object(headers.collect())
}

/// The headers of an answer with this status. `calls` says whether Bedrock was asked for it, `tagged` whether it is a list
/// that can be known already.
pub(super) fn of_response(status: &str, calls: bool, tagged: bool) -> Value {
    let mut names = vec![REQUEST_ID];
    match status {
        "200" if calls => names.extend(OF_CALLS.iter().chain(&OF_ANSWERS)),
        "200" | "304" if tagged => names.extend(OF_LISTS),
        _ if calls && !NEVER_CALLED.contains(&status) => {
            names.extend(OF_CALLS);
            names.push("X-Should-Retry");
        }
        _ => {}
    }
    if matches!(status, "429" | "503") {
        names.push("Retry-After");
    }
    let referred = names
        .into_iter()
        .map(|name| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")})));
    Value::Object(referred.collect::<Map<_, _>>())
}

/// The headers that say how a call is to be made.
pub(super) fn of_requests() -> Vec<Value> {
    let timeout = "How many seconds the client waits: for the beginning of a stream, or all of another answer. All tries and \
                   fallbacks end by then, with status 504.";
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "description": description, "schema": schema});
    vec![
        header(
            "X-Outcrop-On-Unsupported",
            "Whether what the model can't do is made up for or left out, or the request is refused; the gateway's setting if not given.",
            json!({"enum": ["adapt", "reject"]}),
        ),
        header(
            "X-Session-Id",
            "The conversation, which stays with one target of a route, so that the prompt cache there stays warm.",
            json!({"type": "string"}),
        ),
        header("X-Outcrop-Timeout", timeout, seconds()),
        header(
            "X-LiteLLM-Timeout",
            "LiteLLM's name for `X-Outcrop-Timeout`, which counts more.",
            seconds(),
        ),
    ]
}

fn seconds() -> Value {
    json!({"type": "number", "exclusiveMinimum": 0})
}

/// The header that asks for news only.
pub(super) fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an answer that the client has: it isn't sent again.",
        "schema": {"type": "string"},
    })
}
