//! The one door to other hosts. Every connection of a fetch is made here, and only to an address that was checked: names
//! are resolved once, and the connection goes to an address of that answer. So a name whose next answer is another
//! address (DNS rebinding) gains nothing, nor does any spelling of an address that a check of names would miss.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::address::{Network, may_connect};

/// A name's addresses are tried one after the other, and no more than so many.
const ADDRESSES_TRIED: u32 = 4;

/// Finds the addresses of a name.
pub(super) trait Resolve: Send + Sync {
    /// All addresses of `name`, the preferred ones first.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
pub(super) struct SystemResolver {
    slots: Arc<Semaphore>,
}

impl SystemResolver {
    /// With so many look-ups at the same time. A look-up holds a thread until it ends, even if nobody waits for it any
    /// more, and Bedrock's names need threads of the same pool.
    pub(super) fn new(max_concurrent: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(max_concurrent)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let slots = Arc::clone(&self.slots);
        Box::pin(async move {
            let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                let _slot = slot;
                let addresses = (name.as_str(), 0).to_socket_addrs()?;
                Ok(addresses.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up).await.map_err(io::Error::other)?
        })
    }
}

/// Connects to checked addresses.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) private_networks: Arc<[Network]>,
    /// Time for all addresses of a name together.
    pub(super) timeout: Duration,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// The URL names an address that may not be connected to.
    NotPublic(IpAddr),
    /// None of the name's addresses may be connected to.
    NonePublic(Vec<IpAddr>),
    /// The name has no address.
    Unknown(io::Error),
    /// Nobody answers.
    Closed(io::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::NotPublic(address) => write!(f, "{address} may not be connected to"),
            ConnectError::NonePublic(addresses) => write!(f, "none of {addresses:?} may be connected to"),
            ConnectError::Unknown(error) => write!(f, "no address: {error}"),
            ConnectError::Closed(error) => write!(f, "no connection: {error}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);

        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let addresses = match literal {
            Ok(address) if self.may_connect(address) => vec![address],
            Ok(address) => return Err(ConnectError::NotPublic(address)),
            Err(_) => self.look_up(host).await?,
        };

        let mut last_error = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses.into_iter().take(ADDRESSES_TRIED as usize) {
            let connecting = TcpStream::connect((address, port));
            match tokio::time::timeout(self.timeout / ADDRESSES_TRIED, connecting).await {
                Ok(Ok(stream)) => return Ok(TokioIo::new(stream)),
                Ok(Err(error)) => last_error = error,
                Err(_) => last_error = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(ConnectError::Closed(last_error))
    }

    /// Those of a name's addresses that may be connected to; at least one.
    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, ConnectError> {
        let addresses = self.resolver.resolve(name.to_owned()).await;
        let addresses = addresses.map_err(ConnectError::Unknown)?;
        let allowed: Vec<IpAddr> = addresses
            .iter()
            .copied()
            .filter(|address| self.may_connect(*address))
            .collect();
        if allowed.is_empty() {
            return Err(ConnectError::NonePublic(addresses));
        }
        Ok(allowed)
    }

    fn may_connect(&self, address: IpAddr) -> bool {
        may_connect(address, &self.private_networks)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Self::Response, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
