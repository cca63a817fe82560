//! Connections: accepted, served, and closed at the end.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Config;
use crate::exchange;
use crate::regions::Regions;
use crate::socket::{Reset, Socket};

/// How long to wait when the system has no more files to give.
const BREATH: Duration = Duration::from_millis(20);

/// Serves until `shutdown` ends.
pub(crate) async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let regions = Arc::new(Regions::new(config));
    // Dropping the set ends what is left in it.
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&regions)));
                }
                Err(error) if concerns_one(&error) => {}
                Err(error) if is_passing(&error) => tokio::time::sleep(BREATH).await,
                Err(error) => return Err(error),
            },
        }
    }
}

async fn connection(stream: TcpStream, regions: Arc<Regions>) {
    // Frames are small, and a client is waiting for each.
    let _ = stream.set_nodelay(true);
    let reset = Reset::default();
    let socket = TokioIo::new(Socket::new(stream, reset.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        exchange::run(regions.of(request.uri(), request.headers()), reset.clone(), request)
    });
    // A connection ends well or with an error of the client's; the calls on it have been counted either way.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(socket, service)
        .await;
}

/// The connection was gone before it was accepted.
fn concerns_one(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// The system is out of files or memory, for now (ENFILE, EMFILE, ENOBUFS, ENOMEM).
fn is_passing(error: &Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| [23, 24, 105, 12].contains(&code))
}
