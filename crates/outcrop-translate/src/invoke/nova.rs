//! Amazon Nova's own body, which is nearly Converse's.
//!
//! Source: Amazon Nova User Guide, first and second generation, "Request and response schema" and "Using the Invoke
//! API", read 2026-11. It knows no documents: those are Converse's alone.

mod read;
#[cfg(test)]
mod tests;
mod write;

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::{Ask, ChunkReader, Family};
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct Nova;

impl Family for Nova {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        write::body(ask.request, notes)
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        read::reply(body)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(read::Chunks)
    }
}
