//! What the markers of a conversation ask for: those of the last user turn, and the sequences of earlier ones.

use serde_json::Value;

use super::{Action, ActionError, Marked};
use crate::rules::{blocks, is_from, messages};

const SEQUENCES: [&str; 2] = ["[[sim:sequence ", "[[sim:turns "];

/// The markers of a conversation, read.
pub(crate) struct Directions {
    /// The text of the last user turn, without markers.
    pub(crate) text: String,
    actions: Vec<Action>,
    sequence: Option<Sequence>,
}

/// The latest sequence of a conversation.
struct Sequence {
    /// The text of its turn, up to its end: what its calls are counted by.
    key: String,
    action: Action,
    /// How many answers came since.
    answers: usize,
}

impl Directions {
    /// Reads the markers of `body`'s conversation.
    ///
    /// # Errors
    ///
    /// A marker that isn't one, in the last user turn or in one that holds a sequence.
    pub(crate) fn read(body: &Value) -> Result<Directions, ActionError> {
        let last = messages(body).iter().rfind(|message| is_from(message, "user"));
        let marked = Marked::read(&last.map(user_text).unwrap_or_default())?;
        Ok(Directions {
            text: marked.text,
            actions: marked.actions,
            sequence: sequence(body)?,
        })
    }

    /// What to do on any call: sequences are left out.
    pub(crate) fn steady(&self) -> impl Iterator<Item = Action> {
        let steady = |action: &&Action| !matches!(action, Action::Sequence { .. } | Action::Turns(_));
        self.actions.iter().filter(steady).cloned()
    }

    /// What to do on this call. `count` counts calls by a key, from 1.
    pub(crate) fn actions(self, count: impl FnOnce(&str) -> u32) -> Vec<Action> {
        let mut actions: Vec<Action> = self.steady().collect();
        if let Some(sequence) = self.sequence {
            let (steps, number) = match sequence.action {
                Action::Sequence { steps, .. } => (steps, count(&sequence.key) as usize - 1),
                Action::Turns(steps) => (steps, sequence.answers),
                _ => (Vec::new(), 0),
            };
            let last = steps.len().saturating_sub(1);
            actions.extend(steps.into_iter().nth(number.min(last)).unwrap_or_default());
        }
        actions
    }
}

fn sequence(body: &Value) -> Result<Option<Sequence>, ActionError> {
    let mut answers = 0;
    for message in messages(body).iter().rev() {
        if is_from(message, "assistant") {
            answers += 1;
        }
        if !is_from(message, "user") {
            continue;
        }
        let text = user_text(message);
        if !SEQUENCES.iter().any(|marker| text.contains(marker)) {
            continue;
        }
        let mut actions = Marked::read(&text)?.actions.into_iter();
        let action = actions.find(|action| matches!(action, Action::Sequence { .. } | Action::Turns(_)));
        return Ok(action.map(|action| Sequence {
            key: key(&text, &action),
            action,
            answers,
        }));
    }
    Ok(None)
}

/// What follows a sequence, such as an instruction that a client adds, doesn't make it another one.
fn key(text: &str, action: &Action) -> String {
    let Action::Sequence { text: steps, .. } = action else {
        return String::new();
    };
    let end = text.find(steps.as_str()).map_or(text.len(), |at| at + steps.len());
    text[..end].to_owned()
}

/// The text of a user turn, guarded or not.
pub(crate) fn user_text(message: &Value) -> String {
    let guarded = |block: &Value| {
        block
            .pointer("/guardContent/text/text")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let texts = blocks(message).iter().filter_map(|block| {
        let plain = block.get("text").and_then(Value::as_str).map(str::to_owned);
        plain.or_else(|| guarded(block))
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn actions(turns: &[&str], count: u32) -> Vec<Action> {
        let turns: Vec<Value> = turns
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let role = if index % 2 == 0 { "user" } else { "assistant" };
                json!({"role": role, "content": [{"text": text}]})
            })
            .collect();
        Directions::read(&json!({"messages": turns}))
            .unwrap()
            .actions(|_| count)
    }

    fn text(text: &str) -> Vec<Action> {
        vec![Action::Text(text.to_owned())]
    }

    #[test]
    fn markers_of_earlier_turns_are_over() {
        assert_eq!(actions(&["[[sim:text a]]", "a", "b"], 1), []);
        assert_eq!(actions(&["[[sim:text a]]", "a", "b [[sim:text c]]"], 1), text("c"));
    }

    #[test]
    fn turns_count_the_answers_since() {
        let ask = "Hi [[sim:turns one | two]]";
        assert_eq!(actions(&[ask], 9), text("one"));
        assert_eq!(actions(&[ask, "one", "again"], 9), text("two"));
        assert_eq!(actions(&[ask, "one", "again", "two", "more"], 9), text("two"));
        assert_eq!(actions(&["a", "b", ask], 9), text("one"));
    }

    #[test]
    fn sequences_count_the_calls() {
        let ask = "Hi [[sim:sequence one | two]]";
        assert_eq!(actions(&[ask], 1), text("one"));
        assert_eq!(actions(&[ask], 2), text("two"));
        assert_eq!(actions(&[ask, "one", "again"], 3), text("two"));
    }

    #[test]
    fn a_sequence_is_known_by_what_comes_before_its_end() {
        let read = |text: &str| sequence(&json!({"messages": [{"role": "user", "content": [{"text": text}]}]}));
        let key = |text: &str| read(text).unwrap().unwrap().key;
        assert_eq!(
            key("a [[sim:sequence x | y]]"),
            key("a [[sim:sequence x | y]] Answer in JSON.")
        );
        assert_ne!(key("a [[sim:sequence x | y]]"), key("b [[sim:sequence x | y]]"));
    }
}
