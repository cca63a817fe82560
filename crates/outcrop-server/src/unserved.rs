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
    (
        "content_provenance_checks",
        "Nothing on Bedrock tells where content is from; what is in it is checked by /v1/moderations",
    ),
    ("conversations", CHAT),
    ("embed", "Use /v1/embeddings"),
    (
        "engines",
        "The models are listed at /v1/models; name one as 'model' to /v1/chat/completions or /v1/embeddings",
    ),
    ("evals", CHAT),
    (
        "files",
        "Files are not stored; send images and documents along, with /v1/chat/completions",
    ),
    ("fine-tunes", TUNING),
    ("fine_tuning", TUNING),
    ("generate", CHAT),
    (
        "images",
        "Images are made by /v1/images/generations and changed by /v1/images/edits",
    ),
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
    ("tokenize", "Tokens are counted by /v1/chat/completions/input_tokens"),
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

/// What to say of a path that nothing serves; `served` are the paths that something does. The path itself is the client's,
/// and not repeated.
pub(crate) fn message(method: &Method, path: &str, served: &[String]) -> String {
    let method = known_method(method);
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let typed = words.join("/");
    let path = without_engine(without_prefix(&typed), served);
    let near = near(&typed, path, served);
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
        // What begins in the same way is nearer than what is said of the beginning.
        (Some((words, advice)), near)
            if near.is_none_or(|known| !without_prefix(known.trim_start_matches('/')).starts_with(words)) =>
        {
            let prefix = if typed.starts_with("v2/") { "/v2" } else { "/v1" };
            let words = words.trim_end_matches('/');
            format!("Unknown request URL: {prefix}/{words} is not served here. {advice}.")
        }
        (_, Some(known)) => format!("Unknown request URL: no such path takes {method}. Did you mean {known}?"),
        (_, None) => format!(
            "Unknown request URL: no such path takes {method}. What is served is described at /v1/openapi.json and, to \
             read, at /docs."
        ),
    }
}

/// The path that is served and most like one: without prefixes first, then with them.
fn near<'s>(typed: &str, path: &str, served: &'s [String]) -> Option<&'s str> {
    let alike = |known: &'s String| {
        let known = known.strip_prefix('/')?;
        let likeness = strsim::normalized_levenshtein(path, without_prefix(known));
        let is_alike = likeness >= LIKENESS && !known.contains('{');
        is_alike.then(|| (likeness, strsim::normalized_levenshtein(typed, known)))
    };
    let found = served.iter().filter_map(|known| Some((alike(known)?, known)));
    let nearest = found.max_by(|((a, whole_a), _), ((b, whole_b), _)| a.total_cmp(b).then(whole_a.total_cmp(whole_b)));
    nearest.map(|(_, known)| known.as_str())
}

/// What is left of a path, without the slash before it, behind all that may stand before the names of endpoints.
fn without_prefix(path: &str) -> &str {
    let mut path = path;
    loop {
        let deployment = path.strip_prefix("deployments/").and_then(|rest| rest.split_once('/'));
        let prefixes = ["api/", "openai/", "v1/", "v2/", "v1beta/"];
        let rest = prefixes.into_iter().find_map(|prefix| path.strip_prefix(prefix));
        match deployment.map(|(_, rest)| rest).or(rest) {
            Some(rest) => path = rest,
            None => return path,
        }
    }
}

/// The same of OpenAI's first paths, which named the model, where that is served.
fn without_engine<'p>(path: &'p str, served: &[String]) -> &'p str {
    let named = path.strip_prefix("engines/").and_then(|rest| rest.split_once('/'));
    let is_served = |rest: &str| served.iter().any(|known| known.strip_prefix("/v1/") == Some(rest));
    named
        .map(|(_, rest)| rest)
        .filter(|rest| is_served(rest))
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
        [
            "/v1/chat/completions",
            "/v1/embeddings",
            "/v1/models",
            "/v1/models/{model}",
            "/v1/images/generations",
            "/v1/rerank",
            "/v2/rerank",
            "/docs",
            "/healthz",
        ]
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
            ("/v1/chat/completions/abc", "not stored"),
            ("/v1/chat/completions/chatcmpl-1/messages", "not stored"),
            ("/v1/vector_stores", "/v1/embeddings"),
            (
                "/v1/threads/t/messages",
                "/v1/threads is not served here. Use /v1/chat/completions.",
            ),
            ("/openai/deployments/m/responses", "Use /v1/chat/completions."),
            ("/v1/embedding", "Did you mean /v1/embeddings?"),
            ("/v1/chat/completion", "Did you mean /v1/chat/completions?"),
            ("/api/v1/model", "Did you mean /v1/models?"),
            ("/v1/images/generation", "Did you mean /v1/images/generations?"),
            ("/v1/images", "/v1/images/generations"),
            (
                "/v1//responses",
                "/v1/responses is not served here. Use /v1/chat/completions.",
            ),
            ("/v1//chat/completions", "Did you mean /v1/chat/completions?"),
            ("/v1/v1/models", "Did you mean /v1/models?"),
            ("/openai/model", "Did you mean /v1/models?"),
            ("/openai/responses", "Use /v1/chat/completions."),
            ("/v1/docs", "Did you mean /docs?"),
            ("/docs/", "Did you mean /docs?"),
            ("/v1/healthz", "Did you mean /healthz?"),
            ("/healthz/", "Did you mean /healthz?"),
            ("/v1/reranks", "Did you mean /v1/rerank?"),
            ("/v2/reranks", "Did you mean /v2/rerank?"),
            ("/v1/engines/ada/embeddings", "Did you mean /v1/embeddings?"),
            ("/v1/engines/ada/search", "/v1/engines is not served here."),
            ("/v1/embed", "Use /v1/embeddings."),
            ("/v2/embed", "/v2/embed is not served here. Use /v1/embeddings."),
            ("/v1/chat", "Use /v1/chat/completions."),
            ("/v2/chat", "/v2/chat is not served here. Use /v1/chat/completions."),
            ("/v1/content_provenance_checks", "/v1/moderations"),
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
