//! Reads, at the start, the secrets that stand elsewhere than in the settings.

use outcrop_server::{CacheStore, RedisUrl};
use outcrop_upstream::{Config, Value, ValueError, read_value};

use crate::settings::{ApiKey, Database, ResponseCache, Settings, SharedCounters, written};

/// What was read.
pub(crate) struct Secrets {
    /// The keys that clients may show.
    pub(crate) api_keys: Vec<String>,
    /// For each of the tables `[[policies]]`, the keys that it is for; `None` if it is for some, and none was read.
    pub(crate) policy_keys: Vec<Option<Vec<String>>>,
    /// The key to use instead of AWS credentials.
    pub(crate) bedrock_api_key: Option<String>,
    /// Where answers are kept.
    pub(crate) cache: CacheStore,
    /// The keys for administration.
    pub(crate) admin_keys: Vec<String>,
}

/// Why a secret is not to be had. Never holds one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SecretError {
    /// It can't be read.
    #[error("{setting}: cannot read {source}")]
    Unreadable { setting: &'static str, source: ValueError },
    /// What was read is none.
    #[error("{setting}: {reference}: {flaw}")]
    Unfit {
        setting: &'static str,
        reference: String,
        flaw: &'static str,
    },
    /// A policy is for nobody.
    #[error("{origin}: policies.keys: a key is not one of `api_keys`")]
    PolicyKey { origin: String },
}

impl Secrets {
    /// Reads all. What stands in AWS is asked for as `config` says.
    ///
    /// # Errors
    /// If one can't be read, or isn't what it should be.
    pub(crate) async fn read(settings: &Settings, config: &Config) -> Result<Self, SecretError> {
        let mut api_keys = Vec::new();
        for key in &settings.api_keys {
            api_keys.push(read_key("api_keys", key, config).await?);
        }
        let mut admin_keys = Vec::new();
        for key in &settings.admin_keys {
            admin_keys.push(read_key("admin_keys", key, config).await?);
        }
        let mut policy_keys = Vec::new();
        for table in &settings.policies {
            let mut keys = Vec::new();
            for key in &table.keys {
                let key = read_key("policies.keys", key, config).await?;
                if !api_keys.is_empty() && !api_keys.contains(&key) {
                    let origin = table.origin().to_string();
                    return Err(SecretError::PolicyKey { origin });
                }
                keys.push(key);
            }
            policy_keys.push(Some(keys));
        }
        let bedrock_api_key = match &settings.bedrock_api_key {
            Some(key) => Some(read_key("bedrock_api_key", key, config).await?),
            None => None,
        };
        Ok(Self {
            api_keys,
            policy_keys,
            bedrock_api_key,
            cache: read_cache(&settings.response_cache, config).await?,
            admin_keys,
        })
    }

    /// Only what stands in the settings themselves, for commands that connect to no one.
    pub(crate) fn offline(settings: &Settings) -> Self {
        let literal = |key: &ApiKey| match key.value() {
            Value::Literal(text) => Some(text.clone()),
            _ => None,
        };
        let literals = |keys: &[ApiKey]| keys.iter().filter_map(literal).collect::<Vec<_>>();
        // A rule without keys is for everyone, which a table whose keys nobody knows is not.
        let of_policy = |keys: &[ApiKey]| {
            let known = literals(keys);
            (keys.is_empty() || !known.is_empty()).then_some(known)
        };
        Self {
            api_keys: literals(&settings.api_keys),
            policy_keys: settings.policies.iter().map(|table| of_policy(&table.keys)).collect(),
            bedrock_api_key: settings.bedrock_api_key.as_ref().and_then(literal),
            cache: CacheStore::Off,
            admin_keys: Vec::new(),
        }
    }
}

async fn read_key(setting: &'static str, key: &ApiKey, config: &Config) -> Result<String, SecretError> {
    let text = read(setting, key.value(), config).await?;
    match ApiKey::flaw(&text) {
        None => Ok(text),
        Some(flaw) => Err(SecretError::Unfit {
            setting,
            reference: reference(key.value()),
            flaw,
        }),
    }
}

/// The Redis by which instances count together; `None` if they don't.
///
/// # Errors
/// If its URL can't be read, or isn't one.
pub(crate) async fn read_counters(counters: &SharedCounters, config: &Config) -> Result<Option<RedisUrl>, SecretError> {
    let setting = "shared_counters";
    let SharedCounters::Redis(value) = counters else {
        return Ok(None);
    };
    let url = read(setting, value, config).await?;
    url.parse().map(Some).map_err(|_: String| SecretError::Unfit {
        setting,
        reference: reference(value),
        flaw: "it is no `redis://` or `rediss://` URL",
    })
}

async fn read_cache(cache: &ResponseCache, config: &Config) -> Result<CacheStore, SecretError> {
    let setting = "response_cache";
    let value = match cache {
        ResponseCache::Off => return Ok(CacheStore::Off),
        ResponseCache::Memory => return Ok(CacheStore::Memory),
        ResponseCache::Redis(value) => value,
    };
    let url = read(setting, value, config).await?;
    let read = url.parse().map(CacheStore::Redis);
    read.map_err(|_: String| SecretError::Unfit {
        setting,
        reference: reference(value),
        flaw: "it is no `redis://` or `rediss://` URL",
    })
}

/// The URL of the database, where it is one.
///
/// # Errors
/// If it can't be read, or isn't one.
pub(crate) async fn read_database_url(value: &Value, config: &Config) -> Result<String, SecretError> {
    let setting = "database";
    let url = read(setting, value, config).await?;
    match Database::is_url(&url) {
        true => Ok(url),
        false => Err(SecretError::Unfit {
            setting,
            reference: reference(value),
            flaw: "it is no `sqlite:` or `postgres://` URL",
        }),
    }
}

/// The secret that keys are hashed with.
///
/// # Errors
/// If it can't be read, or is too short.
pub(crate) async fn read_key_secret(value: &Value, config: &Config) -> Result<String, SecretError> {
    let setting = "key_secret";
    let secret = read(setting, value, config).await?;
    match secret.len() >= 16 {
        true => Ok(secret),
        false => Err(SecretError::Unfit {
            setting,
            reference: reference(value),
            flaw: "it is shorter than 16 characters",
        }),
    }
}

fn reference(value: &Value) -> String {
    written(value).unwrap_or_else(|| "the value".to_owned())
}

async fn read(setting: &'static str, value: &Value, config: &Config) -> Result<String, SecretError> {
    let read = read_value(config, value).await;
    read.map_err(|source| SecretError::Unreadable { setting, source })
}
