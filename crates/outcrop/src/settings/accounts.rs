//! `[[accounts]]`: identities besides the gateway's own.

use outcrop_tenants::UsageRecord;
use outcrop_upstream::Account;
use serde_json::{Value as Json, json};

use super::kind::{Kind, Raw, RawTable};
use super::kinds::{BaseUrl, Label, PlainValue, Profile, Region, SecretValue};
use super::layers::Origin;
use super::problem::Problems;
use super::rows::{Key, Reader, Shown};

/// The key in the file.
pub(super) const ACCOUNTS: &str = "accounts";

/// The keys of a table.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "name",
        about: "Its name, by which targets and quotas mean it.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "region",
        about: "The region of calls that name none. Where it is not set, it is the gateway's own.",
        schema: <Region as Kind>::schema,
    },
    Key {
        name: "profile",
        about: "The profile in AWS's configuration files: its keys, role, identity centre (SSO) or process.",
        schema: <Profile as Kind>::schema,
    },
    Key {
        name: "access_key_id",
        about: "The id of an access key.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "secret_access_key",
        about: "The secret of that key.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "session_token",
        about: "The token that belongs to a temporary key.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "role_arn",
        about: "A role that is assumed with what else is said here, or with the gateway's own identity.",
        schema: <PlainValue as Kind>::schema,
    },
    Key {
        name: "role_session_name",
        about: "The name of the role's session, which AWS's logs show.",
        schema: <PlainValue as Kind>::schema,
    },
    Key {
        name: "external_id",
        about: "What a role of another company wants to be told.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "session_tags",
        about: "Tags of the role's session, by name.",
        schema: || json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    },
    Key {
        name: "source_account",
        about: "Another account, by its name, which assumes the role.",
        schema: <Label as Kind>::schema,
    },
    Key {
        name: "web_identity_token",
        about: "A web identity token, with which the role is assumed. A `file:` is read again each time.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "bedrock_api_key",
        about: "A Bedrock API key, used instead of credentials.",
        schema: <SecretValue as Kind>::schema,
    },
    Key {
        name: "endpoint_url",
        about: "The base URL of bedrock-runtime: a VPC endpoint, a proxy.",
        schema: <BaseUrl as Kind>::schema,
    },
    Key {
        name: "control_endpoint_url",
        about: "The base URL of bedrock.",
        schema: <BaseUrl as Kind>::schema,
    },
    Key {
        name: "agent_runtime_endpoint_url",
        about: "The base URL of bedrock-agent-runtime.",
        schema: <BaseUrl as Kind>::schema,
    },
    Key {
        name: "sts_endpoint_url",
        about: "The base URL of STS, where roles are assumed.",
        schema: <BaseUrl as Kind>::schema,
    },
    Key {
        name: "use_fips",
        about: "Whether AWS's FIPS endpoints are used.",
        schema: <bool as Kind>::schema,
    },
    Key {
        name: "use_dualstack",
        about: "Whether AWS's endpoints that speak both IPv4 and IPv6 are used.",
        schema: <bool as Kind>::schema,
    },
];

/// One table, in order.
#[derive(Clone, Debug)]
pub(crate) struct AccountTable {
    /// For the way to Bedrock.
    pub(crate) account: Account,
    pub(super) shown: Shown,
    pub(super) origin: Origin,
}

/// Reads one table. `None` only if a problem was added.
pub(super) fn read(table: &RawTable, problems: &mut Problems) -> Option<AccountTable> {
    let mut reader = Reader::new(ACCOUNTS, table, KEYS, problems);
    let url = |url: BaseUrl| url.as_str().to_owned();
    let name = reader.need::<Label>("name");
    let mut account = Account {
        region: reader.take::<Region>("region").map(|region| region.to_string()),
        profile: reader.take::<Profile>("profile").map(|name| name.as_str().to_owned()),
        access_key_id: secret(&mut reader, "access_key_id"),
        secret_access_key: secret(&mut reader, "secret_access_key"),
        session_token: secret(&mut reader, "session_token"),
        role_arn: plain(&mut reader, "role_arn"),
        role_session_name: plain(&mut reader, "role_session_name"),
        external_id: secret(&mut reader, "external_id"),
        session_tags: session_tags(&mut reader),
        source_account: reader.take::<Label>("source_account").map(Label::into_string),
        web_identity_token: secret(&mut reader, "web_identity_token"),
        api_key: secret(&mut reader, "bedrock_api_key"),
        runtime_endpoint: reader.take::<BaseUrl>("endpoint_url").map(url),
        control_endpoint: reader.take::<BaseUrl>("control_endpoint_url").map(url),
        agent_runtime_endpoint: reader.take::<BaseUrl>("agent_runtime_endpoint_url").map(url),
        sts_endpoint: reader.take::<BaseUrl>("sts_endpoint_url").map(url),
        use_fips: reader.take::<bool>("use_fips"),
        use_dual_stack: reader.take::<bool>("use_dualstack"),
        ..Account::default()
    };
    check(&mut reader);
    account.name = name?.into_string();
    Some(AccountTable {
        account,
        shown: reader.shown,
        origin: table.origin.clone(),
    })
}

fn secret(reader: &mut Reader<'_>, name: &'static str) -> Option<outcrop_upstream::Value> {
    reader.take::<SecretValue>(name).map(SecretValue::into_value)
}

fn plain(reader: &mut Reader<'_>, name: &'static str) -> Option<outcrop_upstream::Value> {
    reader.take::<PlainValue>(name).map(PlainValue::into_value)
}

fn session_tags(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.members("session_tags") else {
        return Vec::new();
    };
    let mut tags = Vec::new();
    for (name, origin, raw) in &table.members {
        match raw {
            Raw::Text(text) => tags.push((name.clone(), text.clone())),
            other => reader.problems.add(
                origin.clone(),
                format!("accounts.session_tags.{name}: expected text, found {other}"),
            ),
        }
    }
    let shown = tags.iter().map(|(name, text)| (name.clone(), json!(text)));
    reader.shown.push(("session_tags", Json::Object(shown.collect())));
    tags
}

/// Keys that make no sense without others.
fn check(reader: &mut Reader<'_>) {
    for (name, needed) in [
        ("access_key_id", "secret_access_key"),
        ("secret_access_key", "access_key_id"),
        ("session_token", "access_key_id"),
        ("role_session_name", "role_arn"),
        ("external_id", "role_arn"),
        ("session_tags", "role_arn"),
        ("source_account", "role_arn"),
        ("web_identity_token", "role_arn"),
    ] {
        if reader.has(name) && !reader.has(needed) {
            reader.complain(name, &format!("it needs {needed} beside it"));
        }
    }
    for (name, other) in [
        ("access_key_id", "profile"),
        ("source_account", "access_key_id"),
        ("source_account", "profile"),
        ("web_identity_token", "access_key_id"),
        ("web_identity_token", "profile"),
        ("web_identity_token", "source_account"),
        ("bedrock_api_key", "access_key_id"),
        ("bedrock_api_key", "profile"),
        ("bedrock_api_key", "role_arn"),
    ] {
        if reader.has(name) && reader.has(other) {
            reader.complain(
                name,
                &format!("there is {other} beside it, and only one can say who asks"),
            );
        }
    }
}

/// What is wrong with all of them together.
pub(super) fn check_all(tables: &[AccountTable], problems: &mut Problems) {
    for (index, table) in tables.iter().enumerate() {
        let name = &table.account.name;
        if let Some(first) = tables.iter().take(index).find(|other| other.account.name == *name) {
            problems.add(
                table.origin.clone(),
                format!(
                    "accounts.name: there is an account {name:?} already, at {}",
                    first.origin
                ),
            );
            continue;
        }
        if *name == UsageRecord::CLIENTS_ACCOUNT {
            problems.add(
                table.origin.clone(),
                format!("accounts.name: {name:?} is what usage names the account of a client that brings its own"),
            );
        }
        if let Some(source) = &table.account.source_account {
            if named(tables, source).is_none() {
                problems.add(
                    table.origin.clone(),
                    format!("accounts.source_account: {}", unknown_account(tables, source)),
                );
            } else if is_circle(tables, table) {
                problems.add(
                    table.origin.clone(),
                    format!("accounts.source_account: {name:?} is assumed by way of itself"),
                );
            }
        }
    }
}

/// Whether an account is the source of itself.
fn is_circle(tables: &[AccountTable], table: &AccountTable) -> bool {
    let mut at = table;
    // No way without a circle is longer.
    for _ in 0..tables.len() {
        let Some(next) = at.account.source_account.as_ref().and_then(|name| named(tables, name)) else {
            return false;
        };
        if next.account.name == table.account.name {
            return true;
        }
        at = next;
    }
    false
}

/// The table of an account.
pub(super) fn named<'a>(tables: &'a [AccountTable], name: &str) -> Option<&'a AccountTable> {
    tables.iter().find(|table| table.account.name == name)
}

/// Nobody has this name.
pub(super) fn unknown_account(tables: &[AccountTable], name: &str) -> String {
    let names = tables.iter().map(|table| table.account.name.clone());
    super::nearest::unknown("account", name, super::nearest::nearest(name, names))
}
