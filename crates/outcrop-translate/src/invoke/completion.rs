//! Answers that are one text, whole or in chunks: the two differ in nothing but how much of it they hold.

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Extras, Reasoning, StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};
use serde::Deserialize;

use super::thoughts::{Piece, Splitter};
use super::{ChunkReader, Sayings};

/// What a whole answer says, or a chunk of one.
#[derive(Debug, Default)]
pub(super) struct Completion {
    /// The text; a chunk may have none.
    pub(super) text: Option<String>,
    /// Why it stopped.
    pub(super) stop_reason: Option<StopReason>,
    /// What it cost, as far as the body tells.
    pub(super) usage: TokenUsage,
}

/// Reads an answer or a chunk.
pub(super) type ReadCompletion = fn(&[u8]) -> Result<Completion, Fault>;

/// What answers begin with that isn't part of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AnswerBegins {
    #[default]
    Text,
    Space,
    Thoughts,
    MaybeThoughts,
}

impl AnswerBegins {
    fn filter(self) -> Filter {
        match self {
            Self::Text => Filter::None,
            Self::Space => Filter::Space,
            Self::Thoughts => Filter::Thoughts(Splitter::deepseek()),
            Self::MaybeThoughts => Filter::Thoughts(Splitter::think()),
        }
    }
}

/// Reads a whole answer.
///
/// # Errors
/// When it has no text, or what `read` says.
pub(super) fn reply(
    body: &[u8],
    read: ReadCompletion,
    begins: AnswerBegins,
) -> Result<ConverseResponse<'static>, Fault> {
    let completion = read(body)?;
    let text = completion
        .text
        .ok_or_else(|| Fault::shape("the reply lacks its text"))?;
    let mut filter = begins.filter();
    let mut pieces = filter.push(text);
    pieces.extend(filter.finish());
    let (mut thoughts, mut answer) = (String::new(), String::new());
    for piece in pieces {
        match piece {
            Piece::Thought(text) => thoughts.push_str(&text),
            Piece::Text(text) => answer.push_str(&text),
        }
    }
    let mut content = Vec::new();
    if !thoughts.is_empty() {
        let text = JsonText::encode(&thoughts);
        content.push(ContentBlock::Reasoning(Reasoning::Text { text, signature: None }));
    }
    if !answer.is_empty() {
        content.push(ContentBlock::Text(JsonText::encode(&answer)));
    }
    Ok(ConverseResponse {
        content,
        stop_reason: completion.stop_reason.unwrap_or(StopReason::EndTurn),
        usage: completion.usage,
        extras: Extras::default(),
    })
}

/// A reader of the chunks of one answer.
pub(super) fn chunks(read: ReadCompletion, begins: AnswerBegins) -> Box<dyn ChunkReader> {
    let filter = begins.filter();
    Box::new(Chunks { read, filter })
}

#[derive(Debug)]
struct Chunks {
    read: ReadCompletion,
    filter: Filter,
}

impl ChunkReader for Chunks {
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
        let completion = (self.read)(chunk)?;
        for piece in self.filter.push(completion.text.unwrap_or_default()) {
            say(piece, said);
        }
        said.usage(completion.usage);
        if let Some(reason) = completion.stop_reason {
            said.stop(reason);
        }
        Ok(())
    }

    fn finish(&mut self, said: &mut Sayings<'_>) {
        if let Some(piece) = self.filter.finish() {
            say(piece, said);
        }
    }
}

fn say(piece: Piece, said: &mut Sayings<'_>) {
    match piece {
        Piece::Thought(text) => said.thought(JsonText::encode(&text)),
        Piece::Text(text) => said.text(JsonText::encode(&text)),
    }
}

/// Takes from an answer what isn't part of it.
#[derive(Debug)]
enum Filter {
    None,
    /// Nothing but white space has come.
    Space,
    Thoughts(Splitter),
}

impl Filter {
    fn push(&mut self, text: String) -> Vec<Piece> {
        let text = match self {
            Self::Thoughts(splitter) => return splitter.push(&text),
            Self::None => text,
            Self::Space => {
                let text = text.trim_start();
                if !text.is_empty() {
                    *self = Self::None;
                }
                text.to_owned()
            }
        };
        if text.is_empty() {
            return Vec::new();
        }
        vec![Piece::Text(text)]
    }

    fn finish(&mut self) -> Option<Piece> {
        match self {
            Self::Thoughts(splitter) => splitter.finish(),
            Self::None | Self::Space => None,
        }
    }
}

/// Reads an answer of Llama (`generation`), Mistral (`outputs`) or DeepSeek R1 (`choices`), or one in OpenAI's form of
/// completions: an imported model answers in one of these by its architecture, the day of its import and the name of
/// the limit in the request (Amazon Bedrock User Guide, "Invoke your imported model", read 2026-11).
///
/// # Errors
/// When it is none of them.
pub(super) fn read_completion(body: &[u8]) -> Result<Completion, Fault> {
    let mut completion = Completion::default();
    Reader::document(body, |reader| {
        reader.object(|member, reader| match member {
            "generation" => reader
                .nullable(Reader::string)
                .map(|text| completion.text = text.map(Into::into)),
            "outputs" | "choices" => read_first(reader, |reader| {
                read_members(reader, |member, reader| match member {
                    "text" => reader
                        .nullable(Reader::string)
                        .map(|text| completion.text = text.map(Into::into)),
                    "stop_reason" | "finish_reason" => read_word(reader, stop_or_length, &mut completion.stop_reason),
                    _ => reader.skip(),
                })
            }),
            "prompt_token_count" => read_tokens(reader, &mut completion.usage.input_tokens),
            "generation_token_count" => read_tokens(reader, &mut completion.usage.output_tokens),
            "usage" => read_members(reader, |member, reader| match member {
                "prompt_tokens" => read_tokens(reader, &mut completion.usage.input_tokens),
                "completion_tokens" => read_tokens(reader, &mut completion.usage.output_tokens),
                _ => reader.skip(),
            }),
            "stop_reason" => read_word(reader, stop_or_length, &mut completion.stop_reason),
            _ => reader.skip(),
        })
    })?;
    Ok(completion)
}

/// `stop` and `length`, of which `stop` doesn't tell whether at a stop sequence.
fn stop_or_length(word: &str) -> StopReason {
    match word {
        "stop" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        other => StopReason::from_name(other),
    }
}

/// Reads a reason to stop; `null` and the empty word are none.
pub(super) fn read_word(
    reader: &mut Reader<'_>,
    reason_of: impl FnOnce(&str) -> StopReason,
    stop_reason: &mut Option<StopReason>,
) -> Result<(), Fault> {
    if let Some(word) = reader.nullable(Reader::string)?
        && !word.is_empty()
    {
        *stop_reason = Some(reason_of(&word));
    }
    Ok(())
}

/// Reads a number of tokens; `null` is none.
pub(super) fn read_tokens(reader: &mut Reader<'_>, tokens: &mut u64) -> Result<(), Fault> {
    *tokens = reader.nullable(Reader::count)?.unwrap_or(*tokens);
    Ok(())
}

/// Reads the first item of an array with `read`: one answer is asked for.
pub(super) fn read_first<'a>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut read = Some(read);
    reader.array(|reader| match read.take() {
        Some(read) => read(reader),
        None => reader.skip(),
    })
}

/// Reads the members of an object with `read`; `null` has none.
pub(super) fn read_members<'a>(
    reader: &mut Reader<'a>,
    read: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match reader.kind()? {
        Kind::Null => reader.skip(),
        _ => reader.object(read),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Imported;
    use super::super::testing::{answer, json_text, streamed, whole};
    use super::*;

    proptest! {
        #[test]
        fn a_stream_says_what_the_whole_answer_says_however_it_is_cut(
            pieces in prop::collection::vec("[ \na<é]{0,3}|<think>|</think>|</th|ink>", 0..9),
        ) {
            let chunk = |text: &str, reason: &str| {
                format!(r#"{{"generation":{},"stop_reason":{reason}}}"#, json_text(text))
            };
            let all = chunk(&pieces.concat(), r#""stop""#);
            let mut chunks: Vec<_> = pieces.iter().map(|piece| chunk(piece, "null")).collect();
            chunks.push(chunk("", r#""stop""#));
            for format in ["llama2", "llama3", "chatml", "deepseek-r1"] {
                let family = Imported::named(format).unwrap();
                prop_assert_eq!(streamed(family, &chunks), whole(family, &all), "{}", format);
            }
        }

        #[test]
        fn bytes_that_are_no_answer_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = reply(&bytes, read_completion, AnswerBegins::MaybeThoughts);
        }
    }

    #[test]
    fn an_answer_of_nothing_is_whole() {
        let family = Imported::named("llama2").unwrap();
        let body = r#"{"generation":" ","stop_reason":"length"}"#;
        assert_eq!(whole(family, body), answer("", "", StopReason::MaxTokens, 0, 0));
        assert_eq!(streamed(family, &[body]), whole(family, body));
    }

    fn text(body: &str) -> (Option<String>, Option<StopReason>, u64) {
        let read = read_completion(body.as_bytes()).unwrap();
        (read.text, read.stop_reason, read.usage.output_tokens)
    }

    #[test]
    fn an_answer_is_read_in_each_form_that_an_imported_model_may_give_it() {
        for (body, tokens) in [
            (
                r#"{"generation":"Hi","generation_token_count":2,"stop_reason":"length"}"#,
                2,
            ),
            (r#"{"outputs":[{"text":"Hi","stop_reason":"length"}]}"#, 0),
            (r#"{"choices":[{"text":"Hi","stop_reason":"length"},{"text":"Ho"}]}"#, 0),
            (
                r#"{"choices":[{"text":"Hi","finish_reason":"length"}],"usage":{"completion_tokens":2}}"#,
                2,
            ),
        ] {
            assert_eq!(
                text(body),
                (Some("Hi".to_owned()), Some(StopReason::MaxTokens), tokens),
                "{body}"
            );
        }
        assert_eq!(
            text(r#"{"generation":null,"usage":null,"stop_reason":""}"#),
            (None, None, 0)
        );
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        for body in [
            "",
            "[]",
            r#"{"generation":1}"#,
            r#"{"choices":{}}"#,
            r#"{"outputs":[1]}"#,
            "{}",
        ] {
            assert!(
                reply(body.as_bytes(), read_completion, AnswerBegins::Text).is_err(),
                "{body}"
            );
        }
    }
}
