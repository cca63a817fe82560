//! What is large is not copied.

use bytes::Bytes;
use outcrop_translate::Endpoint;
use outcrop_translate::openai::chat::ChatCompletions;
use serde_json::{Value, json};

use super::CONTEXT;

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
