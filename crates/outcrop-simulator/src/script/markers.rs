//! Markers in a prompt: `[[sim:action …]]`.

use super::{Action, ActionError, scan};

const OPEN: &str = "[[sim:";
const CLOSE: &str = "]]";

/// A prompt, read.
#[derive(Debug)]
pub(crate) struct Marked {
    /// The text without the markers.
    pub(crate) text: String,
    pub(crate) actions: Vec<Action>,
}

impl Marked {
    pub(crate) fn read(prompt: &str) -> Result<Marked, ActionError> {
        let mut marked = Marked {
            text: String::new(),
            actions: Vec::new(),
        };
        let mut rest = prompt;
        while let Some((before, after)) = rest.split_once(OPEN) {
            // Arguments are JSON and may hold `]]` themselves.
            let Some(length) = scan::find(after, CLOSE) else { break };
            marked.text.push_str(before);
            marked.actions.push(Action::parse(&after[..length])?);
            rest = &after[length + CLOSE.len()..];
        }
        marked.text.push_str(rest);
        Ok(marked)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markers_leave_the_text() {
        let marked = Marked::read("Say [[sim:pace 0ms]]hello[[sim:echo]]!").unwrap();
        assert_eq!(marked.text, "Say hello!");
        assert_eq!(marked.actions.len(), 2);
    }

    #[test]
    fn arguments_may_hold_brackets() {
        let marked = Marked::read(r#"[[sim:tool f {"m":[[1,2]],"s":"]]"}]] then [[sim:tool g]]"#).unwrap();
        assert_eq!(marked.text, " then ");
        let input = json!({"m": [[1, 2]], "s": "]]"});
        assert_eq!(
            marked.actions[0],
            Action::Tool {
                name: "f".to_owned(),
                input
            }
        );
        assert_eq!(
            marked.actions[1],
            Action::Tool {
                name: "g".to_owned(),
                input: json!({})
            }
        );
    }

    #[test]
    fn texts_may_be_json() {
        let marked = Marked::read(r#"[[sim:text {"m":[[1]]}]][[sim:text [[1]]]] [[sim:text {]]"#).unwrap();
        let texts = [r#"{"m":[[1]]}"#, "[[1]]", "{"].map(|text| Action::Text(text.to_owned()));
        assert_eq!(marked.actions, texts);
    }

    #[test]
    fn half_a_marker_is_text() {
        assert_eq!(Marked::read("a [[sim:echo").unwrap().text, "a [[sim:echo");
        assert!(Marked::read("[[sim:nonsense]]").is_err());
    }
}
