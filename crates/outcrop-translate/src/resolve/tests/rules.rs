//! Aliases, defaults, successors and regions: what the operator says.

use super::*;

#[test]
fn the_first_alias_that_fits_counts() {
    let world = aliases(&[("gpt-4o-mini", "Crow"), ("gpt-4o*", "Owl"), ("*", "acme.mage-v1:0")]);
    for (name, expected) in [
        ("gpt-4o-mini", "acme.crow-v1:0"),
        ("GPT-4O-Mini", "acme.crow-v1:0"),
        ("gpt-4o-mini-2024", "acme.owl-v1:0"),
        ("gpt-4o", "acme.owl-v1:0"),
        ("anything", "acme.mage-v1:0"),
        // An alias hides a model's own name.
        ("Crow", "acme.mage-v1:0"),
    ] {
        assert_eq!(world.model_id(name), expected, "{name}");
    }
}

#[test]
fn an_alias_is_not_followed_twice() {
    let world = aliases(&[("a", "b"), ("b", "Crow"), ("c", "c")]);
    assert_eq!(world.model_id("b"), "acme.crow-v1:0");
    assert_eq!(world.problem("a").status, 404);
    assert_eq!(world.problem("c").status, 404);
    let world = aliases(&[("Crow", "acme.owl-v1:0"), ("x", "bedrock/Crow")]);
    assert_eq!(world.model_id("x"), "acme.crow-v1:0");
}

#[test]
fn an_alias_is_found_behind_a_prefix_and_before_a_suffix() {
    let world = aliases(&[("fast", "bedrock/invoke/Crow"), ("wide[1m]", "Owl")]);
    for name in [
        "fast",
        "bedrock/fast",
        "litellm_proxy/fast",
        "fast[1m]",
        "bedrock/fast[1m]",
    ] {
        let target = world.target(name);
        assert_eq!(
            (target.model_id.as_str(), target.api),
            ("acme.crow-v1:0", Some(Api::Invoke)),
            "{name}"
        );
        assert_eq!(target.long_context, name.ends_with("[1m]"), "{name}");
    }
    let wide = world.target("wide[1m]");
    assert_eq!((wide.model_id.as_str(), wide.long_context), ("acme.owl-v1:0", false));
}

#[test]
fn an_alias_may_say_all_that_a_name_may() {
    let world = aliases(&[
        ("thinker", "Seer-1-Thinking"),
        ("wide", "Seer-1[1m]"),
        ("far", "bedrock/eu-west-1/Seer-1"),
        ("query", "Crow#search_query"),
    ]);
    let query = world.target("query");
    assert_eq!(
        (query.model_id.as_str(), query.vectors_for.as_deref()),
        ("acme.crow-v1:0", Some("search_query"))
    );
    assert!(world.target("thinker").thinks);
    assert!(world.target("wide").long_context);
    let far = world.target("far");
    assert_eq!(far.model_id, "eu.acme.seer-1-20250101-v1:0");
    assert_eq!(far.region.as_deref(), Some("eu-west-1"));
}

#[test]
fn unknown_names_get_the_default_of_their_purpose_only_where_there_is_one() {
    let names = ["gpt-4o", "text-embedding-3-small", "gpt-4.1", "claude-99.5"];
    for name in names.into_iter().filter(|name| !name.starts_with("text-embedding-")) {
        assert_eq!(World::default().problem(name).status, 404, "{name}");
    }
    // For these there is always one.
    let openais = World::default().target("text-embedding-3-small");
    assert!(openais.defaulted && openais.model_id == "cohere.embed-multilingual-v3");
    let rules = NameRules {
        default_model: Some("bedrock/invoke/Crow".to_owned()),
        default_embedding_model: Some("Owl".to_owned()),
        ..NameRules::default()
    };
    let chat = World {
        rules: rules.clone(),
        ..World::default()
    };
    let embedding = World {
        rules,
        purpose: Purpose::Embedding,
        ..World::default()
    };
    // One of OpenAI's embeddings is one wherever it is asked for.
    assert_eq!(chat.model_id("text-embedding-3-small"), "acme.owl-v1:0");
    for name in names.into_iter().filter(|name| !name.starts_with("text-embedding-")) {
        let target = chat.target(name);
        assert_eq!(target.model_id, "acme.crow-v1:0");
        assert_eq!(target.api, Some(Api::Invoke));
        assert!(target.defaulted);
        assert_eq!(embedding.model_id(name), "acme.owl-v1:0");
    }
    let known = chat.target("Owl");
    assert!(!known.defaulted && known.model_id == "acme.owl-v1:0");
    // Ids of new models are no unknown names.
    assert_eq!(chat.model_id("acme.phoenix-v9:0"), "acme.phoenix-v9:0");
    let nowhere = World {
        rules: NameRules {
            default_model: Some("no-such-model".to_owned()),
            ..NameRules::default()
        },
        ..World::default()
    };
    assert_eq!(nowhere.problem("gpt-4o").status, 404);
}

#[test]
fn a_retired_model_is_asked_until_the_operator_says_otherwise() {
    let plain = within("us-east-1").target("acme.dodo-v1:0");
    assert!(plain.model_id == "acme.dodo-v1:0" && !plain.redirected);
    let world = World {
        rules: NameRules {
            redirect_retired: true,
            ..NameRules::default()
        },
        ..within("us-east-1")
    };
    for name in ["acme.dodo-v1:0", "Dodo", "dodo", "us.acme.dodo-v1:0"] {
        let target = world.target(name);
        assert_eq!(target.model_id, "us.acme.mage-v1:0", "{name}");
        assert_eq!(target.base_id.as_deref(), Some("acme.mage-v1:0"));
        assert!(target.redirected);
    }
    let alive = world.target("Crow");
    assert!(!alive.redirected);
    // An ARN is what it is.
    let arn = "arn:aws:bedrock:us-east-1::foundation-model/acme.dodo-v1:0";
    assert_eq!(world.model_id(arn), arn);
}

#[test]
fn a_row_may_redirect_by_itself() {
    let target = World::default().target("Moa");
    assert!(target.redirected);
    assert_eq!(target.model_id, "acme.crow-v1:0");
}

#[test]
fn names_and_arns_choose_among_the_allowed_regions_only() {
    let world = World {
        rules: NameRules {
            allowed_regions: vec!["us-west-2".to_owned()],
            ..NameRules::default()
        },
        ..within("us-east-1")
    };
    let there = world.target("bedrock/us-west-2/Crow");
    assert_eq!(there.region.as_deref(), Some("us-west-2"));
    assert_eq!(
        world.target("bedrock/us-east-1/Crow").region,
        None,
        "the gateway's own always may be"
    );
    let arn = format!("{ACCOUNT}:inference-profile/eu.{SEER}");
    for name in ["bedrock/eu-west-1/Crow", arn.as_str()] {
        let problem = world.problem(name);
        assert_eq!(
            (problem.status, problem.param.as_deref()),
            (403, Some("model")),
            "{name}"
        );
    }
    let beside = World {
        model_id: Some("arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc"),
        ..world
    };
    assert_eq!(beside.problem("Crow").status, 403);
}

#[test]
fn openais_names_of_image_models_mean_a_model_for_each_task_unless_the_operator_says_otherwise() {
    let of = |purpose: Purpose, rules: &NameRules| World {
        rules: rules.clone(),
        purpose,
        ..World::default()
    };
    let tasks = [
        (Purpose::Image, "stability.sd3-5-large-v1:0"),
        (Purpose::MaskedImage, "stability.stable-image-inpaint-v1:0"),
        (Purpose::ImageVariation, "amazon.nova-canvas-v1:0"),
    ];
    let nothing = NameRules::default();
    let default = NameRules {
        default_image_model: Some("amazon.titan-image-generator-v2:0".to_owned()),
        ..NameRules::default()
    };
    let alias = NameRules {
        aliases: vec![Alias {
            name: "dall-e-*".parse().unwrap(),
            model: "Crow".to_owned(),
        }],
        ..NameRules::default()
    };
    for (purpose, model) in tasks {
        for name in ["dall-e-2", "GPT-Image-1", ""] {
            let target = of(purpose, &nothing).target(name);
            assert_eq!((target.model_id.as_str(), target.defaulted), (model, false), "{name}");
            assert_eq!(target.by_task, purpose != Purpose::Image, "{name}");
            let target = of(purpose, &default).target(name);
            assert_eq!(target.model_id, "amazon.titan-image-generator-v2:0", "{name}");
            assert_eq!((target.defaulted, target.by_task), (!name.is_empty(), false), "{name}");
        }
        for name in ["dall-e-2", ""] {
            assert_eq!(of(purpose, &alias).model_id(name), "acme.crow-v1:0", "{name}");
        }
        assert_eq!(of(purpose, &nothing).problem("dall-e-9").status, 404);
        assert!(of(purpose, &default).target("midjourney").defaulted);
        // Who names a model gets it.
        assert_eq!(of(purpose, &default).model_id("Crow"), "acme.crow-v1:0");
    }
}
