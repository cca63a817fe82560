//! Secrets Manager's `GetSecretValue`.

use serde_json::{Value, json};

use super::Request;
use crate::refusal::Refusal;

/// The six characters that Secrets Manager puts behind a secret's name.
const SUFFIX: &str = "-SiMuLt";
const VERSION: &str = "5e000000-0000-4000-8000-000000000001";
/// The day on which all secrets were made.
const CREATED: f64 = 1_767_225_600.0;

pub(super) fn answer(request: &Request<'_>) -> Result<Value, Refusal> {
    let id = request.body["SecretId"].as_str().unwrap_or_default();
    request.caller.may_read("secretsmanager:GetSecretValue", id)?;
    let account = &request.caller.account;
    let region = request.shared.catalogue.region();
    let prefix = format!("arn:aws:secretsmanager:{region}:{account}:secret:");
    // An ARN may come without the characters at its end.
    let named = id.strip_prefix(&prefix);
    let secret = request.shared.world.things.secret(account, |name| match named {
        Some(named) => named == name || named.strip_suffix(SUFFIX) == Some(name),
        None => id == name,
    });
    let secret = secret.ok_or_else(|| not_found("Secrets Manager can't find the specified secret.".to_owned()))?;
    let current = "AWSCURRENT";
    let stage = request.body["VersionStage"].as_str().unwrap_or(current);
    if stage != current {
        return Err(not_found(format!(
            "Secrets Manager can't find the specified secret value for staging label: {stage}"
        )));
    }
    if let Some(version) = request.body["VersionId"].as_str().filter(|version| *version != VERSION) {
        return Err(not_found(format!(
            "Secrets Manager can't find the specified secret value for VersionId: {version}"
        )));
    }
    let mut found = json!({
        "ARN": format!("{prefix}{}{SUFFIX}", secret.name),
        "Name": secret.name,
        "VersionId": VERSION,
        "VersionStages": [current],
        "CreatedDate": CREATED,
    });
    let member = if secret.binary { "SecretBinary" } else { "SecretString" };
    found[member] = secret.value.into();
    Ok(found)
}

fn not_found(message: String) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}
