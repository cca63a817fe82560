//! The trait of endpoints that hold no conversation: their answers are made of the whole replies to a few calls, each
//! with a body of its own.

use bytes::Bytes;
use outcrop_bedrock::call::{Call, CallBody, Operation, TokenCounts};
use outcrop_bedrock::converse::TokenUsage;

use crate::catalogue::Images;
use crate::endpoint::{Context, Halt};
use crate::notes::Notes;
use crate::problem::Problem;

/// An endpoint without a conversation: how its requests become calls, and how the replies become its answer.
pub trait Task: Send + Sync + 'static {
    /// What the way back must know of the request.
    type Memo: Clone + Send + Sync + 'static;

    /// What the endpoint takes and answers, as [`crate::Endpoint::DESCRIPTION`].
    const DESCRIPTION: &'static str;

    /// Whether a request may be a form (`multipart/form-data`). JSON is taken by all, if only to be refused with a reason.
    const TAKES_FORMS: bool = false;

    /// Whether planning may take long, as where pictures are unpacked: it must not keep other requests waiting then.
    const PLANS_SLOWLY: bool = false;

    /// Whether the same request has the same answer, so that it may be answered with one that was given before. Where it
    /// hasn't, a `seed` makes it so.
    const REPEATS: bool = true;

    /// Reads a request and plans its calls. The same request is planned again when more is known.
    ///
    /// # Errors
    /// When the request can't be understood or translated, or something must be found out first.
    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Self::Memo>, Halt>;

    /// The call for what the reply to a planned call has left for another one, as lists do that come in pages. None, if
    /// nothing else is said.
    fn next(_call: &TaskCall, _reply: &TaskReply<'_>) -> Option<TaskCall> {
        None
    }

    /// Writes the answer of the replies: one for each call, in the order of the calls, each followed by its further
    /// pages.
    ///
    /// # Errors
    /// When the replies hold nothing that the client could use.
    fn answer(memo: &Self::Memo, replies: &[TaskReply<'_>], context: &AnswerContext<'_>)
    -> Result<TaskAnswer, Problem>;

    /// The most that a request pays for besides tokens: images with their number alone.
    fn asks(_memo: &Self::Memo) -> Billed {
        Billed::default()
    }

    /// What first pages of replies are paid for besides tokens, where no answer comes of them.
    fn made(_memo: &Self::Memo, _replies: &[TaskReply<'_>]) -> Billed {
        Billed::default()
    }

    /// What the client calls a field of the calls that a refusal of Bedrock's names by its path; `None` where it is about
    /// the part of the request that the call is for.
    fn parameter(_memo: &Self::Memo, _field: &str) -> Option<String> {
        None
    }

    /// The body of an error.
    fn error(problem: &Problem) -> Vec<u8>;
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Input {
    /// One JSON document.
    Json(Bytes),
    /// The parts of a form.
    Form(Form),
}

/// A form (`multipart/form-data`), in the order in which it was sent.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its parts. Several may have the same name.
    pub parts: Vec<Part>,
}

/// A part of a form.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Name of the field.
    pub name: String,
    /// Name of the file, where it is one.
    pub file_name: Option<String>,
    /// What the client says that it is.
    pub media_type: Option<String>,
    /// The content.
    pub bytes: Bytes,
}

/// What a request becomes.
#[derive(Clone, Debug)]
pub struct TaskPlan<M> {
    /// The calls. They are made side by side; the first that fails ends the request.
    pub calls: Vec<TaskCall>,
    /// The model that is asked, as the client is told; empty where there is none.
    pub model_id: String,
    /// The region that is asked; `None` for the gateway's own.
    pub region: Option<String>,
    /// Which of Bedrock's APIs is asked, as the client is told: `invoke`, `rerank` …
    pub route: &'static str,
    /// What the way back must know.
    pub memo: M,
    /// What was changed or left out.
    pub notes: Notes,
}

/// One of the calls of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCall {
    /// What is asked of Bedrock.
    pub operation: Operation,
    /// What stands in the path: a model id, a profile, an ARN, `identifier/version` of a guardrail.
    pub model_id: String,
    /// Headers of the operation, names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: CallBody,
    /// What of the request the call is about, such as `input.3`; named when it fails.
    pub param: Option<String>,
}

impl TaskCall {
    /// The call itself.
    pub fn call(&self, region: Option<&str>) -> Call {
        Call {
            operation: self.operation,
            model_id: self.model_id.clone(),
            account: None,
            region: region.map(ToOwned::to_owned),
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }
}

/// The reply to a call.
#[derive(Clone, Copy, Debug)]
pub struct TaskReply<'a> {
    /// The whole body.
    pub body: &'a Bytes,
    /// Tokens, as the headers of `InvokeModel` tell.
    pub tokens: TokenCounts,
}

/// What writing an answer may know besides the replies.
#[derive(Clone, Copy)]
pub struct AnswerContext<'a> {
    /// A random number, the source of the answer's id.
    pub unique: u128,
    /// Seconds since 1970.
    pub created: u64,
    /// Who keeps files that an answer only names.
    pub shelf: &'a dyn Shelf,
}

/// Keeps files for clients, for a while.
pub trait Shelf: Sync {
    /// Keeps a file. Gives the URL by which the client gets it.
    ///
    /// # Errors
    /// When there is no room for it.
    fn keep(&self, file: File) -> Result<String, Problem>;
}

/// A file for a client.
#[derive(Clone, Debug)]
pub struct File {
    /// What it is, such as `image/png`.
    pub media_type: &'static str,
    /// The content.
    pub bytes: Bytes,
}

/// What of a task is paid for besides tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// Images that were read, and that have no tokens.
    pub input_images: u64,
    /// Images that were made.
    pub images: Images,
    /// Search units.
    pub searches: u64,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct TaskAnswer {
    /// The JSON document for the client.
    pub body: Vec<u8>,
    /// Tokens of all calls, if any were counted.
    pub usage: Option<TokenUsage>,
    /// What is paid for besides tokens.
    pub billed: Billed,
    /// What of the request the replies have not fulfilled.
    pub notes: Notes,
}
