//! Running one case.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use outcrop_bedrock::call::{CallBody, Operation, TokenCounts};
use outcrop_bedrock::json::{ObjectWriter, write_array};
use outcrop_translate::catalogue::{Api, Word as _};
use outcrop_translate::policy::{Guardrail, OnUnsupported, PromptCaching, StreamMode, Trace};
use outcrop_translate::resolve::{Asked, Directory, Target, Unresolved, resolve};
use outcrop_translate::{
    Advisor, Catalogue, Context, Endpoint, Fetched, Halt, Lesson, Plan, Policy, Problem, ProblemKind, Remote,
    StreamTranslator as _,
};
use serde_json::Value;

use super::layout::pretty;

/// What a case comes to: texts by the names of their files.
pub(crate) type Outcome = BTreeMap<&'static str, String>;

/// Id and time of every answer.
pub(crate) static CONTEXT: LazyLock<Context<'static>> = LazyLock::new(|| Context {
    unique: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
    created: 1_800_000_000,
    path_model: None,
    max_choices: 16,
    region: "us-east-1",
    catalogue: Catalogue::built_in(),
    advisor: None,
    remote: None,
    repair: None,
});

/// The request of cases that have none of their own.
const ANY_REQUEST: &[u8] = br#"{"model":"us.amazon.nova-lite-v1:0","messages":[{"role":"user","content":"Hi"}]}"#;

/// What the gateway knows besides the request.
#[derive(Default)]
pub(crate) struct Gateway {
    policy: Policy,
    lessons: Vec<Lesson>,
    pub(crate) remote: Remote,
    region: Option<String>,
}

impl Gateway {
    /// Reads `gateway.json`: `policy` by the names of the settings, `refusals` that were met before, `fetched` bytes
    /// in base64 by URL, and the gateway's `region`.
    pub(crate) fn read(file: Option<&[u8]>) -> Result<Self, String> {
        let mut gateway = Self::default();
        let Some(file) = file else { return Ok(gateway) };
        let known: Value = serde_json::from_slice(file).map_err(|error| format!("gateway.json: {error}"))?;
        let word = |name: &str| known["policy"][name].as_str();
        if let Some(name) = word("on_unsupported") {
            gateway.policy.on_unsupported = OnUnsupported::from_name(name).ok_or("gateway.json: on_unsupported")?;
        }
        if let Some(name) = word("prompt_caching") {
            gateway.policy.prompt_caching = PromptCaching::from_name(name).ok_or("gateway.json: prompt_caching")?;
        }
        if let (Some(id), Some(version)) = (word("guardrail_id"), word("guardrail_version")) {
            gateway.policy.guardrail = Some(Guardrail {
                id: id.to_owned(),
                version: version.to_owned(),
                trace: word("guardrail_trace").map(|_| Trace::Enabled),
                stream_mode: word("guardrail_stream_mode").map(|_| StreamMode::Async),
            });
        }
        if let Some(name) = word("bedrock_api") {
            gateway.policy.bedrock_api = Some(Api::named(name).ok_or("gateway.json: bedrock_api")?);
        }
        gateway.region = known["region"].as_str().map(ToOwned::to_owned);
        for refusal in known["refusals"].as_array().into_iter().flatten() {
            let message = refusal.as_str().unwrap_or_default();
            let parameters = ["temperature", "top_p", "top_k", "reasoning_effort", "foo"];
            let lesson = Lesson::of_refusal(message, &parameters).ok_or(format!("gateway.json: {message}"))?;
            gateway.lessons.push(lesson);
        }
        for (url, base64) in known["fetched"].as_object().into_iter().flatten() {
            let bytes = decode(base64.as_str().unwrap_or_default());
            let fetched = Fetched {
                bytes: bytes.into(),
                media_type: None,
            };
            gateway.remote.add(url, fetched);
        }
        Ok(gateway)
    }
}

impl Advisor for Gateway {
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        let directory = Directory {
            region: self.region.as_deref(),
            ..Directory::offline(Catalogue::built_in())
        };
        resolve(asked, &directory).map(Arc::new)
    }

    fn policy(&self, _: &[&str], _: bool) -> Policy {
        self.policy.clone()
    }

    fn lessons(&self, _: &str) -> Vec<Lesson> {
        self.lessons.clone()
    }
}

fn decode(base64: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextets = base64
        .bytes()
        .filter_map(|letter| ALPHABET.iter().position(|known| *known == letter));
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for sextet in sextets {
        held = held << 6 | sextet as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

/// Runs the case in `folder`.
pub(crate) fn run<E: Endpoint>(folder: &Path) -> Result<Outcome, String> {
    let read = |file: &str| std::fs::read(folder.join(file)).ok();
    let mut outcome = Outcome::new();
    let request = read("request.json");
    let gateway = Gateway::read(read("gateway.json").as_deref())?;
    let context = Context {
        advisor: Some(&gateway),
        remote: Some(&gateway.remote),
        ..*CONTEXT
    };
    let body = Bytes::copy_from_slice(request.as_deref().unwrap_or(ANY_REQUEST));
    let plan = match E::plan(&body, &context) {
        Ok(plan) => plan,
        Err(Halt::Problem(problem)) => {
            outcome.insert("error.json", refusal::<E>(&problem)?);
            return Ok(outcome);
        }
        Err(Halt::Fetch(urls)) => return Err(format!("gateway.json lacks what is at {urls:?}")),
        Err(Halt::LookUp(arn)) => return Err(format!("what is behind {arn} is not known")),
    };
    if request.is_some() {
        outcome.insert("call.json", call(&plan)?);
        if !plan.notes.is_empty() {
            outcome.insert("notes.txt", format!("{}\n", plan.notes));
        }
    }
    if let Some(reply) = read("reply.json") {
        match response::<E>(&plan, &split_replies(&reply)?)? {
            Ok(response) => outcome.insert("response.json", pretty(&text(response)?)),
            Err(problem) => outcome.insert("error.json", refusal::<E>(&problem)?),
        };
    }
    if let Some(events) = read("events.jsonl") {
        outcome.insert("stream.sse", stream::<E>(plan, &text(events)?)?);
    }
    Ok(outcome)
}

fn response<E: Endpoint>(plan: &Plan<E::Memo>, replies: &[String]) -> Result<Result<Vec<u8>, Problem>, String> {
    let at = |fault: &dyn std::fmt::Display| format!("reply.json: {fault}");
    if plan.wire.is_straight() {
        let bodies: Vec<&[u8]> = replies.iter().map(|reply| reply.as_bytes()).collect();
        let passed = E::pass(&plan.memo, &bodies).map_err(|fault| at(&fault))?;
        return Ok(Ok(passed.body));
    }
    let replies: Vec<_> = replies
        .iter()
        .map(|reply| {
            let headers = TokenCounts {
                input: Some(11),
                output: Some(7),
                ..TokenCounts::default()
            };
            plan.wire.reply(reply.as_bytes(), headers).map_err(|fault| at(&fault))
        })
        .collect::<Result<_, _>>()?;
    Ok(E::response(&plan.memo, &replies))
}

pub(crate) fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// As AWS calls it.
pub(crate) fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Converse => "Converse",
        Operation::ConverseStream => "ConverseStream",
        Operation::InvokeModel => "InvokeModel",
        Operation::InvokeModelWithResponseStream => "InvokeModelWithResponseStream",
        Operation::ChatCompletions => "ChatCompletions",
        Operation::ChatCompletionsStream => "ChatCompletionsStream",
        Operation::CountTokens => "CountTokens",
        Operation::ApplyGuardrail => "ApplyGuardrail",
        Operation::InvokeGuardrailChecks => "InvokeGuardrailChecks",
        Operation::Rerank => "Rerank",
    }
}

fn call<M>(plan: &Plan<M>) -> Result<String, String> {
    let mut out = Vec::new();
    ObjectWriter::write(&mut out, |call| {
        call.field("operation", operation_name(plan.operation));
        call.field("modelId", &plan.model_id);
        call.optional("region", &plan.region);
        if !plan.headers.is_empty() {
            call.object("headers", |headers| {
                for (name, value) in &plan.headers {
                    headers.field(name, value);
                }
            });
        }
        if plan.choices > 1 {
            call.field("times", &(plan.choices as u64));
        }
        call.key("body").extend_from_slice(&plan.body.to_vec());
        if !plan.further_bodies.is_empty() {
            let bodies = plan.further_bodies.iter().map(CallBody::to_vec);
            write_array(call.key("furtherBodies"), bodies, |body, out| {
                out.extend_from_slice(&body)
            });
        }
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
pub(crate) fn split_replies(reply: &[u8]) -> Result<Vec<String>, String> {
    let raw: Vec<&serde_json::value::RawValue> = match serde_json::from_slice(reply) {
        Ok(list) => list,
        Err(_) => vec![serde_json::from_slice(reply).map_err(|error| format!("reply.json: {error}"))?],
    };
    Ok(raw.into_iter().map(|reply| reply.get().to_owned()).collect())
}

fn stream<E: Endpoint>(plan: Plan<E::Memo>, events: &str) -> Result<String, String> {
    let mut stream = E::stream(plan.memo);
    let mut readers: Vec<_> = (0..plan.choices).map(|_| plan.wire.stream()).collect();
    let mut out = Vec::new();
    for (number, line) in events.lines().enumerate() {
        let at = |error: &dyn std::fmt::Display| format!("events.jsonl, line {}: {error}", number + 1);
        let members: BTreeMap<&str, &serde_json::value::RawValue> =
            serde_json::from_str(line).map_err(|error| at(&error))?;
        let member = |name: &str| members.get(name).map(|value| value.get());
        if let Some(problem) = member("problem") {
            stream.fail(&read_problem(problem).map_err(|error| at(&error))?, &mut out);
            return text(out);
        }
        let choice: usize = member("choice").map_or(Ok(0), str::parse).map_err(|error| at(&error))?;
        let (name, payload) = match (member("event"), member("chunk"), member("data")) {
            (Some(event), ..) => (
                event.trim_matches('"'),
                member("payload").ok_or_else(|| at(&"no payload"))?.to_owned(),
            ),
            // As Bedrock packs the chunks of a model's own.
            (None, Some(chunk), _) => (
                "chunk",
                format!(r#"{{"bytes":"{}"}}"#, outcrop_bedrock::base64::encode(chunk.as_bytes())),
            ),
            (None, None, Some(data)) => ("", data.trim_matches('"').to_owned()),
            (None, None, None) => return Err(at(&"no event, chunk or data")),
        };
        let reader = readers.get_mut(choice).ok_or_else(|| at(&"no such choice"))?;
        let read = reader.read(name, payload.as_bytes(), choice, &mut stream, &mut out);
        read.map_err(|fault| at(&fault))?;
    }
    for (choice, reader) in readers.iter_mut().enumerate() {
        if !reader.finish(choice, &mut stream, &mut out) {
            return Err("events.jsonl: a stream without an end or a problem is never finished".to_owned());
        }
    }
    if let Err(problem) = stream.finish(&mut out) {
        stream.fail(&problem, &mut out);
    }
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
