//! Response bodies: whole ones, and those that come step by step, with the faults that were asked for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::ledger::Hold;
use crate::socket::Reset;
use crate::state::Call;

/// What a body does next.
pub(crate) enum Step {
    Wait(Duration),
    Send(Bytes),
    /// Breaks the connection.
    Reset,
    /// Says nothing more, and doesn't end.
    Hang,
}

/// What a body holds.
pub(crate) enum Content {
    Whole(Bytes),
    Steps(Box<dyn Iterator<Item = Step> + Send>),
    /// No answer: the connection is reset.
    Reset,
    /// No answer, for as long as the client waits.
    Silence,
}

/// A body on its way to a client. Dropping it before its end counts its call as aborted.
pub(crate) struct Outgoing {
    content: Content,
    sleep: Option<Pin<Box<Sleep>>>,
    ended: bool,
    reset: Reset,
    call: Option<Call>,
    /// Settled when the body ends, or is given up.
    hold: Option<Hold>,
}

/// The connection breaks here, as was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the script breaks the connection here")]
pub(crate) struct Broken;

impl Outgoing {
    pub(crate) fn new(content: Content, reset: Reset, call: Option<Call>, hold: Option<Hold>) -> Outgoing {
        let ended = matches!(&content, Content::Whole(bytes) if bytes.is_empty());
        Outgoing {
            content,
            sleep: None,
            ended,
            reset,
            call,
            hold,
        }
    }

    /// The next step of a body that comes in steps.
    fn step(&mut self) -> Option<Step> {
        match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Step::Send(std::mem::take(bytes))),
            Content::Steps(steps) => steps.next(),
            // Neither gets here: there is no response that this could be the body of.
            Content::Reset | Content::Silence => None,
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                std::task::ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
            }
            match self.step() {
                Some(Step::Wait(pause)) if pause.is_zero() => {}
                Some(Step::Wait(pause)) => self.sleep = Some(Box::pin(tokio::time::sleep(pause))),
                Some(Step::Send(bytes)) => {
                    self.ended = matches!(self.content, Content::Whole(_));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Reset) => {
                    self.ended = true;
                    self.reset.ask();
                    return Poll::Ready(Some(Err(Broken)));
                }
                // No one wakes us; the connection is dropped when the client has had enough.
                Some(Step::Hang) => {
                    self.content = Content::Steps(Box::new(std::iter::once(Step::Hang)));
                    return Poll::Pending;
                }
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Steps(_) | Content::Reset | Content::Silence => SizeHint::default(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(call) = self.call.take().filter(|_| self.ended) {
            call.finish();
            if let Some(hold) = self.hold.take() {
                hold.finish();
            }
        }
    }
}
