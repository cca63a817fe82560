//! Who may call: SigV4 signatures and Bedrock API keys.

mod canonical;
mod presigned;
pub(crate) mod session;
mod sigv4;

use std::time::SystemTime;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Credential;
use crate::models::ACCOUNT;
use crate::refusal::Refusal;
use session::Session;

/// The keys that open the door.
pub(crate) struct Access {
    region: String,
    credentials: Vec<Credential>,
    /// With the account of each.
    api_keys: Vec<(String, String)>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account that is charged, and whose quotas count.
    pub(crate) account: String,
    /// The caller's ARN.
    pub(crate) arn: String,
    pub(crate) user_id: String,
    /// The ARN of the role whose session this is, if it is one.
    pub(crate) role: Option<String>,
    runtime_only: bool,
}

/// What a signature must be made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) service: &'a str,
    /// The only region; any if not given.
    pub(crate) region: Option<&'a str>,
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

    /// Refuses the same for another service's operation, and for the thing that it is about.
    ///
    /// # Errors
    ///
    /// `AccessDeniedException`, as IAM words it.
    pub(crate) fn may_read(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        if !self.runtime_only {
            return Ok(());
        }
        Err(Refusal::new(
            "AccessDeniedException",
            format!(
                "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based \
                 policy allows the {action} action",
                self.arn
            ),
        ))
    }

    fn of_session(session: &Session) -> Caller {
        Caller {
            account: session.account.clone(),
            arn: session.arn(),
            user_id: session.user_id(),
            role: Some(session.role.clone()),
            runtime_only: false,
        }
    }

    fn of_credential(credential: &Credential) -> Caller {
        let name = if credential.runtime_only {
            "runtime-only"
        } else {
            "simulator"
        };
        Caller {
            account: credential.account.clone(),
            arn: format!("arn:aws:iam::{}:user/{name}", credential.account),
            user_id: credential.access_key_id.replacen("AKID", "AIDA", 1),
            role: None,
            runtime_only: credential.runtime_only,
        }
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
    pub(crate) fn new(region: String, credentials: Vec<Credential>, api_keys: Vec<(String, String)>) -> Access {
        Access {
            region,
            credentials,
            api_keys,
        }
    }

    /// Admits a request to Bedrock that carries a right signature, or a right API key.
    pub(crate) fn admit(&self, request: &Signed<'_>, now: SystemTime) -> Result<Caller, Refusal> {
        match authorization(request)?.split_once(' ') {
            Some(("Bearer", key)) => self.admit_key(key.trim()),
            _ => self.admit_signed(request, "bedrock", now),
        }
    }

    /// Admits a request that carries a right signature for a service. STS is everywhere, the others in their region.
    pub(crate) fn admit_signed(&self, request: &Signed<'_>, service: &str, now: SystemTime) -> Result<Caller, Refusal> {
        let scope = Scope {
            service,
            region: (service != "sts").then_some(self.region.as_str()),
        };
        if !request.headers.contains_key(AUTHORIZATION) && presigned::is_meant(request.query) {
            return presigned::verify(request, scope, &self.credentials, now);
        }
        let authorization = authorization(request)?;
        let Some((sigv4::ALGORITHM, fields)) = authorization.split_once(' ') else {
            return Err(Refusal::new(
                "IncompleteSignatureException",
                "Unsupported AWS 'algorithm' in the Authorization header.",
            ));
        };
        let authorization = sigv4::Authorization::parse(fields)?;
        sigv4::verify(&authorization, request, scope, &self.credentials, now)
    }

    fn admit_key(&self, key: &str) -> Result<Caller, Refusal> {
        // A short-term key is good in one region only; ours say it at their end.
        let key = key
            .strip_suffix(self.region.as_str())
            .and_then(|rest| rest.strip_suffix('-'))
            .unwrap_or(key);
        if let Some((_, account)) = self.api_keys.iter().find(|(known, _)| known == key) {
            return Ok(Caller {
                account: account.clone(),
                arn: format!("arn:aws:iam::{account}:user/BedrockAPIKey-simulator"),
                user_id: "AIDASIMULATORAPIKEY0".to_owned(),
                role: None,
                runtime_only: false,
            });
        }
        let message = "Authentication failed: Please make sure your API Key is valid.";
        Err(Refusal::new("AccessDeniedException", message))
    }
}

fn authorization<'a>(request: &Signed<'a>) -> Result<std::borrow::Cow<'a, str>, Refusal> {
    match request.headers.get(AUTHORIZATION) {
        Some(value) => Ok(String::from_utf8_lossy(value.as_bytes())),
        None => Err(Refusal::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )),
    }
}
