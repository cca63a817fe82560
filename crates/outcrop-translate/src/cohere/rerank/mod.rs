//! `POST /v1/rerank` and `/v2/rerank`: documents in the order in which they fit a query, by Bedrock's reranking.
//!
//! Source: Cohere's API reference, "Rerank" v1 and v2 (read 2026-11).

mod answer;
mod call;
mod request;
#[cfg(test)]
mod tests;

use outcrop_bedrock::json::Json;

use crate::endpoint::{Context, Halt};
use crate::problem::Problem;
use crate::task::{AnswerContext, Billed, Input, Task, TaskAnswer, TaskCall, TaskPlan, TaskReply};

/// The endpoint, in the version of Cohere's API that its path names. Both take what either takes.
#[derive(Clone, Copy, Debug)]
pub struct Rerank<const VERSION: u8>;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// How many documents there are.
    documents: usize,
    /// The documents as the client gave them, where it wants them back: texts as objects with a `text`.
    returned: Option<Vec<Json<'static>>>,
}

impl<const VERSION: u8> Task for Rerank<VERSION> {
    type Memo = Memo;

    const DESCRIPTION: &'static str = include_str!("openapi.json");

    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
        match input {
            Input::Json(body) => call::plan(&request::Request::parse(body)?, context),
            Input::Form(_) => Err(Problem::invalid("A request for reranking is JSON, not a form.").into()),
        }
    }

    fn next(call: &TaskCall, reply: &TaskReply<'_>) -> Option<TaskCall> {
        call::next(call, reply)
    }

    fn answer(memo: &Memo, replies: &[TaskReply<'_>], context: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        answer::write(memo, replies, VERSION, context)
    }

    fn asks(memo: &Memo) -> Billed {
        answer::billed(memo)
    }

    fn made(memo: &Memo, replies: &[TaskReply<'_>]) -> Billed {
        match replies {
            [] => Billed::default(),
            _ => answer::billed(memo),
        }
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}
