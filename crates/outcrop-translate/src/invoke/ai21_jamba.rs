//! AI21's Jamba: OpenAI's shape, for text alone.
//!
//! Source: Amazon Bedrock User Guide, "AI21 Labs Jamba models", read 2026-11. The page knows no tools.

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::openai_chat::{Chunks, Dialect, ForcedTool, body, reply};
use super::{Ask, ChunkReader, Family};
use crate::catalogue::{ForcedTools, Traits};
use crate::notes::Notes;
use crate::problem::Problem;

/// The longest answer.
const MOST_TOKENS: u64 = 4096;

/// The shape. `n` isn't written: one answer is what the model gives unasked.
#[derive(Debug)]
pub(crate) struct Ai21Jamba;

impl Family for Ai21Jamba {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let dialect = Dialect {
            max_tokens: "max_tokens",
            most_tokens: Some(MOST_TOKENS),
            images: false,
            audio: false,
            tools: false,
            strict_tools: false,
            forced_tool: ForcedTool::Any,
            output_config: false,
        };
        body(ask.request, &dialect, notes)
    }

    fn adapt(&self, traits: &mut Traits) {
        // The page knows no tools, so structured output must not be made of one.
        traits.tools = false;
        traits.forced_tools = ForcedTools::Unsaid;
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        reply(body, false)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(Chunks::new(false))
    }
}
