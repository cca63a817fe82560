//! Markers in a prompt: `[[sim:action …]]`.

use serde_json::Value;

use super::{Action, ActionError};

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
            let Some(length) = length(after) else { break };
            marked.text.push_str(before);
            marked.actions.push(Action::parse(&after[..length])?);
            rest = &after[length + CLOSE.len()..];
        }
        marked.text.push_str(rest);
        Ok(marked)
    }
}

/// How far a marker goes. A tool's arguments are JSON and may hold `]]` themselves.
fn length(marker: &str) -> Option<usize> {
    arguments_end(marker).or_else(|| marker.find(CLOSE))
}

fn arguments_end(marker: &str) -> Option<usize> {
    let tool = marker.strip_prefix("tool ")?;
    let close = tool.find(CLOSE)?;
    let start = marker.len() - tool.len() + tool.find('{').filter(|start| *start < close)?;
    let mut values = serde_json::Deserializer::from_str(&marker[start..]).into_iter::<Value>();
    values.next()?.ok()?;
    let end = start + values.byte_offset();
    let gap = marker[end..].find(CLOSE)?;
    marker[end..end + gap].trim().is_empty().then_some(end + gap)
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
    fn half_a_marker_is_text() {
        assert_eq!(Marked::read("a [[sim:echo").unwrap().text, "a [[sim:echo");
        assert!(Marked::read("[[sim:nonsense]]").is_err());
    }
}
