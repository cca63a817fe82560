//! A stream in a family's own words, made from Converse's events one at a time.

use std::collections::VecDeque;

use serde_json::Value;

use super::shape::Writer;
use crate::converse::Event;

/// A chunk of a stream.
pub(super) struct Chunk {
    pub(super) value: Value,
    /// If it tells how the answer ended, or follows what does.
    pub(super) closing: bool,
}

/// The chunks of an answer. One is held back, since the last of them tells more.
pub(super) struct Chunks {
    events: Box<dyn Iterator<Item = Event> + Send>,
    writer: Box<dyn Writer>,
    /// What is added to the last chunk.
    last: Value,
    ready: VecDeque<Chunk>,
    closing: bool,
}

impl Chunks {
    pub(super) fn new(events: Box<dyn Iterator<Item = Event> + Send>, writer: Box<dyn Writer>, last: Value) -> Chunks {
        Chunks {
            events,
            writer,
            last,
            ready: VecDeque::new(),
            closing: false,
        }
    }
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        while self.ready.len() < 2
            && let Some(event) = self.events.next()
        {
            self.closing |= event.name == "messageStop";
            let mut written = Vec::new();
            self.writer.push(&event, &mut written);
            let closing = self.closing;
            self.ready
                .extend(written.into_iter().map(|value| Chunk { value, closing }));
        }
        let mut chunk = self.ready.pop_front()?;
        if self.ready.is_empty()
            && let (Some(fields), Value::Object(last)) = (chunk.value.as_object_mut(), self.last.take())
        {
            fields.extend(last);
        }
        Some(chunk)
    }
}
