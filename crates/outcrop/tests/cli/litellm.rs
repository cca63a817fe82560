//! LiteLLM's `config.yaml`, and bedrock-access-gateway's environment.

use crate::run::{Place, Ran, finish};

const CONFIG: &str = r#"
model_list:
  - model_name: sonnet
    litellm_params: &sonnet
      model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0
      aws_region_name: us-east-1
      temperature: 0.5
      top_k: 3
      guardrailConfig: {guardrailIdentifier: gr1, guardrailVersion: DRAFT}
      rpm: 60
      tpm: 100000
  - model_name: sonnet
    litellm_params:
      <<: *sonnet
      model: bedrock/converse/eu-west-1/eu.anthropic.claude-sonnet-4-5-20250929-v1:0
      aws_region_name: os.environ/SECOND
      aws_role_name: arn:aws:iam::123456789012:role/Bedrock
      aws_session_name: gateway
      rpm: 20
      timeout: 30
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
  - model_name: keyed
    litellm_params:
      model: bedrock/amazon.nova-lite-v1:0
      aws_access_key_id: os.environ/CUSTOM_AWS_ACCESS_KEY_ID
      aws_secret_access_key: os.environ/IN_FILE
  - model_name: "*"
    litellm_params:
      model: bedrock/*
litellm_settings:
  drop_params: false
  num_retries: 1
  request_timeout: 600
  fallbacks: [{"sonnet": ["keyed", "gpt-4o"]}]
  default_fallbacks: [keyed]
  success_callback: ["langfuse"]
  cache: true
  cache_params: {type: redis, host: cache, password: "hush/pass", ttl: 60}
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 3
  cooldown_time: 30
  model_group_alias: {gpt-5: sonnet}
general_settings:
  master_key: os.environ/LITELLM_KEY
  database_url: postgres://u:hush@h/db
  store_model_in_db: false
  mastr_key: 1
environment_variables:
  SECOND: eu-central-1
  IN_FILE: hush-secret
"#;

fn ran(name: &str, config: &str, arguments: &[&str]) -> Ran {
    Place::new(name).with("config.yaml", config).run(arguments)
}

fn print(name: &str, config: &str) -> Ran {
    ran(name, config, &["config", "print", "--config", "config.yaml"])
}

/// The settings without where each came from.
fn settings(printed: &str) -> String {
    let lines = printed
        .lines()
        .map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_config_becomes_settings_and_tables() {
    let ran = print("litellm-print", CONFIG);
    assert_eq!(ran.status, 0, "{ran:?}");
    for line in [
        "api_keys = [\"os.environ/LITELLM_KEY\"]",
        "admin_keys = [\"os.environ/LITELLM_KEY\"]",
        "on_unsupported = \"reject\"",
        "max_attempts = 4",
        "total_timeout = \"10m\"",
        "first_byte_timeout = \"10m\"",
        "breaker_cool_down = \"30s\"",
        "fallbacks = [\"keyed\"]",
        "response_cache = \"redis://:********@cache:6379\"",
        "response_cache_ttl = \"1m\"",
        "name = \"bedrock\"",
        "role_session_name = \"gateway\"",
        "access_key_id = \"os.environ/CUSTOM_AWS_ACCESS_KEY_ID\"",
        "secret_access_key = \"********\"",
        "model = \"bedrock/converse/eu.anthropic.claude-sonnet-4-5-20250929-v1:0\"",
        "region = \"eu-central-1\"",
        "weight = 60",
        "weight = 20",
        "parameters = { guardrailConfig = { guardrailIdentifier = \"gr1\", guardrailVersion = \"DRAFT\" }, \
         temperature = 0.5, top_k = 3 }",
        "first_byte_timeout = \"30s\"",
        "requests_per_minute = 20",
        "name = \"gpt-5\"",
        "model = \"*\"",
    ] {
        let mut lines = ran
            .stdout
            .lines()
            .map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
        assert!(lines.any(|printed| printed == line), "{line}\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("hush"), "{}", ran.stdout);
    // A pattern is tried behind all names.
    let names: Vec<usize> = ["\"gpt-5\"", "\"*\""]
        .map(|name| ran.stdout.find(&format!("name = {name}")).unwrap())
        .into();
    assert!(names[0] < names[1]);
}

#[test]
fn what_is_not_taken_over_is_told_by_line() {
    let ran = ran("litellm-notes", CONFIG, &["config", "check", "--config", "config.yaml"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "config.yaml: the settings are in order\n")
    );
    let expected = [
        "warning: config.yaml:23: \"gpt-4o\" is left out: \"openai/gpt-4o\" is not a model of Bedrock's",
        "warning: config.yaml:39: litellm_settings.success_callback is not taken over: there are no callbacks",
        "warning: config.yaml:49: general_settings.database_url is not taken over: its tables are LiteLLM's own; set `database`",
        "warning: config.yaml:51: general_settings.mastr_key is not taken over: nobody knows this key; did you mean \"master_key\"?",
    ];
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{expected}\n{told}");
    }
    assert!(!ran.stderr.contains("hush"));
}

#[test]
fn a_converted_file_means_the_same() {
    let place = Place::new("litellm-convert").with("config.yaml", CONFIG);
    let converted = place.run(&["config", "convert", "config.yaml"]);
    assert_eq!(converted.status, 0, "{converted:?}");
    for comment in [
        "max_attempts = 4                             # config.yaml:44",
        "#   config.yaml:49: general_settings.database_url is not taken over: its tables are LiteLLM's own; set `database`",
    ] {
        assert!(converted.stdout.contains(comment), "{comment}\n{}", converted.stdout);
    }
    let place = place.with("outcrop.toml", &converted.stdout);
    let (theirs, ours) = (
        place.run(&["config", "print", "--config", "config.yaml"]),
        place.run(&["config", "print"]),
    );
    assert_eq!(ours.status, 0, "{ours:?}");
    assert_eq!(settings(&theirs.stdout), settings(&ours.stdout));
}

#[test]
fn a_file_that_would_not_load_is_converted_and_told() {
    let config = CONFIG
        .replace("request_timeout: 600", "request_timeout: 1e300")
        .replace("temperature: 0.5", "temperature: 1e999");
    let ran = ran("litellm-unloadable", &config, &["config", "convert", "config.yaml"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stdout.contains("total_timeout = 1e+300") || ran.stdout.contains("total_timeout = 1e300"),
        "{ran:?}"
    );
    for told in [
        "config.yaml:36: total_timeout: expected a duration",
        "found 1e300",
        "config.yaml:7: routes.targets.parameters.temperature: expected a number, found inf",
    ] {
        assert!(ran.stderr.contains(told), "{told}\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("000000"), "{}", ran.stderr);
}

#[test]
fn parameters_are_numbers_with_quotes_and_without() {
    let quoted = CONFIG.replace(
        "temperature: 0.5",
        "temperature: '0.5'\n      max_tokens: os.environ/LIMIT",
    );
    let place = Place::new("litellm-quoted").with("config.yaml", &quoted);
    let print = |limit: &str| {
        let mut command = place.outcrop(&["config", "print", "--config", "config.yaml"]);
        finish(command.env("LIMIT", limit))
    };
    let ran = print("100");
    assert!(
        ran.stdout.contains("max_tokens = 100, temperature = 0.5, top_k = 3 }"),
        "{ran:?}"
    );
    let ran = print("many");
    assert_eq!(ran.status, 1);
    let told =
        "config.yaml:8: routes.targets.parameters.max_tokens: expected a whole number, 0 or above, found \"many\"";
    // Once, though the line is repeated by an alias.
    assert_eq!(ran.stderr.matches(told).count(), 1, "{ran:?}");
}

#[test]
fn variables_and_flags_win_over_it() {
    let place = Place::new("litellm-precedence").with("config.yaml", CONFIG);
    let mut command = place.outcrop(&["config", "print", "--config", "config.yaml", "--max-attempts", "7"]);
    let ran = finish(
        command
            .env("OUTCROP_ON_UNSUPPORTED", "adapt")
            .env("AWS_REGION_NAME", "ap-south-1"),
    );
    for line in [
        "max_attempts = 7                             # --max-attempts",
        "on_unsupported = \"adapt\"                     # OUTCROP_ON_UNSUPPORTED",
        "region = \"ap-south-1\"                        # AWS_REGION_NAME",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn entries_that_log_in_alike_share_an_account() {
    let entry = |name: &str, rest: &str| {
        format!("  - model_name: {name}\n    litellm_params: {{model: bedrock/amazon.nova-lite-v1:0, {rest}}}\n")
    };
    let config = format!(
        "model_list:\n{}{}{}{}{}{}",
        entry("a", "aws_profile_name: dev"),
        entry("b", "aws_profile_name: dev, aws_region_name: eu-west-1"),
        entry(
            "c",
            "api_key: os.environ/KEY, aws_access_key_id: x, aws_secret_access_key: y"
        ),
        entry(
            "d",
            "aws_role_name: 'r/dev', aws_web_identity_token: oidc/file//run/token, aws_session_name: s"
        ),
        entry("e", "api_base: 'https://vpce.example'"),
        entry("f", "aws_session_name: s"),
    );
    let ran = print("litellm-accounts", &config);
    let accounts: Vec<&str> = ran.stdout.split("[[accounts]]").skip(1).collect();
    assert_eq!(accounts.len(), 4, "{ran:?}");
    assert!(accounts[0].contains("name = \"dev\"") && accounts[0].contains("profile = \"dev\""));
    assert!(accounts[1].contains("bedrock_api_key = \"os.environ/KEY\"") && !accounts[1].contains("access_key_id"));
    assert!(
        accounts[2].contains("name = \"dev-2\"") && accounts[2].contains("web_identity_token = \"file:/run/token\"")
    );
    assert!(accounts[3].contains("endpoint_url = \"https://vpce.example\""));
    assert!(
        ran.stderr
            .contains("role_session_name is not taken over: role_arn is missing beside it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_without_a_model_of_bedrocks_is_refused() {
    let config = "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/gpt-4o\n";
    let ran = print("litellm-none", config);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("config.yaml:4: \"a\" is left out")
            && ran
                .stderr
                .contains("config.yaml: no entry of `model_list` is a model of Bedrock's"),
        "{ran:?}"
    );
    let ran = print("litellm-broken", "model_list:\n  - model_name: [hush\n");
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("config.yaml:3: ") && !ran.stderr.contains("hush"),
        "{ran:?}"
    );
    let ran = print("litellm-empty", "# nothing\n");
    assert!(ran.stderr.contains("config.yaml: there is no `model_list`"), "{ran:?}");
    let ran = print("litellm-value", &CONFIG.replace("us-east-1", "Ohio"));
    assert!(
        ran.stderr
            .contains("config.yaml:6: routes.targets.region: expected an AWS region"),
        "{ran:?}"
    );
}

#[test]
fn a_number_that_is_none_is_told() {
    let config = CONFIG.replace("cooldown_time: 30", "cooldown_time: -5");
    let ran = print("litellm-negative", &config);
    assert!(
        ran.stderr
            .contains("cooldown_time is not taken over: it is no number from 0"),
        "{ran:?}"
    );
}

#[test]
fn it_is_known_by_what_is_in_it() {
    let place = Place::new("litellm-named").with("settings.conf", CONFIG);
    let ran = place.run(&["config", "print", "--config", "settings.conf"]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn the_environment_of_bedrock_access_gateway_counts() {
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:bag-x";
    let place = Place::new("bag");
    let with = |arguments: &[&str]| {
        let mut command = place.outcrop(arguments);
        command
            .env("API_KEY", "sk-hush")
            .env("API_KEY_PARAM_NAME", "")
            .env("API_KEY_SECRET_ARN", arn)
            .env("API_ROUTE_PREFIX", "/proxy/v1")
            .env("AWS_REGION", "eu-west-1")
            .env("DEFAULT_MODEL", "anthropic.claude-3-sonnet-20240229-v1:0")
            .env("DEFAULT_EMBEDDING_MODEL", "cohere.embed-multilingual-v3")
            .env("ENABLE_CROSS_REGION_INFERENCE", "false")
            .env("ENABLE_APPLICATION_INFERENCE_PROFILES", "true")
            .env("ENABLE_PROMPT_CACHING", "true")
            .env("DEBUG", "true");
        finish(&mut command)
    };
    let ran = with(&["config", "print"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    for line in [
        &format!("api_keys = [\"secretsmanager:{arn}#api_key\"] # API_KEY_SECRET_ARN"),
        "route_prefix = \"/proxy/v1\"                   # API_ROUTE_PREFIX",
        "list_inference_profiles = false              # ENABLE_CROSS_REGION_INFERENCE",
        "list_application_profiles = true             # ENABLE_APPLICATION_INFERENCE_PROFILES",
        "prompt_caching = \"auto\"                      # ENABLE_PROMPT_CACHING",
        "log = \"info,outcrop=debug,outcrop_server=debug,outcrop_upstream=debug\" # DEBUG",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let converted = with(&["config", "convert"]);
    assert!(
        converted.stdout.contains("# AWS_REGION\n") && !converted.stdout.contains("hush"),
        "{converted:?}"
    );
    let ours = Place::new("bag-converted")
        .with("outcrop.toml", &converted.stdout)
        .run(&["config", "print", "--region", "eu-west-1"]);
    let theirs = with(&["config", "print", "--region", "eu-west-1"]);
    assert_eq!(settings(&ours.stdout), settings(&theirs.stdout));
    // A setting's own variable wins.
    let mut command = place.outcrop(&["config", "print"]);
    let ran = finish(command.env("DEBUG", "true").env("OUTCROP_LOG", "warn"));
    assert!(ran.stdout.contains("log = \"warn\""));
}
