//! What accounts hold beside Bedrock: roles, secrets, parameters.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::durations;
use crate::models::{ACCOUNT, OTHER_ACCOUNT};
use crate::script::Scenario;

/// A role that can be assumed, or not.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// Its ARN, which names its account.
    pub arn: String,
    /// Who may assume it: ARNs of roles, and `arn:aws:iam::123456789012:root` for all of an account.
    pub principals: Vec<String>,
    /// What a caller must say as `ExternalId`.
    pub external_id: Option<String>,
    /// The web identity token that it takes.
    pub web_identity_token: Option<String>,
    /// How long its credentials are good at most, instead of what is asked for.
    #[serde(with = "durations")]
    pub lifetime: Option<Duration>,
}

/// A secret of Secrets Manager, in each region.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its text, or its bytes in base64.
    pub value: String,
    /// If it is bytes.
    pub binary: bool,
    /// Whose it is; the simulator's own account's if not given.
    pub account: Option<String>,
}

/// A parameter of Systems Manager, in each region.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// If it is a `SecureString`.
    pub secure: bool,
    /// Whose it is; the simulator's own account's if not given.
    pub account: Option<String>,
}

/// All of them.
pub(crate) struct Things {
    pub(crate) roles: Vec<Role>,
    held: Mutex<Held>,
}

struct Held {
    secrets: Vec<Secret>,
    parameters: Vec<Parameter>,
}

impl Things {
    pub(super) fn new(scenario: &Scenario) -> Things {
        let things = Things {
            // What the scenario has comes first, and so replaces what is built in.
            roles: scenario.roles.iter().cloned().chain(roles()).collect(),
            held: Mutex::new(Held {
                secrets: secrets(),
                parameters: parameters(),
            }),
        };
        things.put_secrets(scenario.secrets.clone());
        things.put_parameters(scenario.parameters.clone());
        things
    }

    pub(crate) fn role(&self, arn: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.arn == arn)
    }

    pub(crate) fn secret(&self, account: &str, is_meant: impl Fn(&str) -> bool) -> Option<Secret> {
        let held = self.lock();
        let mut own = held.secrets.iter().filter(|one| owner(one.account.as_ref()) == account);
        own.find(|one| is_meant(&one.name)).cloned()
    }

    pub(crate) fn parameter(&self, account: &str, name: &str) -> Option<Parameter> {
        let held = self.lock();
        let mut own = held
            .parameters
            .iter()
            .filter(|one| owner(one.account.as_ref()) == account);
        own.find(|one| one.name == name).cloned()
    }

    /// Sets secrets; those of other names stay.
    pub(super) fn put_secrets(&self, rows: Vec<Secret>) {
        let mut held = self.lock();
        for row in rows {
            held.secrets
                .retain(|one| one.name != row.name || owner(one.account.as_ref()) != owner(row.account.as_ref()));
            held.secrets.push(row);
        }
    }

    /// Sets parameters; those of other names stay.
    pub(super) fn put_parameters(&self, rows: Vec<Parameter>) {
        let mut held = self.lock();
        for row in rows {
            held.parameters
                .retain(|one| one.name != row.name || owner(one.account.as_ref()) != owner(row.account.as_ref()));
            held.parameters.push(row);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(account: Option<&String>) -> &str {
    account.map_or(ACCOUNT, String::as_str)
}

fn roles() -> Vec<Role> {
    let role = |account: &str, name: &str, principals: &[String]| Role {
        arn: format!("arn:aws:iam::{account}:role/{name}"),
        principals: principals.to_vec(),
        ..Role::default()
    };
    let all = [format!("arn:aws:iam::{ACCOUNT}:root")];
    let chained = [format!("arn:aws:iam::{ACCOUNT}:role/simulator-bedrock")];
    vec![
        role(ACCOUNT, "simulator-bedrock", &all),
        role(ACCOUNT, "simulator-nobody", &[]),
        role(OTHER_ACCOUNT, "simulator-other-account", &chained),
        Role {
            external_id: Some("simulator-external-id".to_owned()),
            ..role(ACCOUNT, "simulator-external", &all)
        },
        Role {
            web_identity_token: Some("simulator-web-identity-token".to_owned()),
            ..role(ACCOUNT, "simulator-web", &[])
        },
        Role {
            lifetime: Some(Duration::from_secs(5)),
            ..role(ACCOUNT, "simulator-short", &all)
        },
    ]
}

fn secrets() -> Vec<Secret> {
    let secret = |name: &str, value: &str| Secret {
        name: name.to_owned(),
        value: value.to_owned(),
        ..Secret::default()
    };
    vec![
        secret("simulator/api-key", "bedrock-api-key-simulator"),
        secret(
            "simulator/json",
            r#"{"api_key": "bedrock-api-key-simulator", "access_key_id": "AKIDSIMULATOR0000000", "secret_access_key": "simulator-secret-access-key"}"#,
        ),
        Secret {
            binary: true,
            ..secret("simulator/binary", "c2ltdWxhdG9yLWJ5dGVz")
        },
    ]
}

fn parameters() -> Vec<Parameter> {
    let parameter = |name: &str, value: &str, secure| Parameter {
        name: name.to_owned(),
        value: value.to_owned(),
        secure,
        account: None,
    };
    vec![
        parameter("/simulator/region", "us-east-1", false),
        parameter("/simulator/api-key", "bedrock-api-key-simulator", true),
        parameter("/simulator/json", r#"{"api_key": "bedrock-api-key-simulator"}"#, true),
    ]
}
