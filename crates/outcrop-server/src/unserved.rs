//! Paths that nothing here serves, and the nearest thing that does.

use http::Method;

/// Endpoints of OpenAI's and others' that Bedrock has nothing for, by their first words, and what there is instead.
///
/// Source of the paths: OpenAI's API description, and Anthropic's and Cohere's API references, read 2026-11.
const UNSERVED: &[(&str, &str)] = &[
    ("assistants", CHAT),
    (
        "audio",
        "Send audio to a model that hears it, as 'input_audio' to /v1/chat/completions",
    ),
    (
        "audio/speech",
        "No model on Bedrock is served that speaks; /v1/chat/completions answers with text",
    ),
    (
        "batches",
        "Send requests to /v1/chat/completions one by one; several run side by side",
    ),
    ("chat", CHAT),
    (
        "chat/completions/",
        "Completions are not stored; send a new one to /v1/chat/completions",
    ),
    ("chatkit", CHAT),
    ("containers", CHAT),
    ("conversations", CHAT),
    (
        "engines",
        "The models are listed at /v1/models; name one as 'model' to /v1/chat/completions",
    ),
    ("evals", CHAT),
    (
        "files",
        "Files are not stored; send images and documents along, with /v1/chat/completions",
    ),
    ("fine-tunes", TUNING),
    ("fine_tuning", TUNING),
    ("generate", CHAT),
    ("messages", CHAT),
    (
        "organization",
        "What the gateway lets whom do is in its settings; it serves /v1/models",
    ),
    (
        "projects",
        "What the gateway lets whom do is in its settings; it serves /v1/models",
    ),
    ("realtime", "Use /v1/chat/completions with 'stream'"),
    ("responses", CHAT),
    ("skills", CHAT),
    ("threads", CHAT),
    (
        "uploads",
        "Files are not stored; send images and documents along, with /v1/chat/completions",
    ),
    (
        "usage",
        "What a request has cost is in its answer's 'usage' and in the headers X-Token-Usage-Input and -Output",
    ),
    (
        "vector_stores",
        "Make vectors with /v1/embeddings and rank documents with /v1/rerank",
    ),
    ("videos", "Pictures are made by /v1/images/generations"),
];

const CHAT: &str = "Use /v1/chat/completions";
const TUNING: &str = "Customize models in Amazon Bedrock; then they are in /v1/models";

/// As alike as a misspelt path must be to what was meant, of 1.
const LIKENESS: f64 = 0.75;

/// What to say of a path that nothing serves; `served` are the paths that something does, without their prefixes. The
/// path itself is the client's, and not repeated.
pub(crate) fn message(method: &Method, path: &str, served: &[String]) -> String {
    let method = known_method(method);
    let path = without_prefix(path);
    let near = served
        .iter()
        .map(|known| {
            (
                strsim::normalized_levenshtein(path, known.trim_start_matches('/')),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let begins = |words: &str| {
        let rest = path.strip_prefix(words);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || words.ends_with('/'))
    };
    // The more words fit, the better.
    let unserved = UNSERVED
        .iter()
        .filter(|(words, _)| begins(words))
        .max_by_key(|(words, _)| words.len());
    match (unserved, near) {
        (_, Some((_, known))) => format!("Unknown request URL: no such path takes {method}. Did you mean /v1{known}?"),
        (Some((words, advice)), None) => {
            let words = words.trim_end_matches('/');
            format!("Unknown request URL: /v1/{words} is not served here. {advice}.")
        }
        (None, None) => format!(
            "Unknown request URL: no such path takes {method}. What is served is described at /v1/openapi.json and, to \
             read, at /docs."
        ),
    }
}

/// What is left of a path without what stands before the names of endpoints, and without the slash at its end.
fn without_prefix(path: &str) -> &str {
    let path = path.trim_matches('/');
    for prefix in ["api/v1/", "openai/v1/", "v1/", "v2/", "v1beta/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return rest;
        }
    }
    let deployment = path.strip_prefix("openai/deployments/");
    deployment
        .and_then(|rest| Some(rest.split_once('/')?.1))
        .unwrap_or(path)
}

/// A method that can be repeated to the client: any other could be anything.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "this method",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served() -> Vec<String> {
        ["/chat/completions", "/embeddings", "/models"]
            .map(ToOwned::to_owned)
            .to_vec()
    }

    #[test]
    fn the_nearest_thing_is_named() {
        for (path, expected) in [
            (
                "/v1/responses",
                "/v1/responses is not served here. Use /v1/chat/completions.",
            ),
            ("/v1/audio/speech", "speaks"),
            ("/v1/audio/transcriptions", "'input_audio'"),
            ("/v1/files/file-1/content", "/v1/files is not served here"),
            ("/v1/chat/completions/chatcmpl-1", "not stored"),
            ("/v1/vector_stores", "/v1/embeddings"),
            (
                "/v1/threads/t/messages",
                "/v1/threads is not served here. Use /v1/chat/completions.",
            ),
            ("/openai/deployments/m/responses", "Use /v1/chat/completions."),
            ("/v1/embedding", "Did you mean /v1/embeddings?"),
            ("/v1/chat/completion", "Did you mean /v1/chat/completions?"),
            ("/api/v1/model", "Did you mean /v1/models?"),
            ("/v1/something", "/v1/openapi.json"),
            ("/", "/v1/openapi.json"),
        ] {
            let message = message(&Method::POST, path, &served());
            assert!(message.contains(expected), "{path}: {message}");
        }
    }

    #[test]
    fn a_path_is_not_repeated() {
        let message = message(&Method::GET, "/v1/secret-key-123", &served());
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn the_words_are_in_order() {
        assert!(UNSERVED.is_sorted_by_key(|(words, _)| words));
    }
}
