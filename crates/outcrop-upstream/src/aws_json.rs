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

use crate::answer::{MAX_REPLY_BYTES, collect, refusal};
use crate::auth::Auth;
use crate::aws::Aws;
use crate::body::PiecesBody;
use crate::client::{AGENT, Client};
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
        collect(body, MAX_REPLY_BYTES, deadline, self.timeout).await
    }
}

impl Client {
    /// Asks a service as an account, in the region that is named, or else in the account's own. Where the client itself
    /// has a Bedrock API key, its AWS credentials are used.
    ///
    /// # Errors
    /// When there is no such account, it has no AWS credentials, or the service can't be asked or refuses.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "for services besides those that references point to")
    )]
    pub(crate) async fn ask_json<T: DeserializeOwned>(
        &self,
        service: JsonService,
        operation: &str,
        account: Option<&str>,
        region: Option<&str>,
        input: &impl Serialize,
    ) -> Result<T, Error> {
        let identity = self.identities().choose(account)?;
        let credentials = match (&identity.auth, account) {
            (Auth::Credentials(credentials), _) => credentials,
            (_, None) => &self.aws().own,
            (_, Some(_)) => {
                let message = format!("a Bedrock API key can't be used for {operation}");
                return Err(identity.named(Error::Credentials(message)));
            }
        };
        let region = region.unwrap_or(&identity.places.home().region);
        let asked = self.aws().ask(service, operation, region, credentials, input).await;
        asked.map_err(|error| identity.named(error))
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
