//! Which endpoint a request was for, whatever its path begins with.

/// An endpoint that asks models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metered {
    /// Its path at OpenAI.
    pub(crate) endpoint: &'static str,
    /// What OpenAI's usage API counts it as.
    pub(crate) operation: &'static str,
}

/// Endpoints by the ends of their paths, longer ones first. Those that only count tokens cost nothing.
const ENDPOINTS: [(&str, &str); 9] = [
    ("/v1/chat/completions", "completions"),
    ("/v1/completions", "completions"),
    ("/v1/embeddings", "embeddings"),
    ("/v1/images/generations", "images"),
    ("/v1/images/edits", "images"),
    ("/v1/images/variations", "images"),
    ("/v1/moderations", "moderations"),
    ("/v2/rerank", "rerank"),
    ("/v1/rerank", "rerank"),
];

impl Metered {
    /// The endpoint of a path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let exact = ENDPOINTS.iter().find(|(endpoint, _)| *endpoint == path);
        let found = exact.or_else(|| {
            let ends = |endpoint: &str| path.ends_with(endpoint.get("/v1".len()..).unwrap_or(endpoint));
            ENDPOINTS.iter().find(|(endpoint, _)| ends(endpoint))
        });
        found.map(|&(endpoint, operation)| Self { endpoint, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_by_their_ends() {
        for (path, endpoint, operation) in [
            ("/v1/chat/completions", "/v1/chat/completions", "completions"),
            (
                "/openai/deployments/m/chat/completions",
                "/v1/chat/completions",
                "completions",
            ),
            ("/completions", "/v1/completions", "completions"),
            ("/api/v1/embeddings", "/v1/embeddings", "embeddings"),
            ("/v2/rerank", "/v2/rerank", "rerank"),
        ] {
            assert_eq!(Metered::of(path), Some(Metered { endpoint, operation }), "{path}");
        }
        for path in [
            "/v1/models",
            "/v1/chat/completions/input_tokens",
            "/utils/token_counter",
        ] {
            assert_eq!(Metered::of(path), None, "{path}");
        }
        assert_eq!(Metered::of("/rerank").map(|metered| metered.operation), Some("rerank"));
    }
}
