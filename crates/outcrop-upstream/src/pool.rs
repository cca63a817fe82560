//! Connections to Bedrock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::body::PiecesBody;
use crate::config::ConfigError;
use crate::connection::{Marked, Served};
use crate::connector::connector;
use crate::error::{Error, with_causes};
use crate::proxy::{Proxy, Way};
use crate::trust::Trust;

/// HTTP/2 servers allow so many streams on a connection at the least (RFC 9113, section 6.5.2), and hyper's pool opens
/// one HTTP/2 connection for each server only. Past this number of calls, another pool is opened.
const CALLS_PER_POOL: usize = 100;
/// Idle connections are closed before load balancers do so without a word.
const IDLE: Duration = Duration::from_secs(50);

/// How often an HTTP/2 connection with calls is asked whether it lives, and how long it may take to say so.
const PING: Duration = Duration::from_secs(15);

type Connector = TimedConnector<HttpsConnector<Way>>;
type HyperClient = legacy::Client<Connector, PiecesBody>;

/// Connections, kept and shared.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    shards: RwLock<Vec<Arc<Shard>>>,
    /// Keeps no connections: each call has one of its own.
    fresh: Arc<Shard>,
}

#[derive(Debug)]
struct Shard {
    client: HyperClient,
    calls: AtomicUsize,
}

/// A call's hold on its pool; lasts as long as its answer is read.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Shard>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn new(connect_timeout: Duration, trust: &Trust, proxy: Option<Proxy>) -> Result<Self, ConfigError> {
        let http = connector(GaiResolver::new(), connect_timeout);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(trust.tls()?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Way { http, proxy });
        let connector = TimedConnector {
            inner: https,
            limit: connect_timeout,
        };
        let fresh = builder().pool_max_idle_per_host(0).build(connector.clone());
        Ok(Self {
            connector,
            shards: RwLock::new(Vec::new()),
            fresh: Arc::new(Shard {
                client: fresh,
                calls: AtomicUsize::new(0),
            }),
        })
    }

    /// Sends a request; the answer's head is back, its body is yet to come.
    ///
    /// A connection that was kept may have died without a word. Who finds that out by sending is sent over a new one at
    /// once: it says nothing about Bedrock.
    pub(crate) async fn send(&self, request: Request<PiecesBody>) -> Result<(Response<Incoming>, Lease), Error> {
        let again = request.clone();
        match self.try_send(request).await {
            Ok(sent) => Ok(sent),
            Err(Unanswered::Failed(error)) => Err(error),
            // Boxed, as it is rare: every call would else carry room for it.
            Err(Unanswered::Stale) => Box::pin(self.send_fresh(again)).await,
        }
    }

    /// The same for whoever can make the request once more, which costs less than to keep a copy of each.
    pub(crate) async fn try_send(
        &self,
        request: Request<PiecesBody>,
    ) -> Result<(Response<Incoming>, Lease), Unanswered> {
        exchange(self.lease(), request).await
    }

    /// Sends a request over a connection of its own.
    pub(crate) async fn send_fresh(&self, request: Request<PiecesBody>) -> Result<(Response<Incoming>, Lease), Error> {
        self.fresh.calls.fetch_add(1, Ordering::Relaxed);
        match exchange(Lease(Arc::clone(&self.fresh)), request).await {
            Ok(sent) => Ok(sent),
            Err(Unanswered::Failed(error)) => Err(error),
            Err(Unanswered::Stale) => Err(Error::Interrupted("a new connection broke".to_owned())),
        }
    }

    /// Uses none of the connections any more that are open now. Calls that are under way go on.
    pub(crate) fn forget(&self) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Calls under way.
    pub(crate) fn calls(&self) -> usize {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let all = shards.iter().chain([&self.fresh]);
        all.map(|shard| shard.calls.load(Ordering::Relaxed)).sum()
    }

    fn lease(&self) -> Lease {
        let take = |shards: &[Arc<Shard>]| {
            let shard = shards
                .iter()
                .find(|shard| shard.calls.load(Ordering::Relaxed) < CALLS_PER_POOL)?;
            shard.calls.fetch_add(1, Ordering::Relaxed);
            Some(Lease(Arc::clone(shard)))
        };
        if let Some(lease) = take(&self.shards.read().unwrap_or_else(PoisonError::into_inner)) {
            return lease;
        }
        let mut shards = self.shards.write().unwrap_or_else(PoisonError::into_inner);
        take(&shards).unwrap_or_else(|| {
            let client = builder().build(self.connector.clone());
            let shard = Arc::new(Shard {
                client,
                calls: AtomicUsize::new(1),
            });
            shards.push(Arc::clone(&shard));
            Lease(shard)
        })
    }
}

/// What all clients of hyper's have in common.
fn builder() -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_adaptive_window(true)
        // A connection that leads nowhere any more must not swallow a hundred calls.
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING);
    builder
}

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It failed.
    Failed(Error),
    /// The connection was kept from an earlier call, and has died. It says nothing of this one.
    Stale,
}

async fn exchange(lease: Lease, request: Request<PiecesBody>) -> Result<(Response<Incoming>, Lease), Unanswered> {
    let error = match lease.0.client.request(request).await {
        Ok(response) => {
            Served::note(response.extensions());
            return Ok((response, lease));
        }
        Err(error) => error,
    };
    Err(if error.is_connect() {
        Unanswered::Failed(Error::Connect(with_causes(&error)))
    } else if is_no_http(&error) {
        Unanswered::Failed(Error::Protocol(with_causes(&error)))
    } else if error.connect_info().is_some_and(Served::is_true_of) {
        Unanswered::Stale
    } else {
        Unanswered::Failed(Error::interrupted(&error))
    })
}

/// Whether what came back isn't HTTP, so that it won't help to ask again.
fn is_no_http(error: &legacy::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<hyper::Error>());
    cause.is_some_and(hyper::Error::is_parse)
}

/// A connector with a time limit over all of its work, name look-up and TLS included.
#[derive(Clone, Debug)]
struct TimedConnector<C> {
    inner: C,
    limit: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<C> Service<Uri> for TimedConnector<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = Marked<C::Response>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            let connected = tokio::time::timeout(limit, connecting)
                .await
                .map_err(|_| format!("no connection within {limit:?}"))?;
            connected.map(Marked::new)
        })
    }
}
