//! Serving HTTP/1.1 on a loopback port, the same way for the stub and the proxy.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;

use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::error::{Doing, Result};

/// The flag by which the harness ties a role to its own life.
pub(crate) const END_WITH_STDIN: &str = "end-with-stdin";

/// Answers each request with `answer`, for as long as the process lives.
pub(crate) async fn serve<F, Fut, B>(listen: SocketAddr, answer: F) -> Result<()>
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<B>> + Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind(listen).await.doing(format!("listen on {listen}"))?;
    let address = listener.local_addr().doing("read the address of the socket")?;
    writeln!(std::io::stdout(), "listening on {address}").doing("print the address")?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Without this, Nagle's algorithm would hold back each small chunk until the one before it is acknowledged.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let reply = answer(request);
            async move { Ok::<_, Infallible>(reply.await) }
        });
        // A connection that breaks is seen by the load client, which counts it.
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Ends this process when its standard input does, so that a role never outlives a harness that was killed.
pub(crate) fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
