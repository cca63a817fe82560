//! What goes wrong when it was asked for: in place of an answer, in a whole one, or in mid-stream.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};

use crate::body::{Content, Step};
use crate::exchange::Answer;
use crate::frames::{Framed, Wire};
use crate::introspection::REDIRECTED;
use crate::refusal::{Refusal, default_message};
use crate::script::{Fault, Script};

/// Lets what was sent reach the wire before the connection breaks.
const BEFORE_RESET: Duration = Duration::from_millis(20);
const PIECE_BYTES: usize = 64 << 10;

/// The faults that come in place of any answer.
pub(super) fn instead(fault: &Fault) -> Option<Answer> {
    match fault {
        Fault::Redirect => {
            let mut answer = Answer::bytes("");
            answer.status = StatusCode::TEMPORARY_REDIRECT;
            answer.headers.push((LOCATION, HeaderValue::from_static(REDIRECTED)));
            Some(answer)
        }
        Fault::Html { status } => Some(Answer::html(
            StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        )),
        Fault::Reset => Some(Answer::none(Content::Reset)),
        Fault::Silence => Some(Answer::none(Content::Silence)),
        Fault::HugeError { bytes } => {
            let mut answer = Answer::refusal(&Refusal::validation(""));
            answer.content = Content::Steps(Box::new(long_error(*bytes)));
            Some(answer)
        }
        _ => None,
    }
}

/// `{"message":"xxxx…"}`, in pieces.
fn long_error(bytes: usize) -> impl Iterator<Item = Step> + Send {
    static FILLING: [u8; PIECE_BYTES] = [b'x'; PIECE_BYTES];
    let pieces = bytes / PIECE_BYTES;
    let filling = std::iter::repeat_n(&FILLING[..], pieces).chain([&FILLING[..bytes % PIECE_BYTES]]);
    let parts = [&br#"{"message":""#[..]]
        .into_iter()
        .chain(filling)
        .chain([&br#""}"#[..]]);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| Step::Send(Bytes::from_static(part)))
}

/// A whole answer, or what is left of it.
pub(crate) fn sent_whole(script: &Script, body: Bytes, pace: Duration) -> Answer {
    match &script.fault {
        Some(fault) => in_whole(fault, &body, pace),
        None => Answer::bytes(body),
    }
}

/// A stream, as far as it gets.
pub(crate) fn sent_in_steps(
    wire: Wire,
    script: &Script,
    frames: impl Iterator<Item = Framed> + Send + 'static,
    pace: Duration,
) -> Answer {
    let steps: Box<dyn Iterator<Item = Step> + Send> = match script.fault.clone() {
        Some(fault) => Box::new(InStream::new(wire, frames, fault, pace)),
        None => Box::new(
            frames
                .enumerate()
                .flat_map(move |(number, frame)| paced(number, frame.bytes, pace)),
        ),
    };
    Answer::steps(wire.content_type(), steps)
}

/// A frame after its pause; the first one comes at once.
fn paced(number: usize, frame: Bytes, pace: Duration) -> [Step; 2] {
    [
        Step::Wait(if number == 0 { Duration::ZERO } else { pace }),
        Step::Send(frame),
    ]
}

/// The faults of a stream, in so far as a whole answer can have them.
fn in_whole(fault: &Fault, body: &Bytes, pace: Duration) -> Answer {
    let half = body.slice(..body.len() / 2);
    let steps = match fault {
        Fault::StreamError { exception, .. } => return Answer::refusal(&refusal(exception)),
        Fault::Cut { .. } => vec![Step::Send(half), Step::Wait(pace.max(BEFORE_RESET)), Step::Reset],
        Fault::Hang { .. } => vec![Step::Send(half), Step::Hang],
        // Half an answer that ends in order, and isn't JSON.
        _ => vec![Step::Send(half)],
    };
    Answer::steps("application/json", steps.into_iter())
}

/// The steps of a stream in which something goes wrong: after as many frames as was asked for, or right before
/// what closes the answer (`messageStop`), if that comes first.
struct InStream<I> {
    wire: Wire,
    frames: I,
    fault: Option<Fault>,
    pace: Duration,
    sent: usize,
    /// Steps made and not yet taken, the last one first.
    ready: Vec<Step>,
}

impl<I: Iterator<Item = Framed>> InStream<I> {
    fn new(wire: Wire, frames: I, fault: Fault, pace: Duration) -> InStream<I> {
        InStream {
            wire,
            frames,
            fault: Some(fault),
            pace,
            sent: 0,
            ready: Vec::new(),
        }
    }

    fn steps(&mut self) -> Option<Vec<Step>> {
        let fault = self.fault.as_ref()?;
        let frame = self.frames.next()?;
        if self.sent < after(fault) && !frame.closing {
            let [wait, send] = paced(self.sent, frame.bytes, self.pace);
            self.sent += 1;
            return Some(vec![wait, send]);
        }
        let wait = Step::Wait(if self.sent == 0 { Duration::ZERO } else { self.pace });
        let steps = match fault {
            Fault::StreamError { exception, .. } => {
                vec![wait, Step::Send(self.wire.exception(&refusal(exception)))]
            }
            Fault::Cut { .. } => vec![Step::Wait(self.pace.max(BEFORE_RESET)), Step::Reset],
            Fault::Corrupt { .. } => vec![wait, Step::Send(self.wire.corrupt(&frame.bytes))],
            Fault::CutFrame { .. } => vec![wait, Step::Send(frame.bytes.slice(..frame.bytes.len() / 2))],
            Fault::Hang { .. } => vec![Step::Hang],
            Fault::HugeFrame { .. } => vec![wait, Step::Send(self.wire.huge()), Step::Hang],
            _ => vec![],
        };
        self.fault = None;
        Some(steps)
    }
}

impl<I: Iterator<Item = Framed>> Iterator for InStream<I> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.ready.is_empty() {
            self.ready = self.steps()?;
            self.ready.reverse();
        }
        self.ready.pop()
    }
}

fn after(fault: &Fault) -> usize {
    match fault {
        Fault::StreamError { after, .. }
        | Fault::Cut { after }
        | Fault::Truncate { after }
        | Fault::Corrupt { after }
        | Fault::CutFrame { after }
        | Fault::Hang { after }
        | Fault::HugeFrame { after } => *after,
        Fault::Redirect | Fault::Html { .. } | Fault::HugeError { .. } | Fault::Reset | Fault::Silence => 0,
    }
}

/// An exception by its name as a stream's member, `throttlingException`, or as a class, `ThrottlingException`.
fn refusal(name: &str) -> Refusal {
    let mut class = name.to_owned();
    if let Some(first) = class.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let message = default_message(&class);
    Refusal::new(&class, message)
}
