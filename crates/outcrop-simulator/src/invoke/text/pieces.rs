//! Streams of bare text: a chunk for each piece, and one that tells how it ended.

use serde_json::Value;

use crate::converse::Event;
use crate::invoke::about::About;
use crate::invoke::shape::Writer;
use crate::tokens;

/// How a family writes a piece.
pub(super) type Write = fn(&Piece<'_>, &About, &mut Vec<Value>);

/// A part of an answer, as it is streamed.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) is_first: bool,
    /// The tokens of the answer so far.
    pub(super) tokens: u64,
    /// Why the answer ended, in Converse's word, if it has.
    pub(super) stop_reason: Option<&'a str>,
}

/// Writes the pieces of an answer.
pub(super) struct Pieces {
    about: About,
    write: Write,
    /// What stands before the text.
    lead: &'static str,
    /// What stands between reasoning and text; without it, reasoning isn't shown.
    after_thoughts: Option<&'static str>,
    /// If reasoning has begun, and the text hasn't.
    thinking: bool,
    any: bool,
    any_text: bool,
    so_far: String,
}

impl Pieces {
    pub(super) fn new(about: About, lead: &'static str, write: Write) -> Pieces {
        Pieces {
            about,
            write,
            lead,
            after_thoughts: None,
            thinking: false,
            any: false,
            any_text: false,
            so_far: String::new(),
        }
    }

    /// Shows reasoning, and puts this between it and the text.
    pub(super) fn with_thoughts(mut self, after: &'static str) -> Pieces {
        self.after_thoughts = Some(after);
        self
    }

    /// The prompt has opened the thoughts, so they are closed even where there are none.
    pub(super) fn opened(mut self) -> Pieces {
        self.thinking = true;
        self
    }

    fn piece(&mut self, text: &str, stop_reason: Option<&str>, out: &mut Vec<Value>) {
        self.so_far.push_str(text);
        let tokens = match stop_reason {
            Some(_) => self.about.usage.output,
            None => tokens::of(&self.so_far).min(self.about.usage.output),
        };
        let piece = Piece {
            text,
            is_first: !self.any,
            tokens,
            stop_reason,
        };
        self.any = true;
        (self.write)(&piece, &self.about, out);
    }

    fn text(&mut self, text: &str, out: &mut Vec<Value>) {
        if std::mem::take(&mut self.thinking) {
            self.piece(self.after_thoughts.unwrap_or_default(), None, out);
        }
        let lead = if self.any_text { "" } else { self.lead };
        self.any_text = true;
        self.piece(&format!("{lead}{text}"), None, out);
    }
}

impl Writer for Pieces {
    fn push(&mut self, event: &Event, out: &mut Vec<Value>) {
        let text = |path: &str| event.payload.pointer(path).and_then(Value::as_str);
        match event.name {
            "contentBlockDelta" => {
                if let Some(thought) = text("/delta/reasoningContent/text").filter(|_| self.after_thoughts.is_some()) {
                    self.thinking = true;
                    self.piece(thought, None, out);
                }
                if let Some(text) = text("/delta/text") {
                    self.text(text, out);
                }
            }
            "messageStop" => {
                let reason = text("/stopReason").unwrap_or_default().to_owned();
                self.piece("", Some(&reason), out);
            }
            _ => {}
        }
    }
}
