//! Nova's bodies and answers.

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::converse::{
    CacheTtl, ContentBlock, ConverseRequest, Document, DocumentFormat, Image, ImageFormat, InferenceConfig, Reasoning,
    S3Location, Source, SystemBlock, Tool, ToolChoice, ToolConfig, ToolResult, ToolResultBlock, ToolSpec, ToolUse,
    Video, VideoFormat,
};
use outcrop_bedrock::json::{Json, JsonText};

use super::super::testing_chat::{assistant, body, cuts, folded, json, text, user, whole};
use super::Nova;

const ID: &str = "amazon.nova-pro-v1:0";

fn image(base64: &str) -> ContentBlock<'_> {
    ContentBlock::Image(Image {
        format: ImageFormat::Png,
        source: Source::Base64(Base64::parse(base64).unwrap()),
    })
}

fn in_s3() -> Source<'static> {
    Source::S3(S3Location {
        uri: "s3://films/1.mp4".into(),
        bucket_owner: None,
    })
}

fn asking(content: Vec<ContentBlock<'_>>) -> ConverseRequest<'_> {
    ConverseRequest {
        messages: vec![user(content)],
        ..ConverseRequest::default()
    }
}

#[test]
fn a_request_with_everything() {
    let request = ConverseRequest {
        system: vec![
            SystemBlock::Text(text("Be brief.")),
            SystemBlock::GuardText(text("Be kind.")),
            SystemBlock::CachePoint(CacheTtl::Default),
        ],
        messages: vec![
            user(vec![
                ContentBlock::GuardText(text("Look")),
                image("AAAA"),
                ContentBlock::Video(Video {
                    format: VideoFormat::ThreeGp,
                    source: in_s3(),
                }),
                ContentBlock::CachePoint(CacheTtl::Default),
            ]),
            assistant(vec![ContentBlock::ToolUse(ToolUse {
                id: text("t1"),
                name: text("look"),
                input: json(r#"{"a":1}"#),
            })]),
            user(vec![ContentBlock::ToolResult(ToolResult {
                id: text("t1"),
                content: vec![ToolResultBlock::Text(text("a cat"))],
                status: None,
            })]),
        ],
        inference_config: InferenceConfig {
            max_tokens: Some(100),
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop_sequences: vec![text("END")],
        },
        tool_config: Some(ToolConfig {
            tools: vec![Tool::Spec(ToolSpec {
                name: text("look"),
                description: Some(text("Looks.")),
                input_schema: json(r#"{"type":"object"}"#),
                strict: false,
            })],
            tool_choice: Some(ToolChoice::Any),
        }),
        additional_model_request_fields: vec![
            ("inferenceConfig".into(), json(r#"{"topK":20,"topP":0.1}"#)),
            ("reasoningConfig".into(), json(r#"{"type":"enabled"}"#)),
            ("messages".into(), json("[]")),
        ],
        ..ConverseRequest::default()
    };
    let (body, notes) = body(&Nova, &request, ID).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"Look"},"#,
            r#"{"image":{"format":"png","source":{"bytes":"AAAA"}}},"#,
            r#"{"video":{"format":"three_gp","source":{"s3Location":{"uri":"s3://films/1.mp4"}}}},"#,
            r#"{"cachePoint":{"type":"default"}}]},"#,
            r#"{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"look","input":{"a":1}}}]},"#,
            r#"{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"a cat"}]}}]}],"#,
            r#""system":[{"text":"Be brief."},{"text":"Be kind."},{"cachePoint":{"type":"default"}}],"#,
            r#""inferenceConfig":{"maxTokens":100,"temperature":0.5,"topP":0.9,"stopSequences":["END"],"topK":20},"#,
            r#""toolConfig":{"tools":[{"toolSpec":{"name":"look","description":"Looks.","#,
            r#""inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}},"#,
            r#""reasoningConfig":{"type":"enabled"}}"#,
        )
    );
    assert_eq!(
        notes,
        "messages=judged-as-a-whole(invoke-api), topP=dropped(said-twice), messages=dropped(said-twice)"
    );
}

#[test]
fn a_large_image_is_a_piece_of_its_own_and_none_of_it_is_lost() {
    let base64 = "A".repeat(100_000);
    let (body, notes) = body(&Nova, &asking(vec![image(&base64), image("BBBB")]), ID).unwrap();
    let expected = format!(
        concat!(
            r#"{{"schemaVersion":"messages-v1","messages":[{{"role":"user","content":["#,
            r#"{{"image":{{"format":"png","source":{{"bytes":"{}"}}}}}},"#,
            r#"{{"image":{{"format":"png","source":{{"bytes":"BBBB"}}}}}}]}}]}}"#
        ),
        base64
    );
    assert!(body == expected, "{} bytes, not {}", body.len(), expected.len());
    assert_eq!(notes, "");
}

#[test]
fn what_the_body_has_no_place_for_is_refused() {
    let document = || Document {
        format: DocumentFormat::Pdf,
        name: "d".into(),
        source: Source::Base64(Base64::parse("AAAA").unwrap()),
    };
    for (block, word) in [
        (ContentBlock::Document(document()), "documents"),
        (
            ContentBlock::ToolResult(ToolResult {
                id: text("t"),
                content: vec![ToolResultBlock::Document(document())],
                status: None,
            }),
            "documents",
        ),
        (
            ContentBlock::Image(Image {
                format: ImageFormat::Png,
                source: in_s3(),
            }),
            "an image in S3",
        ),
        (
            ContentBlock::Other {
                member: "searchResult".into(),
                value: Json::EMPTY_OBJECT,
            },
            "'searchResult'",
        ),
    ] {
        let problem = body(&Nova, &asking(vec![block]), ID).unwrap_err();
        let expected = format!("Unsupported content: this model can't take {word} through Bedrock's Invoke API.");
        assert_eq!(problem.message, expected);
        assert_eq!(problem.code, Some("unsupported_parameter"));
        assert_eq!(problem.param.as_deref(), Some("messages"));
    }
}

#[test]
fn signed_thoughts_go_back_as_on_converse() {
    let request = ConverseRequest {
        messages: vec![assistant(vec![ContentBlock::Reasoning(Reasoning::Text {
            text: text("hm"),
            signature: Some(JsonText::encode("s")),
        })])],
        ..ConverseRequest::default()
    };
    let (body, _) = body(&Nova, &request, ID).unwrap();
    assert!(body.contains(r#"{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}}"#));
}

#[test]
fn a_stream_cut_anywhere_says_what_the_whole_answer_says() {
    let expected = whole(
        &Nova,
        concat!(
            r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":"#,
            r#"{"text":"hm"}}},{"text":"Café \"1\""},{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]}},"#,
            r#""stopReason":"tool_use","usage":{"inputTokens":7,"outputTokens":9,"totalTokens":20,"#,
            r#""cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":1}}"#
        ),
    );
    assert_eq!(
        expected,
        [
            "thought hm None",
            "text Café \"1\"",
            r#"call t1 f {"a":1}"#,
            "ToolUse 7+3+1 9"
        ]
    );
    let delta = |index: u64, member: &str, text: &str| {
        let token = JsonText::encode(text);
        let delta = match member {
            "text" => format!(r#"{{"text":{}}}"#, token.token()),
            "thought" => format!(r#"{{"reasoningContent":{{"text":{}}}}}"#, token.token()),
            _ => format!(r#"{{"toolUse":{{"input":{}}}}}"#, token.token()),
        };
        format!(r#"{{"contentBlockDelta":{{"delta":{delta},"contentBlockIndex":{index}}}}}"#)
    };
    for (said, arguments) in cuts("Café \"1\"").iter().zip(cuts(r#"{"a":1}"#).iter().cycle()) {
        let mut chunks = vec![
            r#"{"messageStart":{"role":"assistant"}}"#.to_owned(),
            delta(0, "thought", "hm"),
        ];
        chunks.push(r#"{"contentBlockStop":{"contentBlockIndex":0}}"#.to_owned());
        chunks.extend(said.iter().map(|piece| delta(1, "text", piece)));
        chunks.push(r#"{"contentBlockStop":{"contentBlockIndex":1}}"#.to_owned());
        let start =
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t1","name":"f"}},"contentBlockIndex":2}}"#;
        chunks.push(start.to_owned());
        chunks.extend(arguments.iter().map(|piece| delta(2, "input", piece)));
        chunks.push(r#"{"contentBlockStop":{"contentBlockIndex":2}}"#.to_owned());
        chunks.push(r#"{"messageStop":{"stopReason":"tool_use"}}"#.to_owned());
        assert_eq!(folded(&Nova, &chunks).unwrap().last().unwrap(), "ToolUse 0+0+0 0");
        chunks.push(
            concat!(
                r#"{"metadata":{"usage":{"inputTokens":7,"outputTokens":9,"cacheReadInputTokenCount":3,"#,
                r#""cacheWriteInputTokenCount":1}},"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"#,
                r#""outputTokenCount":9}}"#
            )
            .to_owned(),
        );
        assert_eq!(folded(&Nova, &chunks).unwrap(), expected);
    }
}

#[test]
fn a_stream_without_its_end_is_not_whole() {
    let chunk = r#"{"contentBlockDelta":{"delta":{"text":"a"},"contentBlockIndex":0}}"#;
    assert_eq!(folded(&Nova, &[chunk]), None);
}
