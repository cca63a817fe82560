//! Event-stream frames of ConverseStream, built once and shared by all streams of the stub.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

use crate::error::{Error, Result};

/// Pieces of text as a model streams them: mostly a word, now and then what JSON must escape.
const WORDS: [&str; 16] = [
    " the",
    " gateway",
    " reads",
    " a",
    " frame",
    ",",
    " then",
    " \"writes\"",
    " one",
    ".\n\n",
    "```rust\n",
    "    let",
    " café",
    " →",
    " answer",
    " streaming",
];

/// Bedrock pads each event with a run of this, of a varying length, so that sizes on the wire don't give the text away.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The ready-made frames of a stream.
#[derive(Debug)]
pub(crate) struct Script {
    /// `messageStart`.
    pub(crate) start: Bytes,
    /// `contentBlockDelta`s to be sent round and round.
    pub(crate) deltas: Vec<Bytes>,
    /// `contentBlockStop`, `messageStop` and `metadata`.
    pub(crate) end: [Bytes; 3],
}

impl Script {
    /// Frames whose deltas carry `text_bytes` bytes of text each, or one word if zero.
    pub(crate) fn new(text_bytes: usize) -> Result<Self> {
        let deltas = (0..4 * WORDS.len())
            .map(|i| {
                let payload = serde_json::json!({
                    "contentBlockIndex": 0,
                    "delta": {"text": text(i, text_bytes)},
                    "p": padding(i),
                });
                frame("contentBlockDelta", &payload)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            start: frame(
                "messageStart",
                &serde_json::json!({"p": padding(5), "role": "assistant"}),
            )?,
            deltas,
            end: [
                frame(
                    "contentBlockStop",
                    &serde_json::json!({"contentBlockIndex": 0, "p": padding(11)}),
                )?,
                frame(
                    "messageStop",
                    &serde_json::json!({"p": padding(3), "stopReason": "end_turn"}),
                )?,
                frame(
                    "metadata",
                    &serde_json::json!({
                        "metrics": {"latencyMs": 1234},
                        "p": padding(8),
                        "usage": {"inputTokens": 25, "outputTokens": 500, "totalTokens": 525},
                    }),
                )?,
            ],
        })
    }
}

/// The text of delta number `i`.
fn text(i: usize, bytes: usize) -> String {
    let mut text = WORDS[i % WORDS.len()].to_owned();
    let mut next = i + 1;
    while text.len() < bytes {
        text.push_str(WORDS[next % WORDS.len()]);
        next += 1;
    }
    text
}

/// The padding of event number `i`: 4 to 61 characters.
fn padding(i: usize) -> &'static str {
    &PADDING[..4 + i * 7 % 58]
}

/// One frame, with checksums and the headers Bedrock sends.
fn frame(event: &str, payload: &serde_json::Value) -> Result<Bytes> {
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(Bytes::from(serde_json::to_vec(payload)?))
        .add_header(header(":event-type", event))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).map_err(|error| Error::Malformed(format!("frame {event}: {error}")))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back_by_the_judge_of_the_format() {
        let script = Script::new(0).unwrap();
        for bytes in script.deltas.iter().chain([&script.start]).chain(&script.end) {
            let message = aws_smithy_eventstream::frame::read_message_from(bytes.clone()).unwrap();
            assert_eq!(message.headers().len(), 3);
            serde_json::from_slice::<serde_json::Value>(message.payload()).unwrap();
        }
    }

    #[test]
    fn a_delta_is_as_long_as_asked() {
        assert!(
            Script::new(4096)
                .unwrap()
                .deltas
                .iter()
                .all(|delta| (4096..5200).contains(&delta.len()))
        );
    }
}
