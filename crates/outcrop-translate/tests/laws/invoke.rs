//! The models' own bodies, and the straight route: a client can't tell by the answer how Bedrock was asked.

use bytes::Bytes;
use outcrop_bedrock::base64;
use outcrop_bedrock::call::{Operation, TokenCounts};
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Endpoint, Halt, Problem, ProblemKind, StreamTranslator};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::bodies::{Answer, MODELS, Shape, TOKENS, answer};
use crate::client::{fold, read_stream};
use crate::knowledge::request_to;
use crate::requests::{any_json, changed};
use crate::whole::{comparable, streamed, whole};
use crate::{CONTEXT, ChatPlan, plan};

const STRAIGHT: &str = "openai.gpt-oss-120b-1:0";

fn plan_for(model: &str, api: &str) -> ChatPlan {
    plan(&json!({
        "model": model,
        "bedrock_api": api,
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    }))
    .unwrap()
}

fn payload(chunk: &Value) -> Vec<u8> {
    format!(r#"{{"bytes":"{}"}}"#, base64::encode(chunk.to_string().as_bytes())).into_bytes()
}

/// What the client gets of these chunks, which need be none that a model sends.
fn stream(plan: ChatPlan, chunks: &[Value]) -> String {
    let (mut stream, mut out) = (ChatCompletions::stream(plan.memo), Vec::new());
    let mut reader = plan.wire.stream();
    let broken = || Problem::new(502, ProblemKind::Server, "It broke.");
    for chunk in chunks {
        let read = if plan.wire.is_straight() {
            let data = chunk.as_str().map_or_else(|| chunk.to_string(), ToOwned::to_owned);
            reader.read("", data.as_bytes(), 0, &mut stream, &mut out)
        } else {
            reader.read("chunk", &payload(chunk), 0, &mut stream, &mut out)
        };
        if read.is_err() {
            stream.fail(&broken(), &mut out);
            return String::from_utf8(out).unwrap();
        }
    }
    if !reader.finish(0, &mut stream, &mut out) {
        stream.fail(&broken(), &mut out);
    } else if let Err(problem) = stream.finish(&mut out) {
        stream.fail(&problem, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The chunks of an answer, with what it cost in the last one, as Bedrock tells it.
fn metered(shape: Shape, answer: &Answer) -> Vec<Value> {
    let mut chunks = shape.chunks(answer);
    let metrics = json!({"inputTokenCount": TOKENS.0, "outputTokenCount": TOKENS.1, "invocationLatency": 1});
    chunks.last_mut().unwrap()["amazon-bedrock-invocationMetrics"] = metrics;
    chunks
}

/// A choice's message and how it ends, of a stream that passed straight through.
fn passed(plan: &ChatPlan, body: &Value) -> (Value, Value) {
    let body = body.to_string();
    let passed = ChatCompletions::pass(&plan.memo, &[body.as_bytes()]).unwrap();
    let answer: Value = serde_json::from_slice(&passed.body).unwrap();
    let choice = &answer["choices"][0];
    (comparable(choice["message"].clone()), choice["finish_reason"].clone())
}

/// Chunks of any model, some of them changed.
fn any_chunks() -> impl Strategy<Value = Vec<Value>> {
    let chunk = || {
        (prop::sample::select(MODELS), answer(), any::<Index>())
            .prop_map(|((_, shape), answer, at)| at.get(&metered(shape, &answer)).clone())
    };
    let changed = chunk().prop_flat_map(|chunk| changed(move || chunk.clone()));
    prop::collection::vec(
        prop_oneof![6 => chunk(), 3 => changed, 1 => any_json(), 1 => Just(json!("[DONE]"))],
        0..12,
    )
}

/// A request that the text models take, too.
fn plain_request_to(model: &str) -> Value {
    let mut request = request_to(model);
    let messages = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "text", "text": "And why?"}]},
        {"role": "assistant", "content": "A stone."},
        {"role": "user", "content": "So?"},
    ]);
    let members = request.as_object_mut().unwrap();
    for name in ["tools", "tool_choice", "parallel_tool_calls", "response_format"] {
        members.remove(name);
    }
    request["messages"] = messages;
    request
}

fn request_by_invoke() -> impl Strategy<Value = Value> {
    let model = prop::sample::select(MODELS).prop_map(|(model, _)| model);
    let model = prop_oneof![8 => model, 1 => Just("ai21.j2-mid-v1")];
    (model, any::<bool>()).prop_flat_map(|(model, is_plain)| {
        changed(move || {
            let mut request = if is_plain {
                plain_request_to(model)
            } else {
                request_to(model)
            };
            request["bedrock_api"] = json!("invoke");
            request
        })
    })
}

proptest! {
    #[test]
    fn a_streamed_answer_is_the_whole_one_whatever_the_body((model, shape) in prop::sample::select(MODELS), answer in answer()) {
        let plan = plan_for(model, "invoke");
        let body = shape.whole(&answer).to_string();
        let tokens = TokenCounts { input: Some(TOKENS.0), output: Some(TOKENS.1), ..TokenCounts::default() };
        let reply = plan.wire.reply(body.as_bytes(), tokens).unwrap();
        let (message, reason, usage) = whole(ChatCompletions::response(&plan.memo, &[reply])).unwrap();
        let sse = stream(plan, &metered(shape, &answer));
        prop_assert_eq!(streamed(&sse).unwrap(), (message, reason, usage), "{}", sse);
    }

    #[test]
    fn a_straight_stream_is_the_straight_answer(answer in answer()) {
        let plan = plan_for(STRAIGHT, "openai");
        prop_assert!(plan.wire.is_straight());
        let whole = passed(&plan, &Shape::Chat.whole(&answer));
        let mut chunks = Shape::Chat.chunks(&answer);
        chunks.push(json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}));
        chunks.push(json!("[DONE]"));
        let sse = stream(plan, &chunks);
        let (message, finish_reason, usage) = fold(&sse);
        prop_assert_eq!((comparable(message), finish_reason), whole, "{}", sse);
        prop_assert_eq!(&usage["total_tokens"], 3);
    }

    #[test]
    fn a_stream_of_any_chunks_ends_once(
        (model, _) in prop::sample::select(MODELS), is_straight in prop::bool::weighted(0.2), chunks in any_chunks(),
    ) {
        let plan = if is_straight { plan_for(STRAIGHT, "openai") } else { plan_for(model, "invoke") };
        let sse = stream(plan, &chunks);
        let (chunks, is_done) = read_stream(&sse);
        let errors = chunks.iter().filter(|chunk| chunk["error"].is_object()).count();
        prop_assert_eq!(errors, usize::from(!is_done), "{}", sse);
        prop_assert_eq!(sse.matches("data: [DONE]\n").count(), usize::from(is_done));
        if !is_done {
            prop_assert!(chunks.last().unwrap()["error"].is_object());
        }
    }

    #[test]
    fn frames_that_hold_no_chunk_are_faults_or_nothing(
        (model, _) in prop::sample::select(MODELS), name in "chunk|chunks|[a-z]{0,5}", payload in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let plan = plan_for(model, "invoke");
        let (mut reader, mut stream, mut out) = (plan.wire.stream(), ChatCompletions::stream(plan.memo), Vec::new());
        if reader.read(&name, &payload, 0, &mut stream, &mut out).is_ok() {
            prop_assert!(out.is_empty() && name != "chunk");
        }
        prop_assert!(!reader.finish(0, &mut stream, &mut out), "what never began isn't whole");
    }

    #[test]
    fn any_request_is_planned_as_json_or_refused_clearly(request in request_by_invoke()) {
        let body = Bytes::from(request.to_string());
        let plan = || ChatCompletions::plan(&body, &CONTEXT);
        match plan() {
            Ok(first) => {
                let document = first.body.to_vec();
                prop_assert!(serde_json::from_slice::<Value>(&document).unwrap().is_object());
                let again = plan().unwrap();
                prop_assert_eq!(again.body.to_vec(), document);
                prop_assert_eq!((again.headers, again.notes), (first.headers, first.notes));
                prop_assert_eq!(again.operation, first.operation);
                if request["bedrock_api"] == "invoke" && MODELS.iter().any(|(model, _)| request["model"] == *model) {
                    let by_invoke = [Operation::InvokeModel, Operation::InvokeModelWithResponseStream];
                    prop_assert!(by_invoke.contains(&first.operation), "{:?}", first.operation);
                }
            }
            Err(Halt::Problem(problem)) => {
                prop_assert!(matches!(problem.status, 400 | 404), "{problem:?}");
                prop_assert!(!problem.message.is_empty());
            }
            Err(Halt::Fetch(urls)) => prop_assert!(!urls.is_empty()),
            Err(Halt::LookUp(arn)) => prop_assert!(arn.starts_with("arn:")),
        }
    }
}

#[test]
fn an_answer_joins_the_beginning_that_the_client_gave_it() {
    let plan = plan(&json!({
        "model": "anthropic.claude-v2:1",
        "bedrock_api": "invoke",
        "messages": [
            {"role": "user", "content": "Capital?"},
            {"role": "assistant", "content": "The capital of France is"},
        ],
        "stream": true,
    }));
    let sse = stream(
        plan.unwrap(),
        &[json!({"completion": " Paris.", "stop_reason": "stop_sequence"})],
    );
    assert_eq!(fold(&sse).0["content"], " Paris.", "{sse}");
}

#[test]
fn a_plan_tells_what_a_call_may_cost_whichever_way_it_goes() {
    let image = base64::encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0");
    for (model, api) in [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "converse"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "invoke"),
    ] {
        let plan = plan(&json!({
            "model": model,
            "bedrock_api": api,
            "max_tokens": 77,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{image}")}},
            ]}],
        }))
        .unwrap();
        assert_eq!(plan.size.max_tokens, Some(77));
        assert_eq!(plan.size.media.images, 1);
        assert_eq!(plan.size.media.image_chars, image.len() as u64);
        assert_eq!(plan.size.media.other_chars, 0);
    }
    let plan = plan_for(STRAIGHT, "openai");
    assert_eq!((plan.size.max_tokens, plan.size.media.images), (None, 0));
}
