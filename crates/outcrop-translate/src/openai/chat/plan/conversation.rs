//! From OpenAI's list of messages to Converse's: system prompts apart, user and assistant strictly in turn, the user
//! first, nothing blank.

use outcrop_bedrock::converse::{ContentBlock, Message, Role, SystemBlock, ToolResult, ToolResultBlock, ToolUse};
use outcrop_bedrock::json::{Fault, Json, JsonText};

use super::super::media;
use super::super::message::{self, ToolCall};
use super::super::part::{Part, PartKind};
use crate::media::{Intake, add_text_beside_documents};
use crate::notes::Notes;
use crate::problem::Problem;
use crate::remote::Remote;

/// What stands in for a turn that must be there but says nothing.
const NO_CONTENT: &str = "(no content)";

/// A conversation as Converse takes it.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) system: Vec<SystemBlock<'a>>,
}

/// Translates the messages.
pub(super) fn translate<'a>(
    messages: &'a [message::Message<'a>],
    model_id: &str,
    remote: &mut Remote,
    notes: &mut Notes,
) -> Result<Conversation<'a>, Problem> {
    if messages.is_empty() {
        let problem = Problem::invalid("Invalid 'messages': expected at least one message.");
        return Err(problem.with_code("invalid_value").with_param("messages"));
    }
    let mut conversation = Conversation::default();
    let mut intake = Intake::new(model_id, remote);
    for (index, message) in messages.iter().enumerate() {
        if message.is_named {
            notes.add("messages.name", "dropped", "unsupported");
        }
        conversation
            .add(message, &mut intake, notes)
            .map_err(|fault| Problem::from(fault.at_index(index).under_key("messages")))?;
    }
    conversation.mend(notes);
    add_text_beside_documents(&mut conversation.messages, notes);
    Ok(conversation)
}

impl<'a> Conversation<'a> {
    fn add(
        &mut self,
        message: &'a message::Message<'a>,
        intake: &mut Intake<'_>,
        notes: &mut Notes,
    ) -> Result<(), Fault> {
        match message.role {
            message::Role::System => self.add_system(message, notes),
            message::Role::User => {
                let blocks = user_blocks(message, intake)?;
                self.say(Role::User, blocks);
                Ok(())
            }
            message::Role::Assistant => {
                let blocks = assistant_blocks(message)?;
                // A turn of the assistant without a word is no turn: the user's around it become one.
                if blocks.is_empty() {
                    notes.add("messages.content", "dropped", "blank");
                } else {
                    self.say(Role::Assistant, blocks);
                }
                Ok(())
            }
            message::Role::Tool => {
                let result = tool_result(message, intake)?;
                self.say(Role::User, vec![ContentBlock::ToolResult(result)]);
                Ok(())
            }
        }
    }

    fn add_system(&mut self, message: &'a message::Message<'a>, notes: &mut Notes) -> Result<(), Fault> {
        if !self.messages.is_empty() {
            notes.add("messages.system", "moved", "system-prompt-comes-first");
        }
        for (index, part) in parts(message).enumerate() {
            match &part.kind {
                PartKind::Text(text) | PartKind::GuardedText(text) if text.is_blank() => {}
                PartKind::Text(text) => self.system.push(SystemBlock::Text(text.clone())),
                PartKind::GuardedText(text) => self.system.push(SystemBlock::GuardText(text.clone())),
                _ => {
                    let fault = Fault::shape("a system message takes text only");
                    return Err(fault.under_key("type").at_index(index).under_key("content"));
                }
            }
        }
        Ok(())
    }

    /// Adds blocks to the turn of `role`, which is the last one if that role spoke last.
    fn say(&mut self, role: Role, blocks: Vec<ContentBlock<'a>>) {
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Message { role, content: blocks }),
        }
    }

    /// Makes sure that there is a first turn, that it is the user's, and that no turn is empty.
    fn mend(&mut self, notes: &mut Notes) {
        if self.messages.is_empty() {
            // Nothing but system messages: the last one is what the client wants answered.
            let block = match self.system.pop() {
                Some(SystemBlock::Text(text)) => ContentBlock::Text(text),
                Some(SystemBlock::GuardText(text)) => ContentBlock::GuardText(text),
                Some(SystemBlock::CachePoint(_)) | None => ContentBlock::Text(JsonText::encode(NO_CONTENT)),
            };
            notes.add("messages.system", "user-turn", "no-user-message");
            self.say(Role::User, vec![block]);
        }
        if self.messages.first().is_some_and(|first| first.role != Role::User) {
            notes.add("messages", "user-turn-added", "first-is-assistant");
            self.messages.insert(
                0,
                Message {
                    role: Role::User,
                    content: Vec::new(),
                },
            );
        }
        for message in &mut self.messages {
            // Models want the results of their calls before anything else that the user says.
            message.content.sort_by_key(|block| match message.role {
                Role::User => !matches!(block, ContentBlock::ToolResult(_)),
                Role::Assistant => false,
            });
            if message.content.is_empty() {
                message.content.push(ContentBlock::Text(JsonText::encode(NO_CONTENT)));
                notes.add("messages.content", "filled", "blank");
            }
        }
    }
}

fn parts<'a>(message: &'a message::Message<'a>) -> impl Iterator<Item = &'a Part<'a>> {
    message.content.iter().flatten()
}

/// The blocks of a user's turn; blank texts say nothing and Bedrock refuses them.
fn user_blocks<'a>(message: &'a message::Message<'a>, intake: &mut Intake<'_>) -> Result<Vec<ContentBlock<'a>>, Fault> {
    let mut blocks = Vec::with_capacity(message.content.as_ref().map_or(0, Vec::len));
    for (index, part) in parts(message).enumerate() {
        let at_part = |fault: Fault| fault.at_index(index).under_key("content");
        match &part.kind {
            PartKind::Text(text) | PartKind::GuardedText(text) if text.is_blank() => {}
            PartKind::Text(text) => blocks.push(ContentBlock::Text(text.clone())),
            PartKind::GuardedText(text) => blocks.push(ContentBlock::GuardText(text.clone())),
            other => blocks.push(media::block(other, intake).map_err(at_part)?),
        }
    }
    Ok(blocks)
}

fn assistant_blocks<'a>(message: &'a message::Message<'a>) -> Result<Vec<ContentBlock<'a>>, Fault> {
    let mut blocks = Vec::new();
    for (index, part) in parts(message).enumerate() {
        match &part.kind {
            PartKind::Text(text) | PartKind::GuardedText(text) if text.is_blank() => {}
            PartKind::Text(text) | PartKind::GuardedText(text) => blocks.push(ContentBlock::Text(text.clone())),
            _ => {
                let fault = Fault::shape("an assistant message takes text only");
                return Err(fault.under_key("type").at_index(index).under_key("content"));
            }
        }
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        let tool_use = tool_use(call).map_err(|fault| fault.at_index(index).under_key("tool_calls"))?;
        blocks.push(ContentBlock::ToolUse(tool_use));
    }
    Ok(blocks)
}

fn tool_use<'a>(call: &'a ToolCall<'a>) -> Result<ToolUse<'a>, Fault> {
    let input = if call.arguments.trim().is_empty() {
        Json::EMPTY_OBJECT
    } else {
        Json::parse(&call.arguments)
            .ok()
            .filter(|input| input.as_str().trim_start().starts_with('{'))
            .ok_or_else(|| {
                let fault = Fault::shape("expected a JSON object in a string");
                fault.under_key("arguments").under_key("function")
            })?
    };
    Ok(ToolUse {
        id: call.id.clone(),
        name: call.name.clone(),
        input,
    })
}

fn tool_result<'a>(message: &'a message::Message<'a>, intake: &mut Intake<'_>) -> Result<ToolResult<'a>, Fault> {
    let mut content = Vec::new();
    for (index, part) in parts(message).enumerate() {
        let at_part = |fault: Fault| fault.at_index(index).under_key("content");
        match &part.kind {
            PartKind::Text(text) | PartKind::GuardedText(text) if text.is_blank() => {}
            PartKind::Text(text) | PartKind::GuardedText(text) => content.push(ToolResultBlock::Text(text.clone())),
            other => content.push(media::result_block(other, intake).map_err(at_part)?),
        }
    }
    if content.is_empty() {
        content.push(ToolResultBlock::Text(JsonText::encode(NO_CONTENT)));
    }
    let id = message
        .tool_call_id
        .clone()
        .ok_or_else(|| Fault::shape("is required").under_key("tool_call_id"))?;
    Ok(ToolResult {
        id,
        content,
        status: None,
    })
}
