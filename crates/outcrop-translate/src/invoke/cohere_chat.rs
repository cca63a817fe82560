//! Cohere's chat, the body of Command R and R+.
//!
//! Source: Amazon Bedrock User Guide, "Cohere Command R and Command R+ models", and Cohere's reference of its first chat
//! API, read 2026-11.

mod read;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod write;

use bytes::Bytes;
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::{Ask, ChunkReader, Family};
use crate::catalogue::Traits;
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct CohereChat;

impl Family for CohereChat {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let body = write::body(ask.request, notes)?;
        Ok(CallBody::new(vec![Bytes::from(body)]))
    }

    fn adapt(&self, traits: &mut Traits) {
        // Its question is the user's last word, so no answer can be begun for it.
        traits.prefill = false;
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        read::reply(body)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(read::Chunks::default())
    }
}
