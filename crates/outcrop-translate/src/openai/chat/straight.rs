//! Straight through: for some models, Bedrock speaks OpenAI's API itself. The request passes as it is but for what is
//! the gateway's own, and so does the answer: only its id, its time and its model's name are ours, usage comes when it
//! was asked for, and thoughts that stand in the text between tags come as they do by the other ways.

mod read;

use std::collections::BTreeMap;

use outcrop_bedrock::converse::{ServiceTier, TokenUsage};
use outcrop_bedrock::json::{Fault, Json, JsonText, ObjectWriter, ToJson, write_array};

use super::{Memo, write_usage};
use crate::endpoint::Passed;
use crate::invoke::{Piece, Splitter};
use read::{ChoiceRead, ReplyRead, with_arguments};

/// The end of a stream, in OpenAI's words.
const DONE: &[u8] = b"[DONE]";

/// How the members begin that Bedrock itself adds.
const OF_BEDROCK: &str = "amazon-bedrock-";
/// The one that tells what the call cost.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Members of an answer that are written anew.
const OWN_MEMBERS: &[&str] = &["id", "object", "created", "model", "choices", "usage"];

/// Writes the answer of whole replies, one for each choice.
pub(super) fn whole(memo: &Memo, replies: &[&[u8]]) -> Result<Passed, Fault> {
    let replies = replies
        .iter()
        .map(|reply| ReplyRead::parse(reply, "message"))
        .collect::<Result<Vec<_>, _>>()?;
    let is_empty = |reply: &ReplyRead<'_>| {
        let mut choices = reply.choices.iter();
        !choices.any(|choice| choice.content.is_some() || !choice.message.is_empty())
    };
    if replies.iter().any(is_empty) {
        return Err(Fault::shape("the answer has no message"));
    }
    let usages: Vec<TokenUsage> = replies
        .iter()
        .filter_map(|reply| {
            let mut usage = reply.usage.or(reply.metrics)?;
            usage.served.tier = reply.tier.unwrap_or_default();
            Some(usage)
        })
        .collect();
    let usage = usages.iter().copied().fold(TokenUsage::default(), TokenUsage::plus);
    let mut body = Vec::with_capacity(1024);
    ObjectWriter::write(&mut body, |answer| {
        answer.field("id", &memo.id);
        answer.field("object", "chat.completion");
        answer.field("created", &memo.created);
        answer.field("model", &memo.model);
        let choices = replies
            .iter()
            .flat_map(|reply| reply.choices.iter().map(|choice| (reply.is_filtered, choice)));
        write_array(
            answer.key("choices"),
            choices.enumerate(),
            |(index, (is_filtered, choice)), out| {
                write_choice(memo, index as u64, choice, is_filtered, out);
            },
        );
        match replies.as_slice() {
            [only] => answer.optional("usage", &only.usage_json),
            several => {
                let thoughts = several.iter().filter_map(|reply| reply.thinking_tokens);
                write_usage(&usage, thoughts.reduce(u64::saturating_add), answer.key("usage"));
            }
        }
        for (name, value) in replies.first().map_or(&[][..], |reply| &reply.others) {
            answer.field(name, value);
        }
    });
    Ok(Passed { body, usages })
}

fn write_choice(memo: &Memo, index: u64, choice: &ChoiceRead<'_>, is_filtered: bool, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |object| {
        object.field("index", &index);
        object.object("message", |message| {
            let mut thoughts = None;
            if let Some(content) = &choice.content {
                let text = content.decoded();
                let (thought, answer) = Splitter::gpt_oss().split(&text);
                // Tags may hold no thought at all.
                if answer == text || memo.thinking_tag.is_some() {
                    message.field("content", content);
                } else {
                    message.field("content", &answer);
                    thoughts = Some(thought).filter(|thought| !thought.is_empty());
                }
            }
            let lacks_arguments = choice.calls.iter().any(|call| !call.has_arguments);
            for (name, value) in &choice.message {
                match name.as_str() {
                    "tool_calls" if lacks_arguments => message.field(name, &with_arguments(value)),
                    _ => message.field(name, value),
                }
            }
            message.optional("reasoning_content", &thoughts);
        });
        for (name, value) in &choice.others {
            write_other(name, value, is_filtered, object);
        }
    });
}

/// Writes a member of a choice. An answer that a guardrail has replaced has not simply come to its end.
fn write_other(name: &str, value: &Json<'_>, is_filtered: bool, choice: &mut ObjectWriter<'_>) {
    if name == "finish_reason" && is_filtered && value.as_str() != "null" {
        choice.field(name, "content_filter");
    } else {
        choice.field(name, value);
    }
}

/// What a streamed answer has come to, for each choice.
#[derive(Debug)]
pub(super) struct StraightStream {
    choices: Vec<StraightChoice>,
}

#[derive(Debug)]
struct StraightChoice {
    /// Tells thoughts from the answer; `None` once the answer has begun.
    splitter: Option<Splitter>,
    /// Whether a guardrail has stepped in.
    is_filtered: bool,
    /// Whether it was told why the choice ends.
    has_finished: bool,
    /// Calls by their numbers, and whether any of their arguments came.
    calls: BTreeMap<u64, bool>,
}

/// What an event has told of a choice, besides what was passed on.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Whether the choice is whole.
    pub(super) is_end: bool,
    pub(super) usage: Option<TokenUsage>,
    /// What Bedrock itself says that it cost.
    pub(super) metrics: Option<TokenUsage>,
    pub(super) thinking_tokens: Option<u64>,
    /// The tier that served the call.
    pub(super) tier: Option<ServiceTier>,
    /// How much text has come.
    pub(super) text_bytes: u64,
}

impl StraightStream {
    pub(super) fn new(memo: &Memo) -> Self {
        let choice = || StraightChoice {
            // Who wants thoughts in the content gets them as the model writes them.
            splitter: memo.thinking_tag.is_none().then(Splitter::gpt_oss),
            is_filtered: false,
            has_finished: false,
            calls: BTreeMap::new(),
        };
        Self {
            choices: std::iter::repeat_with(choice).take(memo.choices).collect(),
        }
    }

    /// Passes an event of the choice `number` on, between the `head` and the `tail` that all chunks have.
    pub(super) fn pass(
        &mut self,
        number: usize,
        data: &[u8],
        head: &[u8],
        tail: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Told, Fault> {
        if data.trim_ascii() == DONE {
            // Without a reason to finish, an answer that ends was cut.
            return Ok(Told {
                is_end: self.choices.get(number).is_some_and(|choice| choice.has_finished),
                ..Told::default()
            });
        }
        let chunk = ReplyRead::parse(data, "delta")?;
        let mut told = Told {
            is_end: false,
            usage: chunk.usage,
            metrics: chunk.metrics,
            thinking_tokens: chunk.thinking_tokens,
            tier: chunk.tier,
            text_bytes: 0,
        };
        let Some(state) = self.choices.get_mut(number) else {
            return Ok(told);
        };
        state.is_filtered |= chunk.is_filtered;
        if chunk.choices.is_empty() {
            write_alone(&chunk, head, tail, out);
        }
        let is_filtered = state.is_filtered;
        for choice in &chunk.choices {
            told.is_end |= choice.is_finished;
            let text = choice.content.as_ref().map_or(0, |text| text.inner().len());
            // Of a piece of a call, its arguments are what is longest.
            let others: usize = choice.message.iter().map(|(_, value)| value.as_str().len()).sum();
            told.text_bytes += (text + others) as u64;
            state.has_finished |= choice.is_finished;
            let mut write = |delta: &[(&str, &dyn ToJson)], is_last: bool| {
                out.extend_from_slice(head);
                out.push(b'[');
                ObjectWriter::write(out, |object| {
                    object.field("index", &(number as u64));
                    object.object("delta", |object| {
                        for (name, value) in delta {
                            value.write_json(object.key(name));
                        }
                    });
                    for (name, value) in &choice.others {
                        // Only the last chunk that is made of this one ends the choice.
                        if is_last || name != "finish_reason" {
                            write_other(name, value, is_filtered, object);
                        } else {
                            object.key(name).extend_from_slice(b"null");
                        }
                    }
                });
                out.push(b']');
                for (name, value) in &chunk.others {
                    out.push(b',');
                    name.write_json(out);
                    out.push(b':');
                    value.write_json(out);
                }
                out.extend_from_slice(tail);
            };
            state.split(choice, &mut write);
        }
        Ok(told)
    }
}

/// Passes on what Bedrock itself tells in an event without choices, such as what a guardrail did.
fn write_alone(chunk: &ReplyRead<'_>, head: &[u8], tail: &[u8], out: &mut Vec<u8>) {
    let mut of_bedrock = chunk
        .others
        .iter()
        .filter(|(name, _)| name.starts_with(OF_BEDROCK) && name != METRICS)
        .peekable();
    if of_bedrock.peek().is_none() {
        return;
    }
    out.extend_from_slice(head);
    out.extend_from_slice(b"[]");
    for (name, value) in of_bedrock {
        out.push(b',');
        name.write_json(out);
        out.push(b':');
        value.write_json(out);
    }
    out.extend_from_slice(tail);
}

/// Writes a chunk with these members of its delta; the flag says whether it is the last of its event.
type WriteChunk<'w> = dyn FnMut(&[(&str, &dyn ToJson)], bool) + 'w;

impl StraightChoice {
    /// Writes the chunks that one is made of: as it is, or with its text told apart.
    fn split(&mut self, choice: &ChoiceRead<'_>, write: &mut WriteChunk<'_>) {
        for call in &choice.calls {
            *self.calls.entry(call.index).or_default() |= call.has_arguments;
        }
        if choice.is_finished {
            // Clients parse what comes of the arguments, and nothing is no JSON.
            let without = std::mem::take(&mut self.calls)
                .into_iter()
                .filter(|(_, has_any)| !has_any);
            for (index, _) in without {
                let calls = Json::object(|delta| {
                    delta.field("index", &index);
                    delta.object("function", |function| function.field("arguments", "{}"));
                });
                write(&[("tool_calls", &[calls].as_slice())], false);
            }
        }
        let mut members: Vec<(&str, &dyn ToJson)> = Vec::with_capacity(choice.message.len() + 1);
        for (name, value) in &choice.message {
            members.push((name, value));
        }
        let Some(splitter) = &mut self.splitter else {
            if let Some(content) = &choice.content {
                members.push(("content", content));
            }
            return write(&members, true);
        };
        let mut pieces = choice
            .content
            .as_ref()
            .map_or_else(Vec::new, |content| splitter.push(&content.decoded()));
        // Whatever is no text ends the thoughts, too.
        let is_over = choice.is_finished || choice.message.iter().any(|(name, _)| name == "tool_calls");
        if is_over {
            pieces.extend(splitter.finish());
        }
        if is_over || pieces.iter().any(|piece| matches!(piece, Piece::Text(_))) {
            self.splitter = None;
        }
        // SDKs look for the role in the first chunk.
        let is_role = |member: &(&str, &dyn ToJson)| member.0 == "role";
        let mut role = match pieces.as_slice() {
            [] => None,
            _ => members.iter().position(is_role).map(|place| members.remove(place)),
        };
        let says_more = !members.is_empty() || choice.is_finished;
        let is_content_alone = choice.content.is_some() && !says_more;
        for (index, piece) in pieces.iter().enumerate() {
            let is_last = index + 1 == pieces.len() && !says_more;
            let (name, text) = match piece {
                Piece::Thought(text) => ("reasoning_content", JsonText::encode(text)),
                Piece::Text(text) => ("content", JsonText::encode(text)),
            };
            let mut delta: Vec<(&str, &dyn ToJson)> = Vec::with_capacity(2);
            delta.extend(role.take());
            delta.push((name, &text));
            write(&delta, is_last);
        }
        if !is_content_alone {
            // The first chunk of an answer says its role beside no text at all.
            if let (Some(content), true) = (&choice.content, pieces.is_empty())
                && content.inner().is_empty()
            {
                members.push(("content", content));
            }
            write(&members, true);
        }
    }
}

/// A member that passes.
pub(super) type Member<'a> = (String, Json<'a>);
