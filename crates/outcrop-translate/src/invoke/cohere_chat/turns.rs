//! The conversation as Cohere has it: what was said before, the question, and what tools answered to it.

use std::borrow::Cow;

use outcrop_bedrock::converse::{ContentBlock, Message, Role, ToolResult, ToolResultBlock, ToolResultStatus, ToolUse};
use outcrop_bedrock::json::{JsonText, ObjectWriter, write_array};

use super::super::unplaced::unsupported;
use crate::notes::Notes;
use crate::problem::Problem;

/// The conversation, taken apart.
pub(super) struct Turns<'r, 'a> {
    /// What was said before the question, by whom. Calls of tools and their results are told in words: the history takes
    /// nothing else.
    history: Vec<(Role, JsonText<'static>)>,
    /// The user's last words.
    question: JsonText<'static>,
    /// Calls that followed the question, or stand right before it, with their results.
    results: Vec<(&'r ToolUse<'a>, &'r ToolResult<'a>)>,
}

impl<'r, 'a> Turns<'r, 'a> {
    pub(super) fn of(messages: &'r [Message<'a>], notes: &mut Notes) -> Result<Self, Problem> {
        messages.iter().try_for_each(check)?;
        let is_question = |message: &Message<'_>| message.role == Role::User && !texts(message).is_empty();
        let asked_at = messages.iter().rposition(is_question).unwrap_or(0);
        let (past, present) = messages.split_at(asked_at.min(messages.len()));
        let mut turns = Self {
            history: Vec::new(),
            question: present
                .first()
                .map_or_else(|| JsonText::encode(""), |message| join(&texts(message))),
            results: Vec::new(),
        };
        let are_answered_now = present.first().is_some_and(|message| results(message).next().is_some());
        for (index, message) in past.iter().enumerate() {
            turns.tell(message, are_answered_now && index + 1 == asked_at, notes);
        }
        for (index, message) in present.iter().enumerate() {
            let is_last = index + 1 == present.len();
            turns.add(message, &messages[..asked_at + index], is_last, notes)?;
        }
        note_thoughts(messages, notes);
        Ok(turns)
    }

    /// Adds a turn from before the question to the history.
    fn tell(&mut self, message: &Message<'_>, calls_are_answered_now: bool, notes: &mut Notes) {
        let mut said = texts(message);
        for block in &message.content {
            match block {
                ContentBlock::ToolUse(call) if !calls_are_answered_now => {
                    let (name, input) = (call.name.decoded(), call.input.as_str());
                    said.push(JsonText::encode(&format!(
                        "(Called the tool '{name}' with the arguments {input}.)"
                    )));
                    notes.add("messages.tool_calls", "in-words", "invoke-api");
                }
                ContentBlock::ToolResult(result) => {
                    for text in result.content.iter().filter_map(answered) {
                        said.push(text);
                    }
                }
                _ => {}
            }
        }
        if !said.is_empty() {
            self.history.push((message.role, join(&said)));
        }
    }

    /// Adds the question's turn or a later one, which `before` precede.
    fn add(
        &mut self,
        message: &'r Message<'a>,
        before: &'r [Message<'a>],
        is_last: bool,
        notes: &mut Notes,
    ) -> Result<(), Problem> {
        if message.role == Role::Assistant && !texts(message).is_empty() {
            if is_last {
                return Err(unsupported("a conversation that ends with the assistant's words"));
            }
            // What the model said before it called has no place between the question and the results.
            notes.lose("messages.content", "dropped", "model-takes-no-text-beside-tool_calls");
        }
        for result in results(message) {
            let calls = before.iter().rev().flat_map(|message| &message.content);
            let call = calls.into_iter().find_map(|block| match block {
                ContentBlock::ToolUse(call) if call.id.decoded() == result.id.decoded() => Some(call),
                _ => None,
            });
            let call = call.ok_or_else(|| unsupported("a result of a tool without its call"))?;
            self.results.push((call, result));
        }
        Ok(())
    }

    pub(super) fn write(&self, body: &mut ObjectWriter<'_>) {
        body.field("message", &self.question);
        if !self.history.is_empty() {
            write_array(body.key("chat_history"), &self.history, |(role, text), out| {
                ObjectWriter::write(out, |turn| {
                    let role = match role {
                        Role::User => "USER",
                        Role::Assistant => "CHATBOT",
                    };
                    turn.field("role", role);
                    turn.field("message", text);
                });
            });
        }
        if !self.results.is_empty() {
            write_array(body.key("tool_results"), &self.results, |(call, result), out| {
                ObjectWriter::write(out, |object| {
                    object.object("call", |object| {
                        object.field("name", &call.name);
                        object.field("parameters", &call.input);
                    });
                    write_array(object.key("outputs"), &result.content, |block, out| {
                        write_output(block, result.status, out);
                    });
                });
            });
        }
    }
}

/// Refuses what the body has no place for.
fn check(message: &Message<'_>) -> Result<(), Problem> {
    for block in &message.content {
        match block {
            ContentBlock::Image(_) => return Err(unsupported("images")),
            ContentBlock::Document(_) => return Err(unsupported("documents")),
            ContentBlock::Audio(_) => return Err(unsupported("audio")),
            ContentBlock::Video(_) => return Err(unsupported("video")),
            ContentBlock::Other { member, .. } => return Err(unsupported(&format!("'{member}'"))),
            ContentBlock::ToolResult(result) => {
                for block in &result.content {
                    match block {
                        ToolResultBlock::Text(_) | ToolResultBlock::Json(_) => {}
                        ToolResultBlock::Image(_) => return Err(unsupported("images")),
                        ToolResultBlock::Document(_) => return Err(unsupported("documents")),
                        ToolResultBlock::Video(_) => return Err(unsupported("video")),
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The model isn't shown its thoughts again on Converse either.
fn note_thoughts(messages: &[Message<'_>], notes: &mut Notes) {
    let mut blocks = messages.iter().flat_map(|message| &message.content);
    if blocks.any(|block| matches!(block, ContentBlock::Reasoning(_))) {
        notes.add("messages.thinking_blocks", "dropped", "model-takes-none");
    }
}

fn texts<'a>(message: &Message<'a>) -> Vec<JsonText<'a>> {
    let texts = message.content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) | ContentBlock::GuardText(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

fn results<'r, 'a>(message: &'r Message<'a>) -> impl Iterator<Item = &'r ToolResult<'a>> {
    message.content.iter().filter_map(|block| match block {
        ContentBlock::ToolResult(result) => Some(result),
        _ => None,
    })
}

fn join(texts: &[JsonText<'_>]) -> JsonText<'static> {
    JsonText::join(texts, "\n")
}

/// A block of a result, in words.
fn answered(block: &ToolResultBlock<'_>) -> Option<JsonText<'static>> {
    let text = match block {
        ToolResultBlock::Text(text) => text.decoded(),
        ToolResultBlock::Json(json) => Cow::Borrowed(json.as_str()),
        ToolResultBlock::Image(_) | ToolResultBlock::Document(_) | ToolResultBlock::Video(_) => return None,
    };
    Some(JsonText::encode(&format!("(The tool answered: {text})")))
}

/// An output is an object of any members; a failure is told by the member's name.
fn write_output(block: &ToolResultBlock<'_>, status: Option<ToolResultStatus>, out: &mut Vec<u8>) {
    let failed = status == Some(ToolResultStatus::Error);
    match block {
        ToolResultBlock::Json(json) if !failed && json.as_str().trim_start().starts_with('{') => {
            out.extend_from_slice(json.as_str().as_bytes());
        }
        ToolResultBlock::Json(json) => ObjectWriter::write(out, |output| {
            output.field(if failed { "error" } else { "result" }, json);
        }),
        ToolResultBlock::Text(text) => ObjectWriter::write(out, |output| {
            output.field(if failed { "error" } else { "text" }, text);
        }),
        // None of these gets past the check.
        ToolResultBlock::Image(_) | ToolResultBlock::Document(_) | ToolResultBlock::Video(_) => {
            out.extend_from_slice(b"{}");
        }
    }
}
