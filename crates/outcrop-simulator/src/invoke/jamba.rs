//! AI21's Jamba: messages of plain text, and answers like OpenAI's, in several choices if asked for.
//!
//! Source: Bedrock's user guide, "AI21 Labs Jamba models" (2026-11). What a stream looks like isn't written there; it
//! is as OpenAI's, as users show it.

use serde_json::Value;

use super::about::About;
use super::json_schema::Schema;
use super::openai::{self, Dialect};
use super::shape::{Shape, Writer};
use crate::converse::{Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct Jamba;

const DIALECT: Dialect = Dialect {
    thoughts_in_tags: false,
    reason: "finish_reason",
    content_in: "delta",
    usage_in_stream: true,
};

impl Shape for Jamba {
    fn read(&self, body: &Value, target: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("schemas/jamba.json"));
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
