//! The headers that requests may have and answers have, as OpenAPI has them.

use serde_json::{Map, Value, json};

/// Headers of answers: name, schema, what they tell.
fn known() -> [(&'static str, Value, &'static str); 11] {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    [
        (
            REQUEST_ID,
            text(),
            "The id of the request, as in the log: the client's own, if it sent one.",
        ),
        ("X-Bedrock-Model", text(), "What Bedrock was asked: an id or an ARN."),
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
        ("Retry-After", count(), "After how many seconds to try again."),
        (
            "ETag",
            text(),
            "What to send as `If-None-Match` to get no more than news.",
        ),
        ("X-Outcrop-Warning", text(), "What can't be told, and why."),
    ]
}

const REQUEST_ID: &str = "X-Request-ID";
/// What the answer to a call tells beside its body.
const OF_CALLS: [&str; 7] = [
    "X-Bedrock-Model",
    "X-Outcrop-Route",
    "X-Outcrop-Adapted",
    "X-Token-Usage-Input",
    "X-Token-Usage-Output",
    "X-Outcrop-Cache",
    "Age",
];
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
        "200" if calls => names.extend(OF_CALLS),
        "200" | "304" if tagged => names.extend(OF_LISTS),
        "429" | "503" => names.push("Retry-After"),
        _ => {}
    }
    let referred = names
        .into_iter()
        .map(|name| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")})));
    Value::Object(referred.collect::<Map<_, _>>())
}

/// The header that says what is to become of what a model can't do.
pub(super) fn on_unsupported() -> Value {
    json!({
        "name": "X-Outcrop-On-Unsupported",
        "in": "header",
        "description": "Whether what the model can't do is made up for or left out, or the request is refused; the gateway's setting if not given.",
        "schema": {"enum": ["adapt", "reject"]},
    })
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
