//! A streamed answer, put together, is the whole one: for each way in which a request changes the way back.

use outcrop_bedrock::converse::ConverseResponse;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Endpoint, Problem, StreamTranslator};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::client::{fold, read_stream};
use crate::plan;
use crate::said::{Block, Said, json_object, said};
use crate::streams::stream;

/// What a client makes of an answer: message, finish reason and usage, or an error.
pub(crate) type Made = Result<(Value, Value, Value), Value>;

/// A request to `model` that asks for a stream and its usage, with `more`.
fn request(model: &str, more: &Value) -> Value {
    let mut request = json!({
        "model": model,
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

/// Asserts that what the client gets is the same: whole, from Bedrock's stream, and streamed from Bedrock's whole
/// reply, as for models that can't stream what was asked for.
fn assert_same(request: &Value, said: &Said) {
    let reply = serde_json::to_vec(&said.reply()).unwrap();
    let reply = || ConverseResponse::parse(&reply).unwrap();
    let whole = whole(ChatCompletions::response(&plan(request).unwrap().memo, &[reply()]));
    let from_stream = stream(plan(request).unwrap(), std::iter::once(said.bytes().as_slice()));
    assert_eq!(streamed(&from_stream), whole, "Bedrock's stream:\n{from_stream}");
    let (mut events, mut out) = (ChatCompletions::stream(plan(request).unwrap().memo), Vec::new());
    for event in reply().into_events() {
        events.push(0, event, &mut out);
    }
    if let Err(problem) = events.finish(&mut out) {
        events.fail(&problem, &mut out);
    }
    let from_reply = String::from_utf8(out).unwrap();
    assert_eq!(streamed(&from_reply), whole, "a whole reply, streamed:\n{from_reply}");
}

pub(crate) fn whole(answer: Result<Vec<u8>, Problem>) -> Made {
    let answer: Value = match answer {
        Ok(answer) => serde_json::from_slice(&answer).unwrap(),
        Err(problem) => return Err(serde_json::from_slice(&ChatCompletions::error(&problem)).unwrap()),
    };
    let choice = &answer["choices"][0];
    let message = comparable(choice["message"].clone());
    Ok((message, choice["finish_reason"].clone(), answer["usage"].clone()))
}

pub(crate) fn streamed(sse: &str) -> Made {
    let (chunks, is_done) = read_stream(sse);
    if let Some(error) = chunks.last().filter(|last| last["error"].is_object()) {
        assert!(!is_done, "an answer that failed is not done");
        return Err(error.clone());
    }
    let (message, finish_reason, usage) = fold(sse);
    Ok((comparable(message), finish_reason, usage))
}

/// A message without the differences that no client minds.
pub(crate) fn comparable(mut message: Value) -> Value {
    // A stream can't take back the empty text that it starts with.
    if message["content"].is_null() {
        message["content"] = json!("");
    }
    // How JSON is spaced is the model's affair.
    let content = message["content"]
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(document) = content.filter(|document| document.is_object() || document.is_array()) {
        message["content"] = document;
    }
    for call in message
        .get_mut("tool_calls")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let arguments = call["function"]["arguments"].as_str().unwrap();
        call["function"]["arguments"] = serde_json::from_str(arguments).unwrap();
    }
    let members = message.as_object_mut().unwrap();
    // Thoughts that are empty are not sent.
    if members.get("reasoning_content") == Some(&json!("")) {
        members.remove("reasoning_content");
    }
    // Thoughts without any proof are of no use to the model; a stream doesn't know yet that none will come.
    let blocks = members.get("thinking_blocks").and_then(Value::as_array);
    let is_proved = |block: &Value| block.get("signature").is_some() || block["type"] == "redacted_thinking";
    if !blocks.is_some_and(|blocks| blocks.iter().any(is_proved)) {
        members.remove("thinking_blocks");
    }
    message
}

// What a model says, where a part of it is chosen.

fn any_stop_reason() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
    ])
}

/// Texts of few letters, in which a stop sequence is likely.
fn texts() -> impl Strategy<Value = Vec<Block>> {
    let pieces = prop::collection::vec("[abé ]{1,4}", 1..6);
    prop::collection::vec(pieces.prop_map(Block::Text), 0..3)
}

fn thoughts() -> impl Strategy<Value = Vec<Block>> {
    let pieces = prop::collection::vec(".{1,6}", 1..4);
    let unsigned = |pieces| Block::Reasoning {
        pieces,
        signature: None,
    };
    prop::collection::vec(pieces.prop_map(unsigned), 0..3)
}

fn proved_thoughts() -> impl Strategy<Value = Vec<Block>> {
    let signed = (prop::collection::vec(any::<String>(), 0..4), "[a-zA-Z0-9]{1,12}");
    let block = prop_oneof![
        2 => signed.prop_map(|(pieces, signature)| Block::Reasoning { pieces, signature: Some(signature) }),
        1 => "[a-zA-Z0-9]{4}".prop_map(Block::Redacted),
    ];
    prop::collection::vec(block, 0..4)
}

fn call(name: &'static str, input: impl Strategy<Value = Value>) -> impl Strategy<Value = Block> {
    let call = ("[a-zA-Z0-9]{1,8}", input, prop::collection::vec(any::<Index>(), 0..5));
    call.prop_map(move |(id, input, cuts)| Block::ToolUse {
        id,
        name: name.to_owned(),
        input,
        cuts,
    })
}

fn calls() -> impl Strategy<Value = Vec<Block>> {
    prop::collection::vec(call("look", json_object()), 0..3)
}

/// These blocks, in this order.
fn in_order(blocks: impl Strategy<Value = Vec<Vec<Block>>>) -> impl Strategy<Value = Said> {
    (blocks, any_stop_reason(), any::<[u32; 4]>()).prop_map(|(blocks, stop_reason, usage)| Said {
        blocks: blocks.concat(),
        stop_reason,
        usage,
    })
}

/// An answer in the form of `{"name": …}`, or in another.
fn answers(is_wrapped: bool) -> impl Strategy<Value = Value> {
    let fitting = any::<String>().prop_map(|name| json!({"name": name}));
    let answer = prop_oneof![3 => fitting, 1 => json_object()];
    answer.prop_map(move |answer| if is_wrapped { json!({"value": [answer]}) } else { answer })
}

fn tool_named_look() -> Value {
    json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}])
}

/// Asks for `{"name": …}`, or a list of such.
fn form(is_wrapped: bool, is_strict: bool) -> Value {
    let object = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let schema = if is_wrapped {
        json!({"type": "array", "items": object})
    } else {
        object
    };
    json!({"type": "json_schema", "json_schema": {"name": "rock", "strict": is_strict, "schema": schema}})
}

const NOVA: &str = "us.amazon.nova-lite-v1:0";
const LLAMA: &str = "meta.llama3-1-70b-instruct-v1:0";
const DEEPSEEK: &str = "deepseek.v3-v1:0";
const CLAUDE: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";

proptest! {
    #[test]
    fn of_a_plain_request(said in said()) {
        assert_same(&request(NOVA, &json!({})), &said);
    }

    #[test]
    fn where_the_gateway_stops_the_text_itself(
        said in in_order((thoughts(), texts(), calls()).prop_map(|(a, b, c)| vec![a, b, c])),
        stop in prop::collection::vec("[abé ]{1,3}", 1..3),
    ) {
        assert_same(&request(LLAMA, &json!({"stop": stop, "tools": tool_named_look()})), &said);
    }

    #[test]
    fn where_an_answer_was_begun(
        said in in_order((thoughts(), texts(), calls()).prop_map(|(a, b, c)| vec![a, b, c])), begun in "[abé]{1,3}",
    ) {
        let messages = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": begun}]);
        assert_same(&request("us.anthropic.claude-opus-4-7", &json!({"messages": messages})), &said);
    }

    #[test]
    fn where_a_tool_takes_the_answer(
        said in prop_oneof![
            in_order((texts(), call("answer_in_json", answers(false))).prop_map(|(a, b)| vec![a, vec![b]])),
            in_order((texts(), calls()).prop_map(|(a, b)| vec![a, b])),
            in_order(answers(false).prop_map(|answer| vec![vec![Block::Text(vec![answer.to_string()])]])),
        ],
        is_strict in any::<bool>(),
    ) {
        let more = json!({"response_format": form(false, is_strict), "tools": tool_named_look()});
        assert_same(&request(NOVA, &more), &said);
    }

    #[test]
    fn where_a_tool_takes_an_answer_that_is_wrapped(
        mut said in in_order((texts(), call("answer_in_json", answers(true))).prop_map(|(a, b)| vec![a, vec![b]])),
        cut in any::<bool>(),
    ) {
        said.stop_reason = if cut { "end_turn" } else { "tool_use" };
        assert_same(&request(NOVA, &json!({"response_format": form(true, true)})), &said);
    }

    #[test]
    fn where_the_model_knows_the_form_or_is_asked_for_it_in_words(
        said in in_order((thoughts(), answers(false)).prop_map(|(thoughts, answer)| {
            let letters: Vec<String> = answer.to_string().chars().map(String::from).collect();
            vec![thoughts, vec![Block::Text(letters)]]
        })),
        is_strict in any::<bool>(), model in prop::sample::select(vec![LLAMA, DEEPSEEK]),
    ) {
        assert_same(&request(model, &json!({"response_format": form(false, is_strict)})), &said);
    }

    #[test]
    fn where_thoughts_stand_between_tags(
        said in in_order((thoughts(), texts(), calls()).prop_map(|(a, b, c)| vec![a, b, c])),
    ) {
        let more = json!({"include_thinking_data": true, "tools": tool_named_look()});
        assert_same(&request(DEEPSEEK, &more), &said);
    }

    #[test]
    fn where_thoughts_are_signed(
        said in in_order(
            (proved_thoughts(), texts(), proved_thoughts(), calls()).prop_map(|(a, b, c, d)| vec![a, b, c, d])
        ),
    ) {
        let more = json!({"reasoning_effort": "low", "max_tokens": 4096, "tools": tool_named_look()});
        assert_same(&request(CLAUDE, &more), &said);
    }

    #[test]
    fn where_tools_are_out_of_reach(said in said()) {
        assert_same(&request(NOVA, &json!({"tools": tool_named_look(), "tool_choice": "none"})), &said);
    }
}
