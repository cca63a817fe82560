//! Server-sent events (`text/event-stream`): bytes in, the data of events out, however the bytes were cut.
//!
//! Source: WHATWG HTML, "Server-sent events", read 2026-11. Of an event only its data matters here; its name, id and
//! comments are skipped.

/// The largest event that is accepted, in bytes: as large as an event-stream frame may be.
pub const MAX_EVENT_BYTES: usize = crate::frame::MAX_FRAME_BYTES;

/// What may stand before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why bytes are not server-sent events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseError {
    /// An event is larger than [`MAX_EVENT_BYTES`].
    #[error("a server-sent event is over the limit of {MAX_EVENT_BYTES} bytes")]
    TooLarge,
}

/// Puts events together from pieces of any size.
#[derive(Debug, Default)]
pub struct SseDecoder {
    buffer: Vec<u8>,
    /// Where the next line begins.
    read: usize,
    /// How far the line that begins there was searched for its end.
    searched: usize,
    /// Whether the first line was read.
    has_begun: bool,
    /// The data of the event so far, and whether it has any.
    data: Option<Vec<u8>>,
    /// An event that is whole, until it is asked for.
    ready: Option<Vec<u8>>,
}

impl SseDecoder {
    /// Takes in the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read);
            self.searched -= self.read;
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The data of the next whole event, if its bytes are there.
    ///
    /// # Errors
    /// When an event is too large.
    pub fn next_event(&mut self) -> Result<Option<Vec<u8>>, SseError> {
        self.find_event()?;
        Ok(self.ready.take())
    }

    /// The data of the next whole event, which stays the next.
    ///
    /// # Errors
    /// As [`SseDecoder::next_event`].
    pub fn peek_event(&mut self) -> Result<Option<&[u8]>, SseError> {
        self.find_event()?;
        Ok(self.ready.as_deref())
    }

    fn find_event(&mut self) -> Result<(), SseError> {
        while self.ready.is_none() {
            let Some((end, next)) = self.find_line() else {
                let pending = self.buffer.len() - self.read + self.data.as_ref().map_or(0, Vec::len);
                return if pending > MAX_EVENT_BYTES {
                    Err(SseError::TooLarge)
                } else {
                    Ok(())
                };
            };
            let mut line = &self.buffer[self.read..end];
            if !std::mem::replace(&mut self.has_begun, true) {
                line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            }
            if line.is_empty() {
                // An event without data is none.
                self.ready = self.data.take().filter(|data| !data.is_empty());
            } else if let Some(data) = line.strip_prefix(b"data:") {
                let data = data.strip_prefix(b" ").unwrap_or(data);
                match &mut self.data {
                    Some(before) => {
                        before.push(b'\n');
                        before.extend_from_slice(data);
                    }
                    None => self.data = Some(data.to_vec()),
                }
            }
            self.read = next;
            self.searched = next;
        }
        Ok(())
    }

    /// Where the next line ends, and where the one behind it begins. Lines end with CR, LF, or both.
    fn find_line(&mut self) -> Option<(usize, usize)> {
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(length) = self.buffer[self.searched..].iter().position(is_end) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + length;
        match (self.buffer[end], self.buffer.get(end + 1)) {
            (b'\r', Some(b'\n')) => Some((end, end + 2)),
            // The other half may come yet.
            (b'\r', None) => {
                self.searched = end;
                None
            }
            _ => Some((end, end + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(data) = decoder.next_event().unwrap() {
                events.push(String::from_utf8(data).unwrap());
            }
        }
        events
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream =
            b": hello\n\ndata: {\"a\":1}\r\n\r\nevent: x\ndata:two\ndata: lines\nid: 1\n\ndata: [DONE]\n\ndata: cut";
        let whole = events(&[stream]);
        assert_eq!(whole, ["{\"a\":1}", "two\nlines", "[DONE]"]);
        for at in 0..stream.len() {
            assert_eq!(events(&[&stream[..at], &stream[at..]]), whole, "cut at {at}");
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(events(&single), whole);
    }

    #[test]
    fn lines_may_end_with_a_carriage_return_and_marks_are_skipped() {
        assert_eq!(
            events(&[b"\xEF\xBB\xBFdata: a\r\rdata: b\r\n\r\ndata:\n\ndata: c\n\n"]),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut decoder = SseDecoder::default();
        decoder.push(&vec![b'x'; MAX_EVENT_BYTES + 1]);
        assert_eq!(decoder.next_event(), Err(SseError::TooLarge));
    }

    #[test]
    fn an_event_that_is_looked_at_stays() {
        let mut decoder = SseDecoder::default();
        decoder.push(b"data: a\n\n");
        assert_eq!(decoder.peek_event().unwrap(), Some(&b"a"[..]));
        assert_eq!(decoder.next_event().unwrap().as_deref(), Some(&b"a"[..]));
        assert_eq!(decoder.next_event().unwrap(), None);
    }
}
