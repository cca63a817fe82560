//! Signature Version 4.

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use http_body_util::Full;
use ring::digest;

use crate::credentials::CredentialCache;
use crate::error::Error;

/// Bedrock's name in signatures, the same for both of its services.
const SIGNING_NAME: &str = "bedrock";

/// How calls prove who they are.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// A Bedrock API key: a ready header, marked as sensitive.
    ApiKey(HeaderValue),
    /// Credentials.
    Credentials(CredentialCache),
}

impl Auth {
    /// A Bedrock API key.
    pub(crate) fn api_key(key: &str) -> Result<Self, Error> {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| Error::Credentials("the Bedrock API key has characters that no header takes".to_owned()))?;
        value.set_sensitive(true);
        Ok(Self::ApiKey(value))
    }

    /// Adds to `request` the proof that `body` is from us.
    pub(crate) async fn apply(
        &self,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
        region: &str,
    ) -> Result<(), Error> {
        match self {
            Self::ApiKey(value) => {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
                Ok(())
            }
            Self::Credentials(cache) => {
                let identity = cache.identity().await?;
                sign_request(request, body, region, &identity, SystemTime::now())
            }
        }
    }
}

fn sign_request(
    request: &mut Request<Full<Bytes>>,
    body: &[u8],
    region: &str,
    identity: &Identity,
    time: SystemTime,
) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Sign(error.to_string());
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name(SIGNING_NAME)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(&error))?
        .into();
    // ring hashes with the processor's own instructions, and large bodies cost little else.
    let hash = SignableBody::Precomputed(hex(digest::digest(&digest::SHA256, body).as_ref()));
    let uri = request.uri().to_string();
    let signable = SignableRequest::new(request.method().as_str(), uri, std::iter::empty(), hash)
        .map_err(|error| failed(&error))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| failed(&error))?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use http::Method;

    use super::*;

    #[test]
    fn the_encoded_model_id_is_encoded_again_in_the_signature_but_not_on_the_wire() {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse")
            .body(Full::default())
            .unwrap();
        let identity = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test").into();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        sign_request(&mut request, b"{}", "us-east-1", &identity, time).unwrap();
        assert_eq!(request.uri().path(), "/model/amazon.nova-lite-v1%3A0/converse");
        // Computed with botocore 1.44.5's SigV4Auth for the same request, key and time.
        let authorization = request.headers()[AUTHORIZATION].to_str().unwrap();
        assert!(authorization.contains("Credential=AKIDEXAMPLE/20231114/us-east-1/bedrock/aws4_request"));
        assert!(
            authorization.ends_with("1d55757e5dd4360f302a71788fddf8732f35519898d7e50be55712a2df90b601"),
            "{authorization}"
        );
    }
}
