//! What routes, quotas and the cache of answers are made of.

use outcrop_routing::{Affinity, Strategy};
use outcrop_upstream::Value as Reference;
use serde_json::{Value, json};

use super::reference::{MASK, written};
use super::words::words;
use crate::settings::kind::{Invalid, Kind};

words! {
    Strategy: "`ordered`, `weighted`, `least_busy` or `lowest_latency`", "STRATEGY", {
        Ordered = "ordered",
        Weighted = "weighted",
        LeastBusy = "least_busy",
        LowestLatency = "lowest_latency",
    }
    Affinity: "`session` or `none`", "session|none", {
        Session = "session",
        None = "none",
    }
}

/// A name of the operator's own: of an account or a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(String);

impl Label {
    /// The name.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Kind for Label {
    const EXPECTED: &'static str = "a name";
    const PLACEHOLDER: &'static str = "NAME";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.trim() != text || text.contains(char::is_control) {
            Err(Invalid::kind())
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Where answers are kept for when they are asked for again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ResponseCache {
    /// Nowhere.
    Off,
    /// In the gateway's own memory.
    Memory,
    /// In Redis, by its URL, or where that stands.
    Redis(Reference),
}

impl ResponseCache {
    /// Whether text is a URL of Redis.
    pub(crate) fn is_redis(text: &str) -> bool {
        ["redis://", "rediss://"].iter().any(|scheme| {
            let rest = text.strip_prefix(scheme);
            rest.is_some_and(|rest| !rest.is_empty()) && !text.contains(char::is_whitespace)
        })
    }
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.show())
    }
}

impl Kind for ResponseCache {
    const EXPECTED: &'static str = "`off`, `memory`, or a `redis://` or `rediss://` URL";
    const PLACEHOLDER: &'static str = "off|memory|URL";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text {
            "off" => return Ok(Self::Off),
            "memory" => return Ok(Self::Memory),
            _ if text.contains(MASK) => {
                return Err(Invalid::because(
                    "its password is the mask that `outcrop config print` shows in place of secrets",
                ));
            }
            _ => {}
        }
        match Reference::parse(text).map_err(Invalid::because)? {
            Reference::Literal(url) if !Self::is_redis(&url) => Err(Invalid::kind()),
            value => Ok(Self::Redis(value)),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(match self {
            Self::Off => json!("off"),
            Self::Memory => json!("memory"),
            Self::Redis(Reference::Literal(url)) => json!(without_password(url)),
            Self::Redis(reference) => json!(written(reference)),
        })
    }
}

/// A URL whose password is masked.
pub(super) fn without_password(url: &str) -> String {
    let masked = || {
        let (scheme, rest) = url.split_once("://")?;
        // A password may hold anything, so its end is the last `@` there is.
        let (user_info, place) = rest.rsplit_once('@')?;
        let user = user_info.split_once(':').map_or("", |(user, _)| user);
        Some(format!("{scheme}://{user}:{MASK}@{place}"))
    };
    masked().unwrap_or_else(|| url.to_owned())
}

/// What stands in front of the paths of the API: `/api/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutePrefix(String);

impl RoutePrefix {
    /// With `/` before it and none behind it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for RoutePrefix {
    const EXPECTED: &'static str = "the beginning of a path such as `/api/v1`";
    const PLACEHOLDER: &'static str = "PATH";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let prefix = text.trim_end_matches('/');
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if (prefix.starts_with('/') && !prefix.contains("//") && prefix.bytes().all(fits)) || text == "/" {
            Ok(Self(prefix.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(if self.0.is_empty() { "/" } else { &self.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_masked() {
        for (url, shown) in [
            ("redis://cache:6379", "redis://cache:6379"),
            ("rediss://:hush@cache:6379/1", "rediss://:********@cache:6379/1"),
            ("redis://me:hu@sh@cache", "redis://me:********@cache"),
            ("os.environ/REDIS_URL", "os.environ/REDIS_URL"),
            ("memory", "memory"),
        ] {
            assert_eq!(ResponseCache::from_text(url).unwrap().show(), Some(json!(shown)));
        }
        for bad in [
            "",
            "redis",
            "http://cache",
            "redis://",
            "rediss://:********@cache:6379/1",
        ] {
            assert!(ResponseCache::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_is_the_beginning_of_a_path() {
        for (text, prefix) in [("/api/v1", "/api/v1"), ("/proxy/", "/proxy"), ("/", "")] {
            assert_eq!(RoutePrefix::from_text(text).unwrap().as_str(), prefix);
        }
        for bad in ["", "api", "/a//b", "/{x}", "/a b", "/a?b", "//"] {
            assert!(RoutePrefix::from_text(bad).is_err(), "{bad}");
        }
    }
}
