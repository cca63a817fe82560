//! From events to chunks (OpenAI's API description, `CreateChatCompletionStreamResponse`, read 2026-11).

use outcrop_bedrock::converse::{BlockStart, Delta, Event, Extras, StopReason, TokenUsage};
use outcrop_bedrock::json::{JsonText, ObjectWriter, ToJson, write_array};

use super::form::{Form, Way, is_whole};
use super::text::TextFilter;
use super::{Memo, finish_reason, is_malformed, malformed, write_extras, write_usage};
use crate::endpoint::StreamTranslator;
use crate::openai::error::write_error;
use crate::problem::Problem;
use crate::schema::{MemberStream, WRAPPED_MEMBER};

/// A streamed answer. What all chunks share is written once, at the start.
#[derive(Debug)]
pub struct ChatStream {
    memo: Memo,
    /// `data: {"id":…,"choices":` of each chunk.
    head: Vec<u8>,
    /// From the end of the list of choices to the end of the chunk.
    tail: &'static [u8],
    choices: Vec<Choice>,
}

/// One choice of a streamed answer.
#[derive(Debug, Default)]
struct Choice {
    /// `[{"index":n,"delta":` of its chunks.
    head: Vec<u8>,
    /// Calls of tools so far, in order: OpenAI numbers them from 0, whatever Bedrock's block numbers are.
    calls: Vec<ToolCall>,
    /// What text passes before it is sent; `None` if it passes as it is.
    filter: Option<Box<TextFilter>>,
    /// What has come of an answer that must have a form.
    form: Option<Box<FormState>>,
    /// Bedrock's number of the last block of thoughts, and how many there were: clients join the pieces of each.
    thought: Option<(u64, u64)>,
    /// Whether the tag before the thoughts is written, and that behind them isn't.
    is_in_thoughts: bool,
    /// Set by the first event.
    started: bool,
    /// Set by a delta that a client shows or runs.
    says_something: bool,
    /// Set by `messageStop`.
    finished: bool,
    /// Set by a `messageStop` after which the answer is of no use.
    failure: Option<Problem>,
    /// Set by `metadata`.
    usage: Option<TokenUsage>,
    /// Set by `messageStop`, where the model tells.
    thinking_tokens: Option<u64>,
    /// Members of the last chunk that tell of the call itself.
    extras: Vec<u8>,
}

#[derive(Debug)]
struct ToolCall {
    /// Bedrock's number of the block.
    block: u64,
    /// Whether any of the arguments came.
    has_arguments: bool,
}

/// What has come of an answer that must have a form.
#[derive(Debug, Default)]
struct FormState {
    /// Bedrock's number of the block of the tool that takes the answer.
    block: Option<u64>,
    /// Takes the answer out of the member in which it stands, if it does.
    member: Option<MemberStream>,
    /// Text beside the tool that takes the answer: it counts if that isn't called.
    beside: String,
    /// The whole answer as the model gave it.
    answer: String,
}

impl ChatStream {
    pub(super) fn new(memo: Memo) -> Self {
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
            filter: TextFilter::of(&memo).map(Box::new),
            form: memo.form.as_ref().map(|form| Box::new(FormState::of(form))),
            ..Choice::default()
        });
        Self {
            head,
            tail: if memo.include_usage {
                b",\"usage\":null}\n\n"
            } else {
                b"}\n\n"
            },
            choices: choices.collect(),
            memo,
        }
    }

    /// Tokens of the thoughts of all choices, where the model tells.
    fn thinking_tokens(&self) -> Option<u64> {
        let tokens = self.choices.iter().filter_map(|choice| choice.thinking_tokens);
        tokens.reduce(u64::saturating_add)
    }
}

impl StreamTranslator for ChatStream {
    fn push(&mut self, choice: usize, event: Event<'_>, out: &mut Vec<u8>) {
        let chunk = Chunk {
            memo: &self.memo,
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
            Event::MessageStop { stop_reason, extras } => {
                choice.thinking_tokens = extras.thinking_tokens();
                choice.note_extras(&self.memo, &extras);
                choice.finish(&stop_reason, &chunk, out);
            }
            Event::Metadata { mut usage, extras } => {
                let cached = usage
                    .cache_read_input_tokens
                    .saturating_add(usage.cache_write_input_tokens);
                if self.memo.counts_cached_input_twice && cached > 0 && usage.input_tokens >= cached {
                    // Measured by others with OpenAI's models (Bifrost, 2026): only their streams count so.
                    usage.input_tokens -= cached;
                }
                choice.usage = Some(usage);
                choice.note_extras(&self.memo, &extras);
            }
            Event::Unknown => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(problem) = self.choices.iter_mut().find_map(|choice| choice.failure.take()) {
            return self.fail(&problem, out);
        }
        let extras = self.choices.first().map_or(&[][..], |choice| &choice.extras);
        // A chunk without choices surprises simple clients, so it is sent to those that ask for what it tells.
        let tells = self.memo.tells_trace || self.memo.tells_fields || self.memo.tells_tier;
        if self.memo.include_usage || tells && !extras.is_empty() {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"[]");
            if self.memo.include_usage {
                out.extend_from_slice(b",\"usage\":");
                if self.choices.iter().any(|choice| choice.usage.is_some()) {
                    write_usage(&self.usage(), self.thinking_tokens(), out);
                } else {
                    out.extend_from_slice(b"null");
                }
            }
            out.extend_from_slice(extras);
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

    fn is_complete(&self, choice: usize) -> bool {
        self.choices.get(choice).is_some_and(Choice::is_stopped)
    }

    fn usage(&self) -> TokenUsage {
        self.choices
            .iter()
            .filter_map(|choice| choice.usage)
            .fold(TokenUsage::default(), TokenUsage::plus)
    }
}

impl FormState {
    fn of(form: &Form) -> Self {
        Self {
            member: form.is_wrapped.then(|| MemberStream::new(WRAPPED_MEMBER)),
            ..Self::default()
        }
    }
}

impl Choice {
    fn start(&mut self, index: u64, start: &BlockStart<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        let BlockStart::ToolUse { id, name } = start else {
            return;
        };
        self.end_thoughts(chunk, out);
        if let (Some(form), Some(state)) = (&chunk.memo.form, &mut self.form)
            && form.tool.as_deref().is_some_and(|tool| name.decoded() == tool)
        {
            state.block.get_or_insert(index);
            return;
        }
        if self.is_stopped() || chunk.memo.hides_calls {
            return;
        }
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
                    function.field("name", chunk.memo.name(name).as_ref());
                    function.field("arguments", "");
                });
            });
        });
    }

    fn go_on(&mut self, index: u64, delta: &Delta<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if !delta.is_thought() {
            self.end_thoughts(chunk, out);
        }
        match delta {
            Delta::Text(text) => self.say(text, chunk, out),
            Delta::ToolUseInput(input) => self.add_arguments(index, input, chunk, out),
            Delta::ReasoningText(text) => match chunk.memo.thinking_tag {
                Some(tag) => {
                    if !std::mem::replace(&mut self.is_in_thoughts, true) {
                        chunk.write_text(self, "content", &JsonText::encode(&format!("<{tag}>")), out);
                    }
                    chunk.write_text(self, "content", text, out);
                }
                None => {
                    let number = self.thought_number(index);
                    chunk.write_thought(self, number, text, out);
                }
            },
            Delta::ReasoningSignature(signature) => {
                let number = self.thought_number(index);
                chunk.write_thinking_block(self, number, out, |block| {
                    block.field("type", "thinking");
                    block.field("thinking", "");
                    block.field("signature", signature);
                })
            }
            Delta::ReasoningRedacted(data) => {
                let number = self.thought_number(index);
                chunk.write_thinking_block(self, number, out, |block| {
                    block.field("type", "redacted_thinking");
                    block.field("data", data);
                })
            }
            // Kinds that OpenAI's chunks have no place for.
            Delta::Other => {}
        }
    }

    /// A piece of the answer's text.
    fn say(&mut self, text: &JsonText<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if self.finished {
            return;
        }
        self.says_something |= !text.is_blank();
        match (&chunk.memo.form, &mut self.form) {
            (Some(form), Some(state)) if form.way == Way::Tool => state.beside.push_str(&text.decoded()),
            (Some(_), Some(_)) => self.answer(&text.decoded(), chunk, out),
            _ => self.show(text, chunk, out),
        }
    }

    /// A piece of the answer that must have a form, as the model gives it.
    fn answer(&mut self, piece: &str, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        let (Some(form), Some(state)) = (&chunk.memo.form, &mut self.form) else {
            return;
        };
        state.answer.push_str(piece);
        if form.way == Way::Instruction {
            // There may be words around the JSON; it is shown once it is whole.
            return;
        }
        let Some(member) = &mut state.member else {
            return self.show(&JsonText::encode(piece), chunk, out);
        };
        let mut unwrapped = String::new();
        member.push(piece, &mut unwrapped);
        self.show(&JsonText::encode(&unwrapped), chunk, out);
    }

    /// Sends what of a text the client is to see.
    fn show(&mut self, text: &JsonText<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        let Some(filter) = &mut self.filter else {
            return chunk.write_text(self, "content", text, out);
        };
        let mut shown = String::new();
        filter.push(&text.decoded(), &mut shown);
        if !shown.is_empty() {
            chunk.write_text(self, "content", &JsonText::encode(&shown), out);
        }
        if self.is_stopped() && self.form.is_none() {
            // The answer is whole as far as the client wants it, whatever the model has still to say.
            self.finish(&StopReason::StopSequence, chunk, out);
        }
    }

    /// The number of a block among those of thoughts, from 0.
    fn thought_number(&mut self, block: u64) -> u64 {
        let number = match self.thought {
            Some((last, number)) if last == block => number,
            Some((_, number)) => number + 1,
            None => 0,
        };
        self.thought = Some((block, number));
        number
    }

    fn is_stopped(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.is_stopped())
    }

    /// Closes the tag around the thoughts.
    fn end_thoughts(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if let (true, Some(tag)) = (self.is_in_thoughts, chunk.memo.thinking_tag) {
            self.is_in_thoughts = false;
            chunk.write_text(self, "content", &JsonText::encode(&format!("</{tag}>\n\n")), out);
        }
    }

    fn add_arguments(&mut self, index: u64, input: &JsonText<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if self.form.as_ref().is_some_and(|state| state.block == Some(index)) {
            return self.answer(&input.decoded(), chunk, out);
        }
        let found = self.calls.iter_mut().enumerate().rfind(|(_, call)| call.block == index);
        let Some((number, call)) = found else { return };
        if input.inner().is_empty() {
            return;
        }
        call.has_arguments = true;
        chunk.write_arguments(self, number as u64, input, out);
    }

    fn stop(&mut self, index: u64, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if let Some(state) = &self.form
            && state.block == Some(index)
            && state.answer.is_empty()
        {
            return self.answer("{}", chunk, out);
        }
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
        self.end_thoughts(chunk, out);
        if is_malformed(stop_reason) && !self.says_something && self.calls.is_empty() {
            self.failure = Some(malformed());
            return;
        }
        if let Err(problem) = self.finish_form(stop_reason, chunk, out) {
            self.failure = Some(problem);
            return;
        }
        if let Some(filter) = &mut self.filter {
            let mut rest = String::new();
            filter.finish(&mut rest);
            if !rest.is_empty() {
                chunk.write_text(self, "content", &JsonText::encode(&rest), out);
            }
        }
        let reason = if self.is_stopped() {
            finish_reason(&StopReason::StopSequence, !self.calls.is_empty())
        } else {
            finish_reason(stop_reason, !self.calls.is_empty())
        };
        chunk.write(self, out, Some(reason), |delta| delta.extend_from_slice(b"{}"));
    }

    /// Makes sure that the answer has its form.
    fn finish_form(&mut self, stop_reason: &StopReason, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<(), Problem> {
        let (Some(form), Some(state)) = (&chunk.memo.form, &mut self.form) else {
            return Ok(());
        };
        if form.way == Way::Tool && state.block.is_none() {
            // It has not called the tool that takes the answer, so the text beside it is what it says.
            let beside = std::mem::take(&mut state.beside);
            if !beside.is_empty() {
                self.answer(&beside, chunk, out);
            }
        }
        let Some(state) = &self.form else { return Ok(()) };
        let is_held = form.way == Way::Instruction;
        let given = state.answer.clone();
        let shown = if !self.calls.is_empty() || !is_whole(stop_reason) {
            given
        } else {
            match (form.fit(&given), form.is_strict) {
                (Ok(fitting), _) => fitting,
                (Err(misfit), true) => return Err(form.problem(&misfit)),
                (Err(_), false) => given,
            }
        };
        if is_held && !shown.is_empty() {
            self.show(&JsonText::encode(&shown), chunk, out);
        }
        Ok(())
    }

    fn note_extras(&mut self, memo: &Memo, extras: &Extras<'_>) {
        let mut members = Vec::new();
        ObjectWriter::write(&mut members, |answer| write_extras(memo, extras, answer));
        // Without the braces: they join the members of a chunk.
        if let Some(members) = members.get(1..members.len() - 1).filter(|members| !members.is_empty()) {
            self.extras.push(b',');
            self.extras.extend_from_slice(members);
        }
    }
}

/// What the chunks of all choices share.
struct Chunk<'a> {
    memo: &'a Memo,
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

    /// A piece of thought, for clients that show it and, where it will be signed, for those that keep it.
    fn write_thought(&self, choice: &Choice, number: u64, text: &JsonText<'_>, out: &mut Vec<u8>) {
        if !self.memo.signs_thoughts {
            return self.write_text(choice, "reasoning_content", text, out);
        }
        self.write(choice, out, None, |delta| {
            ObjectWriter::write(delta, |delta| {
                delta.field("reasoning_content", text);
                write_array(delta.key("thinking_blocks"), [text], |text, out| {
                    ObjectWriter::write(out, |block| {
                        block.field("index", &number);
                        block.field("type", "thinking");
                        block.field("thinking", text);
                    });
                });
            });
        });
    }

    fn write_thinking_block(
        &self,
        choice: &Choice,
        number: u64,
        out: &mut Vec<u8>,
        members: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        self.write(choice, out, None, |delta| {
            ObjectWriter::write(delta, |delta| {
                let out = delta.key("thinking_blocks");
                out.push(b'[');
                ObjectWriter::write(out, |block| {
                    block.field("index", &number);
                    members(block);
                });
                out.push(b']');
            });
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
