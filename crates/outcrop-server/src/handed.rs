//! Requests that come another way than over a connection: somebody else has read them, and hands them over.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use outcrop_translate::{Problem, openai};
use tokio::time::Instant;

use crate::ends::EndsAt;
use crate::error;
use crate::identity::Vouched;
use crate::response_cache::ResponseCache;
use crate::server::{self, Live, Server};
use crate::shelf::IsSecure;
use crate::tenants::Peer;

/// How long connections that nobody used are trusted after the process stood still.
const STALE: Duration = Duration::from_secs(30);
/// How long the database may take to say what has changed meanwhile.
const LOOK_LIMIT: Duration = Duration::from_secs(2);
/// Keys that were looked at so lately are not looked at again.
const FRESH: Duration = Duration::from_secs(1);

/// A request, and what is known of it by whoever hands it over.
#[derive(Debug)]
pub struct Handed {
    /// The request.
    pub request: Request<Body>,
    /// The address that it came from; `None` if nobody knows.
    pub peer: Option<IpAddr>,
    /// The ARN of the caller, where AWS vouches for it.
    pub arn: Option<String>,
    /// Whether it came by TLS.
    pub is_secure: bool,
    /// When its answer must have ended; what is open then ends with an error.
    pub ends_at: Option<Instant>,
}

/// Answers that are given again, as far as they are kept where that takes time.
#[derive(Clone, Debug, Default)]
pub struct KeptAnswers(Option<Arc<ResponseCache>>);

impl KeptAnswers {
    /// Waits until those that were given so far are kept, or can't be: a few seconds at most.
    pub async fn written(&self) {
        if let Some(cache) = &self.0 {
            cache.is_written().await;
        }
    }
}

impl Server {
    /// The answers that it keeps.
    pub fn kept_answers(&self) -> KeptAnswers {
        KeptAnswers(self.live().gateway.response_cache.clone())
    }

    /// Begins to do what it does by itself where it serves connections: asks for lists that names depend on.
    pub fn prepare(&self) {
        let Live { gateway, .. } = self.live();
        gateway.models.prepare(&gateway);
    }

    /// Answers a request.
    pub async fn answer(&self, handed: Handed) -> Response<Body> {
        let mut request = handed.request;
        if let Some(arn) = handed.arn {
            // By this signature the caller was let in. It is none of our keys.
            let is_signature = |value: &http::HeaderValue| value.as_bytes().starts_with(b"AWS4-");
            if request.headers().get_all(AUTHORIZATION).iter().all(is_signature) {
                request.headers_mut().remove(AUTHORIZATION);
            }
            request.extensions_mut().insert(Vouched(arn));
        }
        if let Some(peer) = handed.peer {
            request.extensions_mut().insert(Peer(peer));
        }
        if let Some(ends_at) = handed.ends_at {
            request.extensions_mut().insert(EndsAt(ends_at));
        }
        if handed.is_secure {
            request.extensions_mut().insert(IsSecure);
        }
        let Ok(response) = server::answer(self.live(), request, None).await;
        response
    }

    /// Refuses a request that could not be read.
    pub async fn refuse(&self, request: Request<()>, problem: &Problem) -> Response<Body> {
        let refusal = error::response(problem, openai::error_body(problem));
        let request = request.map(|()| Body::empty());
        let Ok(response) = server::answer(self.live(), request, Some(refusal)).await;
        response
    }

    /// Takes over what has happened while the process stood still for a time, as one does that is frozen between two
    /// requests: it heard of no change, and its connections may lead nowhere.
    pub async fn catch_up(&self, stood_still: Duration) {
        let Live { gateway, .. } = self.live();
        if stood_still >= STALE {
            gateway.client.forget_connections();
        }
        if stood_still >= FRESH {
            match tokio::time::timeout(LOOK_LIMIT, gateway.tenants.refresh()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "changes of keys can't be read; those that are known go on");
                }
                Err(_) => tracing::warn!("changes of keys can't be read in time; those that are known go on"),
            }
        }
    }
}
