//! Laws that hold for every request, every stream and every way in which its bytes may be cut.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the lints only know functions that are tests themselves"
)]

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use outcrop_bedrock::converse::{ConverseResponse, Event};
use outcrop_bedrock::frame::FrameDecoder;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Context, Endpoint, Halt, Plan, Problem, ProblemKind, StreamTranslator};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const CONTEXT: Context<'static> = Context {
    unique: 7,
    created: 1_800_000_000,
    path_model: None,
    max_choices: 8,
    advisor: None,
    remote: None,
    repair: None,
};

type ChatPlan = Plan<<ChatCompletions as Endpoint>::Memo>;

fn plan(request: &Value) -> Result<ChatPlan, Halt> {
    ChatCompletions::plan(&serde_json::to_vec(request).unwrap().into(), &CONTEXT)
}

fn valid_plan(include_usage: bool) -> ChatPlan {
    plan(&json!({
        "model": "us.amazon.nova-lite-v1:0",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "stream_options": {"include_usage": include_usage},
    }))
    .unwrap()
}

// What a model says: whole, and as the events that say the same.

#[derive(Clone, Debug)]
enum Block {
    Text(Vec<String>),
    Reasoning(Vec<String>),
    ToolUse {
        id: String,
        name: String,
        input: Value,
        cuts: Vec<Index>,
    },
    Unknown,
}

#[derive(Clone, Debug)]
struct Said {
    blocks: Vec<Block>,
    stop_reason: &'static str,
    usage: [u32; 4],
}

fn json_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..3).prop_map(Value::from_iter),
        ]
    });
    prop::collection::vec((any::<String>(), value), 0..4).prop_map(Value::from_iter)
}

fn said() -> impl Strategy<Value = Said> {
    let pieces = || prop::collection::vec(any::<String>(), 0..5);
    let block = prop_oneof![
        3 => pieces().prop_map(Block::Text),
        1 => pieces().prop_map(Block::Reasoning),
        2 => ("[a-zA-Z0-9_.:-]{1,20}", "[a-zA-Z0-9_-]{1,12}", json_object(), prop::collection::vec(any::<Index>(), 0..5))
            .prop_map(|(id, name, input, cuts)| Block::ToolUse { id, name, input, cuts }),
        1 => Just(Block::Unknown),
    ];
    let stop_reason = prop::sample::select(vec![
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
        "content_filtered",
        "model_context_window_exceeded",
        "a_reason_of_tomorrow",
    ]);
    (prop::collection::vec(block, 0..5), stop_reason, any::<[u32; 4]>()).prop_map(|(blocks, stop_reason, usage)| Said {
        blocks,
        stop_reason,
        usage,
    })
}

impl Said {
    fn usage(&self) -> Value {
        let [input, output, read, write] = self.usage;
        json!({
            "inputTokens": input,
            "outputTokens": output,
            "totalTokens": 0,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": write,
        })
    }

    /// The whole reply.
    fn reply(&self) -> Value {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Text(pieces) => json!({"text": pieces.concat()}),
            Block::Reasoning(pieces) => json!({"reasoningContent": {"reasoningText": {"text": pieces.concat()}}}),
            Block::ToolUse { id, name, input, .. } => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
            }
            Block::Unknown => json!({"somethingNew": {"x": [1]}}),
        });
        json!({
            "output": {"message": {"role": "assistant", "content": blocks.collect::<Vec<_>>()}},
            "stopReason": self.stop_reason,
            "usage": self.usage(),
            "metrics": {"latencyMs": 1},
        })
    }

    /// The events, by name and payload.
    fn events(&self) -> Vec<(&'static str, Value)> {
        let mut events = vec![("messageStart", json!({"role": "assistant"}))];
        for (index, block) in self.blocks.iter().enumerate() {
            let delta = |delta: Value| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
            match block {
                Block::Text(pieces) => events.extend(pieces.iter().map(|text| delta(json!({"text": text})))),
                Block::Reasoning(pieces) => events.extend(
                    pieces
                        .iter()
                        .map(|text| delta(json!({"reasoningContent": {"text": text}}))),
                ),
                Block::ToolUse { id, name, input, cuts } => {
                    let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                    events.push(("contentBlockStart", json!({"contentBlockIndex": index, "start": start})));
                    // Bedrock sends nothing at all for empty arguments.
                    if input.as_object().is_some_and(|input| !input.is_empty()) {
                        let letters: Vec<char> = input.to_string().chars().collect();
                        events.extend(
                            pieces(&letters, cuts)
                                .map(|piece| delta(json!({"toolUse": {"input": piece.iter().collect::<String>()}}))),
                        );
                    }
                }
                Block::Unknown => events.push(delta(json!({"somethingNew": {"x": [1]}}))),
            }
            events.push(("contentBlockStop", json!({"contentBlockIndex": index})));
        }
        events.push(("messageStop", json!({"stopReason": self.stop_reason})));
        events.push(("metadata", json!({"usage": self.usage(), "metrics": {"latencyMs": 1}})));
        events
    }

    /// The events as bytes on the wire.
    fn bytes(&self) -> Vec<u8> {
        let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
        let mut bytes = Vec::new();
        for (name, payload) in self.events() {
            let message = Message::new(serde_json::to_vec(&payload).unwrap())
                .add_header(header(":event-type", name))
                .add_header(header(":content-type", "application/json"))
                .add_header(header(":message-type", "event"));
            write_message_to(&message, &mut bytes).unwrap();
        }
        bytes
    }
}

/// `whole` in pieces.
fn pieces<'a, T>(whole: &'a [T], cuts: &[Index]) -> impl Iterator<Item = &'a [T]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
    ends.push(whole.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(move |end| &whole[std::mem::replace(&mut start, end)..end])
}

/// The client's bytes for an answer that comes as these pieces of bytes.
fn stream<'a>(plan: ChatPlan, pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let (mut decoder, mut stream, mut out) = (FrameDecoder::default(), ChatCompletions::stream(plan.memo), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame().unwrap() {
            stream.push(0, Event::parse(frame.name, frame.payload).unwrap(), &mut out);
        }
    }
    decoder.finish().unwrap();
    stream.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

// A client, no larger than it must be.

/// The JSON of each `data:` line, and whether `[DONE]` was the last.
fn read_stream(sse: &str) -> (Vec<Value>, bool) {
    let mut lines: Vec<&str> = sse.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let done = lines.last() == Some(&"[DONE]");
    if done {
        lines.pop();
    }
    let chunks = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    (chunks.collect(), done)
}

/// Puts a streamed answer together as OpenAI's SDKs do: message, finish reason and usage.
fn fold(sse: &str) -> (Value, Value, Value) {
    let (mut message, mut finish_reason, mut usage) = (json!({}), Value::Null, Value::Null);
    for chunk in read_stream(sse).0 {
        if !chunk["usage"].is_null() {
            usage = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().unwrap() {
            if !choice["finish_reason"].is_null() {
                assert!(finish_reason.is_null(), "a choice finishes once");
                finish_reason = choice["finish_reason"].clone();
            }
            accumulate(&mut message, &choice["delta"]);
        }
    }
    (message, finish_reason, usage)
}

/// Texts grow, lists grow by their `index`, the rest is set.
fn accumulate(whole: &mut Value, delta: &Value) {
    for (key, part) in delta.as_object().unwrap() {
        let slot = &mut whole[key];
        match (slot, part) {
            (Value::String(text), Value::String(more)) => text.push_str(more),
            (slot, Value::Array(items)) => {
                for item in items {
                    let index = usize::try_from(item["index"].as_u64().unwrap()).unwrap();
                    let list = slot.as_array().map_or(0, Vec::len);
                    assert!(index <= list, "tool calls are numbered without a gap");
                    if slot.is_null() {
                        *slot = json!([]);
                    }
                    if index == list {
                        slot.as_array_mut().unwrap().push(json!({}));
                    }
                    let mut item = item.clone();
                    item.as_object_mut().unwrap().remove("index");
                    accumulate(&mut slot[index], &item);
                }
            }
            (slot, Value::Object(_)) => {
                if slot.is_null() {
                    *slot = json!({});
                }
                accumulate(slot, part);
            }
            (slot, part) => *slot = part.clone(),
        }
    }
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_stream(
        said in said(), include_usage in any::<bool>(), cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let bytes = said.bytes();
        let whole = stream(valid_plan(include_usage), std::iter::once(bytes.as_slice()));
        prop_assert_eq!(&stream(valid_plan(include_usage), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(valid_plan(include_usage), bytes.chunks(1)), &whole);
    }

    #[test]
    fn a_stream_put_together_is_the_whole_answer(said in said()) {
        let reply = serde_json::to_vec(&said.reply()).unwrap();
        let plan = valid_plan(true);
        let reply = ConverseResponse::parse(&reply).unwrap();
        let answer = ChatCompletions::response(&plan.memo, &[reply]).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let mut choice = answer["choices"][0].clone();
        let message = choice["message"].as_object_mut().unwrap();
        // A stream can't take back the empty text that it starts with, nor send thoughts that are empty.
        if message["content"].is_null() {
            message["content"] = json!("");
        }
        if message.get("reasoning_content") == Some(&json!("")) {
            message.remove("reasoning_content");
        }
        let (mut folded, finish_reason, usage) = fold(&stream(plan, std::iter::once(said.bytes().as_slice())));
        if folded.get("reasoning_content") == Some(&json!("")) {
            folded.as_object_mut().unwrap().remove("reasoning_content");
        }
        // Compared as JSON: how it is spaced is the model's affair.
        for message in [&mut choice["message"], &mut folded] {
            for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                let arguments = call["function"]["arguments"].as_str().unwrap();
                call["function"]["arguments"] = serde_json::from_str(arguments).unwrap();
            }
        }
        prop_assert_eq!(&folded, &choice["message"]);
        prop_assert_eq!(&finish_reason, &choice["finish_reason"]);
        prop_assert_eq!(&usage, &answer["usage"]);
    }

    #[test]
    fn every_stream_ends_once(
        events in prop::collection::vec((0_usize..3, any::<Index>(), said()), 0..30),
        choices in 1_usize..3, include_usage in any::<bool>(), fails in any::<bool>(),
    ) {
        let request = json!({
            "model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "n": choices,
            "stream_options": {"include_usage": include_usage},
        });
        let memo = plan(&request).unwrap().memo;
        let (mut stream, mut out) = (ChatCompletions::stream(memo), Vec::new());
        for (choice, at, said) in &events {
            // Events in an order that no Bedrock ever sends.
            let all = said.events();
            let (name, payload) = at.get(&all);
            let payload = serde_json::to_vec(payload).unwrap();
            stream.push(*choice, Event::parse(name, &payload).unwrap(), &mut out);
            stream.keep_alive(&mut out);
        }
        if fails {
            stream.fail(&Problem::new(502, ProblemKind::Server, "It \"broke\".\n"), &mut out);
        } else {
            prop_assert!(stream.finish(&mut out).is_ok());
        }
        let sse = String::from_utf8(out).unwrap();
        prop_assert!(sse.ends_with("\n\n"));
        prop_assert_eq!(sse.matches("[DONE]").count(), usize::from(!fails));
        let (chunks, done) = read_stream(&sse);
        prop_assert_eq!(done, !fails);
        prop_assert_eq!(chunks.last().is_some_and(|last| last["error"].is_object()), fails);
        prop_assert_eq!(chunks.iter().filter(|chunk| chunk["error"].is_object()).count(), usize::from(fails));
        for choice in 0..choices {
            let finished = chunks.iter().filter(|chunk| {
                chunk["choices"][0]["index"] == json!(choice) && !chunk["choices"][0]["finish_reason"].is_null()
            });
            prop_assert!(finished.count() <= 1);
        }
    }
}

// Requests.

/// A request that uses everything.
fn rich_request() -> Value {
    json!({
        "model": "us.amazon.nova-lite-v1:0",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "name": "ada", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "detail": "low"}},
            ]},
            {"role": "assistant", "content": null, "refusal": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"deep\": true}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "a stone"},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "n": 2,
        "max_tokens": 10,
        "max_completion_tokens": 20,
        "temperature": 0.5,
        "top_p": 0.5,
        "stop": ["END"],
        "stop_sequences": "\n\n",
        "tools": [{"type": "function", "function": {
            "name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": false,
        }}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "user": "ada",
        "metadata": {"team": "geology"},
        "extra_body": {"top_k": 5},
        "response_format": {"type": "text"},
        "seed": 1,
        "logit_bias": {},
        "thinking": {"type": "enabled"},
    })
}

/// The places of all values in `value`.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            // Keys that a pointer would have to escape stay as they are.
            for (key, member) in members.iter().filter(|(key, _)| !key.contains(['/', '~'])) {
                pointers(member, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        json_object(),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            json!([]),
            json!({}),
            json!(""),
            json!([""]),
            json!([{}]),
            json!("auto"),
            json!("none"),
            json!("required"),
            json!("text"),
            json!("data:image/png;base64,"),
            json!("data:,"),
            json!("{"),
            json!("assistant"),
        ]),
    ]
}

/// A request with some values replaced or left out.
fn mutated() -> impl Strategy<Value = Value> {
    prop::collection::vec((any::<Index>(), prop::option::of(any_json())), 0..4).prop_map(|changes| {
        let mut request = rich_request();
        for (place, new) in changes {
            let mut places = Vec::new();
            pointers(&request, "", &mut places);
            let place = place.get(&places);
            match (new, place.rsplit_once('/')) {
                (Some(new), _) => *request.pointer_mut(place).unwrap() = new,
                (None, Some((parent, last))) => match request.pointer_mut(parent).unwrap() {
                    Value::Object(members) => drop(members.remove(last)),
                    Value::Array(items) => drop(items.remove(last.parse().unwrap())),
                    _ => {}
                },
                (None, None) => {}
            }
        }
        request
    })
}

/// What must be true of whatever comes of a body.
fn check_plan(body: &[u8]) {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    match ChatCompletions::plan(&Bytes::copy_from_slice(body), &CONTEXT) {
        Ok(plan) => {
            assert!(parsed.is_some(), "what is no JSON is refused");
            let call: Value = serde_json::from_slice(&plan.body.to_vec()).expect("a call's body is JSON");
            let messages = call["messages"].as_array().unwrap();
            let roles: Vec<&str> = messages
                .iter()
                .map(|message| message["role"].as_str().unwrap())
                .collect();
            assert_eq!(roles[0], "user");
            assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "roles take turns");
            for message in messages {
                let content = message["content"].as_array().unwrap();
                assert!(!content.is_empty());
                assert!(
                    content
                        .iter()
                        .all(|block| block["text"].as_str().is_none_or(|text| !text.trim().is_empty()))
                );
            }
            assert!((1..=CONTEXT.max_choices).contains(&plan.choices));
            assert!(
                plan.notes.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)),
                "notes fit a header"
            );
        }
        Err(Halt::Fetch(urls)) => assert!(!urls.is_empty()),
        Err(Halt::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            let body: Value = serde_json::from_slice(&ChatCompletions::error(&problem)).expect("an error is JSON");
            assert_eq!(body["error"]["message"].as_str(), Some(problem.message.as_str()));
            if parsed.is_some_and(|parsed| parsed.is_object()) {
                assert!(
                    problem.param.is_some(),
                    "well-formed, so there is a field to blame: {problem:?}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_planned_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        check_plan(&body);
    }

    #[test]
    fn any_json_is_planned_or_refused(body in any_json()) {
        check_plan(&serde_json::to_vec(&body).unwrap());
    }

    #[test]
    fn a_changed_request_is_planned_or_refused_with_the_field(request in mutated()) {
        check_plan(&serde_json::to_vec(&request).unwrap());
    }

    #[test]
    fn a_damaged_request_is_planned_or_refused(
        request in mutated(), at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut body = serde_json::to_vec(&request).unwrap();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        check_plan(&body);
    }

    #[test]
    fn a_request_always_gives_the_same_plan(request in mutated()) {
        let (one, other) = (plan(&request), plan(&request));
        match (one, other) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(one.body, other.body);
                prop_assert_eq!((one.operation, one.model_id, one.choices), (other.operation, other.model_id, other.choices));
                prop_assert_eq!((format!("{:?}", one.memo), one.notes), (format!("{:?}", other.memo), other.notes));
            }
            (one, other) => prop_assert_eq!(one.err(), other.err()),
        }
    }

    #[test]
    fn texts_reach_bedrock_unchanged(
        system in any::<String>(), user in any::<String>(), assistant in any::<String>(), result in any::<String>(),
        stop in any::<String>(), input in json_object(), schema in json_object(), description in any::<String>(),
        parameter in any::<String>(), ascii in any::<bool>(),
    ) {
        let full = |text: &str| format!("x{text}");
        let request = json!({
            "model": "us.amazon.nova-lite-v1:0",
            "messages": [
                {"role": "system", "content": full(&system)},
                {"role": "user", "content": full(&user)},
                {"role": "assistant", "content": full(&assistant), "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": input.to_string()}},
                ]},
                {"role": "tool", "tool_call_id": "call_1", "content": full(&result)},
            ],
            "stop": full(&stop),
            "tools": [{"type": "function", "function": {
                "name": "f", "description": full(&description), "parameters": {"type": "object", "x": schema},
            }}],
            format!("x-{parameter}"): {"value": parameter},
        });
        let body = request.to_string();
        let body = if ascii { escape(&body) } else { body };
        let plan = ChatCompletions::plan(&Bytes::copy_from_slice(body.as_bytes()), &CONTEXT).unwrap();
        let call: Value = serde_json::from_slice(&plan.body.to_vec()).unwrap();
        prop_assert_eq!(call, json!({
            "messages": [
                {"role": "user", "content": [{"text": full(&user)}]},
                {"role": "assistant", "content": [
                    {"text": full(&assistant)},
                    {"toolUse": {"toolUseId": "call_1", "name": "f", "input": input}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": full(&result)}]}},
                ]},
            ],
            "system": [{"text": full(&system)}],
            "inferenceConfig": {"stopSequences": [full(&stop)]},
            "toolConfig": {"tools": [{"toolSpec": {
                "name": "f",
                "description": full(&description),
                "inputSchema": {"json": {"type": "object", "x": schema}},
            }}]},
            "additionalModelRequestFields": {format!("x-{parameter}"): {"value": parameter}},
        }));
    }
}

/// The same JSON in ASCII, as Python's `json.dumps` writes it.
fn escape(json: &str) -> String {
    let mut units = [0; 2];
    json.chars()
        .map(|letter| match letter {
            ' '..='~' => letter.to_string(),
            _ => letter
                .encode_utf16(&mut units)
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        })
        .collect()
}

#[test]
fn a_large_image_is_carried_and_not_copied() {
    let pixels = |letter: &str| format!("iVBORw0KGgoAAAAN{}", letter.repeat(80_000));
    let (first, second) = (pixels("A"), pixels("B"));
    let image =
        |base64: &str| json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{base64}")}});
    let request = json!({"model": "amazon.nova-lite-v1:0", "messages": [
        {"role": "user", "content": [image(&first), {"type": "text", "text": "and"}, image(&second)]},
    ]});
    let source = Bytes::from(request.to_string());
    let body = ChatCompletions::plan(&source, &CONTEXT).unwrap().body;
    let carried: Vec<_> = body
        .pieces()
        .iter()
        .filter(|piece| source.as_ptr_range().contains(&piece.as_ptr()))
        .collect();
    assert_eq!(carried, [first.as_bytes(), second.as_bytes()]);
    let call: Value = serde_json::from_slice(&body.to_vec()).unwrap();
    let content = &call["messages"][0]["content"];
    assert_eq!(content[0]["image"]["source"]["bytes"], first.as_str());
    assert_eq!(content[1]["text"], "and");
    assert_eq!(content[2]["image"]["source"]["bytes"], second.as_str());
}

#[test]
fn large_files_audio_and_video_are_carried_and_not_copied() {
    // Each starts as its kind does: a PDF, a WAV, an MP4.
    let heads = ["JVBERi0xLjQK", "UklGRiQAAABXQVZF", "AAAAFGZ0eXBpc29t"];
    let [pdf, wav, mp4] = heads.map(|head| format!("{head}{}", "A".repeat(80_000)));
    let tools = json!([{"type": "function", "function": {"name": "film"}}]);
    let request = json!({"model": "acme.seer-v1", "tools": tools, "messages": [
        {"role": "user", "content": [
            {"type": "file", "file": {"file_data": format!("data:application/pdf;base64,{pdf}")}},
            {"type": "text", "text": "and"},
            {"type": "input_audio", "input_audio": {"data": wav, "format": "wav"}},
            {"type": "video_url", "video_url": {"url": format!("data:video/mp4;base64,{mp4}")}},
        ]},
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "film", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "a", "content": [
            {"type": "file", "file": {"file_data": mp4}},
            {"type": "file", "file": {"file_data": pdf}},
        ]},
    ]});
    let source = Bytes::from(request.to_string());
    let body = ChatCompletions::plan(&source, &CONTEXT).unwrap().body;
    let carried: Vec<_> = body
        .pieces()
        .iter()
        .filter(|piece| source.as_ptr_range().contains(&piece.as_ptr()))
        .collect();
    assert_eq!(carried, [&pdf, &wav, &mp4, &mp4, &pdf].map(String::as_bytes));
    let call: Value = serde_json::from_slice(&body.to_vec()).unwrap();
    let content = &call["messages"][0]["content"];
    assert_eq!(content[0]["document"]["source"]["bytes"], pdf.as_str());
    assert_eq!(content[2]["audio"]["source"]["bytes"], wav.as_str());
    assert_eq!(content[3]["video"]["source"]["bytes"], mp4.as_str());
    let result = &call["messages"][2]["content"][0]["toolResult"]["content"];
    assert_eq!(result[0]["video"]["source"]["bytes"], mp4.as_str());
    assert_eq!(result[1]["document"]["source"]["bytes"], pdf.as_str());
}
