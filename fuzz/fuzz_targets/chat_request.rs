//! Any body is planned or refused: never a panic, never a call that is no JSON, always a 4xx, with the field to blame
//! where the body is an object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Context, Endpoint, Halt};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: body
            .first()
            .filter(|&&first| first == b' ')
            .map(|_| "amazon.nova-lite-v1:0"),
        max_choices: 8,
        advisor: None,
        remote: None,
        repair: None,
    };
    match ChatCompletions::plan(&bytes::Bytes::copy_from_slice(body), &context) {
        Ok(plan) => {
            // serde_json refuses what is deeper than the body was, by the levels that Converse's envelope has more.
            if let Err(error) = serde_json::from_slice::<Value>(&plan.body.to_vec()) {
                let message = error.to_string();
                assert!(
                    message.starts_with("recursion limit") || message.starts_with("number out of range"),
                    "{message}: {}",
                    String::from_utf8_lossy(&plan.body.to_vec())
                );
            }
            assert!((1..=context.max_choices).contains(&plan.choices));
        }
        Err(Halt::Fetch(urls)) => assert!(!urls.is_empty()),
        Err(Halt::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            let error: Value = serde_json::from_slice(&ChatCompletions::error(&problem)).expect("an error is JSON");
            assert!(error["error"]["message"].is_string());
            if serde_json::from_slice::<Value>(body).is_ok_and(|body| body.is_object()) {
                assert!(problem.param.is_some(), "{problem:?}");
            }
        }
    }
});
