//! What the chunks of an answer say, as Converse's events.

use outcrop_bedrock::converse::{BlockStart, Delta, Event, Extras, StopReason, TokenUsage};
use outcrop_bedrock::json::{Json, JsonText};

/// Where an answer has got to.
#[derive(Debug, Default)]
pub(crate) struct Said {
    has_begun: bool,
    /// How many blocks have begun.
    blocks: u64,
    /// The block of text or thoughts that goes on, with its number.
    open: Option<(Block, u64)>,
    /// The calls that go on: pieces of several may come in any order.
    calls: Vec<OpenCall>,
    stop_reason: Option<StopReason>,
    usage: TokenUsage,
    /// What Bedrock tells of the cost, where the model itself tells nothing.
    metrics: TokenUsage,
    fields: Option<Json<'static>>,
}

impl Said {
    fn total(&self) -> TokenUsage {
        let TokenUsage { output_tokens, .. } = self.usage;
        let tells_input = self.usage.prompt_tokens() > 0;
        let mut total = if tells_input { self.usage } else { self.metrics };
        total.output_tokens = if output_tokens > 0 {
            output_tokens
        } else {
            self.metrics.output_tokens
        };
        total.reasoning_tokens = self.usage.reasoning_tokens;
        total
    }
}

/// Kinds of blocks of which two pieces in a row are one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Text,
    Thought,
}

#[derive(Debug)]
struct OpenCall {
    /// The model's own number.
    key: u64,
    /// Number of its block.
    index: u64,
}

/// Takes what a chunk says and makes events of it: blocks are numbered, begun and ended here.
pub(crate) struct Sayings<'s> {
    said: &'s mut Said,
    sink: &'s mut dyn FnMut(Event<'_>),
}

impl<'s> Sayings<'s> {
    pub(crate) fn new(said: &'s mut Said, sink: &'s mut dyn FnMut(Event<'_>)) -> Self {
        Self { said, sink }
    }

    /// Text of the answer; empty text says nothing.
    pub(crate) fn text(&mut self, text: JsonText<'_>) {
        self.delta(Block::Text, Delta::Text(text));
    }

    /// Readable thoughts.
    pub(crate) fn thought(&mut self, text: JsonText<'_>) {
        self.delta(Block::Thought, Delta::ReasoningText(text));
    }

    /// Proof that the thoughts before it are the model's own.
    pub(crate) fn signature(&mut self, signature: JsonText<'_>) {
        self.delta(Block::Thought, Delta::ReasoningSignature(signature));
    }

    /// Thoughts that only the model can read, in base64.
    pub(crate) fn redacted_thought(&mut self, bytes: JsonText<'_>) {
        self.delta(Block::Thought, Delta::ReasoningRedacted(bytes));
    }

    /// The model begins to call a tool; `key` is its own number for the call, and ends one that had the same.
    pub(crate) fn call(&mut self, key: u64, id: JsonText<'_>, name: JsonText<'_>) {
        self.end_text();
        self.end_call(key);
        self.begin();
        let index = self.next_index();
        self.said.calls.push(OpenCall { key, index });
        (self.sink)(Event::ContentBlockStart {
            index,
            start: BlockStart::ToolUse { id, name },
        });
    }

    /// A piece of the JSON of the arguments of the call that began with `key`.
    pub(crate) fn arguments(&mut self, key: u64, json: JsonText<'_>) {
        let found = self.said.calls.iter().find(|call| call.key == key);
        if let Some(&OpenCall { index, .. }) = found
            && !json.inner().is_empty()
        {
            let delta = Delta::ToolUseInput(json);
            (self.sink)(Event::ContentBlockDelta { index, delta });
        }
    }

    /// The call that began with `key` ends; without one, text or thoughts do, and what comes of them is another block.
    pub(crate) fn end_block(&mut self, key: u64) {
        if !self.end_call(key) {
            self.end_text();
        }
    }

    /// Why the answer ends. Without a reason, an answer is not whole.
    pub(crate) fn stop(&mut self, reason: StopReason) {
        self.begin();
        self.said.stop_reason = Some(reason);
    }

    /// What it cost, as far as this chunk knows: zeros leave what an earlier chunk said.
    pub(crate) fn usage(&mut self, usage: TokenUsage) {
        let known = &mut self.said.usage;
        let newer = |known: u64, new: u64| if new == 0 { known } else { new };
        known.input_tokens = newer(known.input_tokens, usage.input_tokens);
        known.output_tokens = newer(known.output_tokens, usage.output_tokens);
        known.cache_read_input_tokens = newer(known.cache_read_input_tokens, usage.cache_read_input_tokens);
        known.cache_write_input_tokens = newer(known.cache_write_input_tokens, usage.cache_write_input_tokens);
        known.cache_write_1h_input_tokens = newer(known.cache_write_1h_input_tokens, usage.cache_write_1h_input_tokens);
        known.reasoning_tokens = newer(known.reasoning_tokens, usage.reasoning_tokens);
    }

    /// What it cost, as Bedrock tells it. That counts cached tokens in its own way, so that it is never mixed with the
    /// model's own counts: what goes in is counted by the one or by the other, and so is what comes out.
    pub(super) fn metrics(&mut self, metrics: TokenUsage) {
        self.said.metrics = metrics;
    }

    /// What the model tells besides, as Converse would have it in `additionalModelResponseFields`.
    pub(crate) fn fields(&mut self, fields: Json<'static>) {
        self.said.fields = Some(fields);
    }

    /// Ends the answer. Whether it is whole.
    pub(super) fn end(&mut self, extras: Extras<'_>) -> bool {
        let Some(stop_reason) = self.said.stop_reason.take() else {
            return false;
        };
        self.end_text();
        for OpenCall { index, .. } in std::mem::take(&mut self.said.calls) {
            (self.sink)(Event::ContentBlockStop { index });
        }
        (self.sink)(Event::MessageStop {
            stop_reason,
            extras: Extras {
                additional_model_response_fields: self.said.fields.take(),
                ..Extras::default()
            },
        });
        (self.sink)(Event::Metadata {
            usage: self.said.total(),
            extras: Extras {
                additional_model_response_fields: None,
                ..extras
            },
        });
        true
    }

    /// Whether a reason to stop was said.
    pub(super) fn has_stopped(&self) -> bool {
        self.said.stop_reason.is_some()
    }

    /// Whether anything was said.
    pub(super) fn has_begun(&self) -> bool {
        self.said.has_begun
    }

    fn begin(&mut self) {
        if !self.said.has_begun {
            self.said.has_begun = true;
            (self.sink)(Event::MessageStart);
        }
    }

    fn delta(&mut self, block: Block, delta: Delta<'_>) {
        self.begin();
        let is_empty = match &delta {
            Delta::Text(text) | Delta::ReasoningText(text) => text.inner().is_empty(),
            _ => false,
        };
        if is_empty {
            return;
        }
        let index = match self.said.open {
            Some((open, index)) if open == block => index,
            _ => {
                self.end_text();
                let index = self.next_index();
                self.said.open = Some((block, index));
                index
            }
        };
        (self.sink)(Event::ContentBlockDelta { index, delta });
    }

    fn next_index(&mut self) -> u64 {
        let index = self.said.blocks;
        self.said.blocks += 1;
        index
    }

    fn end_text(&mut self) {
        if let Some((_, index)) = self.said.open.take() {
            (self.sink)(Event::ContentBlockStop { index });
        }
    }

    /// Whether there was such a call.
    fn end_call(&mut self, key: u64) -> bool {
        let Some(at) = self.said.calls.iter().position(|call| call.key == key) else {
            return false;
        };
        let OpenCall { index, .. } = self.said.calls.remove(at);
        (self.sink)(Event::ContentBlockStop { index });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbered_and_an_answer_without_a_reason_to_stop_is_not_whole() {
        let (mut said, mut names) = (Said::default(), Vec::new());
        let mut sink = |event: Event<'_>| {
            names.push(match event {
                Event::MessageStart => "start".to_owned(),
                Event::ContentBlockStart { index, .. } => format!("begin {index}"),
                Event::ContentBlockDelta { index, .. } => format!("delta {index}"),
                Event::ContentBlockStop { index } => format!("end {index}"),
                Event::MessageStop { .. } => "stop".to_owned(),
                Event::Metadata { usage, .. } => format!("{}/{}", usage.input_tokens, usage.output_tokens),
                Event::Unknown => "unknown".to_owned(),
            });
        };
        let text = |text: &str| JsonText::encode(text);
        let mut sayings = Sayings::new(&mut said, &mut sink);
        sayings.thought(text("hm"));
        sayings.text(text("a"));
        sayings.text(text(""));
        sayings.text(text("b"));
        sayings.call(7, text("1"), text("f"));
        sayings.call(8, text("2"), text("g"));
        sayings.arguments(7, text("{}"));
        sayings.arguments(9, text("{}"));
        sayings.end_block(7);
        sayings.text(text("c"));
        assert!(!sayings.end(Extras::default()));
        sayings.usage(TokenUsage {
            input_tokens: 3,
            ..TokenUsage::default()
        });
        sayings.usage(TokenUsage {
            output_tokens: 4,
            ..TokenUsage::default()
        });
        sayings.stop(StopReason::ToolUse);
        assert!(sayings.end(Extras::default()));
        let expected =
            "start,delta 0,end 0,delta 1,delta 1,end 1,begin 2,begin 3,delta 2,end 2,delta 4,end 4,end 3,stop,3/4";
        assert_eq!(names.join(","), expected);
    }
}
