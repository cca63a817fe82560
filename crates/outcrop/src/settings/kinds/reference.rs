//! Values that may stand elsewhere: in the environment, a file, Secrets Manager, Parameter Store.

use std::fmt;

use outcrop_upstream::Value as Reference;
use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind};

/// What stands in place of a secret.
pub(crate) const MASK: &str = "********";

/// A reference as it stands in a file; `None` for a value that is none.
pub(crate) fn written(value: &Reference) -> Option<String> {
    Some(match value {
        Reference::Literal(_) => return None,
        Reference::Environment(name) => format!("os.environ/{name}"),
        Reference::File(path) => format!("file:{}", path.display()),
        Reference::Secret { id, member: None } => format!("secretsmanager:{id}"),
        Reference::Secret {
            id,
            member: Some(member),
        } => format!("secretsmanager:{id}#{member}"),
        Reference::Parameter(name) => format!("ssm:{name}"),
    })
}

/// A value or a reference to one. A `SECRET` one never shows its value; where it is, it does.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Referable<const SECRET: bool>(Reference);

/// Such as an access key.
pub(crate) type SecretValue = Referable<true>;
/// Such as the ARN of a role.
pub(crate) type PlainValue = Referable<false>;

impl<const SECRET: bool> Referable<SECRET> {
    /// What it refers to.
    pub(crate) fn value(&self) -> &Reference {
        &self.0
    }

    /// For whoever reads it.
    pub(crate) fn into_value(self) -> Reference {
        self.0
    }
}

impl<const SECRET: bool> fmt::Debug for Referable<SECRET> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const SECRET: bool> Kind for Referable<SECRET> {
    const EXPECTED: &'static str = "text, or where it stands, such as `os.environ/NAME`";
    const PLACEHOLDER: &'static str = "VALUE";
    const SECRET: bool = SECRET;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::because("it is empty"));
        }
        if SECRET && text == MASK {
            return Err(Invalid::because(
                "it is the mask that `outcrop config print` shows in place of secrets",
            ));
        }
        if text.contains(char::is_control) {
            return Err(Invalid::because("it has a control character in it"));
        }
        Reference::parse(text).map(Self).map_err(Invalid::because)
    }

    fn show(&self) -> Option<Value> {
        Some(match &self.0 {
            Reference::Literal(text) if !SECRET => json!(text),
            value => json!(written(value).unwrap_or_else(|| MASK.to_owned())),
        })
    }

    fn schema() -> Value {
        let mut schema = json!({ "type": "string", "minLength": 1 });
        if SECRET {
            schema["writeOnly"] = json!(true);
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_shows_and_a_secret_does_not() {
        for reference in [
            "os.environ/KEY",
            "file:/run/key",
            "secretsmanager:keys#bedrock",
            "secretsmanager:keys",
            "ssm:/prod/key",
        ] {
            let read = SecretValue::from_text(reference).unwrap();
            assert_eq!(read.show(), Some(json!(reference)));
        }
        let environment = SecretValue::from_text("${KEY}").unwrap();
        assert_eq!(environment.show(), Some(json!("os.environ/KEY")));
        let secret = SecretValue::from_text("hush").unwrap();
        assert!(!format!("{secret:?}{:?}", secret.show()).contains("hush"));
        assert_eq!(PlainValue::from_text("role").unwrap().show(), Some(json!("role")));
        assert!(SecretValue::from_text(MASK).is_err());
    }
}
