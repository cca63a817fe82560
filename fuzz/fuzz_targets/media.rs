//! Any bytes as an image, file, sound or film: planned or refused, never a panic; what is planned carries them unchanged,
//! and base64 read in pieces is base64 read whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::base64::{Base64, encode};
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Catalogue, Context, Endpoint, Halt};
use serde_json::{Value, json};

fuzz_target!(|input: (u8, &[u8])| {
    let (form, bytes) = input;
    let base64 = encode(bytes);
    if let Some(parsed) = Base64::parse(base64.as_str()) {
        assert_eq!(parsed.decode(), bytes);
        let at = usize::from(form).min(bytes.len());
        let end = (at + 7).min(bytes.len());
        assert_eq!(parsed.bytes_at(at, 7), &bytes[at..end]);
    }
    let url = format!("data:application/octet-stream;base64,{base64}");
    let part = match form % 5 {
        0 => json!({"type": "image_url", "image_url": {"url": url}}),
        1 => json!({"type": "file", "file": {"file_data": url, "filename": "a.docx"}}),
        2 => json!({"type": "file", "file": {"file_data": base64}}),
        3 => json!({"type": "input_audio", "input_audio": {"data": base64, "format": "mp3"}}),
        _ => json!({"type": "video_url", "video_url": {"url": url}}),
    };
    let body = json!({"model": "acme.seer-v1", "messages": [{"role": "user", "content": [part]}]});
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: None,
        max_choices: 1,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    match ChatCompletions::plan(&bytes::Bytes::from(body.to_string()), &context) {
        Ok(plan) => {
            let call: Value = serde_json::from_slice(&plan.body.to_vec()).expect("a call is JSON");
            let block = &call["messages"][0]["content"][0];
            let kind = ["image", "document", "audio", "video"]
                .into_iter()
                .find(|kind| block.get(kind).is_some())
                .expect("a block of media");
            assert_eq!(block[kind]["source"]["bytes"], base64.as_str());
        }
        Err(Halt::LookUp(arn)) => panic!("there is nothing to look up: {arn}"),
        Err(Halt::Fetch(urls)) => panic!("there is nothing to fetch: {urls:?}"),
        Err(Halt::Problem(problem)) => {
            assert_eq!(problem.status, 400);
            assert!(
                problem
                    .param
                    .is_some_and(|param| param.starts_with("messages[0].content[0]"))
            );
        }
    }
});
