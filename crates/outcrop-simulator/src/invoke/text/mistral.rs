//! Mistral 7B, Mixtral, and the first Mistral Large and Small.
//!
//! Source: Bedrock's user guide, "Mistral AI text completion" (2026-11).

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, config, inst, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

pub(in crate::invoke) struct Mistral;

/// A prompt ends without the space that comes before an answer.
pub(super) const LEAD: &str = " ";

impl Shape for Mistral {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/mistral_text.json"));
        SCHEMA.check(body)?;
        let told = inst::mistral(body["prompt"].as_str().unwrap_or_default())?;
        Ok(told.request(config([
            ("maxTokens", body.get("max_tokens")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("top_p")),
            ("stopSequences", body.get("stop")),
        ])))
    }

    fn whole(&self, reply: &Reply, _: &About) -> Value {
        outputs(&format!("{LEAD}{}", text_of(reply)), Some(&reply.stop_reason))
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Pieces::new(about, LEAD, |piece: &Piece<'_>, _, out| {
            out.push(outputs(piece.text, piece.stop_reason));
        }))
    }
}

fn outputs(text: &str, stop_reason: Option<&str>) -> Value {
    json!({"outputs": [{"text": text, "stop_reason": stop_reason.map(|reason| Reasons::PLAIN.of(reason))}]})
}
