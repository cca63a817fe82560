//! What the cache is told.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Whether answers are kept to be given again, and how.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// Where they are kept.
    pub store: CacheStore,
    /// For how long, where the request doesn't say.
    pub ttl: Duration,
    /// The most bytes of all of them, in memory.
    pub limit_bytes: usize,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            store: CacheStore::Off,
            ttl: Duration::from_secs(600),
            limit_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Where answers are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheStore {
    /// Nowhere.
    #[default]
    Off,
    /// In the gateway's own memory.
    Memory,
    /// In a Redis, which instances may share.
    Redis(RedisUrl),
}

/// `off`, `memory`, or the URL of a Redis.
impl FromStr for CacheStore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "memory" => Ok(Self::Memory),
            url => url.parse().map(Self::Redis),
        }
    }
}

/// Without the password.
impl fmt::Display for CacheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Memory => f.write_str("memory"),
            Self::Redis(url) => url.fmt(f),
        }
    }
}

/// The URL of a Redis: `redis://`, or `rediss://` for TLS, then `user:password@`, if need be, host, port and number of
/// the database.
#[derive(Clone)]
pub struct RedisUrl {
    url: String,
    pub(crate) client: Arc<redis::Client>,
}

impl FromStr for RedisUrl {
    type Err = String;

    /// The error doesn't repeat the URL, which may hold a password.
    fn from_str(url: &str) -> Result<Self, String> {
        let expected = "expected 'off', 'memory' or a URL such as 'redis://host:6379' or 'rediss://host:6379'";
        if !["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(expected.to_owned());
        }
        let client = redis::Client::open(url).map_err(|_| expected.to_owned())?;
        Ok(Self {
            url: url.to_owned(),
            client: Arc::new(client),
        })
    }
}

impl RedisUrl {
    /// The URL as it was given, password and all.
    pub fn expose(&self) -> &str {
        &self.url
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for RedisUrl {}

/// Without user and password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("redis", ""));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        // What stands behind a question mark may be a secret, too.
        let place = place.split_once('?').map_or(place, |(place, _)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_two_words_or_a_url() {
        for text in [
            "off",
            "memory",
            "redis://127.0.0.1:6379/2",
            "rediss://cache.example:6380",
        ] {
            assert_eq!(text.parse::<CacheStore>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "on",
            "redis",
            "http://cache.example",
            "redis://",
            "redis://host:port",
        ] {
            let error = text.parse::<CacheStore>().unwrap_err();
            assert!(error.starts_with("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let store: CacheStore = "redis://me:s3cret@cache.example:6379/1".parse().unwrap();
        let config = CacheConfig {
            store: store.clone(),
            ..CacheConfig::default()
        };
        for shown in [store.to_string(), format!("{config:?}")] {
            assert!(shown.contains("redis://cache.example:6379/1"), "{shown}");
            assert!(!shown.contains("s3cret") && !shown.contains("me:"), "{shown}");
        }
    }
}
