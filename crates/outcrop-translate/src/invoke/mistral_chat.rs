//! Mistral's chat completion, the body of Mistral Large 2 and Pixtral Large: OpenAI's shape, with words of its own.
//!
//! Source: Amazon Bedrock User Guide, "Mistral AI chat completion" and "Pixtral Large (25.02) parameters and inference",
//! read 2026-11; `stop`, which those pages leave out, from Mistral's API reference.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::openai_chat::{Chunks, Dialect, ForcedTool, body, reply};
use super::{Ask, ChunkReader, Family};
use crate::notes::Notes;
use crate::problem::Problem;

/// The shape.
#[derive(Debug)]
pub(crate) struct MistralChat;

impl Family for MistralChat {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let dialect = Dialect {
            max_tokens: "max_tokens",
            most_tokens: None,
            images: ask.media.images,
            audio: false,
            tools: true,
            strict_tools: false,
            forced_tool: ForcedTool::Any,
            output_config: false,
        };
        body(ask.request, &dialect, notes)
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        reply(body, false)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(Chunks::new(false))
    }
}
