//! What the streams of all of OpenAI's endpoints have in common.

use outcrop_bedrock::converse::TokenUsage;

use super::chat::write_usage;
use super::error::write_error;
use crate::problem::Problem;

/// A sign of life, which clients skip.
pub(super) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
/// The end of an answer that is whole.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// Writes the event that ends an answer which isn't whole.
pub(super) fn write_failure(problem: &Problem, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    write_error(problem, out);
    out.extend_from_slice(b"\n\n");
}

/// Writes the chunk of usage, which has no choices. `head` is what all chunks begin with, up to their choices, and
/// `extras` further members; `None` is usage that was never told.
pub(super) fn write_usage_chunk(
    head: &[u8],
    usage: Option<&TokenUsage>,
    thinking_tokens: Option<u64>,
    extras: &[u8],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(head);
    out.extend_from_slice(b"[],\"usage\":");
    match usage {
        Some(usage) => write_usage(usage, thinking_tokens, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(extras);
    out.extend_from_slice(b"}\n\n");
}
