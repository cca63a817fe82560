//! An operator's file over ours.

use super::*;

fn with(toml: &str) -> Catalogue {
    Catalogue::built_in().with("models.toml", toml).unwrap()
}

#[test]
fn a_row_overrides_ours_field_by_field() {
    let catalogue = with(
        r#"
        [[model]]
        id = "amazon.nova-lite-v1:0"
        stop_sequences = 7
        prices = { input = 0.05 }
        short_names = ["House-Model"]
        "#,
    );
    let ours = Catalogue::built_in().traits(Some("amazon.nova-lite-v1:0"));
    let theirs = catalogue.traits(Some("amazon.nova-lite-v1:0"));
    assert_eq!(theirs.stop_sequences, 7);
    assert_eq!(
        Traits {
            stop_sequences: ours.stop_sequences,
            ..theirs
        },
        ours
    );
    let model = catalogue.model("amazon.nova-lite-v1:0").unwrap();
    assert_eq!(model.name, "Nova Lite");
    assert_eq!(
        model.prices.as_ref().unwrap().rates(None).input.map(Price::dollars),
        Some(0.05)
    );
    assert_eq!(catalogue.by_short_name("house-model").unwrap().id, model.id);
}

#[test]
fn a_family_overrides_our_models() {
    let catalogue = with(
        "[[family]]\nids = [\"anthropic.\"]\ncache = false\n[[model]]\nid = \"anthropic.claude-sonnet-5\"\ncache = true\n",
    );
    let caches = |id| catalogue.traits(Some(id)).cache.is_some();
    assert!(!caches("anthropic.claude-opus-5") && !caches("anthropic.claude-opus-9"));
    assert!(caches("anthropic.claude-sonnet-5"));
}

#[test]
fn a_row_adds_a_model_of_a_new_provider() {
    let catalogue = with(
        "provider = \"acme\"\nname = \"Acme\"\n[[family]]\nids = [\"acme.\"]\nsystem = false\n\
         [[model]]\nid = \"acme.seer-v1\"\nname = \"Seer\"\nprofiles = [\"eu\"]\ntools = false\n",
    );
    let seer = catalogue.model("acme.seer-v1").unwrap();
    assert_eq!((seer.name.as_str(), seer.provider.as_str()), ("Seer", "acme"));
    assert!(!seer.on_demand);
    assert_eq!(catalogue.base_id("eu.acme.seer-v1"), Some("acme.seer-v1"));
    let traits = catalogue.traits(Some("acme.seer-v1"));
    assert!(!traits.system && !traits.tools);
    assert!(catalogue.providers().any(|provider| provider.name == "Acme"));
}

#[test]
fn an_arn_with_a_base_model_has_its_rules() {
    let arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123";
    let catalogue = with(&format!(
        "[[model]]\nid = \"{arn}\"\nbase_model = \"eu.anthropic.claude-sonnet-4-6\"\nshort_names = [\"ours\"]\nstrict_tools = false\n"
    ));
    assert_eq!(catalogue.base_id(arn), Some(arn));
    let base = catalogue.traits(Some("anthropic.claude-sonnet-4-6"));
    assert_eq!(
        catalogue.traits(Some(arn)),
        Traits {
            strict_tools: false,
            ..base
        }
    );
    let model = catalogue.model(arn).unwrap();
    assert_eq!(model.provider, "anthropic");
    assert_eq!(model.short_names, ["ours"]);
    assert_eq!(model.context, Some(1_000_000));
    assert!(model.on_demand && model.prices.is_none());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_field() {
    let model = "[[model]]\nid = \"amazon.nova-lite-v1:0\"\n";
    for (toml, line, field, message) in [
        (format!("{model}colour = 1\n"), 3, "colour", "unknown field `colour`"),
        (format!("{model}top_k = \"q\"\n"), 3, "top_k", "unknown value `q`"),
        (
            format!("{model}input = [\n  \"text\",\n  \"smell\",\n]\n"),
            3,
            "input",
            "unknown value `smell`",
        ),
        (format!("{model}tools = \"no\"\n"), 3, "tools", "invalid type"),
        (format!("{model}\n{model}tools = true\n"), 5, "id", "has a row already"),
        (
            format!("{model}source = \"rumour\"\n"),
            3,
            "source",
            "`rumour` is not under [sources]",
        ),
        (
            format!("{model}sources = {{ cache = \"x\" }}\n"),
            3,
            "sources",
            "`x` is not under [sources]",
        ),
        (
            format!("{model}successor = \"amazon.nova-9\"\n"),
            3,
            "successor",
            "there is no model `amazon.nova-9`",
        ),
        (format!("{model}redirect = true\n"), 3, "redirect", "needs a successor"),
        (
            format!("{model}end_of_life = \"soon\"\n"),
            3,
            "end_of_life",
            "`soon` is not a day",
        ),
        (
            format!("{model}named_profile = \"mars\"\n"),
            3,
            "named_profile",
            "not one of its profiles",
        ),
        (
            format!("{model}prices = {{ input = -1.0 }}\n"),
            3,
            "prices",
            "0 or more",
        ),
        (
            format!("{model}short_names = [\"nova-PRO\"]\n"),
            3,
            "short_names",
            "is the name of `amazon.nova-pro-v1:0` too",
        ),
        (
            format!("{model}base_model = \"amazon.nova-pro-v1:0\"\n"),
            3,
            "base_model",
            "is for ARNs",
        ),
        (format!("{model}ids = [\"amazon.\"]\n"), 3, "ids", "is for families"),
        ("[[model]]\nname = \"x\"\n".to_owned(), 1, "id", "a model needs its id"),
        (
            "\n[[model]]\nid = \"us.amazon.nova-lite-v1:0\"\n".to_owned(),
            3,
            "id",
            "begins with no provider",
        ),
        (
            "[[family]]\nids = [\"us.amazon.\"]\n".to_owned(),
            2,
            "ids",
            "begins with no provider",
        ),
        (
            "[[family]]\nids = [\"amazon.\"]\nreleased = \"2026-01-01\"\n".to_owned(),
            3,
            "released",
            "is for models",
        ),
        (
            "[[family]]\ntools = true\n".to_owned(),
            1,
            "ids",
            "needs the beginnings",
        ),
    ] {
        let errors = Catalogue::built_in().with("models.toml", &toml).unwrap_err();
        let [error] = &errors[..] else {
            panic!("{toml}: {errors:?}")
        };
        assert_eq!(
            (error.file.as_str(), error.line),
            ("models.toml", line),
            "{error}\n{toml}"
        );
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.to_string().starts_with(&format!("models.toml:{line}: {field}: ")));
    }
}

#[test]
fn all_that_is_wrong_is_told() {
    let toml = "[[model]]\nid = \"amazon.nova-lite-v1:0\"\nreleased = \"soon\"\nlegacy = \"later\"\n";
    let errors = Catalogue::built_in().with("models.toml", toml).unwrap_err();
    let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [3, 4]);
    let broken = Catalogue::built_in().with("models.toml", "[[model]\n").unwrap_err();
    assert_eq!((broken.len(), broken[0].line), (1, 1));
}

#[test]
fn the_example_of_the_page_works() {
    let page = include_str!("../../../catalogue/README.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let catalogue = with(example);
    assert!(!catalogue.traits(Some("amazon.nova-lite-v1:0")).tools);
    assert!(catalogue.by_short_name("our-claude").unwrap().base_model.is_some());
}
