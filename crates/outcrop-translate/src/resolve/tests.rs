//! Names, and what they mean: a table for each rule.

use std::cell::RefCell;
use std::sync::LazyLock;

use super::*;

/// Models whose rows are ours alone, so that no change of a provider's line-up changes these tests.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let rows = r#"
        provider = "acme"
        name = "Acme Inc."
        [[family]]
        ids = ["acme."]
        [[model]]
        id = "acme.seer-1-20250101-v1:0"
        short_names = ["Seer-1"]
        profiles = ["us", "eu", "apac", "jp", "us-gov", "global"]
        thinking = "budget"
        [[model]]
        id = "acme.mage-v1:0"
        short_names = ["Mage"]
        profiles = ["us", "eu"]
        [[model]]
        id = "acme.owl-v1:0"
        short_names = ["Owl"]
        profiles = ["us", "global"]
        on_demand = true
        [[model]]
        id = "acme.elf-v1:0"
        short_names = ["Elf"]
        profiles = ["us", "eu", "global"]
        named_profile = "global"
        [[model]]
        id = "acme.crow-v1:0"
        short_names = ["Crow"]
        thinking = "none"
        [[model]]
        id = "acme.dodo-v1:0"
        short_names = ["Dodo"]
        status = "retired"
        successor = "acme.mage-v1:0"
        [[model]]
        id = "acme.moa-v1:0"
        short_names = ["Moa"]
        redirect = true
        successor = "acme.crow-v1:0"
        [[model]]
        id = "acme.twin-20240101-v1:0"
        [[model]]
        id = "acme.twin-20250101-v1:0"
    "#;
    Catalogue::built_in().with("acme.toml", rows).unwrap()
});

const SEER: &str = "acme.seer-1-20250101-v1:0";
const ACCOUNT: &str = "arn:aws:bedrock:eu-west-1:123456789012";

/// What is known, and what is asked.
#[derive(Default)]
struct World {
    rules: NameRules,
    region: Option<&'static str>,
    listing: Option<Listing>,
    provider: Option<&'static str>,
    model_id: Option<&'static str>,
    purpose: Purpose,
    /// What is behind each ARN; of others, nobody knows yet.
    behind: Vec<(String, Behind)>,
}

impl World {
    fn resolve(&self, name: &str) -> Result<Target, Unresolved> {
        let behind = |arn: &str| {
            let found = self.behind.iter().find(|(known, _)| known == arn);
            found.map(|(_, behind)| behind.clone())
        };
        let directory = Directory {
            catalogue: &CATALOGUE,
            rules: &self.rules,
            region: self.region,
            listing: self.listing.as_ref(),
            behind: &behind,
        };
        let asked = Asked {
            name,
            provider: self.provider,
            model_id: self.model_id,
            purpose: self.purpose,
        };
        let resolved = resolve(&asked, &directory);
        assert_eq!(resolved, resolve(&asked, &directory), "{name}: always the same");
        resolved
    }

    fn target(&self, name: &str) -> Target {
        self.resolve(name)
            .unwrap_or_else(|unresolved| panic!("{name}: {unresolved:?}"))
    }

    fn model_id(&self, name: &str) -> String {
        self.target(name).model_id
    }

    fn problem(&self, name: &str) -> Problem {
        match self.resolve(name) {
            Err(Unresolved::Problem(problem)) => problem,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn within(region: &'static str) -> World {
    World {
        region: Some(region),
        ..World::default()
    }
}

fn aliases(pairs: &[(&str, &str)]) -> World {
    let aliases = pairs.iter().map(|(name, model)| Alias {
        name: name.parse().unwrap(),
        model: (*model).to_owned(),
    });
    World {
        rules: NameRules {
            aliases: aliases.collect(),
            ..NameRules::default()
        },
        ..World::default()
    }
}

fn set(names: &[&str]) -> HashSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rules_of(target: &Target) -> Vec<&str> {
    target.steps.iter().map(|step| step.rule).collect()
}

// ---- Forms.

#[test]
fn each_form_of_a_name_means_its_model() {
    let world = within("us-east-1");
    let us = "us.acme.seer-1-20250101-v1:0";
    for (name, expected) in [
        // bedrock-wrapper's short names.
        ("Seer-1", us),
        ("seer-1", us),
        ("SEER-1", us),
        (" Seer-1 ", us),
        ("Seer-1-Thinking", us),
        ("seer-1-THINKING", us),
        // Ids.
        (SEER, us),
        ("acme.crow-v1:0", "acme.crow-v1:0"),
        ("us.acme.seer-1-20250101-v1:0", us),
        ("eu.acme.seer-1-20250101-v1:0", "eu.acme.seer-1-20250101-v1:0"),
        ("global.acme.seer-1-20250101-v1:0", "global.acme.seer-1-20250101-v1:0"),
        ("us-gov.acme.seer-1-20250101-v1:0", "us-gov.acme.seer-1-20250101-v1:0"),
        // A geography that nobody knows yet.
        ("mars.acme.seer-1-20250101-v1:0", "mars.acme.seer-1-20250101-v1:0"),
        // Without the provider, with and without what tells versions apart.
        ("seer-1-20250101-v1:0", us),
        ("crow", "acme.crow-v1:0"),
        ("crow-v1:0", "acme.crow-v1:0"),
        ("twin", "acme.twin-20250101-v1:0"),
        // LiteLLM's forms.
        ("bedrock/acme.crow-v1:0", "acme.crow-v1:0"),
        ("bedrock/converse/acme.crow-v1:0", "acme.crow-v1:0"),
        ("bedrock/invoke/acme.crow-v1:0", "acme.crow-v1:0"),
        ("bedrock/Seer-1", us),
        ("litellm_proxy/bedrock/acme.crow-v1:0", "acme.crow-v1:0"),
        // What tools add.
        ("acme.crow-v1:0[1m]", "acme.crow-v1:0"),
        ("Seer-1[1m]", us),
        ("bedrock/acme.crow-v1:0[beta]", "acme.crow-v1:0"),
        // Out of a URL.
        ("acme.crow-v1%3A0", "acme.crow-v1:0"),
        ("bedrock%2Facme.crow-v1%3a0", "acme.crow-v1:0"),
        // New models, and those of new providers.
        ("acme.phoenix-v9:0", "acme.phoenix-v9:0"),
        ("us.anthropic.claude-opus-99", "us.anthropic.claude-opus-99"),
        ("newcomer.model-1", "newcomer.model-1"),
    ] {
        assert_eq!(world.model_id(name), expected, "{name}");
    }
}

#[test]
fn arns_of_each_kind_are_asked_as_they_are() {
    let world = World {
        behind: ["imported-model", "prompt-router", "default-prompt-router"]
            .iter()
            .map(|kind| (format!("{ACCOUNT}:{kind}/abc"), Behind::default()))
            .collect(),
        ..within("eu-west-1")
    };
    for (resource, base_id) in [
        ("foundation-model/acme.crow-v1:0", Some("acme.crow-v1:0")),
        ("inference-profile/eu.acme.seer-1-20250101-v1:0", Some(SEER)),
        ("custom-model/acme.crow-v1:0:300k/abc", Some("acme.crow-v1:0")),
        ("imported-model/abc", None),
        ("prompt-router/abc", None),
        ("default-prompt-router/abc", None),
        ("prompt/ABCDEFGHIJ:1", None),
    ] {
        let arn = format!("{ACCOUNT}:{resource}");
        let target = world.target(&arn);
        assert_eq!(
            (target.model_id.as_str(), target.base_id.as_deref()),
            (arn.as_str(), base_id)
        );
        assert_eq!(target.region, None, "{arn}: the gateway's own");
        let encoded = arn.replace(':', "%3A").replace('/', "%2F");
        assert_eq!(world.model_id(&encoded), arn);
        assert_eq!(world.model_id(&format!("bedrock/{arn}")), arn);
        assert_eq!(world.model_id(&format!("{arn}[1m]")), arn);
    }
    let endpoint = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/mine";
    assert_eq!(world.model_id(endpoint), endpoint);
    for other in [
        "arn:aws:s3:::bucket/key",
        "arn:aws:bedrock:eu-west-1:123456789012:guardrail/abc",
        "arn:aws:bedrock:evil.example/:1:inference-profile/x",
        "arn:",
    ] {
        assert_eq!(world.problem(other).status, 404, "{other}");
    }
}

#[test]
fn a_name_may_say_how_and_where_the_model_is_asked() {
    let world = within("us-east-1");
    let told = |name: &str| {
        let target = world.target(name);
        (target.api, target.region, target.thinks, target.long_context)
    };
    let region = |region: &str| Some(region.to_owned());
    for (name, expected) in [
        ("Crow", (None, None, false, false)),
        ("Seer-1-Thinking", (None, None, true, false)),
        ("Seer-1[1M]", (None, None, false, true)),
        ("Seer-1-Thinking[1m]", (None, None, true, true)),
        ("Seer-1[new]", (None, None, false, false)),
        ("bedrock/invoke/Crow", (Some(Api::Invoke), None, false, false)),
        ("bedrock/converse/Crow", (Some(Api::Converse), None, false, false)),
        ("bedrock_converse/Crow", (Some(Api::Converse), None, false, false)),
        ("bedrock/us-west-2/Crow", (None, region("us-west-2"), false, false)),
        ("bedrock/us-east-1/Crow", (None, None, false, false)),
        (
            "bedrock/us-gov-west-1/invoke/Crow",
            (Some(Api::Invoke), region("us-gov-west-1"), false, false),
        ),
        (
            "bedrock/us-west-2/1-month-commitment/Crow",
            (None, region("us-west-2"), false, false),
        ),
    ] {
        assert_eq!(told(name), expected, "{name}");
    }
    // A model that doesn't think isn't made to by its name.
    assert_eq!(world.problem("Crow-Thinking").status, 404);
}

#[test]
fn an_imported_models_format_is_read_off_its_name() {
    let arn = format!("{ACCOUNT}:imported-model/abc");
    let world = World {
        behind: vec![(
            arn.clone(),
            Behind {
                model: None,
                architecture: Some("MixtralForCausalLM".to_owned()),
            },
        )],
        ..World::default()
    };
    for (prefix, format) in [
        ("", "mistral"),
        ("bedrock/", "mistral"),
        ("bedrock/llama/", "llama3"),
        ("bedrock/deepseek_r1/", "deepseek-r1"),
        ("bedrock/qwen2/", "chatml"),
        ("bedrock/openai/", "openai-chat"),
    ] {
        let target = world.target(&format!("{prefix}{arn}"));
        assert_eq!(target.format.as_deref(), Some(format), "{prefix}");
        assert_eq!(target.region.as_deref(), Some("eu-west-1"));
    }
}

// ---- Profiles.

#[test]
fn a_bare_id_is_called_through_the_profile_of_the_regions_geography() {
    for (region, profile) in [
        ("us-east-1", "us"),
        ("us-west-2", "us"),
        ("us-gov-west-1", "us-gov"),
        ("eu-central-1", "eu"),
        ("eu-north-1", "eu"),
        ("ap-northeast-1", "jp"),
        ("ap-northeast-3", "jp"),
        ("ap-northeast-2", "apac"),
        ("ap-southeast-1", "apac"),
        // There is none for Australia or India, so all of Asia and the Pacific.
        ("ap-southeast-2", "apac"),
        ("ap-south-1", "apac"),
        // There is none for these, so all of the world.
        ("sa-east-1", "global"),
        ("ca-central-1", "global"),
        ("me-south-1", "global"),
        ("af-south-1", "global"),
    ] {
        let expected = format!("{profile}.{SEER}");
        assert_eq!(within(region).model_id(SEER), expected, "{region}");
        assert_eq!(within(region).model_id("Seer-1"), expected, "{region}");
        let elsewhere = within("us-east-1").target(&format!("bedrock/{region}/{SEER}"));
        assert_eq!(elsewhere.model_id, expected, "{region}, from elsewhere");
    }
    assert_eq!(World::default().model_id(SEER), SEER, "no region, no profile");
}

#[test]
fn where_no_profile_is_for_the_region_the_error_lists_them() {
    for region in ["sa-east-1", "ap-northeast-1", "us-gov-east-1"] {
        for name in ["acme.mage-v1:0", "Mage"] {
            let problem = within(region).problem(name);
            assert_eq!((problem.status, problem.param.as_deref()), (404, Some("model")));
            assert!(
                problem.message.contains("us.acme.mage-v1:0, eu.acme.mage-v1:0"),
                "{}",
                problem.message
            );
            assert!(problem.message.contains(region), "{}", problem.message);
        }
    }
}

#[test]
fn regions_apart_from_the_rest_have_no_global_profile() {
    for region in ["us-gov-west-1", "cn-north-1"] {
        let problem = within(region).resolve("acme.elf-v1:0").unwrap_err();
        assert!(matches!(problem, Unresolved::Problem(_)), "{region}");
    }
}

#[test]
fn an_id_that_can_be_called_itself_is() {
    let world = within("us-east-1");
    assert_eq!(world.model_id("acme.owl-v1:0"), "acme.owl-v1:0");
    // A name of people's means what costs least trouble: the profile, where there is one.
    assert_eq!(world.model_id("Owl"), "us.acme.owl-v1:0");
    assert_eq!(within("eu-west-1").model_id("Owl"), "acme.owl-v1:0");
}

#[test]
fn a_short_name_may_stand_for_a_certain_profile() {
    for region in ["us-east-1", "eu-west-1", "sa-east-1"] {
        assert_eq!(within(region).model_id("Elf"), "global.acme.elf-v1:0");
    }
    assert_eq!(within("eu-west-1").model_id("acme.elf-v1:0"), "eu.acme.elf-v1:0");
}

#[test]
fn what_bedrock_lists_counts_more_than_the_catalogue() {
    let listing = Listing {
        models: set(&["acme.mage-v1:0", "acme.crow-v1:0", "acme.owl-v1:0", "lone"]),
        on_demand: set(&["acme.mage-v1:0"]),
        profiles: set(&[
            "ca.acme.mage-v1:0",
            "ca.acme.crow-v1:0",
            "ca.acme.phoenix-v9:0",
            "ca.acme.owl-v1:0",
        ]),
    };
    let world = World {
        listing: Some(listing),
        ..within("ca-central-1")
    };
    for (name, expected) in [
        // The catalogue says that it can't be called itself.
        ("acme.mage-v1:0", "acme.mage-v1:0"),
        // And that these can.
        ("acme.crow-v1:0", "ca.acme.crow-v1:0"),
        ("acme.owl-v1:0", "ca.acme.owl-v1:0"),
        ("Mage", "ca.acme.mage-v1:0"),
        // A model that the catalogue doesn't know.
        ("acme.phoenix-v9:0", "ca.acme.phoenix-v9:0"),
        ("lone", "lone"),
    ] {
        assert_eq!(world.model_id(name), expected, "{name}");
    }
    // The list is of the gateway's own region.
    assert_eq!(world.model_id("bedrock/us-east-1/Mage"), "us.acme.mage-v1:0");
    assert_eq!(
        world.model_id("bedrock/us-east-1/acme.crow-v1:0"),
        "acme.crow-v1:0",
        "elsewhere the catalogue counts"
    );
}

// ---- Aliases and defaults.

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
    ]);
    assert!(world.target("thinker").thinks);
    assert!(world.target("wide").long_context);
    let far = world.target("far");
    assert_eq!(far.model_id, "eu.acme.seer-1-20250101-v1:0");
    assert_eq!(far.region.as_deref(), Some("eu-west-1"));
}

#[test]
fn unknown_names_get_the_default_of_their_purpose_only_where_there_is_one() {
    let names = ["gpt-4o", "text-embedding-3-small", "gpt-4.1", "claude-99.5"];
    for name in names {
        assert_eq!(World::default().problem(name).status, 404, "{name}");
    }
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
    for name in names {
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

// ---- Successors.

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

// ---- The body's other members.

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

// ---- What is behind an ARN.

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

// ---- Regions.

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

// ---- Names that nobody knows.

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

// ---- Why.

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
        ("abcdef123456", &["opaque id"]),
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
