//! Metrics for CloudWatch.

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind};

/// What AWS Lambda's runtime sets in each function.
const OF_LAMBDA: [&str; 2] = ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME"];

/// Whether requests leave lines of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emf {
    /// In a Lambda function.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Emf {
    /// Whether they do here.
    pub(crate) fn is_on(self) -> bool {
        match self {
            Self::Auto => OF_LAMBDA.into_iter().any(|name| std::env::var_os(name).is_some()),
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl Kind for Emf {
    const EXPECTED: &'static str = "`auto`, `on` or `off`";
    const PLACEHOLDER: &'static str = "auto|on|off";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }))
    }

    fn schema() -> Value {
        json!({ "enum": ["auto", "on", "off"] })
    }
}

/// The namespace of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricNamespace(String);

impl MetricNamespace {
    /// Its name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for MetricNamespace {
    const EXPECTED: &'static str = "a namespace of CloudWatch: letters, digits and `. - _ / # :`, not AWS's own";
    const PLACEHOLDER: &'static str = "NAME";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || ".-_/#:".contains(letter);
        let is_good = (1..=255).contains(&text.len()) && text.chars().all(fits);
        if is_good && !text.starts_with("AWS/") && !text.starts_with(':') {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_those_that_cloudwatch_takes() {
        for good in ["Outcrop", "acme/gateway-1", "a.b_c#d"] {
            assert_eq!(MetricNamespace::from_text(good).unwrap().as_str(), good);
        }
        for bad in ["", "AWS/Lambda", ":a", "two words", "grün"] {
            assert!(MetricNamespace::from_text(bad).is_err(), "{bad}");
        }
    }
}
