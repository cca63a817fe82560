//! Names of models.

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind};

/// A model, by any name that clients may use. Whether there is one is for the catalogue to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelName(String);

impl ModelName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for ModelName {
    const EXPECTED: &'static str = "the name of a model such as `us.amazon.nova-lite-v1:0`";
    const PLACEHOLDER: &'static str = "MODEL";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.trim() != text || text.contains(char::is_control) {
            return Err(Invalid::kind());
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

/// A model of vectors, likewise. What they are for may stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmbeddingModelName(ModelName);

impl EmbeddingModelName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Kind for EmbeddingModelName {
    const EXPECTED: &'static str = "the name of a model such as `amazon.titan-embed-text-v2:0`";
    const PLACEHOLDER: &'static str = ModelName::PLACEHOLDER;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        ModelName::from_text(text).map(Self)
    }

    fn show(&self) -> Option<Value> {
        self.0.show()
    }
}
