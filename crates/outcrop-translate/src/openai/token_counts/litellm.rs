//! LiteLLM's request for a count, as a chat request (its proxy's source, `TokenCountRequest`, read 2026-11).

use bytes::Bytes;
use outcrop_bedrock::json::{Fault, Json, Reader};

use crate::openai::chat::request_with;
use crate::openai::members::read_members;
use crate::problem::Problem;

/// The chat request that is meant: a `prompt` is a user's message.
pub(super) fn chat_request(body: &Bytes) -> Result<Bytes, Problem> {
    let mut members: Vec<(String, Json<'_>)> = Vec::new();
    let (mut prompt, mut has_messages) = (None, false);
    read_members(body, |name, reader| {
        match name {
            "prompt" => prompt = reader.nullable(Reader::text)?,
            "contents" => {
                if reader.nullable(Reader::json)?.is_some() {
                    return Err(Fault::shape("is Google's; give 'messages' or a 'prompt'"));
                }
            }
            _ => {
                if let Some(value) = reader.nullable(Reader::json)? {
                    has_messages |= name == "messages";
                    members.push((name.to_owned(), value));
                }
            }
        }
        Ok(())
    })?;
    match (prompt, has_messages) {
        (None, true) => Ok(body.clone()),
        (Some(prompt), false) => Ok(request_with(&members, &prompt)),
        (Some(_), true) => {
            let message = "Give either 'messages' or a 'prompt', not both.";
            Err(Problem::invalid(message)
                .with_code("invalid_value")
                .with_param("prompt"))
        }
        (None, false) => {
            let message = "Missing required parameter: 'messages', or a 'prompt'.";
            Err(Problem::invalid(message)
                .with_code("missing_required_parameter")
                .with_param("messages"))
        }
    }
}
