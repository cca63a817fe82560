//! Cohere's bodies and answers.

use outcrop_bedrock::converse::{
    ContentBlock, ConverseRequest, Image, ImageFormat, InferenceConfig, Source, SystemBlock, Tool, ToolChoice,
    ToolConfig, ToolResult, ToolResultBlock, ToolResultStatus, ToolSpec, ToolUse,
};
use outcrop_bedrock::json::JsonText;

use super::super::Family as _;
use super::super::testing_chat::{assistant, body, cuts, folded, json, text, user, whole};
use super::CohereChat;

const ID: &str = "cohere.command-r-plus-v1:0";

fn call(id: &str, input: &'static str) -> ContentBlock<'static> {
    ContentBlock::ToolUse(ToolUse {
        id: text(id),
        name: text("look"),
        input: json(input),
    })
}

fn result(id: &str, block: ToolResultBlock<'static>, status: Option<ToolResultStatus>) -> ContentBlock<'static> {
    ContentBlock::ToolResult(ToolResult {
        id: text(id),
        content: vec![block],
        status,
    })
}

fn said(words: &str) -> ContentBlock<'static> {
    ContentBlock::Text(text(words))
}

fn tool(schema: &'static str) -> Tool<'static> {
    Tool::Spec(ToolSpec {
        name: text("look"),
        description: Some(text("Looks.")),
        input_schema: json(schema),
        strict: false,
    })
}

#[test]
fn a_request_with_everything() {
    let request = ConverseRequest {
        system: vec![
            SystemBlock::Text(text("Be brief.")),
            SystemBlock::Text(text("Be kind.")),
        ],
        messages: vec![
            user(vec![said("Look left")]),
            assistant(vec![call("a", r#"{"at":"left"}"#)]),
            user(vec![result("a", ToolResultBlock::Text(text("a cat")), None)]),
            assistant(vec![said("A cat.")]),
            user(vec![said("Look"), said("right")]),
            assistant(vec![said("I will."), call("a", r#"{"at":"right"}"#), call("b", "{}")]),
            user(vec![
                result("a", ToolResultBlock::Json(json(r#"{"animal":"dog"}"#)), None),
                result("b", ToolResultBlock::Text(text("dark")), Some(ToolResultStatus::Error)),
            ]),
        ],
        inference_config: InferenceConfig {
            max_tokens: Some(100),
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop_sequences: vec![text("END")],
        },
        tool_config: Some(ToolConfig {
            tools: vec![tool(concat!(
                r#"{"type":"object","properties":{"at":{"type":"string","description":"Where"},"#,
                r#""n":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}},"#,
                r#""required":["at"],"additionalProperties":false}"#
            ))],
            tool_choice: Some(ToolChoice::Auto),
        }),
        additional_model_request_fields: vec![
            ("k".into(), json("40")),
            ("seed".into(), json("7")),
            ("p".into(), json("0.1")),
        ],
        ..ConverseRequest::default()
    };
    let (body, notes) = body(&CohereChat, &request, ID).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"message":"Look\nright","chat_history":[{"role":"USER","message":"Look left"},"#,
            r#"{"role":"CHATBOT","message":"(Called the tool 'look' with the arguments {\"at\":\"left\"}.)"},"#,
            r#"{"role":"USER","message":"(The tool answered: a cat)"},{"role":"CHATBOT","message":"A cat."}],"#,
            r#""tool_results":[{"call":{"name":"look","parameters":{"at":"right"}},"outputs":[{"animal":"dog"}]},"#,
            r#"{"call":{"name":"look","parameters":{}},"outputs":[{"error":"dark"}]}],"#,
            r#""preamble":"Be brief.\n\nBe kind.","tools":[{"name":"look","description":"Looks.","#,
            r#""parameter_definitions":{"at":{"description":"Where","type":"str","required":true},"#,
            r#""n":{"type":"int","required":false},"tags":{"type":"List[str]","required":false}}}],"#,
            r#""max_tokens":100,"temperature":0.5,"p":0.9,"stop_sequences":["END"],"k":40,"seed":7}"#
        )
    );
    assert_eq!(
        notes,
        "messages.tool_calls=in-words(invoke-api), \
         messages.content=dropped(model-takes-no-text-beside-tool_calls), p=dropped(said-twice)"
    );
}

#[test]
fn results_with_a_question_beside_them_answer_the_calls_before_it() {
    let request = ConverseRequest {
        messages: vec![
            user(vec![said("Look")]),
            assistant(vec![call("a", "{}")]),
            user(vec![
                result("a", ToolResultBlock::Text(text("a cat")), None),
                said("Which?"),
            ]),
        ],
        ..ConverseRequest::default()
    };
    let (body, notes) = body(&CohereChat, &request, ID).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"message":"Which?","chat_history":[{"role":"USER","message":"Look"}],"#,
            r#""tool_results":[{"call":{"name":"look","parameters":{}},"outputs":[{"text":"a cat"}]}]}"#
        )
    );
    assert_eq!(notes, "");
}

#[test]
fn top_p_keeps_to_the_models_range() {
    for (top_p, p, note) in [
        (1.0, "0.99", "top_p=0.99(largest-of-model)"),
        (0.5, "0.5", ""),
        (0.0, "0.01", "top_p=0.01(smallest-of-model)"),
    ] {
        let mut request = ConverseRequest {
            messages: vec![user(vec![said("Hi")])],
            ..ConverseRequest::default()
        };
        request.inference_config.top_p = Some(top_p);
        let (body, notes) = body(&CohereChat, &request, ID).unwrap();
        assert_eq!(body, format!(r#"{{"message":"Hi","p":{p}}}"#));
        assert_eq!(notes, note);
    }
}

#[test]
fn what_types_of_parameters_cant_say_stands_in_the_description() {
    for schema in [
        r#"{"type":"object","properties":{"a":{"type":"string","enum":["x"]}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}}}}"#,
        r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"}]}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}}}"#,
        r#"{"type":"object","additionalProperties":true}"#,
        "[]",
    ] {
        let request = ConverseRequest {
            messages: vec![user(vec![said("Hi")])],
            tool_config: Some(ToolConfig {
                tools: vec![tool(schema)],
                tool_choice: Some(ToolChoice::Any),
            }),
            ..ConverseRequest::default()
        };
        let (body, notes) = body(&CohereChat, &request, ID).unwrap();
        let description = JsonText::encode(&format!("Looks.\n\nJSON Schema of the parameters: {schema}"));
        assert!(body.contains(description.token()), "{body}");
        assert_eq!(
            notes,
            "tools.parameters=simplified(invoke-api), tool_choice=auto(refused-by-model)"
        );
    }
}

#[test]
fn what_the_body_has_no_place_for_is_refused() {
    let image = || Image {
        format: ImageFormat::Png,
        source: Source::Absent("".into()),
    };
    for (messages, word) in [
        (vec![user(vec![ContentBlock::Image(image())])], "images"),
        (
            vec![user(vec![result("a", ToolResultBlock::Image(image()), None)])],
            "images",
        ),
        (
            vec![user(vec![said("Hi")]), assistant(vec![said("Well")])],
            "a conversation that ends with the assistant's words",
        ),
        (
            vec![user(vec![result("a", ToolResultBlock::Text(text("x")), None)])],
            "a result of a tool without its call",
        ),
    ] {
        let request = ConverseRequest {
            messages,
            ..ConverseRequest::default()
        };
        let problem = body(&CohereChat, &request, ID).unwrap_err();
        let expected = format!("Unsupported content: this model can't take {word} through Bedrock's Invoke API.");
        assert_eq!(problem.message, expected);
    }
    let (empty, _) = body(&CohereChat, &ConverseRequest::default(), ID).unwrap();
    assert_eq!(empty, r#"{"message":""}"#);
}

const META: &str = r#""meta":{"billed_units":{"input_tokens":1.0,"output_tokens":1.0},"tokens":{"input_tokens":7.0,"output_tokens":9.0}}"#;

#[test]
fn a_stream_cut_anywhere_says_what_the_whole_answer_says() {
    let plan = "I \"will\" é";
    let token = JsonText::encode(plan);
    let calls = r#""tool_calls":[{"name":"look","parameters":{"at":"left"}},{"name":"look","parameters":{}}]"#;
    for (calls, reason, end) in [
        ("", "COMPLETE", "EndTurn 7+0+0 9"),
        ("", "MAX_TOKENS", "MaxTokens 7+0+0 9"),
        ("", "STOP_SEQUENCE", "StopSequence 7+0+0 9"),
        ("", "ERROR_TOXIC", "ContentFiltered 7+0+0 9"),
        (calls, "COMPLETE", "ToolUse 7+0+0 9"),
    ] {
        let comma = if calls.is_empty() { "" } else { "," };
        let body = format!(
            r#"{{"text":{},"chat_history":[],"finish_reason":"{reason}",{META}{comma}{calls}}}"#,
            token.token()
        );
        let told = whole(&CohereChat, &body);
        let mut expected = vec![format!("text {plan}")];
        if !calls.is_empty() {
            expected.push(r#"call call_0_look look {"at":"left"}"#.to_owned());
            expected.push("call call_1_look look {}".to_owned());
        }
        expected.push(end.to_owned());
        assert_eq!(told, expected);

        let ending =
            format!(r#"{{"is_finished":true,"event_type":"stream-end","finish_reason":"{reason}","response":{body}}}"#);
        assert_eq!(folded(&CohereChat, &[&ending]).unwrap(), told, "all of it at the end");
        for pieces in cuts(plan) {
            let mut chunks = vec![r#"{"event_type":"stream-start","generation_id":"x"}"#.to_owned()];
            chunks.extend(pieces.iter().map(|piece| {
                let token = JsonText::encode(piece);
                format!(r#"{{"event_type":"text-generation","text":{}}}"#, token.token())
            }));
            if !calls.is_empty() {
                chunks.push(format!(
                    r#"{{"event_type":"tool-calls-generation","text":{},{calls}}}"#,
                    token.token()
                ));
            }
            assert_eq!(folded(&CohereChat, &chunks), None, "without its end");
            chunks.push(ending.clone());
            assert_eq!(folded(&CohereChat, &chunks).unwrap(), told);
        }
    }
}

#[test]
fn what_is_no_answer_is_a_fault() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"message":"no"}"#,
        r#"{"text":"x","finish_reason":"ERROR"}"#,
    ] {
        assert!(CohereChat.reply(body.as_bytes()).is_err(), "{body}");
    }
}
