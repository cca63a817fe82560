//! Logins: whom they let in must be said narrowly enough.

use std::collections::BTreeMap;

use super::{Fault, MAX_PATTERN, count, text};

/// Claims of a login.
const MAX_CLAIMS: usize = 32;

/// Checks the ARN of an AWS identity, in which `*` stands for any text: of a user, a role, a role's session or a whole
/// account, which is always said.
///
/// # Errors
/// What is wrong with it.
pub fn iam_arn(arn: &str) -> Result<(), Fault> {
    let known = text::of_iam(arn, "iam").or_else(|| text::of_iam(arn, "sts"));
    let Some((account, resource)) = known else {
        let message = "must be the ARN of an AWS identity, such as 'arn:aws:iam::123456789012:role/search'";
        return Err(Fault::new("", message));
    };
    if !text::is_account(account) {
        return Err(Fault::new("", "must name the account with its 12 digits, without '*'"));
    }
    let is_known = resource == "*"
        || resource == "root"
        || ["user/", "role/", "assumed-role/", "federated-user/"]
            .iter()
            .any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    if !is_known || !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "must end with 'user/…', 'role/…', 'assumed-role/…', 'federated-user/…', 'root' or '*'";
        return Err(Fault::new("", message));
    }
    Ok(())
}

/// Checks issuer and claims of a login by JSON Web Token. At least one claim is needed: an issuer may have users who
/// are nobody's.
///
/// # Errors
/// What is wrong with them.
pub fn jwt(issuer: &str, claims: &BTreeMap<String, String>) -> Result<(), Fault> {
    let is_url = ["https://", "http://"]
        .iter()
        .any(|scheme| issuer.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
    let is_fit = is_url && issuer.len() <= MAX_PATTERN && issuer.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_fit {
        return Err(Fault::new(
            "issuer",
            "must be the URL of the issuer, as its tokens have it in 'iss'",
        ));
    }
    if claims.is_empty() {
        return Err(Fault::new(
            "claims",
            "must have at least one, by which those who are meant are known",
        ));
    }
    count("claims", claims.len(), MAX_CLAIMS)?;
    for (name, pattern) in claims {
        let is_fit = |text: &str| (1..=MAX_PATTERN).contains(&text.len()) && !text.chars().any(char::is_control);
        if !is_fit(name) || !is_fit(pattern) {
            let message = format!("and its pattern must have 1 to {MAX_PATTERN} bytes");
            return Err(Fault::new(format!("claims.{name}"), message));
        }
    }
    Ok(())
}
