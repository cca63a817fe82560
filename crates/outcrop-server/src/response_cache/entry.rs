//! An answer that is kept, in memory and as bytes.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::{Value, json};

/// An answer that is kept. That it is a stream's or a whole one, and which model gave it, is known from its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was given first.
    pub(super) created: SystemTime,
    /// The region that gave it, where it is another than the gateway's own.
    pub(super) region: String,
    /// What was adapted.
    pub(super) adapted: String,
    /// All that the client gets.
    pub(super) body: Bytes,
}

impl Entry {
    pub(super) fn age(&self, now: SystemTime) -> Duration {
        // The clock of another instance may be ahead.
        now.duration_since(self.created).unwrap_or_default()
    }

    /// A line of JSON, then the body.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let created = self.created.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let head = json!({
            "created": created.as_secs_f64(),
            "region": self.region,
            "adapted": self.adapted,
        });
        let mut bytes = head.to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// None, if it is something else: whoever shares the Redis may write to it.
    pub(super) fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Value = serde_json::from_slice(&bytes[..end]).ok()?;
        let text = |name: &str| Some(head.get(name)?.as_str()?.to_owned());
        let created = Duration::try_from_secs_f64(head.get("created")?.as_f64()?).ok()?;
        Some(Self {
            created: SystemTime::UNIX_EPOCH.checked_add(created)?,
            region: text("region")?,
            adapted: text("adapted")?,
            body: bytes.slice(end + 1..),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        let entry = Entry {
            created: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            region: "eu-west-1".to_owned(),
            adapted: "a=b(c)".to_owned(),
            body: Bytes::from_static(b"data: {}\n\ndata: [DONE]\n\n"),
        };
        assert_eq!(Entry::from_bytes(&entry.to_bytes().into()), Some(entry));
    }

    #[test]
    fn what_others_wrote_is_no_answer() {
        for bytes in [
            &b""[..],
            b"{}",
            b"{}\n",
            b"x\ny",
            b"{\"created\": -1, \"region\": \"\", \"adapted\": \"\"}\n",
            b"{\"created\": 1e300, \"region\": \"\", \"adapted\": \"\"}\n",
        ] {
            assert_eq!(Entry::from_bytes(&Bytes::from_static(bytes)), None);
        }
    }
}
