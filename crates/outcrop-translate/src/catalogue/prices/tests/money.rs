//! Costs that were worked out by hand from published prices.

use crate::Catalogue;
use crate::catalogue::{Ask, Consumption, Cost, Place, Price, Tariff, Terms};

fn tariff(called: &str) -> Tariff {
    Catalogue::built_in().tariff_of(called, None, "us-east-1").unwrap()
}

fn cost(called: &str, used: Consumption) -> Option<Cost> {
    tariff(called).cost(&Terms::default(), &used)
}

fn nanos(called: &str, used: Consumption) -> i64 {
    cost(called, used).unwrap().nanos
}

#[test]
fn prices_are_read_as_they_are_written() {
    for (text, nanos, shown) in [
        ("3", 3_000_000_000, "3"),
        ("0.00875", 8_750_000, "0.00875"),
        ("34.375", 34_375_000_000, "34.375"),
        ("0.000000001", 1, "0.000000001"),
        ("1.10", 1_100_000_000, "1.1"),
    ] {
        let price: Price = text.parse().unwrap();
        assert_eq!((price.nanos(), price.to_string().as_str()), (nanos, shown));
        let of_toml: Price =
            toml::Value::try_into(format!("x = {text}").parse::<toml::Table>().unwrap()["x"].clone()).unwrap();
        assert_eq!(of_toml, price, "{text}");
    }
    for wrong in ["-1", "", ".", "1e3", "nan", "0.0000000001", "1000001", "+1"] {
        assert!(wrong.parse::<Price>().is_err(), "{wrong}");
    }
}

#[test]
fn tokens_cost_what_they_cost() {
    // 1,000 × $3 + 500 × $15 a million.
    let used = Consumption {
        input: 1000,
        output: 500,
        ..Consumption::default()
    };
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(nanos(&format!("global.{sonnet}"), used), 10_500_000);
    assert_eq!(
        nanos(&format!("eu.{sonnet}"), used),
        11_550_000,
        "a geography costs a tenth more"
    );
    let arn = format!("arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.{sonnet}");
    assert_eq!(nanos(&arn, used), 11_550_000);
    // Nova Micro: $0.035 and $0.14.
    assert_eq!(nanos("amazon.nova-micro-v1:0", used), 105_000);
}

#[test]
fn the_cache_saves_what_it_spares() {
    let used = Consumption {
        input: 100,
        output: 200,
        cache_read: 10_000,
        cache_write: 2000,
        cache_write_1h: 1000,
        ..Consumption::default()
    };
    let cost = cost("global.anthropic.claude-sonnet-4-5-20250929-v1:0", used).unwrap();
    // 300 + 3,000 + 3,000 + 7,500 + 6,000 millionths of a dollar.
    assert_eq!(cost.nanos, 19_800_000);
    // Uncached 13,100 × 3 + 3,000 = 42,300.
    assert_eq!(cost.savings_nanos, 22_500_000);
    assert!(!cost.is_assumed);
    let written = Consumption {
        cache_write: 1000,
        ..Consumption::default()
    };
    let cost = super::super::Prices::default();
    assert_eq!(cost.cost(&Place::default(), &Terms::default(), &written), None);
    let cost = tariff("global.anthropic.claude-sonnet-4-5-20250929-v1:0").cost(&Terms::default(), &written);
    assert_eq!(cost.unwrap().savings_nanos, -750_000, "writing alone costs more");
}

#[test]
fn a_call_is_rounded_once_and_half_up() {
    // $0.00875 a million: 8.75 billionths a token.
    let read = |cache_read| Consumption {
        cache_read,
        ..Consumption::default()
    };
    let nova = "amazon.nova-micro-v1:0";
    assert_eq!(nanos(nova, read(1)), 9);
    assert_eq!(nanos(nova, read(2)), 18, "17.5");
    assert_eq!(nanos(nova, read(4)), 35);
    assert_eq!(
        nanos("us.anthropic.claude-opus-4-5-20251101-v1:0", read(u64::MAX)),
        i64::MAX
    );
}

#[test]
fn the_most_is_what_writing_into_the_cache_for_an_hour_costs() {
    let sonnet = tariff("global.anthropic.claude-sonnet-4-5-20250929-v1:0");
    let ask = |may_cache| Ask {
        input: 1000,
        output: 1000,
        may_cache,
        ..Ask::default()
    };
    assert_eq!(sonnet.most(&Terms::default(), &ask(false)), Some(18_000_000));
    assert_eq!(sonnet.most(&Terms::default(), &ask(true)), Some(21_000_000));
}

#[test]
fn what_is_of_an_account_alone_has_no_price_of_a_model() {
    let catalogue = Catalogue::built_in();
    let nova = Some("amazon.nova-lite-v1:0");
    let arn = |kind: &str| format!("arn:aws:bedrock:us-east-1:123456789012:{kind}/abc");
    assert!(
        catalogue
            .tariff_of(&arn("application-inference-profile"), nova, "us-east-1")
            .is_some()
    );
    for kind in ["provisioned-model", "imported-model", "custom-model-deployment"] {
        assert_eq!(catalogue.tariff_of(&arn(kind), nova, "us-east-1"), None, "{kind}");
    }
    assert_eq!(catalogue.tariff_of("acme.model-1", None, "us-east-1"), None);
}
