//! `outcrop iam-policy`: golden policies, and that what `explain` says is allowed by them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use crate::run::{Place, Ran};

/// Everything that the settings can't tell.
const ALL_OPTIONAL: &str = "--with=client-guardrails,prompts,marketplace,s3-media,tenant-roles";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/iam_policy")
}

fn policy(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[&["iam-policy"], arguments].concat());
    assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// `BLESS=1 cargo test -p outcrop iam_policy` writes them anew. The first line of each settings file has the flags.
#[test]
fn policies_are_as_they_were() {
    let mut seen = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        let flags = text.lines().next().unwrap().trim_start_matches("# ").split_whitespace();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let place = Place::new(&format!("iam-policy-{name}")).with("outcrop.toml", &text);
        let ran = place.run(&std::iter::once("iam-policy").chain(flags).collect::<Vec<_>>());
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{name}: {ran:?}");
        let golden = path.with_extension("json");
        if env::var_os("BLESS").is_some() {
            fs::write(&golden, &ran.stdout).unwrap();
        }
        let written = fs::read_to_string(&golden).unwrap_or_default();
        assert!(
            written == ran.stdout,
            "{name}: BLESS=1 writes it anew; read what changed\n{}",
            ran.stdout
        );
    }
    assert!(seen >= 5, "the settings files are there");
}

/// A request of the fixtures, with the endpoint that it is for.
struct Example {
    name: String,
    endpoint: &'static str,
    file: PathBuf,
    model: String,
}

fn examples() -> Vec<Example> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut examples = Vec::new();
    // Some of each, as each is a process.
    for (folder, endpoint, step) in [
        ("chat", "chat/completions", 60),
        ("completions", "completions", 5),
        ("embeddings", "embeddings", 8),
        ("images", "images/generations", 8),
    ] {
        let entries = fs::read_dir(fixtures.join(folder)).unwrap();
        let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        cases.sort();
        for case in cases.into_iter().step_by(step) {
            let file = case.join("request.json");
            let request = fs::read_to_string(&file).unwrap_or_default();
            let Ok(request) = serde_json::from_str::<Value>(&request) else {
                continue;
            };
            let Some(model) = request["model"].as_str().map(ToOwned::to_owned) else {
                continue;
            };
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            examples.push(Example {
                name,
                endpoint,
                file,
                model,
            });
        }
    }
    examples
}

fn explain(place: &Place, file: &Path, arguments: &[&str]) -> Ran {
    let file = file.to_str().unwrap();
    place.run(&[&["explain", "--region", "us-east-1", file], arguments].concat())
}

#[test]
fn what_explain_says_is_allowed_by_the_policy_of_the_same_settings() {
    let place = Place::new("iam-policy-explain");
    let anything = policy(&place, &["--region", "us-east-1", ALL_OPTIONAL]);
    let mut by_model: BTreeMap<String, Value> = BTreeMap::new();
    let mut explained = 0;
    for (index, example) in examples().iter().enumerate() {
        let mut arguments = vec!["--endpoint", example.endpoint];
        if index % 2 == 0 && example.endpoint == "chat/completions" {
            arguments.push("--stream");
        }
        let ran = explain(&place, &example.file, &arguments);
        if ran.status != 0 {
            continue;
        }
        explained += 1;
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        let model = &example.model;
        let narrow = by_model.entry(model.clone()).or_insert_with(|| {
            policy(
                &place,
                &[
                    "--region",
                    "us-east-1",
                    "--model",
                    model,
                    "--with=client-guardrails,s3-media,tenant-roles",
                ],
            )
        });
        for need in told["iam"].as_array().unwrap() {
            let (action, resource) = (need["action"].as_str().unwrap(), need["resource"].as_str().unwrap());
            for (kind, policy) in [
                ("the policy for all models", &anything),
                ("the policy for this model", narrow),
            ] {
                // Only AWS knows which model is behind a name of the account's own.
                if need["note"]
                    .as_str()
                    .is_some_and(|note| note.starts_with("only the model behind"))
                {
                    continue;
                }
                assert!(
                    allows(policy, action, resource),
                    "{} ({model}): {kind} lacks {need}",
                    example.name
                );
            }
        }
    }
    assert!(explained > 20, "only {explained} requests could be explained");
}

#[test]
fn ranking_counting_and_judging_are_allowed_too() {
    let place = Place::new("iam-policy-tasks")
        .with(
            "rerank.json",
            r#"{"model":"cohere.rerank-v3-5:0","query":"a","documents":["b"]}"#,
        )
        .with(
            "count.json",
            r#"{"model":"Claude-4-5-Sonnet","messages":[{"role":"user","content":"Hi"}]}"#,
        )
        .with("judge.json", r#"{"input":"Hi"}"#);
    let flags = [
        "--region",
        "us-east-1",
        "-m",
        "cohere.rerank-v3-5:0",
        "-m",
        "Claude-4-5-Sonnet",
    ];
    let policies = [policy(&place, &flags), policy(&place, &["--region", "us-east-1"])];
    for (file, endpoint) in [
        ("rerank.json", "rerank"),
        ("count.json", "chat/completions/input_tokens"),
        ("judge.json", "moderations"),
    ] {
        let ran = explain(&place, &place.path(file), &["--endpoint", endpoint]);
        assert_eq!(ran.status, 0, "{ran:?}");
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        let needs = told["iam"].as_array().unwrap();
        assert!(!needs.is_empty(), "{file}");
        for need in needs {
            let (action, resource) = (need["action"].as_str().unwrap(), need["resource"].as_str().unwrap());
            assert!(
                policies.iter().all(|policy| allows(policy, action, resource)),
                "{file}: {need}"
            );
        }
    }
}

#[test]
fn a_model_that_was_not_named_is_not_allowed() {
    let place = Place::new("iam-policy-narrow");
    let policy = policy(&place, &["--region", "us-east-1", "--model", "amazon.nova-lite-v1:0"]);
    let model = |name: &str| format!("arn:aws:bedrock:us-east-1::foundation-model/{name}");
    assert!(allows(&policy, "bedrock:InvokeModel", &model("amazon.nova-lite-v1:0")));
    assert!(!allows(&policy, "bedrock:InvokeModel", &model("amazon.nova-pro-v1:0")));
    assert!(!allows(&policy, "bedrock:Rerank", "*"));
}

#[test]
fn what_cannot_be_told_is_an_error() {
    let place = Place::new("iam-policy-errors");
    for (arguments, part) in [
        (
            &["--model", "no-such-model", "--region", "us-east-1"][..],
            "no-such-model",
        ),
        (&["--model", "Nova-Pro"][..], "--region"),
        (&["--of", "nobody"][..], "'nobody'"),
        (
            &["--region", "eu-central-1", "--partition", "aws-cn"][..],
            "partition 'aws'",
        ),
        (&["--account", "123"][..], "12 digits"),
        (&["--with", "nothing"][..], "client-guardrails"),
    ] {
        let ran = place.run(&[&["iam-policy"], arguments].concat());
        assert_ne!(ran.status, 0, "{arguments:?}");
        assert!(
            ran.stderr.contains(part) && ran.stdout.is_empty(),
            "{arguments:?}: {ran:?}"
        );
    }
}

#[test]
fn the_table_says_what_is_in_the_policy_and_why() {
    let place = Place::new("iam-policy-table");
    let ran = place.run(&["iam-policy", "--table", "--json", "--service-quotas"]);
    let rows: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["feature"] == name).unwrap();
    assert_eq!(row("service-quotas")["in_policy"], true);
    assert_eq!(row("service-quotas")["granted"][0], "servicequotas:ListServiceQuotas");
    assert_eq!(row("s3-media")["in_policy"], false);
    assert!(
        rows.iter()
            .all(|row| row["without_it"].as_str().is_some_and(|text| !text.is_empty()))
    );
    let read = place.run(&["iam-policy", "--table"]);
    assert!(
        read.stdout.starts_with("FEATURE") && read.stdout.contains("s3-media"),
        "{read:?}"
    );
}

/// Whether a statement has the action on a pattern that the resource fits.
fn allows(policy: &Value, action: &str, resource: &str) -> bool {
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    policy["Statement"].as_array().unwrap().iter().any(|statement| {
        texts(&statement["Action"]).iter().any(|allowed| allowed == action)
            && texts(&statement["Resource"])
                .iter()
                .any(|pattern| fits(pattern.as_bytes(), resource.as_bytes()))
    })
}

/// `*` is any text, `?` one character.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => fits(rest, text) || (!text.is_empty() && fits(pattern, &text[1..])),
        ([b'?', rest @ ..], [_, others @ ..]) => fits(rest, others),
        ([one, rest @ ..], [other, others @ ..]) => one == other && fits(rest, others),
        _ => false,
    }
}
