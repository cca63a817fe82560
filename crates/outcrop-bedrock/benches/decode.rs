//! Frames of a stream decoded, ours against `aws-smithy-eventstream`: a thousand deltas that arrive in reads of 4 KB.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::BytesMut;
use divan::counter::ItemsCount;
use outcrop_bedrock::converse::Event;
use outcrop_bedrock::frame::FrameDecoder;

const FRAMES: usize = 1000;
const READ_BYTES: usize = 4096;
/// Bytes of text in each delta: a word, a paragraph.
const SIZES: [usize; 2] = [6, 600];

fn main() {
    divan::main();
}

fn stream(text_bytes: usize) -> Vec<u8> {
    let header = |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let text = "a".repeat(text_bytes);
    let payload = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}},"p":"abcdefghijklmnopqrstuv"}}"#);
    let message = Message::new(payload)
        .add_header(header(":event-type", "contentBlockDelta"))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut bytes = Vec::new();
    for _ in 0..FRAMES {
        write_message_to(&message, &mut bytes).unwrap();
    }
    bytes
}

#[divan::bench(args = SIZES)]
fn ours(bencher: divan::Bencher<'_, '_>, text_bytes: usize) {
    let bytes = stream(text_bytes);
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        let mut decoder = FrameDecoder::default();
        for read in bytes.chunks(READ_BYTES) {
            decoder.push(read);
            while let Some(frame) = decoder.next_frame().unwrap() {
                black_box(frame);
            }
        }
    });
}

/// The same and what the frames say.
#[divan::bench(args = SIZES)]
fn ours_to_events(bencher: divan::Bencher<'_, '_>, text_bytes: usize) {
    let bytes = stream(text_bytes);
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        let mut decoder = FrameDecoder::default();
        for read in bytes.chunks(READ_BYTES) {
            decoder.push(read);
            while let Some(frame) = decoder.next_frame().unwrap() {
                black_box(Event::parse(frame.name, frame.payload).unwrap());
            }
        }
    });
}

#[divan::bench(args = SIZES)]
fn aws_smithy_eventstream(bencher: divan::Bencher<'_, '_>, text_bytes: usize) {
    let bytes = stream(text_bytes);
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        let (mut decoder, mut buffer) = (MessageFrameDecoder::new(), BytesMut::new());
        for read in bytes.chunks(READ_BYTES) {
            buffer.extend_from_slice(read);
            while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut buffer).unwrap() {
                black_box(message);
            }
        }
    });
}
