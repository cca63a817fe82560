//! A last message of the assistant's: the beginning of the answer, in the client's words.

use outcrop_bedrock::converse::{ContentBlock, Message, Role};
use outcrop_bedrock::json::JsonText;

use crate::catalogue::Traits;
use crate::notes::Notes;

/// What a model that takes no pre-fill is asked instead.
const GO_ON: &str = "Go on with your last message from exactly where it ends. Don't repeat any of it, and don't say \
                     that you go on: what you write now is joined to it as it stands.";

/// Settles it for the model. Gives the text that the answer must not repeat, where the model may do that.
pub(super) fn settle(
    messages: &mut Vec<Message<'_>>,
    traits: &Traits,
    is_thinking: bool,
    notes: &mut Notes,
) -> Option<String> {
    let last = messages.last_mut().filter(|last| last.role == Role::Assistant)?;
    while matches!(last.content.last(), Some(ContentBlock::CachePoint(_))) {
        last.content.pop();
    }
    let Some(ContentBlock::Text(text)) = last.content.last_mut() else {
        return None;
    };
    let decoded = text.decoded();
    let trimmed = decoded.trim_end();
    if trimmed.len() < decoded.len() {
        // Claude refuses a pre-fill that ends with white space.
        *text = JsonText::encode(trimmed);
        notes.add("messages.content", "trimmed", "prefill-ends-with-white-space");
    }
    // Thoughts come before the answer, so there is no answer to begin.
    if traits.prefill && !is_thinking {
        return None;
    }
    let texts = last.content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.decoded()),
        _ => None,
    });
    let begun = texts.collect::<String>();
    notes.lose("messages", "user-turn-added", "model-takes-no-prefill");
    messages.push(Message {
        role: Role::User,
        content: vec![ContentBlock::Text(JsonText::encode(GO_ON))],
    });
    Some(begun)
}
