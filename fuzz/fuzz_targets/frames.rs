//! Bytes to frames: as they come, with their checksums corrected, and cut in two; whichever way, the frames are the
//! same, and a decoder never invents or loses a byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::converse::Event;
use outcrop_bedrock::frame::{FrameDecoder, FrameError};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&with_checksums(bytes));
});

fn check(bytes: &[u8]) {
    let whole = decode(&[bytes]);
    let (start, end) = bytes.split_at(bytes.first().map_or(0, |&first| usize::from(first).min(bytes.len())));
    assert_eq!(decode(&[start, end]), whole);
    let singly: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(&singly), whole);
}

/// The names and payloads of the frames, and how the stream ended.
fn decode(pieces: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Result<(), FrameError>) {
    let (mut decoder, mut frames) = (FrameDecoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            let peeked = decoder
                .peek_frame()
                .map(|frame| frame.map(|frame| frame.payload.to_owned()));
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    assert_eq!(peeked, Ok(Some(frame.payload.to_owned())));
                    let _ = Event::parse(frame.name, frame.payload);
                    frames.push((frame.name.to_owned(), frame.payload.to_owned()));
                }
                Ok(None) => break assert_eq!(peeked, Ok(None)),
                Err(error) => {
                    assert_eq!(peeked, Err(error));
                    return (frames, Err(error));
                }
            }
        }
    }
    (frames, decoder.finish())
}

/// The same bytes as frames whose checksums are right, as far as their lengths allow.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while bytes.len() - at >= 16 {
        let left = bytes.len() - at;
        // Lengths at random are never right; those that can't be become one that is.
        let mut total = u32::from_be_bytes([0, 0, bytes[at + 2], bytes[at + 3]]) as usize;
        if !(16..=left).contains(&total) {
            total = left;
        }
        let headers = usize::from(bytes[at + 7]) % (total - 15);
        bytes[at..at + 4].copy_from_slice(&(total as u32).to_be_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&(headers as u32).to_be_bytes());
        let prelude = crc32fast::hash(&bytes[at..at + 8]);
        bytes[at + 8..at + 12].copy_from_slice(&prelude.to_be_bytes());
        let end = at + total;
        let message = crc32fast::hash(&bytes[at..end - 4]);
        bytes[end - 4..end].copy_from_slice(&message.to_be_bytes());
        at = end;
    }
    bytes
}
