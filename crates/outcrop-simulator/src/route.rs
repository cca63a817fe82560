//! Which operation a method and a path name.

use http::Method;

use crate::lookups::Lookup;
use crate::uri;

/// An operation that the simulator speaks, with what its path names.
#[derive(Debug, PartialEq)]
pub(crate) enum Route {
    Converse {
        model: String,
    },
    ConverseStream {
        model: String,
    },
    InvokeModel {
        model: String,
    },
    InvokeModelWithResponseStream {
        model: String,
    },
    /// OpenAI's own, which the service model doesn't have.
    ChatCompletions,
    CountTokens {
        model: String,
    },
    ApplyGuardrail {
        identifier: String,
        version: String,
    },
    InvokeGuardrailChecks,
    /// The agent runtime's.
    Rerank,
    ListFoundationModels,
    GetFoundationModel {
        id: String,
    },
    ListInferenceProfiles,
    GetInferenceProfile {
        id: String,
    },
    CreateInferenceProfile,
    DeleteInferenceProfile {
        id: String,
    },
    Lookup(Lookup),
}

impl Route {
    /// Reads a path as sent: ids are percent-encoded in it, so that an ARN is one segment.
    pub(crate) fn find(method: &Method, path: &str) -> Option<Route> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let decoded = |segment: &str| uri::decode(segment).filter(|decoded| !decoded.is_empty());
        match (method, segments.as_slice()) {
            (&Method::POST, ["model", model, "converse"]) => Some(Route::Converse { model: decoded(model)? }),
            (&Method::POST, ["model", model, "converse-stream"]) => {
                Some(Route::ConverseStream { model: decoded(model)? })
            }
            (&Method::POST, ["model", model, "invoke"]) => Some(Route::InvokeModel { model: decoded(model)? }),
            (&Method::POST, ["model", model, "invoke-with-response-stream"]) => {
                Some(Route::InvokeModelWithResponseStream { model: decoded(model)? })
            }
            (&Method::POST, ["openai", "v1", "chat", "completions"]) => Some(Route::ChatCompletions),
            (&Method::POST, ["model", model, "count-tokens"]) => Some(Route::CountTokens { model: decoded(model)? }),
            (&Method::POST, ["guardrail", identifier, "version", version, "apply"]) => Some(Route::ApplyGuardrail {
                identifier: decoded(identifier)?,
                version: decoded(version)?,
            }),
            (&Method::POST, ["guardrail-checks", "invoke"]) => Some(Route::InvokeGuardrailChecks),
            (&Method::POST, ["rerank"]) => Some(Route::Rerank),
            (&Method::GET, ["foundation-models"]) => Some(Route::ListFoundationModels),
            (&Method::GET, ["foundation-models", id]) => Some(Route::GetFoundationModel { id: decoded(id)? }),
            (&Method::GET, ["inference-profiles"]) => Some(Route::ListInferenceProfiles),
            (&Method::GET, ["inference-profiles", id]) => Some(Route::GetInferenceProfile { id: decoded(id)? }),
            (&Method::POST, ["inference-profiles"]) => Some(Route::CreateInferenceProfile),
            (&Method::DELETE, ["inference-profiles", id]) => Some(Route::DeleteInferenceProfile { id: decoded(id)? }),
            (method, segments) => Lookup::find(method, segments).map(Route::Lookup),
        }
    }

    /// If it is the control plane's, which lists and describes, and calls no model.
    pub(crate) fn is_of_control_plane(&self) -> bool {
        matches!(
            self,
            Route::ListFoundationModels
                | Route::GetFoundationModel { .. }
                | Route::ListInferenceProfiles
                | Route::GetInferenceProfile { .. }
                | Route::CreateInferenceProfile
                | Route::DeleteInferenceProfile { .. }
                | Route::Lookup(_)
        )
    }

    /// If a model is to answer it.
    pub(crate) fn asks_a_model(&self) -> bool {
        matches!(
            self,
            Route::Converse { .. }
                | Route::ConverseStream { .. }
                | Route::InvokeModel { .. }
                | Route::InvokeModelWithResponseStream { .. }
                | Route::ChatCompletions
        )
    }

    /// The model that its path names, if it is asked something.
    pub(crate) fn model(&self) -> &str {
        match self {
            Route::Converse { model }
            | Route::ConverseStream { model }
            | Route::InvokeModel { model }
            | Route::InvokeModelWithResponseStream { model }
            | Route::CountTokens { model } => model,
            _ => "",
        }
    }

    /// Its name in the service model.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Route::Converse { .. } => "Converse",
            Route::ConverseStream { .. } => "ConverseStream",
            Route::InvokeModel { .. } => "InvokeModel",
            Route::InvokeModelWithResponseStream { .. } => "InvokeModelWithResponseStream",
            Route::ChatCompletions => "ChatCompletions",
            Route::CountTokens { .. } => "CountTokens",
            Route::ApplyGuardrail { .. } => "ApplyGuardrail",
            Route::InvokeGuardrailChecks => "InvokeGuardrailChecks",
            Route::Rerank => "Rerank",
            Route::ListFoundationModels => "ListFoundationModels",
            Route::GetFoundationModel { .. } => "GetFoundationModel",
            Route::ListInferenceProfiles => "ListInferenceProfiles",
            Route::GetInferenceProfile { .. } => "GetInferenceProfile",
            Route::CreateInferenceProfile => "CreateInferenceProfile",
            Route::DeleteInferenceProfile { .. } => "DeleteInferenceProfile",
            Route::Lookup(lookup) => lookup.operation(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_decoded() {
        let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fa.b-v1%3A0/converse";
        let model = "arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0".to_owned();
        assert_eq!(Route::find(&Method::POST, path), Some(Route::Converse { model }));
        let bare = Route::find(&Method::POST, "/model/a.b-v1:0/converse");
        assert_eq!(
            bare,
            Some(Route::Converse {
                model: "a.b-v1:0".to_owned()
            })
        );
    }

    #[test]
    fn operations_are_told_apart() {
        let operation = |path| Route::find(&Method::POST, path).map(|route| route.operation());
        assert_eq!(operation("/model/a/invoke"), Some("InvokeModel"));
        assert_eq!(
            operation("/model/a/invoke-with-response-stream"),
            Some("InvokeModelWithResponseStream")
        );
        assert_eq!(operation("/rerank"), Some("Rerank"));
        assert_eq!(operation("/guardrail/a/version/1/apply"), Some("ApplyGuardrail"));
        assert_eq!(operation("/openai/v1/chat/completions"), Some("ChatCompletions"));
    }

    #[test]
    fn other_paths_are_no_operation() {
        for path in ["/", "/model/a/b/converse", "/model//converse", "/v1/models"] {
            assert_eq!(Route::find(&Method::POST, path), None, "{path}");
        }
        assert_eq!(Route::find(&Method::GET, "/model/a/converse"), None);
    }
}
