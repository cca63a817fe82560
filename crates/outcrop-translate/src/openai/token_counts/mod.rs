//! How many tokens a chat request has, by Bedrock's `CountTokens`: `POST /v1/chat/completions/input_tokens`, and as
//! LiteLLM's proxy has it.
//!
//! What is counted is the very call that the request becomes: chat completions plan it, and what they write is asked
//! about.

mod call;
mod litellm;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use outcrop_bedrock::json::{ObjectWriter, Reader};

use crate::endpoint::{Context, Halt};
use crate::problem::{Problem, ProblemKind};
use crate::task::{AnswerContext, Input, Task, TaskAnswer, TaskPlan, TaskReply};

pub use call::not_counted;

/// The endpoint that takes a chat request. OpenAI has one of this name for its newer API.
#[derive(Clone, Copy, Debug)]
pub struct InputTokens;

/// LiteLLM's `/utils/token_counter`, which takes a text as well.
#[derive(Clone, Copy, Debug)]
pub struct TokenCounter;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The model as the client named it.
    asked: String,
    /// The model that counts.
    counted_by: String,
}

impl Task for InputTokens {
    type Memo = Memo;

    const DESCRIPTION: &'static str = include_str!("input_tokens.json");

    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
        call::plan(json(input)?, context)
    }

    fn answer(memo: &Memo, replies: &[TaskReply<'_>], _: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        let tokens = count(replies)?;
        Ok(answer(|answer| {
            answer.field("object", "chat.completion.input_tokens");
            answer.field("input_tokens", &tokens);
            answer.field("model", &memo.counted_by);
        }))
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}

impl Task for TokenCounter {
    type Memo = Memo;

    const DESCRIPTION: &'static str = include_str!("token_counter.json");

    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
        call::plan(&litellm::chat_request(json(input)?)?, context)
    }

    /// As LiteLLM's proxy answers (its source, `TokenCountResponse`, read 2026-11).
    fn answer(memo: &Memo, replies: &[TaskReply<'_>], _: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        let tokens = count(replies)?;
        Ok(answer(|answer| {
            answer.field("total_tokens", &tokens);
            answer.field("request_model", &memo.asked);
            answer.field("model_used", &memo.counted_by);
            answer.field("tokenizer_type", "bedrock_api");
        }))
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}

fn json(input: &Input) -> Result<&Bytes, Problem> {
    match input {
        Input::Json(body) => Ok(body),
        Input::Form(_) => Err(Problem::invalid("A request to count tokens is JSON, not a form.")),
    }
}

fn answer(members: impl FnOnce(&mut ObjectWriter<'_>)) -> TaskAnswer {
    let mut body = Vec::new();
    ObjectWriter::write(&mut body, members);
    // Counting uses no tokens.
    TaskAnswer {
        body,
        ..TaskAnswer::default()
    }
}

fn count(replies: &[TaskReply<'_>]) -> Result<u64, Problem> {
    let mut tokens = None;
    let read = replies.first().map(|reply| {
        Reader::document(reply.body, |reader| {
            reader.object(|name, reader| match name {
                "inputTokens" => {
                    tokens = Some(reader.count()?);
                    Ok(())
                }
                _ => reader.skip(),
            })
        })
    });
    match (read, tokens) {
        (Some(Ok(())), Some(tokens)) => Ok(tokens),
        _ => {
            let message = "The upstream's answer is not one of Bedrock's, or is damaged.";
            Err(Problem::new(502, ProblemKind::Server, message).with_code("upstream_invalid_response"))
        }
    }
}
