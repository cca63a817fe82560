//! The trait that an endpoint of a client protocol implements.

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::converse::{ConverseResponse, Event, TokenUsage};

use crate::notes::Notes;
use crate::problem::Problem;

/// An endpoint of a client protocol: how its requests become calls, and how replies become its answers.
pub trait Endpoint: Send + Sync + 'static {
    /// What the way back must know of the request.
    type Memo: Send + 'static;
    /// The state of one streamed answer.
    type Stream: StreamTranslator;

    /// Parses a request and plans the calls that answer it.
    ///
    /// # Errors
    /// When the request can't be understood or translated; the problem names the field.
    fn plan(body: &Bytes, context: &Context<'_>) -> Result<Plan<Self::Memo>, Problem>;

    /// Writes the answer of whole replies, one for each choice.
    ///
    /// # Errors
    /// When the replies hold nothing that the client could use.
    fn response(memo: &Self::Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem>;

    /// The start of a streamed answer.
    fn stream(memo: Self::Memo) -> Self::Stream;

    /// The body of an error.
    fn error(problem: &Problem) -> Vec<u8>;
}

/// A streamed answer: events in, bytes for the client's socket out.
pub trait StreamTranslator: Send + Unpin + 'static {
    /// Translates an event of the choice numbered `choice`.
    fn push(&mut self, choice: usize, event: Event<'_>, out: &mut Vec<u8>);

    /// Ends an answer that is whole.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Ends an answer that is not.
    fn fail(&mut self, problem: &Problem, out: &mut Vec<u8>);

    /// A sign of life that clients skip.
    fn keep_alive(&self, out: &mut Vec<u8>);

    /// Tokens of all choices so far.
    fn usage(&self) -> TokenUsage;
}

/// What a translation may know besides the request's body.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// A random number, the source of the answer's id.
    pub unique: u128,
    /// Seconds since 1970.
    pub created: u64,
    /// The model that the path names, where it names one.
    pub path_model: Option<&'a str>,
    /// The largest number of choices that one request may ask for.
    pub max_choices: usize,
}

/// What a request becomes.
#[derive(Clone, Debug)]
pub struct Plan<M> {
    /// What is asked of Bedrock.
    pub operation: Operation,
    /// The model id, inference profile or ARN that is asked.
    pub model_id: String,
    /// The body of each call.
    pub body: CallBody,
    /// How many times it is asked: one call for each choice.
    pub choices: usize,
    /// What the way back must know.
    pub memo: M,
    /// What was changed or left out.
    pub notes: Notes,
}
