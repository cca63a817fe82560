//! `InvokeModel`: the models' own bodies, to and from Converse.
//!
//! A body shape is one file with one [`Family`]: it writes a Converse request as the model's own body, reads the model's
//! whole answer as Converse's, and its chunks as Converse's events. So a client can't tell by the answer which of the two
//! APIs Bedrock was asked by, and no client protocol knows these shapes.

mod ai21_jamba;
mod anthropic;
mod call_id;
mod cohere_chat;
mod extras;
mod mistral_chat;
mod nova;
mod openai_chat;
mod sayings;
mod stream;
#[cfg(test)]
mod testing;
mod thoughts;
mod unplaced;

use std::fmt::Debug;

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseRequest, ConverseResponse};
use outcrop_bedrock::json::Fault;

use crate::notes::Notes;
use crate::problem::Problem;

pub(crate) use ai21_jamba::Ai21Jamba;
pub(crate) use anthropic::AnthropicMessages;
pub(crate) use cohere_chat::CohereChat;
pub(crate) use extras::{headers, reply, write_additional_fields};
pub(crate) use mistral_chat::MistralChat;
pub(crate) use nova::Nova;
pub(crate) use openai_chat::OpenAiChat;
pub(crate) use sayings::Sayings;
pub(crate) use stream::InvokeStream;

/// A shape of bodies that several models share.
pub(crate) trait Family: Debug + Sync {
    /// Writes the request. What the shape has no place for is noted as lost, or refused where an answer without it would
    /// be wrong.
    ///
    /// # Errors
    /// When the request holds what these models can't take at all.
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem>;

    /// Reads a whole answer. Its usage is zero where the body tells none: the reply's headers tell it.
    ///
    /// # Errors
    /// When the body is not what the model answers.
    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault>;

    /// A reader of one streamed answer.
    fn chunks(&self) -> Box<dyn ChunkReader>;
}

/// Reads the chunks of one streamed answer.
pub(crate) trait ChunkReader: Debug + Send {
    /// Reads a chunk, which is one JSON document, and says what it says.
    ///
    /// # Errors
    /// When it is not what the model sends.
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault>;

    /// The stream is over: says what was held back.
    fn finish(&mut self, _said: &mut Sayings<'_>) {}
}

/// What a body is written from.
#[derive(Debug)]
pub(crate) struct Ask<'r, 'a> {
    /// The request, in Converse's words.
    pub(crate) request: &'r ConverseRequest<'a>,
    /// Whether the answer is to be streamed, for bodies that say so.
    pub(crate) streams: bool,
    /// The name of the model without geography, for what differs within a shape.
    pub(crate) base_id: &'r str,
    /// The most tokens that the model answers: what Converse takes where a request sets no limit, and what bodies that
    /// demand one are given.
    pub(crate) max_output: u64,
}
