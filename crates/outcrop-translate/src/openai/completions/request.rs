//! The request as OpenAI's clients write it (OpenAI's API description, `CreateCompletionRequest`, read 2026-11).

use std::borrow::Cow;

use bytes::Bytes;
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use crate::openai::chat::request_with;
use crate::openai::members::read_members;
use crate::problem::Problem;
use crate::tokens;

/// A request: the prompts, and what chat completions take as it stands.
#[derive(Debug, Default)]
pub(super) struct CompletionRequest<'a> {
    /// At least one.
    pub(super) prompts: Vec<String>,
    /// Whether answers begin with their prompts.
    pub(super) echo: bool,
    /// Parameters that chat completions have, too.
    others: Vec<(String, Json<'a>)>,
}

/// Parameters of chat completions whose answers would have no place here.
const OF_CHAT: [&str; 9] = [
    "audio",
    "function_call",
    "functions",
    "messages",
    "modalities",
    "parallel_tool_calls",
    "response_format",
    "tool_choice",
    "tools",
];

impl<'a> CompletionRequest<'a> {
    /// Reads the body of a request. The model is the path's, where that names one.
    ///
    /// # Errors
    /// When it is none, or asks for what can't be had.
    pub(super) fn parse(body: &'a [u8], path_model: Option<&str>) -> Result<Self, Problem> {
        let mut request = Self::default();
        let (mut prompt, mut best_of, mut refused) = (None, None, None);
        read_members(body, |name, reader| {
            if reader.kind()? == Kind::Null {
                return reader.skip();
            }
            match name {
                "prompt" => prompt = Some(reader.json()?),
                "echo" => request.echo = reader.bool()?,
                "best_of" => best_of = Some(reader.count()?),
                // OpenAI's own default is null; with any number, 0 too, tokens are told.
                "logprobs" => {
                    reader.skip()?;
                    refused.get_or_insert((name.to_owned(), "Bedrock's models don't tell log probabilities"));
                }
                "suffix" => {
                    if !reader.string()?.is_empty() {
                        let reason = "no model on Bedrock fills in the middle of a text";
                        refused.get_or_insert((name.to_owned(), reason));
                    }
                }
                _ if OF_CHAT.contains(&name) => {
                    reader.skip()?;
                    refused.get_or_insert((name.to_owned(), "it is a parameter of /v1/chat/completions"));
                }
                _ => request.others.push((name.to_owned(), reader.json()?)),
            }
            Ok(())
        })?;
        if let Some((name, reason)) = refused {
            return Err(unsupported(&name, reason));
        }
        request.check_best_of(best_of)?;
        let model = request.others.iter().find(|(name, _)| name == "model");
        let model = model.and_then(|(_, model)| model.read(|reader| reader.string().map(Cow::into_owned)).ok());
        let prompt = prompt.ok_or_else(missing_prompt)?;
        request.prompts = read_prompts(&prompt, path_model.or(model.as_deref()).unwrap_or_default())?;
        Ok(request)
    }

    /// The best of as many as are answered with is no choice.
    fn check_best_of(&self, best_of: Option<u64>) -> Result<(), Problem> {
        let n = self.others.iter().find(|(name, _)| name == "n");
        let n = n.and_then(|(_, n)| n.as_str().parse().ok()).unwrap_or(1);
        match best_of {
            Some(best_of) if best_of != n => Err(unsupported(
                "best_of",
                "without log probabilities, which Bedrock's models don't tell, none is the best; ask for 'n' of them",
            )),
            _ => Ok(()),
        }
    }

    /// The request for chat completions with `prompt` as the user's only message.
    pub(super) fn chat_body(&self, prompt: &str) -> Bytes {
        request_with(&self.others, &JsonText::encode(prompt))
    }
}

/// Reads a text, texts, the tokens of a text or those of texts, in the encoding of `model`.
fn read_prompts(prompt: &Json<'_>, model: &str) -> Result<Vec<String>, Problem> {
    let read = prompt.read(|reader| match reader.kind()? {
        Kind::String => Ok(vec![reader.string()?.into_owned()]),
        Kind::Array => {
            let (mut prompts, mut tokens, mut first) = (Vec::new(), Vec::new(), None);
            reader.array(|reader| {
                // All are of the kind of the first.
                match *first.get_or_insert(reader.kind()?) {
                    Kind::Number => tokens.push(read_token(reader)?),
                    Kind::Array => prompts.push(decoded(&reader.list(read_token)?, model)?),
                    _ => prompts.push(reader.string()?.into_owned()),
                }
                Ok(())
            })?;
            if !tokens.is_empty() {
                prompts.push(decoded(&tokens, model)?);
            }
            Ok(prompts)
        }
        other => Err(Fault::shape(format!(
            "expected a string or an array, but got {}",
            other.described()
        ))),
    });
    let prompts = read.map_err(|fault| fault.under_key("prompt"))?;
    if prompts.is_empty() {
        let problem = Problem::invalid("Invalid 'prompt': the array is empty.");
        return Err(problem.with_code("invalid_value").with_param("prompt"));
    }
    Ok(prompts)
}

fn read_token(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    u32::try_from(reader.count()?).map_err(|_| Fault::shape("the number is too large for a token"))
}

fn decoded(ids: &[u32], model: &str) -> Result<String, Fault> {
    if ids.is_empty() {
        return Err(Fault::shape("expected at least one token"));
    }
    tokens::decode(model, ids)
        .map_err(|index| Fault::shape(format!("{} is no token of the encoding", ids[index])).at_index(index))
}

/// There is no prompt.
pub(super) fn missing_prompt() -> Problem {
    Problem::invalid("Missing required parameter: 'prompt'.")
        .with_code("missing_required_parameter")
        .with_param("prompt")
}

fn unsupported(name: &str, reason: &str) -> Problem {
    Problem::invalid(format!("Unsupported parameter: '{name}': {reason}."))
        .with_code("unsupported_parameter")
        .with_param(name)
}
