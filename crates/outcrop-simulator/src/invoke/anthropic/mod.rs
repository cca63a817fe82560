//! Claude's messages, from Claude 3 on.
//!
//! Sources: Bedrock's user guide, "Anthropic Claude Messages API", and Anthropic's API reference (2026-11). Up to
//! Claude 3.5 Bedrock's own validator speaks; from then on, Claude's server does, as users report it. Of tools, only
//! one's own are known here.

mod answer;
mod order;
mod request;
mod stream;
mod words;

use serde_json::Value;

use super::about::About;
use super::json_schema::Schema;
use super::shape::{Shape, Writer};
use crate::converse::{Mode, Reply};
use crate::models::{Target, Thinking};
use crate::refusal::Refusal;

pub(super) struct Anthropic;

impl Shape for Anthropic {
    fn read(&self, body: &Value, target: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("../schemas/anthropic.json"));
        let complaints = SCHEMA.complaints(body);
        if let Some(first) = complaints.first() {
            return Err(match target.family.thinking {
                Thinking::None => Refusal::malformed(&complaints),
                _ => Refusal::validation(words::of(first)),
            });
        }
        order::check(body, target)?;
        Ok(request::request(body))
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        answer::whole(reply, about)
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(stream::Stream::new(about))
    }
}
