//! Finding what separates things in a text that may hold JSON, where the same characters mean nothing.

use serde_json::Value;

/// Where `needle` first stands outside of any JSON object, array, or text within one.
pub(super) fn find(text: &str, needle: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with(needle) {
            return Some(at);
        }
        at += match c {
            '{' | '[' => json_length(&text[at..]).unwrap_or(1),
            c => c.len_utf8(),
        };
    }
    None
}

/// The parts between the separators that stand outside of JSON.
pub(super) fn split<'a>(mut text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    while let Some(at) = find(text, separator) {
        parts.push(&text[..at]);
        text = &text[at + separator.len()..];
    }
    parts.push(text);
    parts
}

/// How long the JSON value at the text's beginning is.
fn json_length(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}
