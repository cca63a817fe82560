//! API keys.

use std::fmt;

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind, Raw, Shape};

/// What stands in place of a secret.
const MASK: &str = "********";

/// A key that clients show. Neither `Debug` nor [`Kind::show`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    /// The key itself, for those that compare or send it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Err(Invalid::because("a key is empty, which would let anyone in"))
        } else if text == MASK {
            Err(Invalid::because(
                "a key is the mask that `outcrop config print` shows in place of keys",
            ))
        } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::because(
                "a key has a character that can't stand in an HTTP header: only visible ASCII can",
            ))
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Kind for ApiKey {
    const EXPECTED: &'static str = "a key";
    const PLACEHOLDER: &'static str = "KEY";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }

    fn show(&self) -> Option<Value> {
        Some(json!(MASK))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[!-~]+$" })
    }
}

impl Kind for Vec<ApiKey> {
    const EXPECTED: &'static str = "a list of keys";
    const PLACEHOLDER: &'static str = "KEY,…";
    const SHAPE: Shape = Shape::List;
    const SECRET: bool = true;

    /// Empty text is one empty key, not an empty list: a variable that a platform forgot to fill must not open the
    /// door.
    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.split(',').map(|key| ApiKey::parse(key.trim())).collect()
    }

    fn from_default(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Ok(Vec::new())
        } else {
            Self::from_text(text)
        }
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        let Raw::List(items) = value else {
            return Err(Invalid::kind());
        };
        items
            .iter()
            .map(|item| match item {
                Raw::Text(key) => ApiKey::parse(key),
                _ => Err(Invalid::because("a key is not a string")),
            })
            .collect()
    }

    fn show(&self) -> Option<Value> {
        Some(self.iter().map(|_| json!(MASK)).collect())
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "type": "string", "pattern": "^[!-~]+$" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_keys() {
        let keys = Vec::<ApiKey>::from_text("sk-a, sk-b").unwrap();
        assert_eq!(keys.iter().map(ApiKey::expose).collect::<Vec<_>>(), ["sk-a", "sk-b"]);
    }

    #[test]
    fn an_empty_key_is_refused_wherever_it_hides() {
        for bad in ["", " ", "sk-a,", ",sk-a", "sk-a,,sk-b"] {
            assert!(Vec::<ApiKey>::from_text(bad).is_err(), "{bad:?}");
        }
        assert!(Vec::<ApiKey>::from_file(&Raw::List(vec![Raw::Text(String::new())])).is_err());
    }

    #[test]
    fn the_mask_is_no_key() {
        assert!(Vec::<ApiKey>::from_text(MASK).is_err());
    }

    #[test]
    fn a_key_never_shows() {
        let keys = Vec::<ApiKey>::from_text("sk-a").unwrap();
        assert_eq!(
            format!("{keys:?} {:?}", keys.show()),
            r#"[********] Some(Array [String("********")])"#
        );
    }
}
