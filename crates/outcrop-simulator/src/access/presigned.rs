//! Requests whose signature stands in the query, as those that are signed today and sent by somebody else tomorrow.

use std::time::SystemTime;

use super::sigv4::{self, ALGORITHM, Authorization, incomplete};
use super::{Caller, Scope, Signed};
use crate::Credential;
use crate::refusal::Refusal;
use crate::uri;

/// The longest that AWS lets one be good for: a week.
const LONGEST: u64 = 604_800;

/// Whether a query holds a signature, or the beginnings of one.
pub(super) fn is_meant(query: &str) -> bool {
    uri::query(query).iter().any(|(name, _)| name.starts_with("X-Amz-"))
}

/// Checks it, and gives who made it.
///
/// # Errors
/// As AWS words them: parts that are missing, a wrong signature, one that has expired.
pub(super) fn verify(
    request: &Signed<'_>,
    scope: Scope<'_>,
    credentials: &[Credential],
    now: SystemTime,
) -> Result<Caller, Refusal> {
    let pairs = uri::query(request.query);
    let find = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let need = |name: &str| {
        find(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))
        })
    };
    if need("X-Amz-Algorithm")? != ALGORITHM {
        return Err(incomplete("Unsupported AWS 'algorithm' in the query."));
    }
    let expires = need("X-Amz-Expires")?.parse().ok();
    let expires = expires.filter(|seconds| (1..=LONGEST).contains(seconds));
    let expires = expires.ok_or_else(|| incomplete("X-Amz-Expires must be between 1 and 604800 seconds"))?;
    let mut authorization = Authorization::new(
        need("X-Amz-Credential")?,
        need("X-Amz-SignedHeaders")?,
        need("X-Amz-Signature")?,
    )?;
    authorization.date_of_query = Some(need("X-Amz-Date")?);
    authorization.expires = Some(expires);
    authorization.token_of_query = find("X-Amz-Security-Token");
    // All of the query is signed but the signature itself.
    let signed: Vec<&str> = request
        .query
        .split('&')
        .filter(|pair| !pair.starts_with("X-Amz-Signature="))
        .collect();
    let query = signed.join("&");
    let without_signature = Signed {
        query: &query,
        ..*request
    };
    sigv4::verify(&authorization, &without_signature, scope, credentials, now)
}
