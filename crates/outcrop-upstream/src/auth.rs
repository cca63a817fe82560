//! How calls prove who they are.

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use outcrop_bedrock::call::CallBody;

use crate::body::PiecesBody;
use crate::credentials::CredentialCache;
use crate::error::Error;
use crate::sign::Signer;

/// How calls prove who they are.
#[derive(Debug)]
pub(crate) enum Auth {
    /// A Bedrock API key: a ready header, marked as sensitive.
    ApiKey(HeaderValue),
    /// Credentials that sign.
    Credentials(CredentialCache),
}

impl Auth {
    /// A Bedrock API key; `None` if it has characters that no header takes.
    pub(crate) fn api_key(key: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        value.set_sensitive(true);
        Some(Self::ApiKey(value))
    }

    /// The headers that it adds, without what is secret.
    pub(crate) fn described(&self, region: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::ApiKey(_) => vec![("authorization", "Bearer [redacted]".to_owned())],
            Self::Credentials(..) => vec![
                (
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential=[redacted]/{region}/bedrock/aws4_request, Signature=[redacted]"
                    ),
                ),
                ("x-amz-date", "[of the call]".to_owned()),
            ],
        }
    }

    /// Adds to `request` the proof that `body` is from us; `signer` is that of the region that is called.
    pub(crate) async fn apply(
        &self,
        signer: &Signer,
        request: &mut Request<PiecesBody>,
        body: &CallBody,
    ) -> Result<(), Error> {
        match self {
            Self::ApiKey(value) => {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
                Ok(())
            }
            Self::Credentials(cache) => {
                let credentials = cache.credentials().await?;
                let (method, uri) = (request.method().clone(), request.uri().clone());
                signer
                    .sign(
                        &method,
                        &uri,
                        request.headers_mut(),
                        body.pieces(),
                        &credentials,
                        SystemTime::now(),
                    )
                    .map_err(|_| Error::Credentials("the credentials have characters that no header takes".to_owned()))
            }
        }
    }
}
