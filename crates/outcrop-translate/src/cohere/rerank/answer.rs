//! From the replies to the answer.

use outcrop_bedrock::json::{Fault, ObjectWriter, Reader, write_array};

use super::Memo;
use crate::problem::{Problem, ProblemKind};
use crate::task::{AnswerContext, Billed, TaskAnswer, TaskReply};

/// The documents that one search unit pays for (Bedrock's prices, Rerank, read 2026-11).
const DOCUMENTS_OF_A_UNIT: usize = 100;

struct Ranked {
    index: usize,
    score: f64,
}

/// Writes the answer of all pages.
pub(super) fn write(
    memo: &Memo,
    replies: &[TaskReply<'_>],
    version: u8,
    context: &AnswerContext<'_>,
) -> Result<TaskAnswer, Problem> {
    let mut ranked = Vec::new();
    for reply in replies {
        read(reply.body, memo.documents, &mut ranked).map_err(|_| unreadable())?;
    }
    let billed = billed(memo);
    let mut body = Vec::new();
    ObjectWriter::write(&mut body, |answer| {
        answer.field("id", &uuid(context.unique));
        write_array(answer.key("results"), &ranked, |one, out| {
            ObjectWriter::write(out, |result| {
                result.field("index", &(one.index as u64));
                result.field("relevance_score", &one.score);
                let document = memo.returned.as_ref().and_then(|documents| documents.get(one.index));
                if let Some(document) = document {
                    result.field("document", document);
                }
            });
        });
        answer.object("meta", |meta| {
            meta.object("api_version", |api| api.field("version", &version.to_string()));
            meta.object("billed_units", |units| units.field("search_units", &billed.searches));
        });
    });
    Ok(TaskAnswer {
        body,
        billed,
        ..TaskAnswer::default()
    })
}

/// What ranking them is paid for.
pub(super) fn billed(memo: &Memo) -> Billed {
    Billed {
        searches: memo.documents.div_ceil(DOCUMENTS_OF_A_UNIT) as u64,
        ..Billed::default()
    }
}

fn read(body: &[u8], documents: usize, ranked: &mut Vec<Ranked>) -> Result<(), Fault> {
    let mut found = None;
    Reader::document(body, |reader| {
        reader.object(|name, reader| match name {
            "results" => {
                found = Some(reader.list(|reader| result(reader, documents))?);
                Ok(())
            }
            _ => reader.skip(),
        })
    })?;
    ranked.extend(found.ok_or_else(|| Fault::shape("has no results"))?);
    Ok(())
}

fn result(reader: &mut Reader<'_>, documents: usize) -> Result<Ranked, Fault> {
    let (mut index, mut score) = (None, None);
    reader.object(|name, reader| {
        match name {
            "index" => index = Some(reader.count()?),
            "relevanceScore" => score = Some(reader.number()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let index = index.and_then(|index| usize::try_from(index).ok());
    match (index.filter(|index| *index < documents), score) {
        (Some(index), Some(score)) => Ok(Ranked { index, score }),
        _ => Err(Fault::shape("is no result of this request")),
    }
}

fn unreadable() -> Problem {
    let message = "The upstream's answer is not one of Bedrock's, or is damaged.";
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_invalid_response")
}

/// A random number in the form of a UUID (RFC 9562, version 4), as Cohere's ids are.
fn uuid(unique: u128) -> String {
    let bits = (unique & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
