use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::call::Operation;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::Catalogue;

fn context() -> Context<'static> {
    Context {
        unique: 7,
        created: 0,
        path_model: None,
        max_choices: 16,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    }
}

fn plan_of<T: Task<Memo = Memo>>(request: &Value) -> TaskPlan<Memo> {
    T::plan(&Input::Json(request.to_string().into()), &context()).unwrap()
}

fn refused<T: Task>(request: &Value) -> Problem {
    match T::plan(&Input::Json(request.to_string().into()), &context()) {
        Err(Halt::Problem(problem)) => problem,
        _ => panic!("{request} is planned"),
    }
}

fn counted(plan: &TaskPlan<Memo>) -> Value {
    serde_json::from_slice::<Value>(&plan.calls[0].body.to_vec()).unwrap()["input"].take()
}

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

#[test]
fn what_converse_would_be_asked_is_counted_by_the_model_itself() {
    let request = json!({
        "model": CLAUDE,
        "max_tokens": 9,
        "stream": true,
        "n": 3,
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
    });
    let plan = plan_of::<InputTokens>(&request);
    assert_eq!(plan.calls.len(), 1);
    assert_eq!(plan.calls[0].operation, Operation::CountTokens);
    assert_eq!(plan.calls[0].model_id, "anthropic.claude-sonnet-4-5-20250929-v1:0");
    let input = counted(&plan);
    let names: Vec<&String> = input["converse"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["messages", "system", "toolConfig"]);
    assert_eq!(
        input["converse"]["messages"],
        json!([{"role": "user", "content": [{"text": "U"}]}])
    );
}

#[test]
fn a_body_of_the_models_own_is_counted_as_such() {
    let request = json!({"model": CLAUDE, "bedrock_api": "invoke", "messages": [{"role": "user", "content": "U"}]});
    let input = counted(&plan_of::<InputTokens>(&request));
    let body = Base64::parse(input["invokeModel"]["body"].as_str().unwrap())
        .unwrap()
        .decode();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["anthropic_version"], "bedrock-2023-05-31");
}

#[test]
fn what_is_left_out_of_the_count_is_said() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let request = json!({"model": CLAUDE, "messages": [{"role": "user", "content": "U"}], "response_format": format});
    let notes = plan_of::<InputTokens>(&request).notes.to_string();
    assert!(notes.contains("outputConfig=not-counted"), "{notes}");
}

#[test]
fn a_prompt_is_a_users_message() {
    let plan = plan_of::<TokenCounter>(&json!({"model": CLAUDE, "prompt": "a\n\"b\""}));
    assert_eq!(
        counted(&plan)["converse"]["messages"],
        json!([{"role": "user", "content": [{"text": "a\n\"b\""}]}])
    );
    assert_eq!(plan.memo.asked, CLAUDE);
    let messages = json!({"model": CLAUDE, "messages": [{"role": "user", "content": "a"}]});
    assert_eq!(
        counted(&plan_of::<TokenCounter>(&messages)),
        counted(&plan_of::<InputTokens>(&messages))
    );
}

#[test]
fn what_cant_be_counted_names_its_field() {
    let param = |problem: Problem| problem.param.unwrap();
    assert_eq!(param(refused::<InputTokens>(&json!({"model": CLAUDE}))), "messages");
    assert_eq!(param(refused::<TokenCounter>(&json!({"model": CLAUDE}))), "messages");
    assert_eq!(
        param(refused::<TokenCounter>(&json!({"model": CLAUDE, "prompt": 5}))),
        "prompt"
    );
    let both = json!({"model": CLAUDE, "prompt": "a", "messages": []});
    assert_eq!(param(refused::<TokenCounter>(&both)), "prompt");
    let google = json!({"model": CLAUDE, "contents": [{"parts": []}]});
    assert_eq!(param(refused::<TokenCounter>(&google)), "contents");
    let opaque = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    let problem = refused::<InputTokens>(&json!({"model": opaque, "messages": [{"role": "user", "content": "U"}]}));
    assert_eq!(problem.param.as_deref(), Some("model"));
    assert!(
        problem.message.contains("anthropic.claude-sonnet-4-5-20250929-v1:0"),
        "{}",
        problem.message
    );
}

#[test]
fn those_that_count_are_known_models() {
    let said = not_counted("a.b", Catalogue::built_in());
    assert!(said.contains("anthropic.claude-haiku-4-5-20251001-v1:0"), "{said}");
    assert!(!said.contains("claude-opus-4-8") && !said.contains("nova"), "{said}");
}

#[test]
fn credentials_and_routing_are_not_the_clients() {
    for more in [
        json!({"api_base": "http://x"}),
        json!({"extra_body": {"api_base": "http://x"}}),
    ] {
        let mut request = json!({"model": CLAUDE, "messages": [{"role": "user", "content": "U"}]});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut prompt = json!({"model": CLAUDE, "prompt": "U"});
        prompt
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let problems = [
            refused::<InputTokens>(&request),
            refused::<TokenCounter>(&request),
            refused::<TokenCounter>(&prompt),
        ];
        for problem in problems {
            assert_eq!(
                (problem.status, problem.code, problem.param.as_deref()),
                (400, Some("unsupported_parameter"), Some("api_base"))
            );
        }
    }
}
