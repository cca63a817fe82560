<<<<<<< HEAD
//! Answers, streamed and whole.

use outcrop_bedrock::converse::{ConverseResponse, Event};
=======
//! Streams, however their bytes are cut.

use outcrop_bedrock::converse::Event;
>>>>>>> main
use outcrop_bedrock::frame::FrameDecoder;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Endpoint, Problem, ProblemKind, StreamTranslator};
use proptest::prelude::*;
use proptest::sample::Index;
<<<<<<< HEAD
use serde_json::{Value, json};

use super::asked::{Asked, asked};
use super::client::{Answer, fold, read_stream};
use super::said::{pieces, said};
use super::{ChatPlan, plan};

fn plan_of(asked: &Asked) -> ChatPlan {
    plan(&asked.request).unwrap()
}

/// The client's bytes for an answer that comes as these pieces of bytes.
fn stream<'a>(plan: ChatPlan, pieces: impl Iterator<Item = &'a [u8]>) -> String {
=======
use serde_json::json;

use crate::client::read_stream;
use crate::said::{pieces, said};
use crate::{ChatPlan, plan};

fn valid_plan(include_usage: bool) -> ChatPlan {
    plan(&json!({
        "model": "us.amazon.nova-lite-v1:0",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "stream_options": {"include_usage": include_usage},
    }))
    .unwrap()
}

/// The client's bytes for an answer that comes as these pieces of bytes.
pub(crate) fn stream<'a>(plan: ChatPlan, pieces: impl Iterator<Item = &'a [u8]>) -> String {
>>>>>>> main
    let (mut decoder, mut stream, mut out) = (FrameDecoder::default(), ChatCompletions::stream(plan.memo), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame().unwrap() {
            stream.push(0, Event::parse(frame.name, frame.payload).unwrap(), &mut out);
        }
    }
    decoder.finish().unwrap();
<<<<<<< HEAD
    end(stream, out)
}

/// Ends a stream as it deserves.
fn end(mut stream: impl StreamTranslator, mut out: Vec<u8>) -> String {
=======
>>>>>>> main
    if let Err(problem) = stream.finish(&mut out) {
        stream.fail(&problem, &mut out);
    }
    String::from_utf8(out).unwrap()
}

<<<<<<< HEAD
/// The client's bytes for a whole reply that is streamed by us.
fn stream_of_reply(plan: ChatPlan, reply: &[u8]) -> String {
    let (mut stream, mut out) = (ChatCompletions::stream(plan.memo), Vec::new());
    for event in ConverseResponse::parse(reply).unwrap().into_events() {
        stream.push(0, event, &mut out);
    }
    end(stream, out)
}

/// The whole answer, or what is said instead.
fn answer(plan: &ChatPlan, reply: &[u8]) -> Result<Answer, String> {
    let reply = ConverseResponse::parse(reply).unwrap();
    let answer = ChatCompletions::response(&plan.memo, &[reply]).map_err(|problem| problem.message)?;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    Ok(Answer {
        message: answer["choices"][0]["message"].clone(),
        finish_reason: answer["choices"][0]["finish_reason"].clone(),
        usage: answer["usage"].clone(),
    })
}

/// Whether a stream says what the whole answer says.
fn check_same(sse: &str, whole: Result<Answer, String>, asked: &Asked) -> Result<(), TestCaseError> {
    match (fold(sse), whole) {
        (Ok(mut folded), Ok(mut whole)) => {
            for answer in [&mut folded, &mut whole] {
                level(&mut answer.message);
                if asked.request["stream_options"]["include_usage"] == json!(false) {
                    answer.usage = Value::Null;
                }
            }
            prop_assert_eq!(folded, whole);
        }
        (folded, whole) => prop_assert_eq!(folded.err(), whole.err()),
    }
    Ok(())
}

/// Takes out of a message what a stream can't say as a whole answer does.
fn level(message: &mut Value) {
    let message = message.as_object_mut().unwrap();
    // It can't take back the empty text that it starts with, nor send thoughts that are empty.
    if message["content"].is_null() {
        message["content"] = json!("");
    }
    if message.get("reasoning_content") == Some(&json!("")) {
        message.remove("reasoning_content");
    }
    // It leaves out thoughts that neither say nor prove anything, and doesn't know yet whether others will be signed.
    let is_proved = |block: &Value| block["signature"].is_string() || block["data"].is_string();
    if let Some(Value::Array(blocks)) = message.get_mut("thinking_blocks") {
        blocks.retain(|block| is_proved(block) || block["thinking"] != json!(""));
        if !blocks.iter().any(is_proved) {
            message.remove("thinking_blocks");
        }
    }
    // How JSON is spaced is the model's affair.
    if let Some(content) = message["content"]
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
    {
        message["content"] = content;
    }
    for call in message
        .get_mut("tool_calls")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let arguments = call["function"]["arguments"].as_str().unwrap();
        call["function"]["arguments"] = serde_json::from_str(arguments).unwrap();
    }
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_stream(
        said in said(), asked in asked(), cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let bytes = said.bytes();
        let whole = stream(plan_of(&asked), std::iter::once(bytes.as_slice()));
        prop_assert_eq!(&stream(plan_of(&asked), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(plan_of(&asked), bytes.chunks(1)), &whole);
    }

    #[test]
    fn a_stream_put_together_is_the_whole_answer(said in said(), asked in asked()) {
        let said = said.answering(&asked);
        let sse = stream(plan_of(&asked), std::iter::once(said.bytes().as_slice()));
        check_same(&sse, answer(&plan_of(&asked), said.reply().to_string().as_bytes()), &asked)?;
    }

    #[test]
    fn a_whole_reply_that_is_streamed_is_the_whole_answer(said in said(), asked in asked()) {
        let reply = said.answering(&asked).reply().to_string();
        let sse = stream_of_reply(plan_of(&asked), reply.as_bytes());
        check_same(&sse, answer(&plan_of(&asked), reply.as_bytes()), &asked)?;
    }

    #[test]
    fn nothing_of_a_choice_follows_its_end(said in said(), asked in asked()) {
        let said = said.answering(&asked);
        let sse = stream(plan_of(&asked), std::iter::once(said.bytes().as_slice()));
        let chunks = read_stream(&sse).0;
        let end = chunks.iter().position(|chunk| chunk["choices"][0]["finish_reason"].is_string());
        let behind = &chunks[end.map_or(chunks.len(), |end| end + 1)..];
        prop_assert!(behind.iter().all(|chunk| chunk["choices"] == json!([])), "{sse}");
=======
proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_stream(
        said in said(), include_usage in any::<bool>(), cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let bytes = said.bytes();
        let whole = stream(valid_plan(include_usage), std::iter::once(bytes.as_slice()));
        prop_assert_eq!(&stream(valid_plan(include_usage), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(valid_plan(include_usage), bytes.chunks(1)), &whole);
>>>>>>> main
    }

    #[test]
    fn every_stream_ends_once(
        events in prop::collection::vec((0_usize..3, any::<Index>(), said()), 0..30),
<<<<<<< HEAD
        asked in asked(), choices in 1_usize..3, fails in any::<bool>(),
    ) {
        let mut asked = asked;
        asked.request["n"] = json!(choices);
        let (mut stream, mut out) = (ChatCompletions::stream(plan_of(&asked).memo), Vec::new());
=======
        choices in 1_usize..3, include_usage in any::<bool>(), fails in any::<bool>(),
    ) {
        let request = json!({
            "model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "n": choices,
            "stream_options": {"include_usage": include_usage},
        });
        let memo = plan(&request).unwrap().memo;
        let (mut stream, mut out) = (ChatCompletions::stream(memo), Vec::new());
>>>>>>> main
        for (choice, at, said) in &events {
            // Events in an order that no Bedrock ever sends.
            let all = said.events();
            let (name, payload) = at.get(&all);
            let payload = serde_json::to_vec(payload).unwrap();
            stream.push(*choice, Event::parse(name, &payload).unwrap(), &mut out);
            stream.keep_alive(&mut out);
        }
<<<<<<< HEAD
        let sse = if fails {
            stream.fail(&Problem::new(502, ProblemKind::Server, "It \"broke\".\n"), &mut out);
            String::from_utf8(out).unwrap()
        } else {
            end(stream, out)
        };
        prop_assert!(sse.ends_with("\n\n"));
        let (chunks, done) = read_stream(&sse);
        // An answer without its form is no answer, however the stream ended.
        let is_refused = chunks.last().is_some_and(|last| last["error"].is_object());
        prop_assert!(is_refused || !fails);
        prop_assert_eq!(done, !is_refused);
        prop_assert_eq!(sse.matches("[DONE]").count(), usize::from(done));
        prop_assert_eq!(chunks.iter().filter(|chunk| chunk["error"].is_object()).count(), usize::from(is_refused));
=======
        if fails {
            stream.fail(&Problem::new(502, ProblemKind::Server, "It \"broke\".\n"), &mut out);
        } else {
            if let Err(problem) = stream.finish(&mut out) {
                stream.fail(&problem, &mut out);
            }
        }
        let sse = String::from_utf8(out).unwrap();
        prop_assert!(sse.ends_with("\n\n"));
        prop_assert_eq!(sse.matches("[DONE]").count(), usize::from(!fails));
        let (chunks, done) = read_stream(&sse);
        prop_assert_eq!(done, !fails);
        prop_assert_eq!(chunks.last().is_some_and(|last| last["error"].is_object()), fails);
        prop_assert_eq!(chunks.iter().filter(|chunk| chunk["error"].is_object()).count(), usize::from(fails));
>>>>>>> main
        for choice in 0..choices {
            let finished = chunks.iter().filter(|chunk| {
                chunk["choices"][0]["index"] == json!(choice) && !chunk["choices"][0]["finish_reason"].is_null()
            });
            prop_assert!(finished.count() <= 1);
        }
    }
}
