//! From events to chunks (OpenAI's API description, `CreateChatCompletionStreamResponse`, read 2026-11).

use outcrop_bedrock::converse::{BlockStart, Delta, Event, StopReason, TokenUsage};
use outcrop_bedrock::json::{JsonText, ObjectWriter, ToJson};

use super::{Memo, finish_reason, is_malformed, malformed, write_usage};
use crate::endpoint::StreamTranslator;
use crate::openai::error::write_error;
use crate::problem::Problem;

/// A streamed answer. What all chunks share is written once, at the start.
#[derive(Debug)]
pub struct ChatStream {
    /// `data: {"id":…,"choices":` of each chunk.
    head: Vec<u8>,
    /// From the end of the list of choices to the end of the chunk.
    tail: &'static [u8],
    include_usage: bool,
    choices: Vec<Choice>,
}

/// One choice of a streamed answer.
#[derive(Debug, Default)]
struct Choice {
    /// `[{"index":n,"delta":` of its chunks.
    head: Vec<u8>,
    /// Calls of tools so far, in order: OpenAI numbers them from 0, whatever Bedrock's block numbers are.
    calls: Vec<ToolCall>,
    /// Set by the first event.
    started: bool,
    /// Set by a delta that a client shows or runs.
    says_something: bool,
    /// Set by `messageStop`.
    finished: bool,
    /// Set by a `messageStop` that tells of malformed output, where nothing was said before.
    is_unusable: bool,
    /// Set by `metadata`.
    usage: TokenUsage,
}

#[derive(Debug)]
struct ToolCall {
    /// Bedrock's number of the block.
    block: u64,
    /// Whether any of the arguments came.
    has_arguments: bool,
}

impl ChatStream {
    pub(super) fn new(memo: &Memo) -> Self {
        let mut head = Vec::with_capacity(160);
        head.extend_from_slice(b"data: {\"id\":");
        memo.id.write_json(&mut head);
        head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        memo.created.write_json(&mut head);
        head.extend_from_slice(b",\"model\":");
        memo.model.write_json(&mut head);
        head.extend_from_slice(b",\"choices\":");
        let choices = (0..memo.choices as u64).map(|index| Choice {
            head: format!("[{{\"index\":{index},\"delta\":").into_bytes(),
            ..Choice::default()
        });
        Self {
            head,
            tail: if memo.include_usage {
                b",\"usage\":null}\n\n"
            } else {
                b"}\n\n"
            },
            include_usage: memo.include_usage,
            choices: choices.collect(),
        }
    }
}

impl StreamTranslator for ChatStream {
    fn push(&mut self, choice: usize, event: Event<'_>, out: &mut Vec<u8>) {
        let chunk = Chunk {
            head: &self.head,
            tail: self.tail,
        };
        let Some(choice) = self.choices.get_mut(choice) else {
            return;
        };
        // The first chunk tells the role, also where Bedrock leaves out that a message begins.
        if !choice.started {
            choice.started = true;
            chunk.write(choice, out, None, |delta| {
                delta.extend_from_slice(b"{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
            });
        }
        match event {
            Event::MessageStart => {}
            Event::ContentBlockStart { index, start } => choice.start(index, &start, &chunk, out),
            Event::ContentBlockDelta { index, delta } => choice.go_on(index, &delta, &chunk, out),
            Event::ContentBlockStop { index } => choice.stop(index, &chunk, out),
            Event::MessageStop { stop_reason } => choice.finish(&stop_reason, &chunk, out),
            Event::Metadata { usage } => choice.usage = usage,
            Event::Unknown => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.choices.iter().any(|choice| choice.is_unusable) {
            return self.fail(&malformed(), out);
        }
        if self.include_usage {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"[],\"usage\":");
            write_usage(&self.usage(), out);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, problem: &Problem, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: error\ndata: ");
        write_error(problem, out);
        out.extend_from_slice(b"\n\n");
    }

    fn keep_alive(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": keep-alive\n\n");
    }

    fn usage(&self) -> TokenUsage {
        self.choices
            .iter()
            .fold(TokenUsage::default(), |sum, choice| sum.plus(choice.usage))
    }
}

impl Choice {
    fn start(&mut self, index: u64, start: &BlockStart<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        let BlockStart::ToolUse { id, name } = start else {
            return;
        };
        let number = self.calls.len() as u64;
        self.calls.push(ToolCall {
            block: index,
            has_arguments: false,
        });
        chunk.write(self, out, None, |delta| {
            write_call(number, delta, |call| {
                call.field("id", id);
                call.field("type", "function");
                call.object("function", |function| {
                    function.field("name", name);
                    function.field("arguments", "");
                });
            });
        });
    }

    fn go_on(&mut self, index: u64, delta: &Delta<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => {
                self.says_something |= !text.is_blank();
                chunk.write_text(self, "content", text, out);
            }
            Delta::ReasoningText(text) => chunk.write_text(self, "reasoning_content", text, out),
            Delta::ToolUseInput(input) => {
                let found = self.calls.iter_mut().enumerate().rfind(|(_, call)| call.block == index);
                let Some((number, call)) = found else { return };
                if input.inner().is_empty() {
                    return;
                }
                call.has_arguments = true;
                chunk.write_arguments(self, number as u64, input, out);
            }
            // Proofs and ciphers for the model alone, and kinds that OpenAI's chunks have no place for.
            Delta::ReasoningSignature(_) | Delta::ReasoningRedacted(_) | Delta::Other => {}
        }
    }

    fn stop(&mut self, index: u64, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        let found = self.calls.iter_mut().enumerate().rfind(|(_, call)| call.block == index);
        if let Some((number, call)) = found
            && !call.has_arguments
        {
            // Bedrock sends nothing for a call without arguments; clients parse what they got as JSON.
            call.has_arguments = true;
            chunk.write_arguments(self, number as u64, &JsonText::encode("{}"), out);
        }
    }

    fn finish(&mut self, stop_reason: &StopReason, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if self.finished {
            return;
        }
        self.finished = true;
        if is_malformed(stop_reason) && !self.says_something && self.calls.is_empty() {
            self.is_unusable = true;
            return;
        }
        let reason = finish_reason(stop_reason, !self.calls.is_empty());
        chunk.write(self, out, Some(reason), |delta| delta.extend_from_slice(b"{}"));
    }
}

/// What the chunks of all choices share.
struct Chunk<'a> {
    head: &'a [u8],
    tail: &'static [u8],
}

impl Chunk<'_> {
    /// Writes one chunk with the delta that `delta` writes.
    fn write(&self, choice: &Choice, out: &mut Vec<u8>, reason: Option<&str>, delta: impl FnOnce(&mut Vec<u8>)) {
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
        out.extend_from_slice(self.tail);
    }

    /// The hot path: a piece of text, as it stands.
    fn write_text(&self, choice: &Choice, member: &str, text: &JsonText<'_>, out: &mut Vec<u8>) {
        self.write(choice, out, None, |delta| {
            delta.extend_from_slice(b"{\"");
            delta.extend_from_slice(member.as_bytes());
            delta.extend_from_slice(b"\":");
            delta.extend_from_slice(text.token().as_bytes());
            delta.push(b'}');
        });
    }

    fn write_arguments(&self, choice: &Choice, number: u64, arguments: &JsonText<'_>, out: &mut Vec<u8>) {
        self.write(choice, out, None, |delta| {
            write_call(number, delta, |call| {
                call.object("function", |function| function.field("arguments", arguments));
            });
        });
    }
}

/// Writes a delta with one call of a tool.
fn write_call(number: u64, out: &mut Vec<u8>, members: impl FnOnce(&mut ObjectWriter<'_>)) {
    ObjectWriter::write(out, |delta| {
        let out = delta.key("tool_calls");
        out.push(b'[');
        ObjectWriter::write(out, |call| {
            call.field("index", &number);
            members(call);
        });
        out.push(b']');
    });
}
