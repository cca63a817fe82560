//! How a Lambda function answers.

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind};

/// How answers are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LambdaResponse {
    /// As whoever hands requests over takes them, as far as that shows.
    Auto,
    /// Piece by piece.
    Stream,
    /// As a whole.
    Buffer,
}

impl Kind for LambdaResponse {
    const EXPECTED: &'static str = "`auto`, `stream` or `buffer`";
    const PLACEHOLDER: &'static str = "auto|stream|buffer";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "auto" => Ok(Self::Auto),
            "stream" => Ok(Self::Stream),
            "buffer" => Ok(Self::Buffer),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(match self {
            Self::Auto => "auto",
            Self::Stream => "stream",
            Self::Buffer => "buffer",
        }))
    }

    fn schema() -> Value {
        json!({ "enum": ["auto", "stream", "buffer"] })
    }
}
