//! The body of a streamed answer: Bedrock's events in, the client's bytes out, at the pace at which the client reads.
//!
//! There is no task and no channel in between: hyper asks for bytes when the client can take some, and dropping the
//! body, as hyper does when the client leaves, drops the calls.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::converse::TokenUsage;
use outcrop_translate::{Endpoint, Problem, StreamReader, StreamTranslator, Wire};
use outcrop_upstream::{Error, EventStream, Failure, Reply, ReplyBody};
use tokio::time::{Instant, Sleep};

use crate::ends::Ending;
use crate::error;
use crate::exchange::{
    Gateway, Sending, X_TOKEN_USAGE_INPUT, X_TOKEN_USAGE_OUTPUT, note_answered, note_failure, region_of,
};
use crate::metrics::Counted;
use crate::record::Record;
use crate::response_cache::{Recording, Ticket};
use crate::rounds::{Answered, Trouble};

/// Enough bytes for one piece of the answer; more waits until the client has read these.
const PIECE_BYTES: usize = 32 * 1024;

/// How long a choice's stream is read on after the client has all of it that it wants.
const READ_ON: Duration = Duration::from_secs(2);

/// The body of a streamed answer.
pub(crate) struct EventBody<E: Endpoint> {
    gateway: Arc<Gateway>,
    phase: Phase<E::Memo>,
    translator: E::Stream,
    record: Record,
    takes_trailers: bool,
    last_sent: Instant,
    /// When the answer last went on, comments aside.
    last_piece: Instant,
    /// Whether the answer was silent for too long before it began.
    owes_comment: bool,
    /// Rings when the stream may have been silent for too long; `None` if nobody wants to know.
    alarm: Option<Pin<Box<Sleep>>>,
    ending: Ending,
    /// Keeps the answer, if it comes to a good end.
    recording: Option<Recording>,
    /// Counts it among the streams that are open.
    _counted: Counted,
}

enum Phase<M> {
    /// The calls have not begun to answer.
    Waiting(Sending<M>),
    /// What is under way for each choice; `None` once it has ended.
    Open(Vec<Option<Running>>),
    /// The answer is over but for its trailers.
    Trailers,
    /// All is said.
    Over,
}

/// A choice under way.
struct Running {
    source: Source,
    /// Rings when the source has been read for long enough after the client had all of the choice that it wants; `None`
    /// before that.
    reading_on: Option<Pin<Box<Sleep>>>,
}

/// Where a choice's events come from.
enum Source {
    /// Bedrock sends them.
    Stream(Box<EventStream>, StreamReader),
    /// Bedrock has answered as a whole, and we make them.
    Whole {
        wire: Wire,
        body: Bytes,
        tokens: TokenCounts,
        /// Tokens of answers that were thrown away.
        spent: TokenUsage,
    },
}

impl<E: Endpoint> EventBody<E> {
    /// The body of an answer that has begun.
    pub(crate) fn open(
        gateway: Arc<Gateway>,
        answered: Answered<E::Memo>,
        mut record: Record,
        how: (bool, Ending),
    ) -> Self {
        let sources = sources(&mut record, answered.plan.wire, answered.replies, answered.spent);
        let phase = Phase::Open(sources);
        Self::new(gateway, phase, answered.plan.memo, record, how)
    }

    /// The body of an answer that has not; it begins with a comment.
    pub(crate) fn waiting(
        gateway: Arc<Gateway>,
        sending: Sending<E::Memo>,
        memo: E::Memo,
        record: Record,
        how: (bool, Ending),
    ) -> Self {
        let mut body = Self::new(gateway, Phase::Waiting(sending), memo, record, how);
        body.owes_comment = true;
        body
    }

    /// Whether the client takes trailers, and when the answer must end, say how it is written.
    fn new(
        gateway: Arc<Gateway>,
        phase: Phase<E::Memo>,
        memo: E::Memo,
        record: Record,
        (takes_trailers, ending): (bool, Ending),
    ) -> Self {
        let interval = gateway.config.keep_alive_interval;
        let alarm = (!interval.is_zero()).then(|| Box::pin(tokio::time::sleep(interval)));
        Self {
            _counted: gateway.metrics.stream(),
            ending,
            gateway,
            phase,
            translator: E::stream(memo),
            record,
            takes_trailers,
            last_sent: Instant::now(),
            last_piece: Instant::now(),
            owes_comment: false,
            alarm,
            recording: None,
        }
    }

    /// The same body, whose answer is kept if there is a ticket for that.
    pub(crate) fn kept_by(mut self, ticket: Option<Ticket>) -> Self {
        self.recording = ticket.map(Ticket::recording);
        self
    }

    /// Adds a piece to what is kept, and keeps it once the answer is whole.
    fn record_piece(&mut self, piece: &[u8]) {
        if let Some(recording) = self.recording.take() {
            let recording = recording.add(piece);
            match self.phase {
                Phase::Waiting(_) | Phase::Open(_) => self.recording = recording,
                Phase::Trailers | Phase::Over => {
                    if let Some(recording) = recording {
                        recording.keep(&self.record);
                    }
                }
            }
        }
    }

    /// Translates what is there; the phase tells what comes next.
    fn advance(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) {
        if let Phase::Waiting(sending) = &mut self.phase {
            match sending.as_mut().poll(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(answered)) => {
                    // Nothing was translated yet.
                    let answered = note_answered(&mut self.record, &self.gateway, answered);
                    self.translator = E::stream(answered.plan.memo);
                    let (wire, spent) = (answered.plan.wire, answered.spent);
                    self.phase = Phase::Open(sources(&mut self.record, wire, answered.replies, spent));
                }
                Poll::Ready(Err(Trouble::Failure(failed))) => {
                    self.record.model.clone_from(&failed.model_id);
                    self.record.region = region_of(&self.gateway, failed.region.as_deref());
                    return self.fail_call(&failed.failure, out);
                }
                Poll::Ready(Err(Trouble::NoRoom(no_room))) => {
                    let problem = self.gateway.no_room(&no_room, &mut self.record);
                    let cause = problem.message.clone();
                    return self.fail(&problem, &cause, out);
                }
                Poll::Ready(Err(Trouble::Problem(problem))) => {
                    let cause = problem.message.clone();
                    return self.fail(&problem, &cause, out);
                }
            }
        }
        let Phase::Open(running) = &mut self.phase else { return };
        let mut open = false;
        for (choice, slot) in running.iter_mut().enumerate() {
            let Some(Running { source, reading_on }) = slot else {
                continue;
            };
            let driven = drive(source, choice, &mut self.translator, cx, out);
            if self.translator.is_complete(choice) {
                // The client has all that it wants. What still comes is read for the tokens that it tells of, but not
                // for long, and without caring how it ends.
                let alarm = reading_on.get_or_insert_with(|| Box::pin(tokio::time::sleep(READ_ON)));
                if matches!(driven, Ok(true)) && alarm.as_mut().poll(cx).is_pending() {
                    open = true;
                    continue;
                }
                // AWS counts what it doesn't tell any more.
                self.record.is_usage_partial |= !matches!(driven, Ok(false));
                *slot = None;
                continue;
            }
            match driven {
                Ok(true) => open = true,
                Ok(false) => *slot = None,
                Err(error) => {
                    let failure = Failure {
                        error,
                        request_id: Some(self.record.aws_request_id.clone()),
                        attempts: self.record.attempts,
                    };
                    return self.fail_call(&failure, out);
                }
            }
        }
        if !open {
            if let Err(problem) = self.translator.finish(out) {
                let cause = problem.message.clone();
                return self.fail(&problem, &cause, out);
            }
            self.note_usage();
            self.record.complete();
            self.phase = if self.takes_trailers {
                Phase::Trailers
            } else {
                Phase::Over
            };
        }
    }

    fn fail_call(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let problem = self.gateway.problem(failure, &self.record, &self.record.model);
        self.record.break_off();
        note_failure(&mut self.record, failure);
        self.fail(&problem, &failure.to_string(), out);
    }

    /// Ends the answer with an error; dropping the streams ends the calls.
    fn fail(&mut self, problem: &Problem, cause: &str, out: &mut Vec<u8>) {
        self.recording = None;
        self.translator.fail(problem, out);
        self.note_usage();
        self.record.error_code = problem.code;
        self.record.fail(cause);
        self.phase = Phase::Over;
    }

    /// Notes what the answer has cost so far.
    fn note_usage(&mut self) {
        self.record.note_usages(self.translator.usages());
        if self.record.is_answered {
            self.record.untold = self.translator.untold();
        }
    }

    /// Writes a comment if the answer has been silent for the interval, and sets the alarm anew.
    fn break_silence(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.owes_comment) {
            self.translator.keep_alive(out);
            self.last_sent = Instant::now();
            return;
        }
        let interval = self.gateway.config.keep_alive_interval;
        while let Some(alarm) = &mut self.alarm {
            if alarm.as_mut().poll(cx).is_pending() {
                return;
            }
            let now = Instant::now();
            if self.last_sent + interval <= now {
                self.translator.keep_alive(out);
                self.last_sent = now;
            }
            alarm.as_mut().reset(self.last_sent + interval);
        }
    }

    fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert(X_TOKEN_USAGE_INPUT, self.record.usage.prompt_tokens().into());
        trailers.insert(X_TOKEN_USAGE_OUTPUT, self.record.usage.output_tokens.into());
        trailers
    }
}

impl<E: Endpoint> Drop for EventBody<E> {
    fn drop(&mut self) {
        // The client has left.
        if matches!(self.phase, Phase::Waiting(_) | Phase::Open(_)) {
            self.note_usage();
        }
    }
}

/// Translates what `source` has; whether there may be more.
fn drive<S: StreamTranslator>(
    source: &mut Source,
    choice: usize,
    translator: &mut S,
    cx: &mut Context<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let (stream, reader) = match source {
        Source::Stream(stream, reader) => (stream, reader),
        Source::Whole {
            wire,
            body,
            tokens,
            spent,
        } => {
            let mut reply = wire
                .reply(body, *tokens)
                .map_err(|unread| error::of_unread(unread, "the reply"))?;
            reply.usage = reply.usage.plus(*spent);
            for event in reply.into_events() {
                translator.push(choice, event, out);
            }
            return Ok(false);
        }
    };
    // Each choice has a share of its own, so that one which always has more does not starve the others.
    let enough = out.len() + PIECE_BYTES;
    loop {
        while let Some(event) = stream.next_event()? {
            reader
                .read(event.name, event.payload, choice, translator, out)
                .map_err(|unread| error::of_unread(unread, event.name))?;
        }
        if out.len() >= enough {
            return Ok(true);
        }
        match stream.poll_fill(cx) {
            Poll::Pending => return Ok(true),
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) if reader.finish(choice, translator, out) => return Ok(false),
            Poll::Ready(Ok(false)) => return Err(EventStream::ended_early()),
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
}

/// The sources of the replies; what was thrown away counts with the first.
fn sources(record: &mut Record, wire: Wire, replies: Vec<Reply>, mut spent: TokenUsage) -> Vec<Option<Running>> {
    if replies.iter().any(|reply| matches!(reply.body, ReplyBody::Whole(_))) {
        record.told_spent = spent;
    }
    let running = replies.into_iter().map(|reply| {
        let source = match reply.body {
            ReplyBody::Stream(stream) => Source::Stream(stream, wire.stream()),
            ReplyBody::Whole(body) => Source::Whole {
                wire,
                body,
                tokens: reply.tokens,
                spent: std::mem::take(&mut spent),
            },
        };
        Some(Running {
            source,
            reading_on: None,
        })
    });
    running.collect()
}

impl<E: Endpoint> Body for EventBody<E> {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let mut out = Vec::new();
        match this.phase {
            Phase::Over => return Poll::Ready(None),
            Phase::Trailers => {
                this.phase = Phase::Over;
                return Poll::Ready(Some(Ok(Frame::trailers(this.trailers()))));
            }
            Phase::Waiting(_) | Phase::Open(_) => this.advance(cx, &mut out),
        }
        let is_open = matches!(this.phase, Phase::Waiting(_) | Phase::Open(_));
        this.record_piece(&out);
        if is_open && let Poll::Ready(problem) = this.ending.as_mut().poll(cx) {
            let cause = problem.message.clone();
            this.fail(&problem, &cause, &mut out);
        }
        if !out.is_empty() {
            let now = Instant::now();
            if this.record.first_byte() {
                this.gateway.metrics.gap(now - this.last_piece);
            }
            this.last_sent = now;
            this.last_piece = now;
        } else if is_open {
            this.break_silence(cx, &mut out);
        }
        if matches!(this.phase, Phase::Trailers | Phase::Over) {
            // All is known, and a process may be frozen once the last bytes have left.
            this.record.finish();
        }
        if out.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(Some(Ok(Frame::data(out.into()))))
        }
    }
}
