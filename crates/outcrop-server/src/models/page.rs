//! The page as it is handed out: written once for each refresh.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use outcrop_translate::Lesson;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::directory::Known;
use super::entries::Entry;
use super::warning::{self, Warning};
use crate::learned::Learned;

/// All that is told of models after one refresh.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) known: Known,
    pub(super) entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    pub(super) warnings: Vec<Warning>,
    pub(super) warning_header: Option<HeaderValue>,
    /// When the refresh began that made it.
    pub(super) asked: Instant,
    /// The whole page, with what had been learned by then.
    written: Mutex<Option<Written>>,
}

/// A body, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
    /// How much had been learned.
    lessons: u64,
}

impl Page {
    pub(super) fn new(known: Known, entries: Vec<Entry>, asked: Instant) -> Self {
        let warnings = known.gathered.warnings();
        let by_id = entries.iter().enumerate().map(|(at, entry)| (entry.id.clone(), at));
        Self {
            by_id: by_id.collect(),
            warning_header: warning::header(&warnings),
            known,
            entries,
            warnings,
            asked,
            written: Mutex::default(),
        }
    }

    /// The model with this very id.
    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(*self.by_id.get(id)?)
    }

    /// The whole page. It is written anew only if something was learned of a model.
    pub(super) fn whole(&self, learned: &Learned) -> Written {
        let lessons = learned.count();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = written.as_ref().filter(|written| written.lessons == lessons) {
            return written.clone();
        }
        let fresh = self.write(self.entries.iter(), &[], learned);
        *written = Some(fresh.clone());
        fresh
    }

    /// A part of it. `notes` are warnings about the question.
    pub(super) fn write<'e>(
        &self,
        entries: impl Iterator<Item = &'e Entry>,
        notes: &[Value],
        learned: &Learned,
    ) -> Written {
        let lessons = learned.count();
        let mut body = String::from("{\"object\":\"list\",\"data\":[");
        for (at, entry) in entries.enumerate() {
            if at > 0 {
                body.push(',');
            }
            push(&mut body, entry, &learned.of(&entry.model_id));
        }
        body.push(']');
        let warnings: Vec<Value> = self
            .warnings
            .iter()
            .map(Warning::to_json)
            .chain(notes.iter().cloned())
            .collect();
        if !warnings.is_empty() {
            body.push_str(",\"warnings\":");
            body.push_str(&Value::Array(warnings).to_string());
        }
        body.push('}');
        Written {
            etag: etag(body.as_bytes()),
            body: Bytes::from(body),
            lessons,
        }
    }
}

/// One model by itself, with what it was found to refuse.
pub(super) fn one(entry: &Entry, learned: &Learned) -> Written {
    let mut body = String::new();
    push(&mut body, entry, &learned.of(&entry.model_id));
    Written {
        etag: etag(body.as_bytes()),
        body: Bytes::from(body),
        lessons: 0,
    }
}

/// Any other document, written the same way.
pub(super) fn document(value: &Value) -> Written {
    let body = value.to_string();
    Written {
        etag: etag(body.as_bytes()),
        body: Bytes::from(body),
        lessons: 0,
    }
}

fn push(body: &mut String, entry: &Entry, lessons: &[Lesson]) {
    if lessons.is_empty() {
        return body.push_str(&entry.json);
    }
    let refused: Vec<String> = lessons.iter().map(ToString::to_string).collect();
    // One object, cut open at its end.
    body.push_str(entry.json.strip_suffix('}').unwrap_or_default());
    body.push_str(",\"learned\":");
    body.push_str(&json!({ "refused": refused }).to_string());
    body.push('}');
}

/// A tag that says whether two bodies are the same, by FNV-1a: nobody gains by making two that only seem so.
fn etag(body: &[u8]) -> HeaderValue {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in body {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    HeaderValue::from_str(&format!("\"{hash:016x}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// A page that several requests hand out.
pub(super) type SharedPage = Arc<Page>;
