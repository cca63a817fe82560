//! DeepSeek R1, which always reasons: its prompt has opened `<think>`, and its text closes it.
//!
//! Source: Bedrock's user guide, "DeepSeek models", and the tokenizer's chat template (2026-11).

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, Role, Told, config, text_of, wrong_prompt};
use crate::converse::{Block, Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

pub(in crate::invoke) struct DeepSeek;

const BEGIN: &str = "<｜begin▁of▁sentence｜>";
const END: &str = "<｜end▁of▁sentence｜>";
const USER: &str = "<｜User｜>";
const ASSISTANT: &str = "<｜Assistant｜>";
const THINK: &str = "<think>\n";
/// What stands between its thoughts and its answer.
pub(super) const AFTER_THOUGHTS: &str = "\n</think>\n\n";

impl Shape for DeepSeek {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/deepseek.json"));
        SCHEMA.check(body)?;
        let told = told(body["prompt"].as_str().unwrap_or_default())?;
        Ok(told.request(config([
            ("maxTokens", body.get("max_tokens")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("top_p")),
            ("stopSequences", body.get("stop")),
        ])))
    }

    fn whole(&self, reply: &Reply, _: &About) -> Value {
        choices(&with_thoughts(reply, true), Some(&reply.stop_reason))
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        let pieces = Pieces::new(about, "", |piece: &Piece<'_>, _, out| {
            out.push(choices(piece.text, piece.stop_reason));
        });
        Box::new(pieces.with_thoughts(AFTER_THOUGHTS).opened())
    }
}

fn choices(text: &str, stop_reason: Option<&str>) -> Value {
    json!({"choices": [{"text": text, "stop_reason": stop_reason.map(|reason| Reasons::PLAIN.of(reason))}]})
}

/// All that it says, thoughts first, which the prompt may have opened.
pub(super) fn with_thoughts(reply: &Reply, opened: bool) -> String {
    let thoughts = reply.blocks.iter().filter_map(|block| match block {
        Block::Reasoning { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let thoughts: String = thoughts.collect();
    let text = text_of(reply);
    match (thoughts.is_empty(), text.is_empty()) {
        (false, true) => thoughts,
        (true, _) if !opened => text,
        // Where a script leaves the thoughts out, they are closed all the same.
        _ => format!("{thoughts}{AFTER_THOUGHTS}{text}"),
    }
}

/// Reads a prompt back: `<｜begin▁of▁sentence｜>system<｜User｜>u1<｜Assistant｜>a1<｜end▁of▁sentence｜><｜User｜>u2<｜Assistant｜><think>\n`.
///
/// # Errors
///
/// What isn't in the template.
pub(super) fn told(prompt: &str) -> Result<Told, Refusal> {
    let wrong = |what: String| wrong_prompt("DeepSeek R1", &what);
    let Some(rest) = prompt.strip_prefix(BEGIN) else {
        return Err(wrong(format!("it must start with {BEGIN}.")));
    };
    let Some(rest) = rest.strip_suffix(&format!("{ASSISTANT}{THINK}")) else {
        return Err(wrong(format!("it must end with \"{ASSISTANT}<think>\\n\".")));
    };
    if rest.contains(BEGIN) {
        return Err(wrong(format!("{BEGIN} must stand at the start only.")));
    }
    let mut turns = rest.split(USER);
    let system = turns.next().unwrap_or_default();
    let mut told = Told {
        system: Some(system.to_owned()).filter(|system| !system.is_empty()),
        turns: Vec::new(),
    };
    let mut turns = turns.peekable();
    while let Some(turn) = turns.next() {
        let (user, answer) = match turn.split_once(ASSISTANT) {
            Some((user, answer)) => (user, Some(answer)),
            None => (turn, None),
        };
        told.turns.push((Role::User, user.to_owned()));
        if turns.peek().is_none() && answer.is_none() {
            break;
        }
        let Some(answer) = answer.and_then(|answer| answer.strip_suffix(END)) else {
            return Err(wrong(format!(
                "an answer must stand as {ASSISTANT}…{END} between two user turns."
            )));
        };
        if answer.contains("</think>") {
            return Err(wrong("an earlier answer must not hold its thoughts.".to_owned()));
        }
        told.turns.push((Role::Assistant, answer.to_owned()));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_back() {
        let prompt = format!("{BEGIN}Brief{USER}u1{ASSISTANT}a1{END}{USER}u2{ASSISTANT}{THINK}");
        let read = told(&prompt).unwrap();
        assert_eq!(read.system.as_deref(), Some("Brief"));
        let texts: Vec<&str> = read.turns.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["u1", "a1", "u2"]);
    }

    #[test]
    fn what_isnt_in_the_template_is_told() {
        let wrong = |prompt: String| told(&prompt).unwrap_err().message;
        assert!(wrong(format!("{USER}u{ASSISTANT}{THINK}")).contains("must start with"));
        assert!(wrong(format!("{BEGIN}{USER}u{ASSISTANT}")).contains("<think>"));
        assert!(
            wrong(format!("{BEGIN}{USER}u{ASSISTANT}a{USER}u{ASSISTANT}{THINK}")).contains("between two user turns")
        );
        let thoughts = format!("{BEGIN}{USER}u{ASSISTANT}x</think>a{END}{USER}u{ASSISTANT}{THINK}");
        assert!(wrong(thoughts).contains("must not hold its thoughts"));
    }
}
