//! Listens, serves connections, and stops in good order.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use outcrop_upstream::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::config::Config;
use crate::connection::{Ambiguity, Connection};
use crate::exchange::Gateway;
use crate::record::Record;
use crate::tenants::{Peer, Tenants};
use crate::{metrics, request_id, routes};

/// The pause after a connection that could not be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time for requests that were on their way when connections were told to close: what comes on an idle connection until
/// then is answered.
const LAST_REQUESTS: Duration = Duration::from_millis(100);
/// Connections of those who read metrics, at the same time.
const MAX_SCRAPERS: usize = 64;
/// Time for the last bytes of ended streams to leave.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// A server, ready to listen.
#[derive(Debug)]
pub struct Server {
    current: Arc<Current>,
}

/// Gives a server other settings while it serves.
#[derive(Clone, Debug)]
pub struct Reloader(Arc<Current>);

/// What requests that begin now are answered by.
#[derive(Debug)]
struct Current(RwLock<Live>);

/// A gateway with its table of paths.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) router: Router,
}

impl Live {
    fn new(gateway: Gateway) -> Self {
        let gateway = Arc::new(gateway);
        Self {
            router: routes::router(Arc::clone(&gateway)),
            gateway,
        }
    }
}

impl Current {
    fn get(&self) -> Live {
        // A panic elsewhere leaves nothing half done here.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Reloader {
    /// Requests that begin from now on are answered by these settings; those that are open keep the old ones. How many
    /// connections there may be, and how much of files is kept, stays as it was at the start.
    pub fn replace(&self, config: Config, client: Client) {
        let live = Live::new(self.0.get().gateway.successor(config, client));
        live.gateway.models.prepare(&live.gateway);
        *self.0.0.write().unwrap_or_else(PoisonError::into_inner) = live;
    }
}

/// Serves the metrics at an address of their own, to whoever asks.
#[derive(Clone, Debug)]
pub struct MetricsServer(Arc<Current>);

impl MetricsServer {
    /// Serves until `stop` ends. Nobody's answer is waited for then.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept(), if open.len() < MAX_SCRAPERS => accepted,
                Some(_) = open.join_next() => continue,
                () = &mut stop => return,
            };
            match accepted {
                Ok((stream, _)) => drop(open.spawn(self.clone().connection(stream))),
                Err(error) => {
                    tracing::warn!(%error, "a connection for metrics could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        let idle_timeout = self.0.get().gateway.config.idle_timeout;
        let service = service_fn(move |request: Request<Incoming>| {
            let gateway = self.0.get().gateway;
            async move {
                Ok::<_, Infallible>(match (request.method(), request.uri().path()) {
                    (&Method::GET | &Method::HEAD, "/metrics") => metrics::apart(&gateway, request.headers()),
                    _ => routes::only_metrics(),
                })
            }
        });
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(idle_timeout);
        if let Err(error) = http1.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "connection for metrics");
        }
    }
}

impl Server {
    /// A server that asks Bedrock through `client` for `tenants`, and for whoever has a key of the settings.
    pub fn new(config: Config, client: Client, tenants: Arc<Tenants>) -> Self {
        let live = Live::new(Gateway::new(config, client, tenants));
        Self {
            current: Arc::new(Current(RwLock::new(live))),
        }
    }

    /// What serves the metrics at an address of their own.
    pub fn metrics(&self) -> MetricsServer {
        MetricsServer(Arc::clone(&self.current))
    }

    /// What requests that begin now are answered by.
    pub(crate) fn live(&self) -> Live {
        self.current.get()
    }

    /// What changes its settings while it serves.
    pub fn reloader(&self) -> Reloader {
        Reloader(Arc::clone(&self.current))
    }

    /// Serves until `stop` ends; then goes on for `shutdown_delay` as one that isn't ready, stops accepting, lets requests
    /// end within the configured time, and ends what is left with an error.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        let first = self.current.get().gateway;
        first.models.prepare(&first);
        let connections = TaskTracker::new();
        let stopping = CancellationToken::new();
        let slots = Arc::new(Semaphore::new(first.config.max_connections));
        let metrics = Arc::clone(&first.metrics);
        drop(first);
        let _gauges = AbortOnDrop(tokio::spawn(Arc::clone(&metrics).tell_gauges()));
        let mut stop = pin!(leave(stop, Arc::clone(&self.current)));
        loop {
            let accepting = async {
                // Waiting clients queue in the kernel until there is room.
                let slot = Arc::clone(&slots).acquire_owned().await;
                (listener.accept().await, slot)
            };
            let (accepted, slot) = tokio::select! {
                accepted = accepting => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let (current, stopping) = (Arc::clone(&self.current), stopping.clone());
                    let counted = metrics.connection();
                    connections.spawn(async move {
                        let _held = (slot, counted);
                        serve_connection((stream, peer.ip()), current, stopping).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Clients to whom the kernel has opened a connection may have sent their requests, and would see them reset.
        tokio::task::yield_now().await;
        while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
            let (current, stopping) = (Arc::clone(&self.current), stopping.clone());
            connections.spawn(serve_connection((stream, peer.ip()), current, stopping));
        }
        drop(listener);
        self.drain(connections, stopping).await;
    }

    async fn drain(self, connections: TaskTracker, stopping: CancellationToken) {
        let gateway = self.current.get().gateway;
        let shutdown_timeout = gateway.config.shutdown_timeout;
        tracing::info!(open_connections = connections.len(), ?shutdown_timeout, "stopping");
        stopping.cancel();
        connections.close();
        if timeout(shutdown_timeout, connections.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(
            open_connections = connections.len(),
            "ending what has not ended by itself"
        );
        gateway.ending.cancel();
        // What is still there after this is a client that doesn't read.
        let _ = timeout(LAST_BYTES, connections.wait()).await;
    }
}

/// Waits until it is time to accept no more. Whoever asks is told before.
async fn leave(stop: impl Future<Output = ()> + Send, current: Arc<Current>) {
    stop.await;
    let gateway = current.get().gateway;
    gateway.leaving.cancel();
    let shutdown_delay = gateway.config.shutdown_delay;
    if !shutdown_delay.is_zero() {
        tracing::info!(?shutdown_delay, "not ready any more; requests are still taken");
        sleep(shutdown_delay).await;
    }
}

async fn serve_connection((stream, peer): (TcpStream, IpAddr), current: Arc<Current>, stopping: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let first = current.get().gateway;
    let connection = Connection::new(stream, &first.config);
    let idle_timeout = first.config.idle_timeout;
    drop(first);
    let ambiguity = connection.ambiguity();
    let next_request = Cell::new(0);
    let service = service_fn(move |request| {
        let number = next_request.get();
        next_request.set(number + 1);
        respond(current.get(), Arc::clone(&ambiguity), (number, peer), request)
    });
    let mut http1 = http1::Builder::new();
    http1.timer(TokioTimer::new()).header_read_timeout(idle_timeout);
    let mut serving = pin!(http1.serve_connection(TokioIo::new(connection), service));
    let served = tokio::select! {
        served = &mut serving => served,
        () = stopping.cancelled() => match timeout(LAST_REQUESTS, &mut serving).await {
            Ok(served) => served,
            Err(_) => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        },
    };
    if let Err(error) = served {
        tracing::debug!(%error, "connection");
    }
}

/// A task that ends with whoever wants it.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Answers one request of a connection.
async fn respond(
    live: Live,
    ambiguity: Arc<Ambiguity>,
    (number, peer): (u64, IpAddr),
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let refusal = if ambiguity.concerns(number) {
        Some(routes::ambiguous_length())
    } else if request.headers().get_all(HOST).iter().nth(1).is_some() {
        Some(routes::two_hosts())
    } else {
        request.extensions_mut().insert(Peer(peer));
        None
    };
    answer(live, request.map(Body::new), refusal).await
}

/// Answers one request, if it isn't refused already: gives it its id, which is in each answer.
pub(crate) async fn answer(
    Live { gateway, mut router }: Live,
    mut request: Request<Body>,
    refusal: Option<Response<Body>>,
) -> Result<Response<Body>, Infallible> {
    let id = request_id::of(request.headers());
    let (start, method, uri) = (Instant::now(), request.method().clone(), request.uri().clone());
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => {
            request.extensions_mut().insert(RequestId(id.clone()));
            router.call(request).await?
        }
    };
    // An exchange keeps its own record, which may outlive this function; nobody wants one of a load balancer's checks.
    let is_recorded = response.extensions_mut().remove::<Recorded>().is_some();
    if !is_recorded && !matches!(uri.path(), "/healthz" | "/readyz" | "/metrics") {
        let mut record = Record::new(id.clone(), method, uri.path(), start).counted_by(&gateway.metrics);
        record.status = response.status().as_u16();
        record.complete();
    }
    response.headers_mut().insert(request_id::X_REQUEST_ID, id);
    if gateway.leaving.is_cancelled() {
        // Who keeps connections takes another one next time, which a balancer opens elsewhere.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Among the extensions of a response: its request is recorded already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded;

/// The id of a request, among its extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);
