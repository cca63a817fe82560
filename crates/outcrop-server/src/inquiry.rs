//! What must be found out before a request can be planned: the model that its name means, what is behind an ARN, what
//! its URLs lead to.

mod advisor;
mod room;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use outcrop_bedrock::call::Call;
use outcrop_bedrock::exception::Exception;
use outcrop_routing::RouteTarget;
use outcrop_tenants::UsageRecord;
use outcrop_translate::policy::{Guardrail, OnUnsupported};
use outcrop_translate::resolve::Target;
use outcrop_translate::{Context, Fetched, Halt, Input, Problem, Remote, Repair, Teaching};
use outcrop_upstream::{Error, Failure, Limits};
use tokio::time::Instant;

use self::room::Granted;
pub(crate) use self::room::behind;
use crate::admission::Refused;
use crate::error;
use crate::exchange::Gateway;
use crate::fetch::FetchError;
use crate::login::Login;
use crate::meter::Tally;
use crate::routing::{Course, Fill, Glance, Next, Patience};
use crate::tenants::Tenant;

/// What is known of a request besides its body.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The model that the path names.
    pub(crate) path_model: Option<String>,
    /// What tells the caller from others: the key of the settings that it showed, or the id of its key.
    pub(crate) key: Option<String>,
    /// Whose key it is; `None` for those of the settings.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// Who uses the key, where it isn't the one that it belongs to.
    pub(crate) user: Option<String>,
    /// The guardrail that the headers name.
    pub(crate) guardrail: Option<Guardrail>,
    /// What the headers want to become of what a model can't do.
    pub(crate) on_unsupported: Option<OnUnsupported>,
    /// The session that the headers name.
    pub(crate) session: Option<String>,
    /// How long the client waits.
    pub(crate) patience: Option<Duration>,
    /// Who Bedrock is asked as, and where, where the body says so.
    pub(crate) login: Option<Login>,
}

/// What is found out for one request.
pub(crate) struct Inquiry {
    pub(crate) gateway: Arc<Gateway>,
    caller: Caller,
    /// Where it is asked, and what comes next.
    pub(crate) course: Course,
    /// A random number, the source of the answer's id.
    pub(crate) unique: u128,
    /// When the request came, in seconds since 1970.
    pub(crate) created: u64,
    remote: Remote,
    has_fetched: bool,
    /// What refusals of this request have taught.
    pub(crate) taught: Vec<Teaching>,
    /// The model that is meant, once it was found: all plans of a request are for the same, whatever is forgotten
    /// meanwhile.
    target: Mutex<Option<Arc<Target>>>,
    /// What was waited for in the queue, for the next call.
    granted: Mutex<Granted>,
    /// Why there was no room, where the request has waited for it in vain.
    pub(crate) refused_room: Option<Refused>,
    /// Whether what Bedrock lists was waited for already.
    has_waited_for_list: bool,
    /// What is asked of models.
    pub(crate) tally: Arc<Tally>,
}

impl Inquiry {
    pub(crate) fn new(gateway: Arc<Gateway>, mut caller: Caller, input: &Input) -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let course = course(&gateway, &mut caller, input);
        let tally = Arc::new(Tally::of(caller.user.as_deref()));
        Self {
            gateway,
            caller,
            course,
            unique: fastrand::u128(..),
            created: since_1970.map_or(0, |elapsed| elapsed.as_secs()),
            remote: Remote::default(),
            has_fetched: false,
            taught: Vec::new(),
            target: Mutex::default(),
            granted: Mutex::default(),
            refused_room: None,
            has_waited_for_list: false,
            tally,
        }
    }

    /// Plans for the first target that the request can be planned for.
    pub(crate) async fn plan<P, F>(&mut self, planning: F) -> Result<P, Problem>
    where
        F: Fn(&Context<'_>, Fill<'_>) -> Result<P, Halt>,
    {
        match self.plan_here(&planning).await {
            Ok(plan) => Ok(plan),
            // Boxed, as it is rare: every request would else carry room for it.
            Err(problem) => Box::pin(self.plan_elsewhere(planning)).await.ok_or(problem),
        }
    }

    /// Plans for the first of the next targets that the request can be planned for.
    async fn plan_elsewhere<P, F>(&mut self, planning: F) -> Option<P>
    where
        F: Fn(&Context<'_>, Fill<'_>) -> Result<P, Halt>,
    {
        while let Next::Move(_) = self.course.after_problem() {
            self.forget_target();
            if let Ok(plan) = self.plan_here(&planning).await {
                return Some(plan);
            }
        }
        None
    }

    /// Waits for as long as `next` says, or for room where it says that. Gives what comes then, which is no queue.
    pub(crate) async fn wait(&mut self, next: Next) -> Next {
        if next != Next::Queue {
            next.pause().await;
            return next;
        }
        match self.queue().await {
            Ok(next) => next,
            Err((refused, next)) => {
                self.refused_room = Some(refused);
                next.pause().await;
                next
            }
        }
    }

    /// What comes after a failed call and the waiting after it: perhaps another plan.
    pub(crate) async fn go_on<P, F>(&mut self, next: Next, planning: F) -> GoOn<P>
    where
        F: Fn(&Context<'_>, Fill<'_>) -> Result<P, Halt>,
    {
        match next {
            Next::Over | Next::Queue => GoOn::Over,
            Next::Repeat(_) => {
                self.gateway.metrics.retry(true);
                GoOn::Repeat
            }
            Next::Move(_) => {
                self.gateway.metrics.retry(false);
                self.forget_target();
                self.plan(planning).await.map_or(GoOn::Over, GoOn::Plan)
            }
        }
    }

    /// Plans for the target that is asked now, and finds out what must be known first.
    async fn plan_here<P, F>(&mut self, planning: &F) -> Result<P, Problem>
    where
        F: Fn(&Context<'_>, Fill<'_>) -> Result<P, Halt>,
    {
        let planning = |inquiry: &Self| planning(&inquiry.context(None), inquiry.fill());
        match planning(self) {
            Ok(plan) => Ok(plan),
            Err(Halt::Problem(problem)) if self.may_be_elsewhere(&problem) => {
                // Boxed, as it is rare: every request would else carry room for it.
                Box::pin(self.wait_for_list()).await;
                match planning(self) {
                    Ok(plan) => Ok(plan),
                    Err(Halt::Problem(problem)) => Err(problem),
                    Err(halt) => Box::pin(self.plan_knowing_more(halt, planning)).await,
                }
            }
            Err(Halt::Problem(problem)) => Err(problem),
            Err(halt) => Box::pin(self.plan_knowing_more(halt, planning)).await,
        }
    }

    /// Looks up the model behind an ARN and fetches what URLs point to, as the halt says, and plans then.
    async fn plan_knowing_more<P, F>(&mut self, mut halt: Halt, planning: F) -> Result<P, Problem>
    where
        F: Fn(&Self) -> Result<P, Halt>,
    {
        if let Halt::LookUp(arn) = &halt {
            self.look_up(arn).await;
            halt = match planning(self) {
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
        match (planning(self), failed) {
            // Where the URL stands is the translation's to say, what is wrong with it the fetcher's.
            (Err(Halt::Problem(problem)), Some(error)) => {
                Err(error.problem(problem.param.as_deref().unwrap_or("messages")))
            }
            (planned, _) => planned.map_err(known_halt),
        }
    }

    /// Plans again what was planned before.
    pub(crate) fn plan_again<P>(
        &self,
        repair: Option<&Repair>,
        planning: impl Fn(&Context<'_>, Fill<'_>) -> Result<P, Halt>,
    ) -> Result<P, Problem> {
        planning(&self.context(repair), self.fill()).map_err(known_halt)
    }

    /// What a request gets that doesn't say it.
    fn fill(&self) -> Fill<'_> {
        let tenant = self.caller.tenant.as_deref();
        Fill {
            of_key: tenant.and_then(|tenant| tenant.parameters.as_deref()),
            ..self.course.fill()
        }
    }

    /// Whose request it is.
    pub(crate) fn whose(&self) -> Option<&Tenant> {
        self.caller.tenant.as_deref()
    }

    /// Whose files an answer tells of.
    pub(crate) fn organization_id(&self) -> Option<&str> {
        Some(&self.caller.tenant.as_deref()?.organization.id)
    }

    fn context<'a>(&'a self, repair: Option<&'a Repair>) -> Context<'a> {
        let config = &self.gateway.config;
        Context {
            unique: self.unique,
            created: self.created,
            path_model: self.caller.path_model.as_deref(),
            max_choices: config.max_choices,
            region: self.region(),
            catalogue: &config.catalogue,
            advisor: Some(self),
            remote: Some(&self.remote),
            repair,
        }
    }

    /// The region that is asked.
    pub(crate) fn region(&self) -> &str {
        match (self.asked_region(), self.course.target()) {
            (Some(region), _) => region,
            (None, Some(target)) => self.region_of(target),
            (None, None) => self.gateway.client.region(),
        }
    }

    /// The region that the request itself asks for.
    fn asked_region(&self) -> Option<&str> {
        self.caller.login.as_ref()?.region.as_deref()
    }

    /// The account that the request brings with it.
    pub(crate) fn brought_account(&self) -> Option<&str> {
        self.caller.login.as_ref()?.account.as_deref()
    }

    /// The account that pays for a call, by its name in the settings.
    pub(crate) fn paying_account<'a>(&'a self, call: &'a Call) -> Option<&'a str> {
        match &self.caller.login {
            Some(login) if login.account.is_some() && login.is_tenants => {
                self.caller.tenant.as_ref()?.account.as_deref()
            }
            Some(login) if login.is_clients => Some(UsageRecord::CLIENTS_ACCOUNT),
            // A role or a profile that a request names is taken on by the gateway's own credentials.
            Some(login) if login.account.is_some() => None,
            _ => call.account.as_deref(),
        }
    }

    /// Whether calls go where the target says: what becomes of others tells nothing of it.
    pub(crate) fn is_at_target(&self) -> bool {
        self.caller.login.is_none()
    }

    fn region_of<'a>(&'a self, target: &'a RouteTarget) -> &'a str {
        let of_account = || self.gateway.client.region_of(target.account.as_deref());
        target.region.as_deref().unwrap_or_else(of_account)
    }

    /// The same call, by the account that the request brings, or that of the target that is asked now.
    pub(crate) fn address(&self, mut call: Call) -> Call {
        if let Some(account) = self.brought_account() {
            call.account = Some(account.to_owned());
        } else if let Some(target) = self.course.target() {
            call.account.clone_from(&target.account);
        }
        call
    }

    /// The same request at the next target that is well.
    pub(crate) fn beside(&self) -> Option<Self> {
        Some(Self {
            gateway: Arc::clone(&self.gateway),
            caller: self.caller.clone(),
            course: self.course.beside()?,
            unique: self.unique,
            created: self.created,
            remote: self.remote.clone(),
            has_fetched: self.has_fetched,
            taught: self.taught.clone(),
            target: Mutex::default(),
            granted: Mutex::default(),
            refused_room: None,
            has_waited_for_list: self.has_waited_for_list,
            tally: Arc::clone(&self.tally),
        })
    }

    fn forget_target(&self) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
        self.has_fetched = true;
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

    /// Whether something was fetched, which may be something else the next time.
    pub(crate) fn has_fetched(&self) -> bool {
        self.has_fetched
    }

    /// Whether what Bedrock lists may tell better, where a refusal says that the model must be called through a profile,
    /// or isn't in the region and there are others. The list was waited for then, once, and the model is resolved anew:
    /// shortly after the start, names are resolved without it.
    pub(crate) async fn learns_models(&mut self, failure: &Failure) -> bool {
        let Error::Service { message, exception, .. } = &failure.error else {
            return false;
        };
        let is_elsewhere = self.gateway.config.regions.len() > 1
            && (error::is_no_model(message) || matches!(exception, Exception::ResourceNotFound));
        if !(error::needs_profile(message) || is_elsewhere) || self.has_waited_for_list {
            return false;
        }
        self.wait_for_list().await;
        true
    }

    /// Whether a name that means nothing here may mean something in another of the gateway's regions, once it is known
    /// what they have.
    fn may_be_elsewhere(&self, problem: &Problem) -> bool {
        problem.code == Some("model_not_found") && self.gateway.config.regions.len() > 1 && !self.has_waited_for_list
    }

    /// Waits for what Bedrock lists, and forgets which model is meant.
    async fn wait_for_list(&mut self) {
        self.has_waited_for_list = true;
        self.gateway.models.refresh_names(&self.gateway).await;
        self.forget_target();
    }
}

/// What comes after a failed call.
pub(crate) enum GoOn<P> {
    /// The same calls once more.
    Repeat,
    /// Calls by another plan.
    Plan(P),
    /// Nothing.
    Over,
}

/// The course of a request. Only where names have routes is there anything to look for in it.
fn course(gateway: &Gateway, caller: &mut Caller, input: &Input) -> Course {
    let config = &gateway.config;
    let now = Instant::now();
    let limits = Limits {
        deadline: now + config.answer_timeout,
        first_byte_timeout: config.first_byte_timeout,
    };
    let patience = Patience::new(now, caller.patience);
    if gateway.router.is_plain() {
        return Course::new(&gateway.router, (limits, patience), None, Glance::default());
    }
    let mut glance = Glance::at(input);
    if caller.session.is_some() {
        glance.session = caller.session.take();
    }
    let mut path_model = caller.path_model.as_deref();
    if let Some(tenant) = caller.tenant.as_deref() {
        // Another tenant's session of the same name is another session.
        glance.session = glance
            .session
            .map(|session| format!("{}\n{session}", tenant.project.id));
        path_model = path_model.map(|name| tenant.alias(name).unwrap_or(name));
        glance.model = glance.model.map(|name| match tenant.alias(&name) {
            Some(model) => model.to_owned(),
            None => name,
        });
    }
    Course::new(&gateway.router, (limits, patience), path_model, glance)
}

/// What halts a plan although all that it asked for was looked for.
fn known_halt(halt: Halt) -> Problem {
    match halt {
        Halt::Problem(problem) => problem,
        Halt::Fetch(_) => Problem::invalid("The request's URLs can't be fetched."),
        Halt::LookUp(_) => unknown_arn(),
    }
}

fn unknown_arn() -> Problem {
    Problem::invalid("What is behind the model's ARN can't be told.")
}
