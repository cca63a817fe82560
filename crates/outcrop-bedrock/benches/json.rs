//! Documents read past and carried, ours against `serde_json`: a coding agent's request, and an image.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use divan::counter::BytesCount;
use outcrop_bedrock::json::{Json, Reader};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const DOCUMENTS: [&str; 2] = ["200 KB, tools and code", "2 MB, an image"];

fn main() {
    divan::main();
}

fn document(name: &str) -> Vec<u8> {
    let document = if name.starts_with("200") {
        let code =
            "    let path = root.join(\"src\");\n    if line.ends_with('\\n') {\n        return Ok(());\n    }\n";
        let message = |number: usize| json!({"role": "user", "content": format!("{number} {}", code.repeat(33))});
        let property = json!({"type": "string", "description": "Where to read: a path below the root, or none."});
        let tool = |number: usize| {
            let properties: Value = (0..20)
                .map(|number| (format!("property_{number}"), property.clone()))
                .collect();
            json!({"type": "function", "function": {
                "name": format!("tool_{number}"),
                "description": "Reads. ".repeat(60),
                "parameters": {"type": "object", "properties": properties, "required": ["property_1"]},
            }})
        };
        json!({
            "model": "m",
            "messages": (0..40).map(message).collect::<Value>(),
            "tools": (0..30).map(tool).collect::<Value>(),
        })
    } else {
        let url = format!("data:image/png;base64,{}", "iVBORw0KGgoA".repeat(2_000_000 / 12));
        json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]})
    };
    serde_json::to_vec(&document).unwrap()
}

#[divan::bench(args = DOCUMENTS)]
fn ours_skip(bencher: divan::Bencher<'_, '_>, name: &str) {
    let document = document(name);
    bencher
        .counter(BytesCount::of_slice(&document))
        .bench_local(|| Reader::document(&document, Reader::skip).unwrap());
}

#[divan::bench(args = DOCUMENTS)]
fn ours_json(bencher: divan::Bencher<'_, '_>, name: &str) {
    let document = document(name);
    bencher
        .counter(BytesCount::of_slice(&document))
        .bench_local(|| -> Json<'_> { Reader::document(&document, Reader::json).unwrap() });
}

#[divan::bench(args = DOCUMENTS)]
fn serde_json_ignored_any(bencher: divan::Bencher<'_, '_>, name: &str) {
    let document = document(name);
    bencher
        .counter(BytesCount::of_slice(&document))
        .bench_local(|| serde_json::from_slice::<IgnoredAny>(&document).unwrap());
}

#[divan::bench(args = DOCUMENTS)]
fn serde_json_raw_value(bencher: divan::Bencher<'_, '_>, name: &str) {
    let document = document(name);
    bencher
        .counter(BytesCount::of_slice(&document))
        .bench_local(|| serde_json::from_slice::<&RawValue>(&document).unwrap());
}

#[divan::bench(args = DOCUMENTS)]
fn serde_json_value(bencher: divan::Bencher<'_, '_>, name: &str) {
    let document = document(name);
    bencher
        .counter(BytesCount::of_slice(&document))
        .bench_local(|| serde_json::from_slice::<Value>(&document).unwrap());
}
