//! Nova's answers: Converse's, but for the names of cached tokens.

use outcrop_bedrock::converse::{BlockStart, ConverseResponse, Delta, Event, TokenUsage};
use outcrop_bedrock::json::{Fault, Kind, Reader};

use super::super::{ChunkReader, Sayings};

/// Reads a whole answer.
pub(super) fn reply(body: &[u8]) -> Result<ConverseResponse<'_>, Fault> {
    let mut reply = ConverseResponse::parse(body)?;
    reply.usage = TokenUsage {
        reasoning_tokens: reply.usage.reasoning_tokens,
        served: reply.usage.served,
        ..read_usage(body)?
    };
    Ok(reply)
}

/// The usage within an answer or a `metadata`.
fn read_usage(document: &[u8]) -> Result<TokenUsage, Fault> {
    let mut usage = TokenUsage::default();
    Reader::document(document, |reader| {
        reader.object(|member, reader| match member {
            "usage" if reader.kind()? == Kind::Object => reader.object(|member, reader| {
                let slot = match member {
                    "inputTokens" => &mut usage.input_tokens,
                    "outputTokens" => &mut usage.output_tokens,
                    "cacheReadInputTokenCount" | "cacheReadInputTokens" => &mut usage.cache_read_input_tokens,
                    "cacheWriteInputTokenCount" | "cacheWriteInputTokens" => &mut usage.cache_write_input_tokens,
                    _ => return reader.skip(),
                };
                *slot = reader.nullable(Reader::count)?.unwrap_or(*slot);
                Ok(())
            }),
            _ => reader.skip(),
        })
    })?;
    Ok(usage)
}

/// Reads a stream, whose chunks are Converse's events by name: there is nothing to remember.
#[derive(Debug)]
pub(super) struct Chunks;

impl ChunkReader for Chunks {
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
        Reader::document(chunk, |reader| {
            reader.object(|name, reader| {
                if name.starts_with("amazon-bedrock-") || reader.kind()? != Kind::Object {
                    return reader.skip();
                }
                let event = reader.json()?;
                say(name, event.as_str().as_bytes(), said)
            })
        })
    }
}

fn say(name: &str, payload: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
    match Event::parse(name, payload)? {
        Event::ContentBlockStart {
            index,
            start: BlockStart::ToolUse { id, name },
        } => said.call(index, id, name),
        Event::ContentBlockDelta { index, delta } => match delta {
            Delta::Text(text) => said.text(text),
            Delta::ToolUseInput(json) => said.arguments(index, json),
            Delta::ReasoningText(text) => said.thought(text),
            Delta::ReasoningSignature(signature) => said.signature(signature),
            Delta::ReasoningRedacted(bytes) => said.redacted_thought(bytes),
            Delta::Other => {}
        },
        Event::ContentBlockStop { index } => said.end_block(index),
        Event::MessageStop { stop_reason, .. } => said.stop(stop_reason),
        Event::Metadata { .. } => said.usage(read_usage(payload)?),
        // The message begins by itself; the rest is newer than this version.
        Event::MessageStart | Event::ContentBlockStart { .. } | Event::Unknown => {}
    }
    Ok(())
}
