//! What a translation changed or left out, so that nothing is lost in silence.

use crate::problem::Problem;

/// The adaptations of one request, for the response headers and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<Note>);

/// One adaptation. All three words are our own or names of fields, never the client's text: they go into a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was adapted: a parameter or a part of the messages.
    pub parameter: String,
    /// What became of it, such as `dropped` or `1`.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// Whether the client asked for something that it doesn't get. What is only said in another way is none.
    pub is_loss: bool,
}

impl Notes {
    /// Notes that `parameter` is said in another way that means the same: `outcome`, and why.
    pub fn add(&mut self, parameter: &str, outcome: &str, reason: &str) {
        self.push(parameter, outcome, reason, false);
    }

    /// Notes that the client doesn't get what it asked for with `parameter`, but `outcome`, and why.
    pub fn lose(&mut self, parameter: &str, outcome: &str, reason: &str) {
        self.push(parameter, outcome, reason, true);
    }

    fn push(&mut self, parameter: &str, outcome: &str, reason: &str, is_loss: bool) {
        let note = Note {
            // Names of parameters that aren't OpenAI's are the client's words.
            parameter: parameter
                .chars()
                .map(|letter| {
                    if letter.is_ascii_graphic() && letter != ',' {
                        letter
                    } else {
                        '_'
                    }
                })
                .take(MAX_PARAMETER_CHARS)
                .collect(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            is_loss,
        };
        if self.0.len() == MAX_NOTES {
            // A header has its limits, and who reads more?
            let more = Note {
                parameter: "notes".to_owned(),
                outcome: "shortened".to_owned(),
                reason: "too-many".to_owned(),
                is_loss,
            };
            self.0.push(more);
        }
        if self.0.len() < MAX_NOTES && !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// Takes over the notes of another part of the same request.
    pub fn merge(&mut self, others: &Self) {
        for note in &others.0 {
            self.push(&note.parameter, &note.outcome, &note.reason, note.is_loss);
        }
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each note, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.iter()
    }

    /// The refusal of a request whose client would rather have none than an adapted one.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        let note = self.0.iter().find(|note| note.is_loss)?;
        let problem = Problem::invalid(format!(
            "Unsupported value: '{}' would be adapted ({}: {}), and 'on_unsupported' is 'reject'.",
            note.parameter, note.outcome, note.reason
        ));
        Some(problem.with_code("unsupported_parameter").with_param(&note.parameter))
    }
}

/// The most notes of a request, besides the one that says that there are more.
const MAX_NOTES: usize = 60;
/// The longest name of a parameter in a note; a header must not grow with what a client sends.
const MAX_PARAMETER_CHARS: usize = 64;

impl std::fmt::Display for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, note) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}={}({})", note.parameter, note.outcome, note.reason)?;
        }
        Ok(())
    }
}
