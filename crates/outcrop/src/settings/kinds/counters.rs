//! Where instances count together.

use outcrop_upstream::Value as Reference;
use serde_json::{Value, json};

use super::reference::{MASK, written};
use super::routing::{ResponseCache, without_password};
use crate::settings::kind::{Invalid, Kind};

/// Where instances count limits and budgets together. Its password never shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SharedCounters {
    /// Nowhere: each counts for itself.
    Off,
    /// In Redis, by its URL, or where that stands.
    Redis(Reference),
}

impl std::fmt::Debug for SharedCounters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.show())
    }
}

impl Kind for SharedCounters {
    const EXPECTED: &'static str = "`off`, or a `redis://` or `rediss://` URL";
    const PLACEHOLDER: &'static str = "off|URL";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text == "off" {
            return Ok(Self::Off);
        }
        if text.contains(MASK) {
            return Err(Invalid::because(
                "its password is the mask that `outcrop config print` shows in place of secrets",
            ));
        }
        match Reference::parse(text).map_err(Invalid::because)? {
            Reference::Literal(url) if !ResponseCache::is_redis(&url) => Err(Invalid::kind()),
            value => Ok(Self::Redis(value)),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(match self {
            Self::Off => json!("off"),
            Self::Redis(Reference::Literal(url)) => json!(without_password(url)),
            Self::Redis(reference) => json!(written(reference)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_or_a_redis_whose_password_never_shows() {
        for (text, shown) in [
            ("off", "off"),
            ("redis://:hush@host:6379/1", "redis://:********@host:6379/1"),
            ("os.environ/REDIS_URL", "os.environ/REDIS_URL"),
        ] {
            assert_eq!(SharedCounters::from_text(text).unwrap().show(), Some(json!(shown)));
        }
        for bad in ["", "memory", "http://host", "redis://:********@host"] {
            assert!(SharedCounters::from_text(bad).is_err(), "{bad}");
        }
    }
}
