//! A document of somebody who vouches for callers: STS, an issuer of tokens.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use outcrop_bedrock::call::CallBody;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Patience, collect};
use crate::body::PiecesBody;
use crate::client::{AGENT, Client};
use crate::error::Error;

impl Client {
    /// Gets a small document, by the connections, the certificate authorities and the proxy of AWS's services. Nothing
    /// is signed, and no redirect is followed. Gives the status and the body.
    ///
    /// # Errors
    /// When nobody answers in time, or the body is larger than `limit`.
    pub async fn get(
        &self,
        uri: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        limit: usize,
        timeout: Duration,
    ) -> Result<(u16, Bytes), Error> {
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(uri)
            .header(USER_AGENT, AGENT)
            .body(PiecesBody::new(&CallBody::default()))
            .map_err(|error| Error::Sign(error.to_string()))?;
        request.headers_mut().extend(headers.iter().cloned());
        let deadline = Instant::now() + timeout;
        let exchanged = timeout_at(deadline, self.aws().pool.send(request)).await;
        let (response, _lease) = exchanged.map_err(|_| Error::Timeout {
            phase: "to begin its answer",
            limit: timeout,
        })??;
        let (head, body) = response.into_parts();
        let patience = Patience {
            deadline,
            limit: timeout,
            silence: timeout,
        };
        Ok((head.status.as_u16(), collect(body, limit, patience).await?))
    }
}
