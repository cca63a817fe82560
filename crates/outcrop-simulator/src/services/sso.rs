//! IAM Identity Center: the portal, which gives credentials for a token, and OIDC, which renews the token.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use serde_json::{Value, json};

use super::text;
use crate::access::session::{Session, millis};
use crate::exchange::{Answer, Shared, parse};
use crate::models::ACCOUNT;
use crate::refusal::Refusal;
use crate::uri;
use crate::validate;

const ACCESS_TOKEN: &str = "simulator-sso-token";
const REFRESH_TOKEN: &str = "simulator-refresh-token";
const CLIENT_ID: &str = "simulator-client";
const CLIENT_SECRET: &str = "simulator-client-secret";
const ROLE: &str = "simulator-sso";
const HOUR: Duration = Duration::from_secs(3600);

/// Answers a request.
///
/// # Errors
///
/// Tokens that aren't the ones, and roles that the user hasn't got.
pub(super) fn answer(_: &Shared, parts: &Parts, body: &Bytes) -> Result<Answer, Refusal> {
    match parts.uri.path() {
        "/token" => token(body),
        _ => credentials(parts),
    }
}

fn credentials(parts: &Parts) -> Result<Answer, Refusal> {
    if text(&parts.headers, "x-amz-sso_bearer_token") != Some(ACCESS_TOKEN) {
        return Err(Refusal::new(
            "UnauthorizedException",
            "Session token not found or invalid",
        ));
    }
    let query = uri::query(parts.uri.query().unwrap_or_default());
    let given = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let (Some(role), Some(account)) = (given("role_name"), given("account_id")) else {
        return Err(Refusal::new(
            "InvalidRequestException",
            "The request is missing required input",
        ));
    };
    if (role, account) != (ROLE, ACCOUNT) {
        return Err(Refusal::new("ForbiddenException", "No access"));
    }
    let role =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{ROLE}_0123456789abcdef");
    let issued = Session::issue(&role, "simulator", HOUR, SystemTime::now());
    Ok(Answer::json(&json!({
        "roleCredentials": {
            "accessKeyId": issued.session.access_key_id,
            "secretAccessKey": issued.secret,
            "sessionToken": issued.token,
            "expiration": millis(issued.session.expires()),
        }
    })))
}

fn token(body: &Bytes) -> Result<Answer, Refusal> {
    let body = parse(body)?;
    validate::body("CreateToken", &body)?;
    let given = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if (given("clientId"), given("clientSecret")) != (CLIENT_ID, CLIENT_SECRET) {
        return Err(Refusal::new("InvalidClientException", "Invalid client provided"));
    }
    if given("grantType") != "refresh_token" {
        return Err(Refusal::new("UnsupportedGrantTypeException", "Unsupported grant type"));
    }
    if given("refreshToken") != REFRESH_TOKEN {
        return Err(Refusal::new("InvalidGrantException", "Invalid refresh token provided"));
    }
    Ok(Answer::json(&json!({
        "accessToken": ACCESS_TOKEN,
        "tokenType": "Bearer",
        "expiresIn": HOUR.as_secs(),
        "refreshToken": REFRESH_TOKEN,
    })))
}

/// A refusal in the words of the portal; OIDC adds what OAuth says.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let mut body = json!({"message": refusal.message});
    let (status, oauth) = match refusal.exception.as_str() {
        "UnauthorizedException" => (StatusCode::UNAUTHORIZED, None),
        "ForbiddenException" => (StatusCode::FORBIDDEN, None),
        "InvalidClientException" => (StatusCode::UNAUTHORIZED, Some("invalid_client")),
        "InvalidGrantException" => (StatusCode::BAD_REQUEST, Some("invalid_grant")),
        "UnsupportedGrantTypeException" => (StatusCode::BAD_REQUEST, Some("unsupported_grant_type")),
        _ => (refusal.status(), None),
    };
    if let Some(oauth) = oauth {
        body = json!({"error": oauth, "error_description": refusal.message});
    }
    let mut answer = Answer::json(&body);
    answer.status = status;
    if let Ok(name) = HeaderValue::from_str(&refusal.exception) {
        answer.headers.push((HeaderName::from_static("x-amzn-errortype"), name));
    }
    answer
}
