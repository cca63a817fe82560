//! What settings refer to in Secrets Manager and the Parameter Store.

use outcrop_upstream::{Account, Value};

use super::features::{PARAMETERS, SECRETS};
use crate::settings::{ApiKey, Database, ResponseCache, Settings, SharedCounters};

/// How many letters and digits Secrets Manager puts behind a secret's name in its ARN.
const SUFFIX: usize = 6;

/// The features and the ARNs.
pub(super) fn references(settings: &Settings, region: &str) -> Vec<(&'static str, String)> {
    let values = values(settings);
    values
        .filter_map(|value| match value {
            Value::Secret { id, .. } => Some((SECRETS, secret_arn(id, region))),
            Value::Parameter(name) => Some((PARAMETERS, parameter_arn(name, region))),
            _ => None,
        })
        .collect()
}

fn values(settings: &Settings) -> impl Iterator<Item = &Value> {
    let policies = settings.policies.iter().flat_map(|table| &table.keys);
    let keys = settings.api_keys.iter().chain(&settings.admin_keys);
    let keys = keys.chain(policies).chain(&settings.bedrock_api_key);
    let database = match &settings.database {
        Database::At(value) => Some(value),
        _ => None,
    };
    let counters = match &settings.shared_counters {
        SharedCounters::Redis(value) => Some(value),
        SharedCounters::Off => None,
    };
    let cache = match &settings.response_cache {
        ResponseCache::Redis(value) => Some(value),
        _ => None,
    };
    let accounts = settings.tables.accounts.iter();
    keys.map(ApiKey::value)
        .chain(database)
        .chain(counters)
        .chain(cache)
        .chain(settings.key_secret.as_ref().map(|secret| secret.value()))
        .chain(accounts.flat_map(|table| of_account(&table.account)))
}

fn of_account(account: &Account) -> impl Iterator<Item = &Value> {
    [
        &account.access_key_id,
        &account.secret_access_key,
        &account.session_token,
        &account.role_arn,
        &account.role_session_name,
        &account.external_id,
        &account.web_identity_token,
        &account.api_key,
    ]
    .into_iter()
    .flatten()
}

/// A name and an ARN without what is behind the name in the ARN get a pattern for it.
fn secret_arn(id: &str, region: &str) -> String {
    let arn = match id.starts_with("arn:") {
        true => id.to_owned(),
        false => format!("arn:aws:secretsmanager:{region}:*:secret:{id}"),
    };
    let last = arn.rsplit_once('-').map_or("", |(_, last)| last);
    let is_whole =
        id.starts_with("arn:") && last.len() == SUFFIX && last.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_whole {
        true => arn,
        false => format!("{arn}-??????"),
    }
}

fn parameter_arn(name: &str, region: &str) -> String {
    match name.starts_with("arn:") {
        true => name.to_owned(),
        false => format!("arn:aws:ssm:{region}:*:parameter/{}", name.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_arn_and_what_aws_adds_to_its_name() {
        let whole = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf";
        assert_eq!(secret_arn(whole, "eu-west-1"), whole);
        assert_eq!(
            secret_arn("arn:aws:secretsmanager:us-east-1:123456789012:secret:keys", "eu-west-1"),
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-??????"
        );
        // A name may end as if it were whole.
        assert_eq!(
            secret_arn("my-secret", "eu-west-1"),
            "arn:aws:secretsmanager:eu-west-1:*:secret:my-secret-??????"
        );
        assert_eq!(
            parameter_arn("/a/b", "eu-west-1"),
            "arn:aws:ssm:eu-west-1:*:parameter/a/b"
        );
        assert_eq!(parameter_arn("a", "eu-west-1"), "arn:aws:ssm:eu-west-1:*:parameter/a");
    }
}
