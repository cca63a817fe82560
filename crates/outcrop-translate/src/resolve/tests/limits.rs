//! What a client must not be able to choose by its words, and the forms of names that lie about.

use super::*;

#[test]
fn a_default_may_have_a_suffix() {
    let world = World {
        rules: NameRules {
            default_model: Some("Seer-1[1m]".to_owned()),
            ..NameRules::default()
        },
        ..World::default()
    };
    let target = world.target("gpt-4o");
    assert!(target.model_id == SEER && target.long_context);
}

#[test]
fn an_alias_with_a_suffix_may_stand_behind_a_route_or_before_a_suffix() {
    let world = aliases(&[("fast", "Seer-1[1m]")]);
    for name in ["fast", "bedrock/fast", "fast[1m]"] {
        assert_eq!(world.model_id(name), SEER, "{name}");
    }
}

#[test]
fn nothing_is_looked_up_in_a_region_that_is_not_allowed() {
    let world = World {
        region: Some("us-east-1"),
        rules: NameRules {
            allowed_regions: vec!["us-west-2".to_owned()],
            ..NameRules::default()
        },
        ..World::default()
    };
    let problem = world.problem(&format!("{ACCOUNT}:application-inference-profile/abc"));
    assert_eq!(problem.code, Some("region_not_allowed"));
}

#[test]
fn rules_find_the_base_model_of_an_arn_with_a_row() {
    let rows = r#"
        [[model]]
        id = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/rowed"
        base_model = "anthropic.claude-sonnet-4-6"
        short_names = ["our-model"]
    "#;
    let catalogue = Catalogue::built_in().with("own.toml", rows).unwrap();
    let asked = Asked {
        name: "our-model",
        ..Asked::default()
    };
    let target = resolve(&asked, &Directory::offline(&catalogue)).unwrap();
    // A policy for `*claude*` must find it.
    assert!(
        target.names.iter().any(|name| name == "anthropic.claude-sonnet-4-6"),
        "{target:?}"
    );
}

#[test]
fn a_date_of_others_is_no_part_of_the_id() {
    assert_eq!(
        within("us-east-1").model_id("claude-sonnet-4-5@20250929"),
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    );
}

#[test]
fn a_region_of_another_partition_is_not_called() {
    let problem = within("us-gov-west-1").problem("bedrock/us-east-1/Seer-1");
    assert_eq!(problem.code, Some("region_not_allowed"));
}

#[test]
fn rules_go_by_what_is_called_and_not_by_the_clients_words() {
    let world = World {
        rules: NameRules {
            default_model: Some("Crow".to_owned()),
            looks_behind: true,
            ..aliases(&[("house-model", "Crow"), ("any-*", "Crow")]).rules
        },
        ..within("us-east-1")
    };
    for (name, alias) in [
        ("Crow[owl]", false),
        ("unknown-owl", false),
        ("any-owl", false),
        ("bedrock/us-west-2/Crow", false),
        ("house-model", true),
    ] {
        let names = world.target(name).names;
        assert!(names.iter().any(|name| name == "acme.crow-v1:0"), "{name}: {names:?}");
        assert!(!names.iter().any(|name| name.contains("owl")), "{name}: {names:?}");
        assert_eq!(names.iter().any(|name| name == "house-model"), alias, "{names:?}");
    }
    // What the client says that the model is counts for nothing beside what it has called.
    let claimed = World {
        model_id: Some("acme.crow-v1:0"),
        ..world
    };
    let names = claimed.target("Owl").names;
    assert!(names.iter().any(|name| name == "acme.crow-v1:0"), "{names:?}");
    assert!(
        !names.iter().any(|name| name.to_lowercase().contains("owl")),
        "{names:?}"
    );
    let opaque = World {
        model_id: Some("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"),
        ..claimed
    };
    assert!(matches!(opaque.resolve("Owl"), Err(Unresolved::LookUp(_))));
}

#[test]
fn a_name_has_a_limit() {
    assert_eq!(World::default().problem(&"x".repeat(5000)).status, 404);
    assert!(World::default().problem(&"x".repeat(5000)).message.len() < 200);
}
