//! What holds for the files that are built in, and for the page that describes them.

use std::collections::HashSet;

use super::super::words::{EffortField, ThinkingKind, ThinkingTag, Ttl};
use super::*;
use crate::effort::Effort;

const PAGE: &str = include_str!("../../../catalogue/README.md");

#[test]
fn the_files_are_sound() {
    assert_eq!(Catalogue::of_files(FILES).map(|_| ()), Ok(()));
}

#[test]
fn each_row_is_of_its_files_provider_and_names_its_source() {
    for layer in &Catalogue::built_in().layers {
        let provider = layer.provider.as_ref().expect("each file names its provider");
        let families = layer.families.iter().map(|(beginning, row)| (beginning, row));
        for (id, row) in families.chain(&layer.models) {
            let (vendor, _) = id.split_once('.').unwrap();
            assert!(
                vendor == provider.id || provider.also.iter().any(|also| also == vendor),
                "{id}"
            );
            assert!(row.source.is_some(), "{id} names no source");
        }
        let models = layer.models.values();
        let rows = layer.families.iter().map(|(_, row)| row).chain(models);
        let named: HashSet<&String> = rows.flat_map(Row::named_sources).collect();
        for source in layer.sources.keys() {
            assert!(named.contains(source), "nothing is from `{source}` in {}", provider.id);
        }
    }
}

#[test]
fn each_family_and_each_model_is_found_in_each_form_of_id() {
    let catalogue = Catalogue::built_in();
    let families = catalogue.layers.iter().flat_map(|layer| &layer.families);
    // Some rows name nothing but the provider, and need a name behind it.
    let beginnings = families.map(|(beginning, _)| format!("{beginning}x.y"));
    for id in beginnings.chain(catalogue.models().map(|model| model.id.clone())) {
        for form in [
            id.clone(),
            format!("us.{id}"),
            format!("us-gov.{id}"),
            format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"),
            format!("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.{id}"),
        ] {
            assert_eq!(catalogue.base_id(&form), Some(id.as_str()), "{form}");
        }
    }
}

#[test]
fn a_short_name_is_found_in_any_case() {
    let catalogue = Catalogue::built_in();
    for model in catalogue.models() {
        for name in &model.short_names {
            for name in [name.clone(), name.to_uppercase(), name.to_lowercase()] {
                let found = catalogue.by_short_name(&name).map(|found| &found.id);
                assert_eq!(found, Some(&model.id), "{name}");
            }
        }
    }
    let opus = catalogue.by_short_name("claude-4-5-OPUS").unwrap();
    assert_eq!(opus.id, "anthropic.claude-opus-4-5-20251101-v1:0");
    assert_eq!(opus.named_profile.as_deref(), Some("global"));
    assert!(catalogue.by_short_name("Claude-4-5-Opus-Thinking").is_none());
}

#[test]
fn what_is_known_of_a_model_can_be_asked() {
    let catalogue = Catalogue::built_in();
    let model = catalogue.model("anthropic.claude-sonnet-4-5-20250929-v1:0").unwrap();
    assert_eq!(model.name, "Claude Sonnet 4.5");
    assert_eq!(model.provider, "anthropic");
    assert_eq!(model.profiles, ["us", "eu", "jp", "au", "us-gov", "global"]);
    assert!(!model.on_demand && model.streaming);
    assert_eq!((model.context, model.max_output), (Some(200_000), Some(64_000)));
    assert_eq!(
        model.input,
        Set::of(&[Modality::Text, Modality::Image, Modality::Document])
    );
    assert_eq!(model.apis, [Api::Converse, Api::Invoke]);
    assert_eq!(model.invoke, Some(Shape::AnthropicMessages));
    assert_eq!(model.long_context_beta.as_deref(), Some("context-1m-2025-08-07"));
    assert!(model.sources.iter().any(|source| source.title.contains("price map")));

    let prices = model.prices.as_ref().unwrap();
    for (profile, input) in [
        (None, 3.0),
        (Some("global"), 3.0),
        (Some("eu"), 3.3),
        (Some("us-gov"), 3.6),
    ] {
        assert_eq!(
            prices.rates(profile).input.map(Price::dollars),
            Some(input),
            "{profile:?}"
        );
    }

    let retired = catalogue.model("meta.llama2-13b-chat-v1").unwrap();
    assert_eq!(retired.lifecycle.status, Status::Retired);
    assert!(retired.on_demand && retired.lifecycle.successor.is_some() && !retired.lifecycle.redirect);
    let moonshot = catalogue.model("moonshot.kimi-k2-thinking").unwrap();
    assert_eq!(moonshot.provider, "moonshotai");
    assert_eq!(catalogue.model("deepseek.v3-v1:0").unwrap().apis, [Api::Converse]);
    let gpt_oss = catalogue.model("openai.gpt-oss-120b-1:0").unwrap();
    assert_eq!(gpt_oss.apis, [Api::OpenAi, Api::Converse, Api::Invoke]);
    assert!(!catalogue.model("ai21.j2-mid-v1").unwrap().streaming);
}

#[test]
fn what_invoke_needs_is_there_where_invoke_is_answered() {
    for model in Catalogue::built_in().models() {
        let answers_invoke = model.apis.contains(&Api::Invoke);
        let writes_text = model.output.contains(Modality::Text) && !model.id.contains("pegasus");
        if answers_invoke && writes_text {
            assert!(model.invoke.is_some(), "{}", model.id);
        }
        let is_prompt = matches!(
            model.invoke,
            Some(Shape::MetaLlama | Shape::MistralPrompt | Shape::DeepseekPrompt)
        );
        assert!(!is_prompt || model.prompt.is_some(), "{}", model.id);
    }
}

/// The rows of the page's tables that describe fields: name, type, default.
fn described() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [field, kind, default, _] = cells[..] else {
            return None;
        };
        Some((field.trim_end_matches('`'), kind, default))
    })
    .collect()
}

#[test]
fn the_page_describes_each_field() {
    let described: Vec<&str> = described().iter().map(|(field, ..)| *field).collect();
    assert_eq!(described, Row::FIELDS);
}

#[test]
fn the_page_names_each_word() {
    fn names<T: Word>() -> Vec<&'static str> {
        T::ALL.iter().map(|word| word.name()).collect()
    }
    for (field, words) in [
        ("status", names::<Status>()),
        ("large_documents", names::<outcrop_bedrock::converse::DocumentFormat>()),
        ("apis", names::<Api>()),
        ("invoke", names::<Shape>()),
        ("prompt", names::<PromptFormat>()),
        ("tool_choice", names::<ForcedTools>()),
        ("thinking", names::<ThinkingKind>()),
        ("effort_field", names::<EffortField>()),
        ("efforts", names::<Effort>()),
        ("thinking_tag", names::<ThinkingTag>()),
        ("sampling", names::<Sampling>()),
        ("top_k", names::<TopK>()),
        ("parameters", names::<Parameter>()),
        ("cache_ttls", names::<Ttl>()),
    ] {
        let (_, kind, _) = described().into_iter().find(|(name, ..)| *name == field).unwrap();
        let told: Vec<&str> = kind.split('`').skip(1).step_by(2).collect();
        assert_eq!(told, words, "{field}");
    }
}

#[test]
fn the_page_tells_the_defaults() {
    // A family whose row says what the page calls the default is as one that nobody knows.
    let is_value = |default: &str| default.starts_with('`');
    let defaults = described()
        .into_iter()
        .filter(|(field, _, default)| is_value(default) && Row::OF_BOTH.contains(field));
    let mut file = String::from("provider = \"acme\"\n[[family]]\nids = [\"acme.\"]\n");
    for (field, kind, default) in defaults {
        let value = default.trim_matches('`');
        let is_word = kind.starts_with('`');
        let value = if is_word {
            format!("\"{value}\"")
        } else {
            value.to_owned()
        };
        file += &format!("{field} = {value}\n");
    }
    let catalogue = Catalogue::built_in().with("defaults.toml", &file).unwrap();
    assert_eq!(catalogue.traits(Some("acme.seer")), catalogue.traits(None));
    assert_eq!(catalogue.media(Some("acme.seer")), catalogue.media(None));
    assert!(file.lines().count() > 30, "{file}");
}
