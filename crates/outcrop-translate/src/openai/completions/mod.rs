//! `POST /v1/completions`: texts to go on with, OpenAI's older endpoint.
//!
//! A model that holds conversations is asked each prompt as a user's message; one that was made to go on with texts gets
//! it as it stands. Either way a prompt is planned as chat completions plan a message, so that parameters, names,
//! policies and lessons are the same.

mod request;
mod response;
mod stream;

use bytes::Bytes;
use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::{Fault, JsonText};

use super::chat;
use crate::endpoint::{Context, Endpoint, Halt, Passed, Plan, Repair};
use crate::problem::Problem;
use request::CompletionRequest;

pub use stream::CompletionStream;

/// As many calls as one request may become: prompts times choices.
const MAX_CALLS: usize = 128;

/// The completions endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Completions;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// `cmpl-…`, the same in each chunk.
    id: String,
    /// What an answer of chat completions would have to know.
    chat: chat::Memo,
    /// The prompts, where the client wants them repeated.
    echoes: Vec<JsonText<'static>>,
    /// How many choices there are of each prompt.
    of_each: usize,
    /// Choices of all prompts.
    choices: usize,
}

impl Memo {
    /// The prompt that a choice begins with.
    fn echo(&self, choice: usize) -> Option<&JsonText<'static>> {
        self.echoes.get(choice / self.of_each.max(1))
    }
}

impl Endpoint for Completions {
    type Memo = Memo;
    type Stream = CompletionStream;

    const DESCRIPTION: &'static str = include_str!("openapi.json");

    fn plan(body: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Halt> {
        let request = CompletionRequest::parse(body, context.path_model)?;
        let several = request.prompts.len() > 1;
        let mut plans = Vec::with_capacity(request.prompts.len());
        for (index, prompt) in request.prompts.iter().enumerate() {
            let plan = chat::plan_text(&request.chat_body(prompt), context)
                .map_err(|halt| about_prompt(halt, several.then_some(index)))?;
            check_calls(request.prompts.len(), plan.choices)?;
            plans.push(plan);
        }
        let mut plans = plans.into_iter();
        // There is at least one prompt, or the request would not have been read.
        let first = plans.next().ok_or_else(request::missing_prompt)?;
        let (mut further_bodies, mut notes) = (Vec::new(), first.notes);
        for plan in plans {
            further_bodies.push(plan.body);
            notes.merge(&plan.notes);
        }
        let choices = first.choices * (1 + further_bodies.len());
        let echoes = if request.echo { request.prompts } else { Vec::new() };
        Ok(Plan {
            operation: first.operation,
            streams: first.streams,
            wire: first.wire,
            model_id: first.model_id,
            region: first.region,
            headers: first.headers,
            body: first.body,
            further_bodies,
            size: first.size,
            choices,
            is_reviewed: false,
            parameters: first.parameters,
            guardrail: first.guardrail,
            memo: Memo {
                id: format!("cmpl-{:032x}", context.unique),
                chat: first.memo,
                echoes: echoes.into_iter().map(|prompt| JsonText::encode(&prompt)).collect(),
                of_each: first.choices,
                choices,
            },
            notes,
        })
    }

    fn review(_: &Memo, _: &ConverseResponse<'_>) -> Option<Repair> {
        None
    }

    fn response(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
        response::write(memo, replies)
    }

    fn pass(_: &Memo, _: &[&[u8]]) -> Result<Passed, Fault> {
        Err(not_straight())
    }

    fn stream(memo: Memo) -> CompletionStream {
        CompletionStream::new(memo)
    }

    fn part(memo: &Memo, choice: usize) -> Option<String> {
        (memo.choices > memo.of_each).then(|| name_of(choice / memo.of_each.max(1)))
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}

/// Bedrock has no completions in OpenAI's words, so no plan asks for them.
fn not_straight() -> Fault {
    Fault::shape("the answer is one to chat completions")
}

/// What is wrong with the message that stands for a prompt is wrong with the prompt.
fn about_prompt(halt: Halt, index: Option<usize>) -> Halt {
    let Halt::Problem(mut problem) = halt else { return halt };
    if problem
        .param
        .as_deref()
        .is_some_and(|param| param.starts_with("messages"))
    {
        problem.param = Some(match index {
            Some(index) => name_of(index),
            None => "prompt".to_owned(),
        });
    }
    Halt::Problem(problem)
}

/// A prompt among several, as errors name it.
fn name_of(index: usize) -> String {
    format!("prompt[{index}]")
}

fn check_calls(prompts: usize, of_each: usize) -> Result<(), Problem> {
    if prompts.saturating_mul(of_each) <= MAX_CALLS {
        return Ok(());
    }
    let message =
        format!("Too many completions: {prompts} prompts with {of_each} each; a request takes {MAX_CALLS} in all.");
    Err(Problem::invalid(message)
        .with_code("invalid_value")
        .with_param("prompt"))
}
