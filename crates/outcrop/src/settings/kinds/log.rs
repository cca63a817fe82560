//! What to log, and how.

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::settings::kind::{Invalid, Kind};

/// A filter in `tracing`'s syntax that has been parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// Warnings and errors only.
    pub(crate) fn quiet() -> Self {
        Self("warn".to_owned())
    }

    /// The filter as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for LogFilter {
    const EXPECTED: &'static str = "a log filter such as `info` or `warn,outcrop_upstream=debug`";
    const PLACEHOLDER: &'static str = "FILTER";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::kind());
        }
        // A lone word that is no level would be taken for the name of a module, and silence everything else.
        for directive in text.split(',') {
            let level = directive.trim().to_ascii_lowercase();
            let is_level = ["off", "error", "warn", "info", "debug", "trace"].contains(&level.as_str());
            if !is_level && !directive.contains(['=', '[', ':']) && !directive.trim().starts_with("outcrop") {
                return Err(Invalid::because(
                    "a level is `off`, `error`, `warn`, `info`, `debug` or `trace`",
                ));
            }
        }
        EnvFilter::try_new(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|error| Invalid::because(error.to_string()))
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text.
    Text,
    /// A JSON object for each line.
    Json,
}

impl Kind for LogFormat {
    const EXPECTED: &'static str = "`auto`, `text` or `json`";
    const PLACEHOLDER: &'static str = "auto|text|json";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }))
    }

    fn schema() -> Value {
        json!({ "enum": ["auto", "text", "json"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for good in [
            "info",
            "WARN",
            "warn,outcrop_upstream=debug",
            "off,hyper::proto=trace",
            "outcrop_server",
        ] {
            assert!(LogFilter::from_text(good).is_ok(), "{good}");
        }
        for bad in ["", "inf", "warning", "info,outcrop=loud", "info,,"] {
            assert!(LogFilter::from_text(bad).is_err(), "{bad}");
        }
    }
}
