//! Event-stream frames (`application/vnd.amazon.eventstream`): bytes in, frames out, however the bytes were cut.
//!
//! Layout, from the Smithy specification of the Amazon event stream (read 2026-11): total length and header length
//! (big-endian `u32`), CRC-32 of those eight bytes, the headers, the payload, CRC-32 of everything before it.
//! `aws-smithy-eventstream` copies header names and payload for each frame; here both are borrowed from the buffer.
//! It is the oracle of the tests.

/// The prelude: two lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
/// What surrounds headers and payload: the prelude and the checksum at the end.
const ENVELOPE_BYTES: usize = PRELUDE_BYTES + 4;
/// The largest frame that is accepted: AWS's limit for a payload (16 MiB) and for headers (128 KiB), and the envelope.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024 + 128 * 1024 + ENVELOPE_BYTES;

/// Why bytes are not a frame. After any of these the stream can't be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A length in the prelude can't be.
    #[error("an event-stream frame of {total} bytes with {headers} bytes of headers is not possible")]
    Length {
        /// Bytes of the whole frame, as the prelude says.
        total: u32,
        /// Bytes of its headers, as the prelude says.
        headers: u32,
    },
    /// The frame is larger than [`MAX_FRAME_BYTES`].
    #[error("an event-stream frame of {0} bytes is over the limit")]
    TooLarge(u32),
    /// A checksum does not match.
    #[error("an event-stream frame has a wrong checksum")]
    Checksum,
    /// The headers can't be parsed.
    #[error("an event-stream frame has malformed headers")]
    Headers,
    /// The stream ended inside a frame.
    #[error("the event stream ends inside a frame")]
    Truncated,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// Part of the answer.
    Event,
    /// An error that the service model knows.
    Exception,
    /// An error that it doesn't know.
    Error,
}

/// One frame, borrowed from the decoder's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `:message-type`; a frame without is an event.
    pub message_type: MessageType,
    /// `:event-type`, `:exception-type` or `:error-code`, by message type; empty if there is none.
    pub name: &'a str,
    /// `:error-message` of an error frame; empty if there is none.
    pub error_message: &'a str,
    /// The payload, usually JSON.
    pub payload: &'a [u8],
}

/// Puts frames together from pieces of any size.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    read: usize,
}

impl FrameDecoder {
    /// Takes in the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read);
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if its bytes are there.
    ///
    /// # Errors
    /// When the bytes are no frame. Lengths are refused before anything is waited for.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let Some((frame, bytes)) = first_frame(&self.buffer[self.read..])? else {
            return Ok(None);
        };
        self.read += bytes;
        Ok(Some(frame))
    }

    /// The next whole frame, which stays the next.
    ///
    /// # Errors
    /// As [`FrameDecoder::next_frame`].
    pub fn peek_frame(&self) -> Result<Option<Frame<'_>>, FrameError> {
        Ok(first_frame(&self.buffer[self.read..])?.map(|(frame, _)| frame))
    }

    /// Makes sure that the stream did not end inside a frame.
    ///
    /// # Errors
    /// When bytes are left over.
    pub fn finish(&self) -> Result<(), FrameError> {
        if self.read == self.buffer.len() {
            Ok(())
        } else {
            Err(FrameError::Truncated)
        }
    }
}

/// The frame at the start of `available` and how many bytes it takes, if it is all there.
fn first_frame(available: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some(prelude) = available.get(..PRELUDE_BYTES) else {
        return Ok(None);
    };
    if crc32fast::hash(&prelude[..8]) != be_u32(prelude, 8) {
        return Err(FrameError::Checksum);
    }
    let (total, headers) = (be_u32(prelude, 0), be_u32(prelude, 4));
    let (total_bytes, header_bytes) = (total as usize, headers as usize);
    if total_bytes > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge(total));
    }
    if total_bytes < ENVELOPE_BYTES || header_bytes > total_bytes - ENVELOPE_BYTES {
        return Err(FrameError::Length { total, headers });
    }
    let Some(frame) = available.get(..total_bytes) else {
        return Ok(None);
    };
    let body_end = total_bytes - 4;
    if crc32fast::hash(&frame[..body_end]) != be_u32(frame, body_end) {
        return Err(FrameError::Checksum);
    }
    let payload_start = PRELUDE_BYTES + header_bytes;
    let frame = parse(&frame[PRELUDE_BYTES..payload_start], &frame[payload_start..body_end])?;
    Ok(Some((frame, total_bytes)))
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

fn parse<'a>(mut headers: &'a [u8], payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
    let mut frame = Frame {
        message_type: MessageType::Event,
        name: "",
        error_message: "",
        payload,
    };
    while !headers.is_empty() {
        let (name, value) = next_header(&mut headers).ok_or(FrameError::Headers)?;
        let Some(value) = value else { continue };
        match name {
            b":message-type" => {
                frame.message_type = match value {
                    "event" => MessageType::Event,
                    "exception" => MessageType::Exception,
                    "error" => MessageType::Error,
                    _ => return Err(FrameError::Headers),
                }
            }
            b":event-type" | b":exception-type" | b":error-code" => frame.name = value,
            b":error-message" => frame.error_message = value,
            _ => {}
        }
    }
    Ok(frame)
}

/// Splits off the next header: its name, and its value where that is a string.
fn next_header<'a>(headers: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a str>)> {
    let name_bytes = usize::from(*take(headers, 1)?.first()?);
    let name = take(headers, name_bytes)?;
    let value = match take(headers, 1)?.first()? {
        // true, false
        0 | 1 => None,
        // byte, short, integer, long, timestamp, UUID
        2 => take(headers, 1).map(|_| None)?,
        3 => take(headers, 2).map(|_| None)?,
        4 => take(headers, 4).map(|_| None)?,
        5 | 8 => take(headers, 8).map(|_| None)?,
        9 => take(headers, 16).map(|_| None)?,
        // byte array, string
        kind @ (6 | 7) => {
            let length = take(headers, 2)?;
            let value = take(headers, usize::from(u16::from_be_bytes([length[0], length[1]])))?;
            if *kind == 7 {
                Some(std::str::from_utf8(value).ok()?)
            } else {
                None
            }
        }
        _ => return None,
    };
    Some((name, value))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
    use proptest::prelude::*;

    use super::*;

    fn header_value() -> impl Strategy<Value = HeaderValue> {
        prop_oneof![
            any::<bool>().prop_map(HeaderValue::Bool),
            any::<i8>().prop_map(HeaderValue::Byte),
            any::<i16>().prop_map(HeaderValue::Int16),
            any::<i32>().prop_map(HeaderValue::Int32),
            any::<i64>().prop_map(HeaderValue::Int64),
            any::<Vec<u8>>().prop_map(|bytes| HeaderValue::ByteArray(bytes.into())),
            "[a-z]{0,20}".prop_map(|text| HeaderValue::String(text.into())),
            any::<u128>().prop_map(HeaderValue::Uuid),
        ]
    }

    fn encode(name: &str, extra: Vec<(String, HeaderValue)>, payload: Vec<u8>) -> Vec<u8> {
        let mut message = Message::new(payload)
            .add_header(Header::new(
                ":message-type",
                HeaderValue::String("event".to_owned().into()),
            ))
            .add_header(Header::new(":event-type", HeaderValue::String(name.to_owned().into())));
        for (name, value) in extra {
            message = message.add_header(Header::new(name, value));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    fn decode_all(pieces: &[&[u8]]) -> Result<Vec<(String, Vec<u8>)>, FrameError> {
        let mut decoder = FrameDecoder::default();
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame()? {
                frames.push((frame.name.to_owned(), frame.payload.to_owned()));
            }
        }
        decoder.finish()?;
        Ok(frames)
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_frames_that_were_written(
            messages in prop::collection::vec(
                (
                    "[a-zA-Z]{1,12}",
                    prop::collection::vec(("x-[a-z]{1,8}", header_value()), 0..4),
                    prop::collection::vec(any::<u8>(), 0..200),
                ),
                1..5,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut bytes = Vec::new();
            for (name, extra, payload) in &messages {
                bytes.extend(encode(name, extra.clone(), payload.clone()));
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            let expected: Vec<_> = messages.into_iter().map(|(name, _, payload)| (name, payload)).collect();
            prop_assert_eq!(decode_all(&pieces).unwrap(), expected);
        }

        #[test]
        fn a_damaged_frame_is_never_taken_for_a_whole_one(
            payload in prop::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let mut bytes = encode("messageStart", Vec::new(), payload);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode_all(&[&bytes]).is_err());
        }

        #[test]
        fn any_bytes_end_in_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_all(&[&bytes]);
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_arrives() {
        let mut prelude = Vec::new();
        prelude.extend_from_slice(&u32::MAX.to_be_bytes());
        prelude.extend_from_slice(&0_u32.to_be_bytes());
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        assert_eq!(decode_all(&[&prelude]), Err(FrameError::TooLarge(u32::MAX)));
    }

    #[test]
    fn exceptions_and_errors_are_told_apart() {
        for (kind, name_header, expected) in [
            ("exception", ":exception-type", MessageType::Exception),
            ("error", ":error-code", MessageType::Error),
        ] {
            let message = Message::new(&b"{}"[..])
                .add_header(Header::new(
                    ":message-type",
                    HeaderValue::String(kind.to_owned().into()),
                ))
                .add_header(Header::new(
                    name_header,
                    HeaderValue::String("throttlingException".to_owned().into()),
                ));
            let mut bytes = Vec::new();
            write_message_to(&message, &mut bytes).unwrap();
            let mut decoder = FrameDecoder::default();
            decoder.push(&bytes);
            let frame = decoder.next_frame().unwrap().unwrap();
            assert_eq!((frame.message_type, frame.name), (expected, "throttlingException"));
        }
    }
}
