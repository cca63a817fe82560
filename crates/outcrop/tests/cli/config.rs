use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use crate::run::{Place, finish};

fn check(name: &str, file: &str) -> (i32, String) {
    let ran = Place::new(name).with("outcrop.toml", file).run(&["config", "check"]);
    (ran.status, ran.stdout + &ran.stderr)
}

fn refused(name: &str, file: &str, expected: &str) {
    let (status, said) = check(name, file);
    assert_eq!(
        (status, said),
        (1, format!("error: the settings are not valid\n{expected}\n"))
    );
}

#[test]
fn a_good_file_is_in_order() {
    let file = "listen = \"0.0.0.0:80\"\napi_keys = [\"sk-a\"]\nbody_timeout = 2.5\nmax_attempts = 1\n";
    assert_eq!(
        check("check-good", file),
        (0, "outcrop.toml: the settings are in order\n".to_owned())
    );
    assert_eq!(
        check("check-empty", ""),
        (0, "outcrop.toml: the settings are in order\n".to_owned())
    );
}

#[test]
fn no_file_is_in_order_unless_it_was_named() {
    let place = Place::new("check-none");
    assert_eq!(place.run(&["config", "check"]).status, 0);

    let ran = place.run(&["config", "check", "--config", "gone.toml"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("--config: cannot read \"gone.toml\""), "{ran:?}");

    let ran = finish(place.outcrop(&["config", "check"]).env("OUTCROP_CONFIG", "gone.toml"));
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("OUTCROP_CONFIG: cannot read \"gone.toml\""),
        "{ran:?}"
    );
}

#[test]
fn a_named_file_is_read_instead_of_the_usual_one() {
    let place = Place::new("check-named")
        .with("outcrop.toml", "nonsense")
        .with("other.toml", "log = \"warn\"\n");
    let ran = finish(place.outcrop(&["config", "print"]).env("OUTCROP_CONFIG", "other.toml"));
    assert!(
        ran.stdout.contains("log = \"warn\"") && ran.stdout.contains("# other.toml:1"),
        "{ran:?}"
    );
    let ran = finish(
        place
            .outcrop(&["config", "print", "--config", "other.toml"])
            .env("OUTCROP_CONFIG", "gone.toml"),
    );
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_its_neighbour() {
    refused(
        "check-unknown",
        "# comment\n\nlisen = \"127.0.0.1:80\"\n",
        "outcrop.toml:3: unknown key \"lisen\"; did you mean \"listen\"?",
    );
    refused(
        "check-dashes",
        "body-limit = \"1MB\"\n",
        "outcrop.toml:1: unknown key \"body-limit\"; did you mean \"body_limit\"?",
    );
    refused(
        "check-nonsense",
        "potato = 1\n",
        "outcrop.toml:1: unknown key \"potato\"",
    );
    refused(
        "check-table",
        "[server]\nlisten = \"127.0.0.1:80\"\n",
        "outcrop.toml:1: unknown key \"server\"; settings stand at the top of the file, without tables but `[[accounts]]`, \
         `[[aliases]]`, `[[issuers]]`, `[[policies]]`, `[[quotas]]` and `[[routes]]`",
    );
}

#[test]
fn every_kind_says_what_it_expects() {
    for (index, (line, complaint)) in [
        (
            "listen = 8080",
            "listen: expected an IP address and a port such as `127.0.0.1:8080` or `[::]:8080`, found 8080",
        ),
        (
            "simulate = \"yes\"",
            "simulate: expected `true` or `false`, found \"yes\"",
        ),
        (
            "region = \"Frankfurt\"",
            "region: expected an AWS region such as `eu-central-1`, found \"Frankfurt\"",
        ),
        (
            "endpoint_url = \"localhost\"",
            "endpoint_url: expected an `http://` or `https://` URL, found \"localhost\"",
        ),
        (
            "body_limit = true",
            "body_limit: expected a size such as `32MiB`, `1MB` or a number of bytes, found true",
        ),
        (
            "total_timeout = \"soon\"",
            "total_timeout: expected a duration such as `15s`, `500ms`, `15m` or a number of seconds, found \"soon\"",
        ),
        (
            "max_attempts = 0",
            "max_attempts: expected a whole number from 1, found 0",
        ),
        (
            "retry_budget = 2.5",
            "retry_budget: expected a number from 0 to 1 such as `0.1`, found 2.5",
        ),
        (
            "log_format = \"xml\"",
            "log_format: expected `auto`, `text` or `json`, found \"xml\"",
        ),
        (
            "simulator_scenario = [1]",
            "simulator_scenario: expected a path, found a list",
        ),
        (
            "fetch_hosts = [\"https://example.com\"]",
            "fetch_hosts: expected a list of hosts such as `cdn.example.com` or `*.example.com`, found a list \
             (\"https://example.com\": a host has no scheme, port or path)",
        ),
        (
            "fetch_private_networks = [\"10.0.0.1/8\"]",
            "fetch_private_networks: expected a list of networks such as `10.1.0.0/16` or `fd12::/16`, found a list \
             (\"10.0.0.1/8\": bits beyond the prefix are set; the network is 10.0.0.0/8)",
        ),
        (
            "fetch_private_networks = [\"169.254.169.254\"]",
            "fetch_private_networks: expected a list of networks such as `10.1.0.0/16` or `fd12::/16`, found a list \
             (\"169.254.169.254\": it is never fetched from: link-local, multicast, or a cloud's metadata)",
        ),
        (
            "fetch_max_redirects = -1",
            "fetch_max_redirects: expected a whole number from 0, found -1",
        ),
        ("api_keys = \"sk-secret\"", "api_keys: expected a list of keys"),
    ]
    .into_iter()
    .enumerate()
    {
        refused(
            &format!("check-kind-{index}"),
            line,
            &format!("outcrop.toml:1: {complaint}"),
        );
    }
}

#[test]
fn policies_say_what_is_wrong_with_them_and_where() {
    for (index, (table, complaint)) in [
        (
            "model = [\"*\"]",
            "outcrop.toml:4: policies: unknown key \"model\"; did you mean \"models\"?",
        ),
        (
            "on_unsupported = \"ignore\"",
            "outcrop.toml:4: policies.on_unsupported: expected `adapt` or `reject`, found \"ignore\"",
        ),
        (
            "prompt_caching = true",
            "outcrop.toml:4: policies.prompt_caching: expected `off`, `explicit` or `auto`, found true",
        ),
        (
            "guardrail_trace = \"\"",
            "outcrop.toml:4: policies.guardrail_trace: expected `disabled`, `enabled` or `enabled_full`, found \"\"",
        ),
        (
            "models = \"*\"",
            "outcrop.toml:4: policies.models: expected a list of models such as `*claude*`, with `*` for any text, \
             found \"*\"",
        ),
        (
            "models = []",
            "outcrop.toml:4: policies.models: the list is empty; leave it out if the table is for all",
        ),
        (
            "keys = []",
            "outcrop.toml:4: policies.keys: the list is empty; leave it out if the table is for all",
        ),
        (
            "keys = [\"sk-a\", \"\"]",
            "outcrop.toml:4: policies.keys: expected a list of keys (a key is empty, which would let anyone in)",
        ),
        (
            "keys = [\"sk-a\", \"sk-secret\"]",
            "outcrop.toml:3: policies.keys: a key is not one of `api_keys`",
        ),
        (
            "guardrail_id = \"gr1\"",
            "outcrop.toml:4: policies.guardrail_id: a guardrail needs its guardrail_version, in the same table",
        ),
        (
            "guardrail_version = 2",
            "outcrop.toml:4: policies.guardrail_version: a version needs its guardrail_id, in the same table",
        ),
        (
            "guardrail_id = \"\"\nguardrail_version = 2",
            "outcrop.toml:5: policies.guardrail_version: there is none of no guardrail",
        ),
        (
            "guardrail_id = \"gr1\"\nguardrail_version = \"latest\"",
            "outcrop.toml:5: policies.guardrail_version: expected a version such as `1`, or `DRAFT`, found \"latest\"",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("api_keys = [\"sk-a\"]\n\n[[policies]]\n{table}\n");
        refused(&format!("check-policy-{index}"), &file, complaint);
    }
    let not_tables = "policies: expected tables, each under the line `[[policies]]`";
    refused(
        "check-policy-one",
        "\n[policies]\nkeys = []\n",
        &format!("outcrop.toml:2: {not_tables}"),
    );
    refused(
        "check-policy-list",
        "policies = [1]\n",
        &format!("outcrop.toml:1: {not_tables}"),
    );
    refused(
        "check-policy-typo",
        "[[policie]]\n",
        "outcrop.toml:1: unknown key \"policie\"; did you mean \"policies\"?",
    );
}

#[test]
fn an_alias_must_mean_a_model() {
    for (index, (table, complaint)) in [
        ("name = \"a\"", "outcrop.toml:3: aliases: an alias needs a `model`"),
        (
            "name = \"a\"\nmodel = \"Nova-Pro\"\nmodle = 1",
            "outcrop.toml:6: aliases: unknown key \"modle\"; did you mean \"model\"?",
        ),
        (
            "name = \"a\"\nmodel = 1",
            "outcrop.toml:5: aliases.model: expected text, found 1",
        ),
        (
            "name = \"\"\nmodel = \"Nova-Pro\"",
            "outcrop.toml:4: aliases.name: no model has an empty name; `*` is for all",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("log = \"info\"\n\n[[aliases]]\n{table}\n");
        refused(&format!("check-alias-{index}"), &file, complaint);
    }
    let (status, said) = check(
        "check-alias-unknown",
        "[[aliases]]\nname = \"a\"\nmodel = \"Nova-Por\"\n",
    );
    assert_eq!(status, 1);
    assert!(
        said.contains("\noutcrop.toml:1: aliases: 'a': The model 'Nova-Por' does not exist")
            && said.contains("'Nova-Pro'"),
        "{said}"
    );
    // One that only another alias explains is none either.
    let (status, said) = check("check-alias-chain", "aliases = [\"a=Nova-Pro\", \"b=a\"]\n");
    assert_eq!(status, 1);
    assert!(
        said.contains("\noutcrop.toml:1: aliases: 'b': The model 'a' does not exist"),
        "{said}"
    );
    let ran = finish(
        Place::new("check-alias-env")
            .outcrop(&["config", "check"])
            .env("OUTCROP_ALIASES", "a=b,c"),
    );
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("OUTCROP_ALIASES: expected a list of aliases")
            && ran.stderr.contains("\"c\": there is no `=`"),
        "{ran:?}"
    );
}

#[test]
fn a_default_must_be_a_model() {
    let (status, said) = check("check-default", "\ndefault_model = \"gpt-4o\"\n");
    assert_eq!(status, 1);
    assert!(
        said.contains("\noutcrop.toml:2: default_model: The model 'gpt-4o' does not exist"),
        "{said}"
    );
    let (status, said) = check("check-regions", "allowed_regions = [\"Frankfurt\"]\n");
    assert_eq!(status, 1);
    assert!(
        said.contains("expected a list of AWS regions such as `eu-central-1`"),
        "{said}"
    );
}

#[test]
fn aliases_in_tables_are_printed_as_a_list() {
    let file = "log = \"info\"\n[[aliases]]\nname = \"gpt-4o*\"\nmodel = \"Nova-Pro\"\n\
                [[policies]]\nmodels = [\"*\"]\nbedrock_api = \"invoke\"\n";
    let ran = Place::new("aliases-print")
        .with("outcrop.toml", file)
        .run(&["config", "print"]);
    assert!(
        ran.stdout
            .contains("\naliases = [\"gpt-4o*=Nova-Pro\"]               # outcrop.toml:2\n"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.ends_with("models = [\"*\"]\nbedrock_api = \"invoke\"\n"),
        "{ran:?}"
    );
    refused(
        "policy-api",
        "[[policies]]\nbedrock_api = \"http\"\n",
        "outcrop.toml:2: policies.bedrock_api: expected `converse`, `invoke` or `openai`, found \"http\"",
    );
}

#[test]
fn a_guardrail_and_its_version_go_together() {
    refused(
        "guardrail-alone",
        "guardrail_id = \"gr1\"\n",
        "outcrop.toml:1: guardrail_id: a guardrail needs its guardrail_version",
    );
    refused(
        "guardrail-version-alone",
        "guardrail_version = 1\n",
        "outcrop.toml:1: guardrail_version: a version needs its guardrail_id",
    );
    // They need not stand in the same place.
    let place = Place::new("guardrail-both").with("outcrop.toml", "guardrail_id = \"gr1\"\n");
    let ran = finish(
        place
            .outcrop(&["config", "check"])
            .env("OUTCROP_GUARDRAIL_VERSION", "DRAFT"),
    );
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn policies_are_printed_with_their_place_and_without_their_keys() {
    let file = "api_keys = [\"sk-secret\"]\n\n[[policies]]\nmodels = [\"*claude*\", \"us.*\"]\n\
                keys = [\"sk-secret\"]\non_unsupported = \"reject\"\nprompt_caching = \"auto\"\n\
                guardrail_version = 1\nguardrail_id = \"gr1\"\nguardrail_trace = \"enabled_full\"\n\
                guardrail_stream_mode = \"async\"\n\n# exempt\n[[policies]]\nmodels = [\"*\"]\nguardrail_id = \"\"\n";
    let ran = Place::new("policies-print")
        .with("outcrop.toml", file)
        .run(&["config", "print"]);
    let (_, printed) = ran.stdout.split_once("\n\n[[policies]]").expect("it is there");
    assert_eq!(
        printed.trim_start(),
        "# outcrop.toml:3\n\
         models = [\"*claude*\",\"us.*\"]\n\
         keys = [\"********\"]\n\
         on_unsupported = \"reject\"\n\
         prompt_caching = \"auto\"\n\
         guardrail_id = \"gr1\"\n\
         guardrail_version = \"1\"\n\
         guardrail_trace = \"enabled_full\"\n\
         guardrail_stream_mode = \"async\"\n\
         \n\
         [[policies]]                                 # outcrop.toml:14\n\
         models = [\"*\"]\n\
         guardrail_id = \"\"\n"
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let place = Place::new("check-all").with("outcrop.toml", "lisen = 1\nmax_attempts = 0\n");
    let mut command = place.outcrop(&["config", "check", "--body-limit", "big", "--max-attempts", "2"]);
    let ran = finish(command.env("OUTCROP_LOG", "loud").env("OUTCROP_SIMULATE", "maybe"));
    let heads: Vec<&str> = ran
        .stderr
        .lines()
        .skip(1)
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        heads,
        [
            "outcrop.toml:1",
            "outcrop.toml:2",
            "OUTCROP_LOG",
            "OUTCROP_SIMULATE",
            "--body-limit"
        ]
    );
    assert_eq!(ran.status, 1);
}

#[test]
fn a_file_that_is_not_toml_is_told_with_the_line() {
    let (status, said) = check("check-syntax", "log = \"info\"\nregion = \nlisten == 1\n");
    assert_eq!(status, 1);
    assert!(
        said.contains("\noutcrop.toml:2: ") && said.contains("\noutcrop.toml:3: "),
        "{said}"
    );
    let (status, said) = check("check-twice", "log = \"info\"\nlog = \"warn\"\n");
    assert_eq!(status, 1);
    assert!(said.contains("\noutcrop.toml:2: duplicate key"), "{said}");
}

#[test]
fn an_empty_key_never_opens_the_door() {
    refused(
        "key-empty-file",
        "api_keys = [\"sk-a\", \"\"]\n",
        "outcrop.toml:1: api_keys: expected a list of keys (a key is empty, which would let anyone in)",
    );
    let place = Place::new("key-empty");
    for variable in ["OUTCROP_API_KEYS", "API_KEY"] {
        let ran = finish(place.outcrop(&["config", "check"]).env(variable, ""));
        assert_eq!(ran.status, 1);
        assert!(
            ran.stderr
                .contains(&format!("{variable}: expected a list of keys (a key is empty")),
            "{ran:?}"
        );
    }
}

#[test]
fn no_output_gives_a_secret_away() {
    for (index, file) in [
        "api_keys = [\"sk-secret\"]\n",
        "api_keys = [\"sk-secret\", \"\"]\n",
        "api_keys = [\"sk-secret\n",
        "api_keys = \"sk-secret\"\n",
        "api_keys = [\"sk-secret\"]\napi_keys = [\"sk-secret\"]\n",
        "api_key = \"sk-secret\"\n",
        "endpoint_url = \"http://me:sk-secret@example.com\"\n",
        "fetch_hosts = [\"http://me:sk-secret@example.com\"]\n",
        "api_keys = [\"sk-secret\"]\n[[policies]]\nkeys = [\"sk-secret\"]\n",
        "api_keys = [\"sk-a\"]\n[[policies]]\nkeys = [\"sk-secret\"]\n",
        "[[policies]]\nkeys = \"sk-secret\"\n",
        "[[policies]]\nkeys = [\"sk-secret\", \"\"]\n",
    ]
    .into_iter()
    .enumerate()
    {
        let place = Place::new(&format!("secret-{index}")).with("outcrop.toml", file);
        for command in ["print", "check"] {
            let ran = place.run(&["config", command]);
            assert!(!format!("{ran:?}").contains("sk-secret"), "{ran:?}");
        }
    }
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let place = Place::new("env-unknown");
    let ran = finish(
        place
            .outcrop(&["config", "check"])
            .env("OUTCROP_LISEN", "sk-x")
            .env("OUTCROP_CONFIG", ""),
    );
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "warning: unknown variable \"OUTCROP_LISEN\"; did you mean \"OUTCROP_LISTEN\"?\n"
    );
}

#[test]
fn an_open_public_address_is_not_in_order() {
    let place = Place::new("check-open");
    let ran = place.run(&["config", "check", "--listen", "0.0.0.0:80"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("--insecure-no-auth"), "{ran:?}");
    assert_eq!(
        place
            .run(&["config", "check", "--listen", "0.0.0.0:80", "--insecure-no-auth"])
            .status,
        0
    );
    assert_eq!(
        place
            .run(&["config", "check", "--listen", "0.0.0.0:80", "--api-keys", "sk-a"])
            .status,
        0
    );
}

#[test]
fn the_schema_describes_each_setting() {
    let ran = Place::new("schema").run(&["config", "schema"]);
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let properties = schema["properties"].as_object().unwrap();
    assert!(properties.len() > 25);
    for (name, property) in properties {
        assert!(
            property["description"].as_str().is_some_and(|text| text.contains('.')),
            "{name}"
        );
        assert!(
            ["type", "oneOf", "enum"].iter().any(|key| property.get(key).is_some()),
            "{name}"
        );
    }
    assert_eq!(properties["max_attempts"]["default"], 3);
    assert_eq!(properties["listen"]["default"], "127.0.0.1:8080");
    assert_eq!(properties["api_keys"]["writeOnly"], true);
    let policies = &properties["policies"]["items"];
    assert_eq!(policies["additionalProperties"], false);
    assert_eq!(policies["properties"]["keys"]["writeOnly"], true);
    assert_eq!(
        policies["properties"]["prompt_caching"]["enum"].to_string(),
        r#"["off","explicit","auto"]"#
    );
}

/// `BLESS=1 cargo test` writes the page anew.
#[test]
fn the_reference_page_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let current = Place::new("docs").run(&["config", "docs"]).stdout;
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(page.parent().unwrap()).unwrap();
        fs::write(&page, &current).unwrap();
    }
    let written = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == current,
        "docs/configuration.md is out of date: run this test with BLESS=1"
    );
}
