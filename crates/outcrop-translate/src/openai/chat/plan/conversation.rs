//! From OpenAI's list of messages to Converse's: system prompts apart, user and assistant in turn.

use outcrop_bedrock::converse::{
    CacheTtl, ContentBlock, Message, Role, SystemBlock, ToolResult, ToolResultBlock, ToolResultStatus,
};
use outcrop_bedrock::json::{Fault, JsonText};

use super::super::media;
use super::super::message;
use super::super::part::{Part, PartKind};
use super::{history, mend};
use crate::catalogue::{MediaSupport, Traits};
use crate::media::{Intake, add_text_beside_documents};
use crate::names::Names;
use crate::notes::Notes;
use crate::problem::Problem;
use crate::remote::Remote;

/// A conversation as Converse takes it.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) system: Vec<SystemBlock<'a>>,
}

/// How a conversation is told to the model.
pub(super) struct Telling<'t, 'a> {
    pub(super) support: MediaSupport,
    pub(super) traits: &'t Traits,
    pub(super) names: &'t mut Names<'a>,
    pub(super) notes: &'t mut Notes,
    /// Whether calls of tools and their results are told in words, because the model must not call any.
    pub(super) tools_in_words: bool,
}

/// Translates the messages.
pub(super) fn translate<'a>(
    messages: &'a [message::Message<'a>],
    remote: &mut Remote,
    telling: &mut Telling<'_, 'a>,
) -> Result<Conversation<'a>, Problem> {
    if messages.is_empty() {
        let problem = Problem::invalid("Invalid 'messages': expected at least one message.");
        return Err(problem.with_code("invalid_value").with_param("messages"));
    }
    let mut conversation = Conversation::default();
    let mut intake = Intake::new(telling.support, remote);
    for (index, message) in messages.iter().enumerate() {
        if message.is_named {
            telling.notes.lose("messages.name", "dropped", "unsupported");
        }
        conversation
            .add(message, &mut intake, telling)
            .map_err(|fault| Problem::from(fault.at_index(index).under_key("messages")))?;
    }
    mend::mend(&mut conversation, telling.traits, telling.notes);
    add_text_beside_documents(&mut conversation.messages, telling.notes);
    Ok(conversation)
}

impl<'a> Conversation<'a> {
    fn add(
        &mut self,
        message: &'a message::Message<'a>,
        intake: &mut Intake<'_>,
        telling: &mut Telling<'_, 'a>,
    ) -> Result<(), Fault> {
        let (role, mut blocks) = match message.role {
            message::Role::System => return self.add_system(message, telling.notes),
            message::Role::User => (Role::User, user_blocks(message, intake)?),
            message::Role::Assistant => (Role::Assistant, history::assistant_blocks(message, telling)?),
            message::Role::Tool => {
                let result = tool_result(message, intake, telling.names)?;
                let blocks = if telling.tools_in_words {
                    history::result_in_words(result)
                } else {
                    vec![ContentBlock::ToolResult(result)]
                };
                (Role::User, blocks)
            }
        };
        // A result is one block, so a point within it stands behind it.
        let of_result = || parts(message).filter_map(|part| part.cache_point).last();
        let is_result = message.role == message::Role::Tool;
        let cache_point = message.cache_point.or_else(|| is_result.then(of_result).flatten());
        push_cache_point(cache_point, &mut blocks);
        // A turn of the assistant without a word is no turn: the user's around it become one.
        if blocks.is_empty() && role == Role::Assistant {
            telling.notes.add("messages.content", "dropped", "blank");
        } else {
            self.say(role, blocks);
        }
        Ok(())
    }

    fn add_system(&mut self, message: &'a message::Message<'a>, notes: &mut Notes) -> Result<(), Fault> {
        if !self.messages.is_empty() {
            notes.add("messages.system", "moved", "system-prompt-comes-first");
        }
        let before = self.system.len();
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
            self.add_system_cache_point(part.cache_point, before);
        }
        self.add_system_cache_point(message.cache_point, before);
        Ok(())
    }

    /// Adds a cache point behind what a message has said, if it has said anything.
    fn add_system_cache_point(&mut self, cache_point: Option<CacheTtl>, before: usize) {
        if let (Some(ttl), Some(last)) = (cache_point, self.system.get(before..).and_then(<[_]>::last))
            && !matches!(last, SystemBlock::CachePoint(_))
        {
            self.system.push(SystemBlock::CachePoint(ttl));
        }
    }

    /// Adds blocks to the turn of `role`, which is the last one if that role spoke last.
    pub(super) fn say(&mut self, role: Role, blocks: Vec<ContentBlock<'a>>) {
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Message { role, content: blocks }),
        }
    }
}

pub(super) fn parts<'a>(message: &'a message::Message<'a>) -> impl Iterator<Item = &'a Part<'a>> {
    message.content.iter().flatten()
}

/// Adds the cache point that a part or message asks for; where nothing new was said since the last one, it marks
/// nothing.
pub(super) fn push_cache_point(cache_point: Option<CacheTtl>, blocks: &mut Vec<ContentBlock<'_>>) {
    if let (Some(ttl), Some(last)) = (cache_point, blocks.last())
        && !matches!(last, ContentBlock::CachePoint(_))
    {
        blocks.push(ContentBlock::CachePoint(ttl));
    }
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
        push_cache_point(part.cache_point, &mut blocks);
    }
    Ok(blocks)
}

fn tool_result<'a>(
    message: &'a message::Message<'a>,
    intake: &mut Intake<'_>,
    names: &mut Names<'a>,
) -> Result<ToolResult<'a>, Fault> {
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
        content.push(ToolResultBlock::Text(JsonText::encode(mend::NO_CONTENT)));
    }
    let id = message
        .tool_call_id
        .as_ref()
        .ok_or_else(|| Fault::shape("is required").under_key("tool_call_id"))?;
    Ok(ToolResult {
        id: names.id(id),
        content,
        status: message.is_error.then_some(ToolResultStatus::Error),
    })
}
