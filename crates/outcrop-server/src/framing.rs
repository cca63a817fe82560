//! Watches where requests begin and end on a connection, and finds those whose length is ambiguous.
//!
//! hyper takes a request with both `Content-Length` and `Transfer-Encoding`, or with two lengths, and drops what it
//! does not use before anyone can see it. A proxy in front may have chosen the other one, and what we read as the next
//! request may be somebody else's body (RFC 9112, section 11.2). So the bytes are looked at on their way to hyper.

/// Longest line of a head that is kept; hyper refuses longer heads than that.
const MAX_LINE_BYTES: usize = 512 * 1024;

/// Follows the bytes of one connection.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    state: State,
    /// A line that has not ended yet.
    line: Vec<u8>,
    /// Number of the request whose head is read, from 0.
    request: u64,
    has_request_line: bool,
    lengths: u32,
    transfer_encodings: u32,
    length: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In a head, or between two requests.
    #[default]
    Head,
    /// In a body of known length.
    Body(u64),
    /// At the line that tells the size of a chunk.
    ChunkSize,
    /// In a chunk, its line end counted.
    Chunk(u64),
    /// In the lines after the last chunk.
    Trailers,
    /// Something can't be followed; hyper will refuse it too, or the connection is about to be closed.
    Lost,
}

impl Framing {
    /// Takes in bytes; tells the number of a request whose length is ambiguous, if there is one.
    pub(crate) fn observe(&mut self, mut bytes: &[u8]) -> Option<u64> {
        while !bytes.is_empty() {
            match self.state {
                State::Lost => return None,
                State::Body(rest) => self.state = skip(&mut bytes, rest).map_or(State::Head, State::Body),
                State::Chunk(rest) => self.state = skip(&mut bytes, rest).map_or(State::ChunkSize, State::Chunk),
                State::Head | State::ChunkSize | State::Trailers => {
                    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                        self.line.extend_from_slice(bytes);
                        if self.line.len() > MAX_LINE_BYTES {
                            self.state = State::Lost;
                        }
                        return None;
                    };
                    let (start, rest) = bytes.split_at(end + 1);
                    bytes = rest;
                    if self.line.is_empty() {
                        self.end_line(start);
                    } else {
                        let mut line = std::mem::take(&mut self.line);
                        line.extend_from_slice(start);
                        self.end_line(&line);
                        line.clear();
                        self.line = line;
                    }
                    if self.state == State::Lost && self.is_ambiguous() {
                        return Some(self.request);
                    }
                }
            }
        }
        None
    }

    /// Whether a head has begun and not ended.
    pub(crate) fn is_in_head(&self) -> bool {
        self.state == State::Head && (self.has_request_line || !self.line.is_empty())
    }

    fn is_ambiguous(&self) -> bool {
        self.lengths + self.transfer_encodings > 1
    }

    fn end_line(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        match self.state {
            State::Head => match (self.has_request_line, line.is_empty()) {
                (true, true) => self.end_head(),
                (true, false) => self.header(line),
                (false, true) => {} // Empty lines before a request are no head.
                (false, false) => self.has_request_line = true,
            },
            State::ChunkSize => {
                let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
                let size = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|digits| u64::from_str_radix(digits, 16).ok());
                self.state = match size {
                    Some(0) => State::Trailers,
                    Some(size) => State::Chunk(size.saturating_add(2)),
                    None => State::Lost,
                };
            }
            State::Trailers if line.is_empty() => self.state = State::Head,
            _ => {}
        }
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return;
        };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            self.length = std::str::from_utf8(value)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // `chunked, chunked` and its like are two as well.
            self.transfer_encodings += if value.eq_ignore_ascii_case(b"chunked") { 1 } else { 2 };
        }
    }

    fn end_head(&mut self) {
        if self.is_ambiguous() {
            self.state = State::Lost;
            return;
        }
        self.state = match (self.transfer_encodings, self.length) {
            (1, _) => State::ChunkSize,
            (_, 0) => State::Head,
            (_, length) => State::Body(length),
        };
        self.request += 1;
        self.has_request_line = false;
        (self.lengths, self.transfer_encodings, self.length) = (0, 0, 0);
    }
}

/// Takes `count` bytes away; what is still missing, if something is.
fn skip(bytes: &mut &[u8], count: u64) -> Option<u64> {
    let there = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len());
    *bytes = &bytes[there..];
    Some(count - there as u64).filter(|&rest| rest > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &str =
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nGET\r\n0\r\nContent-Length: 1\r\n\r\n";
    const EMPTY: &str = "\r\nGET / HTTP/1.1\r\n\r\n";

    /// Feeds the text in pieces of each size; all must agree.
    fn ambiguous(text: &str) -> Option<u64> {
        let whole = Framing::default().observe(text.as_bytes());
        for size in 1..text.len() {
            let mut framing = Framing::default();
            let found = text.as_bytes().chunks(size).find_map(|piece| framing.observe(piece));
            assert_eq!(found, whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn requests_with_one_length_follow_each_other() {
        assert_eq!(ambiguous(&[PLAIN, CHUNKED, EMPTY, PLAIN].concat()), None);
    }

    #[test]
    fn two_lengths_are_found_in_any_order_and_wherever_they_come() {
        for head in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\ncontent-length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked, chunked",
        ] {
            let bad = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n");
            assert_eq!(ambiguous(&bad), Some(0), "{head}");
            assert_eq!(ambiguous(&[PLAIN, CHUNKED, &bad].concat()), Some(2), "{head}");
        }
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_none() {
        let body = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        let text = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(ambiguous(&[text.as_str(), PLAIN].concat()), None);
    }

    #[test]
    fn half_a_head_is_known_as_such() {
        let mut framing = Framing::default();
        assert!(!framing.is_in_head());
        framing.observe(b"GET / HT");
        assert!(framing.is_in_head());
        framing.observe(b"TP/1.1\r\nHost: a\r\n");
        assert!(framing.is_in_head());
        framing.observe(b"\r\n");
        assert!(!framing.is_in_head());
    }
}
