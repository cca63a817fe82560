//! One member of any text, cut in two: the same comes out, and of an object it is the member's value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_translate::schema::{MemberStream, json_in};
use serde_json::{Map, Value};

fuzz_target!(|input: (&str, usize)| {
    let (text, cut) = input;
    let cut = (0..=cut.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    let (whole, is_complete) = read(&[text]);
    assert_eq!(read(&[&text[..cut], &text[cut..]]), (whole.clone(), is_complete));
    if let Ok(members) = serde_json::from_str::<Map<String, Value>>(text) {
        assert_eq!(is_complete, members.contains_key("v"));
        // Of several members with one name serde_json takes the last, so only that it is JSON can be said.
        assert!(!is_complete || serde_json::from_str::<Value>(&whole).is_ok(), "{whole}");
    }
    if let Some(json) = json_in(text) {
        assert!(text.contains(json.as_ref()));
        let read = serde_json::from_str::<Value>(&json).map_err(|error| error.to_string());
        assert!(
            read.is_ok() || read.is_err_and(|error| error.starts_with("number out of range")),
            "{json}"
        );
    }
});

fn read(fragments: &[&str]) -> (String, bool) {
    let mut stream = MemberStream::new("v");
    let mut out = String::new();
    fragments.iter().for_each(|fragment| stream.push(fragment, &mut out));
    (out, stream.is_complete())
}
