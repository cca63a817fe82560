use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use outcrop_server::Catalogue;
use outcrop_store::UsageRow;
use outcrop_tenants::{Money, TokenCounts};

use super::bill::Bill;
use super::compare::{compare, day_number};
use super::names::Names;
use super::usage_type::{Kind, UsageType};

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

const CUR: &str = "\
line_item_usage_start_date,line_item_line_item_type,line_item_product_code,product_product_name,line_item_usage_type,line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_resource_id
2026-11-20T00:00:00Z,Usage,AmazonBedrock,Amazon Bedrock,USE1-NovaLite-input-tokens,1000,1K tokens,0.06,
2026-11-20T01:00:00Z,Usage,AmazonBedrock,Amazon Bedrock,USE1-NovaLite-output-tokens,100,1K tokens,0.024,
2026-11-20T01:00:00Z,Usage,4m1p7abc,Claude Sonnet 4.5 (Amazon Bedrock Edition),EUC1-MP:EUC1_InputTokenCount-Units,2,Units,6.6,
2026-11-20T01:00:00Z,Usage,4m1p7abc,Claude Sonnet 4.5 (Amazon Bedrock Edition),EUC1-MP:EUC1_CacheWrite1hInputTokenCount-Units,1,Units,6.6,
2026-11-21T01:00:00Z,Usage,AmazonBedrock,Amazon Bedrock,USE1-Mystery9-input-tokens,5,1K tokens,0.5,
2026-11-21T01:00:00Z,Usage,AmazonEC2,Amazon Elastic Compute Cloud,USE1-BoxUsage,5,Hrs,99,
2026-11-30T01:00:00Z,Tax,AmazonBedrock,Amazon Bedrock,,0,,1.25,
";

fn row(day: &str, model: &str, dollars: f64, tokens: TokenCounts) -> UsageRow {
    UsageRow {
        start: day_number(day).unwrap() * super::DAY,
        group: vec![model.to_owned()],
        cost: Money::from_dollars(dollars).unwrap(),
        tokens,
        ..UsageRow::default()
    }
}

fn of_input(input: u64) -> TokenCounts {
    TokenCounts {
        input,
        ..TokenCounts::default()
    }
}

#[test]
fn usage_types_are_taken_apart() {
    for (text, model, kind) in [
        ("USE1-Claude4Sonnet-input-tokens", Some("Claude4Sonnet"), Kind::Input),
        (
            "USE1-Claude4.6Sonnet-cache-read-input-token-count",
            Some("Claude4.6Sonnet"),
            Kind::CacheRead,
        ),
        (
            "USE1-Claude4Sonnet-cache-write-input-token-count-1-hour",
            Some("Claude4Sonnet"),
            Kind::CacheWrite1h,
        ),
        (
            "USE1-Claude4.6Sonnet-output-tokens-cross-region-global",
            Some("Claude4.6Sonnet"),
            Kind::Output,
        ),
        (
            "USE1-Nova2.0Pro-text-input-tokens-priority",
            Some("Nova2.0Pro"),
            Kind::Input,
        ),
        (
            "USW2-qwen.qwen3-32b-mantle-output-tokens-flex",
            Some("qwen.qwen3-32b"),
            Kind::Output,
        ),
        ("USE1-NovaCanvas-T2I-1024-Premium", Some("NovaCanvas"), Kind::Images),
        (
            "USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units",
            None,
            Kind::CacheWrite1h,
        ),
        ("USE1-MP:USE1_OutputTokenCount_Global-Units", None, Kind::Output),
        ("USE1-MP:USE1_created_image-Units", None, Kind::Images),
        ("USE1-MP:USE1_search_units-Units", None, Kind::Searches),
        ("USE1-Guardrail-ContentPolicyUnitsConsumed", None, Kind::Other),
    ] {
        let parsed = UsageType::parse(text);
        assert_eq!((parsed.model, parsed.kind), (model, kind), "{text}");
    }
}

#[test]
fn the_bills_names_are_the_catalogues() {
    let names = Names::of(Catalogue::built_in());
    for (text, id) in [
        ("Claude4.6Sonnet", "anthropic.claude-sonnet-4-6"),
        ("Claude Sonnet 4.5 (Amazon Bedrock Edition)", SONNET),
        ("Claude3-5Haiku", "anthropic.claude-3-5-haiku-20241022-v1:0"),
        ("NovaLite", "amazon.nova-lite-v1:0"),
        ("Nova2.0Lite", "amazon.nova-2-lite-v1:0"),
        ("Llama3-3-70B", "meta.llama3-3-70b-instruct-v1:0"),
        ("gpt-oss-120b", "openai.gpt-oss-120b-1:0"),
        ("qwen.qwen3-coder-next", "qwen.qwen3-coder-next"),
        ("qwen.qwen3-32b", "qwen.qwen3-32b-v1:0"),
        ("NovaCanvas", "amazon.nova-canvas-v1:0"),
    ] {
        assert_eq!(names.of_name(text), Some(id), "{text}");
    }
    assert_eq!(names.of_name("Mystery9"), None);
    let resource = format!("arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.{SONNET}");
    assert_eq!(names.of_id(&resource), Some(SONNET));
}

#[test]
fn a_bill_is_compared_by_model_and_day_and_nothing_is_dropped() {
    let lite = TokenCounts {
        input: 1_000_000,
        output: 100_000,
        ..TokenCounts::default()
    };
    let usage = [
        row("2026-11-20", "amazon.nova-lite-v1:0", 0.084, lite),
        row("2026-11-20", SONNET, 6.6, of_input(2_000_000)),
        row("2026-11-21", "amazon.nova-pro-v1:0", 0.8, of_input(1_000_000)),
    ];
    let names = Names::of(Catalogue::built_in());
    let comparison = compare(&usage, &Bill::read(CUR.as_bytes()).unwrap(), &names);
    let told: Vec<(&str, &str, i64)> = comparison
        .rows
        .iter()
        .map(|row| (row.day.as_str(), row.model.as_str(), row.difference().nanos()))
        .collect();
    assert_eq!(
        told,
        [
            ("2026-11-20", "amazon.nova-lite-v1:0", 0),
            ("2026-11-20", SONNET, 6_600_000_000),
            ("2026-11-21", "amazon.nova-pro-v1:0", -800_000_000),
        ]
    );
    assert_eq!(comparison.rows[0].our_tokens, comparison.rows[0].their_tokens);
    assert_eq!(comparison.rows[1].their_tokens.cache_write_1h, 1_000_000);
    assert_eq!(comparison.rows[1].percent(), Some(50.0));
    let unmatched: Vec<&str> = comparison
        .unmatched
        .keys()
        .map(|(usage_type, _)| usage_type.as_str())
        .collect();
    assert_eq!(unmatched, ["USE1-Mystery9-input-tokens"]);
    assert_eq!(comparison.others["Tax"].nanos(), 1_250_000_000);
    assert!(!comparison.is_within(10.0) && comparison.rows[0].is_within(0.0));
    let page = super::page(&comparison, 1.0);
    for told in [
        "$13.20",
        "50.00",
        "differs",
        "USE1-Mystery9",
        "Not compared: Tax of $1.25",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[test]
fn focus_and_packed_files_are_read_too() {
    let focus = "\
BillingPeriodStart,ChargePeriodStart,ChargeCategory,BilledCost,ServiceName,SkuId,x_ServiceCode,x_UsageType,ConsumedQuantity,ConsumedUnit
2026-11-01T00:00:00Z,2026-11-20T00:00:00Z,Usage,0.06,Amazon Bedrock,ABC,AmazonBedrock,USE1-NovaLite-input-tokens,1000,1K tokens
";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(focus.as_bytes()).unwrap();
    for bytes in [focus.as_bytes().to_vec(), packed.finish().unwrap()] {
        let bill = Bill::read(&bytes).unwrap();
        assert_eq!(bill.lines.len(), 1);
        let usage = [row("2026-11-20", "amazon.nova-lite-v1:0", 0.06, of_input(1_000_000))];
        let comparison = compare(&usage, &bill, &Names::of(Catalogue::built_in()));
        assert!(comparison.is_within(0.0), "{comparison:?}");
        assert_eq!(comparison.rows[0].their_tokens.input, 1_000_000);
    }
    let wrong = Bill::read(b"a,b\n1,2\n").unwrap_err();
    assert!(wrong.contains("line_item_usage_start_date"), "{wrong}");
}
