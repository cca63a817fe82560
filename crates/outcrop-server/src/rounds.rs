//! The calls of one request: planned, fetched for, made, and made again where Bedrock's answer teaches how.

mod hedge;
mod slots;
mod trouble;

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use outcrop_bedrock::call::Call;
use outcrop_bedrock::converse::{StopReason, TokenUsage};
use outcrop_bedrock::exception::Exception;
use outcrop_translate::resolve::Target;
use outcrop_translate::{Billed, Endpoint, Input, Plan, Problem, Repair, Teaching};
use outcrop_upstream::{Error, Failure, Reply, ReplyBody};

use self::slots::Slots;
use self::trouble::Refused;
pub(crate) use self::trouble::{Failed, Trouble};
use crate::exchange::Gateway;
use crate::inquiry::{Caller, GoOn, Inquiry};
use crate::meter::{Called, Tally};
use crate::routing::{Hold, Missed, Next, Sent, Verdict};

/// As many fields as one request may teach that a model refuses: each costs a call.
const MAX_LESSONS: usize = 6;

/// The calls of one request.
pub(crate) struct Rounds<E> {
    inquiry: Inquiry,
    body: Bytes,
    last_refusal: Option<String>,
    endpoint: PhantomData<E>,
}

/// Calls that were answered.
pub(crate) struct Answered<M> {
    /// The plan by which they were made at last.
    pub(crate) plan: Plan<M>,
    /// An answer for each choice.
    pub(crate) replies: Vec<Reply>,
    /// What the calls hold as long as their answers are read.
    pub(crate) holds: Vec<Hold>,
    /// Tokens of answers that were thrown away.
    pub(crate) spent: TokenUsage,
    /// Whether another body was asked than the first plan's.
    pub(crate) is_changed: bool,
}

impl<E: Endpoint> Rounds<E> {
    pub(crate) fn new(gateway: Arc<Gateway>, body: Bytes, caller: Caller) -> Self {
        let input = Input::Json(body.clone());
        Self {
            inquiry: Inquiry::new(gateway, caller, &input),
            body,
            last_refusal: None,
            endpoint: PhantomData,
        }
    }

    /// Plans the calls, and finds out what must be known first.
    pub(crate) async fn plan(&mut self) -> Result<Plan<E::Memo>, Problem> {
        let body = &self.body;
        self.inquiry
            .plan(|context, fill| E::plan(&fill.body(body), context))
            .await
    }

    /// The call of a plan for one choice, as it would be made at the target that comes first.
    pub(crate) fn call(&self, plan: &Plan<E::Memo>, choice: usize) -> Call {
        self.inquiry.address(call_of(plan, choice))
    }

    /// What may be asked if that fails.
    pub(crate) fn next(&self) -> Vec<serde_json::Value> {
        self.inquiry.next()
    }

    /// The URLs that the plan names instead of what they lead to.
    pub(crate) fn left_out(&self) -> &[String] {
        self.inquiry.left_out()
    }

    /// The model that is meant.
    pub(crate) fn target(&self) -> Option<Arc<Target>> {
        self.inquiry.kept_target()
    }

    /// What is asked of models.
    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.inquiry.tally
    }

    /// Whether something stands in the plan that was behind a URL.
    pub(crate) fn has_fetched(&self) -> bool {
        self.inquiry.has_fetched()
    }

    /// Plans again what was planned before.
    fn plan_again(&self, repair: Option<&Repair>) -> Result<Plan<E::Memo>, Problem> {
        self.inquiry
            .plan_again(repair, |context, fill| E::plan(&fill.body(&self.body), context))
    }

    /// Makes the calls until they are answered. A field that the model refuses is left out from then on.
    pub(crate) async fn send(mut self, mut plan: Plan<E::Memo>) -> Result<Answered<E::Memo>, Trouble> {
        let mut refused = Refused::default();
        let mut sent = Slots::new(plan.choices);
        loop {
            let made = match self.hedging(&plan) {
                // Boxed, since every request would else carry room for it.
                Some(hedging) => {
                    let hedged = Box::pin(self.send_hedged(plan, hedging, &mut refused)).await;
                    refused.is_changed |= hedged.moved.is_some();
                    if let Some(moved) = hedged.moved {
                        self.inquiry = moved;
                    }
                    plan = hedged.plan;
                    match hedged.sent {
                        Ok(reply) => {
                            sent.put(0, reply);
                            Ok(())
                        }
                        Err(missed) => Err((missed, 0)),
                    }
                }
                None => self.send_missing(&plan, &mut sent).await,
            };
            match made {
                Ok(()) if self.is_refused_content(&plan, &sent) => {
                    // Boxed, as it is rare: every call would else carry room for it.
                    let Some(better) = Box::pin(self.turn_from_content()).await else {
                        break;
                    };
                    refused.is_changed = true;
                    self.throw_away(&plan, &sent, &mut refused);
                    sent = Slots::new(better.choices);
                    plan = better;
                }
                Ok(()) => break,
                Err(failed) => {
                    let answered = sent.replies().map(|reply| reply.attempts).sum();
                    let better = match Box::pin(self.recover(failed, answered, &plan, &mut refused)).await {
                        Ok(better) => better,
                        Err(trouble) => {
                            // The answers to other choices are paid for all the same.
                            self.throw_away(&plan, &sent, &mut refused);
                            return Err(trouble);
                        }
                    };
                    // Answers are read by the plan by which they were asked for.
                    if let Some(better) = better {
                        if better.body != plan.body || better.model_id != plan.model_id {
                            refused.is_changed = true;
                            self.throw_away(&plan, &sent, &mut refused);
                            sent = Slots::new(better.choices);
                        }
                        plan = better;
                    }
                }
            }
        }
        let (mut replies, holds) = sent.into_parts();
        if let Some(reply) = replies.first_mut() {
            reply.attempts += refused.attempts;
            refused.request_ids.extend(reply.request_id.take());
            reply.request_id = (!refused.request_ids.is_empty()).then(|| refused.request_ids.join(", "));
        }
        self.remember(&plan.model_id);
        let answered = Answered {
            plan,
            replies,
            holds,
            spent: refused.spent,
            is_changed: refused.is_changed,
        };
        if answered.plan.is_reviewed {
            // Boxed, as it is rare: every call would else carry room for it.
            return Box::pin(self.review(answered)).await;
        }
        Ok(answered)
    }

    /// Makes the calls that have no answer yet, side by side. Gives the first failure, and the number of its choice.
    async fn send_missing(&self, plan: &Plan<E::Memo>, sent: &mut Slots) -> Result<(), (Missed, usize)> {
        let inquiry = &self.inquiry;
        if plan.choices == 1 {
            let call = self.call(plan, 0);
            let reply = inquiry.attempt(&call, plan.size).await;
            sent.put(0, reply.map_err(|missed| (missed, 0))?);
            return Ok(());
        }
        let calls: Vec<(usize, Call)> = sent.missing().map(|choice| (choice, self.call(plan, choice))).collect();
        // Where there isn't room for all, another target may have it; what was answered here would be thrown away there.
        let mut held = match sent.is_empty() && !inquiry.has_granted() {
            true => inquiry.hold_all(&calls, plan.size)?,
            false => Vec::new(),
        }
        .into_iter();
        let sending = calls.iter().map(|(choice, call)| {
            let held = held.next();
            async move {
                let sent = match held {
                    Some(held) => inquiry.attempt_held(call, plan.size, held).await,
                    None => inquiry.attempt(call, plan.size).await,
                };
                (*choice, sent)
            }
        });
        let mut sending: FuturesUnordered<_> = sending.collect();
        let mut failed = None;
        while let Some((choice, reply)) = sending.next().await {
            match reply {
                Ok(reply) => sent.put(choice, reply),
                // There is nothing to wait for.
                Err(missed) if missed.is_final() => return Err((missed, choice)),
                Err(missed) => {
                    failed.get_or_insert((missed, choice));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Plans again by what a failure teaches, or for another target; `None` if the same calls are to be made again.
    /// `answered` is how many calls have answered other choices.
    async fn recover(
        &mut self,
        (missed, choice): (Missed, usize),
        answered: u32,
        plan: &Plan<E::Memo>,
        refused: &mut Refused,
    ) -> Result<Option<Plan<E::Memo>>, Trouble> {
        let next = match missed {
            Missed::NoRoom(no_room) if answered > 0 => self.inquiry.course.after_no_room_for_the_rest(*no_room),
            Missed::LeftAlone => self.inquiry.course.after_left_alone(),
            Missed::NoRoom(no_room) => self.inquiry.course.after_no_room(*no_room),
            Missed::Failed(failure) => {
                refused.attempts += failure.attempts;
                refused.request_ids.extend(failure.request_id.clone());
                let better = match self.learn(&failure, plan) {
                    Some(better) => Some(better),
                    None => self.find_model(&failure, plan).await,
                };
                if let Some(better) = better {
                    return Ok(Some(better?));
                }
                self.after_failure(failure, choice, plan, refused)
            }
        };
        let next = self.inquiry.wait(next).await;
        let body = &self.body;
        let gone_on = self
            .inquiry
            .go_on(next, |context, fill| E::plan(&fill.body(body), context));
        match gone_on.await {
            GoOn::Repeat => Ok(None),
            GoOn::Plan(better) => Ok(Some(better)),
            GoOn::Over => {
                refused.attempts += answered;
                Err(refused.trouble(self.inquiry.refused_room.take()))
            }
        }
    }

    /// What comes after a failure that teaches nothing, which is kept to be told if nothing does.
    fn after_failure(&mut self, failure: Failure, choice: usize, plan: &Plan<E::Memo>, refused: &mut Refused) -> Next {
        let failed = self.failed(failure, choice, plan);
        let error = &failed.failure.error;
        let next = self.inquiry.course.after(error);
        let verdict = Verdict::of(error);
        tracing::debug!(%error, ?verdict, ?next, "a call failed");
        refused.keep(failed);
        next
    }

    /// Counts what answers have cost that nobody gets.
    fn throw_away(&self, plan: &Plan<E::Memo>, sent: &Slots, refused: &mut Refused) {
        for sent in sent.sent() {
            refused.attempts += sent.reply.attempts;
            if let ReplyBody::Whole(body) = &sent.reply.body
                && let Ok(read) = plan.wire.reply(body, sent.reply.tokens)
            {
                refused.spent = refused.spent.plus(read.usage);
                self.spend(sent.hold.called(), read.usage);
            }
        }
    }

    /// Counts what an answer has cost that nobody gets.
    fn spend(&self, called: Option<&Arc<Called>>, usage: TokenUsage) {
        if let Some(called) = called {
            let inquiry = &self.inquiry;
            inquiry
                .tally
                .throw_away(&inquiry.gateway.config.catalogue, called, usage, &Billed::default());
        }
    }

    /// Counts what all answers have cost.
    fn spend_all(&self, answered: &Answered<E::Memo>) {
        for (reply, hold) in answered.replies.iter().zip(&answered.holds) {
            if let ReplyBody::Whole(body) = &reply.body
                && let Ok(read) = answered.plan.wire.reply(body, reply.tokens)
            {
                self.spend(hold.called(), read.usage);
            }
        }
    }

    /// A failure of a call that was made where the request is now.
    fn failed(&self, failure: Failure, choice: usize, plan: &Plan<E::Memo>) -> Failed {
        Failed {
            failure,
            model_id: plan.model_id.clone(),
            region: plan.region.clone(),
            lane: self.inquiry.lane(&plan.model_id, plan.region.as_deref()),
            about: E::part(&plan.memo, choice),
        }
    }

    /// Whether whole answers are refusals of a guardrail or a filter, and others may be asked instead.
    fn is_refused_content(&self, plan: &Plan<E::Memo>, sent: &Slots) -> bool {
        if !self.inquiry.course.turns_from_content() {
            return false;
        }
        sent.replies().any(|reply| match &reply.body {
            ReplyBody::Whole(body) if !plan.wire.is_straight() => {
                plan.wire.reply(body, reply.tokens).is_ok_and(|reply| {
                    matches!(
                        reply.stop_reason,
                        StopReason::GuardrailIntervened | StopReason::ContentFiltered
                    )
                })
            }
            _ => false,
        })
    }

    /// Plans for a model that may answer what this one refuses to.
    async fn turn_from_content(&mut self) -> Option<Plan<E::Memo>> {
        let next = self.inquiry.course.after_refused_content();
        let body = &self.body;
        match self
            .inquiry
            .go_on(next, |context, fill| E::plan(&fill.body(body), context))
            .await
        {
            GoOn::Plan(plan) => Some(plan),
            GoOn::Repeat | GoOn::Over => None,
        }
    }

    /// Plans again through an inference profile or in another region, where the refusal says that the model must be
    /// called so, and what Bedrock lists says by which.
    async fn find_model(&mut self, failure: &Failure, plan: &Plan<E::Memo>) -> Option<Result<Plan<E::Memo>, Problem>> {
        if !self.inquiry.learns_models(failure).await {
            return None;
        }
        match self.plan_again(None) {
            Ok(better) if better.model_id == plan.model_id && better.region == plan.region => None,
            better => Some(better),
        }
    }

    /// Plans again by what a refusal teaches; `None` if it teaches nothing that helps.
    fn learn(&mut self, failure: &Failure, plan: &Plan<E::Memo>) -> Option<Result<Plan<E::Memo>, Problem>> {
        let Error::Service {
            exception: Exception::Validation | Exception::AccessDenied,
            message,
            ..
        } = &failure.error
        else {
            return None;
        };
        let parameters: Vec<&str> = plan.parameters.iter().map(String::as_str).collect();
        let teaching = Teaching::of_refusal(message, &parameters)?;
        // The same refusal again: what was left out was not its reason.
        let has_not_helped = self.last_refusal.replace(message.clone()).as_ref() == Some(message);
        if has_not_helped || self.inquiry.taught.len() == MAX_LESSONS || self.inquiry.taught.contains(&teaching) {
            return None;
        }
        self.inquiry.taught.push(teaching);
        let better = self.plan_again(None);
        let is_same = |better: &Plan<E::Memo>| {
            better.body == plan.body
                && better.further_bodies == plan.further_bodies
                && better.operation == plan.operation
        };
        if better.as_ref().is_ok_and(is_same) {
            return None;
        }
        Some(better)
    }

    /// Remembers, for other requests, what was left out with success. What a refusal says may quote the client, so
    /// that it teaches nothing before it has helped.
    fn remember(&self, model_id: &str) {
        // Nor does it where the request may have said who answers.
        if self.inquiry.brought_account().is_some() {
            return;
        }
        for Teaching { lesson, .. } in self.inquiry.taught.iter().filter(|teaching| teaching.is_lasting) {
            if self.inquiry.gateway.learned.add(model_id, lesson.clone()) {
                tracing::info!(model = model_id, refused = %lesson, "the model refuses a field, which is left out now");
            }
        }
    }

    /// Asks again for each answer that will not do, once.
    async fn review(&self, mut answered: Answered<E::Memo>) -> Result<Answered<E::Memo>, Trouble> {
        for index in 0..answered.replies.len() {
            let Some(Reply {
                body: ReplyBody::Whole(body),
                tokens,
                ..
            }) = answered.replies.get(index)
            else {
                continue;
            };
            let Ok(reply) = answered.plan.wire.reply(body, *tokens) else {
                continue;
            };
            let Some(repair) = E::review(&answered.plan.memo, &reply) else {
                continue;
            };
            let usage = reply.usage;
            let plan = match self.plan_again(Some(&repair)) {
                Ok(plan) => plan,
                Err(problem) => {
                    self.spend_all(&answered);
                    return Err(problem.into());
                }
            };
            // Without a better answer, the one that is there is judged as it is.
            let call = self.call(&plan, index);
            let asked = self.inquiry.attempt_patiently(&call, plan.size);
            let Ok(Sent {
                reply: mut better,
                hold,
            }) = asked.await
            else {
                continue;
            };
            self.spend(answered.holds.get(index).and_then(Hold::called), usage);
            answered.spent = answered.spent.plus(usage);
            answered.holds.push(hold);
            if let Some(reply) = answered.replies.get_mut(index) {
                better.attempts += reply.attempts;
                let ids = [reply.request_id.take(), better.request_id.take()];
                better.request_id = Some(ids.into_iter().flatten().collect::<Vec<_>>().join(", "));
                *reply = better;
            }
            answered.plan.notes = plan.notes;
        }
        Ok(answered)
    }
}

/// The call of a plan for the choice numbered `choice`.
fn call_of<M>(plan: &Plan<M>, choice: usize) -> Call {
    Call {
        operation: plan.operation,
        model_id: plan.model_id.clone(),
        account: None,
        region: plan.region.clone(),
        headers: plan.headers.clone(),
        body: plan.body_of(choice).clone(),
    }
}
