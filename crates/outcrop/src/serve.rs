//! Starts the gateway, with or without the simulator: the place where all crates are joined.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::banner::origin;
use crate::commands::DEFAULT_MODEL;
use crate::settings::Settings;

/// The region that the simulator is in unless one is set.
pub(crate) const SIMULATED_REGION: &str = "us-east-1";

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StartError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {source}; `--listen` takes another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A server that is running in the background.
pub(crate) struct Running {
    /// `http://127.0.0.1:8080/v1` of a gateway; without the path for the simulator alone.
    pub(crate) base_url: String,
    /// A key that it accepts; `None` if it accepts any.
    pub(crate) api_key: Option<String>,
    /// The AWS region in use, once it is known.
    pub(crate) region: Option<String>,
    server: JoinHandle<()>,
}

impl Running {
    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It always is one: a server that wasn't told to stop should not.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)
    }

    /// Accepts no more, lets open streams end within the time that the settings give, then ends them.
    pub(crate) async fn stop(self) {
        self.server.abort();
    }
}

/// Starts the gateway.
///
/// # Errors
/// If the address can't be listened on.
pub(crate) async fn start(settings: &Settings) -> Result<Running, StartError> {
    let (address, server) = listen(settings).await?;
    Ok(Running {
        base_url: format!("{}/v1", origin(address)),
        api_key: settings.api_keys.first().map(|key| key.expose().to_owned()),
        region: settings
            .region
            .as_ref()
            .map(|region| region.as_str().to_owned()),
        server,
    })
}

/// Starts the simulator alone.
///
/// # Errors
/// If the address can't be listened on.
pub(crate) async fn start_simulator(settings: &Settings) -> Result<Running, StartError> {
    let (address, server) = listen(settings).await?;
    let region = settings
        .region
        .as_ref()
        .map_or(SIMULATED_REGION, |region| region.as_str());
    Ok(Running {
        base_url: origin(address),
        api_key: None,
        region: Some(region.to_owned()),
        server,
    })
}

async fn listen(settings: &Settings) -> Result<(SocketAddr, JoinHandle<()>), StartError> {
    let failed = |source| StartError::Listen {
        address: settings.listen,
        source,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((address, tokio::spawn(accept(listener))))
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(connection);
    }
}

/// Placeholder for the routes: enough of them for the commands to be run against.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, content_type, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/v1/models") => {
            let model = json!({ "id": DEFAULT_MODEL, "object": "model", "created": 0, "owned_by": "anthropic" });
            (
                StatusCode::OK,
                "application/json",
                json!({ "object": "list", "data": [model] }).to_string(),
            )
        }
        (&Method::POST, "/v1/chat/completions") => {
            let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": "Hello." }, "finish_reason": "stop" }] });
            (
                StatusCode::OK,
                "text/event-stream",
                format!("data: {chunk}\n\ndata: [DONE]\n\n"),
            )
        }
        _ => (
            StatusCode::NOT_FOUND,
            "application/json",
            json!({ "error": { "message": "not found" } }).to_string(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    Ok(response)
}
