//! The text that a model of ours says when nobody scripted it: about the prompt, as long as was asked for, always the
//! same for the same request.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::rules::{blocks, is_from, messages};
use crate::tokens;

const QUOTED_CHARS: usize = 200;
/// Beyond the quote, an answer has this many tokens, and up to twice as many.
const TOKENS: u64 = 40;

const SENTENCES: [&str; 10] = [
    "This answer comes from the simulator, so it says little, but it says it in the right shape.",
    "A model would weigh the question here, and set out what it knows about it.",
    "The first point is usually the most important one, and the rest follows from it.",
    "There is more than one way to look at this, and each has its merits.",
    "In practice, it is best to begin with a small example and to grow from there.",
    "Some details depend on the circumstances, which only the person who asks can know.",
    "It helps to write down the assumptions before going any further.",
    "With that in mind, the next step is to check the result against the question.",
    "If something is still unclear, a follow-up question will be answered in the same way.",
    "To sum up, the matter is simple once it has been taken apart.",
];

/// A text about `prompt`, of its natural length or of exactly so many tokens.
pub(super) fn about(prompt: &str, body: &Value, tokens: Option<u64>) -> String {
    let mut text = opening(prompt, body);
    let seed = seed(prompt);
    let wanted = match tokens {
        Some(tokens) => tokens::chars(tokens),
        None => text.chars().count() + tokens::chars(TOKENS + seed % TOKENS),
    };
    let mut chars = text.chars().count();
    for sentence in SENTENCES.iter().cycle().skip(usize::from(seed as u8)) {
        if chars >= wanted {
            break;
        }
        text.push(' ');
        text.push_str(sentence);
        chars += 1 + sentence.len();
    }
    match tokens {
        Some(_) => text.chars().take(wanted).collect(),
        None => text,
    }
}

fn opening(prompt: &str, body: &Value) -> String {
    if let Some(result) = last_tool_result(body) {
        return format!("The tool answered “{}”.", quote(&result));
    }
    match prompt.trim() {
        "" => "You sent no text.".to_owned(),
        prompt => format!("You asked: “{}”.", quote(prompt)),
    }
}

/// A text on one line, cut where it gets long.
fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn last_tool_result(body: &Value) -> Option<String> {
    let last = messages(body).last().filter(|message| is_from(message, "user"))?;
    let result = blocks(last).iter().rev().find_map(|block| block.get("toolResult"))?;
    let part = result.get("content")?.as_array()?.first()?;
    let text = part.get("text").and_then(Value::as_str).map(str::to_owned);
    text.or_else(|| part.get("json").map(Value::to_string))
}

fn seed(prompt: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    prompt.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prompt_is_mentioned() {
        let text = about("Why is\nthe sky blue?", &json!({}), None);
        assert!(text.starts_with("You asked: “Why is the sky blue?”. "), "{text}");
        assert_eq!(text, about("Why is\nthe sky blue?", &json!({}), None));
    }

    #[test]
    fn a_length_is_kept_to() {
        for wanted in [1, 7, 500] {
            assert_eq!(tokens::of(&about("Hello", &json!({}), Some(wanted))), wanted);
        }
    }
}
