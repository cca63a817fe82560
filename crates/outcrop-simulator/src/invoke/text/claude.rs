//! Claude 2 and Claude Instant: a prompt of `\n\nHuman:` and `\n\nAssistant:` turns.
//!
//! Source: Bedrock's user guide, "Anthropic Claude Text Completions API" (2026-11); the words of its refusals are as
//! users report them, but for those on white space.

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, Role, Told, config, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

pub(in crate::invoke) struct Claude;

const HUMAN: &str = "\n\nHuman:";
const ASSISTANT: &str = "\n\nAssistant:";
/// The one model of these that takes a system prompt before the first turn.
const WITH_SYSTEM: &str = "anthropic.claude-v2:1";
const REASONS: Reasons = Reasons {
    end: "stop_sequence",
    stop_sequence: "stop_sequence",
    length: "max_tokens",
    filtered: "stop_sequence",
};

impl Shape for Claude {
    fn read(&self, body: &Value, target: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/claude_text.json"));
        SCHEMA.check(body)?;
        let told = told(
            body["prompt"].as_str().unwrap_or_default(),
            target.model.id == WITH_SYSTEM,
        )?;
        Ok(told.request(config([
            ("maxTokens", body.get("max_tokens_to_sample")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("top_p")),
            ("stopSequences", body.get("stop_sequences")),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        let text = format!("{}{}", lead(about), text_of(reply));
        completion(&text, Some(&reply.stop_reason), about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        let lead = lead(&about);
        Box::new(Pieces::new(about, lead, |piece: &Piece<'_>, about, out| {
            out.push(completion(piece.text, piece.stop_reason, about));
        }))
    }
}

fn completion(text: &str, stop_reason: Option<&str>, about: &About) -> Value {
    // Its own end is a stop sequence to Claude, too.
    let stop = stop_reason.and_then(|reason| match REASONS.of(reason) {
        "stop_sequence" => Some(about.stop_sequence.as_deref().unwrap_or(HUMAN)),
        _ => None,
    });
    json!({
        "type": "completion",
        "completion": text,
        "stop_reason": stop_reason.map(|reason| REASONS.of(reason)),
        "stop": stop,
    })
}

/// An answer begins with a space, unless the prompt has begun it.
fn lead(about: &About) -> &'static str {
    let prompt = about.body["prompt"].as_str().unwrap_or_default();
    if prompt.ends_with(ASSISTANT) { " " } else { "" }
}

fn told(prompt: &str, takes_system: bool) -> Result<Told, Refusal> {
    let start = prompt.find(HUMAN);
    let wrong_start = match (start, takes_system) {
        (Some(0), _) => None,
        (Some(_), true) => None,
        (_, true) => Some("prompt must start with \"\n\nHuman:\" turn after an optional system prompt"),
        (_, false) => Some("prompt must start with \"\n\nHuman:\" turn"),
    };
    let wrong_end = !prompt.contains(ASSISTANT) || prompt.rfind(HUMAN) > prompt.rfind(ASSISTANT);
    let wrong: Vec<&str> = wrong_start
        .into_iter()
        .chain(wrong_end.then_some("prompt must end with \"\n\nAssistant:\" turn"))
        .collect();
    if !wrong.is_empty() {
        return Err(invalid(&wrong.join(", ")));
    }
    let start = start.unwrap_or_default();
    let mut told = Told {
        system: Some(prompt[..start].to_owned()).filter(|system| !system.is_empty()),
        turns: Vec::new(),
    };
    if told.system.as_ref().is_some_and(|system| system.contains(ASSISTANT)) {
        return Err(invalid(
            "prompt must start with \"\n\nHuman:\" turn after an optional system prompt",
        ));
    }
    let mut rest = &prompt[start..];
    while !rest.is_empty() {
        let (role, text) = match (rest.strip_prefix(HUMAN), rest.strip_prefix(ASSISTANT)) {
            (Some(text), _) => (Role::User, text),
            (_, Some(text)) => (Role::Assistant, text),
            _ => break,
        };
        let end = [text.find(HUMAN), text.find(ASSISTANT)].into_iter().flatten().min();
        let (text, after) = text.split_at(end.unwrap_or(text.len()));
        rest = after;
        if rest.is_empty() && text.is_empty() {
            break;
        }
        if rest.is_empty() && text.ends_with(char::is_whitespace) {
            return Err(invalid("prompt must not end with whitespace after \"\n\nAssistant:\""));
        }
        let Some(text) = text.strip_prefix(' ').filter(|text| !text.trim().is_empty()) else {
            return Err(invalid(
                "\"Human:\" and \"Assistant:\" must be followed by a space and what was said",
            ));
        };
        told.turns.push((role, text.to_owned()));
    }
    Ok(told)
}

fn invalid(what: &str) -> Refusal {
    Refusal::validation(format!("Invalid prompt: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_back() {
        let read = told(
            "Brief\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant: Because",
            true,
        )
        .unwrap();
        assert_eq!(read.system.as_deref(), Some("Brief"));
        let texts: Vec<&str> = read.turns.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["Hi", "Hello", "Why?", "Because"]);
        assert_eq!(told("\n\nHuman: Hi\n\nAssistant:", false).unwrap().turns.len(), 1);
    }

    #[test]
    fn what_isnt_in_the_template_is_told() {
        let wrong = |prompt: &str| told(prompt, false).unwrap_err().message;
        assert_eq!(
            wrong("Hi"),
            "Invalid prompt: prompt must start with \"\n\nHuman:\" turn, prompt must end with \"\n\nAssistant:\" turn"
        );
        assert!(wrong("Brief\n\nHuman: Hi\n\nAssistant:").contains("must start with"));
        assert!(wrong("\n\nHuman: Hi").ends_with("prompt must end with \"\n\nAssistant:\" turn"));
        assert!(wrong("\n\nHuman: Hi\n\nAssistant: ").contains("whitespace"));
        assert!(wrong("\n\nHuman:Hi\n\nAssistant:").contains("followed by a space"));
    }
}
