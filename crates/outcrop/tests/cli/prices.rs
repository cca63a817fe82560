//! `outcrop prices`: what models cost, with nobody being called.

use serde_json::Value;

use crate::run::Place;

const OWN: &str = r#"[sources.contract]
title = "Our contract with AWS"
read = "2020-01-31"

[[model]]
id = "amazon.nova-lite-v1:0"
prices = { input = 0.05, output = 0.2, cache_read = 0.0125 }
geographic_prices = []
sources = { prices = "contract", geographic_prices = "contract" }
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn prices_are_listed_and_shown_with_their_sources() {
    let place = Place::new("prices-list").with("own.toml", OWN);
    let ran = place.run(&["prices", "list", "--catalogue", "own.toml"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let line = ran
        .stdout
        .lines()
        .find(|line| line.starts_with("amazon.nova-lite"))
        .unwrap();
    assert!(line.contains("$0.05") && line.contains("$0.2"), "{line}");

    let ran = place.run(&["prices", "list", "--json"]);
    let list = json(&ran.stdout);
    let lite = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "amazon.nova-lite-v1:0");
    assert_eq!(lite.unwrap()["prices"]["rates"]["input"], 0.06);

    let ran = place.run(&["prices", "show", "Claude-4-5-Sonnet"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    for told in ["over 200000 tokens of input", "$3.75", "us-gov", "price map"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    let ran = place.run(&["prices", "show", "amazon.nova-canvas-v1:0"]);
    assert!(ran.stdout.contains("premium"), "{}", ran.stdout);
}

#[test]
fn a_check_fails_where_something_is_not_in_order() {
    let place = Place::new("prices-check").with("own.toml", OWN);
    let ran = place.run(&["prices", "check", "--model", "claude-sonnet-4-5", "--max-age", "100000"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let ran = place.run(&[
        "prices",
        "check",
        "--catalogue",
        "own.toml",
        "--model",
        "Nova-Lite",
        "--json",
    ]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let found = json(&ran.stdout);
    assert_eq!(found["findings"][0]["kind"], "old", "{found}");
    let ran = place.run(&[
        "prices",
        "check",
        "--catalogue",
        "own.toml",
        "--model",
        "Nova-Lite",
        "--max-age",
        "100000",
    ]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn a_call_is_estimated_by_the_profile_that_its_name_means() {
    let place = Place::new("prices-estimate");
    let estimate = |arguments: &[&str]| place.run(&[&["prices", "estimate"], arguments].concat());
    let ran = estimate(&[
        "claude-sonnet-4-5",
        "--input",
        "1000",
        "--output",
        "500",
        "--region",
        "eu-central-1",
    ]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(
        ran.stdout.starts_with("eu.anthropic.") && ran.stdout.ends_with("$0.01155\n"),
        "{}",
        ran.stdout
    );
    let ran = estimate(&[
        "us.amazon.nova-2-lite-v1:0",
        "--input",
        "1000",
        "--tier",
        "flex",
        "--calls",
        "1000",
        "--json",
    ]);
    let page = json(&ran.stdout);
    assert_eq!((&page["cost"], &page["calls"]), (&0.165.into(), &1000.into()), "{page}");
    let ran = estimate(&["amazon.nova-canvas-v1:0", "--images", "4", "--quality", "premium"]);
    assert!(ran.stdout.contains("$0.24"), "{ran:?}");
    let ran = estimate(&["meta.llama3-8b-instruct-v1:0", "--input", "1", "--tier", "flex"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("isn't known"), "{ran:?}");
}
