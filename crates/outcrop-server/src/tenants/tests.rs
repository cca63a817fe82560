use outcrop_store::Directory as Changes;
use outcrop_tenants::{Credential, CredentialKind, Organization, Project, Settings, Status};
use outcrop_translate::resolve::Target;
use serde_json::{Value, json};

use super::*;

fn settings(settings: &Value) -> Settings {
    serde_json::from_value(settings.clone()).unwrap()
}

fn organization(id: &str, said: &Value) -> Organization {
    Organization {
        id: id.to_owned(),
        name: id.to_uppercase(),
        status: Status::Active,
        settings: settings(said),
        created_at: 0,
    }
}

fn project(id: &str, organization: &str, said: &Value) -> Project {
    Project {
        id: id.to_owned(),
        organization_id: organization.to_owned(),
        name: "search".to_owned(),
        status: Status::Active,
        settings: settings(said),
        created_at: 0,
    }
}

fn credential(id: &str, project: &str, said: &Value) -> Credential {
    Credential {
        id: id.to_owned(),
        project_id: project.to_owned(),
        name: "laptop".to_owned(),
        kind: CredentialKind::Iam { arn: "*".to_owned() },
        status: Status::Active,
        expires_at: None,
        settings: settings(said),
        created_at: 0,
        rotated_from: None,
        user: None,
    }
}

/// What holds for a key, of what its organization, its project and itself say.
fn tenant(levels: [Value; 3]) -> (Directory, Arc<Tenant>) {
    let [of_organization, of_project, of_key] = &levels;
    let directory = Directory::default().with(Changes {
        version: 1,
        organizations: vec![organization("acme", of_organization), organization("other", &json!({}))],
        projects: vec![
            project("p", "acme", of_project),
            project(
                "q",
                "other",
                &json!({"aliases": {"theirs": "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"}}),
            ),
        ],
        credentials: vec![credential("key", "p", of_key), credential("their", "q", &json!({}))],
        admin_keys: Vec::new(),
    });
    let tenant = directory.tenant(directory.by_id("key").unwrap()).unwrap();
    (directory, tenant)
}

fn target(names: &[&str]) -> Target {
    Target {
        model_id: names[0].to_owned(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        ..Target::default()
    }
}

#[test]
fn restrictions_of_all_three_hold() {
    let (_, tenant) = tenant([
        json!({"denied_models": ["*opus*"], "allowed_networks": ["10.0.0.0/8"]}),
        json!({"allowed_models": ["anthropic.*", "fast"]}),
        json!({"allowed_models": ["*haiku*", "*opus*", "fast"], "allowed_networks": ["10.1.2.3"]}),
    ]);
    let allowed = |names: &[&str], others: &[&str]| tenant.rights.allow_model(&target(names), others);
    assert!(allowed(&["anthropic.claude-haiku-4-5"], &[]));
    assert!(!allowed(&["anthropic.claude-sonnet-4-5"], &[]), "the key");
    assert!(!allowed(&["us.haiku"], &[]), "the project");
    assert!(!allowed(&["anthropic.claude-opus-4"], &[]), "the organization");
    assert!(
        allowed(&["amazon.nova-lite-v1:0"], &["fast"]),
        "by a name that the operator gave it"
    );
    let opaque = Target {
        is_opaque: true,
        ..target(&["anthropic.haiku-or-opus"])
    };
    assert!(
        !tenant.rights.allow_model(&opaque, &[]),
        "nobody knows whether it is denied"
    );
    let address = |text: &str| tenant.rights.allow_address(Some(text.parse().unwrap()));
    assert!(address("10.1.2.3") && address("::ffff:10.1.2.3"));
    assert!(!address("10.1.2.4") && !address("192.0.2.1") && !tenant.rights.allow_address(None));
}

#[test]
fn the_rest_is_the_nearests() {
    let (_, tenant) = tenant([
        json!({"parameters": {"temperature": 0.1, "top_p": 0.5}, "metadata": {"a": "org", "b": "org"},
               "on_unsupported": "reject", "guardrail": {"id": "g", "version": "1"}, "account": "one",
               "session_tags": {"cost-center": "7"}, "role_arn": "arn:aws:iam::1:role/acme"}),
        json!({"parameters": {"temperature": 0.2}, "aliases": {"fast": "amazon.nova-lite-v1:0"}}),
        json!({"metadata": {"b": "key"}, "prompt_caching": "auto", "account": "two", "region": "eu-west-1"}),
    ]);
    assert_eq!(tenant.parameters.as_deref(), Some(r#"{"temperature":0.2,"top_p":0.5}"#));
    let metadata = [("a".to_owned(), "org".to_owned()), ("b".to_owned(), "key".to_owned())];
    assert_eq!(*tenant.metadata, metadata);
    assert_eq!(tenant.alias("fast"), Some("amazon.nova-lite-v1:0"));
    assert_eq!(
        (tenant.account.as_deref(), tenant.region.as_deref()),
        (Some("two"), Some("eu-west-1"))
    );
    let role = tenant.role.as_ref().unwrap();
    assert_eq!(role.source_account.as_deref(), Some("two"));
    let tags: Vec<(&str, &str)> = role
        .session_tags
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    let expected = [
        ("cost-center", "7"),
        ("outcrop:organization", "ACME"),
        ("outcrop:project", "search"),
    ];
    assert_eq!(tags, expected);
    assert!(tenant.policy.guardrail.is_some() && tenant.policy.on_unsupported.is_some());
}

#[test]
fn an_arn_that_somebody_has_named_is_theirs() {
    let (directory, tenant) = tenant([json!({}), json!({}), json!({})]);
    let theirs = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x";
    assert!(!directory.may_call(&tenant, theirs));
    assert!(directory.may_call(&tenant, "arn:aws:bedrock:us-east-1:1:application-inference-profile/y"));
    let their = directory.tenant(directory.by_id("their").unwrap()).unwrap();
    assert!(directory.may_call(&their, theirs));
}

#[test]
fn a_change_of_the_project_changes_its_keys() {
    let (directory, before) = tenant([json!({}), json!({"region": "eu-west-1"}), json!({})]);
    let changed = directory.with(Changes {
        version: 2,
        projects: vec![Project {
            status: Status::Disabled,
            ..project("p", "acme", &json!({"region": "eu-west-3"}))
        }],
        ..Changes::default()
    });
    let after = changed.tenant(changed.by_id("key").unwrap()).unwrap();
    assert_eq!(after.region.as_deref(), Some("eu-west-3"));
    assert!(before.is_active(5) && !after.is_active(5));
    assert_eq!(changed.version(), 2);
}

#[test]
fn a_key_ends_when_it_says() {
    let mut ending = credential("key", "p", &json!({}));
    ending.expires_at = Some(100);
    let directory = Directory::default().with(Changes {
        version: 1,
        organizations: vec![organization("acme", &json!({}))],
        projects: vec![project("p", "acme", &json!({}))],
        credentials: vec![ending],
        admin_keys: Vec::new(),
    });
    let tenant = directory.tenant(directory.by_id("key").unwrap()).unwrap();
    assert!(tenant.is_active(99) && !tenant.is_active(100));
}

#[test]
fn a_name_of_a_keys_own_allows_no_more_than_what_is_above_it() {
    let may = |levels: [Value; 3]| {
        let (_, tenant) = tenant(levels);
        tenant
            .rights
            .allow_model(&target(&["anthropic.claude"]), &["nova-mine"])
    };
    let alias = json!({"nova-mine": "anthropic.claude"});
    let allowed = json!(["*nova*"]);
    assert!(!may([
        json!({"allowed_models": allowed}),
        json!({}),
        json!({"aliases": alias})
    ]));
    assert!(!may([
        json!({"allowed_models": allowed, "aliases": alias}),
        json!({"aliases": alias}),
        json!({})
    ]));
    assert!(!may([
        json!({}),
        json!({"allowed_models": allowed}),
        json!({"aliases": alias})
    ]));
    // Who gave the name meant it.
    assert!(may([
        json!({"allowed_models": allowed, "aliases": alias}),
        json!({}),
        json!({})
    ]));
    assert!(may([
        json!({"aliases": alias}),
        json!({}),
        json!({"allowed_models": allowed})
    ]));
    assert!(may([
        json!({}),
        json!({}),
        json!({"allowed_models": allowed, "aliases": alias})
    ]));
}

#[test]
fn what_is_everybodys_stays_so_and_what_is_ones_own_is_by_any_word_before_it() {
    let arn = |kind: &str| format!("arn:aws:bedrock:us-east-1:{kind}");
    let (foundation, system, own) = (
        arn(":foundation-model/amazon.nova-lite-v1:0"),
        arn("1:inference-profile/us.amazon.nova-lite-v1:0"),
        arn("1:provisioned-model/x"),
    );
    let (directory, tenant) = tenant([json!({}), json!({}), json!({})]);
    let directory = directory.with(Changes {
        version: 2,
        organizations: vec![organization(
            "other",
            &json!({"aliases": {"a": foundation, "b": system, "c": format!("bedrock/converse/{own}")}}),
        )],
        ..Changes::default()
    });
    assert!(directory.may_call(&tenant, &foundation) && directory.may_call(&tenant, &system));
    assert!(!directory.may_call(&tenant, &own));
}
