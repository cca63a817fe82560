//! `outcrop chat`: one question, and the answer as it arrives.

use std::io::{self, IsTerminal, Read, Write};

use clap::ArgMatches;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{block_on, with_gateway};
use crate::client::{Client, ClientError, error_message};
use crate::failure::Failure;
use crate::sse::{Decoder, Event};
use crate::terminal::{clean, stdout_is_terminal, wants_style};

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Asks.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let question = question(matches, &prompt(matches)?);
    block_on(with_gateway(matches, async |client: Client| {
        let mut answer = Answer::new(io::stdout().lock(), stdout_is_terminal(), wants_style());
        let result = follow(&client, &question, &mut answer).await;
        let ended = answer.end();
        let finish_reason = result?;
        ended.map_err(ClientError::Output)?;
        if finish_reason.as_deref() == Some("length") {
            let _ = writeln!(
                io::stderr(),
                "note: the answer stops here because it reached the most tokens allowed"
            );
        }
        Ok(())
    }))
}

/// From the argument, else from standard input unless someone would have to type it without having been asked.
pub(super) fn prompt(matches: &ArgMatches) -> Result<String, Failure> {
    let prompt = match matches.get_one::<String>("prompt").map(String::as_str) {
        Some(prompt) if prompt != "-" => prompt.to_owned(),
        None if io::stdin().is_terminal() => return Err(Failure::NoPrompt),
        _ => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(Failure::Input)?;
            text
        }
    };
    if prompt.trim().is_empty() {
        Err(Failure::NoPrompt)
    } else {
        Ok(prompt)
    }
}

/// The instructions, as a message.
pub(super) fn system(matches: &ArgMatches) -> Option<Value> {
    let text = matches.get_one::<String>("system")?;
    Some(json!({ "role": "system", "content": text }))
}

fn question(matches: &ArgMatches, prompt: &str) -> Value {
    let system = system(matches);
    let user = json!({ "role": "user", "content": prompt });
    let mut question = json!({
        "model": matches.get_one::<String>("model"),
        "stream": true,
        "messages": system.into_iter().chain([user]).collect::<Vec<_>>(),
    });
    if let Some(max_tokens) = matches.get_one::<u32>("max_tokens") {
        question["max_tokens"] = json!(max_tokens);
    }
    if let Some(temperature) = matches.get_one::<f64>("temperature") {
        question["temperature"] = json!(temperature);
    }
    question
}

/// Reads the stream to its end and gives the reason why the model stopped. Only `[DONE]` is an end: whatever else stops
/// a stream has cut the answer short.
async fn follow(
    client: &Client,
    question: &Value,
    answer: &mut Answer<impl Write>,
) -> Result<Option<String>, ClientError> {
    let mut stream = client.post_for_stream("/chat/completions", question).await?;
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    let mut finish_reason = None;
    while let Some(bytes) = stream.next().await? {
        decoder
            .push(&bytes, &mut events)
            .map_err(|error| ClientError::NotOpenAi(error.to_string()))?;
        for event in events.drain(..) {
            match read(&event)? {
                Step::Done => return Ok(finish_reason),
                Step::Chunk(chunk) => {
                    for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
                        answer.add(&choice.delta).map_err(ClientError::Output)?;
                        finish_reason = choice.finish_reason.or(finish_reason);
                    }
                }
            }
        }
        answer.flush().map_err(ClientError::Output)?;
    }
    Err(ClientError::Cut)
}

enum Step {
    Chunk(Chunk),
    Done,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    reasoning_content: Option<String>,
}

/// An error may have a name (`event: error`) or only a body, as OpenAI sends it.
fn read(event: &Event) -> Result<Step, ClientError> {
    if event.data == "[DONE]" {
        return Ok(Step::Done);
    }
    let body: Value = match serde_json::from_str(&event.data) {
        Ok(body) => body,
        Err(_) if event.name == "error" => return Err(ClientError::InStream(event.data.clone())),
        Err(error) => return Err(ClientError::NotOpenAi(error.to_string())),
    };
    if event.name == "error" || body.get("error").is_some_and(|error| !error.is_null()) {
        return Err(ClientError::InStream(
            error_message(&body).unwrap_or_else(|| event.data.clone()),
        ));
    }
    serde_json::from_value(body)
        .map(Step::Chunk)
        .map_err(|error| ClientError::NotOpenAi(error.to_string()))
}

/// Prints an answer. Reasoning is only for eyes: dimmed on a terminal, and not in a pipe at all, where nothing could
/// tell it from the answer.
struct Answer<W: Write> {
    out: W,
    on_terminal: bool,
    show_reasoning: bool,
    /// Reasoning was the last thing printed, so that the terminal is dimmed.
    dimmed: bool,
    /// The last character printed was not a line end.
    in_line: bool,
}

impl<W: Write> Answer<W> {
    fn new(out: W, on_terminal: bool, styled: bool) -> Self {
        Self {
            out,
            on_terminal,
            show_reasoning: on_terminal && styled,
            dimmed: false,
            in_line: false,
        }
    }

    fn add(&mut self, delta: &Delta) -> io::Result<()> {
        if let Some(text) = delta
            .reasoning_content
            .as_deref()
            .filter(|text| !text.is_empty() && self.show_reasoning)
        {
            if !self.dimmed {
                self.out.write_all(DIM.as_bytes())?;
                self.dimmed = true;
            }
            self.print(text)?;
        }
        if let Some(text) = delta.content.as_deref().filter(|text| !text.is_empty()) {
            self.end_reasoning()?;
            self.print(text)?;
        }
        Ok(())
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        self.in_line = !text.ends_with('\n');
        if self.on_terminal {
            self.out.write_all(clean(text).as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        }
    }

    fn end_reasoning(&mut self) -> io::Result<()> {
        if self.dimmed {
            self.dimmed = false;
            self.in_line = false;
            self.out.write_all(PLAIN.as_bytes())?;
            self.out.write_all(b"\n\n")?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Leaves the terminal as it was, on a line of its own.
    fn end(&mut self) -> io::Result<()> {
        self.end_reasoning()?;
        if self.in_line {
            self.in_line = false;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(on_terminal: bool, styled: bool, deltas: &[(&str, &str)]) -> String {
        let mut out = Vec::new();
        let mut answer = Answer::new(&mut out, on_terminal, styled);
        for (reasoning, content) in deltas {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            answer
                .add(&Delta {
                    content: some(content),
                    reasoning_content: some(reasoning),
                })
                .unwrap();
        }
        answer.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn reasoning_is_dimmed_on_a_terminal_and_absent_elsewhere() {
        let deltas = [("Let me", ""), (" see.", ""), ("", "Blue"), ("", ".")];
        assert_eq!(printed(true, true, &deltas), "\x1b[2mLet me see.\x1b[0m\n\nBlue.\n");
        assert_eq!(printed(true, false, &deltas), "Blue.\n");
        assert_eq!(printed(false, true, &deltas), "Blue.\n");
    }

    #[test]
    fn a_terminal_is_left_as_it_was() {
        assert_eq!(printed(true, true, &[("Hm", "")]), "\x1b[2mHm\x1b[0m\n\n");
        assert_eq!(printed(true, true, &[]), "");
        assert_eq!(printed(false, true, &[("", "a\n")]), "a\n");
    }

    #[test]
    fn a_model_cannot_drive_the_terminal() {
        assert_eq!(printed(true, true, &[("", "\x1b]0;x\x07")]), "\u{fffd}]0;x\u{fffd}\n");
        assert_eq!(printed(false, true, &[("", "\x1b[1m")]), "\x1b[1m\n");
    }
}
