use bytes::Bytes;
use outcrop_bedrock::call::{Operation, TokenCounts};
use serde_json::{Value, json};

use super::*;
use crate::catalogue::Catalogue;
use crate::remote::{Fetched, Remote};
use crate::task::{File, Shelf};

const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: File) -> Result<String, Problem> {
        Err(Problem::invalid("there is none"))
    }
}

fn plan_knowing(request: &Value, remote: Option<&Remote>) -> Result<TaskPlan<Memo>, Halt> {
    let context = Context {
        unique: 7,
        created: 0,
        path_model: None,
        max_choices: 1,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote,
        repair: None,
    };
    Moderations::plan(&Input::Json(request.to_string().into()), &context)
}

fn plan_of(request: &Value) -> TaskPlan<Memo> {
    plan_knowing(request, None).unwrap()
}

fn refused(request: &Value) -> Problem {
    match plan_knowing(request, None) {
        Err(Halt::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

fn guarded(input: Value) -> Value {
    json!({"input": input, "guardrailConfig": {"guardrailIdentifier": "gr", "guardrailVersion": "2"}})
}

fn bodies(plan: &TaskPlan<Memo>) -> Vec<Value> {
    plan.calls
        .iter()
        .map(|call| serde_json::from_slice(&call.body.to_vec()).unwrap())
        .collect()
}

fn answer(plan: &TaskPlan<Memo>, replies: &[Value]) -> Value {
    let bodies: Vec<Bytes> = replies.iter().map(|reply| reply.to_string().into()).collect();
    let tokens = TokenCounts::default();
    let replies: Vec<TaskReply<'_>> = bodies.iter().map(|body| TaskReply { body, tokens }).collect();
    let context = AnswerContext {
        unique: 7,
        created: 0,
        shelf: &NoShelf,
    };
    let answer = Moderations::answer(&plan.memo, &replies, &context).unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn without_a_guardrail_texts_are_checked() {
    let plan = plan_of(&json!({"input": ["a", "b\n"]}));
    assert_eq!(plan.calls.len(), 2);
    assert_eq!(plan.calls[1].operation, Operation::InvokeGuardrailChecks);
    assert_eq!(plan.calls[1].param.as_deref(), Some("input[1]"));
    let body = &bodies(&plan)[1];
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [{"text": "b\n"}]}])
    );
    assert_eq!(
        body["checks"]["contentFilter"]["categories"].as_array().unwrap().len(),
        5
    );
    assert_eq!(
        body["checks"]["promptAttack"]["categories"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn a_guardrail_is_applied_to_texts_and_images_at_once() {
    let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG}}]);
    let plan = plan_of(&guarded(parts));
    assert_eq!(plan.calls.len(), 1);
    assert_eq!(plan.calls[0].operation, Operation::ApplyGuardrail);
    assert_eq!(plan.calls[0].model_id, "gr/2");
    let body = &bodies(&plan)[0];
    assert_eq!(
        (&body["source"], &body["outputScope"]),
        (&json!("INPUT"), &json!("FULL"))
    );
    assert_eq!(body["content"][0], json!({"text": {"text": "a"}}));
    assert_eq!(body["content"][1]["image"]["format"], "png");
    assert!(PNG.ends_with(body["content"][1]["image"]["source"]["bytes"].as_str().unwrap()));
}

#[test]
fn images_behind_urls_are_fetched_first() {
    let request = guarded(json!([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]));
    let Err(Halt::Fetch(urls)) = plan_knowing(&request, None) else {
        panic!("nothing is fetched")
    };
    assert_eq!(urls, ["https://example.com/a.png"]);
    let mut remote = Remote::default();
    let bytes = outcrop_bedrock::base64::Base64::parse(&PNG[22..])
        .unwrap()
        .decode()
        .into();
    remote.add(
        &urls[0],
        Fetched {
            bytes,
            media_type: None,
        },
    );
    let plan = plan_knowing(&request, Some(&remote)).unwrap();
    assert_eq!(bodies(&plan)[0]["content"][0]["image"]["format"], "png");
}

#[test]
fn blank_texts_ask_nobody_and_are_harmless() {
    let plan = plan_of(&json!({"input": ["", "a", " "]}));
    assert_eq!(plan.calls.len(), 1);
    let severe = json!([{"category": "HATE", "severityScore": 0.9}]);
    let reply = json!({"results": {"contentFilter": {"results": severe}, "promptAttack": {"results": []}}});
    let answer = answer(&plan, &[reply]);
    let flagged: Vec<bool> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["flagged"].as_bool().unwrap())
        .collect();
    assert_eq!(flagged, [false, true, false]);
    assert_eq!(answer["model"], "omni-moderation-latest");
}

#[test]
fn what_a_guardrail_found_has_a_category_and_is_told_as_it_came() {
    let plan = plan_of(&guarded(json!("a")));
    let reply = json!({
        "action": "GUARDRAIL_INTERVENED",
        "assessments": [{
            "contentPolicy": {"filters": [
                {"type": "INSULTS", "confidence": "MEDIUM", "action": "BLOCKED", "detected": true},
                {"type": "HATE", "confidence": "LOW", "action": "NONE", "detected": false},
                {"type": "NEW_HARM", "confidence": "HIGH", "action": "BLOCKED"},
            ]},
            "topicPolicy": {"topics": [{"name": "Self Harm", "type": "DENY", "action": "BLOCKED"}]},
            "wordPolicy": {"customWords": [], "managedWordLists": [{"match": "x", "action": "NONE"}]},
        }],
    });
    let answer = answer(&plan, std::slice::from_ref(&reply));
    let result = &answer["results"][0];
    assert_eq!(result["flagged"], true);
    let told = |name: &str| {
        let types = result["category_applied_input_types"][name].as_array().unwrap().len();
        (
            result["categories"][name].clone(),
            result["category_scores"][name].clone(),
            types,
        )
    };
    assert_eq!(told("harassment"), (json!(true), json!(0.66), 1));
    assert_eq!(told("hate"), (json!(false), json!(0.33), 1));
    assert_eq!(told("new-harm"), (json!(true), json!(0.99), 1));
    assert_eq!(
        told("self-harm").0,
        json!(true),
        "a topic of that name is that category"
    );
    assert_eq!(told("denied-topic").0, json!(true));
    assert_eq!(told("blocked-word"), (json!(false), json!(0), 1));
    assert_eq!(told("violence").2, 0, "what wasn't judged says so");
    assert_eq!(result["amazon-bedrock-guardrail"], reply);
}

#[test]
fn what_cant_be_judged_is_refused_where_it_stands() {
    let param = |request: &Value| refused(request).param.unwrap();
    assert_eq!(param(&json!({})), "input");
    assert_eq!(param(&json!({"input": []})), "input");
    assert_eq!(param(&json!({"input": 5})), "input");
    assert_eq!(param(&json!({"input": ["a", 5]})), "input[1]");
    assert_eq!(
        param(&json!({"input": ["a", {"type": "text", "text": "b"}]})),
        "input[1]"
    );
    assert_eq!(param(&json!({"input": [{"type": "audio"}]})), "input[0].type");
    let image = json!([{"type": "image_url", "image_url": {"url": PNG}}]);
    let problem = refused(&json!({"input": image}));
    assert_eq!(problem.param.as_deref(), Some("input[0].image_url.url"));
    assert!(problem.message.contains("guardrail"), "{}", problem.message);
    let gif = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
    let problem = refused(&guarded(json!([{"type": "image_url", "image_url": {"url": gif}}])));
    assert!(problem.message.contains("PNG and JPEG"), "{}", problem.message);
    assert_eq!(
        param(&json!({"input": "a", "guardrailConfig": {"guardrailIdentifier": "gr"}})),
        "guardrailConfig.guardrailVersion"
    );
    let problem = refused(&json!({"input": "a", "model": "gpt-4o"}));
    assert_eq!((problem.status, problem.param.as_deref()), (404, Some("model")));
}

#[test]
fn models_of_openais_are_answered_as_named_and_what_nobody_knows_is_noted() {
    for model in [
        "omni-moderation-latest",
        "omni-moderation-2024-09-26",
        "text-moderation-stable",
    ] {
        let plan = plan_of(&json!({"input": "", "model": model, "user": "u"}));
        assert_eq!(answer(&plan, &[])["model"], model);
        assert_eq!(plan.notes.to_string(), "user=dropped(no-parameter-of-moderations)");
    }
}

#[test]
fn credentials_and_routing_are_not_the_clients() {
    for request in [
        json!({"input": "a", "aws_secret_access_key": "x"}),
        json!({"input": "a", "extra_body": {"aws_secret_access_key": "x"}}),
    ] {
        let problem = refused(&request);
        assert_eq!(
            (problem.status, problem.code, problem.param.as_deref()),
            (400, Some("unsupported_parameter"), Some("aws_secret_access_key"))
        );
    }
}

#[test]
fn an_extra_body_is_part_of_the_body() {
    let plan = plan_of(&json!({"input": "a", "extra_body": {"source": "OUTPUT"}}));
    assert_eq!(bodies(&plan)[0]["messages"][0]["role"], "assistant");
    assert_eq!(plan.notes.to_string(), "");
}
