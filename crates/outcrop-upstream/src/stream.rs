//! The events of an answer, as they arrive.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use outcrop_bedrock::converse::Event;
use outcrop_bedrock::exception::{ErrorBody, Exception};
use outcrop_bedrock::frame::{Frame, FrameDecoder, MessageType};
use tokio::time::{Instant, Sleep};

use crate::error::Error;
use crate::pool::Lease;

/// A stream of events. Dropping it ends the call.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    decoder: FrameDecoder,
    /// Whether `messageStop` was seen: without it, an answer that ends is not whole.
    stopped: bool,
    last_arrival: Instant,
    chunk_timeout: Duration,
    /// Rings no later than the next limit passes; it is set anew when it rings, not with each arrival.
    alarm: Pin<Box<Sleep>>,
    deadline: Instant,
    total_timeout: Duration,
    _lease: Lease,
}

impl EventStream {
    pub(crate) fn new(
        body: Incoming,
        lease: Lease,
        chunk_timeout: Duration,
        deadline: Instant,
        total_timeout: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            body,
            decoder: FrameDecoder::default(),
            stopped: false,
            last_arrival: now,
            chunk_timeout,
            alarm: Box::pin(tokio::time::sleep_until(deadline.min(now + chunk_timeout))),
            deadline,
            total_timeout,
            _lease: lease,
        }
    }

    /// Waits for the first frame, and makes sure that it is not an exception.
    ///
    /// # Errors
    /// As [`EventStream::poll_fill`] and [`EventStream::next_event`].
    pub(crate) async fn prime(&mut self) -> Result<(), Error> {
        loop {
            match self.decoder.peek_frame()? {
                Some(frame) if frame.message_type == MessageType::Event => return Ok(()),
                Some(frame) => return Err(exception(&frame)),
                None => {
                    std::future::poll_fn(|cx| self.poll_fill(cx)).await?;
                }
            }
        }
    }

    /// Waits for more bytes. `false` when the answer is over and whole.
    ///
    /// # Errors
    /// When the connection breaks, a time limit passes, or the answer ends before its time.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
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
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Error::interrupted(&error))),
                Poll::Ready(None) => return Poll::Ready(self.end()),
                Poll::Pending => {
                    ready!(self.poll_limits(cx))?;
                }
            }
        }
    }

    /// The next event of those that arrived.
    ///
    /// # Errors
    /// When Bedrock sends an exception, or the bytes make no sense.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        let Some(frame) = self.decoder.next_frame()? else {
            return Ok(None);
        };
        if frame.message_type != MessageType::Event {
            return Err(exception(&frame));
        }
        let event = Event::parse(frame.name, frame.payload)
            .map_err(|fault| Error::Protocol(format!("event {}: {fault}", frame.name)))?;
        self.stopped |= matches!(event, Event::MessageStop { .. });
        Ok(Some(event))
    }

    fn end(&self) -> Result<bool, Error> {
        self.decoder.finish()?;
        if self.stopped {
            Ok(false)
        } else {
            Err(Error::Interrupted("the stream ended before the message did".to_owned()))
        }
    }

    fn total_timeout(&self) -> Error {
        Error::Timeout {
            phase: "for the whole answer",
            limit: self.total_timeout,
        }
    }

    /// Ready with an error when a limit has passed; else the alarm is set.
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.deadline {
                return Poll::Ready(Err(self.total_timeout()));
            }
            let silence_ends = self.last_arrival + self.chunk_timeout;
            if now >= silence_ends {
                return Poll::Ready(Err(Error::Timeout {
                    phase: "between two pieces of the answer",
                    limit: self.chunk_timeout,
                }));
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

/// Events write the names of exceptions with a small letter; everything else with a capital one.
fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}
