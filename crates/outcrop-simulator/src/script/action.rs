//! One thing to do, and how it's written: the same words in markers and in scenario files.

use std::time::Duration;

use serde_json::Value;

use super::words::{NO_SUCH_ACTION, Words};

/// What can go wrong in an answer besides an exception in its place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// An exception frame after so many frames.
    StreamError {
        /// As in the service model, such as `modelStreamErrorException`.
        exception: String,
        /// How many frames come before.
        after: usize,
    },
    /// The connection is reset after so many frames.
    Cut {
        /// How many frames come before.
        after: usize,
    },
    /// The body ends in order after so many frames, without `messageStop`.
    Truncate {
        /// How many frames come before.
        after: usize,
    },
    /// A frame with a wrong checksum after so many frames.
    Corrupt {
        /// How many frames come before.
        after: usize,
    },
    /// Silence, for as long as the client waits, after so many frames.
    Hang {
        /// How many frames come before.
        after: usize,
    },
    /// A frame whose prelude announces 1 GiB, after so many frames; a part of it follows.
    HugeFrame {
        /// How many frames come before.
        after: usize,
    },
    /// A frame that is cut in its middle, after so many frames; then the body ends in order.
    CutFrame {
        /// How many frames come before.
        after: usize,
    },
    /// The connection is reset in place of an answer.
    Reset,
    /// Nothing is answered, for as long as the client waits.
    Silence,
    /// A redirect to the simulator itself, which counts who follows it.
    Redirect,
    /// A page of HTML that isn't Bedrock's.
    Html {
        /// Its HTTP status.
        status: u16,
    },
    /// A `ValidationException` with a very long message.
    HugeError {
        /// How long.
        bytes: usize,
    },
}

/// One thing to do about a call. `docs/simulator.md` lists how each is written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Answer with exactly this text.
    Text(String),
    /// Answer with made-up text of so many tokens.
    Tokens(u64),
    /// Call a tool.
    Tool {
        /// The tool's name, declared or not.
        name: String,
        /// Its arguments.
        input: Value,
    },
    /// Call a tool with arguments that are streamed as they stand, JSON or not.
    RawTool {
        /// The tool's name, declared or not.
        name: String,
        /// The text of its arguments.
        arguments: String,
    },
    /// Reason first, with a signature.
    Reasoning(String),
    /// Reason in a block that only the model can read.
    RedactedReasoning,
    /// Answer with a text that cites the first document of the request.
    Citation(String),
    /// Answer with an image.
    Image,
    /// Report input tokens from a cache, and to it.
    Cached {
        /// As `cacheReadInputTokens`.
        read: u64,
        /// As `cacheWriteInputTokens`.
        written: u64,
    },
    /// End with this stop reason.
    Stop(String),
    /// Refuse the call as long as it holds a field.
    RefuseField {
        /// Its path, such as `inferenceConfig.temperature`; a single word is a member anywhere.
        path: String,
        /// The exception's name.
        exception: String,
        /// Its message.
        message: String,
    },
    /// Do the first on the first call with the text that holds this, the second on the second, the last on all others.
    Sequence {
        /// What stands in the marker; it tells sequences apart.
        text: String,
        /// What to do on each call.
        steps: Vec<Vec<Action>>,
    },
    /// Do the first in the first answer after the turn that holds this, the second in the second, the last in others.
    Turns(Vec<Vec<Action>>),
    /// Number a stream's blocks like this.
    BlockNumbers(Vec<usize>),
    /// Stream the arguments of several calls a fragment of each at a time.
    Interleave,
    /// Answer with the request body as it was received.
    Echo,
    /// Wait before the first byte.
    Delay(Duration),
    /// Wait between two chunks.
    Pace(Duration),
    /// So many characters in a chunk.
    Chunk(usize),
    /// Answer with an exception.
    Error {
        /// Its name, such as `ThrottlingException`.
        exception: String,
        /// Its message; the simulator's own if not given.
        message: Option<String>,
        /// On how many calls with the same prompt; on all if not given.
        times: Option<u32>,
        /// As `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// Let something go wrong.
    Fault(Fault),
}

/// An action that isn't one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the simulator doesn't understand `{action}`: {reason}")]
pub struct ActionError {
    action: String,
    reason: String,
}

impl ActionError {
    /// If the name is no action's.
    pub(super) fn is_unknown(&self) -> bool {
        self.reason == NO_SUCH_ACTION
    }
}

impl Action {
    /// Reads an action as it stands in a marker, without `[[sim:` and `]]`.
    ///
    /// # Errors
    ///
    /// If there is no such action, or its arguments are wrong.
    pub fn parse(text: &str) -> Result<Action, ActionError> {
        let text = text.trim();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let words = Words::new(rest.trim_start());
        words.action(name).map_err(|reason| ActionError {
            action: text.to_owned(),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn actions_are_read() {
        let read = |text| Action::parse(text).unwrap();
        assert_eq!(
            read("tool f {\"a\": [1]}"),
            Action::Tool {
                name: "f".to_owned(),
                input: json!({"a": [1]})
            }
        );
        assert_eq!(
            read("tool f"),
            Action::Tool {
                name: "f".to_owned(),
                input: json!({})
            }
        );
        assert_eq!(read("delay 2s"), Action::Delay(Duration::from_secs(2)));
        assert_eq!(read("pace 0ms"), Action::Pace(Duration::ZERO));
        assert_eq!(read("cache read=3"), Action::Cached { read: 3, written: 0 });
        assert_eq!(read("cut after=3"), Action::Fault(Fault::Cut { after: 3 }));
        assert_eq!(read("text a  b"), Action::Text("a  b".to_owned()));
        let error = Action::Error {
            exception: "ThrottlingException".to_owned(),
            message: Some("slow down = please".to_owned()),
            times: Some(2),
            retry_after: Some(7),
        };
        assert_eq!(
            read("error ThrottlingException times=2 retry-after=7 message=slow down = please"),
            error
        );
    }

    #[test]
    fn sequences_hold_actions_and_texts() {
        let step = |text: &str| Action::Text(text.to_owned());
        let Action::Turns(steps) =
            Action::parse(r#"turns {"a": "x | y"} | tool f {} ; stop end_turn | text ]"#).unwrap()
        else {
            panic!("not turns");
        };
        assert_eq!(steps[0], [step(r#"{"a": "x | y"}"#)]);
        assert_eq!(steps[1].len(), 2);
        assert_eq!(steps[2], [step("]")]);
    }

    #[test]
    fn a_field_is_refused_in_the_models_words_or_in_ones_own() {
        let read = |text| Action::parse(text).unwrap();
        let refusal = |message: &str| Action::RefuseField {
            path: "temperature".to_owned(),
            exception: "ValidationException".to_owned(),
            message: message.to_owned(),
        };
        assert_eq!(read("refuse-field temperature message=No, a = b"), refusal("No, a = b"));
        let message = "The model returned the following errors: temperature: Extra inputs are not permitted";
        assert_eq!(read("refuse-field temperature"), refusal(message));
        assert!(Action::parse("block-numbers 2 1").is_err());
    }

    #[test]
    fn what_isnt_an_action_says_why() {
        let why = |text| Action::parse(text).unwrap_err().to_string();
        assert_eq!(
            why("fly"),
            "the simulator doesn't understand `fly`: there is no such action"
        );
        assert!(why("delay soon").contains("isn't a duration"));
        assert!(why("tokens 999999999999").contains("don't fit into memory"));
        assert!(why("tool f {").contains("aren't JSON"));
        assert!(why("error times=2").contains("needs an exception's name"));
    }
}
