//! Any body is planned or refused: never a panic, always calls that are JSON, a body for each prompt; always a 4xx, with
//! the field to blame where the body is an object.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use outcrop_translate::openai::completions::Completions;
use outcrop_translate::{Catalogue, Context, Endpoint, Halt};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: body.len().is_multiple_of(2).then_some("amazon.titan-text-express-v1"),
        max_choices: 8,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    let body = Bytes::copy_from_slice(body);
    match Completions::plan(&body, &context) {
        Ok(plan) => {
            assert_eq!(plan.choices % (1 + plan.further_bodies.len()), 0);
            for choice in 0..plan.choices {
                let body = plan.body_of(choice).to_vec();
                if let Err(error) = serde_json::from_slice::<Value>(&body) {
                    let message = error.to_string();
                    assert!(message.starts_with("recursion limit") || message.starts_with("number out of range"));
                }
            }
        }
        Err(Halt::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            let error: Value = serde_json::from_slice(&Completions::error(&problem)).expect("an error is JSON");
            assert!(error["error"]["message"].is_string());
            if serde_json::from_slice::<Value>(&body).is_ok_and(|body| body.is_object()) {
                assert!(problem.param.is_some(), "{problem:?}");
            }
        }
        Err(Halt::LookUp(_) | Halt::Fetch(_)) => {}
    }
});
