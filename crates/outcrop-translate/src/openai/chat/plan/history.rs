//! What the assistant said, thought and called earlier.

use outcrop_bedrock::converse::{ContentBlock, Reasoning, ToolResult, ToolResultBlock, ToolUse};
use outcrop_bedrock::json::{Fault, Json, JsonText};

use super::super::message::{Message, ThinkingBlock, ToolCall};
use super::super::part::PartKind;
use super::conversation::{Telling, parts, push_cache_point};

/// The blocks of a turn of the assistant's: thoughts first, calls last.
pub(super) fn assistant_blocks<'a>(
    message: &'a Message<'a>,
    telling: &mut Telling<'_, 'a>,
) -> Result<Vec<ContentBlock<'a>>, Fault> {
    let mut blocks = thoughts(message, telling);
    for (index, part) in parts(message).enumerate() {
        match &part.kind {
            PartKind::Text(text) | PartKind::GuardedText(text) if text.is_blank() => {}
            PartKind::Text(text) | PartKind::GuardedText(text) => blocks.push(ContentBlock::Text(text.clone())),
            _ => {
                let fault = Fault::shape("an assistant message takes text only");
                return Err(fault.under_key("type").at_index(index).under_key("content"));
            }
        }
        push_cache_point(part.cache_point, &mut blocks);
    }
    if telling.tools_in_words && !message.tool_calls.is_empty() {
        telling.notes.add("messages.tool_calls", "in-words", "no-tools-to-call");
    }
    for call in &message.tool_calls {
        blocks.push(if telling.tools_in_words {
            ContentBlock::Text(call_in_words(call))
        } else {
            ContentBlock::ToolUse(tool_use(call, telling))
        });
    }
    Ok(blocks)
}

/// Thoughts go back only with the model's proof that they are its own: without one it refuses them, and it can do
/// without.
fn thoughts<'a>(message: &'a Message<'a>, telling: &mut Telling<'_, 'a>) -> Vec<ContentBlock<'a>> {
    let mut blocks = Vec::new();
    let mut is_unsigned = message.has_reasoning_content && message.thinking_blocks.is_empty();
    if !message.thinking_blocks.is_empty() && !telling.traits.takes_signed_thoughts {
        telling
            .notes
            .add("messages.thinking_blocks", "dropped", "model-takes-none");
        return blocks;
    }
    for thought in &message.thinking_blocks {
        match thought {
            ThinkingBlock::Thinking {
                text,
                signature: Some(signature),
            } => blocks.push(ContentBlock::Reasoning(Reasoning::Text {
                text: text.clone(),
                signature: Some(signature.clone()),
            })),
            ThinkingBlock::Redacted(data) => {
                blocks.push(ContentBlock::Reasoning(Reasoning::Redacted(data.clone())));
            }
            ThinkingBlock::Thinking { signature: None, .. } => is_unsigned = true,
        }
    }
    if is_unsigned {
        telling.notes.add("messages.reasoning_content", "dropped", "unsigned");
    }
    blocks
}

fn tool_use<'a>(call: &'a ToolCall<'a>, telling: &mut Telling<'_, 'a>) -> ToolUse<'a> {
    ToolUse {
        id: telling.names.id(&call.id),
        name: telling.names.name(&call.name),
        input: input(call).unwrap_or_else(|| {
            // An answer that was cut off leaves half a document; the model should see what it said all the same.
            telling
                .notes
                .add("messages.tool_calls", "wrapped", "arguments-are-no-json-object");
            Json::object(|object| object.field("arguments", call.arguments.as_ref()))
        }),
    }
}

/// The arguments of a call, if they are an object.
fn input<'a>(call: &'a ToolCall<'a>) -> Option<Json<'a>> {
    if call.arguments.trim().is_empty() {
        return Some(Json::EMPTY_OBJECT);
    }
    Json::parse(&call.arguments)
        .ok()
        .filter(|input| input.as_str().trim_start().starts_with('{'))
}

fn call_in_words(call: &ToolCall<'_>) -> JsonText<'static> {
    let name = call.name.decoded();
    let arguments = match call.arguments.trim() {
        "" => "{}",
        arguments => arguments,
    };
    JsonText::encode(&format!("(Called the tool '{name}' with the arguments {arguments}.)"))
}

/// A tool's result as what it says, with a word on what it is.
pub(super) fn result_in_words(result: ToolResult<'_>) -> Vec<ContentBlock<'_>> {
    let blocks = result.content.into_iter().map(|block| match block {
        ToolResultBlock::Text(text) => {
            let text = format!("(The tool answered: {})", text.decoded());
            ContentBlock::Text(JsonText::encode(&text))
        }
        ToolResultBlock::Json(value) => {
            let text = format!("(The tool answered: {})", value.as_str());
            ContentBlock::Text(JsonText::encode(&text))
        }
        ToolResultBlock::Image(image) => ContentBlock::Image(image),
        ToolResultBlock::Document(document) => ContentBlock::Document(document),
        ToolResultBlock::Video(video) => ContentBlock::Video(video),
    });
    blocks.collect()
}
