//! What a policy is made of.

use outcrop_server::{Api, OnUnsupported, PromptCaching, StreamMode, Trace};
use serde_json::{Value, json};

use super::words::words;
use crate::settings::kind::{Invalid, Kind, Raw};

/// The longest guardrail id (botocore 1.44.5, `GuardrailIdentifier`).
const LONGEST_ID: usize = 2048;

words! {
    OnUnsupported: "`adapt` or `reject`", "adapt|reject", {
        Adapt = "adapt",
        Reject = "reject",
    }
    PromptCaching: "`off`, `explicit` or `auto`", "off|explicit|auto", {
        Off = "off",
        Explicit = "explicit",
        Auto = "auto",
    }
    Api: "`converse`, `invoke` or `openai`", "converse|invoke|openai", {
        Converse = "converse",
        Invoke = "invoke",
        OpenAi = "openai",
    }
    Trace: "`disabled`, `enabled` or `enabled_full`", "disabled|enabled|enabled_full", {
        Disabled = "disabled",
        Enabled = "enabled",
        EnabledFull = "enabled_full",
    }
    StreamMode: "`sync` or `async`", "sync|async", {
        Sync = "sync",
        Async = "async",
    }
}

/// The id or ARN of a guardrail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuardrailId(String);

impl GuardrailId {
    /// As Bedrock is told.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for GuardrailId {
    const EXPECTED: &'static str = "the id or ARN of a guardrail";
    const PLACEHOLDER: &'static str = "ID";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let is_id = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !text.is_empty() && text.bytes().all(fits)
        };
        let is_arn = || {
            let parts: Vec<&str> = text.splitn(6, ':').collect();
            let [arn, _, service, _, _, resource] = parts[..] else {
                return false;
            };
            arn == "arn" && service == "bedrock" && resource.strip_prefix("guardrail/").is_some_and(is_id)
        };
        if text.len() <= LONGEST_ID && (is_id(text) || is_arn()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

/// The version of a guardrail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuardrailVersion(String);

impl GuardrailVersion {
    /// As Bedrock is told.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for GuardrailVersion {
    const EXPECTED: &'static str = "a version such as `1`, or `DRAFT`";
    const PLACEHOLDER: &'static str = "VERSION";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let is_number = text.len() <= 8 && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        if text == "DRAFT" || (is_number && !text.is_empty()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Text(text) => Self::from_text(text),
            Raw::Integer(number) => Self::from_text(&number.to_string()),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }

    fn schema() -> Value {
        json!({ "oneOf": [
            { "type": "string", "pattern": "^([1-9][0-9]{0,7}|DRAFT)?$" },
            { "type": "integer", "minimum": 1, "maximum": 99_999_999 },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guardrail_has_an_id_or_an_arn() {
        for good in [
            "gr1",
            "abcdefghij0123456789",
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123",
            "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:guardrail/abc123",
        ] {
            assert_eq!(GuardrailId::from_text(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "My Guardrail",
            "ABC",
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/",
            "arn:aws:s3:::guardrail/abc",
            "arn:aws:bedrock:us-east-1:123456789012:agent/abc",
        ] {
            assert!(GuardrailId::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_a_number_or_the_draft() {
        for good in ["1", "12345678", "DRAFT"] {
            assert_eq!(GuardrailVersion::from_text(good).unwrap().as_str(), good);
        }
        assert_eq!(GuardrailVersion::from_file(&Raw::Integer(3)).unwrap().as_str(), "3");
        for bad in ["", "0", "01", "-1", "1.0", "draft", "latest", "123456789"] {
            assert!(GuardrailVersion::from_text(bad).is_err(), "{bad}");
        }
        assert!(GuardrailVersion::from_file(&Raw::Integer(-3)).is_err());
    }
}
