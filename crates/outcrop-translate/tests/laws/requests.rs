//! Requests, as clients send them and worse.

use std::sync::Arc;

use bytes::Bytes;
use outcrop_bedrock::call::Operation;
use outcrop_translate::catalogue::Catalogue;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::resolve::{Asked, Directory, Target, Unresolved, resolve};
use outcrop_translate::{Advisor, Context, Endpoint, Halt, Lesson, Policy};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::said::json_object;
use crate::{CONTEXT, plan};

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

/// A request to `model` with more cache points, of both lifetimes, than any model takes.
fn cached_request(model: &str, prompt_caching: &str) -> Value {
    // Long enough for points that the gateway places itself.
    let long = "Rocks are old. ".repeat(600);
    let part = |ttl: &str| json!({"type": "text", "text": long, "cache_control": {"type": "ephemeral", "ttl": ttl}});
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": [part("5m"), part("1h")]},
            {"role": "user", "content": [part("1h"), part("5m")]},
            {"role": "assistant", "content": [part("5m")], "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": [part("1h")]},
            {"role": "user", "content": long, "cache_control": {"type": "ephemeral"}},
        ],
        "tools": [{"type": "function", "cache_control": {"type": "ephemeral", "ttl": "1h"}, "function": {
            "name": "look", "parameters": {"type": "object"},
        }}],
        "prompt_caching": prompt_caching,
        "prompt_cache_key": "rocks",
    })
}

/// The lifetimes of a call's cache points, in the order in which the model reads the prompt.
fn cache_points(call: &Value) -> Vec<Option<&str>> {
    let blocks_of = |list: &'static str| call.pointer(list).and_then(Value::as_array).into_iter().flatten();
    let content = blocks_of("/messages").flat_map(|message| message["content"].as_array().unwrap());
    let blocks = blocks_of("/toolConfig/tools")
        .chain(blocks_of("/system"))
        .chain(content);
    let points = blocks.filter_map(|block| block.get("cachePoint"));
    points.map(|point| point["ttl"].as_str()).collect()
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

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
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
    changed(rich_request)
}

/// What `request` gives, with some values replaced or left out.
pub(crate) fn changed(request: impl Fn() -> Value) -> impl Strategy<Value = Value> {
    prop::collection::vec((any::<Index>(), prop::option::of(any_json())), 0..4).prop_map(move |changes| {
        let mut request = request();
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
    check_plan_in(body, &CONTEXT);
}

/// The same, where more is known.
pub(crate) fn check_plan_in(body: &[u8], context: &Context<'_>) {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    match ChatCompletions::plan(&Bytes::copy_from_slice(body), context) {
        Ok(plan) => {
            assert!(parsed.is_some(), "what is no JSON is refused");
            let call: Value = serde_json::from_slice(&plan.body.to_vec()).expect("a call's body is JSON");
            if !matches!(plan.operation, Operation::Converse | Operation::ConverseStream) {
                // Bodies of the models' own have rules of their own.
                assert!(call.is_object());
                return;
            }
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
            let points = cache_points(&call);
            assert!(points.len() <= 4, "Bedrock takes four cache points");
            let is_long = |point: &Option<&str>| *point == Some("1h");
            assert!(
                points.is_sorted_by_key(|point| !is_long(point)),
                "points that last longer come first"
            );
            assert!((1..=CONTEXT.max_choices).contains(&plan.choices));
            assert!(
                plan.notes.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)),
                "notes fit a header"
            );
        }
        Err(Halt::Fetch(urls)) => assert!(!urls.is_empty()),
        Err(Halt::LookUp(arn)) => panic!("nobody said that {arn} can be looked up"),
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

/// A model that refused parameters of these names.
struct Refusing(Vec<String>);

impl Advisor for Refusing {
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        resolve(asked, &Directory::offline(Catalogue::built_in())).map(Arc::new)
    }

    fn policy(&self, _: &[&str], _: bool) -> Policy {
        Policy::default()
    }

    fn lessons(&self, _: &str) -> Vec<Lesson> {
        self.0.iter().cloned().map(Lesson::Parameter).collect()
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
    fn a_changed_request_with_cache_points_is_planned_or_refused_with_the_field(
        request in prop::sample::select(vec![
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "explicit"),
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "auto"),
            ("us.amazon.nova-lite-v1:0", "auto"),
            ("acme.seer-v1", "explicit"),
        ])
        .prop_flat_map(|(model, caching)| changed(move || cached_request(model, caching))),
    ) {
        check_plan(&serde_json::to_vec(&request).unwrap());
    }

    #[test]
    fn points_that_the_gateway_places_are_within_the_limits(turns in 1_usize..6, has_tools in any::<bool>()) {
        let mut request = cached_request("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "auto");
        let text = "Rocks are old. ".repeat(600);
        let turn = |turn: usize| json!({"role": if turn.is_multiple_of(2) { "user" } else { "assistant" }, "content": text});
        request["messages"] = (0..2 * turns + 1).map(turn).collect();
        if !has_tools {
            request["tools"] = Value::Null;
        } else {
            request["tools"][0] = json!({"type": "function", "function": {"name": "look", "description": text}});
        }
        let body = serde_json::to_vec(&request).unwrap();
        check_plan(&body);
        let call = plan(&request).unwrap().body.to_vec();
        let call: Value = serde_json::from_slice(&call).unwrap();
        prop_assert_eq!(cache_points(&call).len(), 2 + usize::from(has_tools), "the tools' end, and two turns'");
    }

    #[test]
    fn notes_fit_a_header_whatever_the_names(names in prop::collection::vec("\\PC{0,80}.?", 1..8)) {
        let names: Vec<String> = names.iter().map(|name| format!("x{name}")).collect();
        let mut request = rich_request();
        for name in &names {
            request[name] = json!(1);
        }
        let refusing = Refusing(names);
        let context = Context { advisor: Some(&refusing), ..*CONTEXT };
        let plan = ChatCompletions::plan(&request.to_string().into(), &context).unwrap();
        let mut dropped = 0;
        for note in plan.notes.iter() {
            prop_assert!(note.parameter.len() <= 64 && note.outcome.len() <= 64 && note.reason.len() <= 64, "{:?}", note);
            dropped += usize::from(note.parameter.starts_with('x'));
        }
        prop_assert!(dropped > 0, "what a model refused is left out, and that is told");
        prop_assert!(plan.notes.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        prop_assert_eq!(plan.notes.to_string().split(", ").count(), plan.notes.iter().count(), "one note, one item");
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
