//! Which tags a model writes its thoughts between, found by how its text begins.

use super::super::thoughts::{MAX_HELD, Piece, Splitter};

/// Tells thoughts from text: those of gpt-oss and those of the others, whose answers don't say whose they are.
#[derive(Debug)]
pub(super) enum Tags {
    /// What has come may become a tag.
    Unsure(String),
    Known(Splitter),
}

impl Default for Tags {
    fn default() -> Self {
        Self::Unsure(String::new())
    }
}

impl Tags {
    /// Takes the next piece of text and gives what is certain of it.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        match self {
            Self::Known(splitter) => splitter.push(text),
            Self::Unsure(held) => {
                held.push_str(text);
                let start = held.trim_start();
                let mut splitter = if start.starts_with("<reasoning>") {
                    Splitter::gpt_oss()
                } else if held.len() <= MAX_HELD && ("<reasoning>".starts_with(start) || "<think>".starts_with(start)) {
                    return Vec::new();
                } else {
                    Splitter::think()
                };
                let pieces = splitter.push(held);
                *self = Self::Known(splitter);
                pieces
            }
        }
    }

    /// What was held back, now that nothing follows.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        match self {
            Self::Known(splitter) => splitter.finish(),
            Self::Unsure(held) if held.is_empty() => None,
            Self::Unsure(held) => Some(Piece::Text(std::mem::take(held))),
        }
    }
}
