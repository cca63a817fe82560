//! `POST /v1/moderations`: what is harmful about a text or an image, by Bedrock's guardrails.
//!
//! With a guardrail, each input is judged by it (`ApplyGuardrail`). With none, each text is judged by checks that need
//! none (`InvokeGuardrailChecks`). What Bedrock says is told in OpenAI's categories, in some of our own where OpenAI has
//! none, and as it came.

mod answer;
mod call;
mod categories;
mod request;
#[cfg(test)]
mod tests;

use outcrop_bedrock::json::JsonText;

use crate::endpoint::{Context, Halt};
use crate::problem::Problem;
use crate::task::{AnswerContext, Input, Task, TaskAnswer, TaskPlan, TaskReply};

/// The moderations endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Moderations;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The model as the client named it.
    model: JsonText<'static>,
    /// Each thing that is judged by itself.
    inputs: Vec<Judged>,
    /// By what they are judged.
    by: Judge,
}

/// What an input holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Judged {
    text: bool,
    image: bool,
}

impl Judged {
    /// Whether there is nothing to judge, so that nobody is asked.
    fn is_empty(self) -> bool {
        !self.text && !self.image
    }
}

/// Who judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judge {
    Guardrail,
    Checks,
}

impl Task for Moderations {
    type Memo = Memo;

    const DESCRIPTION: &'static str = include_str!("openapi.json");

    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
        match input {
            Input::Json(body) => call::plan(&request::Request::parse(body)?, context),
            Input::Form(_) => Err(Problem::invalid("A request for moderation is JSON, not a form.").into()),
        }
    }

    fn answer(memo: &Memo, replies: &[TaskReply<'_>], context: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        answer::write(memo, replies, context)
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}
