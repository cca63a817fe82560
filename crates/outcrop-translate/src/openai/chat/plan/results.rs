//! Calls of tools and their results: each call answered in the next turn, in order, and nothing answered that was not
//! asked.

use std::collections::{HashMap, HashSet, VecDeque};

use outcrop_bedrock::converse::{ContentBlock, Message, Role, ToolResult, ToolResultBlock, ToolResultStatus};
use outcrop_bedrock::json::JsonText;

use super::conversation::Conversation;
use super::history::result_in_words;
use crate::notes::Notes;

/// Longest id of a call (botocore 1.44.5, `ToolUseId`).
const MAX_ID_LEN: usize = 64;
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
            answer(messages.last_mut(), &mut message, notes);
        }
        messages.push(message);
    }
    let mut last = Message {
        role: Role::User,
        content: Vec::new(),
    };
    if messages.last().is_some_and(|message| message.role == Role::Assistant) {
        answer(messages.last_mut(), &mut last, notes);
    }
    if !last.content.is_empty() {
        messages.push(last);
    }
    conversation.messages = messages;
}

fn answer<'a>(asking: Option<&mut Message<'a>>, answering: &mut Message<'a>, notes: &mut Notes) {
    let mut calls = asking.map_or_else(Calls::default, |message| Calls::told_apart(message, notes));
    let mut content = Vec::with_capacity(answering.content.len());
    for block in std::mem::take(&mut answering.content) {
        match block {
            ContentBlock::ToolResult(mut result) => match calls.take(&result.id) {
                Some(id) => {
                    result.id = id;
                    content.push(ContentBlock::ToolResult(result));
                }
                None => {
                    notes.add("messages.tool", "in-words", "result-without-call");
                    content.extend(result_in_words(result));
                }
            },
            other => content.push(other),
        }
    }
    for id in calls.open.into_iter().flatten() {
        notes.add("messages.tool", "added", "call-without-result");
        content.push(ContentBlock::ToolResult(ToolResult {
            id,
            content: vec![ToolResultBlock::Text(JsonText::encode(NO_RESULT))],
            status: Some(ToolResultStatus::Error),
        }));
    }
    answering.content = content;
}

/// The calls of one turn.
#[derive(Default)]
struct Calls<'a> {
    /// Their ids, in order; `None` once a call is answered.
    open: Vec<Option<JsonText<'a>>>,
    /// Where they are, by the client's id.
    places: HashMap<String, VecDeque<usize>>,
}

impl<'a> Calls<'a> {
    /// The calls of a turn. Bedrock refuses an id that stands twice in one, which some servers have each of their
    /// calls do: all but the first get ids of their own, the same whenever the turn is sent.
    fn told_apart(message: &mut Message<'a>, notes: &mut Notes) -> Self {
        let mut uses: Vec<_> = message
            .content
            .iter_mut()
            .filter_map(|block| match block {
                ContentBlock::ToolUse(tool_use) => Some(tool_use),
                _ => None,
            })
            .collect();
        let taken: HashSet<String> = uses.iter().map(|tool_use| tool_use.id.decoded().into_owned()).collect();
        let mut calls = Self::default();
        let mut number = 1;
        for (place, tool_use) in uses.iter_mut().enumerate() {
            let id = tool_use.id.decoded().into_owned();
            let places = calls.places.entry(id).or_default();
            if !places.is_empty() {
                tool_use.id = another(&tool_use.id, &taken, &mut number);
                notes.add("messages.tool_calls.id", "rewritten", "repeated");
            }
            places.push_back(place);
            calls.open.push(Some(tool_use.id.clone()));
        }
        calls
    }

    /// The call that a result with the client's `id` answers: of several, the first that has no result yet.
    fn take(&mut self, id: &JsonText<'a>) -> Option<JsonText<'a>> {
        let place = self.places.get_mut(id.decoded().as_ref())?.pop_front()?;
        self.open.get_mut(place)?.take()
    }
}

/// An id like `id` that isn't taken. `number` is of the turn, not of the id, so that no two are ever the same.
fn another<'a>(id: &JsonText<'a>, taken: &HashSet<String>, number: &mut usize) -> JsonText<'a> {
    let id = id.decoded();
    loop {
        *number += 1;
        let suffix = format!("_{number}");
        let stem = id.get(..MAX_ID_LEN.saturating_sub(suffix.len())).unwrap_or(&id);
        let other = format!("{stem}{suffix}");
        if !taken.contains(&other) {
            return JsonText::encode(&other);
        }
    }
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
    let called: HashMap<&str, usize> = before
        .into_iter()
        .flat_map(|message| &message.content)
        .filter_map(|block| match block {
            ContentBlock::ToolUse(tool_use) => Some(tool_use.id.token()),
            _ => None,
        })
        .enumerate()
        .map(|(place, id)| (id, place))
        .collect();
    // A cache point stays behind what it stands behind.
    let mut rank = usize::MAX;
    let mut ranked: Vec<(usize, ContentBlock<'_>)> = std::mem::take(&mut message.content)
        .into_iter()
        .map(|block| {
            match &block {
                ContentBlock::ToolResult(result) => {
                    let place = called.get(result.id.token());
                    rank = place.copied().unwrap_or(called.len());
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

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::ToolUse;
    use outcrop_bedrock::json::Json;

    use super::*;

    fn id_of<'m>(block: &'m ContentBlock<'_>) -> &'m str {
        match block {
            ContentBlock::ToolUse(tool_use) => tool_use.id.inner(),
            ContentBlock::ToolResult(result) => result.id.inner(),
            _ => "",
        }
    }

    fn called(id: &str) -> ContentBlock<'static> {
        ContentBlock::ToolUse(ToolUse {
            id: JsonText::encode(id),
            name: JsonText::encode("look_up"),
            input: Json::EMPTY_OBJECT,
        })
    }

    fn answered(id: &str, text: &str) -> ContentBlock<'static> {
        ContentBlock::ToolResult(ToolResult {
            id: JsonText::encode(id),
            content: vec![ToolResultBlock::Text(JsonText::encode(text))],
            status: None,
        })
    }

    /// The turns that calls and results become, and the notes.
    fn matched(
        turns: Vec<(Vec<ContentBlock<'static>>, Vec<ContentBlock<'static>>)>,
    ) -> (Vec<Message<'static>>, String) {
        let turns = turns.into_iter().flat_map(|(calls, results)| {
            [(Role::Assistant, calls), (Role::User, results)].map(|(role, content)| Message { role, content })
        });
        let mut conversation = Conversation {
            messages: turns.collect(),
            system: Vec::new(),
        };
        let mut notes = Notes::default();
        match_calls(&mut conversation, &mut notes);
        (conversation.messages, notes.to_string())
    }

    fn ids(message: &Message<'_>) -> Vec<String> {
        message.content.iter().map(|block| id_of(block).to_owned()).collect()
    }

    fn said<'m>(block: &'m ContentBlock<'_>) -> &'m str {
        match block {
            ContentBlock::ToolResult(result) => match result.content.first() {
                Some(ToolResultBlock::Text(text)) => text.inner(),
                _ => "",
            },
            _ => "",
        }
    }

    #[test]
    fn calls_of_one_turn_that_share_an_id_are_told_apart() {
        let calls = ["0", "0_2", "0", "0"].map(called).to_vec();
        let results = [("0", "first"), ("0", "third"), ("0_2", "second"), ("0", "fourth")];
        let results = results.map(|(id, text)| answered(id, text)).to_vec();
        let (messages, notes) = matched(vec![(calls, results)]);
        assert_eq!(ids(&messages[0]), ["0", "0_2", "0_3", "0_4"]);
        let pairs: Vec<_> = messages[1]
            .content
            .iter()
            .map(|block| (id_of(block), said(block)))
            .collect();
        assert_eq!(
            pairs,
            [("0", "first"), ("0_3", "third"), ("0_2", "second"), ("0_4", "fourth")]
        );
        assert_eq!(notes, "messages.tool_calls.id=rewritten(repeated)");
    }

    #[test]
    fn an_id_may_come_again_in_another_turn() {
        let turn = || (vec![called("0")], vec![answered("0", "yes")]);
        let (messages, notes) = matched(vec![turn(), turn()]);
        assert!(messages.iter().all(|message| ids(message) == ["0"]));
        assert_eq!(notes, "");
    }

    #[test]
    fn one_of_two_with_the_same_id_may_have_no_result() {
        let (messages, _) = matched(vec![(vec![called("0"), called("0")], vec![answered("0", "yes")])]);
        assert_eq!(ids(&messages[1]), ["0", "0_2"]);
        assert_eq!(
            messages[1].content.iter().map(said).collect::<Vec<_>>(),
            ["yes", NO_RESULT]
        );
    }

    #[test]
    fn ids_of_repeated_calls_are_no_longer_than_bedrock_takes() {
        let long = "x".repeat(MAX_ID_LEN);
        let (messages, _) = matched(vec![(vec![called(&long), called(&long)], Vec::new())]);
        let ids = ids(&messages[0]);
        assert_eq!(ids[1].len(), MAX_ID_LEN);
        assert!(ids[1].ends_with("x_2") && ids[0] != ids[1]);
    }

    #[test]
    fn a_great_many_calls_are_matched_in_one_pass() {
        // Each compared with each would take an hour.
        let count = 200_000;
        let calls = (0..count).map(|number| called(&number.to_string())).collect();
        let results = (0..count)
            .rev()
            .map(|number| answered(&number.to_string(), "yes"))
            .collect();
        let (mut messages, notes) = matched(vec![(calls, results)]);
        assert_eq!(notes, "");
        let mut results = messages.pop().unwrap();
        order(&mut results, messages.last());
        assert_eq!(ids(&results), ids(&messages[0]));
    }
}
