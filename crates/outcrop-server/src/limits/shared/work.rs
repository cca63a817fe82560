//! What is told to Redis behind the requests: calls that are over, signs of life, and the connection itself.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use outcrop_tenants::Money;
use outcrop_tenants::limits::{Scope, ScopeLimits};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisError};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::script::{self, SCRIPT};
use super::{Call, Connection, Job, Shared};
use crate::limits::Limits;

/// What is counted for: an organization, a project, a key.
type Key = (Scope, Arc<str>);

/// How often a Redis that is gone is tried, and others learn of what was spent and is under way.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer to what is told may take.
const TELL_TIMEOUT: Duration = Duration::from_secs(2);
/// As much is told at once.
const MAX_AT_ONCE: usize = 256;

/// How what was spent stood when it was last told.
type Versions = HashMap<(Scope, Arc<str>), u64>;

/// Tells Redis what happens here, for as long as there are limits.
pub(in crate::limits) fn work(shared: &Arc<Shared>, limits: Weak<Limits>, mut jobs: mpsc::Receiver<Job>) {
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        let mut times = interval(PAUSE);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said = Versions::new();
        let mut waiting = Vec::with_capacity(MAX_AT_ONCE);
        loop {
            // Whatever is under way is told of at each tick, also if jobs come all the time.
            let is_tick = tokio::select! {
                biased;
                _ = times.tick() => true,
                received = jobs.recv_many(&mut waiting, MAX_AT_ONCE) => {
                    if received == 0 {
                        return;
                    }
                    false
                }
            };
            let (Some(shared), Some(limits)) = (shared.upgrade(), limits.upgrade()) else {
                return;
            };
            if is_tick && shared.connection().is_none() {
                said.clear();
                shared.connect().await;
                shared.tried.send_replace(true);
            }
            let jobs = waiting.len() as u64;
            let Some(connection) = shared.connection() else {
                waiting.clear();
                shared.done.send_modify(|done| *done += jobs);
                continue;
            };
            let commands: Vec<Cmd> = if is_tick {
                shared.signs_of_life(&connection, &limits, &mut said)
            } else {
                let settle = |job: Job| script::settle(&connection.sha, &shared.instance, &job, &limits.own);
                waiting.drain(..).map(settle).collect()
            };
            for part in commands.chunks(MAX_AT_ONCE) {
                if !shared.tell(connection.clone(), part).await {
                    break;
                }
            }
            shared.done.send_modify(|done| *done += jobs);
        }
    });
}

impl Shared {
    async fn connect(&self) {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let connecting = async {
            let mut redis = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            let sha = load(&mut redis).await?;
            Ok::<_, RedisError>((redis, sha))
        };
        let why = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok((redis, sha))) => {
                let mut link = self.link();
                if std::mem::take(&mut link.is_told) {
                    tracing::info!("the Redis of `shared_counters` is reached again");
                }
                link.number += 1;
                let number = link.number;
                link.connection = Some(Connection {
                    redis,
                    sha: sha.into(),
                    number,
                });
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it doesn't answer".to_owned(),
        };
        self.link().tell(&why);
    }

    /// All that is under way, and what was spent where something was. It prolongs leases, and puts everything there again
    /// if Redis has lost it.
    fn signs_of_life(&self, connection: &Connection, limits: &Limits, said: &mut Versions) -> Vec<Cmd> {
        let open: Vec<Arc<Call>> = self.open().values().cloned().collect();
        let mut scopes: HashMap<Key, (ScopeLimits, Vec<&str>)> = HashMap::new();
        for call in &open {
            for scope in &call.scopes {
                let key = (scope.scope, Arc::clone(&scope.id));
                let (_, members) = scopes.entry(key).or_insert_with(|| (scope.clone(), Vec::new()));
                members.push(&call.member);
            }
        }
        let mut versions = HashMap::new();
        for spent in limits.own.spent() {
            let key = (spent.scope, Arc::clone(&spent.id));
            let has_changed = said.get(&key) != Some(&spent.version);
            versions.insert(key.clone(), spent.version);
            // What was said before holds for a minute.
            if !has_changed && spent.pending == Money::ZERO {
                continue;
            }
            scopes.entry(key).or_insert_with(|| {
                let scope = ScopeLimits {
                    scope: spent.scope,
                    name: Arc::clone(&spent.id),
                    id: spent.id,
                    limits: Arc::default(),
                };
                (scope, Vec::new())
            });
        }
        *said = versions;
        scopes
            .values()
            .map(|(scope, members)| script::sync(&connection.sha, &self.instance, scope, members, &limits.own))
            .collect()
    }

    async fn tell(&self, mut connection: Connection, commands: &[Cmd]) -> bool {
        let mut pipe = redis::pipe();
        for command in commands {
            pipe.add_command(command.clone());
        }
        let why = match timeout(TELL_TIMEOUT, pipe.query_async::<Vec<i64>>(&mut connection.redis)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it doesn't answer in time".to_owned(),
        };
        self.lose(connection.number, &why);
        false
    }
}

async fn load(redis: &mut MultiplexedConnection) -> Result<String, RedisError> {
    redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(redis).await
}
