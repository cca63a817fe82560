//! Running one case.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use outcrop_bedrock::call::Operation;
use outcrop_bedrock::converse::{ConverseResponse, Event};
use outcrop_bedrock::json::ObjectWriter;
use outcrop_translate::{Context, Endpoint, Plan, Problem, ProblemKind, StreamTranslator as _};
use serde_json::Value;

use super::layout::pretty;

/// What a case comes to: texts by the names of their files.
pub(crate) type Outcome = BTreeMap<&'static str, String>;

/// Id and time of every answer.
const CONTEXT: Context<'static> = Context {
    unique: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
    created: 1_800_000_000,
    path_model: None,
    max_choices: 16,
};

/// The request of cases that have none of their own.
const ANY_REQUEST: &[u8] = br#"{"model":"us.amazon.nova-lite-v1:0","messages":[{"role":"user","content":"Hi"}]}"#;

/// Runs the case in `folder`.
pub(crate) fn run<E: Endpoint>(folder: &Path) -> Result<Outcome, String> {
    let read = |file: &str| std::fs::read(folder.join(file)).ok();
    let mut outcome = Outcome::new();
    let request = read("request.json");
    let plan = match E::plan(
        &Bytes::copy_from_slice(request.as_deref().unwrap_or(ANY_REQUEST)),
        &CONTEXT,
    ) {
        Ok(plan) => plan,
        Err(problem) => {
            outcome.insert("error.json", refusal::<E>(&problem)?);
            return Ok(outcome);
        }
    };
    if request.is_some() {
        outcome.insert("call.json", call(&plan)?);
        if !plan.notes.is_empty() {
            outcome.insert("notes.txt", format!("{}\n", plan.notes));
        }
    }
    if let Some(reply) = read("reply.json") {
        let replies = split_replies(&reply)?;
        let replies: Vec<_> = replies
            .iter()
            .map(|reply| ConverseResponse::parse(reply.as_bytes()).map_err(|fault| format!("reply.json: {fault}")))
            .collect::<Result<_, _>>()?;
        match E::response(&plan.memo, &replies) {
            Ok(response) => outcome.insert("response.json", pretty(&text(response)?)),
            Err(problem) => outcome.insert("error.json", refusal::<E>(&problem)?),
        };
    }
    if let Some(events) = read("events.jsonl") {
        outcome.insert("stream.sse", stream::<E>(plan, &text(events)?)?);
    }
    Ok(outcome)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn call<M>(plan: &Plan<M>) -> Result<String, String> {
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |call| {
        let operation = match plan.operation {
            Operation::Converse => "Converse",
            Operation::ConverseStream => "ConverseStream",
        };
        call.field("operation", operation);
        call.field("modelId", &plan.model_id);
        if plan.choices > 1 {
            call.field("times", &(plan.choices as u64));
        }
        call.key("body").extend_from_slice(&plan.body.to_vec());
    });
    let call = text(out)?;
    serde_json::from_str::<Value>(&call).map_err(|error| format!("the call's body is no JSON: {error}\n{call}"))?;
    Ok(pretty(&call))
}

fn refusal<E: Endpoint>(problem: &Problem) -> Result<String, String> {
    let body = text(E::error(problem))?;
    Ok(pretty(&format!(r#"{{"status":{},"body":{body}}}"#, problem.status)))
}

/// One reply, or a list with one for each choice; as they stand.
fn split_replies(reply: &[u8]) -> Result<Vec<String>, String> {
    let raw: Vec<&serde_json::value::RawValue> = match serde_json::from_slice(reply) {
        Ok(list) => list,
        Err(_) => vec![serde_json::from_slice(reply).map_err(|error| format!("reply.json: {error}"))?],
    };
    Ok(raw.into_iter().map(|reply| reply.get().to_owned()).collect())
}

/// A line of `events.jsonl`: an event of the choice, or the problem that broke the stream.
#[derive(Debug)]
struct Line<'a> {
    choice: usize,
    event: &'a str,
    payload: &'a str,
}

fn stream<E: Endpoint>(plan: Plan<E::Memo>, events: &str) -> Result<String, String> {
    let mut open = plan.choices;
    let mut stream = E::stream(plan.memo);
    let mut out = Vec::new();
    for (number, line) in events.lines().enumerate() {
        let at = |error: &dyn std::fmt::Display| format!("events.jsonl, line {}: {error}", number + 1);
        let members: BTreeMap<&str, &serde_json::value::RawValue> =
            serde_json::from_str(line).map_err(|error| at(&error))?;
        if let Some(problem) = members.get("problem") {
            stream.fail(&read_problem(problem.get()).map_err(|error| at(&error))?, &mut out);
            return text(out);
        }
        let line = Line {
            choice: members
                .get("choice")
                .map_or(Ok(0), |choice| choice.get().parse())
                .map_err(|error| at(&error))?,
            event: members
                .get("event")
                .ok_or_else(|| at(&"no event"))?
                .get()
                .trim_matches('"'),
            payload: members.get("payload").ok_or_else(|| at(&"no payload"))?.get(),
        };
        let event = Event::parse(line.event, line.payload.as_bytes()).map_err(|fault| at(&fault))?;
        if matches!(event, Event::MessageStop { .. }) {
            open -= 1;
        }
        stream.push(line.choice, event, &mut out);
    }
    if open > 0 {
        return Err("events.jsonl: a stream without messageStop or problem is never finished".to_owned());
    }
    stream.finish(&mut out);
    text(out)
}

fn read_problem(problem: &str) -> Result<Problem, String> {
    let problem: Value = serde_json::from_str(problem).map_err(|error| error.to_string())?;
    let kind = match problem["kind"].as_str() {
        Some("rate_limit") => ProblemKind::RateLimit,
        Some("server") => ProblemKind::Server,
        other => return Err(format!("no kind {other:?} here")),
    };
    let status = problem["status"].as_u64().and_then(|status| status.try_into().ok());
    let message = problem["message"].as_str().ok_or("no message")?;
    Ok(Problem::new(status.ok_or("no status")?, kind, message))
}
