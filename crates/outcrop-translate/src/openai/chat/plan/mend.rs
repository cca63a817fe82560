//! What Converse demands of a conversation, made so without changing what is said: the user first, no empty turn,
//! results of tools before anything else and in the order of their calls.

use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, Message, Role, SystemBlock};
use outcrop_bedrock::json::JsonText;

use super::conversation::Conversation;
use super::results;
use crate::catalogue::Traits;
use crate::notes::Notes;

/// What stands in for a turn that must be there but says nothing.
pub(super) const NO_CONTENT: &str = "(no content)";

/// Mends a conversation for a model.
pub(super) fn mend(conversation: &mut Conversation<'_>, traits: &Traits, notes: &mut Notes) {
    begin_with_the_user(conversation, notes);
    results::match_calls(conversation, notes);
    if !traits.media_in_results {
        results::move_media_out(conversation, notes);
    }
    for index in 0..conversation.messages.len() {
        let (earlier, rest) = conversation.messages.split_at_mut(index);
        let Some(message) = rest.first_mut() else { break };
        if message.role == Role::User {
            results::order(message, earlier.last());
        }
        if message.content.is_empty() {
            message.content.push(filler());
            notes.add("messages.content", "filled", "blank");
        }
    }
    if !traits.mixed_turns {
        unmix(conversation, notes);
    }
}

fn filler<'a>() -> ContentBlock<'a> {
    ContentBlock::Text(JsonText::encode(NO_CONTENT))
}

fn begin_with_the_user(conversation: &mut Conversation<'_>, notes: &mut Notes) {
    if conversation.messages.is_empty() {
        // Nothing but system messages: the last one is what the client wants answered.
        while matches!(conversation.system.last(), Some(SystemBlock::CachePoint(_))) {
            conversation.system.pop();
        }
        let block = conversation.system.pop().map_or_else(filler, to_content);
        notes.add("messages.system", "user-turn", "no-user-message");
        conversation.say(Role::User, vec![block]);
    }
    if conversation
        .messages
        .first()
        .is_some_and(|first| first.role != Role::User)
    {
        notes.add("messages", "user-turn-added", "first-is-assistant");
        let turn = Message {
            role: Role::User,
            content: Vec::new(),
        };
        conversation.messages.insert(0, turn);
    }
}

fn to_content(block: SystemBlock<'_>) -> ContentBlock<'_> {
    match block {
        SystemBlock::Text(text) => ContentBlock::Text(text),
        SystemBlock::GuardText(text) => ContentBlock::GuardText(text),
        SystemBlock::CachePoint(ttl) => ContentBlock::CachePoint(ttl),
    }
}

/// Puts the system prompt where the model takes it: before what the user says first, if it takes none.
pub(super) fn place_system(converse: &mut ConverseRequest<'_>, traits: &Traits, notes: &mut Notes) {
    if traits.system || converse.system.is_empty() {
        return;
    }
    notes.add("messages.system", "user-turn", "unsupported-by-model");
    let system = std::mem::take(&mut converse.system);
    if let Some(first) = converse.messages.first_mut() {
        first.content.splice(0..0, system.into_iter().map(to_content));
    }
}

/// Some models take results of tools, and calls of tools, only in turns of their own.
fn unmix(conversation: &mut Conversation<'_>, notes: &mut Notes) {
    let mut messages = Vec::with_capacity(conversation.messages.len());
    for mut message in std::mem::take(&mut conversation.messages) {
        let is_tool = |block: &ContentBlock<'_>| {
            matches!(
                block,
                ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_)
            )
        };
        let has_tools = message
            .content
            .iter()
            .any(|block| matches!(block, ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_)));
        let is_mixed = has_tools && !message.content.iter().all(is_tool);
        if !is_mixed {
            messages.push(message);
            continue;
        }
        if message.role == Role::Assistant {
            notes.lose("messages.content", "dropped", "model-takes-no-text-beside-tool_calls");
            message.content.retain(is_tool);
            messages.push(message);
            continue;
        }
        notes.add("messages", "assistant-turn-added", "model-takes-tool-results-alone");
        let (results, others): (Vec<_>, Vec<_>) = message.content.into_iter().partition(is_tool);
        for (role, content) in [
            (Role::User, results),
            (Role::Assistant, vec![filler()]),
            (Role::User, others),
        ] {
            messages.push(Message { role, content });
        }
    }
    conversation.messages = messages;
}
