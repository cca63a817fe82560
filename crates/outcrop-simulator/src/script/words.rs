//! How an action's words are read.

use std::time::Duration;

use serde_json::Value;

use super::scan;
use super::{Action, Fault};

/// 200 MB of text, which is held at once.
const MAX_TOKENS: u64 = 50_000_000;
/// What is said of a name that no action has.
pub(super) const NO_SUCH_ACTION: &str = "there is no such action";

/// What follows an action's name.
pub(super) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn new(rest: &'a str) -> Words<'a> {
        Words { rest }
    }

    pub(super) fn action(&self, name: &str) -> Result<Action, String> {
        Ok(match name {
            "text" => Action::Text(self.rest.to_owned()),
            "tokens" => self.tokens()?,
            "tool" => self.tool()?,
            "raw-tool" => self.raw_tool()?,
            "redacted-reasoning" => Action::RedactedReasoning,
            "citation" => Action::Citation(self.required("a text")?.to_owned()),
            "image" => Action::Image,
            "refuse-field" => self.refuse_field()?,
            "sequence" => Action::Sequence {
                text: self.rest.to_owned(),
                steps: self.steps()?,
            },
            "turns" => Action::Turns(self.steps()?),
            "block-numbers" => Action::BlockNumbers(self.numbers()?),
            "interleave" => Action::Interleave,
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
            "cut-frame" => Action::Fault(Fault::CutFrame { after: self.after()? }),
            "reset" => Action::Fault(Fault::Reset),
            "silence" => Action::Fault(Fault::Silence),
            "redirect" => Action::Fault(Fault::Redirect),
            "html" => Action::Fault(Fault::Html {
                status: self.named("status")?.unwrap_or(503),
            }),
            "huge-error" => Action::Fault(Fault::HugeError {
                bytes: self.named("bytes")?.unwrap_or(64 << 20),
            }),
            _ => return Err(NO_SUCH_ACTION.to_owned()),
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

    fn raw_tool(&self) -> Result<Action, String> {
        let (name, arguments) = self.rest.split_once(char::is_whitespace).unwrap_or((self.rest, ""));
        match name {
            "" => Err("it needs a tool's name".to_owned()),
            name => Ok(Action::RawTool {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
            }),
        }
    }

    fn refuse_field(&self) -> Result<Action, String> {
        let (options, message) = self.with_message();
        let path = options.plain_word().ok_or("it needs a field's path")?;
        let exception = options.text("exception").unwrap_or("ValidationException");
        let message = message.map_or_else(|| extra_input(path), str::to_owned);
        Ok(Action::RefuseField {
            path: path.to_owned(),
            exception: exception.to_owned(),
            message,
        })
    }

    /// `first | second ; with more`: what isn't an action is a text to answer with.
    fn steps(&self) -> Result<Vec<Vec<Action>>, String> {
        let steps = scan::split(self.required("steps, with ` | ` between them")?, " | ");
        let step = |step: &&str| scan::split(step, " ; ").into_iter().map(step_action).collect();
        steps.iter().map(step).collect()
    }

    fn numbers(&self) -> Result<Vec<usize>, String> {
        let words = self.required("numbers")?.split_whitespace();
        let numbers: Vec<usize> = words.map(|word| self.number(word)).collect::<Result<_, _>>()?;
        match numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.last().is_some_and(|last| *last < 1 << 30) {
            true => Ok(numbers),
            false => Err("the numbers don't ascend, or get too large".to_owned()),
        }
    }

    /// A message may hold anything, so it comes last.
    fn with_message(&self) -> (Words<'a>, Option<&'a str>) {
        match self.rest.split_once("message=") {
            Some((options, message)) => (Words { rest: options }, Some(message)),
            None => (Words { rest: self.rest }, None),
        }
    }

    fn error(&self) -> Result<Action, String> {
        let (options, message) = self.with_message();
        let message = message.map(str::to_owned);
        Ok(Action::Error {
            exception: options.exception()?,
            message,
            times: options.named("times")?,
            retry_after: options.named("retry-after")?,
        })
    }

    fn exception(&self) -> Result<String, String> {
        self.plain_word()
            .map(str::to_owned)
            .ok_or_else(|| "it needs an exception's name".to_owned())
    }

    /// The first word that isn't an option.
    fn plain_word(&self) -> Option<&'a str> {
        self.rest.split_whitespace().find(|word| !word.contains('='))
    }

    fn after(&self) -> Result<usize, String> {
        Ok(self.named("after")?.unwrap_or(2))
    }

    /// The value of `name=…`.
    fn named<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        self.text(name).map(|value| self.number(value)).transpose()
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.rest.split_whitespace().filter_map(|word| word.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
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

fn step_action(text: &str) -> Result<Action, String> {
    match Action::parse(text) {
        Err(error) if error.is_unknown() => Ok(Action::Text(text.trim().to_owned())),
        other => other.map_err(|error| error.to_string()),
    }
}

/// How Claude's own server refuses a field that it doesn't know.
fn extra_input(path: &str) -> String {
    format!("The model returned the following errors: {path}: Extra inputs are not permitted")
}
