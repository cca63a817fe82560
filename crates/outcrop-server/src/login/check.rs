//! What the AWS parameters of a request may be, and what belongs together. Nothing here repeats a value: most are secret.

use http::Uri;
use http::uri::Scheme;
use outcrop_translate::Problem;
use outcrop_upstream::Value;

use super::{REQUEST_AWS_PARAMETERS, Said};

/// What a value must be, for the end of a sentence, and whether it is.
type Rule = (&'static str, fn(&str) -> bool);

/// Checks each parameter by itself, and then all together.
///
/// # Errors
/// What is wrong with the first that is, by its name.
pub(super) fn all(said: &Said) -> Result<(), Problem> {
    for name in REQUEST_AWS_PARAMETERS {
        let Some(value) = said.get(name) else { continue };
        if !matches!(Value::parse(value), Ok(Value::Literal(_))) {
            return Err(invalid(name, "must be the value itself, and no reference to it"));
        }
        let (what, fits) = rule(name);
        if !fits(value) {
            return Err(invalid(name, &format!("must be {what}")));
        }
    }
    together(said)
}

/// The forms that AWS gives these values (service models of IAM and STS, botocore 1.44.5, 2026-11).
fn rule(name: &str) -> Rule {
    match name {
        "aws_region_name" => ("an AWS region such as 'eu-central-1'", is_region),
        "aws_access_key_id" => ("an access key id", |text| is_word(text, 16..=128, "")),
        "aws_role_name" => ("the ARN of a role", is_role),
        "aws_session_name" => ("2 to 64 letters, digits or '_+=,.@-'", |text| {
            is_word(text, 2..=64, "+=,.@-")
        }),
        "aws_external_id" => ("2 to 1224 letters, digits or '_+=,.@:/-'", |text| {
            is_word(text, 2..=1224, "+=,.@:/-")
        }),
        "aws_profile_name" => ("the name of a profile", |text| {
            !text.is_empty() && !text.chars().any(char::is_control)
        }),
        "aws_sts_endpoint" | "aws_bedrock_runtime_endpoint" => ("an http or https address", is_address),
        _ => ("the value as AWS gave it, without spaces", |text| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
        }),
    }
}

fn is_word(text: &str, length: std::ops::RangeInclusive<usize>, marks: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '_' || marks.contains(char);
    length.contains(&text.len()) && text.chars().all(fits)
}

/// It becomes a part of a host's name.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = parts.next_back().unwrap_or_default();
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.len() <= 32 && text.matches('-').count() >= 2 && parts.all(is_name)
}

fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, iam, region, account, role] = parts[..] else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = role.strip_prefix("role/").unwrap_or_default();
    (arn, iam, region) == ("arn", "iam", "")
        && !partition.is_empty()
        && is_account
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_address(text: &str) -> bool {
    let Ok(address) = text.parse::<Uri>() else {
        return false;
    };
    let is_http = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&address.scheme());
    is_http && address.query().is_none() && address.authority().is_some_and(|host| !host.as_str().contains('@'))
}

fn together(said: &Said) -> Result<(), Problem> {
    let has = |name| said.get(name).is_some();
    let needs = |name: &'static str, other: &str| Err(invalid(name, &format!("needs '{other}' beside it")));
    let has_keys = has("aws_access_key_id");
    if has_keys != has("aws_secret_access_key") {
        let (there, missing) = match has_keys {
            true => ("aws_access_key_id", "aws_secret_access_key"),
            false => ("aws_secret_access_key", "aws_access_key_id"),
        };
        return needs(there, missing);
    }
    if has("aws_session_token") && !has_keys {
        return needs("aws_session_token", "aws_access_key_id");
    }
    let has_role = has("aws_role_name");
    for name in [
        "aws_session_name",
        "aws_external_id",
        "aws_web_identity_token",
        "aws_sts_endpoint",
    ] {
        if has(name) && !has_role {
            return needs(name, "aws_role_name");
        }
    }
    let has_token = has("aws_web_identity_token");
    if has("aws_profile_name") && (has_keys || has_token) {
        return Err(invalid("aws_profile_name", "says another identity than the rest"));
    }
    if has_token && has_keys {
        return Err(invalid(
            "aws_web_identity_token",
            "says another identity than the access key",
        ));
    }
    // Whoever names a host must not be sent what proves who the gateway is: a Bedrock API key, a session token.
    for name in ["aws_sts_endpoint", "aws_bedrock_runtime_endpoint"] {
        if has(name) && !has_keys && !has_token {
            let message = "is called with credentials of the request alone: an access key, or a web identity token";
            return Err(invalid(name, message));
        }
    }
    Ok(())
}

/// What is wrong with a parameter.
pub(super) fn invalid(name: &'static str, what: &str) -> Problem {
    Problem::invalid(format!("'{name}' {what}."))
        .with_code("invalid_value")
        .with_param(name)
}
