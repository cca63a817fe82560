//! Chunks of any kind, as answers of models with bodies of their own and as what passes straight through: each line of
//! the stream is JSON, it ends once, and server-sent events are the same however their bytes are cut.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::base64;
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::sse::SseDecoder;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::{Catalogue, Context, Endpoint, Problem, ProblemKind, StreamTranslator};
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Script {
    model: u8,
    stop: Option<String>,
    include_usage: bool,
    chunks: Vec<Chunk>,
    cuts: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Chunk {
    /// One that some model sends, with this text, word and number.
    Known {
        shape: u8,
        text: String,
        word: u8,
        number: u8,
    },
    Metrics {
        input: u32,
        output: u32,
    },
    Guardrail,
    Done,
    Any(Vec<u8>),
}

/// A model of each shape; the last one's answers pass.
const MODELS: &[&str] = &[
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "anthropic.claude-v2:1",
    "amazon.titan-text-express-v1",
    "cohere.command-text-v14",
    "cohere.command-r-plus-v1:0",
    "ai21.j2-mid-v1",
    "ai21.jamba-1-5-mini-v1:0",
    "us.meta.llama3-1-70b-instruct-v1:0",
    "mistral.mistral-7b-instruct-v0:2",
    "mistral.mistral-large-2407-v1:0",
    "us.deepseek.r1-v1:0",
    "us.amazon.nova-lite-v1:0",
    "qwen.qwen3-32b-v1:0",
    "bedrock/qwen2/arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
    "openai.gpt-oss-120b-1:0",
];

const WORDS: &[&str] = &[
    "stop",
    "length",
    "end_turn",
    "tool_use",
    "max_tokens",
    "COMPLETE",
    "MAX_TOKENS",
    "ERROR",
    "FINISH",
    "refusal",
    "content_block_start",
    "content_block_stop",
    "message_delta",
    "error",
    "tool_calls",
    "endoftext",
    "",
];

const TAGS: &[&str] = &["<reasoning>", "</reasoning>", "<think>", "</think>", "<rea", "</thi"];

impl Chunk {
    fn bytes(&self) -> Vec<u8> {
        let document = match self {
            Self::Known {
                shape,
                text,
                word,
                number,
            } => known(*shape, text, WORDS[usize::from(*word) % WORDS.len()], *number),
            Self::Metrics { input, output } => {
                json!({"amazon-bedrock-invocationMetrics": {"inputTokenCount": input, "outputTokenCount": output}})
            }
            Self::Guardrail => {
                json!({"amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {"guardrail": {}}})
            }
            Self::Done => return b"[DONE]".to_vec(),
            Self::Any(bytes) => return bytes.clone(),
        };
        document.to_string().into_bytes()
    }
}

/// What models send.
fn known(shape: u8, text: &str, word: &str, number: u8) -> Value {
    let choice = |delta: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
    match shape % 26 {
        0 => json!({"type": "content_block_delta", "index": number, "delta": {"type": "text_delta", "text": text}}),
        1 => json!({"type": "content_block_start", "index": number,
            "content_block": {"type": "tool_use", "id": text, "name": word, "input": {}}}),
        2 => json!({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": text}}),
        3 => {
            json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": text, "signature": word}})
        }
        4 => {
            json!({"type": word, "delta": {"stop_reason": word}, "usage": {"output_tokens": number}, "error": {"message": text}})
        }
        5 => json!({"completion": text, "stop_reason": word, "stop": null}),
        6 => json!({"outputText": text, "completionReason": word, "totalOutputTextTokenCount": number}),
        7 => json!({"text": text, "is_finished": false}),
        8 => json!({"is_finished": true, "finish_reason": word}),
        9 => json!({"event_type": "text-generation", "text": text}),
        10 => json!({"event_type": "tool-calls-generation", "text": text,
            "tool_calls": [{"name": text, "parameters": {"a": number}}]}),
        11 => json!({"event_type": "stream-end", "finish_reason": word, "response": {"text": text}}),
        12 => json!({"completions": [{"data": {"text": text}, "finishReason": {"reason": word}}]}),
        13 => json!({"generation": text, "stop_reason": null, "generation_token_count": number}),
        14 => json!({"generation": "", "stop_reason": word}),
        15 => json!({"outputs": [{"text": text, "stop_reason": word}]}),
        16 => json!({"choices": [{"text": text, "stop_reason": word}]}),
        17 => json!({"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": number}}),
        18 => {
            json!({"contentBlockStart": {"start": {"toolUse": {"toolUseId": text, "name": word}}, "contentBlockIndex": number}})
        }
        19 => json!({"contentBlockDelta": {"delta": {"toolUse": {"input": text}}, "contentBlockIndex": number}}),
        20 => json!({"messageStop": {"stopReason": word}, "metadata": {"usage": {"inputTokens": number}}}),
        21 => choice(json!({"role": "assistant", "content": text})),
        22 => choice(json!({"reasoning_content": text})),
        23 => choice(
            json!({"tool_calls": [{"index": number % 3, "id": word, "function": {"name": word, "arguments": text}}]}),
        ),
        24 => choice(json!({"content": TAGS[usize::from(number) % TAGS.len()]})),
        _ => json!({"choices": [{"index": 0, "delta": {"refusal": text}, "finish_reason": word}],
            "usage": {"prompt_tokens": number, "completion_tokens": number}}),
    }
}

fuzz_target!(|script: Script| {
    let model = MODELS[usize::from(script.model) % MODELS.len()];
    let is_straight = model.starts_with("openai.");
    let request = json!({
        "model": model,
        "bedrock_api": if is_straight { "openai" } else { "invoke" },
        "messages": [{"role": "user", "content": "Hi"}],
        "stop": script.stop.iter().filter(|stop| !is_straight && !stop.is_empty()).collect::<Vec<_>>(),
        "stream": true,
        "stream_options": {"include_usage": script.include_usage},
    });
    let context = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: None,
        max_choices: 4,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    let Ok(plan) = ChatCompletions::plan(&request.to_string().into_bytes().into(), &context) else {
        return;
    };
    let chunks: Vec<Vec<u8>> = script.chunks.iter().map(Chunk::bytes).collect();

    // Whole answers of any form do no harm, either.
    for chunk in &chunks {
        if is_straight {
            let _ = ChatCompletions::pass(&plan.memo, &[chunk]);
        } else if let Ok(reply) = plan.wire.reply(chunk, TokenCounts::default()) {
            let _ = ChatCompletions::response(&plan.memo, &[reply]);
        }
    }

    let (mut reader, mut stream, mut out) = (plan.wire.stream(), ChatCompletions::stream(plan.memo), Vec::new());
    let broken = Problem::new(502, ProblemKind::Server, "It broke.");
    let events = if is_straight {
        events(&chunks, &script.cuts)
    } else {
        chunks
    };
    let is_read = events.iter().all(|chunk| {
        let read = if is_straight {
            reader.read("", chunk, 0, &mut stream, &mut out)
        } else {
            let payload = format!(r#"{{"bytes":"{}"}}"#, base64::encode(chunk));
            reader.read("chunk", payload.as_bytes(), 0, &mut stream, &mut out)
        };
        read.is_ok()
    });
    let is_whole = is_read && reader.finish(0, &mut stream, &mut out);
    if !is_whole || stream.finish(&mut out).is_err() {
        stream.fail(&broken, &mut out);
    }
    let sse = String::from_utf8(out).expect("a stream is text");
    let mut data: Vec<&str> = sse.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let last = data.pop().expect("a stream says something");
    let chunks: Vec<Value> = data
        .iter()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert!(
        chunks.iter().all(|chunk| !chunk["error"].is_object()),
        "an error is the end: {sse}"
    );
    if last != "[DONE]" {
        let last: Value = serde_json::from_str(last).expect("each line is JSON");
        assert!(last["error"].is_object(), "{sse}");
    }
});

/// The chunks as server-sent events, as they come out of bytes that are cut.
fn events(chunks: &[Vec<u8>], cuts: &[u8]) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for chunk in chunks {
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\n\n");
    }
    let decode = |lengths: &mut dyn Iterator<Item = usize>| {
        let (mut decoder, mut found, mut rest) = (SseDecoder::default(), Vec::new(), bytes.as_slice());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(lengths.next().unwrap_or(rest.len()).clamp(1, rest.len()));
            decoder.push(piece);
            while let Some(event) = decoder.next_event().expect("no event is too large") {
                found.push(event);
            }
            rest = after;
        }
        found
    };
    let whole = decode(&mut std::iter::empty());
    assert_eq!(decode(&mut cuts.iter().map(|cut| usize::from(*cut))), whole);
    assert_eq!(decode(&mut std::iter::repeat(1)), whole);
    whole
}
