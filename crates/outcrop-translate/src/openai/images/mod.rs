//! Images: `/v1/images/generations`, `/edits` and `/variations` (OpenAI's API description, read 2026-11).
//!
//! A request is read into [`request::ImageRequest`], whether it came as JSON or as a form. [`plan`] finds the model, the
//! size and the number of calls; a file for each form of body writes them. What a model makes and reads is data of the
//! catalogue ([`crate::catalogue::ImageRules`]).

mod amazon;
mod answer;
mod diffusion;
mod mask;
mod member;
mod plan;
mod request;
mod size;
mod source;
mod stability;
#[cfg(test)]
mod tests;

use crate::catalogue::ImageTask;
use crate::endpoint::{Context, Halt};
use crate::openai::error_body;
use crate::problem::Problem;
use crate::task::{AnswerContext, Billed, Input, Task, TaskAnswer, TaskPlan, TaskReply};

pub use answer::Memo;
pub use mask::{Shade, black_and_white};

/// `/v1/images/generations`
#[derive(Debug)]
pub struct ImageGenerations;

/// `/v1/images/edits`
#[derive(Debug)]
pub struct ImageEdits;

/// `/v1/images/variations`
#[derive(Debug)]
pub struct ImageVariations;

macro_rules! tasks {
    ($($name:ident: $task:expr, $description:literal, $takes_forms:literal;)*) => {
        $(impl Task for $name {
            type Memo = Memo;

            const DESCRIPTION: &str = include_str!($description);
            const TAKES_FORMS: bool = $takes_forms;
            // Each asks for other pictures, but by a seed.
            const REPEATS: bool = false;
            // A mask of a few bytes unpacks into millions of pixels.
            const PLANS_SLOWLY: bool = $takes_forms;

            fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
                plan::plan($task, input, context)
            }

            fn answer(
                memo: &Memo,
                replies: &[TaskReply<'_>],
                context: &AnswerContext<'_>,
            ) -> Result<TaskAnswer, Problem> {
                answer::answer(memo, replies, context)
            }

            fn asks(memo: &Memo) -> Billed {
                answer::asks(memo)
            }

            fn made(memo: &Memo, replies: &[TaskReply<'_>]) -> Billed {
                answer::made(memo, replies)
            }

            fn error(problem: &Problem) -> Vec<u8> {
                error_body(problem)
            }
        })*
    };
}

tasks! {
    ImageGenerations: ImageTask::Generate, "generations.json", false;
    ImageEdits: ImageTask::Edit, "edits.json", true;
    ImageVariations: ImageTask::Vary, "variations.json", true;
}
