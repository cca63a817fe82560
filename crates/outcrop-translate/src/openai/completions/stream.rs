//! From events to chunks, which have the shape of whole answers.

use outcrop_bedrock::converse::{Delta, Event, StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, JsonText, ObjectWriter, ToJson};

use super::{Memo, not_straight};
use crate::endpoint::{StreamTranslator, Untold};
use crate::openai::chat::{TextFilter, finish_reason, is_malformed, malformed};
use crate::openai::events::{DONE, KEEP_ALIVE, write_failure, write_usage_chunk};
use crate::problem::Problem;

/// A streamed answer. What all chunks share is written once, at the start.
#[derive(Debug)]
pub struct CompletionStream {
    memo: Memo,
    /// `data: {"id":…,"choices":` of each chunk.
    head: Vec<u8>,
    /// From the end of the list of choices to the end of the chunk.
    tail: &'static [u8],
    choices: Vec<Choice>,
}

/// What has come of one choice so far.
#[derive(Debug)]
struct Choice {
    index: usize,
    /// What text passes before it is sent; `None` if it passes as it is.
    filter: Option<TextFilter>,
    /// How much text has come.
    text_bytes: u64,
    /// Set by the first event.
    has_started: bool,
    /// Whether the tag before the thoughts is written, and that behind them isn't.
    is_in_thoughts: bool,
    says_something: bool,
    /// Set by the reason to stop, Bedrock's or a stop sequence.
    has_finished: bool,
    failure: Option<Problem>,
    usage: Option<TokenUsage>,
    thinking_tokens: Option<u64>,
}

/// What a chunk says.
enum Saying<'a> {
    Text(&'a JsonText<'a>),
    Thought(&'a JsonText<'a>),
    End(&'static str),
}

impl CompletionStream {
    pub(super) fn new(memo: Memo) -> Self {
        let mut head = Vec::with_capacity(160);
        head.extend_from_slice(b"data: {\"id\":");
        memo.id.write_json(&mut head);
        head.extend_from_slice(b",\"object\":\"text_completion\",\"created\":");
        memo.chat.created().write_json(&mut head);
        head.extend_from_slice(b",\"model\":");
        memo.chat.model().write_json(&mut head);
        head.extend_from_slice(b",\"choices\":");
        let choice = |index| Choice {
            index,
            filter: TextFilter::of(&memo.chat),
            text_bytes: 0,
            has_started: false,
            is_in_thoughts: false,
            says_something: false,
            has_finished: false,
            failure: None,
            usage: None,
            thinking_tokens: None,
        };
        Self {
            head,
            tail: if memo.chat.includes_usage() {
                b",\"usage\":null}\n\n"
            } else {
                b"}\n\n"
            },
            choices: (0..memo.choices).map(choice).collect(),
            memo,
        }
    }
}

/// Where the chunks of a choice are written.
struct Chunks<'a> {
    memo: &'a Memo,
    head: &'a [u8],
    tail: &'a [u8],
    out: &'a mut Vec<u8>,
}

impl Chunks<'_> {
    fn write(&mut self, index: usize, saying: &Saying<'_>) {
        self.out.extend_from_slice(self.head);
        self.out.push(b'[');
        ObjectWriter::write(self.out, |choice| {
            match saying {
                Saying::Text(text) => choice.field("text", *text),
                Saying::Thought(_) | Saying::End(_) => choice.field("text", ""),
            }
            choice.field("index", &(index as u64));
            choice.key("logprobs").extend_from_slice(b"null");
            match saying {
                Saying::End(reason) => choice.field("finish_reason", *reason),
                _ => choice.key("finish_reason").extend_from_slice(b"null"),
            }
            if let Saying::Thought(thought) = saying {
                choice.field("reasoning_content", *thought);
            }
        });
        self.out.push(b']');
        self.out.extend_from_slice(self.tail);
    }
}

impl Choice {
    fn start(&mut self, chunks: &mut Chunks<'_>) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        if let Some(echo) = chunks.memo.echo(self.index).cloned() {
            chunks.write(self.index, &Saying::Text(&echo));
        }
    }

    fn go_on(&mut self, delta: &Delta<'_>, chunks: &mut Chunks<'_>) {
        if self.has_finished {
            return;
        }
        if !delta.is_thought() {
            self.end_thoughts(chunks);
        }
        match delta {
            Delta::Text(text) => self.say(text, chunks),
            Delta::ReasoningText(text) if text.inner().is_empty() => {}
            Delta::ReasoningText(text) => match chunks.memo.chat.thinking_tag() {
                Some(tag) => {
                    if !std::mem::replace(&mut self.is_in_thoughts, true) {
                        chunks.write(self.index, &Saying::Text(&JsonText::encode(&format!("<{tag}>"))));
                    }
                    chunks.write(self.index, &Saying::Text(text));
                }
                None => chunks.write(self.index, &Saying::Thought(text)),
            },
            // A completion is never shown to the model as its own again, so that proofs of thoughts are of no use.
            _ => {}
        }
    }

    fn say(&mut self, text: &JsonText<'_>, chunks: &mut Chunks<'_>) {
        self.says_something |= !text.is_blank();
        let Some(filter) = &mut self.filter else {
            return chunks.write(self.index, &Saying::Text(text));
        };
        let mut shown = String::new();
        filter.push(&text.decoded(), &mut shown);
        let is_stopped = filter.is_stopped();
        if !shown.is_empty() {
            chunks.write(self.index, &Saying::Text(&JsonText::encode(&shown)));
        }
        if is_stopped {
            // The answer is whole as far as the client wants it, whatever the model has still to say.
            self.finish(&StopReason::StopSequence, chunks);
        }
    }

    fn end_thoughts(&mut self, chunks: &mut Chunks<'_>) {
        if let (true, Some(tag)) = (self.is_in_thoughts, chunks.memo.chat.thinking_tag()) {
            self.is_in_thoughts = false;
            chunks.write(self.index, &Saying::Text(&JsonText::encode(&format!("</{tag}>\n\n"))));
        }
    }

    fn finish(&mut self, stop_reason: &StopReason, chunks: &mut Chunks<'_>) {
        if std::mem::replace(&mut self.has_finished, true) {
            return;
        }
        self.end_thoughts(chunks);
        if is_malformed(stop_reason) && !self.says_something {
            self.failure = Some(malformed());
            return;
        }
        if let Some(filter) = &mut self.filter {
            let mut rest = String::new();
            filter.finish(&mut rest);
            if !rest.is_empty() {
                chunks.write(self.index, &Saying::Text(&JsonText::encode(&rest)));
            }
        }
        let reason = if self.is_stopped() {
            "stop"
        } else {
            finish_reason(stop_reason, false)
        };
        chunks.write(self.index, &Saying::End(reason));
    }

    fn is_stopped(&self) -> bool {
        self.filter.as_ref().is_some_and(TextFilter::is_stopped)
    }
}

impl StreamTranslator for CompletionStream {
    fn push(&mut self, choice: usize, event: Event<'_>, out: &mut Vec<u8>) {
        let mut chunks = Chunks {
            memo: &self.memo,
            head: &self.head,
            tail: self.tail,
            out,
        };
        let Some(choice) = self.choices.get_mut(choice) else {
            return;
        };
        choice.start(&mut chunks);
        match event {
            Event::ContentBlockDelta { delta, .. } => {
                choice.text_bytes += delta.text_bytes();
                choice.go_on(&delta, &mut chunks);
            }
            Event::MessageStop { stop_reason, extras } => {
                choice.thinking_tokens = extras.thinking_tokens();
                choice.finish(&stop_reason, &mut chunks);
            }
            Event::Metadata { usage, .. } => choice.usage = Some(self.memo.chat.corrected(usage)),
            Event::MessageStart | Event::ContentBlockStart { .. } | Event::ContentBlockStop { .. } | Event::Unknown => {
            }
        }
    }

    fn pass(&mut self, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<bool, Fault> {
        Err(not_straight())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if let Some(problem) = self.choices.iter_mut().find_map(|choice| choice.failure.take()) {
            return Err(problem);
        }
        if self.memo.chat.includes_usage() {
            let has_usage = self.choices.iter().any(|choice| choice.usage.is_some());
            let thinking_tokens = self.choices.iter().filter_map(|choice| choice.thinking_tokens);
            write_usage_chunk(
                &self.head,
                has_usage.then(|| self.usage()).as_ref(),
                thinking_tokens.reduce(u64::saturating_add),
                b"",
                out,
            );
        }
        out.extend_from_slice(DONE);
        Ok(())
    }

    fn fail(&mut self, problem: &Problem, out: &mut Vec<u8>) {
        write_failure(problem, out);
    }

    fn keep_alive(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(KEEP_ALIVE);
    }

    fn is_complete(&self, choice: usize) -> bool {
        self.choices.get(choice).is_some_and(Choice::is_stopped)
    }

    fn usages(&self) -> Vec<TokenUsage> {
        self.choices
            .iter()
            .filter_map(|choice| {
                let mut usage = choice.usage?;
                usage.reasoning_tokens = choice.thinking_tokens.unwrap_or(usage.reasoning_tokens);
                Some(usage)
            })
            .collect()
    }

    fn untold(&self) -> Untold {
        let choices = self.choices.iter();
        Untold::of(choices.map(|choice| (choice.usage.is_some(), choice.text_bytes)))
    }
}
