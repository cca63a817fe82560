//! Why a request got no answer, or not from the first call.

use std::sync::Arc;

use outcrop_bedrock::converse::TokenUsage;
use outcrop_routing::ledger::Lane;
use outcrop_translate::{Problem, ProblemKind};
use outcrop_upstream::Failure;

use crate::admission::Refused as NoRoom;
use crate::routing::Verdict;

/// Calls that were refused before one was answered.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) attempts: u32,
    pub(super) request_ids: Vec<String>,
    /// Tokens of answers that were thrown away.
    pub(super) spent: TokenUsage,
    /// Whether another body was asked than the first plan's.
    pub(super) is_changed: bool,
    /// The one that tells the client the most.
    telling: Option<Box<Failed>>,
}

impl Refused {
    /// Keeps a failure if it tells the client more than those before.
    pub(super) fn keep(&mut self, failed: Failed) {
        let verdict = |failed: &Failed| Verdict::of(&failed.failure.error);
        if self
            .telling
            .as_ref()
            .is_none_or(|known| verdict(&failed) > verdict(known))
        {
            self.telling = Some(Box::new(failed));
        }
    }

    /// The failure that is told: that there was no room, rather than what is wrong with a target.
    pub(super) fn trouble(&mut self, no_room: Option<NoRoom>) -> Trouble {
        let is_about_target = |failed: &Failed| Verdict::of(&failed.failure.error) == Verdict::Elsewhere;
        if let (Some(no_room), None | Some(true)) = (&no_room, self.telling.as_deref().map(is_about_target)) {
            return Trouble::NoRoom(NoRoom {
                attempts: self.attempts,
                ..no_room.clone()
            });
        }
        match self.telling.take() {
            Some(mut failed) => {
                failed.failure.attempts = self.attempts;
                Trouble::Failure(failed)
            }
            None => Trouble::Problem(Problem::new(502, ProblemKind::Server, "Bedrock could not be asked.")),
        }
    }
}

/// Why a request got no answer.
pub(crate) enum Trouble {
    /// It can't be planned.
    Problem(Problem),
    /// Bedrock has none.
    Failure(Box<Failed>),
    /// Bedrock was not asked: its quota has no room.
    NoRoom(NoRoom),
}

/// A call that failed for good.
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    /// The model that was asked.
    pub(crate) model_id: String,
    /// The region that was asked.
    pub(crate) region: Option<String>,
    /// Where the call counted.
    pub(crate) lane: Option<Arc<Lane>>,
    /// The part of the request that the call was about, where there are several.
    pub(crate) about: Option<String>,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
