//! The bytes of a chunk.

use outcrop_bedrock::json::{JsonText, ObjectWriter, ToJson};

use super::choice::Choice;
use crate::openai::chat::Memo;

/// What the chunks of all choices share.
pub(super) struct Chunk<'a> {
    pub(super) memo: &'a Memo,
    pub(super) head: &'a [u8],
    pub(super) tail: &'static [u8],
}

impl Chunk<'_> {
    /// Writes one chunk with the delta that `delta` writes.
    pub(super) fn write(
        &self,
        choice: &Choice,
        out: &mut Vec<u8>,
        reason: Option<&str>,
        delta: impl FnOnce(&mut Vec<u8>),
    ) {
        self.write_open(choice, out, reason, delta);
        out.extend_from_slice(self.tail);
    }

    /// Writes the last chunk of a choice, with what there is to tell of the call.
    pub(super) fn write_last(&self, choice: &Choice, reason: &str, out: &mut Vec<u8>) {
        self.write_open(choice, out, Some(reason), |delta| delta.extend_from_slice(b"{}"));
        out.extend_from_slice(&choice.extras);
        out.extend_from_slice(self.tail);
    }

    /// Writes a chunk up to the end of its choices.
    fn write_open(&self, choice: &Choice, out: &mut Vec<u8>, reason: Option<&str>, delta: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(self.head);
        out.extend_from_slice(&choice.head);
        delta(out);
        match reason {
            None => out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}]"),
            Some(reason) => {
                out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
                reason.write_json(out);
                out.extend_from_slice(b"}]");
            }
        }
    }

    /// The hot path: a piece of text, as it stands.
    pub(super) fn write_text(&self, choice: &Choice, member: &str, text: &JsonText<'_>, out: &mut Vec<u8>) {
        self.write(choice, out, None, |delta| {
            delta.extend_from_slice(b"{\"");
            delta.extend_from_slice(member.as_bytes());
            delta.extend_from_slice(b"\":");
            delta.extend_from_slice(text.token().as_bytes());
            delta.push(b'}');
        });
    }

    /// A piece of thought, for clients that show it and, where it will be signed, for those that keep it.
    pub(super) fn write_thought(&self, choice: &Choice, number: u64, text: &JsonText<'_>, out: &mut Vec<u8>) {
        if !self.memo.signs_thoughts {
            return self.write_text(choice, "reasoning_content", text, out);
        }
        self.write(choice, out, None, |delta| {
            ObjectWriter::write(delta, |delta| {
                delta.field("reasoning_content", text);
                write_numbered("thinking_blocks", number, delta, |block| {
                    block.field("type", "thinking");
                    block.field("thinking", text);
                });
            });
        });
    }

    pub(super) fn write_thinking_block(
        &self,
        choice: &Choice,
        number: u64,
        out: &mut Vec<u8>,
        members: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        self.write(choice, out, None, |delta| {
            ObjectWriter::write(delta, |delta| write_numbered("thinking_blocks", number, delta, members));
        });
    }

    pub(super) fn write_arguments(&self, choice: &Choice, number: u64, arguments: &JsonText<'_>, out: &mut Vec<u8>) {
        self.write(choice, out, None, |delta| {
            write_call(number, delta, |call| {
                call.object("function", |function| function.field("arguments", arguments));
            });
        });
    }
}

/// Writes a delta with one call of a tool.
pub(super) fn write_call(number: u64, out: &mut Vec<u8>, members: impl FnOnce(&mut ObjectWriter<'_>)) {
    ObjectWriter::write(out, |delta| write_numbered("tool_calls", number, delta, members));
}

/// Adds a list of one item to a delta. Clients join the pieces of the items that have the same number.
fn write_numbered(
    member: &str,
    number: u64,
    delta: &mut ObjectWriter<'_>,
    members: impl FnOnce(&mut ObjectWriter<'_>),
) {
    let out = delta.key(member);
    out.push(b'[');
    ObjectWriter::write(out, |item| {
        item.field("index", &number);
        members(item);
    });
    out.push(b']');
}
