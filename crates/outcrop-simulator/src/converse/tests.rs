use serde_json::{Value, json};

use super::compose;
use super::events::Events;
use super::reply::{Block, Reply};
use crate::models::Catalogue;
use crate::script::{Marked, Script, last_user_text};
use crate::validate;

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]})
}

fn answer(body: &Value) -> Reply {
    let target = Catalogue::new("us-east-1")
        .resolve("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
        .unwrap();
    let marked = Marked::read(&last_user_text(body)).unwrap();
    compose::reply(
        body,
        body.to_string().as_bytes(),
        &marked.text,
        &target,
        &Script::new(marked.actions),
    )
}

const PROMPTS: [&str; 6] = [
    "Why is the sky blue?",
    "[[sim:tokens 100]]",
    r#"[[sim:reasoning Höhe 🏔]][[sim:text a b]][[sim:tool f {"a": [1, "x"]}]][[sim:tool g]]"#,
    "[[sim:text ]]",
    "[[sim:chunk 1]] 🏔 über",
    "[[sim:echo]]",
];

#[test]
fn answers_are_as_the_service_model_says() {
    for prompt in PROMPTS {
        let reply = answer(&ask(prompt));
        validate::named("ConverseResponse", &reply.to_json()).unwrap();
        for event in Events::new(reply.clone(), None) {
            validate::named("ConverseStreamOutput", &json!({event.name: event.payload})).unwrap();
        }
    }
}

#[test]
fn a_stream_folds_into_the_whole_answer() {
    for prompt in PROMPTS {
        for chunk in [None, Some(1), Some(7)] {
            let reply = answer(&ask(prompt));
            assert_eq!(fold(Events::new(reply.clone(), chunk)), reply.blocks, "{prompt}");
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
        if let Some(piece) = text("/delta/reasoningContent/text") {
            if blocks.len() == index {
                blocks.push(Block::Reasoning {
                    text: String::new(),
                    signature: None,
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
