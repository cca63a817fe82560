use super::super::testing_chat::folded;
use super::super::{AnthropicMessages, Imported, MetaLlama, Nova, OpenAiChat, TitanText};
use super::*;
use outcrop_bedrock::call::TokenCounts;

const METRICS_ALONE: &str = r#"{"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":2}}"#;

#[test]
fn an_answer_that_was_cut_short_is_not_whole_though_its_cost_is_told() {
    let llama = MetaLlama { template: "llama3" };
    for (family, chunks) in [
        (
            &AnthropicMessages as &dyn Family,
            &[
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
            ][..],
        ),
        (
            &Nova,
            &[r#"{"contentBlockDelta":{"delta":{"text":"Hel"},"contentBlockIndex":0}}"#],
        ),
        (
            &OpenAiChat,
            &[r#"{"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#],
        ),
        (
            &TitanText::CHAT,
            &[r#"{"outputText":"Hel","index":0,"completionReason":null}"#],
        ),
        (&llama, &[r#"{"generation":"Hel","stop_reason":null}"#]),
        (&llama, &[]),
        (Imported::named("llama3").unwrap(), &[]),
    ] {
        let chunks = [chunks, &[METRICS_ALONE]].concat();
        assert_eq!(folded(family, &chunks), None, "{family:?}: {chunks:?}");
    }
}

#[test]
fn an_imported_model_need_not_tell_why_its_answer_ends() {
    let chunks = [r#"{"generation":"Hello"}"#, METRICS_ALONE];
    let told = folded(Imported::named("llama3").unwrap(), &chunks).unwrap();
    assert_eq!(told, ["text Hello", "EndTurn 7+0+0 2"]);
}

#[test]
fn a_guardrail_that_steps_in_is_reason_enough() {
    let chunks = [
        r#"{"generation":"No.","amazon-bedrock-guardrailAction":"INTERVENED"}"#,
        METRICS_ALONE,
    ];
    let told = folded(&MetaLlama { template: "llama3" }, &chunks).unwrap();
    assert_eq!(told, ["text No.", "GuardrailIntervened 7+0+0 2"]);
}

#[test]
fn metrics_that_are_nothing_are_none() {
    let chunk = r#"{"generation":"Hi","stop_reason":"stop","amazon-bedrock-invocationMetrics":null}"#;
    let told = folded(&MetaLlama { template: "llama3" }, &[chunk]).unwrap();
    assert_eq!(told, ["text Hi", "EndTurn 0+0+0 0"]);
}

#[test]
fn pieces_of_blocks_may_be_mixed_as_in_converse() {
    let anthropic = [
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hm"}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"s","name":"f"}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"g"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"b\":2}"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":":1}"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#,
    ];
    let nova = [
        r#"{"contentBlockDelta":{"delta":{"text":"Hm"},"contentBlockIndex":0}}"#,
        r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"s","name":"f"}},"contentBlockIndex":1}}"#,
        r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t","name":"g"}},"contentBlockIndex":2}}"#,
        r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"a\""}},"contentBlockIndex":1}}"#,
        r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"b\":2}"}},"contentBlockIndex":2}}"#,
        r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":":1}"}},"contentBlockIndex":1}}"#,
        r#"{"messageStop":{"stopReason":"tool_use"}}"#,
    ];
    let expected = [
        "text Hm",
        r#"call s f {"a":1}"#,
        r#"call t g {"b":2}"#,
        "ToolUse 0+0+0 0",
    ];
    assert_eq!(folded(&AnthropicMessages, &anthropic).unwrap(), expected);
    assert_eq!(folded(&Nova, &nova).unwrap(), expected);
}

#[test]
fn cached_tokens_count_once_where_the_model_and_bedrock_both_tell_them() {
    let metrics = r#"{"amazon-bedrock-invocationMetrics":{"inputTokenCount":100,"outputTokenCount":9}}"#;
    let end = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":60}}}"#;
    let told = folded(&OpenAiChat, &[end, usage, metrics]).unwrap();
    assert_eq!(told, ["text Hi", "EndTurn 40+60+0 8"]);
    let told = folded(&OpenAiChat, &[end, metrics]).unwrap();
    assert_eq!(told, ["text Hi", "EndTurn 100+0+0 9"]);
    let cached = r#"{"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9,"cacheReadInputTokenCount":4,"cacheWriteInputTokenCount":5}}"#;
    let told = folded(&OpenAiChat, &[end, cached]).unwrap();
    assert_eq!(told, ["text Hi", "EndTurn 7+4+5 9"]);
}

#[test]
fn an_error_in_place_of_an_answer_is_told_as_one_with_its_message() {
    let imported = Imported::named("llama3").unwrap();
    let llama = MetaLlama { template: "llama3" };
    for (family, document, status, message) in [
        (
            &AnthropicMessages as &dyn Family,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Some(503),
            "Overloaded",
        ),
        (
            &OpenAiChat,
            r#"{"error":{"message":"slow","type":"rate_limit_error"}}"#,
            Some(429),
            "slow",
        ),
        (&llama, r#"{"error":{"message":"boom"}}"#, None, "boom"),
        (&llama, r#"{"message":"boom"}"#, None, "boom"),
        (imported, r#"{"error":"boom"}"#, None, "boom"),
        (
            &Nova,
            r#"{"modelStreamErrorException":{"message":"boom"}}"#,
            None,
            "boom",
        ),
    ] {
        let payload = format!(
            r#"{{"bytes":"{}"}}"#,
            outcrop_bedrock::base64::encode(document.as_bytes())
        );
        let streamed = InvokeStream::new(family).read("chunk", payload.as_bytes(), &mut |_| {});
        let whole = super::super::reply(family, document.as_bytes(), TokenCounts::default());
        for unread in [streamed.unwrap_err(), whole.map(|_| ()).unwrap_err()] {
            let Unread::Failed(body) = unread else {
                panic!("{document}: {unread}");
            };
            assert_eq!((body.status, body.message.as_str()), (status, message), "{document}");
        }
    }
}

#[test]
fn words_of_errors_within_an_answer_are_its_text() {
    let chunk = r#"{"generation":"{\"error\": \"message\"}","error":null,"message":"","stop_reason":"stop"}"#;
    let told = folded(&MetaLlama { template: "llama3" }, &[chunk]).unwrap();
    assert_eq!(told[0], r#"text {"error": "message"}"#);
}

#[test]
fn a_prompt_that_was_cached_wholly_is_not_counted_again_by_the_headers() {
    let body = r#"{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":60,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":60}}}"#;
    let tokens = TokenCounts {
        input: Some(60),
        output: Some(1),
        ..TokenCounts::default()
    };
    let reply = super::super::reply(&OpenAiChat, body.as_bytes(), tokens).unwrap();
    assert_eq!(reply.usage.prompt_tokens(), 60);
}
