//! From whole replies to the answer (OpenAI's API description, `CreateChatCompletionResponse`, read 2026-11).

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Reasoning, TokenUsage, ToolUse};
use outcrop_bedrock::json::{JsonText, ObjectWriter, write_array};

use super::{Memo, finish_reason, is_malformed, malformed, write_usage};
use crate::problem::Problem;

/// Writes the answer: one choice for each reply.
pub(super) fn write(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
    let is_unusable = |reply: &ConverseResponse<'_>| {
        let says_something = |block: &ContentBlock<'_>| match block {
            ContentBlock::Text(text) => !text.is_blank(),
            ContentBlock::ToolUse(_) => true,
            _ => false,
        };
        is_malformed(&reply.stop_reason) && !reply.content.iter().any(says_something)
    };
    if replies.iter().any(is_unusable) {
        return Err(malformed());
    }
    let mut out = Vec::with_capacity(1024);
    ObjectWriter::write(&mut out, |answer| {
        answer.field("id", &memo.id);
        answer.field("object", "chat.completion");
        answer.field("created", &memo.created);
        answer.field("model", &memo.model);
        write_array(
            answer.key("choices"),
            replies.iter().enumerate(),
            |(index, reply), out| {
                write_choice(index, reply, out);
            },
        );
        let usage = replies
            .iter()
            .fold(TokenUsage::default(), |sum, reply| sum.plus(reply.usage));
        write_usage(&usage, answer.key("usage"));
    });
    Ok(out)
}

fn write_choice(index: usize, reply: &ConverseResponse<'_>, out: &mut Vec<u8>) {
    let (mut texts, mut thoughts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for block in &reply.content {
        match block {
            ContentBlock::Text(text) => texts.push(text.clone()),
            ContentBlock::ToolUse(tool_use) => calls.push(tool_use),
            ContentBlock::Reasoning(Reasoning::Text { text, .. }) => thoughts.push(text.clone()),
            // Blocks that OpenAI's messages have no place for.
            _ => {}
        }
    }
    ObjectWriter::write(out, |choice| {
        choice.field("index", &(index as u64));
        choice.object("message", |message| {
            message.field("role", "assistant");
            if texts.is_empty() && !calls.is_empty() {
                message.key("content").extend_from_slice(b"null");
            } else {
                message.field("content", &JsonText::join(&texts, ""));
            }
            message.key("refusal").extend_from_slice(b"null");
            if !thoughts.is_empty() {
                message.field("reasoning_content", &JsonText::join(&thoughts, ""));
            }
            if !calls.is_empty() {
                write_array(message.key("tool_calls"), &calls, |call, out| write_call(call, out));
            }
        });
        choice.key("logprobs").extend_from_slice(b"null");
        choice.field("finish_reason", finish_reason(&reply.stop_reason, !calls.is_empty()));
    });
}

fn write_call(call: &ToolUse<'_>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        object.field("id", &call.id);
        object.field("type", "function");
        object.object("function", |function| {
            function.field("name", &call.name);
            // JSON in a string, as OpenAI has it.
            function.field("arguments", call.input.as_str());
        });
    });
}
