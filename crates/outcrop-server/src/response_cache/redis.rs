//! Answers in a Redis. One that is slow or gone must neither fail a request nor keep it waiting: it is left alone for a
//! while then, and requests are answered as if there were no cache.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::time::timeout;

use super::config::RedisUrl;
use super::entry::Entry;
use super::key::Key;

/// How long a request waits for Redis, at most.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a connection may take to be made, behind the requests.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long writing an answer may take, behind the requests.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a Redis is left alone that didn't answer.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// Redis doesn't answer.
#[derive(Debug)]
pub(super) struct Unavailable;

/// A Redis, and the one connection to it.
pub(super) struct Redis {
    client: Arc<Client>,
    state: Mutex<State>,
}

struct State {
    link: Link,
    /// Whether the log says that it doesn't answer.
    is_told: bool,
}

impl State {
    /// Tells the log, once until it is reached again.
    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                error = why,
                "the response cache's Redis doesn't answer as it should; requests go on without it"
            );
        }
    }
}

type Connecting = Shared<BoxFuture<'static, Option<MultiplexedConnection>>>;

enum Link {
    /// Nobody has asked yet.
    None,
    Connecting(Connecting),
    Up(MultiplexedConnection),
    /// It is left alone until then.
    Down(Instant),
}

impl Redis {
    pub(super) fn new(url: &RedisUrl) -> Self {
        Self {
            client: Arc::clone(&url.client),
            state: Mutex::new(State {
                link: Link::None,
                is_told: false,
            }),
        }
    }

    pub(super) async fn get(self: &Arc<Self>, key: &Key) -> Result<Option<Entry>, Unavailable> {
        let asking = async {
            let mut connection = self.connection().await.ok_or(Unavailable)?;
            let asked = redis::cmd("GET").arg(key.name()).query_async(&mut connection).await;
            let found: Option<Vec<u8>> = self.heard(asked)?;
            Ok(found.and_then(|bytes| Entry::from_bytes(&Bytes::from(bytes))))
        };
        match timeout(PATIENCE, asking).await {
            Ok(got) => got,
            Err(_) => Err(self.went_down("it doesn't answer")),
        }
    }

    pub(super) async fn put(self: &Arc<Self>, key: &Key, entry: &Entry, ttl: Duration) {
        let Some(mut connection) = self.connection().await else {
            return;
        };
        // Redis takes whole milliseconds, and not 0.
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut command = redis::cmd("SET");
        command.arg(key.name()).arg(entry.to_bytes()).arg("PX").arg(ttl);
        match timeout(WRITE_TIMEOUT, command.query_async::<()>(&mut connection)).await {
            Ok(written) => drop(self.heard(written)),
            Err(_) => drop(self.went_down("it doesn't answer")),
        }
    }

    /// The connection, or `None` while there can't be one. It is made by a task of its own, which goes on if the request
    /// doesn't wait for it.
    async fn connection(self: &Arc<Self>) -> Option<MultiplexedConnection> {
        let connecting = {
            let mut state = self.lock();
            match &state.link {
                Link::Up(connection) => return Some(connection.clone()),
                Link::Connecting(connecting) => connecting.clone(),
                Link::Down(until) if Instant::now() < *until => return None,
                Link::None | Link::Down(_) => {
                    let task = tokio::spawn(Arc::clone(self).connect());
                    let connecting = task.map(|connected| connected.ok().flatten()).boxed().shared();
                    state.link = Link::Connecting(connecting.clone());
                    connecting
                }
            }
        };
        connecting.await
    }

    async fn connect(self: Arc<Self>) -> Option<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let connected = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return self.has_not_connected(&error.to_string()),
            Err(_) => return self.has_not_connected("it doesn't answer"),
        };
        let mut state = self.lock();
        if std::mem::take(&mut state.is_told) {
            tracing::info!("the response cache's Redis is reached again");
        }
        state.link = Link::Up(connected.clone());
        Some(connected)
    }

    fn has_not_connected<T>(&self, why: &str) -> Option<T> {
        let mut state = self.lock();
        state.tell(why);
        state.link = Link::Down(Instant::now() + LEFT_ALONE);
        None
    }

    fn heard<T>(&self, answer: Result<T, RedisError>) -> Result<T, Unavailable> {
        answer.map_err(|error| {
            let mut state = self.lock();
            if error.is_io_error() {
                // The next request connects anew, which tells whether it is gone or only closes idle connections.
                state.link = Link::None;
            } else {
                state.tell(&error.to_string());
            }
            Unavailable
        })
    }

    /// It is left alone for a while.
    fn went_down(&self, why: &str) -> Unavailable {
        let mut state = self.lock();
        // A connection that takes long to be made is for later requests.
        if !matches!(state.link, Link::Connecting(_)) {
            state.tell(why);
        }
        state.link = Link::Down(Instant::now() + LEFT_ALONE);
        Unavailable
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Redis {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}
