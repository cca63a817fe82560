//! Fetches what the URLs in a request point to. That lets a client choose whom the gateway talks to, from inside the
//! operator's network, so everything here is about what it must not reach and must not cost: `target` checks the URL,
//! `connect` the address, [`Fetcher`] the rest.

mod address;
mod connect;
mod error;
mod host;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

pub use address::Network;
use address::may_connect;
use connect::{ConnectError, Connector, Resolve, SystemResolver};
pub(crate) use error::FetchError;
use error::Reason;
pub use host::HostPattern;
use target::host_of;

/// So many URLs of one request are fetched at the same time, so that it leaves room for others.
const PARALLEL_PER_REQUEST: usize = 4;
/// The most URLs in one request: a body of 32 MiB has room for a million, and would turn the gateway against a host.
/// Converse takes 20 images and 5 documents in a message.
const MAX_URLS: usize = 100;
/// All files of one request together may be so many times the largest one: with the default, twenty images of Bedrock's
/// 3.75 MB and five documents of 4.5 MB.
const FILES_IN_ALL: usize = 4;

/// What may be fetched, and at what cost.
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// Whether anything is.
    pub enabled: bool,
    /// Hosts to fetch from; any if there are none.
    pub hosts: Vec<HostPattern>,
    /// Addresses to fetch from although they are not public.
    pub private_networks: Vec<Network>,
    /// The largest file, in bytes.
    pub max_bytes: usize,
    /// Time for one file, redirects included. Waiting for its turn may take as long again.
    pub timeout: Duration,
    /// Redirects that are followed for one file.
    pub max_redirects: usize,
    /// Files at the same time, over all requests; at least 1.
    pub max_concurrent: usize,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            hosts: Vec::new(),
            private_networks: Vec::new(),
            // What Bedrock takes in one request; its limits for images and documents are lower (service limits of
            // Amazon Bedrock, 2026-11).
            max_bytes: 25_000_000,
            timeout: Duration::from_secs(15),
            max_redirects: 5,
            max_concurrent: 32,
        }
    }
}

/// Fetches, within a [`FetchConfig`].
pub(crate) struct Fetcher {
    config: FetchConfig,
    client: legacy::Client<HttpsConnector<Connector>, Empty<Bytes>>,
    slots: Semaphore,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// With the system's resolver.
    pub(crate) fn new(config: FetchConfig) -> Self {
        let resolver = SystemResolver::new(config.max_concurrent.max(1));
        Self::with_resolver(config, Arc::new(resolver))
    }

    fn with_resolver(config: FetchConfig, resolver: Arc<dyn Resolve>) -> Self {
        let connector = Connector {
            resolver,
            private_networks: config.private_networks.as_slice().into(),
            timeout: config.timeout,
        };
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        // No connection is kept: each fetch has its address checked by the rules of now, and none can read on where
        // another's answer stopped.
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(https);
        let slots = Semaphore::new(config.max_concurrent.max(1));
        Self { config, client, slots }
    }

    /// Fetches the files of one request, side by side. The results are in the order of the URLs.
    pub(crate) async fn fetch_all(&self, urls: &[String]) -> Vec<Result<Bytes, FetchError>> {
        if urls.len() > MAX_URLS {
            let error = FetchError::new(Reason::TooMany(MAX_URLS), "");
            return vec![Err(error); urls.len()];
        }
        let allowance = Allowance::new(self.config.max_bytes.saturating_mul(FILES_IN_ALL));
        let fetches: Vec<_> = urls.iter().map(|url| self.fetch_within(url, &allowance)).collect();
        stream::iter(fetches).buffered(PARALLEL_PER_REQUEST).collect().await
    }

    /// What is wrong with the URLs of one request, as far as can be told without a connection. The results are in the
    /// order of the URLs.
    pub(crate) fn check_all(&self, urls: &[String]) -> Vec<Result<(), FetchError>> {
        if urls.len() > MAX_URLS {
            let error = FetchError::new(Reason::TooMany(MAX_URLS), "");
            return vec![Err(error); urls.len()];
        }
        let check = |url: &String| {
            let url = self.check(url)?;
            let literal = match url.host() {
                Some(Host::Ipv4(address)) => Some(address.into()),
                Some(Host::Ipv6(address)) => Some(address.into()),
                _ => None,
            };
            match literal {
                Some(address) if !may_connect(address, &self.config.private_networks) => {
                    Err(FetchError::new(Reason::NotPublic, host_of(&url)))
                }
                _ => Ok(()),
            }
        };
        urls.iter().map(check).collect()
    }

    /// Fetches one file.
    #[cfg(test)]
    async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
        self.fetch_within(url, &Allowance::new(self.config.max_bytes)).await
    }

    async fn fetch_within(&self, url: &str, allowance: &Allowance) -> Result<Bytes, FetchError> {
        let url = self.check(url)?;
        let host = host_of(&url);
        let limit = self.config.timeout;
        // Each fetch holds one slot and waits for nothing else of ours, so there is always one that goes on.
        let Ok(Ok(_slot)) = timeout(limit, self.slots.acquire()).await else {
            return Err(FetchError::new(Reason::Busy, host));
        };
        timeout(limit, self.follow(url, allowance))
            .await
            .unwrap_or_else(|_| Err(FetchError::new(Reason::TooSlow(limit), host)))
    }

    /// Asks, and asks again where a redirect leads.
    async fn follow(&self, mut url: Url, allowance: &Allowance) -> Result<Bytes, FetchError> {
        for _ in 0..=self.config.max_redirects {
            self.check_listed(&url)?;
            let response = self.ask(&url).await?;
            match redirect(&response) {
                None => return self.read(&url, response, allowance).await,
                Some(location) => url = target::follow(&url, location)?,
            }
        }
        Err(FetchError::new(
            Reason::Redirects(self.config.max_redirects),
            host_of(&url),
        ))
    }

    fn check(&self, url: &str) -> Result<Url, FetchError> {
        if !self.config.enabled {
            return Err(FetchError::new(Reason::Disabled, ""));
        }
        let url = target::parse(url)?;
        self.check_listed(&url)?;
        Ok(url)
    }

    fn check_listed(&self, url: &Url) -> Result<(), FetchError> {
        let hosts = &self.config.hosts;
        let is_listed = |host| hosts.iter().any(|pattern| pattern.matches(&host));
        if hosts.is_empty() || url.host().is_some_and(is_listed) {
            return Ok(());
        }
        Err(FetchError::new(Reason::HostNotListed, host_of(url)))
    }

    async fn ask(&self, url: &Url) -> Result<Response<Incoming>, FetchError> {
        let uri: Uri = url
            .as_str()
            .parse()
            .map_err(|_| FetchError::new(Reason::Url("it is not a valid URL"), host_of(url)))?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        *request.headers_mut() = our_headers();
        self.client.request(request).await.map_err(|error| {
            let reason = if error.is_connect() {
                no_connection(&error)
            } else {
                Reason::Interrupted
            };
            FetchError::new(reason, format!("{}: {}", host_of(url), causes(&error)))
        })
    }

    async fn read(&self, url: &Url, response: Response<Incoming>, allowance: &Allowance) -> Result<Bytes, FetchError> {
        let failed = |reason| FetchError::new(reason, host_of(url));
        if response.status() != StatusCode::OK {
            return Err(failed(Reason::Status(response.status().as_u16())));
        }
        if is_encoded(response.headers()) {
            return Err(failed(Reason::Encoded));
        }
        let limit = self.config.max_bytes;
        let mut body = response.into_body();
        if body.size_hint().lower() > limit as u64 {
            return Err(failed(Reason::TooLarge(limit)));
        }
        let mut file = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                FetchError::new(Reason::Interrupted, format!("{}: {}", host_of(url), causes(&error)))
            })?;
            let Ok(data) = frame.into_data() else { continue };
            if data.len() > limit - file.len() {
                return Err(failed(Reason::TooLarge(limit)));
            }
            if !allowance.take(data.len()) {
                return Err(failed(Reason::TooLargeTogether(allowance.whole)));
            }
            file.extend_from_slice(&data);
        }
        Ok(file.freeze())
    }
}

/// All that a server is told besides the URL: no credentials, no cookies, nothing of the client.
fn our_headers() -> HeaderMap {
    let product = concat!("Outcrop/", env!("CARGO_PKG_VERSION"));
    HeaderMap::from_iter([
        (USER_AGENT, HeaderValue::from_static(product)),
        (ACCEPT, HeaderValue::from_static("*/*")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ])
}

fn redirect(response: &Response<Incoming>) -> Option<&HeaderValue> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => response.headers().get(LOCATION),
        _ => None,
    }
}

/// A body that must be decompressed could be a thousand times as large as what was received.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

fn no_connection(error: &(dyn std::error::Error + 'static)) -> Reason {
    let mut cause = error.source();
    while let Some(error) = cause {
        match error.downcast_ref() {
            Some(ConnectError::NotPublic(_)) => return Reason::NotPublic,
            Some(_) => return Reason::Unreachable,
            None => cause = error.source(),
        }
    }
    Reason::Tls
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

/// The bytes that the files of one request may have together.
struct Allowance {
    whole: usize,
    left: AtomicUsize,
}

impl Allowance {
    fn new(bytes: usize) -> Self {
        Self {
            whole: bytes,
            left: AtomicUsize::new(bytes),
        }
    }

    /// Takes from it, unless that is too much.
    fn take(&self, bytes: usize) -> bool {
        let taking = |left: usize| left.checked_sub(bytes);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taking)
            .is_ok()
    }
}
