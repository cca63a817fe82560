//! Event-stream frames, as Bedrock writes them.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use crate::refusal::Refusal;

const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HUGE: u32 = 1 << 30;

/// How a stream is written.
#[derive(Clone, Copy)]
pub(crate) enum Wire {
    EventStream,
    /// Server-sent events, as OpenAI writes them.
    Sse,
}

/// A frame, ready to be sent.
pub(crate) struct Framed {
    pub(crate) bytes: Bytes,
    /// If the answer is at its end, so that this tells how it ended.
    pub(crate) closing: bool,
}

impl Wire {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Wire::EventStream => "application/vnd.amazon.eventstream",
            Wire::Sse => "text/event-stream",
        }
    }

    pub(crate) fn exception(self, refusal: &Refusal) -> Bytes {
        match self {
            Wire::EventStream => exception(refusal),
            Wire::Sse => sse(
                &json!({"error": {"message": refusal.message, "type": refusal.exception, "code": refusal.status().as_u16()}}),
            ),
        }
    }

    /// A frame that can't be read.
    pub(crate) fn corrupt(self, frame: &Bytes) -> Bytes {
        match self {
            Wire::EventStream => corrupt(frame),
            Wire::Sse => [&frame[..frame.len() / 2], b"\n\n"].concat().into(),
        }
    }

    /// The start of a frame that never ends.
    pub(crate) fn huge(self) -> Bytes {
        match self {
            Wire::EventStream => huge(),
            Wire::Sse => [&b"data: {\"id\":\""[..], &[b'x'; 4096]].concat().into(),
        }
    }
}

/// A server-sent event.
pub(crate) fn sse(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// An event's frame. Bedrock pads each payload (`p`) so that its length doesn't tell the text; `number` decides by how
/// much, so that the same answer has the same bytes.
pub(crate) fn event(name: &str, mut payload: Value, number: usize) -> Bytes {
    if let Value::Object(fields) = &mut payload {
        let length = (number * 37 + name.len()) % (PADDING.len() + 1);
        fields.insert("p".to_owned(), PADDING[..length].into());
    }
    frame(":event-type", name, "event", payload.to_string().into())
}

/// An exception's frame. In a stream, exceptions are named as members: `throttlingException`.
fn exception(refusal: &Refusal) -> Bytes {
    let mut name = refusal.exception.clone();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    frame(":exception-type", &name, "exception", refusal.payload())
}

/// A frame whose last byte, of its checksum, is wrong.
fn corrupt(frame: &Bytes) -> Bytes {
    let mut bytes = frame.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 0xff;
    }
    bytes.into()
}

/// The start of a frame whose prelude, with a right checksum, announces 1 GiB.
fn huge() -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u32(HUGE);
    bytes.put_u32(0);
    bytes.put_u32(crc32(&bytes));
    bytes.extend_from_slice(&[b'x'; 4096]);
    bytes.freeze()
}

fn frame(type_header: &'static str, name: &str, message_type: &'static str, payload: Bytes) -> Bytes {
    let text = |text: &str| HeaderValue::String(text.to_owned().into());
    let message = Message::new(payload)
        .add_header(Header::new(type_header, text(name)))
        .add_header(Header::new(":content-type", text("application/json")))
        .add_header(Header::new(":message-type", text(message_type)));
    let mut bytes = BytesMut::new();
    // It fails on headers or payloads that are too long only, and ours are neither.
    let _ = write_message_to(&message, &mut bytes);
    bytes.freeze()
}

/// CRC-32 as in zlib, bit by bit: the one checksum that the frame crate can't make for us, of a frame that isn't one.
fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;
    use serde_json::json;

    use super::*;

    fn header(message: &Message, name: &str) -> String {
        let found = message
            .headers()
            .iter()
            .find(|header| header.name().as_str() == name)
            .expect("the header");
        found.value().as_string().unwrap().as_str().to_owned()
    }

    #[test]
    fn an_event_reads_back() {
        let frame = event(
            "contentBlockDelta",
            json!({"delta": {"text": "hi"}, "contentBlockIndex": 0}),
            1,
        );
        let message = read_message_from(&frame[..]).unwrap();
        let names: Vec<_> = message
            .headers()
            .iter()
            .map(|header| header.name().as_str().to_owned())
            .collect();
        assert_eq!(names, [":event-type", ":content-type", ":message-type"]);
        assert_eq!(header(&message, ":event-type"), "contentBlockDelta");
        assert_eq!(header(&message, ":message-type"), "event");
        let payload: Value = serde_json::from_slice(message.payload()).unwrap();
        assert_eq!(payload["delta"]["text"], "hi");
        assert!(payload["p"].is_string());
    }

    #[test]
    fn an_exception_is_named_as_a_member() {
        let frame = exception(&Refusal::new("ThrottlingException", "slow down"));
        let message = read_message_from(&frame[..]).unwrap();
        assert_eq!(header(&message, ":exception-type"), "throttlingException");
        assert_eq!(header(&message, ":message-type"), "exception");
        assert_eq!(message.payload().as_ref(), br#"{"message":"slow down"}"#);
    }

    #[test]
    fn a_corrupt_frame_is_refused() {
        let frame = corrupt(&event("messageStop", json!({}), 0));
        assert!(read_message_from(&frame[..]).is_err());
    }

    #[test]
    fn the_huge_prelude_has_a_right_checksum() {
        let frame = huge();
        assert_eq!(frame[8..12], crc32fast::hash(&frame[..8]).to_be_bytes());
    }
}
