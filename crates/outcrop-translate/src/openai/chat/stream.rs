//! From events to chunks (OpenAI's API description, `CreateChatCompletionStreamResponse`, read 2026-11).

mod choice;
mod chunk;

use outcrop_bedrock::converse::{Event, TokenUsage};
use outcrop_bedrock::json::{Fault, ToJson};

use super::Memo;
use super::straight::StraightStream;
use crate::endpoint::{StreamTranslator, Untold};
use crate::openai::events::{DONE, KEEP_ALIVE, write_failure, write_usage_chunk};
use crate::problem::Problem;
use choice::Choice;
use chunk::Chunk;

/// A streamed answer. What all chunks share is written once, at the start.
#[derive(Debug)]
pub struct ChatStream {
    memo: Memo,
    /// `data: {"id":…,"choices":` of each chunk.
    head: Vec<u8>,
    /// From the end of the list of choices to the end of the chunk.
    tail: &'static [u8],
    choices: Vec<Choice>,
    /// Set by the first event that passes on as it is.
    straight: Option<Box<StraightStream>>,
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
        let choices = (0..memo.choices as u64).map(|index| Choice::new(index, &memo));
        Self {
            head,
            tail: if memo.include_usage {
                b",\"usage\":null}\n\n"
            } else {
                b"}\n\n"
            },
            choices: choices.collect(),
            straight: None,
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
            Event::ContentBlockDelta { index, delta } => {
                choice.text_bytes += delta.text_bytes();
                choice.go_on(index, &delta, &chunk, out);
            }
            Event::ContentBlockStop { index } => choice.stop(index, &chunk, out),
            Event::MessageStop { stop_reason, extras } => {
                choice.thinking_tokens = extras.thinking_tokens();
                choice.note_extras(&self.memo, &extras);
                choice.finish(&stop_reason, &chunk, out);
            }
            Event::Metadata { usage, extras } => {
                choice.usage = Some(self.memo.corrected(usage));
                choice.note_extras(&self.memo, &extras);
                choice.release(&chunk, out);
            }
            Event::Unknown => {}
        }
    }

    fn pass(&mut self, number: usize, data: &[u8], out: &mut Vec<u8>) -> Result<bool, Fault> {
        let straight = self
            .straight
            .get_or_insert_with(|| Box::new(StraightStream::new(&self.memo)));
        let told = straight.pass(number, data, &self.head, self.tail, out)?;
        if let Some(choice) = self.choices.get_mut(number) {
            // The model's own count, where there are two, knows of the cache.
            choice.text_bytes += told.text_bytes;
            choice.usage = told.usage.or(choice.usage).or(told.metrics);
            choice.thinking_tokens = told.thinking_tokens.or(choice.thinking_tokens);
            choice.tier = told.tier.or(choice.tier);
        }
        Ok(told.is_end)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if let Some(problem) = self.choices.iter_mut().find_map(|choice| choice.failure.take()) {
            return Err(problem);
        }
        let chunk = Chunk {
            memo: &self.memo,
            head: &self.head,
            tail: self.tail,
        };
        for choice in &mut self.choices {
            choice.release(&chunk, out);
        }
        if self.memo.include_usage {
            let has_usage = self.choices.iter().any(|choice| choice.usage.is_some());
            write_usage_chunk(
                &self.head,
                has_usage.then(|| self.usage()).as_ref(),
                self.thinking_tokens(),
                self.choices.first().map_or(b"", |choice| &choice.extras),
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
        self.choices.iter().filter_map(Choice::billed).collect()
    }

    fn untold(&self) -> Untold {
        let choices = self.choices.iter();
        Untold::of(choices.map(|choice| (choice.usage.is_some(), choice.text_bytes)))
    }
}
