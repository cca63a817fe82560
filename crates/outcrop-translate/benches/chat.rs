//! Chat completions: requests planned, replies answered, chunks translated; each next to the same work through
//! `serde_json::Value`, the easy way.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use outcrop_bedrock::converse::{ConverseResponse, Event};
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Catalogue, Context, Endpoint, Plan, StreamTranslator};
use serde_json::{Value, json};

const REQUESTS: [&str; 4] = [
    "small",
    "22 KB, 40 messages",
    "200 KB, 40 messages, 30 tools",
    "2 MB, an image",
];
const CHUNKS: usize = 1000;

fn main() {
    divan::main();
}

// What is sent.

fn request(name: &str) -> Vec<u8> {
    let (messages, tools) = match name.split(' ').next() {
        Some("22") => (
            conversation("The file should be read before any change is made to it. ", 9),
            Value::Null,
        ),
        Some("200") => {
            let code =
                "    let path = root.join(\"src\");\n    if line.ends_with('\\n') {\n        return Ok(());\n    }\n";
            (conversation(code, 33), (0..30).map(tool).collect())
        }
        Some("2") => {
            let url = format!("data:image/png;base64,{}", "iVBORw0KGgoA".repeat(2_000_000 / 12));
            let question = json!({"type": "text", "text": "What does this picture show?"});
            let image = json!({"type": "image_url", "image_url": {"url": url}});
            (json!([{"role": "user", "content": [question, image]}]), Value::Null)
        }
        _ => (json!([{"role": "user", "content": "What is an outcrop?"}]), Value::Null),
    };
    let request = json!({
        "model": "us.amazon.nova-lite-v1:0",
        "messages": messages,
        "tools": tools,
        "max_tokens": 4096,
        "temperature": 0.2,
        "stream": true,
    });
    serde_json::to_vec(&request).unwrap()
}

/// 40 messages; now and then a tool is called and answers.
fn conversation(text: &str, times: usize) -> Value {
    let message = |number: usize| {
        let content = format!("{number} {}", text.repeat(times));
        match number % 10 {
            0 => json!({"role": "user", "content": content}),
            3 if times > 20 => {
                let arguments = json!({"path": "src/main.rs", "text": content}).to_string();
                let function = json!({"name": "tool_1", "arguments": arguments});
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": format!("call_{number}"), "type": "function", "function": function},
                ]})
            }
            4 if times > 20 => {
                json!({"role": "tool", "tool_call_id": format!("call_{}", number - 1), "content": content})
            }
            other => json!({"role": if other % 2 == 0 { "user" } else { "assistant" }, "content": content}),
        }
    };
    (0..40).map(message).collect()
}

fn tool(number: usize) -> Value {
    let property = json!({"type": "string", "description": "Where to read: a path below the root, or none."});
    let properties: Value = (0..20)
        .map(|number| (format!("property_{number}"), property.clone()))
        .collect();
    json!({"type": "function", "function": {
        "name": format!("tool_{number}"),
        "description": "Reads. ".repeat(60),
        "parameters": {"type": "object", "properties": properties, "required": ["property_1"]},
    }})
}

fn plan(body: &Bytes) -> Plan<<ChatCompletions as Endpoint>::Memo> {
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: None,
        max_choices: 8,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    ChatCompletions::plan(body, &context).unwrap()
}

#[divan::bench(args = REQUESTS)]
fn plan_ours(bencher: divan::Bencher<'_, '_>, name: &str) {
    let body = Bytes::from(request(name));
    bencher.counter(BytesCount::of_slice(&body)).bench_local(|| plan(&body));
}

/// A floor of the easy way: the body as a `Value` and back, and nothing of the translation.
#[divan::bench(args = REQUESTS)]
fn plan_value_there_and_back(bencher: divan::Bencher<'_, '_>, name: &str) {
    let body = request(name);
    bencher.counter(BytesCount::of_slice(&body)).bench_local(|| {
        let value: Value = serde_json::from_slice(&body).unwrap();
        serde_json::to_vec(&value).unwrap()
    });
}

// What comes back whole.

fn reply() -> Vec<u8> {
    let text = "An outcrop is bedrock that \"shows\" at the surface.\n".repeat(40);
    let input = json!({"path": "src/main.rs", "lines": [1, 2, 3]});
    let content = json!([{"text": text}, {"toolUse": {"toolUseId": "tooluse_1", "name": "read", "input": input}}]);
    let reply = json!({
        "metrics": {"latencyMs": 551},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 12, "outputTokens": 500, "totalTokens": 512},
    });
    serde_json::to_vec(&reply).unwrap()
}

#[divan::bench]
fn reply_ours(bencher: divan::Bencher<'_, '_>) {
    let (memo, reply) = (plan(&request("small").into()).memo, reply());
    bencher.counter(BytesCount::of_slice(&reply)).bench_local(|| {
        let reply = ConverseResponse::parse(&reply).unwrap();
        ChatCompletions::response(&memo, &[reply]).unwrap()
    });
}

#[divan::bench]
fn reply_value(bencher: divan::Bencher<'_, '_>) {
    let reply = reply();
    bencher.counter(BytesCount::of_slice(&reply)).bench_local(|| {
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        let content = &reply["output"]["message"]["content"];
        let call = &content[1]["toolUse"];
        let arguments = call["input"].to_string();
        let function = json!({"name": call["name"], "arguments": arguments});
        let calls = json!([{"id": call["toolUseId"], "type": "function", "function": function}]);
        let message = json!({"role": "assistant", "content": content[0]["text"], "tool_calls": calls});
        let answer = json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_800_000_000,
            "model": "us.amazon.nova-lite-v1:0",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "tool_calls"}],
            "usage": {
                "prompt_tokens": reply["usage"]["inputTokens"],
                "completion_tokens": reply["usage"]["outputTokens"],
                "total_tokens": reply["usage"]["totalTokens"],
            },
        });
        serde_json::to_vec(&answer).unwrap()
    });
}

// What comes back in pieces.

fn deltas() -> Vec<Vec<u8>> {
    const WORDS: [&str; 8] = [
        " the",
        " \\\"outcrop\\\"",
        ",",
        ".\\n\\n",
        " café",
        " streams",
        " of",
        " rock",
    ];
    let payload = |number: usize| {
        let word = WORDS[number % WORDS.len()];
        format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}},"p":"abcdefghijklmnopqrstuv"}}"#).into_bytes()
    };
    (0..CHUNKS).map(payload).collect()
}

#[divan::bench]
fn chunks_ours(bencher: divan::Bencher<'_, '_>) {
    let (body, deltas) = (request("small"), deltas());
    bencher.counter(ItemsCount::new(CHUNKS)).bench_local(|| {
        let (mut stream, mut out) = (
            ChatCompletions::stream(plan(&Bytes::copy_from_slice(&body)).memo),
            Vec::with_capacity(4096),
        );
        for payload in &deltas {
            out.clear();
            stream.push(0, Event::parse("contentBlockDelta", payload).unwrap(), &mut out);
            black_box(&out);
        }
    });
}

#[divan::bench]
fn chunks_value(bencher: divan::Bencher<'_, '_>) {
    let deltas = deltas();
    bencher.counter(ItemsCount::new(CHUNKS)).bench_local(|| {
        let mut out = Vec::with_capacity(4096);
        for payload in &deltas {
            out.clear();
            let event: Value = serde_json::from_slice(payload).unwrap();
            let delta = json!({"content": event["delta"]["text"]});
            let chunk = json!({
                "id": "chatcmpl-00000000000000000000000000000007",
                "object": "chat.completion.chunk",
                "created": 1_800_000_000,
                "model": "us.amazon.nova-lite-v1:0",
                "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}],
            });
            out.extend_from_slice(b"data: ");
            serde_json::to_writer(&mut out, &chunk).unwrap();
            out.extend_from_slice(b"\n\n");
            black_box(&out);
        }
    });
}
