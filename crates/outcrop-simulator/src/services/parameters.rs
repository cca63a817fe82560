//! Systems Manager's parameters: `GetParameter` and `GetParameters`.

use aws_smithy_types::base64;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::Request;
use crate::refusal::Refusal;
use crate::world::Parameter;

/// The day on which all parameters were last changed.
const MODIFIED: f64 = 1_767_225_600.0;

pub(super) fn answer(request: &Request<'_>) -> Result<Value, Refusal> {
    let decrypted = request.body["WithDecryption"] == true;
    if request.operation == "GetParameter" {
        let name = request.body["Name"].as_str().unwrap_or_default();
        request.caller.may_read("ssm:GetParameter", &arn(request, name))?;
        let found = find(request, name)?.ok_or_else(|| Refusal::new("ParameterNotFound", ""))?;
        return Ok(json!({"Parameter": shown(request, &found, name, decrypted)}));
    }
    let names = request.body["Names"].as_array();
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let (mut parameters, mut invalid) = (Vec::new(), Vec::new());
    for (at, name) in names.iter().enumerate() {
        request.caller.may_read("ssm:GetParameters", &arn(request, name))?;
        if names[..at].contains(name) {
            return Err(Refusal::validation("Duplicate names found in the request."));
        }
        match find(request, name) {
            Ok(Some(found)) => parameters.push(shown(request, &found, name, decrypted)),
            _ => invalid.push(name),
        }
    }
    Ok(json!({"Parameters": parameters, "InvalidParameters": invalid}))
}

/// A parameter by its name or its ARN, and by its one version. Labels aren't given.
fn find(request: &Request<'_>, name: &str) -> Result<Option<Parameter>, Refusal> {
    let (plain, selector) = split(request, name);
    let found = request.shared.world.things.parameter(&request.caller.account, &plain);
    match (found, selector) {
        (Some(_), Some(selector)) if selector != "1" => Err(Refusal::new(
            "ParameterVersionNotFound",
            format!("Systems Manager could not find version {selector} of {plain}. Verify the version and try again."),
        )),
        (found, _) => Ok(found),
    }
}

/// A name without the ARN around it, and the version behind it.
fn split(request: &Request<'_>, name: &str) -> (String, Option<String>) {
    let named = match name.strip_prefix(&arn(request, "")) {
        // A name without slashes has none in its ARN either, but for the one before it.
        Some(rest) if rest.contains('/') => format!("/{}", rest.trim_start_matches('/')),
        Some(rest) => rest.to_owned(),
        None => name.to_owned(),
    };
    match named.split_once(':') {
        Some((plain, selector)) if !named.starts_with("arn:") => (plain.to_owned(), Some(selector.to_owned())),
        _ => (named, None),
    }
}

fn arn(request: &Request<'_>, name: &str) -> String {
    let (region, account) = (request.shared.catalogue.region(), &request.caller.account);
    format!(
        "arn:aws:ssm:{region}:{account}:parameter/{}",
        name.trim_start_matches('/')
    )
}

fn shown(request: &Request<'_>, parameter: &Parameter, asked: &str, decrypted: bool) -> Value {
    let (name, selector) = split(request, asked);
    let value = match parameter.secure && !decrypted {
        true => ciphertext(&parameter.value),
        false => parameter.value.clone(),
    };
    let mut found = json!({
        "Name": name,
        "Type": if parameter.secure { "SecureString" } else { "String" },
        "Value": value,
        "Version": 1,
        "LastModifiedDate": MODIFIED,
        "ARN": arn(request, &name),
        "DataType": "text",
    });
    if let Some(selector) = selector {
        found["Selector"] = format!(":{selector}").into();
    }
    found
}

/// Something that nobody takes for the value.
fn ciphertext(value: &str) -> String {
    let head = [1, 2, 2, 0, 0x78];
    let sealed = digest(&SHA256, format!("parameter\n{value}").as_bytes());
    base64::encode([&head[..], sealed.as_ref(), sealed.as_ref()].concat())
}
