//! What an answer's text passes before the client sees it: what the client has already is left out, and the text ends
//! where the client wants it to.

use super::Memo;
use crate::stop::StopMatcher;

/// The filter of one answer's text, which comes in pieces.
#[derive(Debug)]
pub(in crate::openai) struct TextFilter {
    /// What of the text that the answer goes on from may still be repeated; `None` once that is decided.
    repeated: Option<Repeated>,
    stop: Option<StopMatcher>,
}

#[derive(Debug)]
struct Repeated {
    /// The text that must not be repeated.
    begun: String,
    /// How much of it the answer has repeated so far, in bytes.
    matched: usize,
}

impl TextFilter {
    /// The filter that a request asks for; `None`, the usual case, if text passes as it is.
    pub(in crate::openai) fn of(memo: &Memo) -> Option<Self> {
        let repeated = memo.begun.clone().map(|begun| Repeated { begun, matched: 0 });
        let stop = memo.stop.clone();
        (repeated.is_some() || stop.is_some()).then_some(Self { repeated, stop })
    }

    /// Reads the next piece and appends to `out` what is certain to be seen.
    pub(in crate::openai) fn push(&mut self, text: &str, out: &mut String) {
        let Some(repeated) = &mut self.repeated else {
            return self.push_new(text, out);
        };
        let rest = &repeated.begun[repeated.matched..];
        let common = common_prefix(rest, text);
        if common == text.len() && common < rest.len() {
            repeated.matched += common;
            return;
        }
        let Repeated { begun, matched } = match self.repeated.take() {
            Some(repeated) => repeated,
            None => return,
        };
        if common == begun.len() - matched {
            self.push_new(&text[common..], out);
        } else {
            // It only began alike: that is the answer's own.
            self.push_new(&begun[..matched], out);
            self.push_new(text, out);
        }
    }

    fn push_new(&mut self, text: &str, out: &mut String) {
        match &mut self.stop {
            Some(stop) => {
                stop.push(text, out);
            }
            None => out.push_str(text),
        }
    }

    /// The text is over: appends what was held back.
    pub(in crate::openai) fn finish(&mut self, out: &mut String) {
        if let Some(Repeated { begun, matched }) = self.repeated.take() {
            self.push_new(&begun[..matched], out);
        }
        if let Some(stop) = &mut self.stop {
            stop.finish(out);
        }
    }

    /// Whether a stop sequence has ended the text.
    pub(in crate::openai) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.matched().is_some())
    }
}

/// How many bytes two texts begin alike with, in whole characters.
fn common_prefix(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    same.map(|(letter, _)| letter.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(begun: &str, pieces: &[&str]) -> String {
        let repeated = Some(Repeated {
            begun: begun.to_owned(),
            matched: 0,
        });
        let mut filter = TextFilter { repeated, stop: None };
        let mut out = String::new();
        for piece in pieces {
            filter.push(piece, &mut out);
        }
        filter.finish(&mut out);
        out
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_repeated() {
        assert_eq!(filtered("The sky", &["The", " sky", " is blue"]), " is blue");
        assert_eq!(filtered("The sky", &["The sky is blue"]), " is blue");
        assert_eq!(filtered("The sky", &[" is blue"]), " is blue");
        assert_eq!(filtered("The sky", &["The", "n it rains"]), "Then it rains");
        assert_eq!(filtered("The sky", &["The"]), "The");
        assert_eq!(filtered("né", &["n", "è"]), "nè");
    }
}
