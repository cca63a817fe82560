//! Streams, however their bytes are cut.

use outcrop_bedrock::converse::Event;
use outcrop_bedrock::frame::FrameDecoder;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Endpoint, Problem, ProblemKind, StreamTranslator};
use proptest::prelude::*;
use proptest::sample::Index;
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
    let (mut decoder, mut stream, mut out) = (FrameDecoder::default(), ChatCompletions::stream(plan.memo), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame().unwrap() {
            stream.push(0, Event::parse(frame.name, frame.payload).unwrap(), &mut out);
        }
    }
    decoder.finish().unwrap();
    if let Err(problem) = stream.finish(&mut out) {
        stream.fail(&problem, &mut out);
    }
    String::from_utf8(out).unwrap()
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_stream(
        said in said(), include_usage in any::<bool>(), cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let bytes = said.bytes();
        let whole = stream(valid_plan(include_usage), std::iter::once(bytes.as_slice()));
        prop_assert_eq!(&stream(valid_plan(include_usage), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(valid_plan(include_usage), bytes.chunks(1)), &whole);
    }

    #[test]
    fn every_stream_ends_once(
        events in prop::collection::vec((0_usize..3, any::<Index>(), said()), 0..30),
        choices in 1_usize..3, include_usage in any::<bool>(), fails in any::<bool>(),
    ) {
        let request = json!({
            "model": "a.m", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "n": choices,
            "stream_options": {"include_usage": include_usage},
        });
        let memo = plan(&request).unwrap().memo;
        let (mut stream, mut out) = (ChatCompletions::stream(memo), Vec::new());
        for (choice, at, said) in &events {
            // Events in an order that no Bedrock ever sends.
            let all = said.events();
            let (name, payload) = at.get(&all);
            let payload = serde_json::to_vec(payload).unwrap();
            stream.push(*choice, Event::parse(name, &payload).unwrap(), &mut out);
            stream.keep_alive(&mut out);
        }
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
        for choice in 0..choices {
            let finished = chunks.iter().filter(|chunk| {
                chunk["choices"][0]["index"] == json!(choice) && !chunk["choices"][0]["finish_reason"].is_null()
            });
            prop_assert!(finished.count() <= 1);
        }
    }
}
