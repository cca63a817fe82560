//! `POST /v1/embeddings`.

mod answer;
mod input;
mod plan;
mod request;

use outcrop_bedrock::json::JsonText;

use crate::endpoint::{Context, Halt};
use crate::problem::Problem;
use crate::task::{AnswerContext, Billed, Input, Task, TaskAnswer, TaskPlan, TaskReply};

/// The embeddings endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The model as the client is told.
    model: JsonText<'static>,
    /// Whether vectors are wanted as base64 of little-endian 32-bit numbers.
    base64: bool,
    /// Whether their length must be made 1 here.
    normalizes: bool,
    /// The types of numbers that were asked for; none for the usual ones.
    types: Vec<String>,
    /// Members of the model's own that the client sent.
    members: Vec<String>,
    /// Whether the model's name says what the vectors are for.
    is_purpose_of_name: bool,
    /// How many vectors each reply holds.
    counts: Vec<usize>,
    /// How many images there are.
    images: u64,
}

impl Task for Embeddings {
    type Memo = Memo;

    const DESCRIPTION: &'static str = include_str!("openapi.json");

    fn plan(input: &Input, context: &Context<'_>) -> Result<TaskPlan<Memo>, Halt> {
        match input {
            Input::Json(body) => plan::plan(&request::EmbeddingsRequest::parse(body)?, context),
            Input::Form(_) => Err(Problem::invalid("Embeddings are asked for in JSON.").into()),
        }
    }

    fn answer(memo: &Memo, replies: &[TaskReply<'_>], _: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        answer::write(memo, replies)
    }

    fn asks(memo: &Memo) -> Billed {
        Billed {
            input_images: memo.images,
            ..Billed::default()
        }
    }

    fn parameter(memo: &Memo, field: &str) -> Option<String> {
        let name = field.split('.').find_map(|name| match name {
            "embeddingPurpose" | "input_type" if memo.is_purpose_of_name => Some("model"),
            "embeddingPurpose" | "input_type" => Some("input_type"),
            "dimensions" | "embeddingDimension" | "outputEmbeddingLength" | "output_dimension" => Some("dimensions"),
            "textTruncate" | "truncate" | "truncationMode" => Some("truncate"),
            "embeddingTypes" | "embedding_types" => Some("embedding_types"),
            "normalize" => Some(name),
            _ => memo.members.iter().map(String::as_str).find(|known| *known == name),
        });
        name.map(str::to_owned)
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}
