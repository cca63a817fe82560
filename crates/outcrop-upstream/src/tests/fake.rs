//! A server that plays services of AWS.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) path: String,
    pub(super) target: String,
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) body: String,
}

impl Arrived {
    /// The members of a form.
    pub(super) fn form(&self, name: &str) -> String {
        let pair = self
            .body
            .split('&')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.unwrap_or_default().to_owned()
    }
}

/// A server on this machine, with what arrived.
pub(super) struct Fake {
    pub(super) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Fake {
    /// Answers with a status and a body.
    pub(super) async fn start(answer: impl Fn(&Arrived) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&arrived));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                    async move {
                        let request = read(request).await;
                        log.lock().unwrap().push(request.clone());
                        let (status, body) = answer(&request);
                        let response = Response::builder()
                            .status(status)
                            .header("content-type", "application/json");
                        Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        Self { url, arrived }
    }

    /// Plays a Bedrock that says nothing.
    pub(super) async fn bedrock() -> Self {
        Self::start(|_| (200, "{}".to_owned())).await
    }

    /// Plays an STS whose credentials are numbered, and last for an hour.
    pub(super) async fn sts() -> Self {
        let count = std::sync::atomic::AtomicUsize::new(0);
        Self::start(move |arrived| {
            let count = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (200, session(&arrived.form("Action"), &format!("ASIA{count}")))
        })
        .await
    }

    /// What has arrived so far.
    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// The last of it.
    pub(super) fn last(&self) -> Arrived {
        self.arrived().pop().unwrap()
    }
}

/// STS's answer to whoever assumes a role, in either way.
pub(super) fn session(action: &str, access_key_id: &str) -> String {
    let result = format!(
        "<Credentials><AccessKeyId>{access_key_id}</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>\
         <SessionToken>of-{access_key_id}</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"
    );
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
         </{action}Result></{action}Response>"
    )
}

/// STS's answer to whoever it refuses.
pub(super) fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    )
}

async fn read(request: Request<Incoming>) -> Arrived {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = body.collect().await.unwrap().to_bytes();
    Arrived {
        path: head.uri.path().to_owned(),
        target: header("x-amz-target"),
        authorization: header("authorization"),
        token: header("x-amz-security-token"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}
