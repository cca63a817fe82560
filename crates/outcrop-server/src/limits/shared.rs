//! Counters of all instances, in a Redis.
//!
//! Each call asks it once, with one script. What comes after the call is sent behind it, by one task (`work`), in order.
//! A Redis that is slow or gone neither fails a request nor keeps it waiting: this instance's own limits have decided
//! already, and the task tries to reach it again. What an instance holds has a lease, which the task prolongs.

mod script;
mod work;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outcrop_tenants::Money;
use outcrop_tenants::limits::{Ask, Limits, MostCost, Rates, Refused, ScopeLimits};
use redis::Client;
use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use self::script::Answer;
pub(super) use self::work::work;
use crate::response_cache::RedisUrl;

/// How long a request waits for Redis, at most.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long what an instance holds counts after its last sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// Calls that are over and wait to be told. If there are more, their leases end.
const MAX_JOBS: usize = 16_384;

/// What a Redis, or its absence, has to say of a call.
#[derive(Debug)]
pub(super) enum Asked {
    /// It may be made. Where Redis was asked, it says how much is left.
    Admitted(Hold, Option<Rates>),
    Refused(Box<Refused>),
}

/// The counters of all instances.
pub(super) struct Shared {
    client: Arc<Client>,
    /// This instance's name, which no other has ever had.
    instance: String,
    link: Mutex<Link>,
    /// What is under way.
    open: Mutex<HashMap<u64, Arc<Call>>>,
    jobs: mpsc::Sender<Job>,
    /// How many jobs there were so far.
    given: AtomicU64,
    /// How many of them are done, or were given up.
    done: watch::Sender<u64>,
    /// Whether it was tried to reach Redis at all.
    tried: watch::Sender<bool>,
}

#[derive(Default)]
struct Link {
    connection: Option<Connection>,
    /// Counts connections, so that the failure of an old one isn't taken for one of the new one.
    number: u64,
    /// Whether the log says that it doesn't answer.
    is_told: bool,
    last_call: u64,
}

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// The script's name in this Redis.
    sha: Arc<str>,
    number: u64,
}

/// A call that is under way, as all instances see it.
#[derive(Debug)]
struct Call {
    number: u64,
    member: String,
    scopes: Vec<ScopeLimits>,
    ask: Ask,
}

/// A call that is over.
#[derive(Debug)]
pub(super) struct Job {
    call: Arc<Call>,
    /// The second in which it was counted; `None` where it wasn't.
    counted: Option<i64>,
    /// What it took; `None` if it was not made.
    tokens: Option<u64>,
}

/// What a call holds of the counters. It must be settled or released; dropped, it is released when its lease ends.
pub(super) struct Hold {
    shared: Arc<Shared>,
    call: Arc<Call>,
    counted: Option<i64>,
    is_over: bool,
}

impl Shared {
    pub(super) fn new(url: &RedisUrl) -> (Arc<Self>, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(MAX_JOBS);
        let shared = Self {
            client: Arc::clone(&url.client),
            instance: format!("{:016x}", fastrand::u64(..)),
            link: Mutex::default(),
            open: Mutex::default(),
            jobs,
            given: AtomicU64::new(0),
            done: watch::Sender::new(0),
            tried: watch::Sender::new(false),
        };
        (Arc::new(shared), receiver)
    }

    /// Waits until it was tried to reach Redis.
    pub(super) async fn tried(&self) {
        // It is tried for as long as there are limits.
        let _ = self.tried.subscribe().wait_for(|tried| *tried).await;
    }

    /// Waits until Redis was told of all calls that are over by now.
    pub(super) async fn told(&self) {
        let given = self.given.load(Ordering::Acquire);
        let _ = self.done.subscribe().wait_for(|done| *done >= given).await;
    }

    /// Asks for a call that this instance would let through.
    pub(super) async fn admit(self: &Arc<Self>, own: &Limits, scopes: &[ScopeLimits], ask: &Ask) -> Asked {
        let mut hold = self.enter(scopes, ask);
        let Some(mut connection) = self.connection() else {
            hold.open();
            return Asked::Admitted(hold, None);
        };
        let command = script::admit(&connection.sha, &self.instance, &hold.call, own);
        let answer = match timeout(PATIENCE, command.query_async::<Vec<i64>>(&mut connection.redis)).await {
            Ok(Ok(numbers)) => script::read(&numbers, &hold.call),
            Ok(Err(error)) => {
                self.lose(connection.number, &error.to_string());
                None
            }
            Err(_) => {
                self.lose(connection.number, "it doesn't answer in time");
                None
            }
        };
        match answer {
            Some(Answer::Admitted(second, rates)) => {
                hold.open();
                hold.counted = Some(second);
                Asked::Admitted(hold, Some(rates))
            }
            Some(Answer::Refused(refused)) => {
                hold.forget();
                Asked::Refused(refused)
            }
            None => {
                hold.open();
                Asked::Admitted(hold, None)
            }
        }
    }

    fn enter(self: &Arc<Self>, scopes: &[ScopeLimits], ask: &Ask) -> Hold {
        let number = {
            let mut link = self.link();
            link.last_call += 1;
            link.last_call
        };
        let most = match ask.most_cost {
            MostCost::AtMost(most) => most.max(Money::from_nanos(1)).nanos(),
            MostCost::Free | MostCost::Unknown => 0,
        };
        let limited = scopes.iter().filter(|scope| !scope.limits.is_empty());
        let call = Arc::new(Call {
            number,
            member: format!("{}-{number} {} {most}", self.instance, u8::from(ask.is_stream)),
            scopes: limited.cloned().collect(),
            ask: *ask,
        });
        Hold {
            shared: Arc::clone(self),
            call,
            counted: None,
            is_over: false,
        }
    }

    fn connection(&self) -> Option<Connection> {
        self.link().connection.clone()
    }

    /// Whether it is connected.
    #[cfg(test)]
    pub(super) fn is_reached(&self) -> bool {
        self.connection().is_some()
    }

    /// A connection is of no use any more; the log says so once until Redis is reached again.
    fn lose(&self, number: u64, why: &str) {
        let mut link = self.link();
        if link.number != number {
            return;
        }
        link.connection = None;
        link.tell(why);
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Call>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                error = why,
                "the Redis of `shared_counters` doesn't answer as it should; each instance counts limits for itself"
            );
        }
    }
}

impl Hold {
    /// The call took so many tokens.
    pub(super) fn settle(mut self, tokens: u64) {
        self.end(Some(tokens));
    }

    /// The call was not made.
    pub(super) fn release(mut self) {
        self.end(None);
    }

    /// The call is under way, and others are told so. One that is still asked for isn't: it may be refused, and would
    /// count until its lease ends.
    fn open(&self) {
        self.shared.open().insert(self.call.number, Arc::clone(&self.call));
    }

    /// Nobody else knows of the call.
    fn forget(mut self) {
        self.is_over = true;
    }

    fn end(&mut self, tokens: Option<u64>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        // Whatever is told of open calls after this is told before the job.
        self.shared.open().remove(&self.call.number);
        let job = Job {
            call: Arc::clone(&self.call),
            counted: self.counted,
            tokens,
        };
        // Without room, its lease ends.
        if self.shared.jobs.try_send(job).is_ok() {
            self.shared.given.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl fmt::Debug for Shared {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("call", &self.call).finish_non_exhaustive()
    }
}
