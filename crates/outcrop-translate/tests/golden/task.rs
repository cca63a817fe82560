//! Running one case of an endpoint without a conversation.

use std::path::Path;

use bytes::Bytes;
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::json::{ObjectWriter, write_array};
use outcrop_translate::{AnswerContext, Context, File, Halt, Input, Problem, Shelf, Task, TaskPlan, TaskReply};
use serde_json::Value;

use super::case::{CONTEXT, Gateway, Outcome, operation_name, split_replies, text};
use super::layout::pretty;

/// Keeps files nowhere, and tells of them by their sizes.
struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, file: File) -> Result<String, Problem> {
        Ok(format!("https://gateway/files/{}-bytes", file.bytes.len()))
    }
}

/// Runs the case in `folder`.
pub(crate) fn run<T: Task>(folder: &Path) -> Result<Outcome, String> {
    let read = |file: &str| std::fs::read(folder.join(file)).ok();
    let mut outcome = Outcome::new();
    let gateway = Gateway::read(read("gateway.json").as_deref())?;
    let context = Context {
        advisor: Some(&gateway),
        remote: Some(&gateway.remote),
        ..*CONTEXT
    };
    let request = read("request.json").ok_or("it has no request.json")?;
    let plan = match T::plan(&Input::Json(Bytes::from(request)), &context) {
        Ok(plan) => plan,
        Err(Halt::Problem(problem)) => {
            outcome.insert("error.json", refusal::<T>(&problem)?);
            return Ok(outcome);
        }
        Err(Halt::Fetch(urls)) => return Err(format!("gateway.json lacks what is at {urls:?}")),
        Err(Halt::LookUp(arn)) => return Err(format!("what is behind {arn} is not known")),
    };
    outcome.insert("calls.json", calls(&plan)?);
    if !plan.notes.is_empty() {
        outcome.insert("notes.txt", format!("{}\n", plan.notes));
    }
    let Some(replies) = read("reply.json") else {
        return Ok(outcome);
    };
    let bodies: Vec<Bytes> = split_replies(&replies)?.into_iter().map(Bytes::from).collect();
    let replies: Vec<TaskReply<'_>> = bodies
        .iter()
        .map(|body| TaskReply {
            body,
            tokens: TokenCounts {
                input: Some(11),
                output: None,
                ..TokenCounts::default()
            },
        })
        .collect();
    let context = AnswerContext {
        unique: CONTEXT.unique,
        created: CONTEXT.created,
        shelf: &NoShelf,
    };
    match T::answer(&plan.memo, &replies, &context) {
        Ok(answer) => {
            if !answer.notes.is_empty() {
                outcome.insert("answer-notes.txt", format!("{}\n", answer.notes));
            }
            outcome.insert("response.json", pretty(&text(answer.body)?))
        }
        Err(problem) => outcome.insert("error.json", refusal::<T>(&problem)?),
    };
    Ok(outcome)
}

fn calls<M>(plan: &TaskPlan<M>) -> Result<String, String> {
    let mut out = Vec::new();
    write_array(&mut out, &plan.calls, |call, out| {
        ObjectWriter::write(out, |object| {
            object.field("operation", operation_name(call.operation));
            object.field("modelId", &call.model_id);
            object.optional("region", &plan.region);
            if !call.headers.is_empty() {
                object.object("headers", |headers| {
                    for (name, value) in &call.headers {
                        headers.field(name, value);
                    }
                });
            }
            object.optional("param", &call.param);
            object.key("body").extend_from_slice(&call.body.to_vec());
        });
    });
    let calls = text(out)?;
    serde_json::from_str::<Value>(&calls).map_err(|error| format!("a call's body is no JSON: {error}\n{calls}"))?;
    Ok(pretty(&calls))
}

fn refusal<T: Task>(problem: &Problem) -> Result<String, String> {
    let body = text(T::error(problem))?;
    Ok(pretty(&format!(r#"{{"status":{},"body":{body}}}"#, problem.status)))
}
