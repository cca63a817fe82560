//! One choice of a streamed answer: what its events have come to so far.

use outcrop_bedrock::converse::{BlockStart, Delta, Extras, ServiceTier, StopReason, TokenUsage};
use outcrop_bedrock::json::{JsonText, ObjectWriter};

use super::chunk::{Chunk, write_call};
use crate::openai::chat::form::{Form, Way, is_whole};
use crate::openai::chat::text::TextFilter;
use crate::openai::chat::{Memo, finish_reason, is_malformed, malformed, write_extras};
use crate::problem::Problem;
use crate::schema::{MemberStream, WRAPPED_MEMBER};

/// One choice of a streamed answer.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// `[{"index":n,"delta":` of its chunks.
    pub(super) head: Vec<u8>,
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
    pub(super) started: bool,
    /// Set by a delta that a client shows or runs.
    says_something: bool,
    /// Set by `messageStop`.
    finished: bool,
    /// Set by a `messageStop` after which the answer is of no use.
    pub(super) failure: Option<Problem>,
    /// Why the choice has finished, where the last chunk waits for `metadata`.
    held_reason: Option<&'static str>,
    /// Set by `metadata`.
    pub(super) usage: Option<TokenUsage>,
    /// How much text has come.
    pub(super) text_bytes: u64,
    /// Set by `messageStop`, where the model tells.
    pub(super) thinking_tokens: Option<u64>,
    /// Set by chunks in OpenAI's words, where they tell.
    pub(super) tier: Option<ServiceTier>,
    /// Members of the last chunk that tell of the call itself.
    pub(super) extras: Vec<u8>,
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

impl FormState {
    fn of(form: &Form) -> Self {
        Self {
            member: form.is_wrapped.then(|| MemberStream::new(WRAPPED_MEMBER)),
            ..Self::default()
        }
    }
}

impl Choice {
    /// What the choice has used, with all that was told of it.
    pub(super) fn billed(&self) -> Option<TokenUsage> {
        let mut usage = self.usage?;
        usage.reasoning_tokens = self.thinking_tokens.unwrap_or(usage.reasoning_tokens);
        usage.served.tier = self.tier.unwrap_or(usage.served.tier);
        Some(usage)
    }

    /// The choice numbered `index`, before its first event.
    pub(super) fn new(index: u64, memo: &Memo) -> Self {
        Self {
            head: format!("[{{\"index\":{index},\"delta\":").into_bytes(),
            filter: TextFilter::of(memo).map(Box::new),
            form: memo.form.as_ref().map(|form| Box::new(FormState::of(form))),
            ..Self::default()
        }
    }

    pub(super) fn start(&mut self, index: u64, start: &BlockStart<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
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

    pub(super) fn go_on(&mut self, index: u64, delta: &Delta<'_>, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if self.finished {
            return;
        }
        if !delta.is_thought() {
            self.end_thoughts(chunk, out);
        }
        match delta {
            Delta::Text(text) => self.say(text, chunk, out),
            Delta::ToolUseInput(input) => self.add_arguments(index, input, chunk, out),
            Delta::ReasoningText(text) if text.inner().is_empty() => {}
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
            // Thoughts in tags are to be read, not sent back.
            Delta::ReasoningSignature(_) | Delta::ReasoningRedacted(_) if chunk.memo.thinking_tag.is_some() => {}
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

    pub(super) fn is_stopped(&self) -> bool {
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

    pub(super) fn stop(&mut self, index: u64, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
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

    pub(super) fn finish(&mut self, stop_reason: &StopReason, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if self.finished {
            return;
        }
        self.finished = true;
        self.end_thoughts(chunk, out);
        // Of a malformed call, half may have been sent, which no client can run.
        let is_half_a_call = *stop_reason == StopReason::MalformedToolUse && !self.calls.is_empty();
        let says_something = self.says_something || !self.calls.is_empty();
        if is_malformed(stop_reason) && (!says_something || is_half_a_call) {
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
        let memo = chunk.memo;
        if memo.tells_trace || memo.tells_fields || memo.tells_tier {
            // What the client wants to know comes with the next event. A chunk of its own for it would have no choices,
            // which surprises simple clients.
            self.held_reason = Some(reason);
        } else {
            chunk.write(self, out, Some(reason), |delta| delta.extend_from_slice(b"{}"));
        }
    }

    /// Sends the last chunk, if it waits for what it tells.
    pub(super) fn release(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if let Some(reason) = self.held_reason.take() {
            chunk.write_last(self, reason, out);
        }
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
        // Text beside a call of the client's is no document, so nothing of it was taken out of the member.
        let is_held = form.way == Way::Instruction || (form.is_wrapped && !self.calls.is_empty());
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

    pub(super) fn note_extras(&mut self, memo: &Memo, extras: &Extras<'_>) {
        let mut members = Vec::new();
        ObjectWriter::write(&mut members, |answer| write_extras(memo, extras, answer));
        // Without the braces: they join the members of a chunk.
        if let Some(members) = members.get(1..members.len() - 1).filter(|members| !members.is_empty()) {
            self.extras.push(b',');
            self.extras.extend_from_slice(members);
        }
    }
}
