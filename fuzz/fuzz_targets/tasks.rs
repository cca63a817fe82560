//! Any body of an endpoint without a conversation is planned or refused: never a panic, always calls that are JSON;
//! always a 4xx, with the field to blame where the body is an object.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use outcrop_translate::cohere::rerank::Rerank;
use outcrop_translate::openai::moderations::Moderations;
use outcrop_translate::openai::token_counts::{InputTokens, TokenCounter};
use outcrop_translate::{Catalogue, Context, Halt, Input, Task};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let body = Bytes::copy_from_slice(body);
    plan::<Rerank<1>>(&body, "cohere.rerank-v3-5:0");
    plan::<Moderations>(&body, "omni-moderation-latest");
    plan::<InputTokens>(&body, "anthropic.claude-haiku-4-5-20251001-v1:0");
    plan::<TokenCounter>(&body, "anthropic.claude-haiku-4-5-20251001-v1:0");
});

fn plan<T: Task>(body: &Bytes, model: &str) {
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: body.len().is_multiple_of(2).then_some(model),
        max_choices: 8,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    match T::plan(&Input::Json(body.clone()), &context) {
        Ok(plan) => {
            for call in plan.calls {
                if let Err(error) = serde_json::from_slice::<Value>(&call.body.to_vec()) {
                    let message = error.to_string();
                    assert!(message.starts_with("recursion limit") || message.starts_with("number out of range"));
                }
            }
        }
        Err(Halt::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            let error: Value = serde_json::from_slice(&T::error(&problem)).expect("an error is JSON");
            assert!(error["error"]["message"].is_string());
            if serde_json::from_slice::<Value>(body).is_ok_and(|body| body.is_object()) {
                assert!(problem.param.is_some(), "{problem:?}");
            }
        }
        Err(Halt::LookUp(_) | Halt::Fetch(_)) => {}
    }
}
