//! OpenAI's answers and chunks, read as far as they are written anew; all else is kept as it stands.

use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::{Member, OWN_MEMBERS};

/// A whole answer, or a chunk.
#[derive(Debug, Default)]
pub(super) struct ReplyRead<'a> {
    pub(super) choices: Vec<ChoiceRead<'a>>,
    pub(super) usage: Option<TokenUsage>,
    pub(super) usage_json: Option<Json<'a>>,
    pub(super) thinking_tokens: Option<u64>,
    /// Members that pass.
    pub(super) others: Vec<Member<'a>>,
}

/// A choice.
#[derive(Debug, Default)]
pub(super) struct ChoiceRead<'a> {
    /// The text, where there is one.
    pub(super) content: Option<JsonText<'a>>,
    /// The other members of the message, or of the delta.
    pub(super) message: Vec<Member<'a>>,
    /// The other members of the choice.
    pub(super) others: Vec<Member<'a>>,
    /// Whether it tells why it ends.
    pub(super) is_finished: bool,
}

impl<'a> ReplyRead<'a> {
    /// Reads an answer whose choices hold their text in the member `message`, or `delta`.
    pub(super) fn parse(body: &'a [u8], message: &str) -> Result<Self, Fault> {
        let (mut read, mut has_choices) = (Self::default(), false);
        Reader::document(body, |reader| {
            reader.object(|name, reader| match name {
                "choices" => {
                    has_choices = true;
                    read.choices = reader.list(|reader| ChoiceRead::read(reader, message))?;
                    Ok(())
                }
                "usage" => {
                    read.usage_json = reader.nullable(Reader::json)?;
                    Ok(())
                }
                _ if OWN_MEMBERS.contains(&name) => reader.skip(),
                // Bedrock's own, such as a guardrail's, pass as the model's do.
                _ => {
                    read.others.push((name.to_owned(), reader.json()?));
                    Ok(())
                }
            })
        })?;
        if !has_choices {
            return Err(Fault::shape("the answer lacks its choices"));
        }
        if let Some(usage) = &read.usage_json {
            let (tokens, thinking_tokens) = usage.read(read_usage)?;
            (read.usage, read.thinking_tokens) = (Some(tokens), thinking_tokens);
        }
        Ok(read)
    }
}

impl<'a> ChoiceRead<'a> {
    fn read(reader: &mut Reader<'a>, message: &str) -> Result<Self, Fault> {
        let mut choice = Self::default();
        reader.object(|name, reader| {
            match name {
                // Choices are numbered anew.
                "index" => reader.skip()?,
                _ if name == message => choice.read_message(reader)?,
                _ => {
                    if name == "finish_reason" {
                        choice.is_finished = reader.kind()? != Kind::Null;
                    }
                    choice.others.push((name.to_owned(), reader.json()?));
                }
            }
            Ok(())
        })?;
        Ok(choice)
    }

    fn read_message(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        reader.object(|name, reader| {
            if name == "content" && reader.kind()? == Kind::String {
                self.content = Some(reader.text()?);
                return Ok(());
            }
            // What the other ways call thoughts.
            let name = if name == "reasoning" { "reasoning_content" } else { name };
            self.message.push((name.to_owned(), reader.json()?));
            Ok(())
        })
    }
}

/// OpenAI's usage in Bedrock's terms, and the tokens of thoughts. OpenAI's `prompt_tokens` counts the cached ones.
fn read_usage(reader: &mut Reader<'_>) -> Result<(TokenUsage, Option<u64>), Fault> {
    let (mut usage, mut prompt_tokens, mut thinking_tokens) = (TokenUsage::default(), 0, None);
    reader.object(|name, reader| match name {
        "prompt_tokens" => reader
            .nullable(Reader::count)
            .map(|count| prompt_tokens = count.unwrap_or(0)),
        "completion_tokens" => reader
            .nullable(Reader::count)
            .map(|count| usage.output_tokens = count.unwrap_or(0)),
        "prompt_tokens_details" | "completion_tokens_details" if reader.kind()? == Kind::Object => {
            reader.object(|name, reader| {
                match name {
                    "cached_tokens" => usage.cache_read_input_tokens = reader.nullable(Reader::count)?.unwrap_or(0),
                    "reasoning_tokens" => thinking_tokens = reader.nullable(Reader::count)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })
        }
        _ => reader.skip(),
    })?;
    usage.input_tokens = u64::saturating_sub(prompt_tokens, usage.cache_read_input_tokens);
    Ok((usage, thinking_tokens))
}
