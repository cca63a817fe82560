//! The trait that an endpoint of a client protocol implements.

use std::sync::Arc;

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::converse::{ConverseResponse, Event, MediaSize, TokenUsage};
use outcrop_bedrock::json::Fault;

use crate::catalogue::{Catalogue, Terms};
use crate::lesson::Lesson;
use crate::notes::Notes;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::remote::Remote;
use crate::resolve::{Asked, Directory, Target, Unresolved, resolve};
use crate::wire::Wire;

/// An endpoint of a client protocol: how its requests become calls, and how replies become its answers.
pub trait Endpoint: Send + Sync + 'static {
    /// What the way back must know of the request.
    type Memo: Clone + Send + Sync + 'static;
    /// The state of one streamed answer.
    type Stream: StreamTranslator;

    /// What the endpoint takes and answers, for the description of the API: JSON with the
    /// members that `MEMBERS` in the server's `openapi/document.rs` lists.
    const DESCRIPTION: &'static str;

    /// Parses a request and plans the calls that answer it. The same request is planned again when more is known:
    /// what stands behind its URLs, what its model refuses, what was wrong with an answer.
    ///
    /// # Errors
    /// When the request can't be understood or translated, or something must be fetched first.
    fn plan(body: &Bytes, context: &Context<'_>) -> Result<Plan<Self::Memo>, Halt>;

    /// What is wrong with a whole reply that the model should be asked for again; asked for where the plan says so.
    fn review(memo: &Self::Memo, reply: &ConverseResponse<'_>) -> Option<Repair>;

    /// Writes the answer of whole replies, one for each choice.
    ///
    /// # Errors
    /// When the replies hold nothing that the client could use.
    fn response(memo: &Self::Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem>;

    /// Writes the answer of whole replies that speak the client's own protocol: they pass, but for what the gateway
    /// has promised of each answer.
    ///
    /// # Errors
    /// When the replies are not what Bedrock answers.
    fn pass(memo: &Self::Memo, replies: &[&[u8]]) -> Result<Passed, Fault>;

    /// The start of a streamed answer.
    fn stream(memo: Self::Memo) -> Self::Stream;

    /// The part of the request that the call for a choice is about, for endpoints that take several at once.
    fn part(_memo: &Self::Memo, _choice: usize) -> Option<String> {
        None
    }

    /// The body of an error.
    fn error(problem: &Problem) -> Vec<u8>;
}

/// A streamed answer: events in, bytes for the client's socket out.
pub trait StreamTranslator: Send + Unpin + 'static {
    /// Translates an event of the choice numbered `choice`.
    fn push(&mut self, choice: usize, event: Event<'_>, out: &mut Vec<u8>);

    /// Passes on an event of the choice numbered `choice` that speaks the client's own protocol. Whether it says that
    /// the answer is whole.
    ///
    /// # Errors
    /// When it is not what Bedrock sends.
    fn pass(&mut self, choice: usize, data: &[u8], out: &mut Vec<u8>) -> Result<bool, Fault>;

    /// Ends an answer whose events have all come.
    ///
    /// # Errors
    /// When the answer is of no use to the client. Nothing is written then: [`StreamTranslator::fail`] tells the client.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Problem>;

    /// Ends an answer that is not.
    fn fail(&mut self, problem: &Problem, out: &mut Vec<u8>);

    /// A sign of life that clients skip.
    fn keep_alive(&self, out: &mut Vec<u8>);

    /// Whether the choice numbered `choice` is whole for the client, although Bedrock may go on.
    fn is_complete(&self, choice: usize) -> bool;

    /// Tokens of each choice that has told them.
    fn usages(&self) -> Vec<TokenUsage>;

    /// Tokens of all choices so far.
    fn usage(&self) -> TokenUsage {
        self.usages().into_iter().fold(TokenUsage::default(), TokenUsage::plus)
    }

    /// What has come of choices whose tokens Bedrock has not told.
    fn untold(&self) -> Untold;
}

/// What has come of choices whose tokens Bedrock has not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// How many there are.
    pub choices: usize,
    /// Bytes of the text that has come of them.
    pub text_bytes: u64,
}

impl Untold {
    /// The sum over choices: whether each has told its tokens, and how much text has come of it.
    pub(crate) fn of(choices: impl Iterator<Item = (bool, u64)>) -> Self {
        choices
            .filter(|(has_told, _)| !has_told)
            .fold(Self::default(), |sum, (_, text_bytes)| Self {
                choices: sum.choices + 1,
                text_bytes: sum.text_bytes.saturating_add(text_bytes),
            })
    }
}

/// An answer that was passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// The body for the client.
    pub body: Vec<u8>,
    /// What each reply says that it cost.
    pub usages: Vec<TokenUsage>,
}

/// What a translation may know besides the request's body.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// A random number, the source of the answer's id.
    pub unique: u128,
    /// Seconds since 1970.
    pub created: u64,
    /// The model that the path names, where it names one.
    pub path_model: Option<&'a str>,
    /// The largest number of choices that one request may ask for.
    pub max_choices: usize,
    /// The gateway's own region; empty where it isn't known.
    pub region: &'a str,
    /// What is known of models.
    pub catalogue: &'a Catalogue,
    /// Who knows more of models; with none, nothing more is known.
    pub advisor: Option<&'a dyn Advisor>,
    /// What was fetched of the URLs that the request names.
    pub remote: Option<&'a Remote>,
    /// What was wrong with the last answer to this request.
    pub repair: Option<&'a Repair>,
}

impl Context<'_> {
    /// The model that is meant.
    ///
    /// # Errors
    /// When there is none, or something must be looked up first.
    pub(crate) fn target(&self, asked: &Asked<'_>, notes: &mut Notes) -> Result<Arc<Target>, Halt> {
        let resolved = match self.advisor {
            Some(advisor) => advisor.resolve(asked),
            None => resolve(asked, &Directory::offline(self.catalogue)).map(Arc::new),
        };
        let target = resolved.map_err(|unresolved| match unresolved {
            Unresolved::Problem(problem) => Halt::Problem(problem),
            Unresolved::LookUp(arn) => Halt::LookUp(arn),
        })?;
        if target.redirected {
            notes.add("model", "successor", "retired");
        }
        if target.defaulted {
            notes.add("model", "default", "unknown-name");
        }
        if let (true, Some(model)) = (target.by_task, &target.base_id) {
            notes.add("model", model, "by-task");
        }
        Ok(target)
    }

    /// Tells who the client says that the request is for.
    pub(crate) fn note_user(&self, user: Option<&str>) {
        if let (Some(advisor), Some(user)) = (self.advisor, user) {
            advisor.note_user(user);
        }
    }

    /// How this caller's requests to the model are treated.
    pub(crate) fn policy(&self, target: &Target) -> Policy {
        let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
        self.advisor
            .map(|advisor| advisor.policy(&names, target.is_opaque))
            .unwrap_or_default()
    }
}

/// What is known of a model besides its name.
pub trait Advisor: Sync {
    /// The model that is meant.
    ///
    /// # Errors
    /// When there is none, or something must be looked up first.
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved>;

    /// How this caller's requests to the model are treated, which has several names. `is_opaque` is whether there may be
    /// any model behind them.
    fn policy(&self, names: &[&str], is_opaque: bool) -> Policy;

    /// Who the client says that the request is for.
    fn note_user(&self, _user: &str) {}

    /// What the model refused before.
    fn lessons(&self, model_id: &str) -> Vec<Lesson>;
}

/// Why a request isn't planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It can't be.
    Problem(Problem),
    /// Not before it is known what these URLs lead to.
    Fetch(Vec<String>),
    /// Not before it is known which model is behind this ARN.
    LookUp(String),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Problem(fault.into())
    }
}

/// An answer that will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What the model said.
    pub answer: String,
    /// What is wrong with it, in words for the model.
    pub complaint: String,
}

/// What a request becomes.
#[derive(Clone, Debug)]
pub struct Plan<M> {
    /// What is asked of Bedrock.
    pub operation: Operation,
    /// Whether the client wants the answer as a stream, whatever Bedrock is asked.
    pub streams: bool,
    /// Which of Bedrock's APIs the call speaks.
    pub wire: Wire,
    /// The model id, inference profile or ARN that is asked.
    pub model_id: String,
    /// The region that is asked; `None` for the gateway's own.
    pub region: Option<String>,
    /// Headers of the operation.
    pub headers: Vec<(&'static str, String)>,
    /// The body of each call, or of the first ones.
    pub body: CallBody,
    /// Bodies that come after it, for endpoints that take several prompts at once.
    pub further_bodies: Vec<CallBody>,
    /// What each call may cost, as far as the plan knows.
    pub size: CallSize,
    /// How many calls there are: one for each choice, as many of each body.
    pub choices: usize,
    /// Whether a whole reply must be reviewed before it is answered with.
    pub is_reviewed: bool,
    /// Names of the parameters that the call carries, which a refusal may be about.
    pub parameters: Vec<String>,
    /// The guardrail that the call names.
    pub guardrail: Option<String>,
    /// What the way back must know.
    pub memo: M,
    /// What was changed or left out.
    pub notes: Notes,
}

/// What a call may cost, as far as its plan knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallSize {
    /// The limit of the answer that the call carries, in tokens.
    pub max_tokens: Option<u64>,
    /// How much of the body is media, which have other tokens than text of that length.
    pub media: MediaSize,
    /// On which terms it is made, for what it costs.
    pub terms: Terms,
}

impl<M> Plan<M> {
    /// The body of the call for the choice numbered `choice`, from 0.
    pub fn body_of(&self, choice: usize) -> &CallBody {
        if self.further_bodies.is_empty() {
            return &self.body;
        }
        let of_each = (self.choices / (1 + self.further_bodies.len())).max(1);
        match (choice / of_each).checked_sub(1) {
            None => &self.body,
            Some(further) => self.further_bodies.get(further).unwrap_or(&self.body),
        }
    }
}
