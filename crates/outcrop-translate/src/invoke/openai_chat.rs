//! OpenAI's chat completions as the body of open models: gpt-oss, Qwen, Gemma, Kimi, MiniMax, GLM, Nemotron, DeepSeek V3
//! and Mistral's later ones. Shapes that differ from it in little share its writer and its reader.
//!
//! Source: Amazon Bedrock User Guide, "OpenAI models", and OpenAI's API reference, read 2026-11. Where thoughts stand is
//! the models' servers' own custom: tags at the beginning of the text, or a member `reasoning_content` or `reasoning`.

mod calls;
mod document;
mod messages;
mod read;
mod tags;
#[cfg(test)]
mod tests;
mod write;

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::Fault;

use super::{Ask, ChunkReader, Family};
use crate::notes::Notes;
use crate::problem::Problem;

pub(super) use read::{Chunks, reply};
pub(super) use write::{Dialect, ForcedTool, body};

/// The shape.
#[derive(Debug)]
pub(crate) struct OpenAiChat;

impl Family for OpenAiChat {
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem> {
        let media = ask.media;
        let dialect = Dialect {
            max_tokens: if ask.base_id.contains("gpt-oss") {
                "max_completion_tokens"
            } else {
                "max_tokens"
            },
            most_tokens: None,
            images: media.images,
            audio: media.audio,
            tools: true,
            strict_tools: true,
            forced_tool: ForcedTool::Named,
            output_config: true,
        };
        body(ask.request, &dialect, notes)
    }

    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault> {
        reply(body, true)
    }

    fn chunks(&self) -> Box<dyn ChunkReader> {
        Box::new(Chunks::new(true))
    }
}
