//! The calls of one request: planned, fetched for, made, and made again where Bedrock's answer teaches how.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use outcrop_bedrock::call::Call;
use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::exception::Exception;
use outcrop_translate::{Endpoint, Plan, Problem, Repair, Teaching};
use outcrop_upstream::{Error, Failure, Reply, ReplyBody};

use crate::exchange::Gateway;
use crate::inquiry::{Caller, Inquiry};

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
    /// Tokens of answers that were thrown away.
    pub(crate) spent: TokenUsage,
}

/// Calls that were refused before one was answered.
#[derive(Default)]
struct Refused {
    attempts: u32,
    request_ids: Vec<String>,
}

/// Why a request got no answer.
pub(crate) enum Trouble {
    /// It can't be planned.
    Problem(Problem),
    /// Bedrock has none. The model is the one that was asked, and then comes the part of the request that the call was
    /// about, where there are several.
    Failure(Failure, String, Option<String>),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<E: Endpoint> Rounds<E> {
    pub(crate) fn new(gateway: Arc<Gateway>, body: Bytes, caller: Caller) -> Self {
        Self {
            inquiry: Inquiry::new(gateway, caller),
            body,
            last_refusal: None,
            endpoint: PhantomData,
        }
    }

    /// Plans the calls, and finds out what must be known first.
    pub(crate) async fn plan(&mut self) -> Result<Plan<E::Memo>, Problem> {
        let body = &self.body;
        self.inquiry.plan(|context| E::plan(body, context)).await
    }

    /// The URLs that the plan names instead of what they lead to.
    pub(crate) fn left_out(&self) -> &[String] {
        self.inquiry.left_out()
    }

    /// Plans again what was planned before.
    fn plan_again(&self, repair: Option<&Repair>) -> Result<Plan<E::Memo>, Problem> {
        self.inquiry.plan_again(repair, |context| E::plan(&self.body, context))
    }

    /// Makes the calls until they are answered. A field that the model refuses is left out from then on.
    pub(crate) async fn send(mut self, mut plan: Plan<E::Memo>) -> Result<Answered<E::Memo>, Trouble> {
        let mut refused = Refused::default();
        let mut replies = loop {
            match send_all(&self.inquiry.gateway, &plan).await {
                Ok(replies) => break replies,
                // Boxed, as it is rare: every call would else carry room for it.
                Err(failed) => plan = Box::pin(self.recover(failed, plan, &mut refused)).await?,
            }
        };
        if let Some(reply) = replies.first_mut() {
            reply.attempts += refused.attempts;
            refused.request_ids.extend(reply.request_id.take());
            reply.request_id = (!refused.request_ids.is_empty()).then(|| refused.request_ids.join(", "));
        }
        self.remember(&plan.model_id);
        let answered = Answered {
            plan,
            replies,
            spent: TokenUsage::default(),
        };
        if answered.plan.is_reviewed {
            // Boxed, as it is rare: every call would else carry room for it.
            return Box::pin(self.review(answered)).await;
        }
        Ok(answered)
    }

    /// Plans again by what a failure teaches, if it teaches anything.
    async fn recover(
        &mut self,
        (failure, choice): (Failure, usize),
        plan: Plan<E::Memo>,
        refused: &mut Refused,
    ) -> Result<Plan<E::Memo>, Trouble> {
        let better = match self.learn(&failure, &plan) {
            Some(better) => Some(better),
            None => self.find_model(&failure, &plan).await,
        };
        let Some(better) = better else {
            let about = E::part(&plan.memo, choice);
            return Err(Trouble::Failure(failure, plan.model_id, about));
        };
        refused.attempts += failure.attempts;
        refused.request_ids.extend(failure.request_id);
        Ok(better?)
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
            let plan = self.plan_again(Some(&repair))?;
            // Without a better answer, the one that is there is judged as it is.
            let Ok(mut better) = self.inquiry.gateway.client.send(&call_of(&plan, index)).await else {
                continue;
            };
            answered.spent = answered.spent.plus(usage);
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
pub(crate) fn call_of<M>(plan: &Plan<M>, choice: usize) -> Call {
    Call {
        operation: plan.operation,
        model_id: plan.model_id.clone(),
        account: None,
        region: plan.region.clone(),
        headers: plan.headers.clone(),
        body: plan.body_of(choice).clone(),
    }
}

/// Makes the calls of a plan, side by side. Gives the first failure, and the number of its choice.
async fn send_all<M>(gateway: &Gateway, plan: &Plan<M>) -> Result<Vec<Reply>, (Failure, usize)> {
    let client = &gateway.client;
    let first = call_of(plan, 0);
    if plan.choices == 1 {
        return Ok(vec![client.send(&first).await.map_err(|failure| (failure, 0))?]);
    }
    if plan.further_bodies.is_empty() {
        let sending = (0..plan.choices).map(|_| client.send(&first));
        return try_join_all(sending).await.map_err(|failure| (failure, 0));
    }
    let calls: Vec<Call> = (0..plan.choices).map(|choice| call_of(plan, choice)).collect();
    let sending = calls.iter().enumerate().map(|(choice, call)| {
        let sent = client.send(call);
        async move { sent.await.map_err(|failure| (failure, choice)) }
    });
    try_join_all(sending).await
}
