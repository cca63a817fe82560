//! Server-sent events: bytes in, events out, whichever way the bytes are cut.

/// The longest line and the longest event. A gateway's events are far smaller; endless ones must not fill our memory.
const LARGEST: usize = 32 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `event:` field; empty for a plain message.
    pub(crate) name: String,
    /// The `data:` fields, joined by line ends.
    pub(crate) data: String,
}

/// An event or line that is longer than we keep.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {LARGEST} bytes")]
pub(crate) struct TooLong;

/// Reads a stream as <https://html.spec.whatwg.org/multipage/server-sent-events.html> has it. An event that the end of
/// the stream cuts short is no event. `id` and `retry`, which are for reconnecting, are skipped.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The line that has begun.
    line: Vec<u8>,
    /// The last byte was a CR that ended a line: an LF right after it belongs to it.
    after_cr: bool,
    /// A line has been seen: a byte order mark can't come any more.
    begun: bool,
    /// The event that has begun; its data ends with an LF that isn't part of it.
    event: Event,
}

impl Decoder {
    /// Takes the next bytes, and adds the events that they complete.
    ///
    /// # Errors
    /// If a line or an event is too long. Nothing that follows can be read then.
    pub(crate) fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        for &byte in bytes {
            let completes_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if completes_crlf => {}
                b'\n' | b'\r' => self.end_line(events)?,
                _ if self.line.len() >= LARGEST => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Event>) -> Result<(), TooLong> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if self.begun {
            &line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        self.begun = true;

        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            if event.data.pop().is_some() {
                events.push(event);
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.to_owned(),
            "data" if self.event.data.len() + value.len() >= LARGEST => return Err(TooLong),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for part in parts {
            decoder.push(part, &mut events).unwrap();
        }
        events
    }

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn the_fields_of_events() {
        let stream = "\u{feff}data: one\n\n: keep-alive\n\nevent: error\ndata:two\ndata\ndata:  é\nid: 7\n\ndata: cut";
        assert_eq!(
            decode([stream.as_bytes()]),
            [event("", "one"), event("error", "two\n\n é")]
        );
    }

    #[test]
    fn every_line_end_counts_once() {
        assert_eq!(
            decode([&b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"[..]]),
            ["a", "b", "c"].map(|data| event("", data))
        );
    }

    #[test]
    fn an_event_without_data_is_none() {
        assert_eq!(decode([&b"event: ping\n\ndata: x\n\n"[..]]), [event("", "x")]);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut decoder = Decoder::default();
        let part = vec![b'x'; LARGEST];
        assert_eq!(decoder.push(&part, &mut Vec::new()), Ok(()));
        assert_eq!(decoder.push(b"x", &mut Vec::new()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_events(
            lines in prop::collection::vec(
                ("(data|event|id|x|)", "(: ?|)", "[a-zé:\u{feff} ]{0,6}", "(\n|\r|\r\n|\n\n|\r\n\r\n)"),
                0..20,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let stream: String = lines.into_iter().map(|(a, b, c, d)| a + &b + &c + &d).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let parts = cuts.windows(2).map(|pair| &stream.as_bytes()[pair[0]..pair[1]]);
            prop_assert_eq!(decode(parts), decode([stream.as_bytes()]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            decode([&bytes[..]]);
        }
    }
}
