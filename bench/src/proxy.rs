//! The bare reverse proxy: the floor that the gateway is measured against.
//!
//! It is what hyper offers with nothing added: a pooled client behind a server, bodies passed through as they come, on
//! tokio's multi-thread runtime with its default number of workers. It parses and signs nothing.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::error::{Error, Result};
use crate::net;

/// Forwards everything to `upstream` until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, upstream: SocketAddr) -> Result<()> {
    let upstream = Authority::try_from(upstream.to_string())
        .map_err(|error| Error::Malformed(format!("upstream {upstream}: {error}")))?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(connector);
    net::serve(listen, move |request| {
        forward(client.clone(), upstream.clone(), request)
    })
    .await
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    upstream: Authority,
    mut request: Request<Incoming>,
) -> Response<Either<Incoming, Full<Bytes>>> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream);
    let answer = match Uri::from_parts(uri) {
        Ok(uri) => {
            *request.uri_mut() = uri;
            client.request(request).await.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(response) => response.map(Either::Left),
        Err(message) => {
            let mut response = Response::new(Either::Right(Full::new(Bytes::from(message))));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
