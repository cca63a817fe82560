//! What the simulator has seen: counts, the latest requests, and how often a prompt came.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::created::Created;
use crate::ledger::Ledger;
use crate::models::Target;
use crate::prompt_cache::{Cached, PromptCache};
use crate::services;

const KEPT_REQUESTS: usize = 50;
/// Larger bodies are only counted: idle memory matters to those who embed us.
const KEPT_BODY_BYTES: usize = 1 << 20;
/// Their values are nobody's business, not even a test's.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "x-amz-security-token",
    "x-amz-sso_bearer_token",
    "x-aws-ec2-metadata-token",
];

/// Shared by all connections.
#[derive(Default)]
pub(crate) struct State {
    inner: Mutex<Inner>,
    /// What was made by calls.
    pub(crate) created: Arc<Created>,
    /// The tokens of all answers.
    pub(crate) ledger: Arc<Ledger>,
}

#[derive(Default)]
struct Inner {
    total: u64,
    active: u64,
    finished: u64,
    aborted: u64,
    redirects_followed: u64,
    /// What is known of each, and its body.
    requests: VecDeque<(Map<String, Value>, Bytes)>,
    /// By prompt.
    attempts: HashMap<u64, u32>,
    prompt_cache: PromptCache,
    /// By rule of the scenario.
    rule_calls: HashMap<usize, u64>,
}

/// A call that is going on. Dropped unfinished, it counts as aborted by the client.
pub(crate) struct Call {
    state: Arc<State>,
    finished: bool,
}

impl State {
    pub(crate) fn begin(self: &Arc<State>) -> Call {
        let mut inner = self.lock();
        inner.total += 1;
        inner.active += 1;
        Call {
            state: Arc::clone(self),
            finished: false,
        }
    }

    /// Keeps a request for tests to look at.
    pub(crate) fn record(&self, operation: Option<&str>, parts: &Parts, body: &Bytes) {
        let mut request = Map::new();
        request.insert("operation".to_owned(), json!(operation));
        request.insert("method".to_owned(), json!(parts.method.as_str()));
        request.insert(
            "path".to_owned(),
            json!(parts.uri.path_and_query().map(|path| path.as_str())),
        );
        request.insert("headers".to_owned(), headers(parts));
        request.insert("bodyBytes".to_owned(), json!(body.len()));
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let plain = services::shown_form(content_type.unwrap_or_default(), body);
        let body = match plain {
            _ if body.len() > KEPT_BODY_BYTES => Bytes::new(),
            Some(plain) => plain.to_string().into(),
            None => body.clone(),
        };
        let mut inner = self.lock();
        inner.requests.push_back((request, body));
        if inner.requests.len() > KEPT_REQUESTS {
            inner.requests.pop_front();
        }
    }

    /// Counts one more call with this prompt to this model; the first is 1.
    pub(crate) fn attempt(&self, model: &str, prompt: &str) -> u32 {
        let mut hasher = DefaultHasher::new();
        (model, prompt).hash(&mut hasher);
        let mut inner = self.lock();
        let attempts = inner.attempts.entry(hasher.finish()).or_default();
        *attempts += 1;
        *attempts
    }

    /// Counts one more call that a rule of the scenario matches; the first is 1.
    pub(crate) fn rule_call(&self, rule: usize) -> u64 {
        let mut inner = self.lock();
        let calls = inner.rule_calls.entry(rule).or_default();
        *calls += 1;
        *calls
    }

    /// What the memory of prompts does for a request.
    pub(crate) fn cached(&self, body: &Value, target: &Target) -> Option<Cached> {
        self.lock().prompt_cache.pass(body, target)
    }

    pub(crate) fn count_redirect(&self) {
        self.lock().redirects_followed += 1;
    }

    /// Forgets all but the calls that are going on.
    pub(crate) fn reset(&self) {
        self.created.clear();
        self.ledger.reset();
        let mut inner = self.lock();
        let active = inner.active;
        *inner = Inner {
            total: active,
            active,
            ..Inner::default()
        };
    }

    pub(crate) fn snapshot(&self) -> Value {
        let inner = self.lock();
        let requests = inner.requests.iter().map(|(request, body)| {
            let mut request = request.clone();
            request.insert("body".to_owned(), shown(body));
            Value::Object(request)
        });
        let requests: Vec<Value> = requests.collect();
        json!({
            "calls": {
                "total": inner.total,
                "active": inner.active,
                "finished": inner.finished,
                "aborted": inner.aborted,
            },
            "ledger": self.ledger.shown(),
            "redirectsFollowed": inner.redirects_followed,
            "requests": requests,
        })
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    pub(crate) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut inner = self.state.lock();
        inner.active -= 1;
        match self.finished {
            true => inner.finished += 1,
            false => inner.aborted += 1,
        }
    }
}

fn headers(parts: &Parts) -> Value {
    let mut shown = Map::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = match name.as_str() {
            "authorization" => redacted_authorization(&value),
            name if SECRET_HEADERS.contains(&name) => "[redacted]".to_owned(),
            _ => value.into_owned(),
        };
        // Of a header that came twice, both are shown.
        match shown.get_mut(name.as_str()) {
            Some(Value::String(known)) => known.push_str(&format!(", {value}")),
            _ => {
                shown.insert(name.to_string(), value.into());
            }
        }
    }
    Value::Object(shown)
}

/// Who claims to have signed, and how, but not the proof.
fn redacted_authorization(value: &str) -> String {
    let public = match (value.find("Signature="), value.find(' ')) {
        (Some(signature), _) => &value[..signature + "Signature=".len()],
        (None, Some(space)) => &value[..=space],
        (None, None) => "",
    };
    format!("{public}[redacted]")
}

fn shown(body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}
