//! Which of Bedrock's APIs a call speaks, and so how its answers are read.

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, TokenCounts};
use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, ConverseResponse, Event, Role};
use outcrop_bedrock::json::Fault;

use crate::catalogue::{MediaSupport, Traits};
use crate::endpoint::StreamTranslator;
use crate::invoke::{self, Ask, Family, InvokeStream};
use crate::notes::Notes;
use crate::problem::Problem;
use crate::unread::Unread;

/// The language of a call and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Wire(Language);

#[derive(Clone, Copy, Debug)]
enum Language {
    /// Converse, the pivot itself.
    Converse,
    /// A model's own body, by `InvokeModel`.
    Invoke(&'static dyn Family),
    /// The client's own protocol: nothing is translated.
    Straight,
}

impl Wire {
    /// Converse.
    pub(crate) const CONVERSE: Self = Self(Language::Converse);
    /// The client's own protocol.
    pub(crate) const STRAIGHT: Self = Self(Language::Straight);

    /// `InvokeModel` with bodies of this shape.
    pub(crate) fn invoke(family: &'static dyn Family) -> Self {
        Self(Language::Invoke(family))
    }

    /// The route, as clients are told: `converse`, `invoke` or `openai`.
    pub fn route(self) -> &'static str {
        match self.0 {
            Language::Converse => "converse",
            Language::Invoke(_) => "invoke",
            Language::Straight => "openai",
        }
    }

    /// Whether the answer is in the client's own protocol.
    pub fn is_straight(self) -> bool {
        matches!(self.0, Language::Straight)
    }

    /// Changes what is known of a model to what it takes by this API.
    pub(crate) fn adapt(self, traits: &mut Traits) {
        if let Language::Invoke(family) = self.0 {
            family.adapt(traits);
        }
    }

    /// The wire of this very request: an answer that goes on from the client's beginning may be read otherwise.
    pub(crate) fn of_request(self, request: &ConverseRequest<'_>) -> Self {
        match self.0 {
            Language::Invoke(family) if begins_answer(request) => Self::invoke(family.going_on().unwrap_or(family)),
            _ => self,
        }
    }

    /// Writes the headers and the body of a call.
    ///
    /// # Errors
    /// When the request holds what can't be said by this API.
    pub(crate) fn write(
        self,
        request: &ConverseRequest<'_>,
        source: &Bytes,
        writing: &Writing<'_>,
        notes: &mut Notes,
    ) -> Result<(Headers, CallBody), Problem> {
        match self.0 {
            Language::Invoke(family) => {
                let ask = Ask {
                    request,
                    streams: writing.streams,
                    base_id: writing.base_id,
                    media: writing.media,
                    max_output: writing.max_output,
                };
                Ok((invoke::headers(request)?, family.body(&ask, notes)?))
            }
            Language::Converse | Language::Straight => Ok((Headers::new(), request.to_body(source))),
        }
    }

    /// Reads a whole answer that is not straight.
    ///
    /// # Errors
    /// When the body is not what Bedrock answers, or tells of an error.
    pub fn reply(self, body: &[u8], tokens: TokenCounts) -> Result<ConverseResponse<'_>, Unread> {
        match self.0 {
            Language::Converse => Ok(ConverseResponse::parse(body)?),
            Language::Invoke(family) => invoke::reply(family, body, tokens),
            Language::Straight => Err(Fault::shape("the answer is in the client's own protocol").into()),
        }
    }

    /// A reader of one streamed answer.
    pub fn stream(self) -> StreamReader {
        StreamReader(match self.0 {
            Language::Converse => Reading::Converse { has_stopped: false },
            Language::Invoke(family) => Reading::Invoke(Box::new(InvokeStream::new(family))),
            Language::Straight => Reading::Straight { has_ended: false },
        })
    }
}

/// Whether the last turn is the assistant's and says something.
fn begins_answer(request: &ConverseRequest<'_>) -> bool {
    let last = request.messages.last().filter(|last| last.role == Role::Assistant);
    last.is_some_and(|last| {
        let mut texts = last.content.iter();
        texts.any(|block| matches!(block, ContentBlock::Text(text) if !text.is_blank()))
    })
}

/// Headers of a call.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// What a body is written from, besides the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing<'a> {
    /// Whether the answer is to be streamed.
    pub(crate) streams: bool,
    /// The name of the model without geography.
    pub(crate) base_id: &'a str,
    /// What the model takes besides text.
    pub(crate) media: MediaSupport,
    /// The most tokens that the model answers.
    pub(crate) max_output: u64,
}

/// Reads one streamed answer, event by event.
#[derive(Debug)]
pub struct StreamReader(Reading);

#[derive(Debug)]
enum Reading {
    Converse {
        /// Whether `messageStop` was seen: without it, an answer that ends is not whole.
        has_stopped: bool,
    },
    Invoke(Box<InvokeStream>),
    Straight {
        /// Whether the end was seen.
        has_ended: bool,
    },
}

impl StreamReader {
    /// Reads an event as Bedrock has sent it, and has it translated for the choice numbered `choice`.
    ///
    /// # Errors
    /// When it is not what Bedrock sends, or tells of an error.
    pub fn read<S: StreamTranslator>(
        &mut self,
        name: &str,
        payload: &[u8],
        choice: usize,
        translator: &mut S,
        out: &mut Vec<u8>,
    ) -> Result<(), Unread> {
        match &mut self.0 {
            Reading::Converse { has_stopped } => {
                let event = Event::parse(name, payload)?;
                *has_stopped |= matches!(event, Event::MessageStop { .. });
                translator.push(choice, event, out);
                Ok(())
            }
            Reading::Invoke(stream) => stream.read(name, payload, &mut |event| translator.push(choice, event, out)),
            Reading::Straight { has_ended } => {
                *has_ended |= translator.pass(choice, payload, out)?;
                Ok(())
            }
        }
    }

    /// The stream is over. Whether the answer is whole.
    pub fn finish<S: StreamTranslator>(&mut self, choice: usize, translator: &mut S, out: &mut Vec<u8>) -> bool {
        match &mut self.0 {
            Reading::Converse { has_stopped } => *has_stopped,
            Reading::Invoke(stream) => stream.finish(&mut |event| translator.push(choice, event, out)),
            Reading::Straight { has_ended } => *has_ended,
        }
    }
}
