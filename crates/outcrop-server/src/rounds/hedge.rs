//! A second call while the first is silent.

use std::pin::pin;
use std::time::Duration;

use outcrop_translate::{Endpoint, Plan};
use tokio::time::sleep;

use super::{Refused, Rounds, call_of};
use crate::inquiry::Inquiry;
use crate::routing::{Missed, Sent};

/// What came of a call and, perhaps, of another one beside it.
pub(super) struct Hedged<M> {
    /// The plan of the one that counts.
    pub(super) plan: Plan<M>,
    pub(super) sent: Result<Sent, Missed>,
    /// The request as it is where the other call was made, if that is the one that counts.
    pub(super) moved: Option<Inquiry>,
}

impl<E: Endpoint> Rounds<E> {
    /// How long the only call of a plan may be silent before another target is asked beside it; `None` for ever.
    pub(super) fn hedging(&self, plan: &Plan<E::Memo>) -> Option<Duration> {
        let hedging = self.inquiry.gateway.router.hedging?;
        (plan.choices == 1 && self.inquiry.course.has_other_target()).then_some(hedging.after)
    }

    /// Makes the only call of a plan and, if there is no answer after a while, another target's beside it. The answer
    /// that begins first counts; the other call is dropped.
    pub(super) async fn send_hedged(
        &self,
        plan: Plan<E::Memo>,
        after: Duration,
        refused: &mut Refused,
    ) -> Hedged<E::Memo> {
        let here = |plan, sent| Hedged {
            plan,
            sent,
            moved: None,
        };
        let call = self.call(&plan, 0);
        let mut first = pin!(self.inquiry.attempt(&call, plan.size));
        tokio::select! {
            sent = &mut first => return here(plan, sent),
            () = sleep(after) => {}
        }
        let Some((mut beside, other)) = self.beside() else {
            return here(plan, first.await);
        };
        tracing::debug!(
            model = plan.model_id,
            after_ms = after.as_millis() as u64,
            "another target is asked beside"
        );
        let other_call = beside.address(call_of(&other, 0));
        let (other_sent, lost) = {
            let mut second = pin!(beside.attempt(&other_call, other.size));
            let (first_sent, second_sent) = tokio::select! {
                sent = &mut first => (Some(sent), None),
                sent = &mut second => (None, Some(sent)),
            };
            // The one that doesn't count is a call as well, unless there was no room for it.
            let was_made = !matches!(second_sent, Some(Err(Missed::NoRoom(_) | Missed::LeftAlone)));
            refused.attempts += u32::from(was_made);
            match (first_sent, second_sent) {
                (Some(Ok(sent)), _) => return here(plan, Ok(sent)),
                (Some(Err(missed)), _) if missed.is_final() => return here(plan, Err(missed)),
                (Some(Err(missed)), _) => (second.await, Some(missed)),
                (None, Some(Ok(sent))) => (Ok(sent), None),
                (None, Some(Err(failure))) => match first.await {
                    Ok(sent) => return here(plan, Ok(sent)),
                    Err(missed) => {
                        refused.attempts += u32::from(!was_made);
                        (Err(failure), Some(missed))
                    }
                },
                (None, None) => (first.await, None),
            }
        };
        // What is known of the first target counts for what comes next, and for what is told.
        if let (Err(_), Some(Missed::Failed(failure))) = (&other_sent, lost) {
            beside.course.lost(self.inquiry.course.place(), &failure.error);
            refused.keep(self.failed(failure, 0, &plan));
        }
        Hedged {
            plan: other,
            sent: other_sent,
            moved: Some(beside),
        }
    }

    /// The request as it is at the next target that is well, and the plan for it, if there is one and the budget allows.
    fn beside(&self) -> Option<(Inquiry, Plan<E::Memo>)> {
        let beside = self.inquiry.beside()?;
        let plan = beside.plan_again(None, |context, fill| E::plan(&fill.body(&self.body), context));
        let plan = plan.ok().filter(|plan| plan.choices == 1)?;
        self.inquiry
            .gateway
            .router
            .hedge_budget
            .spend()
            .then_some((beside, plan))
    }
}
