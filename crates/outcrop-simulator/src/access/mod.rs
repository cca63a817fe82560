//! Who may call: SigV4 signatures and Bedrock API keys.

mod canonical;
mod sigv4;

use std::time::SystemTime;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Credential;
use crate::refusal::Refusal;

/// The keys that open the door.
pub(crate) struct Access {
    region: String,
    credentials: Vec<Credential>,
    api_keys: Vec<String>,
}

/// What of a request goes into its signature.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// The path as it came, percent-encoded.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Access {
    pub(crate) fn new(region: String, credentials: Vec<Credential>, api_keys: Vec<String>) -> Access {
        Access {
            region,
            credentials,
            api_keys,
        }
    }

    /// Admits a request that carries a right signature, or a right API key.
    pub(crate) fn admit(&self, request: &Signed<'_>, now: SystemTime) -> Result<(), Refusal> {
        let Some(authorization) = request.headers.get(AUTHORIZATION) else {
            return Err(Refusal::new(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        let authorization = String::from_utf8_lossy(authorization.as_bytes());
        match authorization.split_once(' ') {
            Some(("Bearer", key)) => self.admit_key(key.trim()),
            Some((sigv4::ALGORITHM, fields)) => {
                let authorization = sigv4::Authorization::parse(fields)?;
                sigv4::verify(&authorization, request, &self.region, &self.credentials, now)
            }
            _ => Err(Refusal::new(
                "IncompleteSignatureException",
                "Unsupported AWS 'algorithm' in the Authorization header.",
            )),
        }
    }

    fn admit_key(&self, key: &str) -> Result<(), Refusal> {
        if self.api_keys.iter().any(|known| known == key) {
            return Ok(());
        }
        let message = "Authentication failed: Please make sure your API Key is valid.";
        Err(Refusal::new("AccessDeniedException", message))
    }
}
