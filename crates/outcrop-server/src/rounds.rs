//! The calls of one request: planned, fetched for, made, and made again where Bedrock's answer teaches how.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future::try_join_all;
use outcrop_bedrock::call::Call;
use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::exception::Exception;
use outcrop_translate::policy::{Guardrail, OnUnsupported, Policy};
use outcrop_translate::resolve::{Asked, Target, Unresolved};
use outcrop_translate::{Advisor, Context, Endpoint, Fetched, Halt, Lesson, Plan, Problem, Remote, Repair, Teaching};
use outcrop_upstream::{Error, Failure, Reply, ReplyBody};

use crate::error;
use crate::exchange::Gateway;
use crate::fetch::FetchError;

/// As many fields as one request may teach that a model refuses: each costs a call.
const MAX_LESSONS: usize = 6;

/// What is known of a request besides its body.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The model that the path names.
    pub(crate) path_model: Option<String>,
    /// The key that the caller showed.
    pub(crate) key: Option<String>,
    /// The guardrail that the headers name.
    pub(crate) guardrail: Option<Guardrail>,
    /// What the headers want to become of what a model can't do.
    pub(crate) on_unsupported: Option<OnUnsupported>,
}

/// The calls of one request.
pub(crate) struct Rounds<E> {
    gateway: Arc<Gateway>,
    body: Bytes,
    caller: Caller,
    unique: u128,
    created: u64,
    remote: Remote,
    /// What refusals of this request have taught.
    taught: Vec<Teaching>,
    last_refusal: Option<String>,
    /// The model that is meant, once it was found: all plans of a request are for the same, whatever is forgotten
    /// meanwhile.
    target: Mutex<Option<Arc<Target>>>,
    /// Whether Bedrock was asked for a profile of the model already.
    has_looked_for_profile: bool,
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
    /// Bedrock has none. The model is the one that was asked.
    Failure(Failure, String),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<E: Endpoint> Rounds<E> {
    pub(crate) fn new(gateway: Arc<Gateway>, body: Bytes, caller: Caller) -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            gateway,
            body,
            caller,
            unique: fastrand::u128(..),
            created: since_1970.map_or(0, |elapsed| elapsed.as_secs()),
            remote: Remote::default(),
            taught: Vec::new(),
            last_refusal: None,
            target: Mutex::default(),
            has_looked_for_profile: false,
            endpoint: PhantomData,
        }
    }

    /// Plans the calls, and finds out what must be known first.
    pub(crate) async fn plan(&mut self) -> Result<Plan<E::Memo>, Problem> {
        match self.plan_with(None) {
            Ok(plan) => Ok(plan),
            Err(Halt::Problem(problem)) => Err(problem),
            // Boxed, as it is rare: every request would else carry room for it.
            Err(halt) => Box::pin(self.plan_knowing_more(halt)).await,
        }
    }

    /// Looks up the model behind an ARN and fetches what URLs point to, as the halt says, and plans then.
    async fn plan_knowing_more(&mut self, mut halt: Halt) -> Result<Plan<E::Memo>, Problem> {
        if let Halt::LookUp(arn) = &halt {
            self.look_up(arn).await;
            halt = match self.plan_with(None) {
                Ok(plan) => return Ok(plan),
                Err(halt) => halt,
            };
        }
        let urls = match halt {
            Halt::Problem(problem) => return Err(problem),
            Halt::LookUp(_) => return Err(unknown_arn()),
            Halt::Fetch(urls) => urls,
        };
        let failed = self.fetch(&urls).await;
        match (self.plan_with(None), failed) {
            (Ok(plan), _) => Ok(plan),
            // Where the URL stands is the translation's to say, what is wrong with it the fetcher's.
            (Err(Halt::Problem(problem)), Some(error)) => {
                Err(error.problem(problem.param.as_deref().unwrap_or("messages")))
            }
            (Err(Halt::Problem(problem)), None) => Err(problem),
            (Err(Halt::Fetch(_)), _) => Err(Problem::invalid("The request's URLs can't be fetched.")),
            (Err(Halt::LookUp(_)), _) => Err(unknown_arn()),
        }
    }

    /// Finds out which model is behind an ARN, or goes on without.
    async fn look_up(&self, arn: &str) {
        if self.gateway.leaves_urls_out {
            self.gateway.names.give_up(arn);
        } else {
            self.gateway.names.look_up(&self.gateway.client, arn).await;
        }
    }

    /// Fetches what URLs lead to, or has a name stand in for it. Gives the first failure.
    async fn fetch(&mut self, urls: &[String]) -> Option<FetchError> {
        let fetcher = &self.gateway.fetcher;
        let outcomes: Vec<Result<Option<Bytes>, FetchError>> = if self.gateway.leaves_urls_out {
            let checked = fetcher.check_all(urls).into_iter();
            checked.map(|outcome| outcome.map(|()| None)).collect()
        } else {
            let fetched = fetcher.fetch_all(urls).await.into_iter();
            fetched.map(|outcome| outcome.map(Some)).collect()
        };
        let mut failed = None;
        for (url, outcome) in urls.iter().zip(outcomes) {
            match outcome {
                Ok(Some(bytes)) => self.remote.add(
                    url,
                    Fetched {
                        bytes,
                        media_type: None,
                    },
                ),
                Ok(None) => self.remote.leave_out(url),
                Err(error) => {
                    self.remote.add_failure(url, "");
                    failed.get_or_insert(error);
                }
            }
        }
        if let Some(error) = &failed {
            tracing::info!(%error, "a client's URL was not fetched");
        }
        failed
    }

    /// The URLs that the plan names instead of what they lead to.
    pub(crate) fn left_out(&self) -> &[String] {
        self.remote.left_out()
    }

    fn plan_with(&self, repair: Option<&Repair>) -> Result<Plan<E::Memo>, Halt> {
        E::plan(
            &self.body,
            &Context {
                unique: self.unique,
                created: self.created,
                path_model: self.caller.path_model.as_deref(),
                max_choices: self.gateway.config.max_choices,
                catalogue: &self.gateway.config.catalogue,
                advisor: Some(self),
                remote: Some(&self.remote),
                repair,
            },
        )
    }

    /// Plans again what was planned before.
    fn plan_again(&self, repair: Option<&Repair>) -> Result<Plan<E::Memo>, Problem> {
        self.plan_with(repair).map_err(|halt| match halt {
            Halt::Problem(problem) => problem,
            Halt::Fetch(_) => Problem::invalid("The request's URLs can't be fetched."),
            Halt::LookUp(_) => unknown_arn(),
        })
    }

    /// Makes the calls until they are answered. A field that the model refuses is left out from then on.
    pub(crate) async fn send(mut self, mut plan: Plan<E::Memo>) -> Result<Answered<E::Memo>, Trouble> {
        let mut refused = Refused::default();
        let mut replies = loop {
            match send_all(&self.gateway, &plan).await {
                Ok(replies) => break replies,
                // Boxed, as it is rare: every call would else carry room for it.
                Err(failure) => plan = Box::pin(self.recover(failure, plan, &mut refused)).await?,
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
        failure: Failure,
        plan: Plan<E::Memo>,
        refused: &mut Refused,
    ) -> Result<Plan<E::Memo>, Trouble> {
        let better = match self.learn(&failure, &plan) {
            Some(better) => Some(better),
            None => self.find_profile(&failure, &plan).await,
        };
        let Some(better) = better else {
            return Err(Trouble::Failure(failure, plan.model_id));
        };
        refused.attempts += failure.attempts;
        refused.request_ids.extend(failure.request_id);
        Ok(better?)
    }

    /// Plans again through an inference profile, where the refusal says that the model must be called so, and what
    /// Bedrock lists says by which.
    async fn find_profile(
        &mut self,
        failure: &Failure,
        plan: &Plan<E::Memo>,
    ) -> Option<Result<Plan<E::Memo>, Problem>> {
        let Error::Service { message, .. } = &failure.error else {
            return None;
        };
        if !error::needs_profile(message) || std::mem::replace(&mut self.has_looked_for_profile, true) {
            return None;
        }
        self.gateway.models.refresh_names(&self.gateway).await;
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.plan_again(None) {
            Ok(better) if better.model_id == plan.model_id => None,
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
        if has_not_helped || self.taught.len() == MAX_LESSONS || self.taught.contains(&teaching) {
            return None;
        }
        self.taught.push(teaching);
        let better = self.plan_again(None);
        let is_same = |better: &Plan<E::Memo>| better.body == plan.body && better.operation == plan.operation;
        if better.as_ref().is_ok_and(is_same) {
            return None;
        }
        Some(better)
    }

    /// Remembers, for other requests, what was left out with success. What a refusal says may quote the client, so
    /// that it teaches nothing before it has helped.
    fn remember(&self, model_id: &str) {
        for Teaching { lesson, .. } in self.taught.iter().filter(|teaching| teaching.is_lasting) {
            if self.gateway.learned.add(model_id, lesson.clone()) {
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
            let Ok(mut better) = self.gateway.client.send(&call_of(&plan)).await else {
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

impl<E: Endpoint> Advisor for Rounds<E> {
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        let mut kept = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = &*kept {
            return Ok(Arc::clone(target));
        }
        let gateway = &self.gateway;
        let target = gateway.names.resolve(asked, &gateway.config, gateway.client.region())?;
        *kept = Some(Arc::clone(&target));
        Ok(target)
    }

    fn policy(&self, names: &[&str], is_opaque: bool) -> Policy {
        let policies = &self.gateway.config.policies;
        let mut policy = policies.resolve(names, is_opaque, self.caller.key.as_deref());
        if let Some(guardrail) = &self.caller.guardrail {
            policy.guardrail = Some(guardrail.clone());
        }
        if let Some(on_unsupported) = self.caller.on_unsupported {
            policy.on_unsupported = on_unsupported;
        }
        policy
    }

    fn lessons(&self, model_id: &str) -> Vec<Lesson> {
        let mut lessons = self.gateway.learned.of(model_id);
        lessons.extend(self.taught.iter().map(|teaching| teaching.lesson.clone()));
        lessons
    }
}

fn unknown_arn() -> Problem {
    Problem::invalid("What is behind the model's ARN can't be told.")
}

/// The call of a plan.
pub(crate) fn call_of<M>(plan: &Plan<M>) -> Call {
    Call {
        operation: plan.operation,
        model_id: plan.model_id.clone(),
        region: plan.region.clone(),
        headers: plan.headers.clone(),
        body: plan.body.clone(),
    }
}

/// Makes the calls of a plan, side by side.
async fn send_all<M>(gateway: &Gateway, plan: &Plan<M>) -> Result<Vec<Reply>, Failure> {
    let call = call_of(plan);
    if plan.choices == 1 {
        return Ok(vec![gateway.client.send(&call).await?]);
    }
    try_join_all((0..plan.choices).map(|_| gateway.client.send(&call))).await
}
