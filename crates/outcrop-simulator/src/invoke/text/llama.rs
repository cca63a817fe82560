//! Meta's Llama 2, 3 and 4, each with a template of its own, and one body for all.
//!
//! Source: Bedrock's user guide, "Meta Llama models" (2026-11).

use serde_json::{Value, json};

use super::pieces::{Piece, Pieces};
use super::{Reasons, Told, config, headed, inst, text_of};
use crate::converse::{Mode, Reply};
use crate::invoke::about::About;
use crate::invoke::json_schema::Schema;
use crate::invoke::shape::{Shape, Writer};
use crate::models::Target;
use crate::refusal::Refusal;

/// Llama of one generation.
pub(in crate::invoke) enum Llama {
    Two,
    Three,
    Four,
}

impl Shape for Llama {
    fn read(&self, body: &Value, target: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/llama.json"));
        SCHEMA.check(body)?;
        check_length(body, target)?;
        let told = self.told(body["prompt"].as_str().unwrap_or_default())?;
        Ok(told.request(config([
            ("maxTokens", body.get("max_gen_len")),
            ("temperature", body.get("temperature")),
            ("topP", body.get("top_p")),
        ])))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        generation(&format!("{}{}", self.lead(), text_of(reply)), &reply.stop_reason, about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Pieces::new(about, self.lead(), write))
    }
}

impl Llama {
    fn told(&self, prompt: &str) -> Result<Told, Refusal> {
        match self {
            Llama::Two => inst::llama_2(prompt),
            Llama::Three => headed::LLAMA_3.read(prompt),
            Llama::Four => headed::LLAMA_4.read(prompt),
        }
    }

    /// Llama 2's prompts end without the space that comes before an answer.
    fn lead(&self) -> &'static str {
        if matches!(self, Llama::Two) { " " } else { "" }
    }
}

/// A whole answer.
pub(super) fn generation(text: &str, stop_reason: &str, about: &About) -> Value {
    json!({
        "generation": text,
        "prompt_token_count": about.usage.input,
        "generation_token_count": about.usage.output,
        "stop_reason": Reasons::PLAIN.of(stop_reason),
    })
}

/// A chunk: the prompt's tokens are told once, and the answer's are those so far.
pub(super) fn write(piece: &Piece<'_>, about: &About, out: &mut Vec<Value>) {
    out.push(json!({
        "generation": piece.text,
        "prompt_token_count": piece.is_first.then_some(about.usage.input),
        "generation_token_count": piece.tokens,
        "stop_reason": piece.stop_reason.map(|reason| Reasons::PLAIN.of(reason)),
    }));
}

fn check_length(body: &Value, target: &Target) -> Result<(), Refusal> {
    let limit = target.model.max_tokens;
    match body.get("max_gen_len").and_then(Value::as_u64) {
        Some(length) if length > limit => Err(Refusal::malformed(&[format!(
            "#/max_gen_len: {length} is not less or equal to {limit}"
        )])),
        _ => Ok(()),
    }
}
