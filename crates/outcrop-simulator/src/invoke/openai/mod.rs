//! Bodies like those of OpenAI's chat completions, and what the families that have them do differently.

mod request;
mod stream;
mod whole;

use serde_json::Value;

use super::json_schema::Schema;
use crate::refusal::Refusal;

pub(super) use request::request;
pub(super) use stream::Stream;
pub(super) use whole::whole;

/// How a family's answers differ.
pub(super) struct Dialect {
    /// If reasoning stands in the content, as `<reasoning>…</reasoning>`; else it isn't shown.
    pub(super) thoughts_in_tags: bool,
    /// The member that tells why the answer ended.
    pub(super) reason: &'static str,
    /// The member of a stream's choices that holds a piece of the message.
    pub(super) content_in: &'static str,
    /// If a stream's last chunk tells the usage.
    pub(super) usage_in_stream: bool,
}

const OPEN: &str = "<reasoning>";
const CLOSE: &str = "</reasoning>";

/// Why an answer ended, in OpenAI's words; words that Converse doesn't have stay as they are.
fn finish_reason(stop_reason: &str) -> &str {
    match stop_reason {
        // What a guardrail did stands beside the answer.
        "end_turn" | "stop_sequence" | "guardrail_intervened" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "content_filtered" => "content_filter",
        other => other,
    }
}

/// Checks a body of OpenAI's own chat completions.
///
/// # Errors
///
/// What Bedrock's models don't know.
pub(super) fn check_native(body: &Value) -> Result<(), Refusal> {
    static SCHEMA: Schema = Schema::new(include_str!("../schemas/openai.json"));
    SCHEMA.check(body)
}
