use serde_json::Value;

use crate::canned::{self, Canned};
use crate::run::Place;

const LIST: &str = r#"{"object":"list","data":[
    {"id":"amazon.nova-lite-v1:0","object":"model","created":0,"owned_by":"amazon"},
    {"id":"us.anthropic.claude-x","object":"model","created":0,"owned_by":"anthropic"}]}"#;

#[test]
fn a_pipe_gets_a_name_on_each_line() {
    let gateway = Canned::answering(canned::json("200 OK", LIST));
    let ran = Place::new("models-names").run(&["models", "--base-url", &gateway.base_url, "--api-key", "sk-a"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "amazon.nova-lite-v1:0\nus.anthropic.claude-x\n"),
        "{ran:?}"
    );
    let head = gateway.request().head;
    assert!(
        head.starts_with("GET /v1/models HTTP/1.1") && head.contains("authorization: Bearer sk-a"),
        "{head}"
    );
}

#[test]
fn json_is_the_list_itself() {
    let gateway = Canned::answering(canned::json("200 OK", LIST));
    let ran = Place::new("models-json").run(&["models", "--json", "--base-url", &gateway.base_url]);
    assert_eq!(ran.status, 0);
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parse(&ran.stdout), parse(LIST));
}

#[test]
fn an_error_is_told() {
    let gateway = Canned::answering(canned::json("404 Not Found", r#"{"detail":"Not Found"}"#));
    let ran = Place::new("models-error").run(&["models", "--base-url", &gateway.base_url]);
    let expected = "error: the gateway refused with status 404: Not Found\n";
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (1, "", expected)
    );
}

#[test]
fn without_a_gateway_one_is_started() {
    let ran = Place::new("models-simulate").run(&["models", "--simulate"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.contains("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        "{ran:?}"
    );
}
