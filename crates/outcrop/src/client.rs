//! A client of any gateway that speaks OpenAI's API, for `chat`, `models` and `count-tokens`.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::settings::BaseUrl;

/// How long connecting may take. The answer may take as long as it does: who asked can press ctrl-C.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest body to read as a whole: a long list of models fits many times over.
const LARGEST_BODY: usize = 8 << 20;

/// Why there is no answer, or not all of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ClientError {
    /// The base URL is none. It is not repeated, since it may hold a password.
    #[error("{0}: expected an `http://` or `https://` URL such as http://127.0.0.1:8080/v1")]
    BaseUrl(&'static str),
    /// The key can't be sent.
    #[error("the API key has a character that can't stand in an HTTP header")]
    Key,
    /// TLS can't be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] rustls::Error),
    /// No one answered.
    #[error("cannot reach {url}: {cause}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// The root of the trouble.
        cause: String,
    },
    /// The gateway answered with an error.
    #[error("the gateway refused with status {}: {message}", status.as_u16())]
    Refused {
        /// Its status.
        status: StatusCode,
        /// What it said.
        message: String,
    },
    /// The answer isn't OpenAI's API.
    #[error("the answer is not what OpenAI's API would send; is the base URL right, `/v1` included? ({0})")]
    NotOpenAi(String),
    /// The gateway reported an error in the middle of the answer.
    #[error("the answer broke off: {0}")]
    InStream(String),
    /// The connection failed in the middle of the answer.
    #[error("the answer broke off: the connection failed ({0})")]
    Connection(String),
    /// The stream ended without saying that it was complete.
    #[error("the answer broke off: the stream ended before it was complete")]
    Cut,
    /// The answer could not be printed.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
}

/// A gateway and the key to show it.
pub(crate) struct Client {
    base_url: BaseUrl,
    authorization: Option<HeaderValue>,
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// Connects only when asked something.
    ///
    /// # Errors
    /// If the key can't stand in a header.
    pub(crate) fn new(base_url: BaseUrl, key: Option<&str>) -> Result<Self, ClientError> {
        let authorization = match key {
            Some(key) => {
                let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| ClientError::Key)?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(ClientError::Tls)?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Ok(Self {
            base_url,
            authorization,
            pool: Pool::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    /// Any reason for which there is none.
    pub(crate) async fn get_json(&self, path: &str) -> Result<Value, ClientError> {
        let response = self.send(Method::GET, path, "application/json", Bytes::new()).await?;
        let body = whole(response).await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::NotOpenAi(error.to_string()))
    }

    /// Posts a JSON document, and gives the one that answers it.
    ///
    /// # Errors
    /// Any reason for which there is none.
    pub(crate) async fn post_for_json(&self, path: &str, question: &Value) -> Result<Value, ClientError> {
        let body = question.to_string().into();
        let response = self.send(Method::POST, path, "application/json", body).await?;
        let body = whole(response).await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::NotOpenAi(error.to_string()))
    }

    /// Posts a JSON document, and gives the stream of events that answers it.
    ///
    /// # Errors
    /// Any reason for which there is none.
    pub(crate) async fn post_for_stream(&self, path: &str, question: &Value) -> Result<Stream, ClientError> {
        let response = self
            .send(Method::POST, path, "text/event-stream", question.to_string().into())
            .await?;
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("none");
        if content_type.starts_with("text/event-stream") {
            Ok(Stream {
                body: response.into_body(),
            })
        } else {
            Err(ClientError::NotOpenAi(format!(
                "not an event stream, the content type is {content_type}"
            )))
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let url = format!("{}{path}", self.base_url);
        let unreachable = |cause: String| ClientError::Unreachable {
            url: url.clone(),
            cause,
        };
        let mut request = Request::builder().method(method).uri(&url).header(ACCEPT, accept);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| unreachable(error.to_string()))?;
        let response = self
            .pool
            .request(request)
            .await
            .map_err(|error| unreachable(root(&error)))?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refusal(response).await)
        }
    }
}

/// The body of an answer as it arrives.
pub(crate) struct Stream {
    body: Incoming,
}

impl Stream {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// If the connection fails.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| ClientError::Connection(root(&error)))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// What the body of an error says: OpenAI's shape, or one of its relatives.
pub(crate) fn error_message(body: &Value) -> Option<String> {
    let candidates = [
        body.pointer("/error/message"),
        body.get("message"),
        body.get("detail"),
        body.get("error"),
    ];
    candidates
        .into_iter()
        .flatten()
        .find_map(|value| value.as_str())
        .map(str::to_owned)
}

async fn refusal(response: Response<Incoming>) -> ClientError {
    let status = response.status();
    let body = whole(response).await.unwrap_or_default();
    let message = match serde_json::from_slice(&body) {
        Ok(body) => error_message(&body).unwrap_or_else(|| body.to_string()),
        Err(_) => String::from_utf8_lossy(&body).trim().to_owned(),
    };
    let message: String = match message.as_str() {
        "" => status.canonical_reason().unwrap_or("without a word").to_owned(),
        _ => message.chars().take(2000).collect(),
    };
    ClientError::Refused { status, message }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), LARGEST_BODY).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| ClientError::Connection(root(error.as_ref())))
}

/// The innermost cause: "connection refused" says more than the layers around it.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
