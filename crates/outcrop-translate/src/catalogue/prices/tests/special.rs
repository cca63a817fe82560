//! Costs on other terms than the usual ones, worked out by hand from published prices.

use outcrop_bedrock::converse::ServiceTier;

use crate::Catalogue;
use crate::catalogue::{Ask, Consumption, Images, Tariff, Terms};

fn tariff(called: &str, region: &str) -> Tariff {
    Catalogue::built_in().tariff_of(called, None, region).unwrap()
}

fn tokens(input: u64, output: u64) -> Consumption {
    Consumption {
        input,
        output,
        ..Consumption::default()
    }
}

fn by(tier: ServiceTier) -> Terms {
    Terms {
        tier,
        ..Terms::default()
    }
}

#[test]
fn tiers_have_their_own_prices() {
    let nova = tariff("us.amazon.nova-2-lite-v1:0", "us-east-1");
    let nanos = |terms| nova.cost(&terms, &tokens(1000, 1000)).map(|cost| cost.nanos);
    // $0.33 and $2.75 a million; flex is half, priority 1.75 times.
    assert_eq!(nanos(by(ServiceTier::Default)), Some(3_080_000));
    assert_eq!(nanos(by(ServiceTier::Flex)), Some(1_540_000));
    assert_eq!(nanos(by(ServiceTier::Priority)), Some(5_390_000));
    assert_eq!(nanos(by(ServiceTier::Reserved)), None, "it is paid for by time");
    let mistral = tariff("mistral.mistral-large-3-675b-instruct", "us-east-1");
    let cost = mistral.cost(&by(ServiceTier::Priority), &tokens(1000, 1000)).unwrap();
    assert_eq!(cost.nanos, 3_510_000, "$0.88 and $2.63, as AWS rounds them");
    let llama = tariff("meta.llama3-8b-instruct-v1:0", "us-east-1");
    assert_eq!(llama.cost(&by(ServiceTier::Flex), &tokens(1, 1)), None);
}

#[test]
fn whoever_asks_for_priority_may_be_served_as_usual() {
    let nova = tariff("amazon.nova-pro-v1:0", "us-east-1");
    let ask = Ask {
        input: 1000,
        output: 1000,
        ..Ask::default()
    };
    assert_eq!(nova.most(&by(ServiceTier::Priority), &ask), Some(7_000_000));
    assert_eq!(
        nova.most(&by(ServiceTier::Flex), &ask),
        Some(4_000_000),
        "flex may have no room"
    );
}

#[test]
fn fast_answers_and_batches_have_their_prices() {
    let nova = tariff("us.amazon.nova-pro-v1:0", "us-east-2");
    let fast = Terms {
        is_latency_optimized: true,
        ..Terms::default()
    };
    assert_eq!(nova.cost(&fast, &tokens(1000, 1000)).unwrap().nanos, 5_000_000);
    let batch = Terms {
        is_batch: true,
        ..Terms::default()
    };
    let claude = tariff("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1");
    assert_eq!(claude.cost(&batch, &tokens(1000, 1000)).unwrap().nanos, 3_300_000);
    assert_eq!(claude.cost(&fast, &tokens(1, 1)), None);
}

#[test]
fn much_input_costs_more() {
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let nanos = |called: &str, used| {
        tariff(called, "us-east-1")
            .cost(&Terms::default(), &used)
            .unwrap()
            .nanos
    };
    let global = format!("global.{sonnet}");
    assert_eq!(nanos(&global, tokens(200_000, 1000)), 615_000_000);
    assert_eq!(
        nanos(&global, tokens(200_001, 1000)),
        1_222_506_000,
        "$6 and $22.50 a million"
    );
    assert_eq!(nanos(&format!("eu.{sonnet}"), tokens(300_000, 1000)), 2_004_750_000);
    let cached = Consumption {
        cache_read: 200_000,
        ..tokens(1, 0)
    };
    assert_eq!(nanos(&global, cached), 120_006_000, "what is cached counts, at $0.60");
}

#[test]
fn a_bare_id_costs_what_its_region_asks() {
    let nanos = |region| {
        let cost = tariff("deepseek.v3.2", region).cost(&Terms::default(), &tokens(1000, 1000));
        cost.unwrap().nanos
    };
    assert_eq!(nanos("us-east-1"), 2_470_000);
    assert_eq!(nanos("eu-north-1"), 2_960_000);
}

#[test]
fn images_cost_by_size_and_quality() {
    let nanos = |model: &str, quality, pixels| {
        let used = Consumption {
            images: Images {
                count: 3,
                quality,
                pixels,
            },
            ..Consumption::default()
        };
        tariff(model, "us-east-1").cost(&Terms::default(), &used).unwrap().nanos
    };
    let canvas = "amazon.nova-canvas-v1:0";
    assert_eq!(nanos(canvas, "standard", 1024 * 1024), 120_000_000);
    assert_eq!(nanos(canvas, "premium", 1024 * 1024), 180_000_000);
    assert_eq!(nanos(canvas, "standard", 2048 * 2048), 180_000_000);
    assert_eq!(nanos(canvas, "premium", 2048 * 2048), 240_000_000);
    assert_eq!(
        nanos("amazon.titan-image-generator-v2:0", "premium", 1024 * 1024),
        36_000_000
    );
    assert_eq!(nanos("stability.stable-image-ultra-v1:1", "", 0), 420_000_000);
    let ask = Ask {
        images: 2,
        ..Ask::default()
    };
    let most = tariff(canvas, "us-east-1").most(&Terms::default(), &ask);
    assert_eq!(most, Some(160_000_000), "the dearest");
}

#[test]
fn vectors_and_searches_are_paid_for() {
    let used = Consumption {
        input: 1000,
        input_images: 2,
        ..Consumption::default()
    };
    let cost = tariff("amazon.titan-embed-image-v1", "us-east-1").cost(&Terms::default(), &used);
    assert_eq!(cost.unwrap().nanos, 920_000, "$0.80 a million, and $0.00006 an image");
    assert_eq!(
        tariff("cohere.embed-english-v3", "us-east-1").cost(&Terms::default(), &used),
        None,
        "nobody says what an image costs"
    );
    let searches = Consumption {
        searches: 3,
        ..Consumption::default()
    };
    let cost = tariff("cohere.rerank-v3-5:0", "us-east-1").cost(&Terms::default(), &searches);
    assert_eq!(cost.unwrap().nanos, 6_000_000);
}

#[test]
fn a_price_of_the_cache_that_is_missing_is_stood_in_for() {
    let used = Consumption {
        cache_read: 1000,
        cache_write: 1000,
        ..Consumption::default()
    };
    let cost = tariff("mistral.mistral-large-3-675b-instruct", "us-east-1").cost(&Terms::default(), &used);
    let cost = cost.unwrap();
    assert_eq!((cost.nanos, cost.savings_nanos, cost.is_assumed), (1_000_000, 0, true));
}

#[test]
fn an_operators_prices_count() {
    let toml = r#"
        [[model]]
        id = "amazon.nova-lite-v1:0"
        prices = { input = 1, output = "2.5" }
        geographic_prices = [{ profiles = ["us"], rates = { input = 3, output = 4 } }]
        special_prices = [
            { tier = "flex", factor = 0.25 },
            { above_input = 100, rates = { input = 10, output = 20 } },
        ]

        [[model]]
        id = "amazon.nova-canvas-v1:0"
        image_prices = [{ price = 0.01 }]

        [[model]]
        id = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
        base_model = "amazon.nova-micro-v1:0"

        [[model]]
        id = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"
        base_model = "amazon.nova-micro-v1:0"
        prices = { input = 0, output = 0 }
    "#;
    let catalogue = Catalogue::built_in().with("own.toml", toml).unwrap();
    let nanos = |called: &str, behind, terms, used| {
        let tariff = catalogue.tariff_of(called, behind, "us-east-1")?;
        Some(tariff.cost(&terms, &used)?.nanos)
    };
    let usual = Terms::default();
    let lite = "amazon.nova-lite-v1:0";
    assert_eq!(nanos(lite, None, usual, tokens(10, 10)), Some(35_000));
    assert_eq!(nanos(lite, None, by(ServiceTier::Flex), tokens(10, 10)), Some(8_750));
    assert_eq!(nanos(lite, None, usual, tokens(101, 10)), Some(1_210_000));
    let us = format!("us.{lite}");
    assert_eq!(
        nanos(&us, None, usual, tokens(101, 10)),
        Some(343_000),
        "those of other places don't hold here"
    );
    let own = |kind: &str| format!("arn:aws:bedrock:us-east-1:123456789012:{kind}/abc");
    let micro = Some("amazon.nova-micro-v1:0");
    assert_eq!(
        nanos(&own("application-inference-profile"), micro, usual, tokens(1000, 0)),
        Some(35_000)
    );
    assert_eq!(nanos(&own("provisioned-model"), micro, usual, tokens(1000, 0)), Some(0));
    let image = Consumption {
        images: Images {
            count: 1,
            quality: "premium",
            pixels: 1,
        },
        ..Consumption::default()
    };
    assert_eq!(nanos("amazon.nova-canvas-v1:0", None, usual, image), Some(10_000_000));

    for (wrong, told) in [
        ("{ factor = 0.5 }", "on which terms"),
        ("{ tier = \"flex\" }", "needs `rates`"),
        ("{ tier = \"slow\", factor = 1 }", "flex"),
        ("{ tier = \"flex\", factor = -1 }", "0 or more"),
        (
            "{ regions = [\"us-east-1\"], profiles = [\"us\"], factor = 1 }",
            "`profiles` or",
        ),
    ] {
        let toml = format!("[[model]]\nid = \"{lite}\"\nspecial_prices = [{wrong}]\n");
        let errors = Catalogue::built_in().with("own.toml", &toml).unwrap_err();
        assert!(
            errors.iter().any(|error| error.to_string().contains(told)),
            "{wrong}: {errors:?}"
        );
    }
}
