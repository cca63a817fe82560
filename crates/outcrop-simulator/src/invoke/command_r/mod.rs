//! Cohere's Command R and R+: one message, and a history beside it.
//!
//! Source: Bedrock's user guide, "Cohere Command R and Command R+ models" (2026-11); the events of a stream, and what
//! `stream-end` holds, are as in Cohere's own chat API, version 1. Calls have no ids there: in Converse's words they
//! are numbered.

mod answer;
mod request;

use serde_json::Value;

use super::about::About;
use super::json_schema::Schema;
use super::shape::{Shape, Writer};
use crate::converse::{Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;

pub(super) struct CommandR;

impl Shape for CommandR {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/command_r.json"));
        SCHEMA.check(body)?;
        request::request(body)
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        answer::whole(reply, about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(answer::Stream::new(about))
    }
}
