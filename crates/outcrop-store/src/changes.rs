//! Word of changes, whoever made them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::StoreError;
use crate::sql::{Pools, values};

/// What PostgreSQL tells of changes by.
pub(crate) const CHANNEL: &str = "outcrop_directory";

/// How often SQLite is looked at: it tells nobody.
const LOOK_AT_FILE: Duration = Duration::from_millis(200);
/// How often PostgreSQL is looked at, in case that word of a change got lost, or that something between us and it
/// (a pooler of connections) passes none on.
const LOOK_AT_SERVER: Duration = Duration::from_millis(500);

/// The version that was last seen, and who waits for another.
#[derive(Debug)]
pub(crate) struct Changes {
    seen: Mutex<i64>,
    count: watch::Sender<u64>,
}

impl Changes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::new(0),
            count: watch::Sender::new(0),
        })
    }

    pub(crate) fn receiver(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// Tells of a version, if it isn't the one that was last seen. A restored backup may bring an older one.
    pub(crate) fn saw(&self, version: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != version {
            *seen = version;
            self.count.send_modify(|count| *count += 1);
        }
    }

    async fn look(&self, pools: &Pools) -> Result<(), StoreError> {
        self.saw(version(pools).await?);
        Ok(())
    }
}

/// The version that the database has.
pub(crate) async fn version(pools: &Pools) -> Result<i64, StoreError> {
    let row = pools.row("SELECT version FROM directory_version", values![]).await?;
    row.ok_or_else(|| StoreError::Corrupt("it has no version".to_owned()))?
        .number("version")
}

/// Looks and listens until the store is closed.
pub(crate) async fn follow(changes: Arc<Changes>, pools: Pools) {
    let mut is_well = true;
    loop {
        let failure = match &pools {
            Pools::Sqlite { .. } => poll(&changes, &pools).await,
            Pools::Postgres(pool) => match PgListener::connect_with(pool).await {
                Ok(listener) => listen(&changes, &pools, listener, &mut is_well).await,
                Err(error) => error.into(),
            },
        };
        if matches!(failure, StoreError::Database(sqlx::Error::PoolClosed)) {
            return;
        }
        if is_well {
            tracing::warn!(error = %failure, "can't see whether the database has changed; trying on");
            is_well = false;
        }
        tokio::time::sleep(LOOK_AT_SERVER).await;
        if matches!(pools, Pools::Postgres(_)) && changes.look(&pools).await.is_ok() {
            is_well = true;
        }
    }
}

async fn poll(changes: &Changes, pools: &Pools) -> StoreError {
    loop {
        if let Err(error) = changes.look(pools).await {
            return error;
        }
        tokio::time::sleep(LOOK_AT_FILE).await;
    }
}

async fn listen(changes: &Changes, pools: &Pools, mut listener: PgListener, is_well: &mut bool) -> StoreError {
    if let Err(error) = listener.listen(CHANNEL).await {
        return error.into();
    }
    loop {
        // Also the first time: what changed while nobody listened is seen.
        if let Err(error) = changes.look(pools).await {
            return error;
        }
        *is_well = true;
        if let Ok(Err(error)) = tokio::time::timeout(LOOK_AT_SERVER, listener.try_recv()).await {
            return error.into();
        }
    }
}
