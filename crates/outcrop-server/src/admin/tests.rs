use std::collections::BTreeSet;

use outcrop_tenants::{Role, validate};
use serde_json::{Map, Value, json};

use super::access::{Admin, Right};
use super::{ROWS, allowed, descriptions};

const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Viewer, Role::Billing];

fn names<'a>(members: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    members.map(String::as_str).collect()
}

fn schemas() -> Map<String, Value> {
    let described = descriptions().iter().find_map(|text| {
        let said: Value = serde_json::from_str(text).unwrap();
        said.get("schemas").and_then(Value::as_object).cloned()
    });
    described.unwrap()
}

#[test]
fn each_operation_is_described() {
    for (row, text) in ROWS.iter().zip(descriptions()) {
        let said: Value = serde_json::from_str(text).unwrap();
        assert!(said["summary"].is_string(), "{}", row.name());
        assert!(said["response"].is_object(), "{}", row.name());
    }
}

#[test]
fn settings_are_described_as_they_are() {
    let full = json!({
        "allowed_models": ["a"], "denied_models": ["b"], "allowed_endpoints": ["/v1/models"],
        "allowed_networks": ["::1"], "requests_per_minute": 1, "tokens_per_minute": 1, "concurrent_requests": 1,
        "concurrent_streams": 1, "budgets": [{"period": "day", "limit_usd": 1.0, "warn_at": 0.5, "soft": true}],
        "parameters": {"a": 1},
        "guardrail": {"id": "a", "version": "1", "trace": "enabled", "stream_mode": "sync"},
        "prompt_caching": "off", "on_unsupported": "adapt", "metadata": {"a": "b"}, "aliases": {"a": "b"},
        "account": "a", "region": "eu-west-1", "role_arn": "arn:aws:iam::123456789012:role/a", "external_id": "ab",
        "session_tags": {"a": "b"},
    });
    let settings = validate::read_settings(full).unwrap();
    // Destructured by serde: a member that is new is missing above, and is found by what is said of the unknown.
    let known = validate::read_settings(json!({"?": 1})).unwrap_err().message;
    let written = serde_json::to_value(&settings).unwrap();
    let schemas = schemas();
    let described = |name: &str| schemas[name]["properties"].as_object().unwrap();
    assert_eq!(
        names(written.as_object().unwrap().keys()),
        names(described("Settings").keys())
    );
    assert_eq!(
        known.matches('`').count() / 2 - 1,
        described("Settings").len(),
        "{known}"
    );
    assert_eq!(
        names(written["budgets"][0].as_object().unwrap().keys()),
        names(described("Budget").keys())
    );
    assert_eq!(
        names(written["guardrail"].as_object().unwrap().keys()),
        names(described("GuardrailSetting").keys())
    );
}

#[test]
fn roles_have_their_rights() {
    let expected = [
        (Right::Own, &ROLES[..]),
        (Right::OwnKey, &ROLES[..3]),
        (Right::Read, &ROLES[..3]),
        (Right::Write, &ROLES[..2]),
        (Right::Usage, &ROLES[..]),
        (Right::Audit, &ROLES[..2]),
        (Right::ReadAdmins, &ROLES[..3]),
        (Right::WriteAdmins, &ROLES[..1]),
    ];
    assert_eq!(expected.map(|(right, _)| right), Right::ALL);
    for (right, roles) in expected {
        for role in ROLES {
            let admin = Admin {
                name: "adm_1".to_owned(),
                address: String::new(),
                role,
                organization_id: None,
            };
            let refused = admin.check(right).err();
            assert_eq!(refused.is_none(), roles.contains(&role), "{right:?} {role:?}");
            assert!(refused.is_none_or(|problem| problem.status == 403));
        }
    }
}

#[test]
fn nothing_is_changed_by_reading() {
    for row in ROWS {
        let reads = matches!(
            row.right,
            Right::Own | Right::OwnKey | Right::Read | Right::Usage | Right::Audit | Right::ReadAdmins
        );
        assert_eq!(reads, row.method == "get", "{}", row.name());
        assert!(
            allowed(row.path).contains(&row.method.to_ascii_uppercase()),
            "{}",
            row.name()
        );
    }
}

#[test]
fn an_administrator_of_one_organization_stays_in_it() {
    let mut admin = Admin {
        name: "adm_1".to_owned(),
        address: String::new(),
        role: Role::Owner,
        organization_id: Some("org_1".to_owned()),
    };
    assert!(admin.sees("org_1") && !admin.sees("org_2"));
    let settings = |value| validate::read_settings(value).unwrap();
    let role = settings(json!({"role_arn": "arn:aws:iam::123456789012:role/a"}));
    let none = settings(json!({}));
    let refused = admin.check_settings(&none, &role).unwrap_err();
    assert_eq!(
        (refused.status, refused.param.as_deref()),
        (403, Some("settings.role_arn"))
    );
    assert!(admin.check_settings(&role, &none).is_err());
    assert!(admin.check_settings(&role, &role).is_ok());
    assert!(
        admin
            .check_settings(&none, &settings(json!({"requests_per_minute": 1})))
            .is_ok()
    );
    admin.organization_id = None;
    assert!(admin.sees("org_2") && admin.check_settings(&none, &role).is_ok());
}

#[test]
fn the_page_on_keys_has_each_setting() {
    let page = include_str!("../../../../docs/keys.md");
    for (name, schema) in schemas()["Settings"]["properties"].as_object().unwrap() {
        let row = format!("| `{name}` | {} |", schema["description"].as_str().unwrap());
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn the_page_on_administration_has_each_operation() {
    let page = include_str!("../../../../docs/admin-api.md");
    for row in ROWS {
        let last = row.path.rsplit('/').next().unwrap();
        let is_there = page.contains(&format!("`{}`", row.path))
            || page.contains(&format!(" {}`", row.path))
            || (last == "enable" && page.contains("`…/enable`"));
        assert!(is_there, "{}", row.path);
    }
}
