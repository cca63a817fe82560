//! An answer as a stream's events, made one at a time: a long answer isn't held twice.

use serde_json::{Map, Value, json};

use super::reply::{Block, Reply};

/// Where a made-up text is cut if nobody says: at the end of the word that reaches this many characters.
const WORDS_CHARS: usize = 12;
const ARGUMENTS_CHARS: usize = 10;

/// An event, as its frame will hold it.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) payload: Value,
}

/// The events of an answer, in Bedrock's order: `metadata` comes after `messageStop`.
pub(crate) struct Events {
    reply: Reply,
    /// Characters in a chunk, if not words.
    chunk: Option<usize>,
    /// The arguments of the call that is being streamed, as JSON.
    arguments: String,
    next: Next,
}

/// Where in the answer the next event stands.
enum Next {
    MessageStart,
    BlockStart(usize),
    /// In a block's text, at a byte.
    Delta(usize, usize),
    BlockStop(usize),
    MessageStop,
    Metadata,
    End,
}

impl Events {
    pub(crate) fn new(reply: Reply, chunk: Option<usize>) -> Events {
        Events {
            reply,
            chunk,
            arguments: String::new(),
            next: Next::MessageStart,
        }
    }

    fn event(&mut self, name: &'static str, payload: Value, next: Next) -> Option<Event> {
        self.next = next;
        Some(Event { name, payload })
    }

    fn block_start(&mut self, index: usize) -> Option<Event> {
        match self.reply.blocks.get(index) {
            None => self.message_stop_next(),
            // Only tool calls announce themselves; texts and reasoning begin with their first delta.
            Some(Block::ToolUse { id, name, input }) => {
                // Nothing is said about a call without arguments.
                let empty = input.as_object().is_some_and(Map::is_empty);
                self.arguments = if empty { String::new() } else { input.to_string() };
                let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                let payload = json!({"start": start, "contentBlockIndex": index});
                self.event("contentBlockStart", payload, Next::Delta(index, 0))
            }
            Some(_) => self.delta(index, 0),
        }
    }

    fn message_stop_next(&mut self) -> Option<Event> {
        self.next = Next::MessageStop;
        self.next()
    }

    fn delta(&mut self, index: usize, from: usize) -> Option<Event> {
        let block = self.reply.blocks.get(index)?;
        let (text, chars) = match block {
            Block::Text(text) | Block::Reasoning { text, .. } => (text, None),
            Block::ToolUse { .. } => (&self.arguments, Some(ARGUMENTS_CHARS)),
        };
        let rest = &text[from..];
        if rest.is_empty() {
            return match block {
                Block::Reasoning { .. } => self.signature(index),
                _ => self.block_stop(index),
            };
        }
        let piece = match self.chunk.or(chars) {
            Some(chars) => first_chars(rest, chars),
            None => first_words(rest),
        };
        let delta = match block {
            Block::Text(_) => json!({"text": piece}),
            Block::Reasoning { .. } => json!({"reasoningContent": {"text": piece}}),
            Block::ToolUse { .. } => json!({"toolUse": {"input": piece}}),
        };
        let next = Next::Delta(index, from + piece.len());
        self.event(
            "contentBlockDelta",
            json!({"delta": delta, "contentBlockIndex": index}),
            next,
        )
    }

    fn signature(&mut self, index: usize) -> Option<Event> {
        let Some(Block::Reasoning {
            signature: Some(signature),
            ..
        }) = self.reply.blocks.get(index)
        else {
            return self.block_stop(index);
        };
        let delta = json!({"reasoningContent": {"signature": signature}});
        self.event(
            "contentBlockDelta",
            json!({"delta": delta, "contentBlockIndex": index}),
            Next::BlockStop(index),
        )
    }

    fn block_stop(&mut self, index: usize) -> Option<Event> {
        self.event(
            "contentBlockStop",
            json!({"contentBlockIndex": index}),
            Next::BlockStart(index + 1),
        )
    }

    fn message_stop(&mut self) -> Option<Event> {
        let mut payload = json!({"stopReason": self.reply.stop_reason});
        if let Some(fields) = &self.reply.extra_fields {
            payload["additionalModelResponseFields"] = fields.clone();
        }
        self.event("messageStop", payload, Next::Metadata)
    }

    fn metadata(&mut self) -> Option<Event> {
        let mut payload = self.reply.settings.clone();
        payload.insert("usage".to_owned(), self.reply.usage());
        payload.insert("metrics".to_owned(), self.reply.metrics());
        self.event("metadata", Value::Object(payload), Next::End)
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        match self.next {
            Next::MessageStart => self.event("messageStart", json!({"role": "assistant"}), Next::BlockStart(0)),
            Next::BlockStart(index) => self.block_start(index),
            Next::Delta(index, from) => self.delta(index, from),
            Next::BlockStop(index) => self.block_stop(index),
            Next::MessageStop => self.message_stop(),
            Next::Metadata => self.metadata(),
            Next::End => None,
        }
    }
}

fn first_chars(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn first_words(text: &str) -> &str {
    let ends = text
        .char_indices()
        .enumerate()
        .filter(|(count, (_, c))| *count >= WORDS_CHARS && c.is_whitespace());
    let end = ends.map(|(_, (at, _))| at).next().unwrap_or(text.len());
    // A text without spaces isn't one chunk.
    first_chars(&text[..end], WORDS_CHARS * 4)
}
