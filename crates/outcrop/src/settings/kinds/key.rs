//! API keys.

use std::fmt;

use outcrop_upstream::Value as Reference;
use serde_json::{Value, json};

use super::reference::{MASK, written};
use crate::settings::kind::{Invalid, Kind, Raw, Shape};

/// A key that clients show, or where it stands. Neither `Debug` nor [`Kind::show`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(Reference);

impl ApiKey {
    /// For whoever reads it at the start.
    pub(crate) fn value(&self) -> &Reference {
        &self.0
    }

    /// Whether it stands elsewhere.
    pub(crate) fn is_reference(&self) -> bool {
        !matches!(self.0, Reference::Literal(_))
    }

    /// What keeps text from being a key.
    pub(crate) fn flaw(text: &str) -> Option<&'static str> {
        if text.is_empty() {
            Some("a key is empty, which would let anyone in")
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Some("a key has a character that can't stand in an HTTP header: only visible ASCII can")
        } else {
            None
        }
    }

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text == MASK {
            return Err(Invalid::because(
                "a key is the mask that `outcrop config print` shows in place of keys",
            ));
        }
        match Self::flaw(text) {
            Some(flaw) => Err(Invalid::because(flaw)),
            None => Reference::parse(text).map(Self).map_err(Invalid::because),
        }
    }

    fn shown(&self) -> Value {
        json!(written(&self.0).unwrap_or_else(|| MASK.to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(written(&self.0).as_deref().unwrap_or(MASK))
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
        Some(self.shown())
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
        Some(self.iter().map(ApiKey::shown).collect())
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
        let literal = |text: &str| Reference::Literal(text.to_owned());
        assert_eq!(
            keys.iter().map(ApiKey::value).collect::<Vec<_>>(),
            [&literal("sk-a"), &literal("sk-b")]
        );
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
        let keys = Vec::<ApiKey>::from_text("sk-a,os.environ/KEY").unwrap();
        assert_eq!(
            format!("{keys:?} {:?}", keys.show()),
            r#"[********, os.environ/KEY] Some(Array [String("********"), String("os.environ/KEY")])"#
        );
    }
}
