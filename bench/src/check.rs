//! Is an answer whole? Counts what arrives, however it is cut.

use crate::stub::{MARKER, PICTURE_MARKER};

/// What a request should be answered with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// A whole reply that contains the stub's sentence.
    Reply,
    /// A whole answer that holds the stub's picture, in whatever it is wrapped.
    Picture,
    /// OpenAI's list of so many vectors.
    Vectors(usize),
    /// Bedrock's event-stream frames, with so many text deltas.
    Frames(usize),
    /// OpenAI's server-sent events, with so many text deltas, ended by `[DONE]`.
    Events(usize),
}

impl Expect {
    /// Reads the form of the command line: `reply`, `vectors:96`, `frames:500`, `events:500`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':').map(|(kind, chunks)| (kind, chunks.parse())) {
            None if text == "reply" => Ok(Self::Reply),
            None if text == "picture" => Ok(Self::Picture),
            Some(("vectors", Ok(count))) => Ok(Self::Vectors(count)),
            Some(("frames", Ok(chunks))) => Ok(Self::Frames(chunks)),
            Some(("events", Ok(chunks))) => Ok(Self::Events(chunks)),
            _ => Err(format!(
                "{text} is none of reply, picture, vectors:N, frames:N, events:N"
            )),
        }
    }

    /// The form of the command line.
    pub(crate) fn to_arg(self) -> String {
        match self {
            Self::Reply => "reply".to_owned(),
            Self::Picture => "picture".to_owned(),
            Self::Vectors(count) => format!("vectors:{count}"),
            Self::Frames(chunks) => format!("frames:{chunks}"),
            Self::Events(chunks) => format!("events:{chunks}"),
        }
    }

    /// A fresh check of one answer.
    pub(crate) fn check(self) -> Check {
        Check {
            expect: self,
            count: 0,
            partial: Vec::new(),
            skip: 0,
            done: false,
            error: None,
        }
    }
}

/// The check of one answer under way.
#[derive(Debug)]
pub(crate) struct Check {
    expect: Expect,
    /// Frames or events so far.
    count: usize,
    /// The reply or the picture; or the begin of a frame or line whose rest is still to come.
    partial: Vec<u8>,
    /// Bytes of the current frame still to come.
    skip: usize,
    /// `[DONE]` was the last event.
    done: bool,
    /// An error event, as it came.
    error: Option<String>,
}

impl Check {
    /// Takes the next bytes of the body.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match self.expect {
            Expect::Reply | Expect::Picture | Expect::Vectors(_) => self.partial.extend_from_slice(bytes),
            Expect::Frames(_) => self.push_frames(bytes),
            Expect::Events(_) => self.push_events(bytes),
        }
    }

    /// Walks from length prefix to length prefix.
    fn push_frames(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            while self.skip == 0 && self.partial.len() < 4 {
                let Some((first, rest)) = bytes.split_first() else {
                    break;
                };
                self.partial.push(*first);
                bytes = rest;
            }
            if let Ok(length) = <[u8; 4]>::try_from(self.partial.as_slice()) {
                self.count += 1;
                self.skip = (u32::from_be_bytes(length) as usize).saturating_sub(4);
                self.partial.clear();
            }
        }
    }

    fn push_events(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.partial.is_empty() && line.ends_with(b"\n") {
                self.line(line);
                continue;
            }
            self.partial.extend_from_slice(line);
            if self.partial.ends_with(b"\n") {
                let line = std::mem::take(&mut self.partial);
                self.line(&line);
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        let Some(event) = line.strip_prefix(b"data:") else {
            return;
        };
        let event = event.trim_ascii();
        self.count += 1;
        self.done = event == b"[DONE]";
        if event.starts_with(b"{\"error\"") && self.error.is_none() {
            self.error = Some(String::from_utf8_lossy(event).into_owned());
        }
    }

    /// Says what is wrong with the answer, now that it has ended.
    pub(crate) fn finish(self) -> Result<(), String> {
        if let Some(error) = self.error {
            return Err(format!("error event: {error}"));
        }
        match self.expect {
            Expect::Reply if String::from_utf8_lossy(&self.partial).contains(MARKER) => Ok(()),
            Expect::Reply => Err("the reply lacks the stub's sentence".to_owned()),
            Expect::Picture if has(&self.partial, PICTURE_MARKER) => Ok(()),
            Expect::Picture => Err("the answer lacks the stub's picture".to_owned()),
            Expect::Vectors(count) => {
                let found = String::from_utf8_lossy(&self.partial)
                    .matches(r#""object":"embedding""#)
                    .count();
                if found == count {
                    Ok(())
                } else {
                    Err(format!("{found} vectors for {count} texts"))
                }
            }
            Expect::Frames(_) if self.skip > 0 || !self.partial.is_empty() => Err("ends within a frame".to_owned()),
            // The start of the message, the stop of its block, its own stop, the metadata.
            Expect::Frames(chunks) if self.count == chunks + 4 => Ok(()),
            Expect::Frames(chunks) => Err(format!("{} frames for {chunks} chunks", self.count)),
            Expect::Events(_) if !self.done => Err(format!("no [DONE] after {} events", self.count)),
            // One event per delta, or the cost per chunk would be that of fewer, larger chunks. Besides: the role, the
            // finish reason, the usage, [DONE]; some of these may share an event.
            Expect::Events(chunks) if (chunks + 2..=chunks + 5).contains(&self.count) => Ok(()),
            Expect::Events(chunks) => Err(format!("{} events for {chunks} chunks", self.count)),
        }
    }
}

/// Whether the answer has the end of the picture near its own: nobody looks through a megabyte for each.
fn has(answer: &[u8], marker: &str) -> bool {
    let tail = &answer[answer.len().saturating_sub(4096)..];
    String::from_utf8_lossy(tail).contains(marker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::Script;

    fn finish(expect: Expect, body: &[u8], cut: usize) -> Result<(), String> {
        let mut check = expect.check();
        body.chunks(cut).for_each(|bytes| check.push(bytes));
        check.finish()
    }

    #[test]
    fn a_whole_stream_is_whole_however_it_is_cut() {
        let script = Script::new(0).unwrap();
        let frames = [&[script.start][..], &script.deltas[..3], &script.end[..]]
            .concat()
            .concat();
        let events = b"data: {}\n\n: idle\n\ndata: {}\n\ndata: {}\n\ndata: {}\n\ndata: [DONE]\n\n";
        for cut in 1..200 {
            assert_eq!(finish(Expect::Frames(3), &frames, cut), Ok(()));
            assert_eq!(finish(Expect::Events(3), events, cut), Ok(()));
        }
    }

    #[test]
    fn vectors_are_counted() {
        let body = br#"{"data":[{"object":"embedding","embedding":[1]},{"object":"embedding","embedding":[2]}]}"#;
        assert_eq!(finish(Expect::Vectors(2), body, 7), Ok(()));
        assert!(finish(Expect::Vectors(3), body, 7).is_err());
    }

    #[test]
    fn a_broken_stream_is_told() {
        let script = Script::new(0).unwrap();
        let frames = [&[script.start][..], &script.deltas[..3], &script.end[..]]
            .concat()
            .concat();
        assert!(finish(Expect::Frames(3), &frames[..frames.len() - 1], 64).is_err());
        assert!(finish(Expect::Frames(4), &frames, 64).is_err());
        assert!(finish(Expect::Events(1), b"data: {}\n\ndata: {}\n\ndata: {}\n\n", 64).is_err());
        assert!(finish(Expect::Events(0), b"data: {\"error\":{}}\n\ndata: [DONE]\n\n", 64).is_err());
    }
}
