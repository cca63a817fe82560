//! Services of AWS that speak JSON: one path, the operation in a header (AWS JSON 1.1).

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request};
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::exception::Exception;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::answer::{MAX_REPLY_BYTES, Patience, collect, refusal};
use crate::aws::Aws;
use crate::body::PiecesBody;
use crate::client::AGENT;
use crate::credentials::CredentialCache;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::sdk::configured_endpoint;
use crate::sign::{Signer, X_AMZ_TARGET};

/// A service that speaks JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonService {
    /// Its name in hosts and in signatures.
    pub(crate) name: &'static str,
    /// Its id in AWS's configuration files; in capital letters, in its environment variables.
    pub(crate) id: &'static str,
    /// What stands before the operation in the header.
    pub(crate) target: &'static str,
}

/// AWS Secrets Manager (service model of botocore 1.44.5, 2026-11).
pub(crate) const SECRETS_MANAGER: JsonService = JsonService {
    name: "secretsmanager",
    id: "secrets_manager",
    target: "secretsmanager",
};

/// AWS Systems Manager, for its Parameter Store (service model of botocore 1.44.5, 2026-11).
pub(crate) const SSM: JsonService = JsonService {
    name: "ssm",
    id: "ssm",
    target: "AmazonSSM",
};

impl Aws {
    /// Asks a service in a region; again, if it says that the credentials have expired.
    ///
    /// # Errors
    /// When it can't be asked, or refuses. No error holds anything of what it answered.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        service: JsonService,
        operation: &str,
        region: &str,
        credentials: &CredentialCache,
        input: &impl Serialize,
    ) -> Result<T, Error> {
        let input = serde_json::to_vec(input).map_err(|error| Error::Sign(error.to_string()))?;
        let input = Bytes::from(input);
        let asked = self.ask_once(service, operation, region, credentials, &input).await;
        let answer = match asked {
            Err(error) if may_have_changed(credentials, &error) => {
                self.ask_once(service, operation, region, credentials, &input).await?
            }
            asked => asked?,
        };
        // What serde says would quote the answer, which may be a secret.
        serde_json::from_slice(&answer)
            .map_err(|_| Error::Protocol(format!("{operation} answered in a form that is not its own")))
    }

    async fn ask_once(
        &self,
        service: JsonService,
        operation: &str,
        region: &str,
        credentials: &CredentialCache,
        input: &Bytes,
    ) -> Result<Bytes, Error> {
        let unsigned = |error: &dyn std::fmt::Display| Error::Sign(error.to_string());
        let sdk = self.sdk.config().await;
        let endpoint = match configured_endpoint(sdk, service.id) {
            Some(url) => Endpoint::parse(&url),
            None => Endpoint::of_host(
                service.name,
                region,
                sdk.use_fips().unwrap_or(false),
                sdk.use_dual_stack().unwrap_or(false),
            ),
        };
        let uri = endpoint.map_err(|error| unsigned(&error))?.uri("/");
        let uri = uri.map_err(|error| unsigned(&error))?;
        let body = CallBody::new(vec![input.clone()]);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&uri)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"))
            .header(X_AMZ_TARGET, format!("{}.{operation}", service.target))
            .body(PiecesBody::new(&body))
            .map_err(|error| unsigned(&error))?;
        let signing = credentials.get().await?;
        Signer::for_service(region, service.name)
            .sign(
                &Method::POST,
                &uri,
                request.headers_mut(),
                body.pieces(),
                &signing,
                SystemTime::now(),
            )
            .map_err(|_| Error::Credentials("the credentials have characters that no header takes".to_owned()))?;
        let deadline = Instant::now() + self.timeout;
        let exchanged = timeout_at(deadline, self.pool.send(request)).await;
        let (response, _lease) = exchanged.map_err(|_| Error::Timeout {
            phase: "to begin its answer",
            limit: self.timeout,
        })??;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            return Err(refusal(head.status.as_u16(), &head.headers, body, false, deadline, self.timeout).await);
        }
        let patience = Patience {
            deadline,
            limit: self.timeout,
            silence: self.timeout,
        };
        collect(body, MAX_REPLY_BYTES, patience).await
    }
}

/// Whether credentials that AWS refuses may be others when they are asked for again. What has expired certainly is: a
/// file that somebody renews tells no expiry.
pub(crate) fn may_have_changed(credentials: &CredentialCache, error: &Error) -> bool {
    match error {
        Error::Service { name, .. } => refused_name(credentials, name),
        _ => false,
    }
}

/// The same by the name of the exception.
pub(crate) fn refused_name(credentials: &CredentialCache, name: &str) -> bool {
    if name.starts_with("ExpiredToken") {
        credentials.forget();
        return true;
    }
    Exception::from_name(name) == Exception::Credentials && credentials.distrust()
}
