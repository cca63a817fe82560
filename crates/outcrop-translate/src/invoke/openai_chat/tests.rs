//! Bodies and answers of OpenAI's shape, and of those that differ from it in little.

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::converse::{
    Audio, AudioFormat, CacheTtl, ContentBlock, ConverseRequest, Document, DocumentFormat, Event, Image, ImageFormat,
    InferenceConfig, JsonSchema, OutputConfig, Reasoning, Source, SystemBlock, Tool, ToolChoice, ToolConfig,
    ToolResult, ToolResultBlock, ToolSpec, ToolUse,
};
use outcrop_bedrock::json::JsonText;

use super::super::sayings::{Said, Sayings};
use super::super::testing_chat::{assistant, body, cuts, folded, json, text, user, whole};
use super::super::{Ai21Jamba, Family, MistralChat, OpenAiChat};

const GPT_OSS: &str = "openai.gpt-oss-120b-1:0";
const GEMMA: &str = "google.gemma-3-27b-it";
const PIXTRAL: &str = "mistral.pixtral-large-2502-v1:0";
const JAMBA: &str = "ai21.jamba-1-5-large-v1:0";

fn image() -> Image<'static> {
    Image {
        format: ImageFormat::Jpeg,
        source: Source::Base64(Base64::parse("AAAA").unwrap()),
    }
}

fn result(content: Vec<ToolResultBlock<'_>>) -> ContentBlock<'_> {
    ContentBlock::ToolResult(ToolResult {
        id: text("c1"),
        content,
        status: None,
    })
}

fn call() -> ContentBlock<'static> {
    ContentBlock::ToolUse(ToolUse {
        id: text("c1"),
        name: text("look"),
        input: json(r#"{"at":"é"}"#),
    })
}

fn tool(name: &str, strict: bool) -> Tool<'static> {
    Tool::Spec(ToolSpec {
        name: text(name),
        description: Some(text("Looks.")),
        input_schema: json(r#"{"type":"object"}"#),
        strict,
    })
}

fn everything() -> ConverseRequest<'static> {
    ConverseRequest {
        system: vec![
            SystemBlock::Text(text("Be\nbrief.")),
            SystemBlock::Text(text("Be kind.")),
        ],
        messages: vec![
            user(vec![
                ContentBlock::Text(text("Look")),
                ContentBlock::Image(image()),
                ContentBlock::CachePoint(CacheTtl::Default),
            ]),
            assistant(vec![
                ContentBlock::Reasoning(Reasoning::Redacted(text("AAAA"))),
                ContentBlock::Text(text("I will.")),
                call(),
            ]),
            user(vec![
                result(vec![
                    ToolResultBlock::Text(text("a cat")),
                    ToolResultBlock::Json(json(r#"{"n":"é"}"#)),
                    ToolResultBlock::Image(image()),
                ]),
                ContentBlock::Text(text("And?")),
            ]),
            assistant(vec![call()]),
            user(vec![result(vec![])]),
        ],
        inference_config: InferenceConfig {
            max_tokens: Some(5000),
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop_sequences: vec![text("END")],
        },
        tool_config: Some(ToolConfig {
            tools: vec![tool("look", true), tool("listen", false)],
            tool_choice: Some(ToolChoice::Tool(text("look"))),
        }),
        additional_model_request_fields: vec![
            ("reasoning_effort".into(), json(r#""low""#)),
            ("top_k".into(), json("40")),
            ("stop".into(), json(r#""x""#)),
        ],
        output_config: OutputConfig {
            text_format: Some(JsonSchema {
                schema: text(r#"{"type":"object"}"#),
                name: None,
                description: Some(text("What it sees")),
            }),
            effort: None,
        },
        ..ConverseRequest::default()
    }
}

fn asking(content: Vec<ContentBlock<'_>>) -> ConverseRequest<'_> {
    ConverseRequest {
        messages: vec![user(content)],
        ..ConverseRequest::default()
    }
}

/// What all shapes make of the conversation above.
const MESSAGES: &str = concat!(
    r#""messages":[{"role":"system","content":"Be\nbrief.\n\nBe kind."},"#,
    r#"{"role":"user","content":[{"type":"text","text":"Look"},"#,
    r#"{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AAAA"}}]},"#,
    r#"{"role":"assistant","content":"I will.","tool_calls":[{"id":"c1","type":"function","#,
    r#""function":{"name":"look","arguments":"{\"at\":\"é\"}"}}]},"#,
    r#"{"role":"tool","tool_call_id":"c1","content":"a cat\n{\"n\":\"é\"}"},"#,
    r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AAAA"}},"#,
    r#"{"type":"text","text":"And?"}]},"#,
    r#"{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","#,
    r#""function":{"name":"look","arguments":"{\"at\":\"é\"}"}}]},"#,
    r#"{"role":"tool","tool_call_id":"c1","content":""}]"#,
);

#[test]
fn openais_request_with_everything() {
    let (body, notes) = body(&OpenAiChat, &everything(), GEMMA).unwrap();
    let rest = concat!(
        r#""max_tokens":5000,"temperature":0.5,"top_p":0.9,"stop":["END"],"#,
        r#""tools":[{"type":"function","function":{"name":"look","description":"Looks.","#,
        r#""parameters":{"type":"object"},"strict":true}},"#,
        r#"{"type":"function","function":{"name":"listen","description":"Looks.","parameters":{"type":"object"}}}],"#,
        r#""tool_choice":{"type":"function","function":{"name":"look"}},"#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"answer","description":"What it sees","#,
        r#""schema":{"type":"object"},"strict":true}},"reasoning_effort":"low","top_k":40"#,
    );
    assert_eq!(body, format!("{{{MESSAGES},{rest}}}"));
    assert_eq!(
        notes,
        "cache_control=dropped(unsupported-by-model), messages.thinking_blocks=dropped(model-takes-none), \
         messages.tool.content=user-turn(model-takes-no-media-in-results), stop=dropped(said-twice)"
    );
}

#[test]
fn mistrals_request_with_everything() {
    let (body, notes) = body(&MistralChat, &everything(), PIXTRAL).unwrap();
    let rest = concat!(
        r#""max_tokens":5000,"temperature":0.5,"top_p":0.9,"stop":["END"],"#,
        r#""tools":[{"type":"function","function":{"name":"look","description":"Looks.","#,
        r#""parameters":{"type":"object"}}}],"tool_choice":"any","reasoning_effort":"low","top_k":40"#,
    );
    assert_eq!(body, format!("{{{MESSAGES},{rest}}}"));
    for note in [
        "response_format=dropped(invoke-api)",
        "tool_choice=required(only-that-tool-is-declared)",
        "tools.strict=dropped(unsupported-by-model)",
    ] {
        assert!(notes.contains(note), "{note} in {notes}");
    }
}

#[test]
fn jambas_request_with_everything_that_it_takes() {
    let request = ConverseRequest {
        system: everything().system,
        messages: vec![user(vec![ContentBlock::Text(text("a")), ContentBlock::Text(text("b"))])],
        inference_config: everything().inference_config,
        additional_model_request_fields: vec![("presence_penalty".into(), json(r#"{"scale":1}"#))],
        ..ConverseRequest::default()
    };
    let (body, notes) = body(&Ai21Jamba, &request, JAMBA).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"messages":[{"role":"system","content":"Be\nbrief.\n\nBe kind."},{"role":"user","content":"a\nb"}],"#,
            r#""max_tokens":4096,"temperature":0.5,"top_p":0.9,"stop":["END"],"presence_penalty":{"scale":1}}"#
        )
    );
    assert_eq!(notes, "max_tokens=4096(largest-of-model)");
}

#[test]
fn the_limit_and_the_choice_go_by_each_models_names() {
    let mut request = asking(vec![ContentBlock::Text(text("Hi"))]);
    request.inference_config.max_tokens = Some(9);
    request.output_config.effort = Some("high");
    let (oss, _) = body(&OpenAiChat, &request, GPT_OSS).unwrap();
    let expected =
        r#"{"messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9,"reasoning_effort":"high"}"#;
    assert_eq!(oss, expected);
    for (choice, openai, mistral) in [
        (ToolChoice::Auto, r#""tool_choice":"auto""#, r#""tool_choice":"auto""#),
        (ToolChoice::Any, r#""tool_choice":"required""#, r#""tool_choice":"any""#),
    ] {
        request.tool_config = Some(ToolConfig {
            tools: vec![tool("look", false)],
            tool_choice: Some(choice),
        });
        assert!(body(&OpenAiChat, &request, GPT_OSS).unwrap().0.contains(openai));
        assert!(body(&MistralChat, &request, PIXTRAL).unwrap().0.contains(mistral));
    }
}

#[test]
fn sound_is_openais_part_where_the_model_hears() {
    let audio = |format| {
        asking(vec![ContentBlock::Audio(Audio {
            format,
            source: Source::Base64(Base64::parse("AAAA").unwrap()),
        })])
    };
    let (heard, _) = body(&OpenAiChat, &audio(AudioFormat::Wav), "mistral.voxtral-small-24b-2507").unwrap();
    let part = r#"[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]"#;
    assert!(heard.contains(part), "{heard}");
    for (format, id) in [
        (AudioFormat::Flac, "mistral.voxtral-small-24b-2507"),
        (AudioFormat::Wav, GPT_OSS),
    ] {
        assert!(body(&OpenAiChat, &audio(format), id).is_err());
    }
}

#[test]
fn what_a_model_cant_take_is_refused_and_named() {
    let image = || ContentBlock::Image(image());
    let document = ContentBlock::Document(Document {
        format: DocumentFormat::Txt,
        name: "d".into(),
        source: Source::Base64(Base64::parse("AAAA").unwrap()),
    });
    let of_result = || result(vec![ToolResultBlock::Image(super::super::openai_chat::tests::image())]);
    for (family, id, block, word) in [
        (&OpenAiChat as &dyn Family, GPT_OSS, image(), "images"),
        (&OpenAiChat, GPT_OSS, of_result(), "images"),
        (&OpenAiChat, GEMMA, document, "documents"),
        (&MistralChat, "mistral.mistral-large-2407-v1:0", image(), "images"),
        (&Ai21Jamba, JAMBA, image(), "images"),
        (&Ai21Jamba, JAMBA, result(vec![]), "results of tools"),
    ] {
        let problem = body(family, &asking(vec![block]), id).unwrap_err();
        let expected = format!("Unsupported content: this model can't take {word} through Bedrock's Invoke API.");
        assert_eq!(problem.message, expected, "{family:?}");
        assert_eq!(problem.code, Some("unsupported_parameter"));
    }
    let mut request = asking(vec![ContentBlock::Text(text("Hi"))]);
    request.tool_config = everything().tool_config;
    let problem = body(&Ai21Jamba, &request, JAMBA).unwrap_err();
    assert_eq!(problem.param.as_deref(), Some("tools"));
    request.tool_config = None;
    request.output_config.text_format = Some(JsonSchema {
        schema: text("{"),
        name: None,
        description: None,
    });
    let problem = body(&OpenAiChat, &request, GPT_OSS).unwrap_err();
    assert_eq!(problem.param.as_deref(), Some("response_format"));
}

const USAGE: &str = r#""usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}"#;

fn answer(message: &str, reason: &str) -> String {
    format!(r#"{{"id":"x","choices":[{{"index":0,"message":{message},{reason}}}],{USAGE}}}"#)
}

fn delta(delta: &str) -> String {
    format!(r#"{{"id":"x","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

fn delta_of(member: &str, piece: &str) -> String {
    delta(&format!(r#"{{"{member}":{}}}"#, JsonText::encode(piece).token()))
}

fn end(reason: &str) -> [String; 2] {
    [
        format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#),
        format!(r#"{{"choices":[],{USAGE}}}"#),
    ]
}

#[test]
fn text_with_or_without_thoughts_in_it_is_told_apart_however_it_is_cut() {
    for (content, expected) in [
        ("<reasoning>a<b</reasoning>\nÉ!", &["thought a<b None", "text É!"][..]),
        ("<think>hm</think>No", &["thought hm None", "text No"]),
        (" <thing>", &["text  <thing>"]),
        ("<reas", &["text <reas"]),
    ] {
        let message = format!(
            r#"{{"role":"assistant","content":{}}}"#,
            JsonText::encode(content).token()
        );
        let told = whole(&OpenAiChat, &answer(&message, r#""finish_reason":"stop""#));
        assert_eq!(told[..told.len() - 1], *expected);
        assert_eq!(told.last().unwrap(), "EndTurn 6+4+0 5");
        for pieces in cuts(content) {
            let mut chunks = vec![delta(r#"{"role":"assistant","content":""}"#)];
            chunks.extend(pieces.iter().map(|piece| delta_of("content", piece)));
            chunks.extend(end("stop"));
            assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), told, "{pieces:?}");
        }
    }
    let message = r#"{"content":"<think>hm</think>No"}"#;
    let told = whole(&MistralChat, &answer(message, r#""stop_reason":"length""#));
    assert_eq!(told, ["text <think>hm</think>No", "MaxTokens 6+4+0 5"]);
}

#[test]
fn thoughts_and_calls_with_members_of_their_own_say_the_same_streamed() {
    let arguments = r#"{"at":"é"}"#;
    let call = |id: &str, name: &str, arguments: &str| {
        let arguments = JsonText::encode(arguments);
        format!(
            r#"{{"id":"{id}","type":"function","function":{{"name":"{name}","arguments":{}}}}}"#,
            arguments.token()
        )
    };
    let message = format!(
        r#"{{"content":null,"tool_calls":[{},{}],"reasoning_content":"hm","reasoning":"hm"}}"#,
        call("c1", "look", arguments),
        call("", "stop", "")
    );
    let told = whole(
        &OpenAiChat,
        &answer(&message, r#""finish_reason":"tool_calls","stop_reason":null"#),
    );
    assert_eq!(
        told,
        [
            "thought hm None",
            "call c1 look {\"at\":\"é\"}",
            "call call_1_stop stop {}",
            "ToolUse 6+4+0 5"
        ]
    );
    for pieces in cuts(arguments) {
        let mut chunks = vec![delta_of("reasoning_content", "h"), delta_of("reasoning", "m")];
        chunks.push(delta(
            r#"{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""}}]}"#,
        ));
        for piece in pieces {
            let piece = JsonText::encode(piece);
            let function = format!(r#"{{"arguments":{}}}"#, piece.token());
            chunks.push(delta(&format!(
                r#"{{"tool_calls":[{{"index":0,"function":{function}}}]}}"#
            )));
        }
        chunks.push(delta(
            r#"{"tool_calls":[{"index":1,"id":null,"function":{"name":"stop"}}]}"#,
        ));
        chunks.extend(end("stop"));
        assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), told);
    }
}

#[test]
fn text_that_looked_like_a_tag_comes_before_the_call_behind_it() {
    let call = r#""tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]"#;
    let message = format!(r#"{{"content":"<","refusal":null,{call}}}"#);
    let told = whole(&OpenAiChat, &answer(&message, r#""finish_reason":"tool_calls""#));
    assert_eq!(told, ["text <", "call c f {}", "ToolUse 6+4+0 5"]);
    let mut chunks = vec![delta_of("content", "<"), delta(&format!("{{{call}}}"))];
    chunks.extend(end("tool_calls"));
    assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), told);
}

#[test]
fn mistrals_stream_has_messages_for_deltas_and_whole_calls_without_numbers() {
    let calls = concat!(
        r#""tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\": 1}"}},"#,
        r#"{"id":"b","function":{"name":"f","arguments":{"x":2}}}]"#
    );
    let message = format!(r#"{{"role":"assistant","content":"On it",{calls}}}"#);
    let told = whole(&MistralChat, &answer(&message, r#""stop_reason":"tool_calls""#));
    assert_eq!(told[..3], ["text On it", r#"call a f {"x": 1}"#, r#"call b f {"x":2}"#]);
    let chunks = [
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"On "},"stop_reason":null}]}"#.to_owned(),
        r#"{"choices":[{"index":0,"message":{"content":"it"},"stop_reason":null}]}"#.to_owned(),
        format!(
            r#"{{"choices":[{{"index":0,"message":{{"content":"",{calls}}},"stop_reason":"tool_calls"}}],{USAGE}}}"#
        ),
    ];
    assert_eq!(folded(&MistralChat, &chunks).unwrap(), told);
}

#[test]
fn jambas_answers_are_openais() {
    let told = whole(
        &Ai21Jamba,
        &answer(r#"{"role":"assistant","content":"Hi"}"#, r#""finish_reason":"length""#),
    );
    assert_eq!(told, ["text Hi", "MaxTokens 6+4+0 5"]);
    let mut chunks = vec![
        delta(r#"{"role":"assistant"}"#),
        delta_of("content", "H"),
        delta_of("content", "i"),
    ];
    chunks.extend(end("length"));
    assert_eq!(folded(&Ai21Jamba, &chunks).unwrap(), told);
}

#[test]
fn lists_of_parts_and_refusals_are_read() {
    let parts = concat!(
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Yes"},"#,
        r#"{"type":"thinking","thinking":"oh"},{"type":"text","text":"No"}]}"#
    );
    let told = whole(
        &OpenAiChat,
        &answer(parts, r#""finish_reason":"stop","stop_reason":"END""#),
    );
    assert_eq!(told[..4], ["thought hm None", "text Yes", "thought oh None", "text No"]);
    assert_eq!(told[4], "EndTurn 6+4+0 5");
    let mut chunks = vec![delta(parts)];
    chunks.extend(end("stop"));
    assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), told);

    let told = whole(
        &OpenAiChat,
        &answer(r#"{"content":null,"refusal":"I won't"}"#, r#""finish_reason":"stop""#),
    );
    assert_eq!(told, ["text I won't", "ContentFiltered 6+4+0 5"]);
    let mut chunks = vec![delta_of("refusal", "I "), delta_of("refusal", "won't")];
    chunks.extend(end("stop"));
    assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), told);
    let filtered = answer(r#"{"content":"x"}"#, r#""finish_reason":"content_filter""#);
    assert_eq!(whole(&OpenAiChat, &filtered)[1], "ContentFiltered 6+4+0 5");
}

fn piece(index: u64, rest: &str) -> String {
    delta(&format!(r#"{{"tool_calls":[{{"index":{index},{rest}}}]}}"#))
}

#[test]
fn pieces_of_calls_may_be_mixed() {
    let mut chunks = vec![
        piece(0, r#""id":"a","function":{"name":"f","arguments":""}"#),
        piece(1, r#""id":"b","function":{"name":"g"}"#),
        piece(0, r#""function":{"arguments":"{\"x\""}"#),
        piece(1, r#""function":{"arguments":"{\"y\":2}"}"#),
        piece(0, r#""function":{"arguments":":1}"}"#),
    ];
    chunks.extend(end("tool_calls"));
    assert_eq!(
        folded(&OpenAiChat, &chunks).unwrap(),
        [r#"call a f {"x":1}"#, r#"call b g {"y":2}"#, "ToolUse 6+4+0 5"]
    );
}

#[test]
fn a_piece_of_a_call_that_never_began_is_a_fault() {
    let mut chunks = OpenAiChat.chunks();
    let (mut said, mut sink) = (Said::default(), |_: Event<'_>| {});
    let mut read = |chunk: String| chunks.read(chunk.as_bytes(), &mut Sayings::new(&mut said, &mut sink));
    assert!(read(piece(0, r#""id":"a","function":{"name":"f"}"#)).is_ok());
    assert!(read(piece(1, r#""function":{"arguments":""}"#)).is_ok());
    assert!(read(piece(1, r#""function":{"arguments":"{}"}"#)).is_err());
}

#[test]
fn calls_without_ids_or_numbers_are_told_apart_by_their_names() {
    for index in ["", r#""index":0,"#] {
        let call = |name: &str, arguments: &str| {
            let arguments = JsonText::encode(arguments);
            let function = format!(r#"{{"name":"{name}","arguments":{}}}"#, arguments.token());
            delta(&format!(r#"{{"tool_calls":[{{{index}"function":{function}}}]}}"#))
        };
        let mut chunks = vec![
            call("f", r#"{"x":"#),
            // The name once more, as some servers have it in each piece.
            call("f", "1}"),
            call("g", r#"{"y":2}"#),
            call("g", r#"{"y":3}"#),
            call("h", ""),
        ];
        chunks.extend(end("tool_calls"));
        let expected = [
            r#"call call_0_f f {"x":1}"#,
            r#"call call_1_g g {"y":2}"#,
            r#"call call_2_g g {"y":3}"#,
            "call call_3_h h {}",
            "ToolUse 6+4+0 5",
        ];
        assert_eq!(folded(&OpenAiChat, &chunks).unwrap(), expected, "{index}");
    }
}

#[test]
fn arguments_that_were_cut_off_are_wrapped() {
    let message = r#"{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}"#;
    let told = whole(&OpenAiChat, &answer(message, r#""finish_reason":"length""#));
    assert_eq!(told, [r#"call c f {"arguments":"{\"a\":"}"#, "MaxTokens 6+4+0 5"]);
}

#[test]
fn what_is_no_answer_is_a_fault_and_a_stream_without_its_end_not_whole() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"error":{"message":"no"}}"#,
        r#"{"choices":[1]}"#,
    ] {
        assert!(OpenAiChat.reply(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(folded(&OpenAiChat, &[delta_of("content", "Hi")]), None);
    assert_eq!(folded(&OpenAiChat, &[delta_of("content", "<thi")]), None);
}
