//! From whole replies to the answer (OpenAI's API description, `CreateChatCompletionResponse`, read 2026-11).

use std::borrow::Cow;

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Reasoning, StopReason, ToolUse};
use outcrop_bedrock::json::{JsonText, ObjectWriter, write_array};

use super::form::{Form, Misfit, Way, is_whole, unwrapped};
use super::text::TextFilter;
use super::{Memo, finish_reason, is_malformed, malformed, write_costs};
use crate::endpoint::Repair;
use crate::problem::Problem;

/// Writes the answer: one choice for each reply.
pub(super) fn write(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
    let choices = replies
        .iter()
        .map(|reply| Choice::of(memo, reply))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(1024);
    ObjectWriter::write(&mut out, |answer| {
        answer.field("id", &memo.id);
        answer.field("object", "chat.completion");
        answer.field("created", &memo.created);
        answer.field("model", &memo.model);
        write_array(
            answer.key("choices"),
            choices.iter().enumerate(),
            |(index, choice), out| {
                choice.write(memo, index, out);
            },
        );
        write_costs(memo, replies, answer);
    });
    Ok(out)
}

/// What is wrong with the form of an answer.
pub(super) fn review(memo: &Memo, reply: &ConverseResponse<'_>) -> Option<Repair> {
    let form = memo.form.as_ref()?;
    let parts = Parts::of(reply, Some(form));
    if !is_whole(&reply.stop_reason) || !parts.calls.is_empty() {
        return None;
    }
    let answer = match parts.form {
        Some(arguments) => arguments.to_owned(),
        None => JsonText::join(&parts.texts, "").decoded().into_owned(),
    };
    let Misfit(complaint) = form.fit(&answer).err()?;
    Some(Repair { answer, complaint })
}

/// What a reply comes to as a text: for endpoints without messages.
pub(in crate::openai) struct Completed {
    pub(in crate::openai) text: JsonText<'static>,
    pub(in crate::openai) thoughts: Option<JsonText<'static>>,
    pub(in crate::openai) finish_reason: &'static str,
}

impl Completed {
    /// Reads a reply to a request without tools.
    ///
    /// # Errors
    /// When there is nothing in it that a client could use.
    pub(in crate::openai) fn of(memo: &Memo, reply: &ConverseResponse<'_>) -> Result<Self, Problem> {
        let choice = Choice::of(memo, reply)?;
        let text = choice.content.map(|content| content.decoded().into_owned());
        Ok(Self {
            text: JsonText::encode(&text.unwrap_or_default()),
            thoughts: memo
                .thinking_tag
                .is_none()
                .then(|| choice.parts.text_of_thoughts())
                .flatten(),
            finish_reason: choice.finish_reason,
        })
    }
}

/// The blocks of a reply, sorted by what they are for the client.
#[derive(Default)]
struct Parts<'r, 'a> {
    texts: Vec<JsonText<'a>>,
    thoughts: Vec<&'r Reasoning<'a>>,
    calls: Vec<&'r ToolUse<'a>>,
    /// Arguments of the tool that takes the answer.
    form: Option<&'r str>,
}

impl<'r, 'a> Parts<'r, 'a> {
    fn of(reply: &'r ConverseResponse<'a>, form: Option<&Form>) -> Self {
        let tool = form.and_then(|form| form.tool.as_deref());
        let mut parts = Self::default();
        for block in &reply.content {
            match block {
                ContentBlock::Text(text) => parts.texts.push(text.clone()),
                ContentBlock::ToolUse(call) if tool.is_some_and(|tool| call.name.decoded() == tool) => {
                    parts.form.get_or_insert(call.input.as_str());
                }
                ContentBlock::ToolUse(call) => parts.calls.push(call),
                ContentBlock::Reasoning(reasoning) => parts.thoughts.push(reasoning),
                // Blocks that OpenAI's messages have no place for.
                _ => {}
            }
        }
        parts
    }
}

/// One choice of the answer.
struct Choice<'r, 'a> {
    parts: Parts<'r, 'a>,
    /// `None` where there is no text, only calls.
    content: Option<JsonText<'a>>,
    finish_reason: &'static str,
}

impl<'r, 'a> Choice<'r, 'a> {
    fn of(memo: &Memo, reply: &'r ConverseResponse<'a>) -> Result<Self, Problem> {
        let mut parts = Parts::of(reply, memo.form.as_ref());
        if memo.hides_calls {
            parts.calls.clear();
        }
        let says_something =
            !parts.calls.is_empty() || parts.form.is_some() || parts.texts.iter().any(|text| !text.is_blank());
        let is_half_a_call = reply.stop_reason == StopReason::MalformedToolUse && !parts.calls.is_empty();
        if is_malformed(&reply.stop_reason) && (!says_something || is_half_a_call) {
            return Err(malformed());
        }
        let mut stop_reason = Cow::Borrowed(&reply.stop_reason);
        let mut content = content(memo, &parts, &reply.stop_reason)?;
        let mut is_filtered = false;
        if let (Some(mut filter), Some(text)) = (TextFilter::of(memo), &content) {
            is_filtered = true;
            let mut filtered = String::new();
            filter.push(&text.decoded(), &mut filtered);
            filter.finish(&mut filtered);
            if filter.is_stopped() {
                stop_reason = Cow::Owned(StopReason::StopSequence);
                parts.end_with_text(memo, reply);
            }
            content = Some(JsonText::encode(&filtered));
        }
        if let Some(tag) = memo.thinking_tag
            && let Some(thoughts) = parts.text_of_thoughts()
        {
            let is_plain = memo.form.is_none() && !is_filtered;
            content = Some(if is_plain {
                in_order(reply, tag)
            } else {
                let answer = content.as_ref().map_or(Cow::Borrowed(""), |content| content.decoded());
                JsonText::encode(&format!("<{tag}>{}</{tag}>\n\n{answer}", thoughts.decoded()))
            });
        }
        Ok(Self {
            finish_reason: finish_reason(&stop_reason, !parts.calls.is_empty()),
            parts,
            content,
        })
    }

    fn write(&self, memo: &Memo, index: usize, out: &mut Vec<u8>) {
        ObjectWriter::write(out, |choice| {
            choice.field("index", &(index as u64));
            choice.object("message", |message| self.write_message(memo, message));
            choice.key("logprobs").extend_from_slice(b"null");
            choice.field("finish_reason", self.finish_reason);
        });
    }

    fn write_message(&self, memo: &Memo, message: &mut ObjectWriter<'_>) {
        message.field("role", "assistant");
        match &self.content {
            Some(content) => message.field("content", content),
            None => message.key("content").extend_from_slice(b"null"),
        }
        message.key("refusal").extend_from_slice(b"null");
        if memo.thinking_tag.is_none()
            && let Some(thoughts) = self.parts.text_of_thoughts()
        {
            message.field("reasoning_content", &thoughts);
        }
        // Thoughts in tags are to be read, not sent back.
        if memo.thinking_tag.is_none() && self.parts.thoughts.iter().any(|thought| is_proved(thought)) {
            write_array(message.key("thinking_blocks"), &self.parts.thoughts, |thought, out| {
                write_thought(thought, out)
            });
        }
        if !self.parts.calls.is_empty() {
            write_array(message.key("tool_calls"), &self.parts.calls, |call, out| {
                write_call(call, memo, out);
            });
        }
    }
}

impl Parts<'_, '_> {
    /// Leaves out what comes after the text was stopped: it would not have been thought or called.
    fn end_with_text(&mut self, memo: &Memo, reply: &ConverseResponse<'_>) {
        let Some(mut filter) = TextFilter::of(memo) else { return };
        let (mut thoughts, mut calls, mut shown) = (0, 0, String::new());
        for block in &reply.content {
            match block {
                ContentBlock::Text(text) => filter.push(&text.decoded(), &mut shown),
                ContentBlock::Reasoning(_) => thoughts += 1,
                ContentBlock::ToolUse(_) => calls += 1,
                _ => {}
            }
            if filter.is_stopped() {
                break;
            }
        }
        self.thoughts.truncate(thoughts);
        self.calls.truncate(calls);
    }

    fn text_of_thoughts(&self) -> Option<JsonText<'static>> {
        let texts: Vec<JsonText<'_>> = self
            .thoughts
            .iter()
            .filter_map(|thought| match thought {
                Reasoning::Text { text, .. } => Some(text.clone()),
                Reasoning::Redacted(_) => None,
            })
            .collect();
        // Some models think without showing it.
        let is_shown = texts.iter().any(|text| !text.inner().is_empty());
        is_shown.then(|| JsonText::join(&texts, ""))
    }
}

/// The text of an answer, in the form that was asked for.
fn content<'a>(memo: &Memo, parts: &Parts<'_, 'a>, stop_reason: &StopReason) -> Result<Option<JsonText<'a>>, Problem> {
    let text = || -> JsonText<'a> {
        match parts.texts.as_slice() {
            [text] => text.clone(),
            texts => JsonText::join(texts, ""),
        }
    };
    let plain = || (!parts.texts.is_empty() || parts.calls.is_empty()).then(text);
    let Some(form) = &memo.form else {
        return Ok(plain());
    };
    let given = match (form.way, parts.form) {
        (Way::Tool, Some(arguments)) => Cow::Borrowed(arguments),
        // It rather calls the client's tools.
        _ if !parts.calls.is_empty() => return Ok(plain()),
        _ => Cow::Owned(text().decoded().into_owned()),
    };
    match form.fit(&given) {
        Ok(fitting) => Ok(Some(JsonText::encode(&fitting))),
        Err(misfit) if form.is_strict && is_whole(stop_reason) => Err(form.problem(&misfit)),
        Err(_) if form.is_wrapped && !is_whole(stop_reason) => Ok(Some(JsonText::encode(&unwrapped(&given)))),
        Err(_) => Ok(Some(JsonText::encode(&given))),
    }
}

/// Thoughts, in tags, and text in the order in which a stream has them.
fn in_order(reply: &ConverseResponse<'_>, tag: &str) -> JsonText<'static> {
    let (mut out, mut is_in_thoughts) = (String::new(), false);
    let end = format!("</{tag}>\n\n");
    for block in &reply.content {
        let (text, is_thought) = match block {
            ContentBlock::Reasoning(Reasoning::Text { text, .. }) => (text, true),
            ContentBlock::Text(text) => (text, false),
            _ => continue,
        };
        match (is_in_thoughts, is_thought) {
            (false, true) => out.push_str(&format!("<{tag}>")),
            (true, false) => out.push_str(&end),
            _ => {}
        }
        is_in_thoughts = is_thought;
        out.push_str(&text.decoded());
    }
    if is_in_thoughts {
        out.push_str(&end);
    }
    JsonText::encode(&out)
}

/// Whether a thought can be shown to the model again.
fn is_proved(thought: &Reasoning<'_>) -> bool {
    matches!(
        thought,
        Reasoning::Redacted(_) | Reasoning::Text { signature: Some(_), .. }
    )
}

/// Writes a thought in Anthropic's form, as LiteLLM does.
fn write_thought(thought: &Reasoning<'_>, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| match thought {
        Reasoning::Text { text, signature } => {
            object.field("type", "thinking");
            object.field("thinking", text);
            object.optional("signature", signature);
        }
        Reasoning::Redacted(data) => {
            object.field("type", "redacted_thinking");
            object.field("data", data);
        }
    });
}

fn write_call(call: &ToolUse<'_>, memo: &Memo, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        object.field("id", &call.id);
        object.field("type", "function");
        object.object("function", |function| {
            function.field("name", memo.name(&call.name).as_ref());
            // JSON in a string, as OpenAI has it.
            function.field("arguments", call.input.as_str());
        });
    });
}
