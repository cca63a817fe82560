//! `outcrop models list`, `show`, `resolve` and `check`: the catalogue and its names, with nobody being called.

use serde_json::Value;

use crate::run::{Place, Ran, finish};

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

const OWN: &str = r#"[sources.own]
title = "Our measurements"
read = "2026-11-20"

[[family]]
ids = ["amazon.nova-9-"]
tools = false

[[model]]
id = "amazon.nova-9-lite-v1:0"
name = "Nova 9 Lite"
short_names = ["Nova-9"]
context = 123456
sources = { context = "own" }

[[model]]
id = "amazon.nova-lite-v1:0"
context = 4096
"#;

fn json(ran: &Ran) -> Value {
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn resolved(place: &Place, arguments: &[&str]) -> Value {
    json(&place.run(&[&["models", "resolve", "--json"], arguments].concat()))
}

fn rules(mapping: &Value) -> Vec<&str> {
    let steps = mapping["steps"].as_array().unwrap();
    steps.iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn the_list_is_a_sorted_table_with_the_operators_rows() {
    let place = Place::new("catalogue-list").with("own.toml", OWN);
    let ran = place.run(&["models", "list", "--catalogue", "own.toml", "--provider", "amazon"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let mut lines = ran.stdout.lines();
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        [
            "ID",
            "NAMES",
            "PROFILES",
            "IN→OUT",
            "APIS",
            "CONTEXT",
            "PRICE",
            "LIFECYCLE"
        ]
    );
    let rows: Vec<&str> = lines.collect();
    assert!(rows.is_sorted() && rows.iter().all(|row| row.starts_with("amazon.")));
    let row = |id: &str| {
        let row = rows.iter().find(|row| row.split(' ').next() == Some(id)).unwrap();
        row.split_whitespace().collect::<Vec<_>>()
    };
    let own = row("amazon.nova-9-lite-v1:0");
    assert!(own.contains(&"Nova-9") && own.contains(&"123456"), "{own:?}");
    let overridden = row("amazon.nova-lite-v1:0");
    assert!(overridden.contains(&"4Ki"), "{overridden:?}");
    assert!(row("amazon.nova-pro-v1:0").contains(&"converse,invoke"));
}

#[test]
fn the_list_as_json_has_what_programs_ask_for() {
    let list = json(&Place::new("catalogue-list-json").run(&["models", "list", "--json"]));
    let models = list["data"].as_array().unwrap();
    let sonnet = models.iter().find(|model| model["id"] == SONNET).unwrap();
    assert_eq!(sonnet["provider"], "anthropic");
    assert_eq!(sonnet["on_demand"], false);
    assert!(sonnet["profiles"].as_array().unwrap().contains(&"eu".into()));
    assert!(sonnet["prices"]["output"].is_number());
    assert!(models.iter().any(|model| model["provider"] == "mistral"));
}

#[test]
fn a_provider_goes_by_id_or_name_and_an_unknown_one_is_an_error() {
    let place = Place::new("catalogue-provider");
    let count = |provider| {
        place
            .run(&["models", "list", "--provider", provider])
            .stdout
            .lines()
            .count()
    };
    assert!(count("anthropic") > 5);
    assert_eq!(count("Anthropic"), count("anthropic"));
    let ran = place.run(&["models", "list", "--provider", "acme"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr
            .starts_with("error: the catalogue has no provider 'acme'; it has ")
            && ran.stderr.contains("amazon"),
        "{ran:?}"
    );
}

#[test]
fn a_model_is_shown_with_the_source_of_each_fact() {
    let place = Place::new("catalogue-show").with("own.toml", OWN);
    let show = |name: &str| json(&place.run(&["models", "show", "--json", "--catalogue", "own.toml", name]));
    let own = show("nova-9");
    assert_eq!(
        (&own["id"], &own["name"]),
        (&"amazon.nova-9-lite-v1:0".into(), &"Nova 9 Lite".into())
    );
    let fact = |model: &Value, field: &str| {
        let facts = model["facts"].as_array().unwrap();
        facts.iter().find(|fact| fact["field"] == field).unwrap().clone()
    };
    let context = fact(&own, "context");
    assert_eq!(context["value"], 123_456);
    assert_eq!(context["file"], "own.toml");
    assert_eq!(context["source"]["title"], "Our measurements");
    let tools = fact(&own, "tools");
    assert_eq!(
        (&tools["value"], &tools["row"]),
        (&false.into(), &"amazon.nova-9-".into())
    );
    assert_eq!(tools["source"], Value::Null);
    // A profile is its model, and what the built-in files say stays.
    let lite = show("us.amazon.nova-lite-v1:0");
    assert_eq!(fact(&lite, "context")["value"], 4096);
    assert_eq!(fact(&lite, "input")["file"], "amazon.toml");

    let page = place.run(&["models", "show", "--catalogue", "own.toml", "Nova-9"]);
    let line = page.stdout.lines().find(|line| line.starts_with("context ")).unwrap();
    assert!(
        line.contains("123456") && line.contains("own.toml") && line.ends_with("Our measurements, read 2026-11-20"),
        "{page:?}"
    );
}

#[test]
fn a_model_without_a_row_is_shown_as_its_family_and_nonsense_is_not() {
    let place = Place::new("catalogue-show-new");
    let page = place.run(&["models", "show", "anthropic.claude-sonnet-9-v1:0"]);
    assert!(
        page.status == 0 && page.stdout.contains("no row of its own") && page.stdout.contains("anthropic-messages"),
        "{page:?}"
    );
    for name in ["gpt-4o", "acme.model-v1:0"] {
        let ran = place.run(&["models", "show", name]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains(name), "{ran:?}");
    }
}

#[test]
fn a_name_is_resolved_with_its_steps() {
    let place = Place::new("resolve-page");
    let ran = place.run(&[
        "models",
        "resolve",
        "Claude-4-5-Sonnet-Thinking",
        "--region",
        "eu-central-1",
    ]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let words: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let profile = format!("eu.{SONNET}");
    assert!(words.contains(&vec!["model", "id", &profile]), "{ran:?}");
    assert!(words.contains(&vec!["thinking", "on"]), "{ran:?}");
    assert!(
        ran.stdout.contains("'-Thinking' turns thinking on")
            && ran.stdout.contains("the profile of eu-central-1's geography"),
        "{ran:?}"
    );
}

#[test]
fn the_region_is_the_flags_else_the_settings_else_awss() {
    let place = Place::new("resolve-region").with("outcrop.toml", "region = \"eu-west-1\"\n");
    let model = |arguments: &[&str]| resolved(&place, arguments)["model_id"].clone();
    assert_eq!(model(&["Claude-4-5-Sonnet"]), format!("eu.{SONNET}"));
    assert_eq!(
        model(&["Claude-4-5-Sonnet", "--region", "us-west-2"]),
        format!("us.{SONNET}")
    );

    let bare = Place::new("resolve-region-aws");
    let ran = finish(
        bare.outcrop(&["models", "resolve", "--json", "Claude-4-5-Sonnet"])
            .env("AWS_REGION", "ap-northeast-1"),
    );
    assert_eq!(json(&ran)["region"], "ap-northeast-1");
}

#[test]
fn without_a_region_no_profile_is_chosen_and_a_step_says_so() {
    let place = Place::new("resolve-no-region");
    let mapping = resolved(&place, &[SONNET]);
    assert_eq!(
        (&mapping["model_id"], &mapping["region"]),
        (&SONNET.into(), &Value::Null)
    );
    assert_eq!(rules(&mapping), ["id", "region"]);
    assert!(mapping["steps"][1]["why"].as_str().unwrap().contains("--region"));
    // Nothing is missing where a profile or a region is named.
    assert_eq!(rules(&resolved(&place, &[&format!("us.{SONNET}")])), ["profile"]);
    let routed = resolved(&place, &[&format!("bedrock/us-west-2/{SONNET}")]);
    assert_eq!(routed["model_id"], format!("us.{SONNET}"));
    assert!(!rules(&routed).contains(&"region"));
}

#[test]
fn what_is_behind_an_arn_is_not_looked_up() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let mapping = resolved(&Place::new("resolve-arn"), &[arn]);
    assert_eq!(
        (&mapping["model_id"], &mapping["base_model"]),
        (&arn.into(), &Value::Null)
    );
    let why = mapping["steps"][1]["why"].as_str().unwrap();
    assert!(why.contains("not looked up here"), "{mapping}");
}

#[test]
fn a_name_that_means_nothing_is_an_error() {
    let place = Place::new("resolve-unknown");
    for json in [&[][..], &["--json"]] {
        let ran = place.run(&[&["models", "resolve", "Nova-Por"], json].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert!(
            ran.stderr.starts_with("error: The model 'Nova-Por' does not exist") && ran.stderr.contains("'Nova-Pro'"),
            "{ran:?}"
        );
    }
    let ran = place.run(&["models", "resolve", "Nova-Pro", "--provider", "anthropic"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("model_provider"), "{ran:?}");
}

#[test]
fn aliases_and_defaults_are_heeded_and_aliases_do_not_chain() {
    let file = "[[aliases]]\nname = \"gpt-4o-mini\"\nmodel = \"Nova-Lite\"\n\n\
                [[aliases]]\nname = \"gpt-4o*\"\nmodel = \"Nova-Pro\"\n\n\
                [[aliases]]\nname = \"Nova-*\"\nmodel = \"Claude-4-5-Sonnet\"\n";
    let place = Place::new("resolve-alias").with("outcrop.toml", file);
    for (name, base_model) in [
        ("gpt-4o-mini", "amazon.nova-lite-v1:0"),
        ("GPT-4o-2024-11-20", "amazon.nova-pro-v1:0"),
        ("nova-pro", SONNET),
        ("bedrock/gpt-4o", "amazon.nova-pro-v1:0"),
    ] {
        let mapping = resolved(&place, &[name]);
        assert_eq!(mapping["base_model"], base_model, "{mapping}");
        assert_eq!(rules(&mapping).iter().filter(|rule| **rule == "alias").count(), 1);
    }
    // A flag takes the place of the whole list.
    let mapping = resolved(&place, &["gpt-4o", "--aliases", "gpt-4o=Llama-3-3-70b"]);
    assert_eq!(mapping["provider"], "meta");
    assert_eq!(place.run(&["models", "resolve", "gpt-5"]).status, 1);

    let mut command = place.outcrop(&["models", "resolve", "--json", "gpt-5"]);
    command
        .env("DEFAULT_MODEL", "Nova-Lite")
        .env("DEFAULT_EMBEDDING_MODEL", "cohere.embed-english-v3");
    assert_eq!(json(&finish(&mut command))["base_model"], "amazon.nova-lite-v1:0");
    command.arg("--embedding");
    assert_eq!(json(&finish(&mut command))["base_model"], "cohere.embed-english-v3");
}

#[test]
fn a_retired_models_successor_is_taken_only_if_wanted() {
    let place = Place::new("resolve-retired");
    let name = "amazon.titan-text-express-v1";
    assert_eq!(resolved(&place, &[name])["base_model"], name);
    let mapping = resolved(&place, &[name, "--redirect-retired"]);
    assert_ne!(mapping["base_model"], name);
    assert!(rules(&mapping).contains(&"successor"), "{mapping}");
}

#[test]
fn only_allowed_regions_can_be_chosen() {
    let place = Place::new("resolve-regions").with(
        "outcrop.toml",
        "region = \"us-east-1\"\nallowed_regions = [\"eu-west-1\"]\n",
    );
    let run = |region: &str| place.run(&["models", "resolve", &format!("bedrock/{region}/amazon.nova-lite-v1:0")]);
    assert_eq!((run("eu-west-1").status, run("us-east-1").status), (0, 0));
    let ran = run("eu-west-2");
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("eu-west-2 is not one of those"), "{ran:?}");
}

#[test]
fn a_good_file_is_summed_up() {
    let place = Place::new("check-catalogue")
        .with("own.toml", OWN)
        .with("outcrop.toml", "catalogue = \"own.toml\"\n");
    let expected = "own.toml: the catalogue is in order\n  models added: 1 (amazon.nova-9-lite-v1:0)\n  \
                    models overridden: 1 (amazon.nova-lite-v1:0)\n  families added: 1 (amazon.nova-9-)\n";
    for arguments in [&["models", "check"][..], &["models", "check", "own.toml"]] {
        let ran = place.run(arguments);
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, expected, ""),
            "{ran:?}"
        );
    }
    let changes = json(&place.run(&["models", "check", "--json"]));
    assert_eq!(
        changes["models"]["added"],
        serde_json::json!(["amazon.nova-9-lite-v1:0"])
    );
}

#[test]
fn a_bad_file_is_told_line_by_line() {
    let bad = "[[model]]\nid = \"us.amazon.model\"\n\n[[model]]\nid = \"amazon.nova-lite-v1:0\"\nsuccessor = \"amazon.gone\"\n";
    let place = Place::new("check-catalogue-bad")
        .with("own.toml", bad)
        .with("outcrop.toml", "\ncatalogue = \"own.toml\"\n");
    let ran = place.run(&["models", "check"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], "error: the catalogue is not valid");
    assert!(
        lines[1].starts_with("own.toml:2: id: `us.amazon.model` begins with no provider"),
        "{ran:?}"
    );
    assert_eq!(lines[2], "own.toml:6: successor: there is no model `amazon.gone`");

    // It stops everything else that would use it, and says the same.
    for arguments in [&["config", "check"][..], &["serve", "--simulate"], &["models", "list"]] {
        let ran = place.run(arguments);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert_eq!(ran.stderr.lines().skip(1).collect::<Vec<_>>(), lines[1..], "{ran:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let place = Place::new("check-catalogue-gone");
    let ran = place.run(&["models", "check"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran:?}");
    let ran = place.run(&["models", "check", "gone.toml"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.starts_with("error: cannot read the catalogue gone.toml: "),
        "{ran:?}"
    );
    let ran = finish(
        place
            .outcrop(&["config", "check"])
            .env("OUTCROP_CATALOGUE", "gone.toml"),
    );
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .contains("\nOUTCROP_CATALOGUE: catalogue: cannot read \"gone.toml\""),
        "{ran:?}"
    );
}

#[test]
fn the_gateway_heeds_the_operators_names() {
    let place = Place::new("catalogue-explain").with("own.toml", OWN).with(
        "outcrop.toml",
        "region = \"eu-central-1\"\ncatalogue = \"own.toml\"\n[[aliases]]\nname = \"fast\"\nmodel = \"Nova-9\"\n",
    );
    let request = "{\"model\":\"fast\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    let place = place.with("request.json", request);
    let explained = json(&place.run(&["explain", "request.json"]));
    let url = explained["url"].as_str().unwrap();
    assert!(url.contains("amazon.nova-9-lite-v1"), "{url}");
    let invoked = json(&place.run(&[
        "explain",
        "request.json",
        "--model",
        "Nova-Pro",
        "--bedrock-api",
        "invoke",
    ]));
    assert!(invoked["url"].as_str().unwrap().ends_with("/invoke"), "{invoked}");
}
