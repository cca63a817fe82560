use serde_json::json;

use super::*;
use crate::models::Catalogue;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn refused(model: &str, body: &Value) -> String {
    let target = Catalogue::new("us-east-1").resolve(model).unwrap();
    check(body, &target, false).expect_err("should be refused").message
}

fn taken(model: &str, body: &Value) {
    let target = Catalogue::new("us-east-1").resolve(model).unwrap();
    assert_eq!(check(body, &target, true), Ok(()));
}

fn talk(turns: &[(&str, Value)]) -> Value {
    let messages: Vec<Value> = turns
        .iter()
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect();
    json!({
        "messages": messages,
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]},
    })
}

fn signed(text: &str) -> String {
    crate::signature::of(text, crate::signature::Text::Shown)
}

fn call(id: &str) -> Value {
    json!({"toolUse": {"toolUseId": id, "name": "f", "input": {}}})
}

fn result(id: &str) -> Value {
    json!({"toolResult": {"toolUseId": id, "content": [{"text": "done"}]}})
}

#[test]
fn a_right_conversation_is_taken() {
    taken(
        CLAUDE,
        &talk(&[
            ("user", json!([{"text": "a"}])),
            ("assistant", json!([{"text": "b"}, call("1"), call("2")])),
            ("user", json!([result("2"), result("1"), {"text": "c"}])),
        ]),
    );
}

#[test]
fn each_call_is_answered_in_the_next_turn() {
    let asked = ("user", json!([{"text": "a"}]));
    let called = ("assistant", json!([call("1")]));
    let missing = talk(&[asked.clone(), called.clone(), ("user", json!([{"text": "b"}]))]);
    assert_eq!(
        refused(CLAUDE, &missing),
        "Expected toolResult blocks at messages.2.content for the following Ids: 1"
    );
    let more = talk(&[asked.clone(), called, ("user", json!([result("1"), result("2")]))]);
    assert_eq!(
        refused(CLAUDE, &more),
        "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn."
    );
    let uncalled = talk(&[
        asked,
        ("assistant", json!([{"text": "b"}])),
        ("user", json!([result("1")])),
    ]);
    assert!(refused(CLAUDE, &uncalled).contains("exceeds the number of toolUse blocks"));
}

#[test]
fn some_models_keep_results_apart_from_text() {
    let mixed = talk(&[
        ("user", json!([{"text": "a"}])),
        ("assistant", json!([call("1")])),
        ("user", json!([result("1"), {"text": "b"}])),
    ]);
    taken(CLAUDE, &mixed);
    assert_eq!(
        refused("us.meta.llama3-1-70b-instruct-v1:0", &mixed),
        "messages.2.content: Conversation blocks and tool result blocks cannot be provided in the same turn."
    );
}

#[test]
fn instructions_in_mid_conversation_are_nobodys_turn() {
    let body = talk(&[
        ("user", json!([{"text": "a"}])),
        ("system", json!([{"text": "be brief"}])),
        ("assistant", json!([{"text": "b"}])),
        ("user", json!([{"text": "c"}])),
    ]);
    taken("us.anthropic.claude-opus-5", &body);
    assert!(refused(CLAUDE, &body).contains("doesn't support the system role"));
}

#[test]
fn tools_may_not_stream() {
    let target = Catalogue::new("us-east-1")
        .resolve("us.meta.llama3-3-70b-instruct-v1:0")
        .unwrap();
    let body = talk(&[("user", json!([{"text": "a"}]))]);
    assert_eq!(check(&body, &target, false), Ok(()));
    let refusal = check(&body, &target, true).expect_err("should be refused");
    assert_eq!(
        refusal.message,
        "This model doesn't support tool use in streaming mode."
    );
}

#[test]
fn images_are_what_they_are_said_to_be() {
    let with = |format: &str, bytes: &[u8]| {
        let bytes = aws_smithy_types::base64::encode(bytes);
        talk(&[(
            "user",
            json!([{"image": {"format": format, "source": {"bytes": bytes}}}]),
        )])
    };
    taken(CLAUDE, &with("gif", b"GIF89a\x01\0\x01\0"));
    taken(CLAUDE, &with("webp", b"RIFF....WEBPVP8X....\0\0\0\0\0\0\0\0\0\0"));
    taken(CLAUDE, &with("jpeg", b"\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x01"));
    assert!(refused(CLAUDE, &with("gif", b"GIF89a\x41\x1f\x01\0")).contains("max allowed size: 8000 pixels"));
    assert!(refused(CLAUDE, &with("gif", b"GIF89a")).contains("Could not process image"));
    assert!(refused(CLAUDE, &with("png", b"\xff\xd8\xff\xe0")).contains("appears to be a image/jpeg image"));
    assert!(refused(CLAUDE, &with("png", b"<svg/>")).contains("Could not process image"));
}

#[test]
fn generations_of_claude_take_different_thinking() {
    let with = |kind: &str| {
        let mut body = talk(&[("user", json!([{"text": "a"}]))]);
        body["additionalModelRequestFields"] = json!({"thinking": {"type": kind, "budget_tokens": 1024}});
        body
    };
    taken(CLAUDE, &with("enabled"));
    assert!(refused(CLAUDE, &with("adaptive")).contains("is not supported for this model"));
    taken("us.anthropic.claude-opus-4-6-v1", &with("adaptive"));
    assert!(refused("us.anthropic.claude-opus-4-7", &with("enabled")).contains("is not supported for this model"));
    assert!(refused("us.anthropic.claude-opus-5-5", &with("disabled")).contains("is not supported for this model"));
}

#[test]
fn reasoning_comes_back_as_it_was() {
    let with = |reasoning: Value| {
        talk(&[
            ("user", json!([{"text": "a"}])),
            (
                "assistant",
                json!([{"reasoningContent": {"reasoningText": reasoning}}, call("1")]),
            ),
            ("user", json!([result("1")])),
        ])
    };
    taken(CLAUDE, &with(json!({"text": "hm", "signature": signed("hm")})));
    let changed = with(json!({"text": "hm!", "signature": signed("hm")}));
    assert!(refused(CLAUDE, &changed).ends_with("messages.1.content.0: Invalid `signature` in `thinking` block"));
    assert!(refused(CLAUDE, &with(json!({"text": "hm"}))).ends_with("signature: Field required"));
    taken("openai.gpt-oss-20b-1:0", &with(json!({"text": "hm"})));
}

#[test]
fn calls_come_back_with_the_reasoning_before_them() {
    let mut body = talk(&[
        ("user", json!([{"text": "a"}])),
        ("assistant", json!([call("1")])),
        ("user", json!([result("1")])),
    ]);
    taken(CLAUDE, &body);
    body["additionalModelRequestFields"] = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    assert!(refused(CLAUDE, &body).contains("Expected `thinking` or `redacted_thinking`, but found `tool_use`"));
}

#[test]
fn cache_points_are_counted() {
    let mut body = talk(&[("user", json!([{"text": "a"}, {"cachePoint": {"type": "default"}}]))]);
    taken(CLAUDE, &body);
    let point = json!({"cachePoint": {"type": "default"}});
    body["system"] = json!([{"text": "s"}, point, point, point, point]);
    assert!(refused(CLAUDE, &body).contains("A maximum of 4 blocks"));
}

#[test]
fn a_model_nobody_knows_refuses_by_name() {
    let novel = "simulator.novel-v1:0";
    let plain = talk(&[("user", json!([{"text": "a"}]))]);
    taken(novel, &plain);
    for (path, value, expected) in [
        (
            "inferenceConfig",
            json!({"temperature": 1}),
            "`temperature` is deprecated for this model.",
        ),
        (
            "inferenceConfig",
            json!({"topP": 1}),
            "`top_p` is deprecated for this model.",
        ),
        (
            "inferenceConfig",
            json!({"stopSequences": ["a", "b", "c"]}),
            "exceeds the model limit of 2",
        ),
        (
            "additionalModelRequestFields",
            json!({"foo": 1}),
            "foo: Extra inputs are not permitted",
        ),
        (
            "system",
            json!([{"text": "a"}, {"cachePoint": {"type": "default"}}]),
            "did not allow prompt caching",
        ),
        (
            "outputConfig",
            json!({"textFormat": {"type": "json_schema"}}),
            "the outputConfig.textFormat field",
        ),
    ] {
        let mut body = plain.clone();
        body[path] = value;
        let message = refused(novel, &body);
        assert!(message.contains(expected), "{message}");
    }
    let mut body = plain.clone();
    body["toolConfig"]["toolChoice"] = json!({"any": {}});
    assert!(refused(novel, &body).contains("the toolConfig.toolChoice.any field"));
    let mut body = plain;
    body["toolConfig"]["tools"][0]["toolSpec"]["strict"] = json!(true);
    assert!(refused(novel, &body).contains("the toolConfig.tools.0.toolSpec.strict field"));
}
