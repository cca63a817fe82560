//! Anthropic's Messages, the body of Claude 3 and later.
//!
//! Source: Amazon Bedrock User Guide, "Anthropic Claude Messages API", and Anthropic's API reference, read 2026-11.

mod read;
mod write;

use bytes::Bytes;
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::{Ask, ChunkReader, Family};
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct AnthropicMessages;

impl Family for AnthropicMessages {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let body = write::body(ask, notes)?;
        Ok(CallBody::new(vec![Bytes::from(body)]))
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        read::reply(body)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(read::Chunks)
    }
}
