//! Verifies AWS's Signature Version 4 by computing it again.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::HeaderMap;
use ring::hmac;

use super::session::Session;
use super::{Caller, Scope, Signed, canonical};
use crate::Credential;
use crate::refusal::Refusal;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const TOKEN_HEADER: &str = "x-amz-security-token";
/// How far the client's clock may be off.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How long a presigned request is good at the longest.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The fields of an `Authorization` header.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    credential: &'a str,
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
    /// When it was signed, if the query says so and not a header.
    pub(super) date_of_query: Option<&'a str>,
    /// For how many seconds a presigned request is good.
    pub(super) expires: Option<u64>,
    /// The token of temporary credentials, if the query has it and not a header.
    pub(super) token_of_query: Option<&'a str>,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=…, SignedHeaders=…, Signature=…`.
    pub(super) fn parse(fields: &'a str) -> Result<Authorization<'a>, Refusal> {
        let field = |name: &str| {
            let pairs = fields.split(',').filter_map(|field| field.trim().split_once('='));
            let found = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
            found.filter(|value| !value.is_empty()).ok_or_else(|| {
                incomplete(format!(
                    "Authorization header requires '{name}' parameter. Authorization={ALGORITHM}"
                ))
            })
        };
        Authorization::new(field("Credential")?, field("SignedHeaders")?, field("Signature")?)
    }

    /// Of its three parts.
    pub(super) fn new(
        credential: &'a str,
        signed_headers: &'a str,
        signature: &'a str,
    ) -> Result<Authorization<'a>, Refusal> {
        let [access_key_id, date, region, service, terminator] = credential.split('/').collect::<Vec<_>>()[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Authorization {
            credential,
            access_key_id,
            date,
            region,
            service,
            terminator,
            signed_headers: signed_headers.split(';').collect(),
            signature,
            date_of_query: None,
            expires: None,
            token_of_query: None,
        })
    }

    fn token<'h>(&'h self, headers: &'h HeaderMap) -> Option<&'h [u8]> {
        match self.date_of_query {
            Some(_) => self.token_of_query.map(str::as_bytes),
            None => headers.get(TOKEN_HEADER).map(|value| value.as_bytes()),
        }
    }
}

/// Whose key signed a request.
enum Signer<'c> {
    Known(&'c Credential),
    Session(Box<Session>),
}

impl Signer<'_> {
    fn secret(&self) -> String {
        match self {
            Signer::Known(credential) => credential.secret_access_key.clone(),
            Signer::Session(session) => session.secret(),
        }
    }

    fn has_expired(&self, now: SystemTime) -> bool {
        match self {
            Signer::Known(credential) => credential.expired,
            Signer::Session(session) => session.has_expired(now),
        }
    }
}

/// Checks a request's signature, in the order in which AWS complains. Gives who made it.
pub(super) fn verify(
    authorization: &Authorization<'_>,
    request: &Signed<'_>,
    scope: Scope<'_>,
    credentials: &[Credential],
    now: SystemTime,
) -> Result<Caller, Refusal> {
    let timestamp = match authorization.date_of_query {
        Some(date) => well_formed(date)?,
        None => timestamp(request.headers)?,
    };
    check_scope(authorization, &timestamp, scope)?;
    let signer = known(authorization, request.headers, credentials)?;
    let age = match authorization.expires {
        // STS takes none that are older, whatever they say of themselves.
        Some(seconds) => Duration::from_secs(seconds).min(LONGEST),
        None => SKEW,
    };
    check_clock(&timestamp, age, now)?;
    check_signed_headers(authorization, request.headers)?;
    let computed = signature(authorization, request, &timestamp, &signer.secret());
    if computed != authorization.signature {
        return Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    if signer.has_expired(now) {
        return Err(Refusal::new(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ));
    }
    Ok(match signer {
        Signer::Known(credential) => Caller::of_credential(credential),
        Signer::Session(session) => Caller::of_session(&session),
    })
}

fn timestamp(headers: &HeaderMap) -> Result<String, Refusal> {
    let header = headers.get("x-amz-date").and_then(|value| value.to_str().ok());
    let header = header.ok_or_else(|| {
        incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    })?;
    well_formed(header)
}

fn well_formed(date: &str) -> Result<String, Refusal> {
    match moment(date) {
        Some(_) => Ok(date.to_owned()),
        None => Err(incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'."
        ))),
    }
}

fn check_scope(authorization: &Authorization<'_>, timestamp: &str, scope: Scope<'_>) -> Result<(), Refusal> {
    let Authorization {
        date,
        service,
        terminator,
        ..
    } = authorization;
    if *terminator != TERMINATOR {
        return Err(invalid(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
        )));
    }
    if *service != scope.service {
        return Err(invalid(format!(
            "Credential should be scoped to correct service: '{}'. ",
            scope.service
        )));
    }
    if scope.region.is_some_and(|region| region != authorization.region) {
        return Err(invalid(format!(
            "Credential should be scoped to a valid region, not '{}'. ",
            authorization.region
        )));
    }
    if !timestamp.starts_with(*date) || date.len() != 8 {
        return Err(invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' in '{timestamp}'."
        )));
    }
    Ok(())
}

fn known<'c>(
    authorization: &Authorization<'_>,
    headers: &HeaderMap,
    credentials: &'c [Credential],
) -> Result<Signer<'c>, Refusal> {
    let token = authorization.token(headers);
    let matching = credentials.iter().find(|credential| {
        credential.access_key_id == authorization.access_key_id
            && credential.session_token.as_ref().map(String::as_bytes) == token
    });
    let session = || {
        let session = Session::read(token?)?;
        (session.access_key_id == authorization.access_key_id).then(|| Signer::Session(Box::new(session)))
    };
    matching.map(Signer::Known).or_else(session).ok_or_else(|| {
        Refusal::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    })
}

fn check_clock(timestamp: &str, age: Duration, now: SystemTime) -> Result<(), Refusal> {
    let Some(signed) = moment(timestamp) else {
        return Ok(());
    };
    let (earliest, latest) = (now - age, now + SKEW);
    if signed < earliest {
        let (earliest, now, minutes) = (basic(earliest), basic(now), age.as_secs() / 60);
        return Err(invalid(format!(
            "Signature expired: {timestamp} is now earlier than {earliest} ({now} - {minutes} min.)"
        )));
    }
    if signed > latest {
        let (latest, now) = (basic(latest), basic(now));
        return Err(invalid(format!(
            "Signature not yet current: {timestamp} is still later than {latest} ({now} + 5 min.)"
        )));
    }
    Ok(())
}

/// `host` and each `x-amz-` header must be signed.
fn check_signed_headers(authorization: &Authorization<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    let amz = headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| name.starts_with("x-amz-"));
    for name in amz.chain(["host"]) {
        if !authorization.signed_headers.contains(&name) {
            return Err(invalid(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
    }
    Ok(())
}

fn signature(authorization: &Authorization<'_>, request: &Signed<'_>, timestamp: &str, secret: &str) -> String {
    let canonical = canonical::request(request, &authorization.signed_headers);
    let scope = authorization.credential.split_once('/').map_or("", |(_, scope)| scope);
    let to_sign = format!(
        "{ALGORITHM}\n{timestamp}\n{scope}\n{}",
        canonical::sha256(canonical.as_bytes())
    );
    let Authorization {
        date,
        region,
        service,
        terminator,
        ..
    } = authorization;
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [*date, *region, *service, *terminator, to_sign.as_str()] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes())
            .as_ref()
            .to_vec();
    }
    canonical::hex(&key)
}

/// The moment that `20261121T054819Z` names.
fn moment(timestamp: &str) -> Option<SystemTime> {
    let (date, time) = timestamp.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 || !timestamp.is_ascii() {
        return None;
    }
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    let extended = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    SystemTime::try_from(DateTime::from_str(&extended, Format::DateTime).ok()?).ok()
}

/// The way back: a moment in ISO 8601's basic format.
fn basic(moment: SystemTime) -> String {
    let whole = DateTime::from_secs(DateTime::from(moment).secs());
    whole.fmt(Format::DateTime).unwrap_or_default().replace(['-', ':'], "")
}

pub(super) fn incomplete(message: impl Into<String>) -> Refusal {
    Refusal::new("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidSignatureException", message)
}

#[cfg(test)]
mod tests;
