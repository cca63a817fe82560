//! Amazon's Titan Text: a plain prompt, or one of `User: …\nBot:`.
//!
//! Source: Bedrock's user guide, "Amazon Titan Text models" (2026-11); the pattern of stop sequences and what a stream
//! looks like are as users report them.

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, config, labelled, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;
use crate::rules::list;

pub(in crate::invoke) struct Titan;

/// An answer begins on a line of its own.
const LEAD: &str = "\n";
const REASONS: Reasons = Reasons {
    end: "FINISH",
    stop_sequence: "STOP_CRITERIA_MET",
    length: "LENGTH",
    filtered: "CONTENT_FILTERED",
};

impl Shape for Titan {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/titan_text.json"));
        SCHEMA.check(body)?;
        let given = body.get("textGenerationConfig").unwrap_or(&Value::Null);
        check_stop_sequences(given)?;
        let told = labelled::read(body["inputText"].as_str().unwrap_or_default(), "Titan", "Bot:")?;
        Ok(told.request(config([
            ("maxTokens", given.get("maxTokenCount")),
            ("temperature", given.get("temperature")),
            ("topP", given.get("topP")),
            ("stopSequences", given.get("stopSequences")),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        json!({
            "inputTextTokenCount": about.usage.input,
            "results": [{
                "tokenCount": about.usage.output,
                "outputText": format!("{LEAD}{}", text_of(reply)),
                "completionReason": REASONS.of(&reply.stop_reason),
            }],
        })
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Pieces::new(about, LEAD, |piece: &Piece<'_>, about, out| {
            out.push(json!({
                "outputText": piece.text,
                "index": 0,
                "totalOutputTextTokenCount": piece.stop_reason.map(|_| piece.tokens),
                "completionReason": piece.stop_reason.map(|reason| REASONS.of(reason)),
                "inputTextTokenCount": piece.is_first.then_some(about.usage.input),
            }));
        }))
    }
}

/// Only runs of `|`, and `User:`.
fn check_stop_sequences(given: &Value) -> Result<(), Refusal> {
    for (index, sequence) in list(given, "stopSequences").iter().enumerate() {
        let text = sequence.as_str().unwrap_or_default();
        if text != "User:" && text.chars().any(|c| c != '|') {
            return Err(Refusal::malformed(&[format!(
                "#/textGenerationConfig/stopSequences/{index}: string [{text}] does not match pattern ^(\\|+|User:)$"
            )]));
        }
    }
    Ok(())
}
