//! What holds for models, with rows and without.

use super::super::words::Ttl;
use super::*;
use crate::effort::Effort;

fn of(model_id: &str) -> Traits {
    let catalogue = Catalogue::built_in();
    catalogue.traits(catalogue.base_id(model_id))
}

#[test]
fn the_provider_is_found_in_each_form_of_id() {
    for (model_id, id) in [
        ("amazon.nova-lite-v1:0", Some("amazon.nova-lite-v1:0")),
        ("us-gov.anthropic.claude-3-haiku", Some("anthropic.claude-3-haiku")),
        ("openai.gpt-6.1-sol", Some("openai.gpt-6.1-sol")),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/mistral.mixtral-8x7b-instruct-v0:1",
            Some("mistral.mixtral-8x7b-instruct-v0:1"),
        ),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/global.xai.grok-5",
            Some("xai.grok-5"),
        ),
        (
            "arn:aws:bedrock:us-east-1:1:custom-model/amazon.titan-text-lite-v1:0:4k/abc",
            Some("amazon.titan-text-lite-v1:0:4k/abc"),
        ),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", None),
        ("acme.amazonas-v1", None),
        ("amazon", None),
    ] {
        assert_eq!(Catalogue::built_in().base_id(model_id), id, "{model_id}");
    }
}

#[test]
fn what_a_generation_of_claude_takes_is_known_from_its_id() {
    let of = |name: &str| of(&format!("anthropic.claude-{name}"));
    let adaptive = |can_be_off| Thinking::Adaptive { can_be_off };
    for (name, thinking) in [
        ("v2:1", Thinking::Untold),
        ("3-5-haiku-20241022-v1:0", Thinking::Untold),
        ("3-7-sonnet-20250219-v1:0", Thinking::Budget),
        ("opus-4-20250514-v1:0", Thinking::Budget),
        ("haiku-4-5-20251001-v1:0", Thinking::Budget),
        ("opus-4-6-v1", Thinking::Budget),
        ("opus-4-7", adaptive(true)),
        ("opus-5", adaptive(true)),
        ("sonnet-5", adaptive(true)),
        ("haiku-5-5", adaptive(true)),
        ("opus-5-5", adaptive(false)),
        ("fable-5", adaptive(false)),
        ("mythos-preview", adaptive(false)),
    ] {
        assert_eq!(of(name).thinking, thinking, "{name}");
    }
    assert_eq!(of("opus-5-5").forced_tools, ForcedTools::Never);
    assert_eq!(of("opus-5").forced_tools, ForcedTools::AnyOrNamed);
    assert_eq!(of("opus-4-1-20250805-v1:0").sampling, Sampling::Both);
    assert_eq!(of("sonnet-4-6").sampling, Sampling::Either);
    assert_eq!(of("opus-4-7").sampling, Sampling::Neither);
    assert!(!of("opus-4-6-v1").prefill && of("opus-4-5-20251101-v1:0").prefill);
    assert!(of("opus-4-6-v1").takes_adaptive && !of("opus-4-5-20251101-v1:0").takes_adaptive);
    assert!(of("sonnet-5").thinks_unasked && !of("opus-4-8").thinks_unasked);
    assert!(of("mythos-preview").tools && !of("instant-v1").tools);
}

#[test]
fn what_a_claude_caches_is_known_from_its_id() {
    for (name, rules) in [
        ("3-opus-20240229-v1:0", None),
        ("3-5-sonnet-20240620-v1:0", None),
        ("3-5-sonnet-20241022-v2:0", Some((1024, false))),
        ("3-5-haiku-20241022-v1:0", Some((2048, false))),
        ("sonnet-4-20250514-v1:0", Some((1024, false))),
        ("haiku-4-5-20251001-v1:0", Some((4096, true))),
        ("sonnet-4-6", Some((1024, true))),
        ("opus-4-6-v1", Some((4096, true))),
        ("opus-4-7", Some((2048, true))),
        ("opus-4-8", Some((1024, true))),
        ("sonnet-5", Some((512, true))),
    ] {
        let cache = of(&format!("anthropic.claude-{name}")).cache;
        assert_eq!(cache.map(|rules| (rules.least_tokens, rules.one_hour)), rules, "{name}");
    }
}

#[test]
fn a_new_model_of_a_known_provider_is_like_its_family() {
    let opus = of("us.anthropic.claude-opus-7");
    assert_eq!(opus.sampling, Sampling::Neither);
    assert_eq!(opus.thinking, Thinking::Adaptive { can_be_off: false });
    assert_eq!(opus.invoke, Some(Shape::AnthropicMessages));
    assert!(!opus.prefill && opus.one_tool_at_a_time);
    let haiku = of("anthropic.claude-haiku-7");
    assert_eq!(haiku.thinking, Thinking::Adaptive { can_be_off: true });

    assert_eq!(of("eu.amazon.nova-3-lite-v1:0").stop_sequences, 4);
    assert_eq!(of("us.meta.llama5-9b-instruct-v1:0").stop_sequences, 0);
    assert_eq!(of("mistral.mistral-huge-2811").stop_sequences, 10);
    assert_eq!(of("cohere.command-r-ultra-v1:0").top_k, TopK::K);
    assert_eq!(of("ai21.jamba-3-v1:0").top_k, TopK::Nowhere);
    assert_eq!(of("global.openai.gpt-8").least_max_tokens, 16);
    assert_eq!(of("xai.grok-9").openai_parameters, Set::of(&[Parameter::Seed]));
    let efforts = Set::of(&[Effort::Low, Effort::Medium, Effort::High]);
    assert_eq!(of("us.amazon.nova-2-mega-v1:0").thinking, Thinking::NovaConfig(efforts));
    for id in [
        "deepseek.v9",
        "google.gemma-9",
        "minimax.m9",
        "moonshot.kimi-k9",
        "moonshotai.kimi-k9",
        "nvidia.nemotron-9",
        "qwen.qwen9",
        "writer.palmyra-x9",
        "zai.glm-9",
    ] {
        let traits = of(id);
        assert!(traits.cache.is_none() && !traits.strict_tools && traits.tools, "{id}");
    }
}

#[test]
fn each_provider_of_chat_models_has_a_family_for_its_next_one() {
    let catalogue = Catalogue::built_in();
    for model in catalogue.models() {
        let layers = catalogue.layers.iter();
        let mut families = layers.flat_map(|layer| &layer.families);
        assert!(
            families.any(|(beginning, _)| model.id.starts_with(beginning)),
            "{} has no family",
            model.id
        );
    }
}

#[test]
fn what_nobody_knows_is_tried() {
    let unknown = of("acme.seer-v1");
    assert_eq!(
        unknown,
        of("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc")
    );
    assert!(unknown.tools && unknown.system && unknown.structured_output && unknown.cache.is_some());
    let media = Catalogue::built_in().media(None);
    assert!(media.images && media.documents && media.video && media.audio && media.s3);
}

#[test]
fn what_is_behind_an_id_changes_nothing() {
    for (id, model) in [
        ("amazon.titan-text-lite-v1:0:4k", "amazon.titan-text-lite-v1"),
        ("us.xai.grok-4.6:0", "xai.grok-4.6"),
        (
            "anthropic.claude-3-haiku-20240307-v1:0:200k",
            "anthropic.claude-3-haiku-20240307-v1:0",
        ),
    ] {
        let catalogue = Catalogue::built_in();
        assert_eq!(of(id), of(model), "{id}");
        assert_eq!(
            catalogue.media(catalogue.base_id(id)),
            catalogue.media(Some(model)),
            "{id}"
        );
    }
}

#[test]
fn what_goes_into_a_model_is_known_from_its_id() {
    let catalogue = Catalogue::built_in();
    for (model_id, images, documents, video, audio) in [
        ("us.amazon.nova-lite-v1:0", true, true, true, false),
        ("us.amazon.nova-2-lite-v1:0", true, true, true, true),
        ("amazon.nova-micro-v1:0", false, false, false, false),
        ("anthropic.claude-3-haiku-20240307-v1:0", true, true, false, false),
        ("us.meta.llama3-2-90b-instruct-v1:0", true, true, false, false),
        ("us.meta.llama3-3-70b-instruct-v1:0", false, true, false, false),
        ("mistral.voxtral-small-24b-2507", false, true, false, true),
        ("acme.seer-v1", true, true, true, true),
    ] {
        let media = catalogue.media(catalogue.base_id(model_id));
        let taken = (media.images, media.documents, media.video, media.audio);
        assert_eq!(taken, (images, documents, video, audio), "{model_id}");
    }
    let nova = catalogue.media(Some("amazon.nova-pro-v1:0"));
    assert!(nova.s3 && nova.max_videos == Some(1));
    let claude = catalogue.media(Some("anthropic.claude-sonnet-5"));
    assert!(
        !claude.s3
            && claude
                .large_documents
                .contains(outcrop_bedrock::converse::DocumentFormat::Pdf)
    );
}

#[test]
fn a_set_keeps_its_words() {
    let ttls: Set<Ttl> = Set::of(&[Ttl::OneHour]);
    assert!(ttls.contains(Ttl::OneHour) && !ttls.contains(Ttl::FiveMinutes));
    assert_eq!(Set::<Api>::ALL.iter().count(), 3);
    assert_eq!(Set::<Api>::ALL, Set::of(Api::ALL));
}

#[test]
fn answers_cost_of_a_quota_what_the_guide_says() {
    let catalogue = Catalogue::built_in();
    for (model_id, rate) in [
        ("anthropic.claude-instant-v1", 1),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", 1),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 5),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", 5),
        ("global.anthropic.claude-opus-4-7", 5),
        ("eu.anthropic.claude-opus-4-8", 15),
        ("anthropic.claude-sonnet-5", 10),
        ("anthropic.claude-haiku-9", 10),
        ("amazon.nova-lite-v1:0", 1),
        ("nobody.knows", 1),
    ] {
        let base_id = catalogue.base_id(model_id);
        assert_eq!(catalogue.output_burn_rate(base_id), rate, "{model_id}");
    }
    let sonnet = catalogue.base_id("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(catalogue.max_output(sonnet), Some(64_000));
    assert_eq!(catalogue.max_output(None), None);
}
