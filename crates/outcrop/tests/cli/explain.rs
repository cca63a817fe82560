use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::canned::Canned;
use crate::run::{Place, Ran, finish, finish_with_input};

const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn request(more: Value) -> String {
    let mut request = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "Hello!" }] });
    let more = more.as_object().unwrap().clone();
    request.as_object_mut().unwrap().extend(more);
    request.to_string()
}

fn explain(place: &str, request: &str, arguments: &[&str]) -> Ran {
    let place = Place::new(place);
    finish_with_input(
        place
            .outcrop(&["explain"])
            .args(["--region", "eu-west-1"])
            .args(arguments),
        request,
    )
}

fn explained(place: &str, request: &str, arguments: &[&str]) -> Value {
    let ran = explain(place, request, arguments);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_call_is_told_with_what_was_adapted_and_what_it_needs() {
    let said = explained(
        "explain-all",
        &request(json!({ "temperature": 0.2, "top_p": 0.5 })),
        &[],
    );
    assert_eq!(
        said["url"],
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    );
    assert_eq!(said["body"]["inferenceConfig"], json!({ "temperature": 0.2 }));
    assert_eq!(said["adaptations"][0]["parameter"], "top_p");
    assert_eq!(said["adaptations"][0]["reason"], "temperature-set");
    assert_eq!(said["iam"][0]["action"], "bedrock:InvokeModel");
    assert_eq!(said["not_fetched"], json!([]));
}

#[test]
fn the_request_may_be_for_another_endpoint() {
    let request = r#"{"model": "x", "prompt": ["Once", "Twice"]}"#;
    let arguments = ["--endpoint", "completions", "--model", "amazon.titan-text-express-v1"];
    let said = explained("explain-endpoint", request, &arguments);
    assert_eq!(said["route"], "invoke");
    assert_eq!(said["body"]["inputText"], "Once");
    assert_eq!(said["further_bodies"][0]["inputText"], "Twice");
    assert_eq!(said["calls"], 2);

    let nowhere = explain("explain-no-endpoint", request, &["--endpoint", "completion"]);
    assert_eq!(nowhere.status, 1);
    assert!(nowhere.stderr.contains("Did you mean /v1/completions?"), "{nowhere:?}");
}

#[test]
fn a_request_can_stand_in_a_file() {
    let place = Place::new("explain-file").with("request.json", &request(json!({})));
    let ran = place.run(&["explain", "request.json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.contains("Hello!"));
    let missing = place.run(&["explain", "nothing.json"]);
    assert_eq!((missing.status, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.contains("nothing.json"), "{missing:?}");
}

#[test]
fn the_body_is_told_byte_for_byte() {
    let schema = r#"{"type":"object","properties":{"n":{"maximum":123456789012345678901234567890,"multipleOf":1e-3}}}"#;
    let tool = format!(r#"{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}"#);
    let asked = format!(r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"Hi"}}],"tools":[{tool}]}}"#);
    let ran = explain("explain-exact", &asked, &[]);
    assert!(ran.stdout.contains(schema), "{ran:?}");
}

#[test]
fn flags_stand_for_what_a_client_would_say() {
    let said = explained(
        "explain-flags",
        &request(json!({})),
        &[
            "--model",
            "amazon.nova-lite-v1:0",
            "--stream",
            "-H",
            "X-Amzn-Bedrock-GuardrailIdentifier: gr0abc",
            "-H",
            "X-Amzn-Bedrock-GuardrailVersion:1",
        ],
    );
    let url = said["url"].as_str().unwrap();
    assert!(url.ends_with("/model/amazon.nova-lite-v1%3A0/converse-stream"), "{url}");
    assert_eq!(said["body"]["guardrailConfig"]["guardrailIdentifier"], "gr0abc");
    let actions: Vec<&str> = said["iam"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|need| need["action"].as_str())
        .collect();
    assert_eq!(
        actions,
        ["bedrock:InvokeModelWithResponseStream", "bedrock:ApplyGuardrail"]
    );
    let no_header = explain("explain-header", "{}", &["-H", "nothing"]);
    assert_eq!(no_header.status, 2);
    assert!(no_header.stderr.contains("Name: value"), "{no_header:?}");
}

#[test]
fn settings_apply_and_policies_for_a_key_only_with_it() {
    let file = "api_keys = [\"sk-a\", \"sk-b\"]\n[[policies]]\nkeys = [\"sk-b\"]\non_unsupported = \"reject\"\n";
    let place = Place::new("explain-settings").with("outcrop.toml", file);
    let asked = request(json!({ "seed": 1 }));
    let status = |headers: &[&str]| {
        let mut command = place.outcrop(&["explain", "--region", "us-east-1"]);
        finish_with_input(command.args(headers), &asked).status
    };
    assert_eq!(status(&[]), 0);
    assert_eq!(status(&["-H", "Authorization: Bearer sk-a"]), 0);
    assert_eq!(status(&["-H", "Authorization: Bearer sk-b"]), 1);
    assert_eq!(status(&["-H", "Authorization: Bearer sk-wrong"]), 1);
}

#[test]
fn a_policy_whose_keys_are_not_read_is_for_nobody() {
    let policy = |keys: &str| {
        format!(
            "api_keys = [\"sk-a\", \"sk-b\", \"os.environ/TEAM\"]\n[[policies]]\nkeys = [{keys}]\non_unsupported = \"reject\"\n"
        )
    };
    let asked = request(json!({ "seed": 1 }));
    let status = |keys: &str, header: &str| {
        let place = Place::new("explain-references").with("outcrop.toml", &policy(keys));
        let mut command = place.outcrop(&["explain", "--region", "us-east-1", "-H", header]);
        finish_with_input(&mut command, &asked).status
    };
    let references = "\"os.environ/TEAM\", \"secretsmanager:team\"";
    for header in ["X-None: of them", "Authorization: Bearer sk-a"] {
        assert_eq!(status(references, header), 0, "{header}");
    }
    let beside_one = format!("{references}, \"sk-a\"");
    assert_eq!(status(&beside_one, "Authorization: Bearer sk-a"), 1);
    assert_eq!(status(&beside_one, "Authorization: Bearer sk-b"), 0);
}

#[test]
fn a_refusal_is_the_clients_error_and_a_failure() {
    let ran = explain(
        "explain-refused",
        &request(json!({ "seed": 1 })),
        &["--on-unsupported", "reject"],
    );
    assert_eq!(ran.status, 1);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["error"]["code"], "unsupported_parameter");
    assert_eq!(told["error"]["param"], "seed");
    let message = told["error"]["message"].as_str().unwrap();
    assert_eq!(
        ran.stderr,
        format!("error: the gateway would refuse this with status 400: {message}\n")
    );
}

#[test]
fn nothing_to_explain_is_a_usage_error() {
    let ran = Place::new("explain-nothing").run(&["explain"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("there is no request"), "{ran:?}");
}

#[test]
fn a_newcomer_needs_no_set_up_and_nobody_is_asked() {
    // Whoever was connected to would be in this listener's queue.
    let metadata = TcpListener::bind("127.0.0.1:0").unwrap();
    metadata.set_nonblocking(true).unwrap();
    let address = format!("http://{}", metadata.local_addr().unwrap());
    let place = Place::new("explain-newcomer");
    let asked = request(json!({ "messages": [{ "role": "user", "content": [
        { "type": "image_url", "image_url": { "url": format!("{address}/cat.webp?signed=yes") } },
    ] }] }));
    let mut command = place.outcrop(&["explain", "--fetch-private-networks", "127.0.0.1"]);
    command
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address)
        .env("AWS_ENDPOINT_URL", &address)
        // As compose files pass it on.
        .env("AWS_REGION", "");
    let ran = finish_with_input(&mut command, &asked);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stderr.starts_with("note: no AWS region"), "{ran:?}");
    assert!(ran.stderr.contains("us-east-1"), "{ran:?}");
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let image = &said["body"]["messages"][0]["content"][0]["image"];
    let url = format!("{address}/cat.webp?signed=yes");
    assert_eq!(image["format"], "webp");
    assert_eq!(image["source"]["bytes"], format!("(base64 of {url})"));
    assert_eq!(said["not_fetched"], json!([url]));
    assert_eq!(metadata.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn the_region_of_a_profile_counts() {
    let place = Place::new("explain-profile").with("aws", "[profile lab]\nregion = ap-south-1\n");
    let mut command = place.outcrop(&["explain", "--profile", "lab"]);
    let ran = finish_with_input(command.env("AWS_CONFIG_FILE", "aws"), &request(json!({})));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("bedrock-runtime.ap-south-1.amazonaws.com"));
}

#[test]
fn a_url_that_would_not_be_fetched_is_refused_without_a_look() {
    let asked = |url: &str| {
        request(json!({ "messages": [{ "role": "user", "content": [
            { "type": "image_url", "image_url": { "url": url } },
        ] }] }))
    };
    for (name, url, arguments) in [
        ("explain-loopback", "http://127.0.0.1/a.png", &[][..]),
        ("explain-metadata", "http://[::ffff:169.254.169.254]/a.png", &[]),
        (
            "explain-unlisted",
            "https://example.com/a.png",
            &["--fetch-hosts", "example.org"],
        ),
        (
            "explain-switched-off",
            "https://example.com/a.png",
            &["--fetch-urls=false"],
        ),
        ("explain-scheme", "ftp://example.com/a.png", &[]),
    ] {
        let ran = explain(name, &asked(url), arguments);
        assert_eq!(ran.status, 1, "{name}: {ran:?}");
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            told["error"]["param"], "messages[0].content[0].image_url.url",
            "{name}: {told}"
        );
    }
}

#[test]
fn urls_are_fetched_on_demand() {
    // The head of a picture of one pixel.
    let png = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU";
    let length = png.len();
    let mut response = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    response.extend_from_slice(png);
    let host = Canned::answering(response);
    let url = format!("{}/a", host.base_url);
    let asked = request(json!({ "messages": [{ "role": "user", "content": [
        { "type": "image_url", "image_url": { "url": url } },
    ] }] }));
    let said = explained(
        "explain-fetch",
        &asked,
        &["--fetch", "--fetch-private-networks", "127.0.0.1"],
    );
    assert!(host.request().head.starts_with("GET /v1/a HTTP/1.1"));
    let image = &said["body"]["messages"][0]["content"][0]["image"];
    assert_eq!(image["format"], "png");
    assert!(image["source"]["bytes"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    assert_eq!(said["not_fetched"], json!([]));
}

#[test]
fn secrets_stay_out_of_it() {
    let place = Place::new("explain-secrets");
    let mut command = place.outcrop(&["explain", "--region", "us-east-1"]);
    command
        .env("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-hush")
        .env("AWS_SECRET_ACCESS_KEY", "hush");
    let ran = finish_with_input(&mut command, &request(json!({})));
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.stdout.contains("hush") && !ran.stderr.contains("hush"), "{ran:?}");
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let needs = said["iam"].as_array().unwrap();
    assert!(needs.contains(&json!({ "action": "bedrock:CallWithBearerToken", "resource": "*" })));
}

#[test]
fn simulated_settings_need_no_region() {
    let place = Place::new("explain-simulate")
        .with("outcrop.toml", "simulate = true\n")
        .with("r.json", &request(json!({})));
    let ran = finish(&mut place.outcrop(&["explain", "r.json"]));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}
