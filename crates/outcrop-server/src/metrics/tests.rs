//! What is told, and in which form.

use std::collections::BTreeSet;

use outcrop_tenants::{Money, TokenCounts, UsageRecord};

use super::definition::{ALL, Kind};
use super::page::Page;
use super::series::{Finished, endpoint_of};
use super::*;

/// What describes each metric, as Prometheus reads it. What others make of the metrics, dashboards and alerts among it,
/// is held to this file.
const GOLDEN: &str = include_str!("exposition.txt");
const PAGE: &str = include_str!("../../../../docs/metrics.md");

fn usage(model: &str) -> UsageRecord {
    UsageRecord {
        called_model: model.to_owned(),
        region: "us-east-1".to_owned(),
        tokens: TokenCounts {
            input: 10,
            output: 5,
            ..TokenCounts::default()
        },
        cost: Some(Money::from_nanos(1_500_000_000)),
        ..UsageRecord::default()
    }
}

fn finished(usage: &UsageRecord) -> Finished<'_> {
    Finished {
        request_id: "req-1",
        path: "/v1/chat/completions",
        status: 200,
        outcome: "completed",
        error_code: None,
        is_stream: true,
        seconds: 1.5,
        first_byte_seconds: Some(0.5),
        cache: None,
        tenant: None,
        is_model_known: true,
        usage: Some(usage),
    }
}

fn told(metrics: &Metrics) -> String {
    let mut page = Page::default();
    metrics.tell(&mut page);
    page.prometheus().unwrap()
}

#[test]
fn names_kinds_and_meanings_are_as_written_down() {
    let described = Page::default().prometheus().unwrap();
    if std::env::var_os("BLESS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/exposition.txt");
        std::fs::write(file, &described).unwrap();
        return;
    }
    assert_eq!(
        described, GOLDEN,
        "BLESS=1 writes it anew; dashboards, alerts and docs/metrics.md follow"
    );
}

#[test]
fn names_are_those_that_prometheus_advises() {
    let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
    for metric in ALL {
        let is_ours = ["outcrop_", "gen_ai_", "process_"]
            .iter()
            .any(|begin| metric.name.starts_with(begin));
        assert!(is_ours, "{}", metric.name);
        assert!(
            !metric.name.ends_with("_total") && !metric.name.ends_with("_info"),
            "{}",
            metric.name
        );
        assert!(!metric.help.ends_with('.'), "{}", metric.name);
    }
}

#[test]
fn the_page_of_the_docs_has_each_metric_with_its_type_and_labels() {
    for metric in ALL {
        let (kind, ending) = match metric.kind {
            Kind::Counter => ("counter", "_total"),
            Kind::Gauge => ("gauge", ""),
            Kind::Histogram => ("histogram", ""),
            Kind::Info => ("gauge", "_info"),
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let row = format!("| `{}{ending}` | {kind} | {} |", metric.name, labels.join(", "));
        let row = row.replace("|  |", "| |");
        assert!(
            PAGE.contains(&row),
            "docs/metrics.md lacks a row that begins so:\n{row}"
        );
    }
    for name in PAGE.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = name.split('`').next().unwrap_or_default();
        if name.starts_with("outcrop_") || name.starts_with("gen_ai_") || name.starts_with("process_") {
            let plain = name.trim_end_matches("_total").trim_end_matches("_info");
            assert!(ALL.iter().any(|metric| metric.name == plain), "{name} is not served");
        }
    }
}

#[test]
fn a_stream_is_counted_with_its_tokens_and_times() {
    let metrics = Metrics::default();
    let usage = usage("amazon.nova-pro-v1:0");
    metrics.finish(&finished(&usage));
    let told = told(&metrics);
    let model = "endpoint=\"/v1/chat/completions\",model=\"amazon.nova-pro-v1:0\",region=\"us-east-1\"";
    let of_conventions = "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"aws.bedrock\",\
                          gen_ai_request_model=\"amazon.nova-pro-v1:0\",region=\"us-east-1\"";
    for line in [
        "outcrop_requests_total{endpoint=\"/v1/chat/completions\",status=\"200\",outcome=\"completed\",\
         error_type=\"none\"} 1"
            .to_owned(),
        format!("outcrop_tokens_total{{{model},kind=\"input\"}} 10"),
        format!("outcrop_tokens_total{{{model},kind=\"output\"}} 5"),
        format!("outcrop_cost_dollars_total{{{model}}} 1.5"),
        format!("outcrop_model_requests_total{{{model},outcome=\"completed\"}} 1"),
        format!("gen_ai_server_request_duration_seconds_sum{{{of_conventions}}} 1.5"),
        format!("gen_ai_server_time_to_first_token_seconds_bucket{{le=\"0.25\",{of_conventions}}} 0"),
        format!("gen_ai_server_time_to_first_token_seconds_bucket{{le=\"0.5\",{of_conventions}}} 1"),
        // A second for the four tokens after the first.
        format!("gen_ai_server_time_per_output_token_seconds_sum{{{of_conventions}}} 0.25"),
        format!("gen_ai_client_token_usage_sum{{{of_conventions},gen_ai_token_type=\"input\"}} 10.0"),
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
}

#[test]
fn both_forms_are_whole() {
    let page = || {
        let mut page = Page::default();
        Metrics::default().tell(&mut page);
        page
    };
    let open_metrics = page().open_metrics().unwrap();
    assert!(open_metrics.ends_with("# EOF\n"));
    assert!(open_metrics.contains("# TYPE outcrop_requests counter\n"));
    let prometheus = page().prometheus().unwrap();
    assert!(!prometheus.contains("EOF"));
    assert!(prometheus.contains("# TYPE outcrop_requests_total counter\n"));
}

#[test]
fn there_is_an_end_to_models_whatever_clients_ask_for() {
    let metrics = Metrics::default();
    for number in 0..1000 {
        let usage = usage(&format!("amazon.model-{number}"));
        metrics.finish(&finished(&usage));
    }
    let told = told(&metrics);
    let of_models = |name: &str| told.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!(of_models("outcrop_cost_dollars_total{"), MAX_SERIES + 1);
    let others = "outcrop_cost_dollars_total{endpoint=\"/v1/chat/completions\",model=\"other\",region=\"other\"} ";
    assert!(told.contains(others));
    let tokens = told
        .lines()
        .filter(|line| line.starts_with("outcrop_tokens_total") && line.contains("kind=\"input\""));
    let sum: u64 = tokens
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(sum, 10_000, "nothing is lost");
}

#[test]
fn names_that_clients_make_up_are_no_labels() {
    let metrics = Metrics::default();
    let usage = usage("made-up");
    metrics.finish(&Finished {
        status: 404,
        outcome: "failed",
        error_code: Some("model_not_found"),
        is_model_known: false,
        ..finished(&usage)
    });
    let told = told(&metrics);
    assert!(!told.contains("made-up"));
    assert!(
        told.contains("model=\"other\",region=\"other\",outcome=\"failed\"} 1\n"),
        "{told}"
    );
}

#[test]
fn paths_become_endpoints_of_a_small_set() {
    for (path, endpoint) in [
        ("/openai/deployments/m/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions/input_tokens", "/v1/chat/completions/input_tokens"),
        ("/v1/models/amazon.nova-pro-v1:0", "/v1/models"),
        ("/admin/v1/keys/key_1", "/admin/v1"),
        ("/wp-login.php", "other"),
    ] {
        assert_eq!(endpoint_of(path), endpoint, "{path}");
    }
}
