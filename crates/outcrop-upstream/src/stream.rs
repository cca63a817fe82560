//! The events of an answer, as they arrive.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use outcrop_bedrock::exception::{ErrorBody, Exception};
use outcrop_bedrock::frame::{Frame, FrameDecoder, MessageType};
use outcrop_bedrock::sse::SseDecoder;
use tokio::time::{Instant, Sleep};

use crate::error::Error;
use crate::pool::Lease;

/// A stream of events. Dropping it ends the call. What the events mean is not known here, nor whether the last one has
/// come.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    decoder: Decoder,
    last_arrival: Instant,
    chunk_timeout: Duration,
    /// Rings no later than the next limit passes; it is set anew when it rings, not with each arrival.
    alarm: Pin<Box<Sleep>>,
    deadline: Instant,
    total_timeout: Duration,
    _lease: Lease,
}

/// How the events are packed.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// As event-stream frames.
    Frames(FrameDecoder),
    /// As server-sent events; beside the decoder stands the event that was read last.
    ServerSentEvents(SseDecoder, Vec<u8>),
}

/// One event, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// Name of the event; empty for server-sent events.
    pub name: &'a str,
    /// What it says, usually JSON.
    pub payload: &'a [u8],
}

impl Decoder {
    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Frames(decoder) => decoder.push(bytes),
            Self::ServerSentEvents(decoder, _) => decoder.push(bytes),
        }
    }

    /// Whether an event is there that is no error.
    fn has_event(&mut self) -> Result<bool, Error> {
        match self {
            Self::Frames(decoder) => match decoder.peek_frame()? {
                Some(frame) if frame.message_type == MessageType::Event => Ok(true),
                Some(frame) => Err(exception(&frame)),
                None => Ok(false),
            },
            Self::ServerSentEvents(decoder, _) => match decoder.peek_event()? {
                Some(data) => match error_of(data) {
                    Some(error) => Err(error),
                    None => Ok(true),
                },
                None => Ok(false),
            },
        }
    }

    fn next_event(&mut self) -> Result<Option<RawEvent<'_>>, Error> {
        match self {
            Self::Frames(decoder) => match decoder.next_frame()? {
                None => Ok(None),
                Some(frame) if frame.message_type == MessageType::Event => Ok(Some(RawEvent {
                    name: frame.name,
                    payload: frame.payload,
                })),
                Some(frame) => Err(exception(&frame)),
            },
            Self::ServerSentEvents(decoder, last) => {
                let Some(data) = decoder.next_event()? else {
                    return Ok(None);
                };
                if let Some(error) = error_of(&data) {
                    return Err(error);
                }
                *last = data;
                Ok(Some(RawEvent {
                    name: "",
                    payload: last,
                }))
            }
        }
    }

    fn finish(&self) -> Result<(), Error> {
        match self {
            Self::Frames(decoder) => Ok(decoder.finish()?),
            // What isn't ended by an empty line is no event.
            Self::ServerSentEvents(..) => Ok(()),
        }
    }
}

impl EventStream {
    pub(crate) fn new(
        body: Incoming,
        decoder: Decoder,
        lease: Lease,
        chunk_timeout: Duration,
        deadline: Instant,
        total_timeout: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            body,
            decoder,
            last_arrival: now,
            chunk_timeout,
            alarm: Box::pin(tokio::time::sleep_until(deadline.min(now + chunk_timeout))),
            deadline,
            total_timeout,
            _lease: lease,
        }
    }

    /// Waits for the first event, and makes sure that it is not an exception. How long, is for the caller to say: this is
    /// the beginning of the answer, and not its middle.
    ///
    /// # Errors
    /// When the connection breaks, the stream ends, or as [`EventStream::next_event`].
    pub(crate) async fn prime(&mut self) -> Result<(), Error> {
        while !self.decoder.has_event()? {
            if !std::future::poll_fn(|cx| self.poll_piece(cx)).await? {
                return Err(Self::ended_early());
            }
        }
        Ok(())
    }

    /// What it is called when a stream is over before its answer is whole.
    pub fn ended_early() -> Error {
        Error::Interrupted("the stream ended before the message did".to_owned())
    }

    /// Waits for more bytes. `false` when the stream is over.
    ///
    /// # Errors
    /// When the connection breaks, a time limit passes, or the stream ends within an event.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Poll::Ready(filled) = self.poll_piece(cx) {
            return Poll::Ready(filled);
        }
        self.poll_limits(cx).map(Err)
    }

    /// The same, for as long as it takes.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // What isn't data is trailers, which Bedrock doesn't send.
                    if let Ok(bytes) = frame.into_data() {
                        self.last_arrival = Instant::now();
                        // A reader that is slow, but never so slow that nothing is there, would not see the alarm.
                        if self.last_arrival >= self.deadline {
                            return Poll::Ready(Err(self.total_timeout()));
                        }
                        self.decoder.push(&bytes);
                        return Poll::Ready(Ok(true));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(Error::interrupted(&error))),
                None => return Poll::Ready(self.decoder.finish().map(|()| false)),
            }
        }
    }

    /// The next event of those that arrived.
    ///
    /// # Errors
    /// When Bedrock sends an exception, or the bytes make no sense.
    pub fn next_event(&mut self) -> Result<Option<RawEvent<'_>>, Error> {
        self.decoder.next_event()
    }

    fn total_timeout(&self) -> Error {
        Error::Timeout {
            phase: "for the whole answer",
            limit: self.total_timeout,
        }
    }

    /// Ready with an error when a limit has passed; else the alarm is set.
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.deadline {
                return Poll::Ready(self.total_timeout());
            }
            let silence_ends = self.last_arrival + self.chunk_timeout;
            if now >= silence_ends {
                return Poll::Ready(Error::silence(self.chunk_timeout));
            }
            self.alarm.as_mut().reset(silence_ends.min(self.deadline));
        }
    }
}

fn exception(frame: &Frame<'_>) -> Error {
    let body = ErrorBody::parse(frame.payload);
    let exception = Exception::from_name(frame.name);
    let message = if body.message.is_empty() {
        frame.error_message.to_owned()
    } else {
        body.message
    };
    Error::Service {
        exception,
        name: upper_first(frame.name),
        status: exception.status(),
        message,
        retry_after_seconds: None,
    }
}

/// The error that a server-sent event tells of, in OpenAI's words; `None` if it tells of none.
fn error_of(data: &[u8]) -> Option<Error> {
    // Almost every event is a chunk, in which quotes within texts are escaped.
    let text = std::str::from_utf8(data).ok()?;
    if !text.contains("\"error\"") && text.contains("\"choices\"") {
        return None;
    }
    let body = ErrorBody::parse(data);
    if !body.is_openais && body.name.is_none() && (body.message.is_empty() || text.contains("\"choices\"")) {
        return None;
    }
    let exception = match (&body.name, body.status) {
        (Some(name), _) => Exception::from_name(name),
        (None, Some(status)) => Exception::from_status(status),
        (None, None) => Exception::ModelStreamError,
    };
    let name = body
        .name
        .as_deref()
        .map_or_else(|| format!("{exception:?}"), upper_first);
    Some(Error::Service {
        exception,
        status: exception.status(),
        name,
        message: body.message,
        retry_after_seconds: None,
    })
}

/// Events write the names of exceptions with a small letter; everything else with a capital one.
fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}
