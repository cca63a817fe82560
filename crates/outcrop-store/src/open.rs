//! Opening and closing.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::task::AbortHandle;

use crate::changes::{Changes, follow};
use crate::sql::{Pools, timed_out};
use crate::{Location, Store, StoreError, migrations};

/// How long a connection may take, and how long somebody waits for one.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process that writes.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How many of SQLite's connections read at the same time.
const READERS: u32 = 4;
/// How long one that reads is kept that nobody needs: each has a thread, and pages in memory.
const READER_IDLE: Duration = Duration::from_secs(60);
/// How many KiB of pages a connection that reads keeps; with the minus that SQLite wants before KiB.
const READER_PAGES: &str = "-512";
/// How many connections to PostgreSQL there are, unless told; one of them listens.
const DEFAULT_CONNECTIONS: u32 = 10;
/// A transaction that its instance has left alone must not keep others waiting, nor a statement run for ever.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '10s'; \
                       SET statement_timeout = '30s'";

/// What all clones of a store share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) pools: Pools,
    pub(crate) changes: Arc<Changes>,
    /// None in memory, where nobody else is.
    follower: Option<AbortHandle>,
}

impl Inner {
    pub(crate) fn is_in_memory(&self) -> bool {
        self.follower.is_none()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(follower) = &self.follower {
            follower.abort();
        }
    }
}

impl std::fmt::Display for Location {
    /// Without a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Memory => f.write_str("memory"),
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    let place = options.get_socket().map_or_else(
                        || format!("{}:{}", options.get_host(), options.get_port()),
                        |socket| socket.display().to_string(),
                    );
                    let database = options.get_database().unwrap_or_else(|| options.get_username());
                    write!(f, "postgres://{}@{place}/{database}", options.get_username())
                }
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl Store {
    /// Opens a database, and brings its tables up to date. Several processes may do so at once.
    ///
    /// # Errors
    /// When it can't be reached or read, or belongs to a later version of this program.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        Self::open_with(location, DEFAULT_CONNECTIONS).await
    }

    /// Opens a database with at most so many connections to PostgreSQL, at least 2: one of them listens.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(location: &Location, max_connections: u32) -> Result<Self, StoreError> {
        let opened = match location {
            Location::Sqlite(path) => open_file(path).await,
            Location::Memory => open_memory().await,
            Location::Postgres(url) => open_postgres(url, max_connections.max(2)).await,
        };
        let pools = opened.map_err(|error| match error {
            StoreError::Database(source) => StoreError::Open {
                location: location.to_string(),
                source,
            },
            other => other,
        })?;
        let changes = Changes::new();
        changes.saw(crate::changes::version(&pools).await?);
        let follower = match location {
            Location::Memory => None,
            _ => Some(tokio::spawn(follow(Arc::clone(&changes), pools.clone())).abort_handle()),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                pools,
                changes,
                follower,
            }),
        })
    }

    /// Whether it is gone when the process ends.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.inner.follower.is_none()
    }

    /// Whether it is a file of this machine.
    #[must_use]
    pub fn is_file(&self) -> bool {
        !self.is_in_memory() && matches!(self.inner.pools, Pools::Sqlite { .. })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        crate::changes::version(&self.inner.pools).await.map(drop)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        if let Some(follower) = &self.inner.follower {
            follower.abort();
        }
        // A server that doesn't answer isn't waited for.
        let _ = tokio::time::timeout(CONNECT_LIMIT, self.inner.pools.close()).await;
    }
}

async fn open_file(path: &Path) -> Result<Pools, StoreError> {
    make_file(path, false).map_err(sqlx::Error::Io)?;
    let began = Instant::now();
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_LIMIT)
        .disable_statement_logging();
    let write = loop {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(2 * BUSY_LIMIT)
            .connect_with(options.clone())
            .await;
        match pool {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY_LIMIT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => break other?,
        }
    };
    migrations::sqlite(&mut *write.acquire().await?).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(READER_IDLE)
        .acquire_timeout(2 * BUSY_LIMIT)
        .connect_with(options.pragma("query_only", "ON").pragma("cache_size", READER_PAGES))
        .await?;
    Ok(Pools::Sqlite { write, read })
}

/// Whether another process holds the file. SQLite waits for it itself, but not when the file becomes one with a log
/// written ahead, which several may do that open it for the first time.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Makes the file and its folder where there is none, for nobody else to read: SQLite's other files beside it take
/// after it. A new one must not be there.
pub(crate) fn make_file(path: &Path, is_new: bool) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    let mut file = std::fs::OpenOptions::new();
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.recursive(true).create(parent)?;
    }
    file.append(true).create(true).create_new(is_new).open(path).map(drop)
}

/// One connection, which is the database: it is never closed before the store is.
async fn open_memory() -> Result<Pools, StoreError> {
    // By this name rather than as a mode of opening, which copies would be opened by as well.
    let options = SqliteConnectOptions::new()
        .filename(":memory:")
        .foreign_keys(true)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(2 * BUSY_LIMIT)
        .connect_with(options)
        .await?;
    migrations::sqlite(&mut *pool.acquire().await?).await?;
    Ok(Pools::Sqlite {
        write: pool.clone(),
        read: pool,
    })
}

async fn open_postgres(url: &str, max_connections: u32) -> Result<Pools, StoreError> {
    // Statements of hundreds of rows are no help in a log.
    let options = PgConnectOptions::from_str(url)?
        .application_name("outcrop")
        .disable_statement_logging();
    // By a connection of its own: a pool would tell of the time alone, not of what is wrong.
    let connecting = PgConnection::connect_with(&options);
    let mut connection = tokio::time::timeout(CONNECT_LIMIT, connecting)
        .await
        .map_err(|_| timed_out(CONNECT_LIMIT))??;
    migrations::postgres(&mut connection).await?;
    connection.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(CONNECT_LIMIT)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(sqlx::raw_sql(SESSION)).await.map(drop) })
        })
        // A connection that was left in the middle of something, and doesn't answer, must not hold its place.
        .after_release(|connection, _| {
            Box::pin(async move {
                let answer = tokio::time::timeout(CONNECT_LIMIT, connection.ping()).await;
                answer.map_err(|_| timed_out(CONNECT_LIMIT))?.map(|()| true)
            })
        })
        .connect_lazy_with(options);
    Ok(Pools::Postgres(pool))
}
