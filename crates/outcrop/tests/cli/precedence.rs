//! Flags over variables over the file over defaults, for each setting.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::run::{Place, finish};

/// Name; what stands in the file, in the variable and in the flag; and how these three are shown.
type Sample = (&'static str, [&'static str; 3], [&'static str; 3]);

const DURATIONS: [&str; 3] = ["7", "500ms", "1h 30m"];
const SHOWN_DURATIONS: [&str; 3] = ["\"7s\"", "\"500ms\"", "\"1h 30m\""];
const NUMBERS: [&str; 3] = ["41", "42", "43"];
const SWITCHES: [&str; 3] = ["true", "false", "true"];
const URLS: [&str; 3] = ["\"http://a\"", "https://b/", "http://c:1/d"];
const SHOWN_URLS: [&str; 3] = ["\"http://a\"", "\"https://b\"", "\"http://c:1/d\""];
const MODELS: [&str; 3] = ["\"Nova-Pro\"", "Nova-Lite", "us.amazon.nova-pro-v1:0"];
const SHOWN_MODELS: [&str; 3] = ["\"Nova-Pro\"", "\"Nova-Lite\"", "\"us.amazon.nova-pro-v1:0\""];

/// Tables, which stand in the file alone.
const FILE_ONLY: [&str; 5] = ["accounts", "issuers", "policies", "quotas", "routes"];

const RATIOS: [&str; 3] = ["0.2", "0.3", "1"];
const SHOWN_RATIOS: [&str; 3] = ["0.2", "0.3", "1.0"];
const FALLBACKS: [&str; 3] = ["[\"Nova-Pro\"]", "Nova-Lite, Nova-Pro", ""];
const SHOWN_FALLBACKS: [&str; 3] = ["[\"Nova-Pro\"]", "[\"Nova-Lite\",\"Nova-Pro\"]", "[]"];
const SIZES: [&str; 3] = ["1000", "2MiB", "3kb"];
const SHOWN_SIZES: [&str; 3] = ["\"1KB\"", "\"2MiB\"", "\"3KB\""];

const SAMPLES: &[Sample] = &[
    (
        "listen",
        ["\"127.0.0.1:1\"", "[::1]:2", "127.0.0.1:3"],
        ["\"127.0.0.1:1\"", "\"[::1]:2\"", "\"127.0.0.1:3\""],
    ),
    ("simulate", SWITCHES, SWITCHES),
    ("shutdown_delay", DURATIONS, SHOWN_DURATIONS),
    ("shutdown_timeout", DURATIONS, SHOWN_DURATIONS),
    (
        "api_keys",
        ["[\"a\"]", "a,b", "a,b,c"],
        [
            "[\"********\"]",
            "[\"********\",\"********\"]",
            "[\"********\",\"********\",\"********\"]",
        ],
    ),
    (
        "database",
        ["\"memory\"", "sqlite:a b.db", "postgres://me:hush@db/outcrop"],
        [
            "\"memory\"",
            "\"sqlite:a b.db\"",
            "\"postgres://me:********@db/outcrop\"",
        ],
    ),
    ("state_dir", ["\"a\"", "b", "c d"], ["\"a\"", "\"b\"", "\"c d\""]),
    (
        "admin_keys",
        ["[\"a\"]", "a,b", "a,b,c"],
        [
            "[\"********\"]",
            "[\"********\",\"********\"]",
            "[\"********\",\"********\",\"********\"]",
        ],
    ),
    (
        "key_secret",
        ["\"0123456789abcdef\"", "fedcba9876543210", "file:/run/key"],
        ["\"********\"", "\"********\"", "\"file:/run/key\""],
    ),
    (
        "trusted_proxies",
        ["[\"10.0.0.0/8\"]", "127.0.0.1", "10.1.0.0/16,fd12::/16"],
        [
            "[\"10.0.0.0/8\"]",
            "[\"127.0.0.1/32\"]",
            "[\"10.1.0.0/16\",\"fd12::/16\"]",
        ],
    ),
    (
        "metrics_listen",
        ["\"127.0.0.1:1\"", "[::1]:2", "127.0.0.1:3"],
        ["\"127.0.0.1:1\"", "\"[::1]:2\"", "\"127.0.0.1:3\""],
    ),
    ("emf", ["\"on\"", "off", "auto"], ["\"on\"", "\"off\"", "\"auto\""]),
    ("emf_namespace", ["\"a\"", "b", "c/d"], ["\"a\"", "\"b\"", "\"c/d\""]),
    ("usage_retention", DURATIONS, SHOWN_DURATIONS),
    ("usage_journal_limit", SIZES, SHOWN_SIZES),
    (
        "shared_counters",
        ["\"off\"", "redis://counters", "rediss://:hush@counters/1"],
        ["\"off\"", "\"redis://counters\"", "\"rediss://:********@counters/1\""],
    ),
    (
        "iam_audience",
        ["[\"ai.example.com\"]", "a.example", "a.example,b.example:8080"],
        [
            "[\"ai.example.com\"]",
            "[\"a.example\"]",
            "[\"a.example\",\"b.example:8080\"]",
        ],
    ),
    ("iam_max_age", ["7", "90s", "5m"], ["\"7s\"", "\"1m 30s\"", "\"5m\""]),
    (
        "iam_replay",
        ["\"allow\"", "refuse", "allow"],
        ["\"allow\"", "\"refuse\"", "\"allow\""],
    ),
    (
        "session_duration",
        ["7", "90s", "1h 30m"],
        ["\"7s\"", "\"1m 30s\"", "\"1h 30m\""],
    ),
    ("sts_endpoint_url", URLS, SHOWN_URLS),
    (
        "forwarded_identity",
        ["\"aws-request-context\"", "x-caller-arn", "x-caller"],
        ["\"aws-request-context\"", "\"x-caller-arn\"", "\"x-caller\""],
    ),
    ("insecure_no_auth", SWITCHES, SWITCHES),
    (
        "region",
        ["\"us-east-1\"", "us-east-2", "us-west-2"],
        ["\"us-east-1\"", "\"us-east-2\"", "\"us-west-2\""],
    ),
    ("profile", ["\"a\"", "b", "c"], ["\"a\"", "\"b\"", "\"c\""]),
    ("bedrock_api_key", ["\"a\"", "b", "c"], ["\"********\""; 3]),
    ("endpoint_url", URLS, SHOWN_URLS),
    ("control_endpoint_url", URLS, SHOWN_URLS),
    ("agent_runtime_endpoint_url", URLS, SHOWN_URLS),
    ("use_fips", SWITCHES, SWITCHES),
    ("use_dualstack", SWITCHES, SWITCHES),
    (
        "body_limit",
        ["1000", "2MiB", "3kb"],
        ["\"1KB\"", "\"2MiB\"", "\"3KB\""],
    ),
    ("idle_timeout", DURATIONS, SHOWN_DURATIONS),
    ("header_timeout", DURATIONS, SHOWN_DURATIONS),
    ("body_timeout", DURATIONS, SHOWN_DURATIONS),
    ("send_timeout", DURATIONS, SHOWN_DURATIONS),
    ("max_connections", NUMBERS, NUMBERS),
    ("max_choices", NUMBERS, NUMBERS),
    (
        "kept_files_limit",
        ["1000", "2MiB", "3kb"],
        ["\"1KB\"", "\"2MiB\"", "\"3KB\""],
    ),
    ("public_url", URLS, SHOWN_URLS),
    (
        "lambda_response",
        ["\"auto\"", "stream", "buffer"],
        ["\"auto\"", "\"stream\"", "\"buffer\""],
    ),
    ("lambda_margin", DURATIONS, SHOWN_DURATIONS),
    (
        "keep_alive_interval",
        ["0", "1.5", "2m"],
        ["\"0s\"", "\"1s 500ms\"", "\"2m\""],
    ),
    (
        "on_unsupported",
        ["\"reject\"", "adapt", "reject"],
        ["\"reject\"", "\"adapt\"", "\"reject\""],
    ),
    (
        "prompt_caching",
        ["\"off\"", "auto", "explicit"],
        ["\"off\"", "\"auto\"", "\"explicit\""],
    ),
    (
        "bedrock_api",
        ["\"converse\"", "invoke", "openai"],
        ["\"converse\"", "\"invoke\"", "\"openai\""],
    ),
    ("guardrail_id", ["\"a\"", "b", "c"], ["\"a\"", "\"b\"", "\"c\""]),
    (
        "guardrail_version",
        ["1", "2", "DRAFT"],
        ["\"1\"", "\"2\"", "\"DRAFT\""],
    ),
    (
        "guardrail_trace",
        ["\"disabled\"", "enabled", "enabled_full"],
        ["\"disabled\"", "\"enabled\"", "\"enabled_full\""],
    ),
    (
        "guardrail_stream_mode",
        ["\"sync\"", "async", "sync"],
        ["\"sync\"", "\"async\"", "\"sync\""],
    ),
    (
        "catalogue",
        ["\"a.toml\"", "b.toml", "c d.toml"],
        ["\"a.toml\"", "\"b.toml\"", "\"c d.toml\""],
    ),
    (
        "aliases",
        [
            "[\"a*=Nova-Pro\"]",
            "b=Nova-Pro, c=Nova-Lite",
            "d=us.amazon.nova-pro-v1:0",
        ],
        [
            "[\"a*=Nova-Pro\"]",
            "[\"b=Nova-Pro\",\"c=Nova-Lite\"]",
            "[\"d=us.amazon.nova-pro-v1:0\"]",
        ],
    ),
    ("model_list_max_age", DURATIONS, SHOWN_DURATIONS),
    ("default_model", MODELS, SHOWN_MODELS),
    ("default_embedding_model", MODELS, SHOWN_MODELS),
    ("default_image_model", MODELS, SHOWN_MODELS),
    ("redirect_retired", SWITCHES, SWITCHES),
    (
        "regions",
        ["[\"us-east-1\"]", "us-east-2,eu-west-1", ""],
        ["[\"us-east-1\"]", "[\"us-east-2\",\"eu-west-1\"]", "[]"],
    ),
    (
        "allowed_regions",
        ["[\"us-east-1\"]", "us-east-2,eu-west-1", ""],
        ["[\"us-east-1\"]", "[\"us-east-2\",\"eu-west-1\"]", "[]"],
    ),
    ("fetch_urls", SWITCHES, SWITCHES),
    (
        "fetch_hosts",
        ["[\"a.example\"]", "*.b.example,B", ""],
        ["[\"a.example\"]", "[\"*.b.example\",\"b\"]", "[]"],
    ),
    (
        "fetch_private_networks",
        ["[\"10.0.0.0/8\"]", "127.0.0.1", "10.1.0.0/16,fd12::/16"],
        [
            "[\"10.0.0.0/8\"]",
            "[\"127.0.0.1/32\"]",
            "[\"10.1.0.0/16\",\"fd12::/16\"]",
        ],
    ),
    (
        "fetch_max_bytes",
        ["1000", "2MiB", "3kb"],
        ["\"1KB\"", "\"2MiB\"", "\"3KB\""],
    ),
    ("fetch_timeout", DURATIONS, SHOWN_DURATIONS),
    ("fetch_max_redirects", NUMBERS, NUMBERS),
    ("fetch_concurrency", NUMBERS, NUMBERS),
    ("connect_timeout", DURATIONS, SHOWN_DURATIONS),
    ("first_byte_timeout", DURATIONS, SHOWN_DURATIONS),
    ("chunk_timeout", DURATIONS, SHOWN_DURATIONS),
    ("total_timeout", DURATIONS, SHOWN_DURATIONS),
    ("max_attempts", NUMBERS, NUMBERS),
    ("retry_budget", RATIOS, SHOWN_RATIOS),
    (
        "route_prefix",
        ["\"/a/\"", "/b/v1", "/"],
        ["\"/a\"", "\"/b/v1\"", "\"/\""],
    ),
    ("watch_config", SWITCHES, SWITCHES),
    ("list_inference_profiles", SWITCHES, SWITCHES),
    ("list_application_profiles", SWITCHES, SWITCHES),
    ("fallbacks", FALLBACKS, SHOWN_FALLBACKS),
    ("context_window_fallbacks", FALLBACKS, SHOWN_FALLBACKS),
    ("content_policy_fallbacks", FALLBACKS, SHOWN_FALLBACKS),
    ("breaker_failure_ratio", RATIOS, SHOWN_RATIOS),
    ("breaker_min_calls", NUMBERS, NUMBERS),
    ("breaker_window", DURATIONS, SHOWN_DURATIONS),
    ("breaker_cool_down", DURATIONS, SHOWN_DURATIONS),
    ("hedge_after", DURATIONS, SHOWN_DURATIONS),
    ("hedge_budget", RATIOS, SHOWN_RATIOS),
    (
        "request_aws_parameters",
        ["[\"aws_region_name\"]", "aws_role_name, aws_session_name", ""],
        [
            "[\"aws_region_name\"]",
            "[\"aws_role_name\",\"aws_session_name\"]",
            "[]",
        ],
    ),
    ("admission", SWITCHES, SWITCHES),
    ("service_quotas", SWITCHES, SWITCHES),
    ("queue_timeout", DURATIONS, SHOWN_DURATIONS),
    ("queue_limit", NUMBERS, NUMBERS),
    ("default_output_tokens", NUMBERS, NUMBERS),
    (
        "response_cache",
        ["\"memory\"", "redis://cache", "rediss://:hush@cache/1"],
        ["\"memory\"", "\"redis://cache\"", "\"rediss://:********@cache/1\""],
    ),
    ("response_cache_ttl", DURATIONS, SHOWN_DURATIONS),
    ("response_cache_limit", SIZES, SHOWN_SIZES),
    (
        "log",
        ["\"warn\"", "debug", "info,hyper=trace"],
        ["\"warn\"", "\"debug\"", "\"info,hyper=trace\""],
    ),
    (
        "log_format",
        ["\"text\"", "json", "auto"],
        ["\"text\"", "\"json\"", "\"auto\""],
    ),
    ("simulator_pace", DURATIONS, SHOWN_DURATIONS),
    (
        "simulator_scenario",
        ["\"a.json\"", "b.json", "c d.json"],
        ["\"a.json\"", "\"b.json\"", "\"c d.json\""],
    ),
];

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let place = Place::new("precedence-bare");
    let schema: Value = serde_json::from_str(&place.run(&["config", "schema"]).stdout).unwrap();
    let keys = schema["properties"].as_object().unwrap().keys();
    // These tables stand in the file only.
    let mut all: Vec<&String> = keys.filter(|key| !FILE_ONLY.contains(&key.as_str())).collect();
    all.sort_unstable();
    let mut sampled: Vec<&str> = SAMPLES.iter().map(|(name, ..)| *name).collect();
    sampled.sort_unstable();
    assert_eq!(sampled, all, "each setting has a sample here");

    let defaults = printed(&place.run(&["config", "print"]).stdout);
    for (name, (shown, origin)) in &defaults {
        let default = schema["properties"][name].get("default");
        assert_eq!(
            (shown.as_deref(), origin.as_str()),
            (default.map(Value::to_string).as_deref(), "default"),
            "{name}"
        );
    }

    let file: String = SAMPLES
        .iter()
        .map(|(name, [file, ..], _)| format!("{name} = {file}\n"))
        .collect();
    // Settings are only in order if these are there.
    let place = Place::new("precedence")
        .with("outcrop.toml", &file)
        .with("a.toml", "")
        .with("b.toml", "")
        .with("c d.toml", "");
    let mut command = place.outcrop(&["config", "print"]);
    let from_file = printed(&finish(&mut command).stdout);

    command.envs(
        SAMPLES
            .iter()
            .map(|(name, [_, variable, _], _)| (variable_of(name), *variable)),
    );
    let from_variables = printed(&finish(&mut command).stdout);

    command.args(
        SAMPLES
            .iter()
            .map(|(name, [.., flag], _)| format!("{}={flag}", flag_of(name))),
    );
    let from_flags = printed(&finish(&mut command).stdout);

    for (line, (name, _, [file, variable, flag])) in SAMPLES.iter().enumerate() {
        let shown = |text: &str, origin: String| (Some(text.to_owned()), origin);
        assert_eq!(
            from_file[*name],
            shown(file, format!("outcrop.toml:{}", line + 1)),
            "{name}"
        );
        assert_eq!(from_variables[*name], shown(variable, variable_of(name)), "{name}");
        assert_eq!(from_flags[*name], shown(flag, flag_of(name)), "{name}");
    }
}

#[test]
fn a_flag_wins_over_the_file_without_a_variable_between() {
    let place = Place::new("precedence-two").with("outcrop.toml", "simulate = true\nmax_choices = 2\n");
    let shown = printed(
        &place
            .run(&["config", "print", "--simulate=false", "--max-choices", "3"])
            .stdout,
    );
    assert_eq!(shown["simulate"], (Some("false".to_owned()), "--simulate".to_owned()));
    assert_eq!(shown["max_choices"], (Some("3".to_owned()), "--max-choices".to_owned()));
}

#[test]
fn a_switch_needs_no_value() {
    let shown = printed(
        &Place::new("precedence-switch")
            .run(&["config", "print", "--simulate"])
            .stdout,
    );
    assert_eq!(shown["simulate"], (Some("true".to_owned()), "--simulate".to_owned()));
}

#[test]
fn keys_may_come_in_several_flags() {
    let arguments = ["config", "print", "--api-keys", "a,b", "--api-keys", "c"];
    let shown = printed(&Place::new("precedence-keys").run(&arguments).stdout);
    assert_eq!(
        shown["api_keys"].0.as_deref(),
        Some("[\"********\",\"********\",\"********\"]")
    );
}

#[test]
fn a_fallback_variable_gives_way_to_the_setting_s_own_but_wins_over_the_file() {
    let place = Place::new("precedence-fallback").with("outcrop.toml", "api_keys = [\"a\", \"b\", \"c\"]\n");
    let mut command = place.outcrop(&["config", "print"]);
    let shown = printed(&finish(command.env("API_KEY", "d")).stdout);
    assert_eq!(
        shown["api_keys"],
        (Some("[\"********\"]".to_owned()), "API_KEY".to_owned())
    );
    let shown = printed(&finish(command.env("OUTCROP_API_KEYS", "d,e")).stdout);
    assert_eq!(shown["api_keys"].1, "OUTCROP_API_KEYS");
}

#[test]
fn an_empty_variable_unsets_what_the_file_sets() {
    let place = Place::new("precedence-unset").with("outcrop.toml", "region = \"us-east-1\"\n");
    let shown = printed(&finish(place.outcrop(&["config", "print"]).env("OUTCROP_REGION", "")).stdout);
    assert_eq!(shown["region"], (None, "OUTCROP_REGION".to_owned()));
}

#[test]
fn what_is_printed_can_be_a_file() {
    let first = Place::new("print-first").run(&["config", "print"]).stdout;
    let ran = Place::new("print-second")
        .with("outcrop.toml", &first)
        .run(&["config", "print"]);
    let values = |page: &str| {
        printed(page)
            .into_iter()
            .map(|(name, (shown, _))| (name, shown))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&ran.stdout), values(&first));
}

fn variable_of(name: &str) -> String {
    format!("OUTCROP_{}", name.to_uppercase())
}

fn flag_of(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// Name to value, if there is one, and origin.
fn printed(page: &str) -> BTreeMap<String, (Option<String>, String)> {
    page.lines()
        .filter_map(|line| {
            let (setting, origin) = line.rsplit_once(" # ")?;
            let setting = setting.trim_end();
            let (name, value) = match setting.strip_prefix("# ") {
                Some(unset) => (unset.strip_suffix(" is not set")?, None),
                None => setting
                    .split_once(" = ")
                    .map(|(name, value)| (name, Some(value.to_owned())))?,
            };
            Some((name.to_owned(), (value, origin.to_owned())))
        })
        .collect()
}
