//! The public keys of an issuer: fetched when they are first needed, kept while the issuer is away.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::Uri;
use outcrop_upstream::Client;
use serde_json::Value;
use tokio::sync::Mutex;

use super::algorithm::Key;

/// Keys are asked for again at the most so often, whoever comes with an unknown one.
const PAUSE: Duration = Duration::from_secs(10);
/// Keys that are older are asked for again, so that one that was withdrawn is trusted no longer.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);
/// The largest document.
const MAX_BYTES: usize = 256 * 1024;
/// Time for it.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_KEYS: usize = 100;

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    issuer: String,
    jwks_url: Option<String>,
    current: RwLock<Option<Held>>,
    /// When they were last asked for. Whoever holds it is asking.
    tried: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<[Key]>,
    since: Instant,
}

impl Keys {
    pub(super) fn new(issuer: &str, jwks_url: Option<&str>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            jwks_url: jwks_url.map(ToOwned::to_owned),
            current: RwLock::default(),
            tried: Mutex::default(),
        }
    }

    /// The keys, fetched if there are none, or if they are old; `None` if there are none to be had.
    pub(super) async fn get(&self, client: &Client) -> Option<Arc<[Key]>> {
        match self.held() {
            Some(held) if held.since.elapsed() < MAX_AGE => Some(held.keys),
            held => self.fetch_after(client, held.map(|held| held.since)).await,
        }
    }

    /// The keys as they are now, because one was unknown in `known`.
    pub(super) async fn newer(&self, client: &Client, known: &Arc<[Key]>) -> Option<Arc<[Key]>> {
        let held = self.held()?;
        if !Arc::ptr_eq(&held.keys, known) {
            return Some(held.keys);
        }
        self.fetch_after(client, Some(held.since)).await
    }

    fn held(&self) -> Option<Held> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys, unless somebody else has since, or it was tried only just.
    async fn fetch_after(&self, client: &Client, since: Option<Instant>) -> Option<Arc<[Key]>> {
        let mut tried = self.tried.lock().await;
        let held = self.held();
        let is_renewed = held.as_ref().map(|held| held.since) != since;
        if is_renewed || tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return held.map(|held| held.keys);
        }
        *tried = Some(Instant::now());
        match self.fetch(client).await {
            Ok(keys) => {
                let held = Held {
                    keys: keys.into(),
                    since: Instant::now(),
                };
                tracing::debug!(
                    issuer = self.issuer,
                    keys = held.keys.len(),
                    "the issuer's keys were read"
                );
                let keys = Arc::clone(&held.keys);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Some(keys)
            }
            Err(reason) => {
                tracing::warn!(
                    issuer = self.issuer,
                    reason,
                    has_old = held.is_some(),
                    "the issuer's keys can't be read"
                );
                held.map(|held| held.keys)
            }
        }
    }

    async fn fetch(&self, client: &Client) -> Result<Vec<Key>, String> {
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discover(client).await?,
        };
        let document = get(client, &url).await?;
        let keys = document.get("keys").and_then(Value::as_array);
        let keys: Vec<Key> = keys
            .ok_or("the document has no 'keys'")?
            .iter()
            .take(MAX_KEYS)
            .filter_map(Key::read)
            .collect();
        match keys.is_empty() {
            true => Err("none of the keys can be used".to_owned()),
            false => Ok(keys),
        }
    }

    async fn discover(&self, client: &Client) -> Result<String, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document = get(client, &url).await?;
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        // OpenID Connect Discovery, section 4.3: else the keys would be another's.
        if text("issuer") != Some(&self.issuer) {
            return Err("its configuration names another issuer".to_owned());
        }
        Ok(text("jwks_uri").ok_or("its configuration names no keys")?.to_owned())
    }
}

/// Whether what is at a URL may be trusted to be its owner's: by TLS, or because it is on this machine.
pub fn is_trustworthy(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty() && !has_user,
        Some("http") => is_local && !has_user,
        _ => false,
    }
}

async fn get(client: &Client, url: &str) -> Result<Value, String> {
    if !is_trustworthy(url) {
        return Err("the address is not https".to_owned());
    }
    let uri = url.parse::<Uri>().map_err(|error| error.to_string())?;
    let fetched = client.get(&uri, &[], MAX_BYTES, TIMEOUT).await;
    let (status, body) = fetched.map_err(|error| error.to_string())?;
    if status != 200 {
        // A redirect is no answer either: it could lead anywhere.
        return Err(format!("the answer has the status {status}"));
    }
    serde_json::from_slice(&body).map_err(|_| "the answer is no JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_tls_or_from_this_machine() {
        for url in [
            "https://a.example/b",
            "http://127.0.0.1:8000",
            "http://localhost/a",
            "http://[::1]:1/",
        ] {
            assert!(is_trustworthy(url), "{url}");
        }
        for url in [
            "http://a.example",
            "http://127.0.0.1@a.example/",
            "https://a@b.example/",
            "file:///a",
            "",
            "a",
        ] {
            assert!(!is_trustworthy(url), "{url}");
        }
    }
}
