use serde_json::{Value, json};

use super::compose;
use super::events::{Events, interleaved};
use super::reply::{Block, Reply};
use crate::models::Catalogue;
use crate::script::{Directions, Script};
use crate::validate;

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]})
}

fn answer(body: &Value) -> Reply {
    let target = Catalogue::new("us-east-1")
        .resolve("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
        .unwrap();
    let directions = Directions::read(body).unwrap();
    let text = directions.text.clone();
    compose::reply(
        body,
        body.to_string().as_bytes(),
        &text,
        &target,
        &Script::new(directions.actions(|_| 1)),
    )
}

const PROMPTS: [&str; 9] = [
    "Why is the sky blue?",
    "[[sim:tokens 100]]",
    r#"[[sim:reasoning Höhe 🏔]][[sim:text a b]][[sim:tool f {"a": [1, "x"]}]][[sim:tool g]]"#,
    "[[sim:text ]]",
    "[[sim:chunk 1]] 🏔 über",
    "[[sim:echo]]",
    "[[sim:redacted-reasoning]][[sim:text a]]",
    "[[sim:citation The sky is blue.]][[sim:text a]]",
    "[[sim:image]]",
];

#[test]
fn answers_are_as_the_service_model_says() {
    for prompt in PROMPTS {
        let reply = answer(&ask(prompt));
        validate::named("ConverseResponse", &reply.to_json()).unwrap();
        for event in Events::new(reply.clone(), None, Vec::new()) {
            validate::named("ConverseStreamOutput", &json!({event.name: event.payload})).unwrap();
        }
    }
}

#[test]
fn a_stream_folds_into_the_whole_answer() {
    for prompt in PROMPTS {
        for chunk in [None, Some(1), Some(7)] {
            let reply = answer(&ask(prompt));
            assert_eq!(
                fold(Events::new(reply.clone(), chunk, Vec::new())),
                reply.blocks,
                "{prompt}"
            );
        }
    }
}

/// What a client makes of a stream's events.
fn fold(events: Events) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut arguments = String::new();
    for event in events {
        let text = |pointer: &str| event.payload.pointer(pointer).and_then(Value::as_str);
        let index = event.payload["contentBlockIndex"].as_u64().unwrap_or(0) as usize;
        if let Some(id) = text("/start/toolUse/toolUseId") {
            let name = text("/start/toolUse/name").unwrap().to_owned();
            blocks.push(Block::ToolUse {
                id: id.to_owned(),
                name,
                input: json!({}),
                raw: None,
            });
        }
        if let Some(piece) = text("/delta/text") {
            if blocks.len() == index {
                blocks.push(Block::Text(String::new()));
            }
            let Block::Text(text) = &mut blocks[index] else {
                panic!("a text in another block")
            };
            text.push_str(piece);
        }
        if let Some(citation) = event.payload.pointer("/delta/citation") {
            let Some(Block::Text(text)) = blocks.pop() else {
                panic!("a citation without a text")
            };
            let citation = citation.clone();
            blocks.push(Block::Citation { text, citation });
        }
        if let Some(content) = text("/delta/reasoningContent/redactedContent") {
            blocks.push(Block::Redacted {
                content: content.to_owned(),
                hidden_tokens: 50,
            });
        }
        if let Some(bytes) = text("/delta/image/source/bytes") {
            blocks.push(Block::Image(bytes.to_owned()));
        }
        if let Some(piece) = text("/delta/reasoningContent/text") {
            if blocks.len() == index {
                blocks.push(Block::Reasoning {
                    text: String::new(),
                    signature: None,
                    hidden_tokens: 0,
                });
            }
            let Block::Reasoning { text, .. } = &mut blocks[index] else {
                panic!("reasoning in another block")
            };
            text.push_str(piece);
        }
        if let (Some(given), Some(Block::Reasoning { signature, .. })) =
            (text("/delta/reasoningContent/signature"), blocks.last_mut())
        {
            *signature = Some(given.to_owned());
        }
        arguments.push_str(text("/delta/toolUse/input").unwrap_or_default());
        if event.name == "contentBlockStop"
            && let Some(Block::ToolUse { input, .. }) = blocks.last_mut()
            && !arguments.is_empty()
        {
            *input = serde_json::from_str(&std::mem::take(&mut arguments)).unwrap();
        }
        // An empty text shows only in its end.
        if event.name == "contentBlockStop" && blocks.len() == index {
            blocks.push(Block::Text(String::new()));
        }
    }
    blocks
}

#[test]
fn limits_and_stop_sequences_cut_the_answer() {
    let mut body = ask("[[sim:text one two three]]");
    body["inferenceConfig"] = json!({"maxTokens": 1, "stopSequences": ["three"]});
    let reply = answer(&body);
    assert_eq!(
        (reply.stop_reason.as_str(), &reply.blocks[..]),
        ("max_tokens", &[Block::Text("one ".to_owned())][..])
    );
    body["inferenceConfig"]["maxTokens"] = 100.into();
    let reply = answer(&body);
    assert_eq!(reply.stop_reason, "stop_sequence");
    assert_eq!(reply.blocks, [Block::Text("one two ".to_owned())]);
}

#[test]
fn a_stop_reason_can_be_given() {
    assert_eq!(
        answer(&ask("[[sim:stop content_filtered]]")).stop_reason,
        "content_filtered"
    );
}

#[test]
fn an_echo_is_the_body_byte_for_byte() {
    let body = ask("[[sim:echo]]");
    assert_eq!(answer(&body).blocks, [Block::Text(body.to_string())]);
}

#[test]
fn thinking_gives_reasoning_first() {
    let mut body = ask("Hello");
    body["additionalModelRequestFields"] = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    assert!(matches!(
        answer(&body).blocks[..],
        [Block::Reasoning { .. }, Block::Text(_)]
    ));
}

#[test]
fn blocks_can_have_other_numbers() {
    let reply = answer(&ask("[[sim:text a]][[sim:tool f]][[sim:tool g]][[sim:text b]]"));
    let numbers = |given: &[usize]| -> Vec<u64> {
        let events = Events::new(reply.clone(), None, given.to_vec());
        let stops = events.filter(|event| event.name == "contentBlockStop");
        stops
            .map(|event| event.payload["contentBlockIndex"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&[]), [0, 1, 2, 3]);
    assert_eq!(numbers(&[0, 1, 3]), [0, 1, 3, 4]);
}

#[test]
fn calls_can_take_turns() {
    let prompt = r#"[[sim:text a]][[sim:tool f {"a": "0123456789"}]][[sim:tool g {"b": 1}]]"#;
    let events: Vec<_> = interleaved(Events::new(answer(&ask(prompt)), Some(6), Vec::new())).collect();
    let seen: Vec<String> = events
        .iter()
        .map(|event| format!("{} {}", event.name, event.payload["contentBlockIndex"]))
        .collect();
    let calls = [
        "contentBlockStart 1",
        "contentBlockStart 2",
        "contentBlockDelta 1",
        "contentBlockDelta 2",
        "contentBlockDelta 1",
        "contentBlockDelta 2",
        "contentBlockDelta 1",
        "contentBlockStop 2",
        "contentBlockStop 1",
    ];
    assert_eq!(seen[3..12], calls);
    assert_eq!(events.last().unwrap().name, "metadata");
}

#[test]
fn arguments_can_be_broken() {
    let reply = answer(&ask(r#"[[sim:raw-tool f {"a": ]]"#));
    let streamed: String = Events::new(reply, None, Vec::new())
        .filter_map(|event| Some(event.payload.pointer("/delta/toolUse/input")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(streamed, r#"{"a":"#);
}
