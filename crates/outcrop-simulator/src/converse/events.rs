//! An answer as a stream's events, made one at a time: a long answer isn't held twice.

use serde_json::{Map, Value, json};

use super::reply::{Block, Reply};
use crate::script::Script;

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
    /// The numbers of the first blocks; those after them follow the last one.
    numbers: Vec<usize>,
    /// The arguments of the call that is being streamed, as JSON.
    arguments: String,
    next: Next,
}

/// The events of an answer, as the script wants them cut, numbered and ordered.
pub(crate) fn events(reply: Reply, script: &Script) -> Box<dyn Iterator<Item = Event> + Send> {
    let events = Events::new(reply, script.chunk, script.block_numbers.clone());
    match script.interleave {
        true => Box::new(interleaved(events)),
        false => Box::new(events),
    }
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
    pub(crate) fn new(reply: Reply, chunk: Option<usize>, numbers: Vec<usize>) -> Events {
        Events {
            reply,
            chunk,
            numbers,
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
            Some(Block::ToolUse { id, name, input, raw }) => {
                let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                self.arguments = match raw {
                    Some(raw) => raw.clone(),
                    // Nothing is said about a call without arguments.
                    None if input.as_object().is_some_and(Map::is_empty) => String::new(),
                    None => input.to_string(),
                };
                let payload = json!({"start": start, "contentBlockIndex": self.number(index)});
                self.event("contentBlockStart", payload, Next::Delta(index, 0))
            }
            Some(Block::Image(_)) => {
                let payload = json!({"start": {"image": {"format": "png"}}, "contentBlockIndex": self.number(index)});
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
            Block::Text(text) | Block::Reasoning { text, .. } | Block::Citation { text, .. } => (text.as_str(), None),
            Block::ToolUse { .. } => (self.arguments.as_str(), Some(ARGUMENTS_CHARS)),
            Block::Redacted { .. } | Block::Image(_) => ("", None),
        };
        let rest = &text[from..];
        if rest.is_empty() {
            return self.last_delta(index);
        }
        let piece = match self.chunk.or(chars) {
            Some(chars) => first_chars(rest, chars),
            None => first_words(rest),
        };
        let delta = match block {
            Block::Reasoning { .. } => json!({"reasoningContent": {"text": piece}}),
            Block::ToolUse { .. } => json!({"toolUse": {"input": piece}}),
            _ => json!({"text": piece}),
        };
        let next = Next::Delta(index, from + piece.len());
        self.delta_event(index, delta, next)
    }

    /// What comes after a block's text: what it's signed with, or taken from, or all that it is.
    fn last_delta(&mut self, index: usize) -> Option<Event> {
        let delta = match self.reply.blocks.get(index)? {
            Block::Reasoning {
                signature: Some(signature),
                ..
            } => json!({"reasoningContent": {"signature": signature}}),
            Block::Redacted { content, .. } => json!({"reasoningContent": {"redactedContent": content}}),
            Block::Citation { citation, .. } => json!({"citation": citation}),
            Block::Image(bytes) => json!({"image": {"source": {"bytes": bytes}}}),
            _ => return self.block_stop(index),
        };
        self.delta_event(index, delta, Next::BlockStop(index))
    }

    fn delta_event(&mut self, index: usize, delta: Value, next: Next) -> Option<Event> {
        let payload = json!({"delta": delta, "contentBlockIndex": self.number(index)});
        self.event("contentBlockDelta", payload, next)
    }

    /// The number that a block goes by.
    fn number(&self, index: usize) -> usize {
        match (self.numbers.get(index), self.numbers.last()) {
            (Some(number), _) => *number,
            (None, Some(last)) => last + 1 + index - self.numbers.len(),
            (None, None) => index,
        }
    }

    fn block_stop(&mut self, index: usize) -> Option<Event> {
        self.event(
            "contentBlockStop",
            json!({"contentBlockIndex": self.number(index)}),
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
        if let Some(trace) = &self.reply.trace {
            payload.insert("trace".to_owned(), trace.clone());
        }
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

/// Lets the calls of an answer take turns: the starts first, a fragment of each, and the ends last.
pub(crate) fn interleaved(events: Events) -> impl Iterator<Item = Event> {
    let mut before = Vec::new();
    let mut calls: Vec<Vec<Event>> = Vec::new();
    let mut after = Vec::new();
    let mut open = false;
    for event in events {
        let starts = event.payload.pointer("/start/toolUse").is_some();
        let ends = event.name == "contentBlockStop";
        if starts {
            calls.push(Vec::new());
            open = true;
        }
        match (open, calls.last_mut()) {
            (true, Some(call)) => call.push(event),
            (_, None) => before.push(event),
            _ => after.push(event),
        }
        open &= !ends;
    }
    let rounds = calls.iter().map(Vec::len).max().unwrap_or(0);
    let mut calls: Vec<_> = calls.into_iter().map(Vec::into_iter).collect();
    let mut taken = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..rounds {
        for event in calls.iter_mut().filter_map(Iterator::next) {
            match event.name {
                "contentBlockStop" => ends.push(event),
                _ => taken.push(event),
            }
        }
    }
    before.into_iter().chain(taken).chain(ends).chain(after)
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
