//! Calls of tools and their results: each call answered in the next turn, in order, and nothing answered that was not
//! asked.

use std::collections::HashSet;

use outcrop_bedrock::converse::{ContentBlock, Message, Role, ToolResult, ToolResultBlock, ToolResultStatus};
use outcrop_bedrock::json::JsonText;

use super::conversation::Conversation;
use super::history::result_in_words;
use crate::notes::Notes;

/// What stands in for a result that the client doesn't have.
const NO_RESULT: &str = "(no result)";
/// What stands in for media that stand behind the results.
const SEE_BELOW: &str = "(see below)";

/// Makes sure that each call has its result in the next turn. A result of a call that was not made, or was answered
/// already, is told in words.
pub(super) fn match_calls(conversation: &mut Conversation<'_>, notes: &mut Notes) {
    let has_tools = conversation
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .any(|block| matches!(block, ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_)));
    if !has_tools {
        return;
    }
    let mut messages: Vec<Message<'_>> = Vec::with_capacity(conversation.messages.len() + 1);
    for mut message in std::mem::take(&mut conversation.messages) {
        if message.role == Role::User {
            answer(messages.last(), &mut message, notes);
        }
        messages.push(message);
    }
    let mut last = Message {
        role: Role::User,
        content: Vec::new(),
    };
    if messages.last().is_some_and(|message| message.role == Role::Assistant) {
        answer(messages.last(), &mut last, notes);
    }
    if !last.content.is_empty() {
        messages.push(last);
    }
    conversation.messages = messages;
}

fn answer<'a>(asking: Option<&Message<'a>>, answering: &mut Message<'a>, notes: &mut Notes) {
    let mut open: Vec<JsonText<'a>> = Vec::new();
    for block in asking.into_iter().flat_map(|message| &message.content) {
        if let ContentBlock::ToolUse(tool_use) = block {
            open.push(tool_use.id.clone());
        }
    }
    let mut answered = HashSet::new();
    let is_surplus = |result: &ToolResult<'a>, answered: &mut HashSet<String>| {
        !open.iter().any(|id| id.token() == result.id.token()) || !answered.insert(result.id.token().to_owned())
    };
    let mut content = Vec::with_capacity(answering.content.len());
    for block in std::mem::take(&mut answering.content) {
        match block {
            ContentBlock::ToolResult(result) if is_surplus(&result, &mut answered) => {
                notes.add("messages.tool", "in-words", "result-without-call");
                content.extend(result_in_words(result));
            }
            other => content.push(other),
        }
    }
    for id in open {
        if answered.insert(id.token().to_owned()) {
            notes.add("messages.tool", "added", "call-without-result");
            content.push(ContentBlock::ToolResult(ToolResult {
                id,
                content: vec![ToolResultBlock::Text(JsonText::encode(NO_RESULT))],
                status: Some(ToolResultStatus::Error),
            }));
        }
    }
    answering.content = content;
}

/// Moves images and documents out of results, to stand behind them: some models look at them only there.
pub(super) fn move_media_out(conversation: &mut Conversation<'_>, notes: &mut Notes) {
    for message in &mut conversation.messages {
        let mut moved = Vec::new();
        for block in &mut message.content {
            let ContentBlock::ToolResult(result) = block else {
                continue;
            };
            let mut kept = Vec::with_capacity(result.content.len());
            for part in std::mem::take(&mut result.content) {
                match part {
                    ToolResultBlock::Image(image) => moved.push(ContentBlock::Image(image)),
                    ToolResultBlock::Document(document) => moved.push(ContentBlock::Document(document)),
                    ToolResultBlock::Video(video) => moved.push(ContentBlock::Video(video)),
                    other => kept.push(other),
                }
            }
            if kept.is_empty() {
                kept.push(ToolResultBlock::Text(JsonText::encode(SEE_BELOW)));
            }
            result.content = kept;
        }
        if !moved.is_empty() {
            notes.add("messages.tool.content", "user-turn", "model-takes-no-media-in-results");
            message.content.extend(moved);
        }
    }
}

/// Models want the results of their calls before anything else that the user says, and each of them. Clients send them
/// as they come.
pub(super) fn order(message: &mut Message<'_>, before: Option<&Message<'_>>) {
    let results = message
        .content
        .iter()
        .filter(|block| matches!(block, ContentBlock::ToolResult(_)))
        .count();
    if results == 0 {
        return;
    }
    let called: Vec<&str> = before
        .into_iter()
        .flat_map(|message| &message.content)
        .filter_map(|block| match block {
            ContentBlock::ToolUse(tool_use) => Some(tool_use.id.token()),
            _ => None,
        })
        .collect();
    // A cache point stays behind what it stands behind.
    let mut rank = usize::MAX;
    let mut ranked: Vec<(usize, ContentBlock<'_>)> = std::mem::take(&mut message.content)
        .into_iter()
        .map(|block| {
            match &block {
                ContentBlock::ToolResult(result) => {
                    let place = called.iter().position(|id| *id == result.id.token());
                    rank = place.unwrap_or(called.len());
                }
                ContentBlock::CachePoint(_) => {}
                _ => rank = usize::MAX,
            }
            (rank, block)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    message.content = ranked.into_iter().map(|(_, block)| block).collect();
}
