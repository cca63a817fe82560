//! Who may call: SigV4 signatures and Bedrock API keys.

mod canonical;
mod sigv4;

use std::time::SystemTime;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Credential;
use crate::models::ACCOUNT;
use crate::refusal::Refusal;

/// The keys that open the door.
pub(crate) struct Access {
    region: String,
    credentials: Vec<Credential>,
    api_keys: Vec<String>,
}

/// Who calls.
#[derive(Debug)]
pub(crate) struct Caller {
    runtime_only: bool,
}

impl Caller {
    /// Refuses what the caller has no permission for: the control plane, for one that may only call models.
    ///
    /// # Errors
    ///
    /// `AccessDeniedException`, as IAM words it.
    pub(crate) fn may_look_up(&self, operation: &str) -> Result<(), Refusal> {
        if !self.runtime_only {
            return Ok(());
        }
        Err(denied(operation))
    }
}

/// What a caller without the right to an operation of the control plane is told.
pub(crate) fn denied(operation: &str) -> Refusal {
    Refusal::new(
        "AccessDeniedException",
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/runtime-only is not authorized to perform: bedrock:{operation} because \
             no identity-based policy allows the bedrock:{operation} action"
        ),
    )
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
    pub(crate) fn admit(&self, request: &Signed<'_>, now: SystemTime) -> Result<Caller, Refusal> {
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
                let credential = sigv4::verify(&authorization, request, &self.region, &self.credentials, now)?;
                Ok(Caller {
                    runtime_only: credential.runtime_only,
                })
            }
            _ => Err(Refusal::new(
                "IncompleteSignatureException",
                "Unsupported AWS 'algorithm' in the Authorization header.",
            )),
        }
    }

    fn admit_key(&self, key: &str) -> Result<Caller, Refusal> {
        if self.api_keys.iter().any(|known| known == key) {
            return Ok(Caller { runtime_only: false });
        }
        let message = "Authentication failed: Please make sure your API Key is valid.";
        Err(Refusal::new("AccessDeniedException", message))
    }
}
