//! One thing to do, and how it's written: the same words in markers and in scenario files.

use std::time::Duration;

use serde_json::Value;

/// 200 MB of text, which is held at once.
const MAX_TOKENS: u64 = 50_000_000;

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
    /// Reason first, with a signature.
    Reasoning(String),
    /// Report input tokens from a cache, and to it.
    Cached {
        /// As `cacheReadInputTokens`.
        read: u64,
        /// As `cacheWriteInputTokens`.
        written: u64,
    },
    /// End with this stop reason.
    Stop(String),
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

impl Action {
    /// Reads an action as it stands in a marker, without `[[sim:` and `]]`.
    ///
    /// # Errors
    ///
    /// If there is no such action, or its arguments are wrong.
    pub fn parse(text: &str) -> Result<Action, ActionError> {
        let text = text.trim();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let words = Words {
            rest: rest.trim_start(),
        };
        words.action(name).map_err(|reason| ActionError {
            action: text.to_owned(),
            reason,
        })
    }
}

/// What follows an action's name.
struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    fn action(&self, name: &str) -> Result<Action, String> {
        Ok(match name {
            "text" => Action::Text(self.rest.to_owned()),
            "tokens" => self.tokens()?,
            "tool" => self.tool()?,
            "reasoning" => Action::Reasoning(self.required("a text")?.to_owned()),
            "stop" => Action::Stop(self.required("a stop reason")?.to_owned()),
            "cache" => Action::Cached {
                read: self.named("read")?.unwrap_or(0),
                written: self.named("write")?.unwrap_or(0),
            },
            "echo" => Action::Echo,
            "delay" => Action::Delay(self.duration()?),
            "pace" => Action::Pace(self.duration()?),
            "chunk" => Action::Chunk(self.number::<usize>(self.required("a number")?)?.max(1)),
            "error" => self.error()?,
            "stream-error" => Action::Fault(Fault::StreamError {
                exception: self.exception()?,
                after: self.after()?,
            }),
            "cut" => Action::Fault(Fault::Cut { after: self.after()? }),
            "truncate" => Action::Fault(Fault::Truncate { after: self.after()? }),
            "corrupt" => Action::Fault(Fault::Corrupt { after: self.after()? }),
            "hang" => Action::Fault(Fault::Hang { after: self.after()? }),
            "huge-frame" => Action::Fault(Fault::HugeFrame { after: self.after()? }),
            "redirect" => Action::Fault(Fault::Redirect),
            "html" => Action::Fault(Fault::Html {
                status: self.named("status")?.unwrap_or(503),
            }),
            "huge-error" => Action::Fault(Fault::HugeError {
                bytes: self.named("bytes")?.unwrap_or(64 << 20),
            }),
            _ => return Err("there is no such action".to_owned()),
        })
    }

    fn tokens(&self) -> Result<Action, String> {
        let tokens = self.number(self.required("a number")?)?;
        match tokens <= MAX_TOKENS {
            true => Ok(Action::Tokens(tokens)),
            false => Err(format!("more than {MAX_TOKENS} tokens don't fit into memory")),
        }
    }

    fn tool(&self) -> Result<Action, String> {
        let (name, input) = self.rest.split_once(char::is_whitespace).unwrap_or((self.rest, "{}"));
        if name.is_empty() {
            return Err("it needs a tool's name".to_owned());
        }
        let input = if input.trim().is_empty() { "{}" } else { input };
        let input: Value =
            serde_json::from_str(input).map_err(|error| format!("its arguments aren't JSON: {error}"))?;
        match input.is_object() {
            true => Ok(Action::Tool {
                name: name.to_owned(),
                input,
            }),
            false => Err("its arguments aren't a JSON object".to_owned()),
        }
    }

    fn error(&self) -> Result<Action, String> {
        // A message may hold anything, so it comes last.
        let (options, message) = match self.rest.split_once("message=") {
            Some((options, message)) => (Words { rest: options }, Some(message.to_owned())),
            None => (Words { rest: self.rest }, None),
        };
        Ok(Action::Error {
            exception: options.exception()?,
            message,
            times: options.named("times")?,
        })
    }

    fn exception(&self) -> Result<String, String> {
        let name = self.rest.split_whitespace().find(|word| !word.contains('='));
        name.map(str::to_owned)
            .ok_or_else(|| "it needs an exception's name".to_owned())
    }

    fn after(&self) -> Result<usize, String> {
        Ok(self.named("after")?.unwrap_or(2))
    }

    /// The value of `name=…`.
    fn named<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        let pairs = self.rest.split_whitespace().filter_map(|word| word.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        value.map(|value| self.number(value)).transpose()
    }

    fn number<N: std::str::FromStr>(&self, word: &str) -> Result<N, String> {
        word.parse().map_err(|_| format!("`{word}` isn't a number that fits"))
    }

    fn duration(&self) -> Result<Duration, String> {
        let word = self.required("a duration")?;
        humantime::parse_duration(word).map_err(|error| format!("`{word}` isn't a duration such as 15ms: {error}"))
    }

    fn required(&self, what: &str) -> Result<&str, String> {
        match self.rest {
            "" => Err(format!("it needs {what}")),
            rest => Ok(rest),
        }
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
        };
        assert_eq!(
            read("error ThrottlingException times=2 message=slow down = please"),
            error
        );
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
