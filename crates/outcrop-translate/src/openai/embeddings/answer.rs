//! From the replies to the answer.

use outcrop_bedrock::base64;
use outcrop_bedrock::converse::TokenUsage;
use outcrop_bedrock::json::{ObjectWriter, write_array};

use super::Memo;
use crate::problem::{Problem, ProblemKind};
use crate::task::{Billed, TaskAnswer, TaskReply};
use crate::vectors::{FLOAT, Reply, Typed, numbers};

/// Writes the answer.
pub(super) fn write(memo: &Memo, replies: &[TaskReply<'_>]) -> Result<TaskAnswer, Problem> {
    let read: Vec<Reply<'_>> = replies
        .iter()
        .map(|reply| Reply::read(reply.body).map_err(|fault| unusable(&fault.to_string())))
        .collect::<Result<_, _>>()?;
    let mut vectors = Vec::with_capacity(memo.counts.iter().sum());
    for (reply, count) in read.iter().zip(&memo.counts) {
        let is_short = |typed: &&Typed<'_>| typed.vectors.len() != *count;
        if reply.types.is_empty() || reply.types.iter().any(|typed| is_short(&typed)) {
            return Err(unusable(&format!("there are not {count} vectors in it")));
        }
        vectors.extend((0..*count).map(|index| (reply, index)));
    }
    // Where the body is silent, the headers tell.
    let counted = read
        .iter()
        .zip(replies)
        .map(|(read, reply)| read.tokens.or(reply.tokens.input));
    let is_counted = counted.clone().any(|tokens| tokens.is_some());
    let input_tokens: u64 = counted.flatten().sum();
    let mut is_readable = true;
    let mut body = Vec::with_capacity(replies.iter().map(|reply| reply.body.len() + 256).sum());
    ObjectWriter::write(&mut body, |answer| {
        answer.field("object", "list");
        let mut number: u64 = 0;
        write_array(answer.key("data"), vectors, |(reply, index), out| {
            ObjectWriter::write(out, |item| {
                item.field("object", "embedding");
                item.field("index", &number);
                is_readable &= write_vectors(memo, reply, index, item);
            });
            number += 1;
        });
        answer.field("model", &memo.model);
        answer.object("usage", |usage| {
            usage.field("prompt_tokens", &input_tokens);
            usage.field("total_tokens", &input_tokens);
        });
    });
    if !is_readable {
        return Err(unusable("there is a vector of something else than numbers in it"));
    }
    let usage = is_counted.then(|| TokenUsage {
        input_tokens,
        ..TokenUsage::default()
    });
    Ok(TaskAnswer {
        body,
        usage,
        billed: Billed {
            input_images: memo.images,
            ..Billed::default()
        },
        ..TaskAnswer::default()
    })
}

/// The vector of the first type that was asked for; with several, all of them beside it. `false` if one can't be read.
fn write_vectors(memo: &Memo, reply: &Reply<'_>, index: usize, item: &mut ObjectWriter<'_>) -> bool {
    let of_type = |name: &str| reply.types.iter().find(|typed| typed.name == name);
    let wanted: Vec<&Typed<'_>> = memo.types.iter().filter_map(|name| of_type(name)).collect();
    let is_float = memo.types.is_empty() || memo.types.iter().any(|name| name == FLOAT);
    let main = is_float.then(|| of_type(FLOAT)).flatten();
    let mut is_readable = true;
    if let Some(typed) = main.or(wanted.first().copied()).or(reply.types.first()) {
        is_readable &= write_vector(memo, typed, index, item.key("embedding"));
    }
    if memo.types.len() > 1 {
        item.object("embeddings_by_type", |by_type| {
            for typed in wanted {
                is_readable &= write_vector(memo, typed, index, by_type.key(&typed.name));
            }
        });
    }
    is_readable
}

/// Writes a vector as it stands in the reply, but for base64. `false` if its numbers can't be read.
fn write_vector(memo: &Memo, typed: &Typed<'_>, index: usize, out: &mut Vec<u8>) -> bool {
    let Some(vector) = typed.vectors.get(index) else {
        return false;
    };
    let normalizes = memo.normalizes && typed.name == FLOAT;
    if !memo.base64 && !normalizes {
        out.extend_from_slice(vector.as_bytes());
        return true;
    }
    let Some(mut numbers) = numbers::read(vector) else {
        return false;
    };
    if normalizes {
        numbers::normalize(&mut numbers);
    }
    if memo.base64 {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        out.push(b'"');
        out.extend_from_slice(base64::encode(&bytes).as_bytes());
        out.push(b'"');
    } else {
        write_array(out, numbers, |number, out| {
            out.extend_from_slice(number.to_string().as_bytes());
        });
    }
    true
}

fn unusable(why: &str) -> Problem {
    let message = format!("The model's answer can't be used: {why}.");
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_model_error")
}
