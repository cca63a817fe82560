//! Cohere's Command and Command Light: a plain prompt, or one of `User: …\nChatbot:`.
//!
//! Source: Bedrock's user guide, "Cohere Command models" (2026-11).

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, config, labelled, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

pub(in crate::invoke) struct Command;

const REASONS: Reasons = Reasons {
    end: "COMPLETE",
    stop_sequence: "COMPLETE",
    length: "MAX_TOKENS",
    filtered: "ERROR_TOXIC",
};

impl Shape for Command {
    fn read(&self, body: &Value, _: &Target, mode: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/command.json"));
        SCHEMA.check(body)?;
        // Bedrock would answer in one piece instead, which is never what was meant.
        let streams = body.get("stream").and_then(Value::as_bool).unwrap_or_default();
        if streams != (mode == Mode::Stream) {
            return Err(Refusal::malformed(&[format!(
                "#/stream: must be {}",
                mode == Mode::Stream
            )]));
        }
        let told = labelled::read(body["prompt"].as_str().unwrap_or_default(), "Command", "Chatbot:")?;
        Ok(told.request(config([
            ("maxTokens", body.get("max_tokens")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("p")),
            ("stopSequences", body.get("stop_sequences")),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        let generations = (0..generations(about)).map(|index| {
            json!({
                "id": format!("{}-{index}", about.id),
                "text": format!(" {}", text_of(reply)),
                "finish_reason": REASONS.of(&reply.stop_reason),
            })
        });
        json!({
            "id": about.id,
            "prompt": about.body["prompt"],
            "generations": generations.collect::<Vec<_>>(),
        })
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Pieces::new(about, " ", write))
    }
}

/// Several generations take turns; one alone has no number.
fn write(piece: &Piece<'_>, about: &About, out: &mut Vec<Value>) {
    let count = generations(about);
    for index in 0..count {
        let mut chunk = match piece.stop_reason {
            None => json!({"text": piece.text, "is_finished": false}),
            Some(reason) => json!({"is_finished": true, "finish_reason": REASONS.of(reason)}),
        };
        if count > 1 {
            chunk["index"] = index.into();
        }
        out.push(chunk);
    }
}

fn generations(about: &About) -> u64 {
    about.body["num_generations"].as_u64().unwrap_or(1)
}
