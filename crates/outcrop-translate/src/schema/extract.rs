//! The JSON in what a model wrote.

use std::borrow::Cow;

use outcrop_bedrock::json::{Fault, Reader};

/// The JSON document in a model's text: the whole text, or else what stands in its first fence that holds JSON, or else
/// the first object or array with prose around it. Nothing is mended: what is returned is well-formed as it stands.
///
/// A bare number, string or word counts only if it is the whole text or the whole fence.
pub fn json_in(text: &str) -> Option<Cow<'_, str>> {
    let whole = text.trim().trim_start_matches('\u{feff}');
    if is_json(whole) {
        return Some(Cow::Borrowed(whole));
    }
    fenced(text).or_else(|| first_nested(text)).map(Cow::Borrowed)
}

fn is_json(text: &str) -> bool {
    Reader::document(text.as_bytes(), Reader::skip).is_ok()
}

/// The contents of the first Markdown fence that are JSON.
fn fenced(text: &str) -> Option<&str> {
    /// Fences that are opened. An answer has few; each may be read to its end.
    const MAX_FENCES: usize = 64;

    text.match_indices("```").take(MAX_FENCES).find_map(|(at, ticks)| {
        let body = &text[at + ticks.len()..];
        // The words after the ticks say the language, if they aren't JSON already.
        let (words, _) = body.split_once(['\n', '{', '[', '"']).unwrap_or((body, ""));
        let is_language = words
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "+-_. \r".contains(char));
        let body = if is_language { &body[words.len()..] } else { body };
        // Three backticks may stand in a string of the document, so the fence's end is where the document ends.
        let body = body.trim_start();
        let json = leading_value(body).ok()?;
        let after = body[json.len()..].trim_start();
        (after.is_empty() || after.starts_with("```")).then_some(json)
    })
}

/// The JSON value that the text begins with.
fn leading_value(text: &str) -> Result<&str, Fault> {
    let value = Reader::new(text.as_bytes())?.json()?;
    Ok(value.as_slice().unwrap_or(""))
}

/// The first object or array in prose. A bracket that doesn't begin JSON is prose; JSON that breaks off later is not
/// searched for what is whole inside: a part of an answer is not the answer.
fn first_nested(text: &str) -> Option<&str> {
    /// Brackets that are tried: prose has few.
    const MAX_STARTS: usize = 256;

    for (at, _) in text.match_indices(['{', '[']).take(MAX_STARTS) {
        match leading_value(&text[at..]) {
            Ok(json) => return Some(json),
            Err(fault) => {
                let read = &text[at + 1..at + fault.offset.unwrap_or(0).max(1)];
                if !read.trim().is_empty() {
                    return None;
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        json_in(text).map(Cow::into_owned)
    }

    #[test]
    fn the_whole_text_is_taken_as_it_stands() {
        for json in [
            r#"{"a": "}"}"#,
            "[1, 2]",
            "\"text\"",
            "12",
            "null",
            r#"{"code": "```json\n{}\n```"}"#,
        ] {
            assert_eq!(found(&format!("\n {json} \n")).as_deref(), Some(json));
        }
    }

    #[test]
    fn a_fence_is_opened() {
        for text in [
            "```json\n{\"a\": 1}\n```",
            "Here it is:\n\n```json\n{\"a\": 1}\n```\nAnything else?",
            "```\n{\"a\": 1}\n```",
            "```JSON {\"a\": 1}```",
            "```sh\nls {x}\n```\nthen\n```json\n{\"a\": 1}\n```",
            // The answer was cut off after the document.
            "```json\n{\"a\": 1}\n",
        ] {
            assert_eq!(found(text).as_deref(), Some("{\"a\": 1}"), "{text}");
        }
        let with_ticks = "```json\n{\"code\": \"```js\\nx\\n```\"}\n```";
        assert_eq!(found(with_ticks).as_deref(), Some("{\"code\": \"```js\\nx\\n```\"}"));
        assert_eq!(found("```json\n42\n```").as_deref(), Some("42"));
    }

    #[test]
    fn prose_around_an_object_is_left_off() {
        for (text, json) in [
            (
                r#"Sure! {"a": "x } y", "b": "\"}"} Hope it helps."#,
                r#"{"a": "x } y", "b": "\"}"}"#,
            ),
            ("The list is [1, [2]] as asked {ok}.", "[1, [2]]"),
            (r#"[note: \boxed{x}] {"a": 1}"#, r#"{"a": 1}"#),
            (r#"For {name} it is {"a": {"b": []}}"#, r#"{"a": {"b": []}}"#),
        ] {
            assert_eq!(found(text).as_deref(), Some(json));
        }
    }

    #[test]
    fn nothing_is_guessed() {
        // The last two are whole inside, but what was meant is not.
        for text in [
            "",
            "no JSON at all",
            "{",
            "It is 12.",
            r#"{"a": 1"#,
            "{'a': 1}",
            "{\"a\": 1,}",
            "```json\nnope\n```",
            r#"{"a": [1, 2], "b": "#,
            r#"{"a": {"b": 1}, 'c': 2}"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn text_made_of_brackets_is_given_up() {
        assert_eq!(found(&"{".repeat(1_000_000)), None);
        assert_eq!(found(&"[\"```".repeat(20_000)), None);
    }
}
