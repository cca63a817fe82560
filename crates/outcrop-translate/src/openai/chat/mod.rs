//! `POST /v1/chat/completions`, both ways.

mod cache_control;
mod media;
mod message;
mod parameter;
mod part;
mod plan;
mod request;
mod response;
mod stream;

use bytes::Bytes;
use outcrop_bedrock::converse::{ConverseResponse, StopReason, TokenUsage};
use outcrop_bedrock::json::{JsonText, ObjectWriter};

use crate::endpoint::{Context, Endpoint, Plan};
use crate::problem::{Problem, ProblemKind};

pub use stream::ChatStream;

/// The chat completions endpoint.
#[derive(Clone, Copy, Debug)]
pub struct ChatCompletions;

/// What the answer must know of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// `chatcmpl-…`, the same in each chunk.
    id: String,
    /// Seconds since 1970, the same in each chunk.
    created: u64,
    /// The model as the client named it.
    model: JsonText<'static>,
    /// Whether a streamed answer ends with a chunk of usage.
    include_usage: bool,
    /// How many choices are answered.
    choices: usize,
}

impl Endpoint for ChatCompletions {
    type Memo = Memo;
    type Stream = ChatStream;

    fn plan(body: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Problem> {
        plan::plan(&request::ChatRequest::parse(body)?, body, context)
    }

    fn response(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
        response::write(memo, replies)
    }

    fn stream(memo: Memo) -> ChatStream {
        ChatStream::new(&memo)
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}

/// OpenAI's word for why a choice ended. A message that calls tools never ends as `stop`: clients would not run them.
fn finish_reason(stop_reason: &StopReason, calls_tools: bool) -> &'static str {
    match stop_reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => "content_filter",
        _ if calls_tools => "tool_calls",
        _ => "stop",
    }
}

/// Whether the model's output was beyond Bedrock's understanding.
fn is_malformed(stop_reason: &StopReason) -> bool {
    matches!(
        stop_reason,
        StopReason::MalformedModelOutput | StopReason::MalformedToolUse
    )
}

/// There is nothing in the answer that a client could use.
fn malformed() -> Problem {
    let message = "The model's output was malformed and can't be used.";
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_model_error")
}

/// Writes the `usage` object. OpenAI's `prompt_tokens` counts the cached part of the prompt; Bedrock's doesn't.
fn write_usage(usage: &TokenUsage, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        let prompt_tokens = usage.prompt_tokens();
        object.field("prompt_tokens", &prompt_tokens);
        object.field("completion_tokens", &usage.output_tokens);
        object.field("total_tokens", &prompt_tokens.saturating_add(usage.output_tokens));
        object.object("prompt_tokens_details", |details| {
            details.field("cached_tokens", &usage.cache_read_input_tokens);
            details.field("cache_write_tokens", &usage.cache_write_input_tokens);
        });
    });
}
