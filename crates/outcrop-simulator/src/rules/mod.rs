//! Bedrock's own rules, beyond the shapes: how a conversation must run, what a model takes.

mod cache;
mod conversation;
mod effort;
pub(crate) mod image;
mod media;
mod model;
mod reasoning;
mod schema;
mod thinking;
mod tools;

use serde_json::Value;

pub(crate) use image::format as image_format;
pub(crate) use thinking::Wanted;

use crate::models::Target;
use crate::refusal::Refusal;
use crate::tokens;

/// Checks a body whose shape is right against Bedrock's rules, and against those of the model.
pub(crate) fn check(body: &Value, target: &Target, streaming: bool) -> Result<(), Refusal> {
    if !target.family.chat {
        let message =
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.";
        return Err(Refusal::validation(message));
    }
    if !target.family.history && messages(body).len() > 1 {
        return Err(Refusal::validation(
            "This model doesn't support conversation history. Try again with input that only contains one user message.",
        ));
    }
    check_asked(body, target, streaming)
}

/// Checks what is asked for in Converse's words, whether the model works with Converse or not.
pub(crate) fn check_asked(body: &Value, target: &Target, streaming: bool) -> Result<(), Refusal> {
    conversation::check(body, target)?;
    tools::check(body, target, streaming)?;
    media::check(body, target)?;
    model::check(body, target)?;
    cache::check(body, target)?;
    thinking::check(body, target)?;
    effort::check(body, target)?;
    reasoning::check(body, target)?;
    if tokens::input(body) > target.model.context {
        return Err(Refusal::validation("Input is too long for requested model."));
    }
    Ok(())
}

/// The messages of a body, as far as they are there.
pub(crate) fn messages(body: &Value) -> &[Value] {
    list(body, "messages")
}

/// The blocks of a message.
pub(crate) fn blocks(message: &Value) -> &[Value] {
    list(message, "content")
}

pub(crate) fn is_from(message: &Value, role: &str) -> bool {
    message.get("role").and_then(Value::as_str) == Some(role)
}

pub(crate) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Each block of each message, with its place as Bedrock names it.
fn placed(body: &Value) -> impl Iterator<Item = (String, &Value, &Value)> {
    messages(body).iter().enumerate().flat_map(|(turn, message)| {
        let blocks = blocks(message).iter().enumerate();
        blocks.map(move |(index, block)| (format!("messages.{turn}.content.{index}"), message, block))
    })
}

/// Member `a`'s member `b`'s … value.
fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(value, |value, name| value.get(name))
        .filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
