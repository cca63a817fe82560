//! STS, in its query protocol of 2011-06-15: form bodies, or the same in the query of a GET, and answers in XML.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde_json::Value;

use super::{form, in_lower_camel, iso};
use crate::access::session::{Issued, Session, account_of};
use crate::access::{Caller, Signed};
use crate::exchange::{Answer, Shared, request_id};
use crate::refusal::Refusal;
use crate::validate;
use crate::world::Role;

const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// A web identity token that has ended has another name than a session that has.
const EXPIRED_IDENTITY: &str = "ExpiredIdentity";
const HOUR: u64 = 3600;
/// The shortest session that may be asked for.
const SHORTEST: u64 = 900;

/// Answers a call.
///
/// # Errors
///
/// A wrong signature, parameters that aren't as the service model says, roles that the caller may not assume.
pub(super) fn answer(shared: &Shared, operation: &str, signed: &Signed<'_>) -> Result<Answer, Refusal> {
    let mut fields = form::to_json(&pairs(signed));
    let version = fields["Version"].as_str().unwrap_or_default().to_owned();
    if !["AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"].contains(&operation) || version != VERSION {
        return Err(Refusal::new(
            "InvalidAction",
            format!("Could not find operation {operation} for version {version}"),
        ));
    }
    let now = SystemTime::now();
    // Who has a token of another's needs no signature, and gives none.
    let caller = match operation {
        "AssumeRoleWithWebIdentity" => None,
        _ => Some(shared.access().admit_signed(signed, "sts", now)?),
    };
    if let Value::Object(fields) = &mut fields {
        fields.remove("Action");
        fields.remove("Version");
    }
    let (checked, shortened) = without_short_duration(shared, &fields);
    validate::body(operation, &checked).map_err(in_lower_camel)?;
    if let Some(caller) = &caller
        && operation == "GetCallerIdentity"
    {
        return Ok(identity(caller));
    }
    let role_arn = fields["RoleArn"].as_str().unwrap_or_default();
    let is_role = role_arn.starts_with("arn:aws") && role_arn.contains(":role/") && !account_of(role_arn).is_empty();
    if !is_role {
        return Err(Refusal::validation(format!("{role_arn} is invalid")));
    }
    check_policy(&fields)?;
    let role = match &caller {
        Some(caller) => assumed(shared, caller, role_arn, &fields)?,
        None => federated(shared, role_arn, &fields)?,
    };
    let wanted = fields["DurationSeconds"].as_u64();
    let chained = caller.as_ref().is_some_and(|caller| caller.role.is_some());
    if wanted.is_some_and(|wanted| wanted > HOUR) {
        let message = match chained {
            true => "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            false => "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        };
        return Err(Refusal::validation(message));
    }
    let wanted = Duration::from_secs(wanted.unwrap_or(HOUR));
    let lifetime = match role.lifetime {
        Some(lifetime) if !shortened => wanted.min(lifetime),
        _ => wanted,
    };
    let name = fields["RoleSessionName"].as_str().unwrap_or_default();
    let issued = Session::issue(role_arn, name, lifetime, now);
    Ok(credentials(operation, &issued, &fields))
}

/// The parameters, without what signs them.
fn pairs(signed: &Signed<'_>) -> Vec<(String, String)> {
    let mut pairs = form::pairs(if signed.method == "GET" {
        signed.query.as_bytes()
    } else {
        signed.body
    });
    pairs.retain(|(name, _)| !name.starts_with("X-Amz-"));
    pairs
}

/// A role whose credentials end early may also be asked for a time shorter than AWS's shortest, so that tests need not
/// wait: the fields as they are checked then, and if that is so.
fn without_short_duration(shared: &Shared, fields: &Value) -> (Value, bool) {
    let mut checked = fields.clone();
    let ends_early = fields["RoleArn"]
        .as_str()
        .and_then(|arn| shared.world.things.role(arn))
        .is_some_and(|role| role.lifetime.is_some());
    let short = fields["DurationSeconds"]
        .as_u64()
        .is_some_and(|wanted| wanted < SHORTEST);
    if let (true, Value::Object(checked)) = (ends_early && short, &mut checked) {
        checked.remove("DurationSeconds");
    }
    (checked, ends_early && short)
}

fn check_policy(fields: &Value) -> Result<(), Refusal> {
    match fields["Policy"].as_str().map(serde_json::from_str::<Value>) {
        None | Some(Ok(Value::Object(_))) => Ok(()),
        _ => Err(Refusal::new(
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
        )),
    }
}

/// The role, if the caller may assume it. IAM doesn't tell a role that isn't there from one that isn't for the caller.
fn assumed<'a>(shared: &'a Shared, caller: &Caller, arn: &str, fields: &Value) -> Result<&'a Role, Refusal> {
    let root = format!("arn:aws:iam::{}:root", caller.account);
    let trusts = |role: &&Role| {
        let is_trusted = |principal: &String| {
            *principal == root || *principal == caller.arn || Some(principal) == caller.role.as_ref()
        };
        role.principals.iter().any(is_trusted)
            && (role.external_id.is_none() || role.external_id.as_deref() == fields["ExternalId"].as_str())
    };
    shared.world.things.role(arn).filter(trusts).ok_or_else(|| {
        Refusal::new(
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                caller.arn
            ),
        )
    })
}

/// The role, if it trusts the identity provider whose token the caller has.
fn federated<'a>(shared: &'a Shared, arn: &str, fields: &Value) -> Result<&'a Role, Refusal> {
    let given = fields["WebIdentityToken"].as_str().unwrap_or_default();
    let things = &shared.world.things;
    if given == "simulator-expired-web-identity-token" {
        let message = "Token expired: current date/time must be before the expiration date/time";
        return Err(Refusal::new(EXPIRED_IDENTITY, message));
    }
    let is_known = |role: &Role| role.web_identity_token.as_deref() == Some(given);
    if !things.roles.iter().any(is_known) {
        return Err(Refusal::new(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ));
    }
    things.role(arn).filter(|role| is_known(role)).ok_or_else(|| {
        Refusal::new(
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )
    })
}

fn identity(caller: &Caller) -> Answer {
    let result = [
        element("Arn", &caller.arn),
        element("UserId", &caller.user_id),
        element("Account", &caller.account),
    ];
    wrapped("GetCallerIdentity", &result.concat())
}

fn credentials(operation: &str, issued: &Issued, fields: &Value) -> Answer {
    let session = &issued.session;
    let keys = [
        element("AccessKeyId", &session.access_key_id),
        element("SecretAccessKey", &issued.secret),
        element("SessionToken", &issued.token),
        element("Expiration", &iso(session.expires())),
    ];
    let user = [
        element("AssumedRoleId", &session.user_id()),
        element("Arn", &session.arn()),
    ];
    let mut result = format!(
        "<AssumedRoleUser>{}</AssumedRoleUser><Credentials>{}</Credentials>",
        user.concat(),
        keys.concat()
    );
    if let Some(source) = fields["SourceIdentity"].as_str() {
        result += &element("SourceIdentity", source);
    }
    if !fields["Policy"].is_null() || !fields["Tags"].is_null() {
        result += &element("PackedPolicySize", "6");
    }
    if operation == "AssumeRoleWithWebIdentity" {
        result += &element(
            "SubjectFromWebIdentityToken",
            "system:serviceaccount:simulator:simulator",
        );
        result += &element("Audience", "sts.amazonaws.com");
        result += &element("Provider", "arn:aws:iam::123456789012:oidc-provider/simulator");
    }
    wrapped(operation, &result)
}

fn wrapped(operation: &str, result: &str) -> Answer {
    let id = request_id();
    xml(format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\">\n<{operation}Result>{result}</{operation}Result>\n\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\n</{operation}Response>\n"
    ))
}

fn xml(body: String) -> Answer {
    let mut answer = Answer::bytes(body);
    answer.content_type = "text/xml";
    answer
}

fn element(name: &str, text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{escaped}</{name}>")
}

/// A refusal as STS words it: without `Exception`, and with some other names.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let (code, status) = match refusal.exception.as_str() {
        "MissingAuthenticationTokenException" => ("MissingAuthenticationToken", StatusCode::FORBIDDEN),
        "UnrecognizedClientException" => ("InvalidClientTokenId", StatusCode::FORBIDDEN),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", StatusCode::FORBIDDEN),
        "IncompleteSignatureException" => ("IncompleteSignature", StatusCode::BAD_REQUEST),
        "ExpiredTokenException" => ("ExpiredToken", StatusCode::FORBIDDEN),
        EXPIRED_IDENTITY => ("ExpiredTokenException", StatusCode::BAD_REQUEST),
        "AccessDenied" | "AccessDeniedException" => ("AccessDenied", StatusCode::FORBIDDEN),
        "ValidationException" => ("ValidationError", StatusCode::BAD_REQUEST),
        "ThrottlingException" => ("Throttling", StatusCode::BAD_REQUEST),
        "InternalServerException" => ("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
        "ServiceUnavailableException" => ("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
        other => (other, StatusCode::BAD_REQUEST),
    };
    let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
    let error = [
        element("Type", kind),
        element("Code", code),
        element("Message", &refusal.message),
    ];
    let mut answer = xml(format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">\n<Error>{}</Error>\n<RequestId>{}</RequestId>\n</ErrorResponse>\n",
        error.concat(),
        request_id()
    ));
    answer.status = status;
    answer
}
