//! AI21's Jurassic-2: a plain prompt, or one of `User: …\nAssistant:`. It doesn't stream.
//!
//! Source: Bedrock's user guide, "AI21 Labs Jurassic-2 models" (2026-11).

use serde_json::{Value, json};

use super::pieces::Pieces;
use super::{Reasons, config, labelled, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

pub(in crate::invoke) struct Jurassic;

const REASONS: Reasons = Reasons {
    end: "endoftext",
    stop_sequence: "stop",
    length: "length",
    filtered: "endoftext",
};

impl Shape for Jurassic {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/jurassic.json"));
        SCHEMA.check(body)?;
        let told = labelled::read(body["prompt"].as_str().unwrap_or_default(), "Jurassic-2", "Assistant:")?;
        Ok(told.request(config([
            ("maxTokens", body.get("maxTokens")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("topP")),
            ("stopSequences", body.get("stopSequences")),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        let mut finish = json!({"reason": REASONS.of(&reply.stop_reason)});
        match (finish["reason"].as_str(), &about.stop_sequence) {
            (Some("length"), _) => finish["length"] = about.usage.output.into(),
            (Some("stop"), Some(sequence)) => finish["sequence"] = sequence.as_str().into(),
            _ => {}
        }
        json!({
            "id": number(&about.id),
            "prompt": {"text": about.body["prompt"], "tokens": []},
            "completions": [{
                "data": {"text": format!("\n{}", text_of(reply)), "tokens": []},
                "finishReason": finish,
            }],
        })
    }

    /// Never asked for: the model's row says that it doesn't stream.
    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Pieces::new(about, "", |_, _, _| {}))
    }
}

/// Its ids are numbers.
fn number(id: &str) -> u64 {
    id.bytes()
        .take(6)
        .fold(0, |number, byte| (number << 8 | u64::from(byte)) % 1_000_000_007)
}
