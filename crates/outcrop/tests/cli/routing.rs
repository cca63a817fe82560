//! `[[accounts]]`, `[[routes]]` and `[[quotas]]` in the file.

use serde_json::Value;

use crate::run::{Place, finish, finish_with_input};

const GOOD: &str = r#"
api_keys = ["os.environ/TEAM_KEY", "sk-literal"]
response_cache = "rediss://:hush-redis@cache:6379/1"
fallbacks = ["sonnet", "Nova-Pro"]

[[accounts]]
name = "main"
access_key_id = "AKIAHUSH"
secret_access_key = "hush-secret"
role_arn = "arn:aws:iam::123456789012:role/bedrock"
session_tags = { team = "blue" }

[[accounts]]
name = "batch"
region = "us-west-2"
role_arn = "os.environ/ROLE"
source_account = "main"
external_id = "secretsmanager:ids#batch"

[[routes]]
name = "sonnet"
strategy = "weighted"
affinity = "none"
fallbacks = ["haiku"]

[[routes.targets]]
model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
weight = 3

[[routes.targets]]
model = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
account = "batch"
parameters = { temperature = 0.5, stop = ["x"], additionalModelRequestFields = { "a b" = 1 } }
max_parallel_requests = 4
first_byte_timeout = "20s"

[[routes]]
name = "haiku"
fallbacks = ["sonnet"]

[[routes.targets]]
model = "anthropic.claude-haiku-4-5-20251001-v1:0"

[[routes]]
name = "bedrock/*"

[[routes.targets]]
model = "*"

[[quotas]]
model = "*sonnet*"
account = "batch"
tokens_per_minute = 200000
"#;

fn refused(name: &str, file: &str, expected: &[&str]) {
    let ran = Place::new(name).with("outcrop.toml", file).run(&["config", "check"]);
    let said = ran.stdout + &ran.stderr;
    assert_eq!(ran.status, 1, "{said}");
    for line in expected {
        assert!(said.lines().any(|said| said.starts_with(line)), "{line}\n{said}");
    }
    // Each problem is said once, under one headline.
    assert_eq!(said.trim_end().lines().count(), expected.len() + 1, "{said}");
}

#[test]
fn parameters_are_of_their_types() {
    let file = "[[routes]]\nname = \"x\"\n[[routes.targets]]\nmodel = \"Nova-Pro\"\n\
                parameters = { max_tokens = \"100\", top_p = 0.5, temperature = true, nucleus = [1] }\n";
    let expected = [
        "outcrop.toml:5: routes.targets.parameters.max_tokens: expected a whole number, 0 or above, found \"100\"",
        "outcrop.toml:5: routes.targets.parameters.temperature: expected a number, found true",
    ];
    let headline = |line: &&str| !line.starts_with("error");
    let ran = Place::new("parameter-types")
        .with("outcrop.toml", file)
        .run(&["config", "check"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let told: Vec<&str> = ran.stderr.lines().filter(headline).map(str::trim).collect();
    assert_eq!(told, expected);
}

#[test]
fn tables_are_in_order_and_print_without_their_secrets() {
    let place = Place::new("tables").with("outcrop.toml", GOOD);
    let ran = place.run(&["config", "check"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let ran = place.run(&["config", "print"]);
    assert!(
        !ran.stdout.contains("hush") && !ran.stdout.contains("HUSH"),
        "{}",
        ran.stdout
    );
    for line in [
        "api_keys = [\"os.environ/TEAM_KEY\",\"********\"] # outcrop.toml:2",
        "response_cache = \"rediss://:********@cache:6379/1\" # outcrop.toml:3",
        "secret_access_key = \"********\"",
        "external_id = \"secretsmanager:ids#batch\"",
        "role_arn = \"os.environ/ROLE\"",
        "session_tags = { team = \"blue\" }",
        "[[routes.targets]]                           # outcrop.toml:26",
        "parameters = { additionalModelRequestFields = { \"a b\" = 1 }, stop = [\"x\"], temperature = 0.5 }",
        "[[quotas]]                                   # outcrop.toml:50",
    ] {
        assert!(
            ran.stdout.lines().any(|printed| printed == line),
            "{line}\n{}",
            ran.stdout
        );
    }
    // What is printed is a file too, but for the masks.
    let again = ran.stdout.replace("********", "x");
    let place = Place::new("tables-again").with("outcrop.toml", &again);
    let ran = place.run(&["config", "check"]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_its_line() {
    refused(
        "tables-keys",
        "[[accounts]]\nname = \"a\"\nacces_key_id = \"x\"\n[[quotas]]\nmodel = \"*\"\n\n[[routes]]\nname = \"r\"\n",
        &[
            "outcrop.toml:3: accounts: unknown key \"acces_key_id\"; did you mean \"access_key_id\"?",
            "outcrop.toml:4: quotas: a table needs requests_per_minute, tokens_per_minute or tokens_per_day",
            "outcrop.toml:7: routes: a route needs at least one target, under the line `[[routes.targets]]`",
        ],
    );
    refused(
        "tables-values",
        "[[accounts]]\nregion = \"Ohio\"\nsecret_access_key = \"hush\"\n[[routes]]\nname = \"r\"\nstrategy = \"random\"\n\
         [[routes.targets]]\nweight = -1\nparameters = 1\nmodel = \"Nova-Pro\"\n",
        &[
            "outcrop.toml:1: accounts: a `name` is missing",
            "outcrop.toml:2: accounts.region: expected an AWS region such as `eu-central-1`, found \"Ohio\"",
            "outcrop.toml:3: accounts.secret_access_key: it needs access_key_id beside it",
            "outcrop.toml:6: routes.strategy: expected `ordered`, `weighted`, `least_busy` or `lowest_latency`, found \"random\"",
            "outcrop.toml:8: routes.targets.weight: expected a whole number from 0, found -1",
            "outcrop.toml:9: routes.targets.parameters: expected a table, found 1",
        ],
    );
    refused(
        "tables-none",
        "routes = 1\n",
        &["outcrop.toml:1: routes: expected tables"],
    );
    refused(
        "tables-typo",
        "[[route]]\n",
        &["outcrop.toml:1: unknown key \"route\"; did you mean \"routes\"?"],
    );
}

#[test]
fn tables_must_fit_each_other() {
    refused(
        "tables-accounts",
        "[[accounts]]\nname = \"a\"\nrole_arn = \"r\"\nsource_account = \"b\"\n\
         [[accounts]]\nname = \"b\"\nrole_arn = \"r\"\nsource_account = \"a\"\n\
         [[accounts]]\nname = \"a\"\n\
         [[accounts]]\nname = \"c\"\nrole_arn = \"r\"\nsource_account = \"bb\"\n\
         [[quotas]]\naccount = \"d\"\ntokens_per_day = 1\n\
         [[accounts]]\nname = \"request\"\n",
        &[
            "outcrop.toml:1: accounts.source_account: \"a\" is assumed by way of itself",
            "outcrop.toml:5: accounts.source_account: \"b\" is assumed by way of itself",
            "outcrop.toml:9: accounts.name: there is an account \"a\" already, at outcrop.toml:1",
            "outcrop.toml:11: accounts.source_account: unknown account \"bb\"; did you mean \"b\"?",
            "outcrop.toml:18: accounts.name: \"request\" is what usage names the account of a client that brings its own",
            "outcrop.toml:15: quotas.account: unknown account \"d\"",
        ],
    );
    let target = "[[routes.targets]]\nmodel = \"Nova-Pro\"\n";
    refused(
        "tables-routes",
        &format!(
            "fallbacks = [\"soonet\"]\n[[routes]]\nname = \"Sonnet\"\nfallbacks = [\"sonnet\", \"haikuu\"]\n{target}\
             [[routes]]\nname = \"sonnet\"\n{target}\
             [[routes]]\nname = \"haiku\"\n[[routes.targets]]\nmodel = \"Sonnet\"\n\
             [[routes.targets]]\nmodel = \"Nova-Por\"\n[[routes.targets]]\nmodel = \"bedrock/*\"\n\
             [[routes.targets]]\naccount = \"x\"\n[[routes.targets]]\nregion = \"us-east-1\"\n"
        ),
        &[
            "outcrop.toml:1: fallbacks: The model 'soonet' does not exist",
            "outcrop.toml:2: routes.fallbacks: \"sonnet\" would fall back to itself",
            "outcrop.toml:2: routes.fallbacks: The model 'haikuu' does not exist",
            "outcrop.toml:7: routes.name: there is a route \"sonnet\" already, at outcrop.toml:2",
            "outcrop.toml:13: routes.targets.model: \"Sonnet\" is a route; a target names a model",
            "outcrop.toml:15: routes.targets.model: The model 'Nova-Por' does not exist",
            "outcrop.toml:17: routes.targets.model: \"bedrock/*\" has a `*`, and the route's name has none",
            "outcrop.toml:19: routes.targets.account: unknown account \"x\"",
            "outcrop.toml:21: routes.targets.model: none is named, and the route's name is none: The model 'haiku'",
        ],
    );
}

#[test]
fn a_key_that_stands_elsewhere_must_be_there_at_the_start() {
    let place = Place::new("tables-reference").with("outcrop.toml", "api_keys = [\"os.environ/GONE\"]\n");
    assert_eq!(place.run(&["config", "check"]).status, 0);
    let ran = finish(&mut place.outcrop(&["serve", "--simulate", "--listen", "127.0.0.1:0"]));
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("api_keys: cannot read "), "{ran:?}");
    let place = Place::new("tables-reference-file")
        .with("outcrop.toml", "api_keys = [\"file:key\"]\n")
        .with("key", "\n");
    let ran = finish(&mut place.outcrop(&["serve", "--simulate", "--listen", "127.0.0.1:0"]));
    assert!(
        ran.stderr.contains("api_keys: cannot read ") && ran.stderr.contains("empty"),
        "{ran:?}"
    );
}

/// Needs no environment, no credentials and no network.
const ROUTED: &str = r#"
region = "us-east-1"

[[accounts]]
name = "europe"
region = "eu-west-1"
role_arn = "arn:aws:iam::123456789012:role/bedrock"
external_id = "hush"

[[routes]]
name = "vectors"
targets = [{ model = "amazon.titan-embed-text-v2:0" }]

[[routes]]
name = "sonnet"
strategy = "weighted"
fallbacks = ["Nova-Pro", "backup"]

[[routes.targets]]
model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

[[routes.targets]]
model = "Claude-4-5-Sonnet"
account = "europe"
weight = 0

[[routes]]
name = "backup"
targets = [{ model = "Nova-Lite", region = "us-west-2" }]
"#;

#[test]
fn a_name_with_a_route_is_resolved_to_its_targets() {
    let place = Place::new("routes-resolve").with("outcrop.toml", ROUTED);
    let ran = place.run(&["models", "resolve", "SONNET"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let expected = "\
SONNET

  model id    us.anthropic.claude-sonnet-4-5-20250929-v1:0
  base model  anthropic.claude-sonnet-4-5-20250929-v1:0
  provider    anthropic
  region      us-east-1
  API         converse

steps:
  routing  us.anthropic.claude-sonnet-4-5-20250929-v1:0  the route 'sonnet': target 1 of 2, weighted
  profile  us.anthropic.claude-sonnet-4-5-20250929-v1:0  an inference profile with anthropic.claude-sonnet-4-5-20250929-v1:0

targets, weighted:
  us.anthropic.claude-sonnet-4-5-20250929-v1:0  us.anthropic.claude-sonnet-4-5-20250929-v1:0  us-east-1                  weight 1
  Claude-4-5-Sonnet                             eu.anthropic.claude-sonnet-4-5-20250929-v1:0  eu-west-1  account europe  weight 0

fallbacks:
  where all fail  Nova-Pro, backup
";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn a_route_is_resolved_without_a_region() {
    let file = ROUTED.replace("region = \"us-east-1\"\n", "");
    let place = Place::new("routes-no-region").with("outcrop.toml", &file);
    let ran = place.run(&["models", "resolve", "backup", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["region"], "us-west-2");
    assert_eq!(told["route"]["targets"][0]["resolves_to"], "us.amazon.nova-lite-v1:0");
    let ran = place.run(&["models", "resolve", "sonnet", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["region"], Value::Null);
    assert_eq!(told["route"]["targets"][1]["region"], "eu-west-1");
}

#[test]
fn a_request_for_a_route_is_explained_with_what_comes_next() {
    let place = Place::new("routes-explain").with("outcrop.toml", ROUTED);
    let request = r#"{"model": "sonnet", "messages": [{"role": "user", "content": "Hi"}]}"#;
    let ran = finish_with_input(&mut place.outcrop(&["explain"]), request);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(!ran.stdout.contains("hush"), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let next: Vec<[&str; 4]> = told["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stop| ["when", "model_id", "region", "account"].map(|key| stop[key].as_str().unwrap_or_default()))
        .collect();
    let europe = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(
        next,
        [
            ["failed", europe, "eu-west-1", "europe"],
            ["failed", "us.amazon.nova-pro-v1:0", "us-east-1", ""],
            ["failed", "us.amazon.nova-lite-v1:0", "us-west-2", ""],
        ]
    );
}

#[test]
fn the_models_of_the_gateway_have_the_routes() {
    let place = Place::new("routes-models").with("outcrop.toml", ROUTED);
    let ran = place.run(&["models", "--simulate"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let models: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        ["sonnet", "backup", "vectors"].iter().all(|name| models.contains(name)),
        "{ran:?}"
    );
}
