//! Mistral's chat completion: Mistral Large 2 and Pixtral Large.
//!
//! Source: Bedrock's user guide, "Mistral AI chat completion" and "Pixtral Large (25.02)" (2026-11). The pages show no
//! stream; its chunks are the whole answer's choices with a piece of the message each, as users show them.

use serde_json::Value;

use super::about::About;
use super::json_schema::Schema;
use super::openai::{self, Dialect};
use super::shape::{Shape, Writer};
use crate::converse::{Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct MistralChat;

const DIALECT: Dialect = Dialect {
    thoughts_in_tags: false,
    reason: "stop_reason",
    content_in: "message",
    usage_in_stream: false,
};

impl Shape for MistralChat {
    fn read(&self, body: &Value, target: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("schemas/mistral_chat.json"));
        SCHEMA.check(body)?;
        openai::request(body, target)
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        openai::whole(&DIALECT, reply, about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(openai::Stream::new(&DIALECT, about))
    }
}
