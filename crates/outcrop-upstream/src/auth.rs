//! How calls prove who they are.

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::exception::Exception;

use crate::aws_json::may_have_changed;
use crate::body::PiecesBody;
use crate::credentials::{CredentialCache, Renewed};
use crate::error::Error;
use crate::sign::Signer;

/// How calls prove who they are.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// A Bedrock API key: a ready header, marked as sensitive.
    ApiKey(HeaderValue),
    /// A Bedrock API key that is kept somewhere, as such a header.
    KeptApiKey(Renewed<HeaderValue>),
    /// Credentials that sign.
    Credentials(CredentialCache),
}

impl Auth {
    /// A Bedrock API key; `None` if it has characters that no header takes.
    pub(crate) fn api_key(key: &str) -> Option<Self> {
        Self::bearer(key).map(Self::ApiKey)
    }

    /// The header of a Bedrock API key; `None` if it has characters that no header takes.
    pub(crate) fn bearer(key: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether it is a Bedrock API key.
    pub(crate) fn is_api_key(&self) -> bool {
        matches!(self, Self::ApiKey(_) | Self::KeptApiKey(_))
    }

    /// Whether calls that are refused by this error may be taken the next time, because what proves who they are is
    /// read again.
    pub(crate) fn may_have_changed(&self, error: &Error) -> bool {
        match (self, error) {
            (Self::Credentials(cache), error) => may_have_changed(cache, error),
            (
                Self::KeptApiKey(key),
                Error::Service {
                    exception: Exception::Credentials,
                    ..
                },
            ) => key.distrust(),
            _ => false,
        }
    }

    /// Whether what proves who they are can be had.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        match self {
            Self::ApiKey(_) => Ok(()),
            Self::KeptApiKey(key) => key.get().await.map(drop),
            Self::Credentials(cache) => cache.get().await.map(drop),
        }
    }

    /// The headers that it adds, without what is secret.
    pub(crate) fn described(&self, region: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::ApiKey(_) | Self::KeptApiKey(_) => vec![("authorization", "Bearer [redacted]".to_owned())],
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
            Self::KeptApiKey(key) => {
                let value = (*key.get().await?).clone();
                request.headers_mut().insert(AUTHORIZATION, value);
                Ok(())
            }
            Self::Credentials(cache) => {
                let credentials = cache.get().await?;
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
