//! `POST /v1/chat/completions`, both ways.

mod cache_control;
mod form;
mod media;
mod message;
mod parameter;
mod part;
mod plan;
mod request;
mod response;
mod response_format;
mod straight;
mod stream;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use outcrop_bedrock::converse::{ConverseResponse, Extras, StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, Json, JsonText, ObjectWriter, write_array};

use crate::endpoint::{Context, Endpoint, Halt, Passed, Plan, Repair};
use crate::names::Restorer;
use crate::problem::{Problem, ProblemKind};
use crate::resolve::Target;
use crate::stop::StopMatcher;
use form::Form;

pub(super) use parameter::operators_decision;
pub(super) use plan::request_metadata;
pub(super) use response::Completed;
pub(super) use text::TextFilter;

pub use stream::ChatStream;

/// The chat completions endpoint.
#[derive(Clone, Copy, Debug)]
pub struct ChatCompletions;

/// What the answer must know of its request.
#[derive(Clone, Debug)]
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
    /// The client's names of tools that Bedrock knows by others.
    names: Restorer,
    /// Whether the client wants no calls of tools: what the model calls all the same is left out.
    hides_calls: bool,
    /// Looks for the stop sequences that the model doesn't look for.
    stop: Option<StopMatcher>,
    /// The text that the answer goes on from, which the model may repeat.
    begun: Option<String>,
    /// The form that the answer must have.
    form: Option<Form>,
    /// The tag between which thoughts stand in the content, if they do.
    thinking_tag: Option<&'static str>,
    /// Whether the model proves that thoughts are its own.
    signs_thoughts: bool,
    /// Whether the client wants to know which tier served it.
    tells_tier: bool,
    /// Whether the client wants to know what a guardrail did.
    tells_trace: bool,
    /// Whether the client wants fields of the model's own answer.
    tells_fields: bool,
    /// Whether the stream's `inputTokens` may hold the cached tokens too.
    counts_cached_input_twice: bool,
}

impl Memo {
    /// For an answer that passes on as it is; what is translated needs more.
    fn straight(request: &request::ChatRequest<'_>, context: &Context<'_>, model: &str, choices: usize) -> Self {
        Self {
            id: format!("chatcmpl-{:032x}", context.unique),
            created: context.created,
            model: JsonText::encode(model),
            include_usage: request.include_usage,
            choices,
            names: Restorer::default(),
            hides_calls: false,
            stop: None,
            begun: None,
            form: None,
            // Its models write this tag themselves.
            thinking_tag: request.include_thinking_data.then_some("reasoning"),
            signs_thoughts: false,
            tells_tier: false,
            tells_trace: false,
            tells_fields: false,
            counts_cached_input_twice: false,
        }
    }

    /// Seconds since 1970.
    pub(super) fn created(&self) -> u64 {
        self.created
    }

    /// The model as the client named it.
    pub(super) fn model(&self) -> &JsonText<'static> {
        &self.model
    }

    /// Whether a streamed answer ends with a chunk of usage.
    pub(super) fn includes_usage(&self) -> bool {
        self.include_usage
    }

    /// The tag between which thoughts stand in the text, if they do.
    pub(super) fn thinking_tag(&self) -> Option<&'static str> {
        self.thinking_tag
    }

    /// What a streamed answer cost, where its `inputTokens` may hold the cached tokens too.
    pub(super) fn corrected(&self, mut usage: TokenUsage) -> TokenUsage {
        let cached = usage
            .cache_read_input_tokens
            .saturating_add(usage.cache_write_input_tokens);
        if self.counts_cached_input_twice && cached > 0 && usage.input_tokens >= cached {
            // Measured by others with OpenAI's models (Bifrost, 2026): only their streams count so.
            usage.input_tokens -= cached;
        }
        usage
    }

    /// The client's name of a tool.
    fn name<'n>(&'n self, name: &'n JsonText<'n>) -> Cow<'n, JsonText<'n>> {
        if self.names.is_empty() {
            return Cow::Borrowed(name);
        }
        self.names
            .restore(&name.decoded())
            .map_or(Cow::Borrowed(name), Cow::Borrowed)
    }
}

impl Endpoint for ChatCompletions {
    type Memo = Memo;
    type Stream = ChatStream;

    const DESCRIPTION: &'static str = include_str!("openapi.json");

    fn plan(body: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Halt> {
        plan::plan(&request::ChatRequest::parse(body)?, body, context)
    }

    fn review(memo: &Memo, reply: &ConverseResponse<'_>) -> Option<Repair> {
        response::review(memo, reply)
    }

    fn response(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
        response::write(memo, replies)
    }

    fn pass(memo: &Memo, replies: &[&[u8]]) -> Result<Passed, Fault> {
        straight::whole(memo, replies)
    }

    fn stream(memo: Memo) -> ChatStream {
        ChatStream::new(memo)
    }

    fn error(problem: &Problem) -> Vec<u8> {
        super::error_body(problem)
    }
}

/// The body of a request with these members, and `text` as the user's only message.
pub(super) fn request_with(members: &[(String, Json<'_>)], text: &JsonText<'_>) -> Bytes {
    let mut out = Vec::with_capacity(256 + text.token().len());
    ObjectWriter::write(&mut out, |request| {
        for (name, value) in members {
            request.field(name, value);
        }
        write_array(request.key("messages"), [text], |text, out| {
            ObjectWriter::write(out, |message| {
                message.field("role", "user");
                message.field("content", text);
            });
        });
    });
    out.into()
}

/// Plans a request whose only message is a text to go on with, and no turn of a conversation.
///
/// # Errors
/// As [`ChatCompletions::plan`].
pub(super) fn plan_text(body: &Bytes, context: &Context<'_>) -> Result<Plan<Memo>, Halt> {
    let mut request = request::ChatRequest::parse(body)?;
    request.continues_text = true;
    plan::plan(&request, body, context)
}

/// The model that a request means.
///
/// # Errors
/// When there is none, or something must be looked up first.
pub(super) fn target(body: &Bytes, context: &Context<'_>) -> Result<Arc<Target>, Halt> {
    plan::target(&request::ChatRequest::parse(body)?, context)
}

/// OpenAI's word for why a choice ended. A message that calls tools never ends as `stop`: clients would not run them.
pub(super) fn finish_reason(stop_reason: &StopReason, calls_tools: bool) -> &'static str {
    match stop_reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => "content_filter",
        _ if calls_tools => "tool_calls",
        _ => "stop",
    }
}

/// Writes what a whole answer tells of its calls: the usage of all, and the rest of the first.
pub(super) fn write_costs(memo: &Memo, replies: &[ConverseResponse<'_>], answer: &mut ObjectWriter<'_>) {
    let usage = replies
        .iter()
        .fold(TokenUsage::default(), |sum, reply| sum.plus(reply.usage));
    let thinking_tokens = replies
        .iter()
        .filter_map(|reply| reply.extras.thinking_tokens())
        .reduce(u64::saturating_add);
    write_usage(&usage, thinking_tokens, answer.key("usage"));
    if let Some(reply) = replies.first() {
        write_extras(memo, &reply.extras, answer);
    }
}

/// Whether the model's output was beyond Bedrock's understanding.
pub(super) fn is_malformed(stop_reason: &StopReason) -> bool {
    matches!(
        stop_reason,
        StopReason::MalformedModelOutput | StopReason::MalformedToolUse
    )
}

/// There is nothing in the answer that a client could use.
pub(super) fn malformed() -> Problem {
    let message = "The model's output was malformed and can't be used.";
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_model_error")
}

/// Writes the `usage` object. OpenAI's `prompt_tokens` counts the cached part of the prompt; Bedrock's doesn't.
/// `thinking_tokens` are those of the completion that were thoughts, where the model tells.
pub(super) fn write_usage(usage: &TokenUsage, thinking_tokens: Option<u64>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        let prompt_tokens = usage.prompt_tokens();
        object.field("prompt_tokens", &prompt_tokens);
        object.field("completion_tokens", &usage.output_tokens);
        object.field("total_tokens", &prompt_tokens.saturating_add(usage.output_tokens));
        object.object("prompt_tokens_details", |details| {
            details.field("cached_tokens", &usage.cache_read_input_tokens);
            details.field("cache_write_tokens", &usage.cache_write_input_tokens);
        });
        if let Some(thinking_tokens) = thinking_tokens {
            object.object("completion_tokens_details", |details| {
                details.field("reasoning_tokens", &thinking_tokens);
            });
        }
    });
}

/// Writes the members that tell of the call itself, where there is something to tell.
fn write_extras(memo: &Memo, extras: &Extras<'_>, answer: &mut ObjectWriter<'_>) {
    let tier = extras.service_tier.as_ref().map(|tier| match tier.inner() {
        // OpenAI's word for it.
        "reserved" => JsonText::encode("scale"),
        _ => tier.clone(),
    });
    answer.optional("service_tier", &tier);
    if memo.tells_trace {
        answer.optional("trace", &extras.trace);
    }
    if memo.tells_fields {
        answer.optional(
            "additionalModelResponseFields",
            &extras.additional_model_response_fields,
        );
    }
    answer.optional("performanceConfig", &extras.performance_config);
}
