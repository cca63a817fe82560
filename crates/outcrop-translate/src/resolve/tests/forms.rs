//! What a name may look like.

use super::*;

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
            "bedrock/eu-west-2/invoke/Crow",
            (Some(Api::Invoke), region("eu-west-2"), false, false),
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
fn a_distillation_is_known_by_the_name_that_the_account_gave_it() {
    let arn = format!("{ACCOUNT}:imported-model/abc");
    for (name, format) in [
        ("DeepSeek-R1-Distill-Llama-8B", "deepseek-r1"),
        ("our_r1_distill", "deepseek-r1"),
        ("our-r1", "llama3"),
        ("far1-distillery", "llama3"),
    ] {
        let world = World {
            behind: vec![(
                arn.clone(),
                Behind {
                    model: None,
                    architecture: Some("llama".to_owned()),
                    name: Some(name.to_owned()),
                    geography: None,
                },
            )],
            ..World::default()
        };
        assert_eq!(world.target(&arn).format.as_deref(), Some(format), "{name}");
        let named = world.target(&format!("bedrock/qwen2/{arn}"));
        assert_eq!(named.format.as_deref(), Some("chatml"), "{name}");
    }
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
                name: None,
                geography: None,
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
