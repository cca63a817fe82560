//! Where a machine finds its credentials: EC2's instance metadata (IMDSv2), and what ECS and EKS give to containers.

use std::time::{Duration, SystemTime};

use http::header::HeaderName;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::json;

use super::{iso, text};
use crate::access::session::{Issued, Session, millis, opened, seal};
use crate::exchange::{Answer, Shared};
use crate::models::ACCOUNT;
use crate::refusal::Refusal;

const INSTANCE: &str = "i-0123456789abcdef0";
const INSTANCE_ROLE: &str = "simulator-instance";
/// What a container that has one sends as `Authorization`.
const CONTAINER_TOKEN: &str = "simulator-container-token";
const LIFETIME: Duration = Duration::from_secs(6 * 3600);
const TOKEN_LIFETIME: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const LONGEST_TOKEN: u64 = 21_600;
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

/// What a path asks for, if it is one of these.
pub(super) fn operation(method: &Method, path: &str) -> Option<&'static str> {
    Some(match (method, path) {
        (&Method::PUT, "/latest/api/token") => "GetMetadataToken",
        (&Method::GET, path) if path.starts_with("/latest/") => "GetMetadata",
        (&Method::GET, "/v1/credentials") => "GetPodCredentials",
        (&Method::GET, path) if path.starts_with("/v2/credentials/") => "GetContainerCredentials",
        _ => return None,
    })
}

/// Answers a request.
///
/// # Errors
///
/// A request without the token that it needs, and a path that leads nowhere.
pub(super) fn answer(shared: &Shared, parts: &Parts) -> Result<Answer, Refusal> {
    let path = parts.uri.path();
    match path {
        "/latest/api/token" => metadata_token(parts),
        "/v1/credentials" => match text(&parts.headers, "authorization") {
            Some(CONTAINER_TOKEN) => Ok(container("simulator-pod")),
            _ => Err(status(StatusCode::UNAUTHORIZED)),
        },
        _ if path.starts_with("/v2/credentials/") => match text(&parts.headers, "authorization") {
            None | Some(CONTAINER_TOKEN) if path == "/v2/credentials/simulator" => Ok(container("simulator-task")),
            None | Some(CONTAINER_TOKEN) => Err(status(StatusCode::NOT_FOUND)),
            Some(_) => Err(status(StatusCode::UNAUTHORIZED)),
        },
        _ => {
            check_metadata_token(parts)?;
            metadata(shared, path)
        }
    }
}

fn metadata_token(parts: &Parts) -> Result<Answer, Refusal> {
    // A request that came through a proxy could be anybody's.
    if parts.headers.contains_key("x-forwarded-for") {
        return Err(status(StatusCode::FORBIDDEN));
    }
    let seconds = text(&parts.headers, TOKEN_LIFETIME);
    let seconds = seconds.and_then(|seconds| seconds.parse::<u64>().ok());
    let Some(seconds) = seconds.filter(|seconds| (1..=LONGEST_TOKEN).contains(seconds)) else {
        return Err(status(StatusCode::BAD_REQUEST));
    };
    let end = millis(SystemTime::now() + Duration::from_secs(seconds));
    let mut answer = plain(seal(end.to_string().as_bytes()));
    answer
        .headers
        .push((HeaderName::from_static(TOKEN_LIFETIME), seconds.into()));
    Ok(answer)
}

/// Refuses a request without a token: version 1 of the service is off.
fn check_metadata_token(parts: &Parts) -> Result<(), Refusal> {
    let end = text(&parts.headers, "x-aws-ec2-metadata-token")
        .and_then(|token| opened(token.as_bytes()))
        .and_then(|end| String::from_utf8(end).ok()?.parse::<u64>().ok());
    match end.is_some_and(|end| end > millis(SystemTime::now())) {
        true => Ok(()),
        false => Err(status(StatusCode::UNAUTHORIZED)),
    }
}

fn metadata(shared: &Shared, path: &str) -> Result<Answer, Refusal> {
    let region = shared.catalogue.region();
    if let Some(role) = path.strip_prefix(CREDENTIALS) {
        return match role {
            "" => Ok(plain(INSTANCE_ROLE)),
            INSTANCE_ROLE => Ok(instance_credentials()),
            _ => Err(status(StatusCode::NOT_FOUND)),
        };
    }
    Ok(match path {
        "/latest/meta-data/placement/region" => plain(region),
        "/latest/meta-data/placement/availability-zone" => plain(format!("{region}a")),
        "/latest/meta-data/instance-id" => plain(INSTANCE),
        "/latest/dynamic/instance-identity/document" => Answer::json(&json!({
            "accountId": ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": format!("{region}a"),
            "imageId": "ami-0123456789abcdef0",
            "instanceId": INSTANCE,
            "instanceType": "m7i.large",
            "pendingTime": "2026-01-01T00:00:00Z",
            "privateIp": "127.0.0.1",
            "region": region,
            "version": "2017-09-30",
        })),
        _ => return Err(status(StatusCode::NOT_FOUND)),
    })
}

fn issue(role: &str, session: &str) -> Issued {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    Session::issue(&role, session, LIFETIME, SystemTime::now())
}

fn instance_credentials() -> Answer {
    let issued = issue(INSTANCE_ROLE, INSTANCE);
    Answer::json(&json!({
        "Code": "Success",
        "LastUpdated": iso(SystemTime::now()),
        "Type": "AWS-HMAC",
        "AccessKeyId": issued.session.access_key_id,
        "SecretAccessKey": issued.secret,
        "Token": issued.token,
        "Expiration": iso(issued.session.expires()),
    }))
}

fn container(role: &str) -> Answer {
    let issued = issue(role, "simulator-container");
    Answer::json(&json!({
        "RoleArn": issued.session.role,
        "AccessKeyId": issued.session.access_key_id,
        "SecretAccessKey": issued.secret,
        "Token": issued.token,
        "Expiration": iso(issued.session.expires()),
    }))
}

fn plain(text: impl Into<String>) -> Answer {
    let mut answer = Answer::bytes(text.into());
    answer.content_type = "text/plain";
    answer
}

/// These services say what is wrong by a status.
fn status(status: StatusCode) -> Refusal {
    Refusal::new(status.as_str(), status.canonical_reason().unwrap_or_default())
}

/// A page that nobody reads, with the status.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let mut answer = plain(refusal.message.clone());
    let status = refusal.exception.parse::<u16>().ok();
    answer.status = status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or_else(|| refusal.status());
    answer
}
