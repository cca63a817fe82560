//! Thoughts that models write into their text, between tags.

use std::borrow::Cow;

/// White space beside tags is left out, but not looked through without end: from this many bytes on, it is text.
pub(crate) const MAX_HELD: usize = 4096;

/// A piece of text, told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// What the model thought.
    Thought(String),
    /// What it answers.
    Text(String),
}

/// Splits text that comes in pieces: thoughts stand at its beginning, between tags. What may be half a tag is held back.
/// White space next to a tag goes with the tag.
#[derive(Debug)]
pub(crate) struct Splitter {
    open: &'static str,
    close: &'static str,
    state: State,
    held: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space has come.
    Start,
    /// After the opening tag; white space is skipped up to the thoughts.
    Opened,
    Thinking,
    /// After the thoughts; white space is skipped up to the answer.
    Between,
    Answering,
}

impl Splitter {
    /// Of gpt-oss: `<reasoning>thoughts</reasoning>answer`.
    pub(crate) fn gpt_oss() -> Self {
        Self::new("<reasoning>", "</reasoning>", State::Start)
    }

    /// Of DeepSeek R1, whose prompt ends with the opening tag: `thoughts</think>answer`.
    pub(crate) fn deepseek() -> Self {
        Self::new("<think>", "</think>", State::Opened)
    }

    /// Of models that may think or not: `<think>thoughts</think>answer`.
    pub(crate) fn think() -> Self {
        Self::new("<think>", "</think>", State::Start)
    }

    fn new(open: &'static str, close: &'static str, state: State) -> Self {
        Self {
            open,
            close,
            state,
            held: String::new(),
        }
    }

    /// Takes the next piece of text and gives what is certain of it.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut text: Cow<'_, str> = if self.held.is_empty() {
            Cow::Borrowed(text)
        } else {
            self.held.push_str(text);
            Cow::Owned(std::mem::take(&mut self.held))
        };
        let mut pieces = Vec::new();
        loop {
            match self.state {
                State::Start => {
                    let trimmed = text.trim_start();
                    if let Some(rest) = trimmed.strip_prefix(self.open) {
                        text = Cow::Owned(rest.to_owned());
                        self.state = State::Opened;
                    } else if self.open.starts_with(trimmed) && text.len() <= MAX_HELD {
                        // It may yet become the tag.
                        self.held = text.into_owned();
                        return pieces;
                    } else {
                        self.state = State::Answering;
                    }
                }
                State::Opened => {
                    let trimmed = text.trim_start();
                    if trimmed.is_empty() {
                        return pieces;
                    }
                    text = Cow::Owned(trimmed.to_owned());
                    self.state = State::Thinking;
                }
                State::Thinking => {
                    if let Some((thought, rest)) = text.split_once(self.close) {
                        push(&mut pieces, Piece::Thought(thought.trim_end().to_owned()));
                        text = Cow::Owned(rest.to_owned());
                        self.state = State::Between;
                    } else {
                        let before_tag = text.len() - half_tag(&text, self.close);
                        let mut sure = text[..before_tag].trim_end().len();
                        if text.len() - sure > MAX_HELD {
                            sure = before_tag;
                        }
                        let (certain, held) = text.split_at(sure);
                        push(&mut pieces, Piece::Thought(certain.to_owned()));
                        self.held = held.to_owned();
                        return pieces;
                    }
                }
                State::Between => {
                    let trimmed = text.trim_start();
                    if trimmed.is_empty() {
                        return pieces;
                    }
                    text = Cow::Owned(trimmed.to_owned());
                    self.state = State::Answering;
                }
                State::Answering => {
                    push(&mut pieces, Piece::Text(text.into_owned()));
                    return pieces;
                }
            }
        }
    }

    /// What was held back, now that nothing follows.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return None;
        }
        Some(match self.state {
            State::Thinking => Piece::Thought(held),
            _ => Piece::Text(held),
        })
    }

    /// Splits a whole text into thoughts and answer.
    pub(crate) fn split(mut self, text: &str) -> (String, String) {
        let (mut thoughts, mut answer) = (String::new(), String::new());
        let mut pieces = self.push(text);
        pieces.extend(self.finish());
        for piece in pieces {
            match piece {
                Piece::Thought(text) => thoughts.push_str(&text),
                Piece::Text(text) => answer.push_str(&text),
            }
        }
        (thoughts, answer)
    }
}

fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    let (Piece::Thought(text) | Piece::Text(text)) = &piece;
    if !text.is_empty() {
        pieces.push(piece);
    }
}

/// How many bytes at the end of `text` may be the beginning of `tag`.
fn half_tag(text: &str, tag: &str) -> usize {
    (1..tag.len().min(text.len() + 1))
        .rev()
        .find(|&length| text.as_bytes().ends_with(&tag.as_bytes()[..length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_the_same_however_it_is_cut() {
        type Make = fn() -> Splitter;
        for (make, text, thoughts, answer) in [
            (
                Splitter::gpt_oss as Make,
                "<reasoning>a < b</reasoning>\n\nYes </reasoning>",
                "a < b",
                "Yes </reasoning>",
            ),
            (Splitter::gpt_oss, "plain <reasoning>", "", "plain <reasoning>"),
            (Splitter::gpt_oss, "  <reas", "", "  <reas"),
            (Splitter::deepseek, "hm, é</think>\n\nDone", "hm, é", "Done"),
            (Splitter::deepseek, "cut off</thi", "cut off</thi", ""),
            (Splitter::think, "\n<think>x</think>y", "x", "y"),
            (Splitter::think, "<think>\nx \n\nz\n</think>\n\ny\n", "x \n\nz", "y\n"),
            (Splitter::deepseek, "\n</think>\n\nDone", "", "Done"),
            (Splitter::deepseek, "cut off \n", "cut off \n", ""),
        ] {
            let whole = make().split(text);
            assert_eq!(whole, (thoughts.to_owned(), answer.to_owned()), "{text}");
            let mut splitter = make();
            let (mut thought, mut said) = (String::new(), String::new());
            let mut pieces: Vec<Piece> = text
                .chars()
                .flat_map(|letter| splitter.push(&letter.to_string()))
                .collect();
            pieces.extend(splitter.finish());
            for piece in pieces {
                match piece {
                    Piece::Thought(text) => thought.push_str(&text),
                    Piece::Text(text) => said.push_str(&text),
                }
            }
            assert_eq!((thought, said), whole, "{text}, letter by letter");
        }
    }

    #[test]
    fn white_space_is_not_held_without_end() {
        let mut splitter = Splitter::gpt_oss();
        let mut said = 0;
        for _ in 0..3 * MAX_HELD {
            said += splitter.push("\n").len();
        }
        assert!(said > 0 && splitter.held.len() <= MAX_HELD);
        let mut splitter = Splitter::deepseek();
        splitter.push("hm");
        for _ in 0..3 * MAX_HELD {
            splitter.push("\n");
        }
        assert!(splitter.held.len() <= MAX_HELD + 1);
    }
}
