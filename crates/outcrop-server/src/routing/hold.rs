//! What a call holds as long as its answer is read.

use std::sync::Arc;
use std::time::Instant;

use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::exception::Exception;
use outcrop_routing::ledger::{Lane, Need};
use outcrop_routing::{Flight, Outcome};
use outcrop_upstream::{Error, Failure, Reply};

use super::verdict::{self, Verdict};
use crate::admission::Held;
use crate::meter::Called;

/// A call that was answered.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) reply: Reply,
    pub(crate) hold: Hold,
}

/// Why a call was not answered.
#[derive(Debug)]
pub(crate) enum Missed {
    /// It failed.
    Failed(Failure),
    /// It was not made: the quota has no room for it.
    NoRoom(Box<NoRoom>),
    /// It was not made: the target is left alone since it was chosen, and another one is well.
    LeftAlone,
}

impl Missed {
    /// Whether no other target could answer it.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Failed(failure) => !Verdict::of(&failure.error).is_avoidable(),
            Self::NoRoom(_) | Self::LeftAlone => false,
        }
    }
}

/// A call for which there is no room.
#[derive(Debug)]
pub(crate) struct NoRoom {
    pub(crate) lane: Arc<Lane>,
    pub(crate) need: Need,
}

/// A call's place among those of its target, and what it takes of quotas.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    flight: Option<Flight>,
    held: Option<Held>,
    streams: bool,
    /// Whether it is known what became of the call.
    is_told: bool,
    /// The call, as far as its price needs it.
    called: Option<Arc<Called>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Whoever has waited so long for nothing knows at least that it takes longer.
        if let Some(flight) = self.flight.as_mut().filter(|_| !self.is_told) {
            flight.given_up(Instant::now(), self.streams);
        }
    }
}

impl Hold {
    /// What a call holds that is about to be made; the answer may be a stream.
    pub(super) fn new(flight: Option<Flight>, held: Option<Held>, streams: bool) -> Self {
        Self {
            flight,
            held,
            streams,
            is_told: false,
            called: None,
        }
    }

    /// Notes what was called.
    pub(super) fn is_of(&mut self, called: Arc<Called>) {
        self.called = Some(called);
    }

    /// What was called.
    pub(crate) fn called(&self) -> Option<&Arc<Called>> {
        self.called.as_ref()
    }

    /// The answer has begun.
    pub(super) fn answered(&mut self, now: Instant) {
        self.is_told = true;
        if let Some(flight) = &mut self.flight {
            flight.first_byte(now, self.streams);
            flight.note(now, Outcome::Answered);
        }
        if let Some(held) = &self.held {
            held.accepted();
        }
    }

    /// The call has failed; its model may be of the client's choice.
    pub(super) fn failed(mut self, now: Instant, error: &Error, is_clients_model: bool) {
        self.is_told = true;
        if let Some(flight) = &mut self.flight {
            flight.note(now, verdict::outcome(error, is_clients_model));
        }
        let Some(held) = self.held.take() else { return };
        match error {
            // A model that isn't ready says nothing of quotas.
            Error::Service {
                exception: Exception::Throttling,
                message,
                ..
            } => held.throttled(message),
            // Nobody knows what AWS counts of a call that was given up.
            Error::Timeout { .. } | Error::Interrupted(_) => drop(held),
            // No bytes have left.
            Error::Connect(_) | Error::Credentials(_) | Error::Sign(_) => held.release(),
            _ => held.refused(),
        }
    }

    /// Bedrock has failed in the middle of its answer.
    pub(crate) fn broke_off(&mut self, now: Instant) {
        if let Some(flight) = &mut self.flight {
            flight.note(now, Outcome::Failed);
        }
    }

    /// The answer is over, and has cost so much.
    pub(crate) fn settle(mut self, usage: TokenUsage) {
        if let Some(held) = self.held.take() {
            held.settle(usage);
        }
    }

    /// The quotas of the model that answers, as far as they are known.
    pub(crate) fn lane(&self) -> Option<&Arc<Lane>> {
        self.held.as_ref()?.lane()
    }
}

/// What one of `calls` has cost that cost `usage` together.
pub(crate) fn share(usage: TokenUsage, calls: usize) -> TokenUsage {
    let calls = u64::try_from(calls).unwrap_or(u64::MAX).max(1);
    TokenUsage {
        input_tokens: usage.input_tokens.div_ceil(calls),
        output_tokens: usage.output_tokens.div_ceil(calls),
        cache_read_input_tokens: usage.cache_read_input_tokens.div_ceil(calls),
        cache_write_input_tokens: usage.cache_write_input_tokens.div_ceil(calls),
        cache_write_1h_input_tokens: usage.cache_write_1h_input_tokens.div_ceil(calls),
        reasoning_tokens: usage.reasoning_tokens.div_ceil(calls),
        served: usage.served,
    }
}
