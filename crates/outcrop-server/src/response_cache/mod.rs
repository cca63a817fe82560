//! Answers that are given again: a request whose answer is the same each time is answered from memory, or from a Redis
//! that instances share, where its caller has asked the very same before.
//!
//! It is looked up once the request is planned, and the calls are part of the key: they are all that Bedrock would be
//! told, so that other settings, or a model that has learned, never get an old answer.

mod config;
mod control;
mod entry;
mod key;
mod memory;
mod redis;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::response::Response;
use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE};
use http::request;
use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_translate::{Notes, Plan, Problem, TaskPlan};
use tokio_util::task::TaskTracker;

pub use config::{CacheConfig, CacheStore, RedisUrl};
use control::Said;
use entry::Entry;
use key::{Key, KeyMaker};
use memory::Memory;
use redis::Redis;

use crate::exchange::{Gateway, add_call_headers, add_usage};
use crate::inquiry::Caller;
use crate::record::Record;

/// `X-Outcrop-Cache`: `hit` or `miss`, where an answer was looked for.
const X_OUTCROP_CACHE: HeaderName = HeaderName::from_static("x-outcrop-cache");

/// The largest answer that is kept.
const ENTRY_LIMIT: usize = 8 * 1024 * 1024;

/// Answers that may be given again.
#[derive(Debug)]
pub(crate) struct ResponseCache {
    store: Arc<Store>,
    config: CacheConfig,
    entry_limit: usize,
    /// What is on its way to Redis.
    writes: TaskTracker,
}

#[derive(Debug)]
enum Store {
    Memory(Mutex<Memory>),
    Redis(Arc<Redis>),
}

impl ResponseCache {
    /// None, where it is off. What was kept before stays, unless it is to be kept elsewhere.
    pub(crate) fn new(config: &CacheConfig, before: Option<&Self>) -> Option<Arc<Self>> {
        let writes = TaskTracker::new();
        // So that there is an end to be waited for each time that there is none under way.
        writes.close();
        let is_same =
            |before: &&Self| before.config.store == config.store && before.config.limit_bytes == config.limit_bytes;
        let store = match (before.filter(is_same), &config.store) {
            (_, CacheStore::Off) => return None,
            (Some(before), _) => Arc::clone(&before.store),
            (None, CacheStore::Memory) => Arc::new(Store::Memory(Mutex::new(Memory::new(config.limit_bytes)))),
            (None, CacheStore::Redis(url)) => Arc::new(Store::Redis(Arc::new(Redis::new(url)))),
        };
        // One answer must not push out all others.
        let share = match *store {
            Store::Memory(_) => config.limit_bytes / 4,
            Store::Redis(_) => usize::MAX,
        };
        Some(Arc::new(Self {
            store,
            config: config.clone(),
            entry_limit: ENTRY_LIMIT.min(share),
            writes,
        }))
    }

    /// What is kept under a key; an error if that can't be told now.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, redis::Unavailable> {
        match &*self.store {
            // A panic elsewhere leaves nothing half done here.
            Store::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(memory.get(key, Instant::now()))
            }
            Store::Redis(redis) => redis.get(key).await,
        }
    }

    /// Keeps an answer. The client doesn't wait for Redis.
    fn put(&self, key: Key, entry: Entry, ttl: Duration) {
        match &*self.store {
            Store::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.put(key, entry, ttl, Instant::now());
            }
            Store::Redis(redis) => {
                let redis = Arc::clone(redis);
                self.writes.spawn(async move { redis.put(&key, &entry, ttl).await });
            }
        }
    }

    /// Waits until nothing is on its way to Redis.
    pub(crate) async fn is_written(&self) {
        self.writes.wait().await;
    }
}

/// Which requests of an endpoint have the same answer each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// All.
    Always,
    /// Those at temperature 0.
    Cold,
    /// Those with a seed, whose answers hold all that they tell of.
    Seeded,
}

/// A request that may have been answered before. Boxed, as are tickets: every request has room for one, and few have one.
pub(crate) struct Question(Box<Parts>);

/// What is known of it.
struct Parts {
    cache: Arc<ResponseCache>,
    said: Said,
    repeats: Repeats,
    body: Bytes,
    key: KeyMaker,
}

impl Question {
    /// None, if it is to be answered anew and not kept, or the cache is off.
    ///
    /// # Errors
    /// When the request's `cache` says what it can't.
    pub(crate) fn new<E>(
        gateway: &Gateway,
        head: &request::Parts,
        body: &Bytes,
        caller: &Caller,
        repeats: Repeats,
    ) -> Result<Option<Self>, Problem> {
        let Some(cache) = &gateway.response_cache else {
            return Ok(None);
        };
        let mut said = Said::read(body)?;
        said.control.read_headers(&head.headers);
        let is_repeated = match repeats {
            Repeats::Always => true,
            Repeats::Cold => said.is_cold || said.control.use_cache,
            Repeats::Seeded => said.has_seed && said.wants_all_here,
        };
        if !is_repeated || !said.is_object || said.control.leaves_out_all() {
            return Ok(None);
        }
        Ok(Some(Self(Box::new(Parts {
            key: KeyMaker::new::<E>(caller, said.control.namespace.as_deref()),
            cache: Arc::clone(cache),
            said,
            repeats,
            body: body.clone(),
        }))))
    }

    /// Looks for the answer to a request of a conversation, as it is planned. `has_fetched` is whether something stands
    /// in the calls that was behind a URL.
    pub(crate) async fn look_up<M>(self, plan: &Plan<M>, has_fetched: bool, record: &mut Record) -> Looked {
        let mut parts = *self.0;
        if has_fetched || !parts.stays_cold(&plan.notes) {
            return Looked::Not(None);
        }
        parts.key.number(plan.choices);
        parts.key.number(plan.streams.into());
        parts.key.text(plan.wire.route());
        for body in std::iter::once(&plan.body).chain(&plan.further_bodies) {
            parts.key.call(plan.operation, &plan.model_id, &plan.headers, body);
        }
        parts.finish(&plan.model_id, record).await
    }

    /// The same for a task.
    pub(crate) async fn look_up_task<M>(self, plan: &TaskPlan<M>, has_fetched: bool, record: &mut Record) -> Looked {
        if has_fetched {
            return Looked::Not(None);
        }
        let mut parts = *self.0;
        for call in &plan.calls {
            parts
                .key
                .call(call.operation, &call.model_id, &call.headers, &call.body);
        }
        parts.finish(&plan.model_id, record).await
    }
}

impl Parts {
    /// Whether the model is asked at the temperature that the client says, where it is for that that answers repeat.
    fn stays_cold(&self, notes: &Notes) -> bool {
        self.repeats != Repeats::Cold
            || self.said.control.use_cache
            || !notes.iter().any(|note| note.parameter == "temperature")
    }

    async fn finish(self, model_id: &str, record: &mut Record) -> Looked {
        let Self {
            cache,
            said: Said { control, .. },
            body,
            mut key,
            ..
        } = self;
        key.json(&body);
        // What is behind the name of a file in S3 may be another one by now.
        let Some(key) = key.finish() else {
            return Looked::Not(None);
        };
        let ttl = control.ttl.unwrap_or(cache.config.ttl);
        let is_kept = !control.no_store && !ttl.is_zero();
        let found = match control.no_cache {
            true => None,
            false => Some(cache.get(&key).await),
        };
        let max_age = control.max_age.unwrap_or(Duration::MAX);
        let ticket = is_kept.then(|| {
            Ticket(Box::new(Place {
                key,
                ttl,
                model_id: model_id.to_owned(),
                cache,
            }))
        });
        match found {
            Some(Ok(Some(entry))) if entry.age(SystemTime::now()) <= max_age => Looked::Hit(entry),
            Some(Ok(_)) => {
                record.cache = Some(Cached::Miss);
                Looked::Not(ticket)
            }
            None | Some(Err(redis::Unavailable)) => Looked::Not(ticket),
        }
    }
}

/// What became of a search for an answer.
pub(crate) enum Looked {
    /// There is one.
    Hit(Entry),
    /// There is none, or none was looked for. A new one may be kept by the ticket, if there is one.
    Not(Option<Ticket>),
}

/// Whether an answer was given before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    Hit,
    Miss,
}

impl Cached {
    /// Says so in the answer's headers.
    pub(crate) fn add_header(self, headers: &mut HeaderMap) {
        let word = match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        };
        headers.insert(X_OUTCROP_CACHE, HeaderValue::from_static(word));
    }
}

impl Entry {
    /// The answer once more. It costs nothing, which the record then says.
    pub(crate) fn response(self, record: &mut Record) -> Response {
        record.cache = Some(Cached::Hit);
        record.region = self.region;
        record.adapted = self.adapted;
        record.first_byte();
        let age = self.created.elapsed().unwrap_or_default();
        let mut response = Response::new(self.body.into());
        let headers = response.headers_mut();
        if record.is_stream {
            add_stream_headers(headers);
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(AGE, age.as_secs().into());
        add_usage(headers, record);
        add_call_headers(headers, record);
        response
    }
}

/// The headers of all streams.
pub(crate) fn add_stream_headers(headers: &mut HeaderMap) {
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would otherwise collect chunks before it passes them on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// The right to keep one answer.
pub(crate) struct Ticket(Box<Place>);

/// Where it is to be kept.
struct Place {
    cache: Arc<ResponseCache>,
    key: Key,
    ttl: Duration,
    /// The model that was to be asked.
    model_id: String,
}

impl Ticket {
    /// Keeps a whole answer, and gives it back. One to another call than was planned at first is not kept: another target
    /// has answered, or the model has refused a field.
    pub(crate) fn keep(self, record: &Record, body: Vec<u8>) -> Bytes {
        // As long as it is kept, it takes no more room than it needs.
        let body = Bytes::from(body.into_boxed_slice());
        let place = *self.0;
        if body.len() <= place.cache.entry_limit && record.model == place.model_id && !record.is_changed {
            let entry = Entry {
                created: SystemTime::now(),
                region: record.region.clone(),
                adapted: record.adapted.clone(),
                body: body.clone(),
            };
            place.cache.put(place.key, entry, place.ttl);
        }
        body
    }

    /// Begins to keep a streamed answer.
    pub(crate) fn recording(self) -> Recording {
        Recording {
            ticket: self,
            bytes: Vec::new(),
        }
    }
}

/// A streamed answer, as far as it has come.
pub(crate) struct Recording {
    ticket: Ticket,
    bytes: Vec<u8>,
}

impl Recording {
    /// Adds a piece. Gives itself back unless the answer is too large to be kept.
    pub(crate) fn add(mut self, piece: &[u8]) -> Option<Self> {
        if self.bytes.len() + piece.len() > self.ticket.0.cache.entry_limit {
            return None;
        }
        self.bytes.extend_from_slice(piece);
        Some(self)
    }

    /// The answer has come to its end.
    pub(crate) fn keep(self, record: &Record) {
        self.ticket.keep(record, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_outlive_a_reload() {
        let config = CacheConfig {
            store: CacheStore::Memory,
            ..CacheConfig::default()
        };
        let with = |change: fn(&mut CacheConfig)| {
            let mut config = config.clone();
            change(&mut config);
            config
        };
        let before = ResponseCache::new(&config, None).unwrap();
        let keeps = |config: &CacheConfig| {
            let after = ResponseCache::new(config, Some(&before));
            after.map(|after| Arc::ptr_eq(&before.store, &after.store))
        };
        assert_eq!(keeps(&config), Some(true));
        assert_eq!(keeps(&with(|config| config.ttl = Duration::from_secs(1))), Some(true));
        assert_eq!(keeps(&with(|config| config.limit_bytes = 1)), Some(false));
        assert_eq!(keeps(&with(|config| config.store = CacheStore::Off)), None);
        assert_eq!(
            keeps(&with(|config| config.store = "redis://127.0.0.1".parse().unwrap())),
            Some(false)
        );
    }
}
