//! What stands beside a name or behind it, and what is said of names.

use std::cell::RefCell;

use super::*;

#[test]
fn the_provider_in_the_body_must_be_the_models() {
    let by = |provider| World {
        provider: Some(provider),
        ..World::default()
    };
    for provider in ["acme", "ACME", "Acme Inc."] {
        for name in ["Crow", "acme.crow-v1:0", "us.acme.mage-v1:0", "crow"] {
            assert!(by(provider).resolve(name).is_ok(), "{provider} {name}");
        }
    }
    assert!(by("acme").resolve("acme.phoenix-v9:0").is_ok());
    for name in ["Crow", "acme.crow-v1:0", "us.acme.mage-v1:0", "acme.phoenix-v9:0"] {
        let problem = by("anthropic").problem(name);
        assert_eq!(problem.status, 400, "{name}");
        assert_eq!(problem.param.as_deref(), Some("model_provider"));
        assert!(
            problem.message.contains("'acme', not by 'anthropic'"),
            "{}",
            problem.message
        );
    }
}

#[test]
fn a_model_id_beside_the_model_is_called_in_its_place() {
    let profile = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc";
    for model_id in [
        profile,
        "us.acme.crow-v1:0",
        "arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Aapplication-inference-profile%2Fabc",
    ] {
        let world = World {
            model_id: Some(model_id),
            ..within("us-east-1")
        };
        let target = world.target("Crow");
        assert_eq!(target.base_id.as_deref(), Some("acme.crow-v1:0"), "{model_id}");
        if model_id.starts_with("arn") {
            assert_eq!(target.model_id, profile);
            assert_eq!(target.region.as_deref(), Some("us-west-2"));
        } else {
            assert_eq!(target.model_id, model_id);
        }
    }
    for model_id in ["", "a b", "../x", "arn:aws:s3:::bucket/key", "\u{e9}"] {
        let world = World {
            model_id: Some(model_id),
            ..World::default()
        };
        let problem = world.problem("Crow");
        assert_eq!(
            (problem.status, problem.param.as_deref()),
            (400, Some("model_id")),
            "{model_id}"
        );
    }
}

#[test]
fn what_an_opaque_arn_stands_for_is_looked_up_once_and_then_known() {
    let arn = format!("{ACCOUNT}:application-inference-profile/abc");
    let unknown = World::default();
    assert_eq!(unknown.resolve(&arn), Err(Unresolved::LookUp(arn.clone())));
    assert_eq!(
        unknown.resolve(&format!("bedrock/{arn}")),
        Err(Unresolved::LookUp(arn.clone()))
    );
    for model in [
        SEER.to_owned(),
        format!("eu.{SEER}"),
        format!("arn:aws:bedrock:eu-west-1::foundation-model/{SEER}"),
        format!("{ACCOUNT}:inference-profile/eu.{SEER}"),
    ] {
        let world = World {
            behind: vec![(
                arn.clone(),
                Behind {
                    model: Some(model.clone()),
                    architecture: None,
                    name: None,
                    geography: None,
                },
            )],
            ..World::default()
        };
        let target = world.target(&arn);
        assert_eq!(target.model_id, arn);
        assert_eq!(target.base_id.as_deref(), Some(SEER), "{model}");
    }
    let hidden = World {
        behind: vec![(arn.clone(), Behind::default())],
        ..World::default()
    };
    assert_eq!(hidden.target(&arn).base_id, None);
}

#[test]
fn nothing_is_looked_up_that_is_known() {
    let asked = RefCell::new(Vec::new());
    let behind = |arn: &str| {
        asked.borrow_mut().push(arn.to_owned());
        None
    };
    let directory = Directory {
        behind: &behind,
        ..Directory::offline(&CATALOGUE)
    };
    let ask = |name: &str, model_id: Option<&str>| {
        let asked = Asked {
            name,
            model_id,
            ..Asked::default()
        };
        resolve(&asked, &directory).unwrap()
    };
    let profile = format!("{ACCOUNT}:application-inference-profile/abc");
    ask("Crow", Some(&profile));
    ask(&format!("{ACCOUNT}:inference-profile/eu.{SEER}"), None);
    ask(&format!("{ACCOUNT}:custom-model/acme.crow-v1:0/abc"), None);
    ask(&format!("{ACCOUNT}:prompt/ABCDEFGHIJ"), None);
    assert_eq!(*asked.borrow(), Vec::<String>::new());
}

#[test]
fn near_misses_are_offered_what_could_have_been_meant() {
    let world = aliases(&[("house-model", "Crow"), ("gpt-*", "Crow")]);
    for (name, offer) in [
        ("Seer-2", "'Seer-1'"),
        ("hous-model", "'house-model'"),
        ("acme/crow-v1:0", "'acme.crow-v1:0'"),
        ("Claude-4-5-Sonet", "'Claude-4-5-Sonnet'"),
        ("nova-lit", "'Nova-Lite'"),
    ] {
        let problem = world.problem(name);
        assert_eq!((problem.status, problem.param.as_deref()), (404, Some("model")));
        assert!(problem.message.contains("Did you mean "), "{}", problem.message);
        assert!(problem.message.contains(offer), "{name}: {}", problem.message);
    }
    for name in ["", "x", "completely-different", "\u{1f999}", "a\nb"] {
        let problem = world.problem(name);
        assert!(!problem.message.contains("Did you mean"), "{}", problem.message);
        assert!(!problem.message.contains('\n'));
    }
    let long = world.problem(&"x".repeat(100_000));
    assert!(long.message.len() < 400);
}

#[test]
fn each_step_is_told() {
    for (name, expected) in [
        ("Crow", &["short name"][..]),
        ("Seer-1", &["short name", "profile"]),
        (SEER, &["id", "profile"]),
        ("us.acme.seer-1-20250101-v1:0", &["profile"]),
        (
            "bedrock%2FSeer-1[1m]",
            &["decode", "suffix", "route", "short name", "profile"],
        ),
        ("crow", &["short name"]),
        ("crow-v1:0", &["name without provider"]),
        ("newcomer.model-1", &["id"]),
        ("Moa", &["short name", "successor"]),
    ] {
        let target = within("us-east-1").target(name);
        assert_eq!(rules_of(&target), expected, "{name}");
        assert!(target.steps.iter().all(|step| !step.why.is_empty()));
        if name != "Moa" {
            assert_eq!(target.steps.last().unwrap().result, target.model_id, "{name}");
        }
    }
}
