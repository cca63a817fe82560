//! One text of SQL for both databases: what goes in, what comes out, and transactions.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqlSafeStr as _, SqlStr, Transaction};

use crate::StoreError;

/// How long PostgreSQL may take for one statement. It is so long that only a connection that has died reaches it.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// A value that a statement is given.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Value {
    /// PostgreSQL has no place for NUL, and a request's own words mustn't keep others' from being written.
    fn from(text: String) -> Self {
        Self::Text(Some(if text.contains('\0') {
            text.replace('\0', "\u{fffd}")
        } else {
            text
        }))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Option<&String>> for Value {
    fn from(text: Option<&String>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::from(i64::from(is))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

impl From<Option<&[u8]>> for Value {
    fn from(bytes: Option<&[u8]>) -> Self {
        Self::Bytes(bytes.map(<[u8]>::to_vec))
    }
}

/// The values of a statement, of whatever types.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use values;

/// A statement: with a text of its own for each question only where it can't be otherwise, since texts are kept
/// prepared.
pub(crate) struct Sql {
    text: SqlStr,
    is_kept: bool,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self {
            text: text.into_sql_str(),
            is_kept: true,
        }
    }
}

impl From<String> for Sql {
    /// The text must be made of our own words only; what comes from outside is a value.
    fn from(text: String) -> Self {
        Self {
            text: AssertSqlSafe(text).into_sql_str(),
            is_kept: false,
        }
    }
}

impl Sql {
    /// A text of our own words that comes again and again.
    pub(crate) fn kept(text: Arc<str>) -> Self {
        Self {
            text: AssertSqlSafe(text).into_sql_str(),
            is_kept: true,
        }
    }
}

/// A row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getters {
    ($($name:ident: $type:ty;)*) => {
        $(pub(crate) fn $name(&self, column: &str) -> Result<$type, StoreError> {
            Ok(match self {
                Self::Sqlite(row) => row.try_get(column)?,
                Self::Postgres(row) => row.try_get(column)?,
            })
        })*
    };
}

impl Row {
    getters! {
        text: String;
        maybe_text: Option<String>;
        number: i64;
        maybe_number: Option<i64>;
        bytes: Vec<u8>;
    }

    pub(crate) fn is(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    /// A number that is never less than nothing.
    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        let number = self.number(column)?;
        u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{column} is {number}")))
    }
}

/// The connections to a database.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite {
        /// One, so that this process doesn't wait for itself.
        write: SqlitePool,
        /// The same in memory, where there is but one connection.
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading, all of it as of one moment.
    Snapshot,
    /// Writing what may be lost with the power: SQLite doesn't wait for the disk.
    Note,
    /// Writing what must not be lost.
    Change,
}

/// A transaction, which is rolled back unless it is committed.
pub(crate) enum Session {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A statement with its values, for either database.
macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql.text).persistent($sql.is_kept);
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Gives up on a database that doesn't answer.
async fn limited<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(STATEMENT_LIMIT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(timed_out(STATEMENT_LIMIT).into()),
    }
}

/// The error for it.
pub(crate) fn timed_out(limit: Duration) -> sqlx::Error {
    let message = format!("no answer in {} seconds", limit.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
}

/// A connection that no transaction is open on. Where the disk is full, SQLite takes a transaction back by itself, and the
/// connection can't be told to: it takes it for open for ever, and would begin no other one.
async fn idle(pool: &SqlitePool) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    if connection.is_in_transaction() {
        // What takes the last one back may still be on its way.
        connection.ping().await?;
        let is_memory = pool.connect_options().get_filename() == Path::new(":memory:");
        if connection.is_in_transaction() && !is_memory {
            let _ = connection.close().await;
            connection = pool.acquire().await?;
        }
    }
    Ok(connection)
}

impl Pools {
    /// Asks one question outside of a transaction.
    pub(crate) async fn rows(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite { read, .. } => {
                let rows = bound!(sql, values).fetch_all(read).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                let rows = limited(bound!(sql, values).fetch_all(pool)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn row(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Session, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } if purpose == Purpose::Snapshot => {
                Session::Sqlite(Transaction::begin(idle(read).await?, None).await?)
            }
            Self::Sqlite { write, .. } => {
                let mut connection = idle(write).await?;
                let durability = match purpose {
                    Purpose::Change => "PRAGMA synchronous = FULL",
                    _ => "PRAGMA synchronous = NORMAL",
                };
                sqlx::query(durability).execute(&mut *connection).await?;
                // A transaction that first reads and then writes would fail if another one wrote in between.
                let statement = "BEGIN IMMEDIATE".into_sql_str();
                Session::Sqlite(Transaction::begin(connection, Some(statement)).await?)
            }
            Self::Postgres(pool) => {
                let statement = match purpose {
                    Purpose::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                    Purpose::Note | Purpose::Change => "BEGIN",
                };
                Session::Postgres(limited(pool.begin_with(statement)).await?)
            }
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Session {
    pub(crate) async fn rows(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite(transaction) => {
                let rows = bound!(sql, values).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let rows = limited(bound!(sql, values).fetch_all(&mut **transaction)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn row(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// Does something, and says to how many rows.
    pub(crate) async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64, StoreError> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite(transaction) => {
                let done = bound!(sql, values).execute(&mut **transaction).await?;
                done.rows_affected()
            }
            Self::Postgres(transaction) => {
                let done = limited(bound!(sql, values).execute(&mut **transaction)).await?;
                done.rows_affected()
            }
        })
    }

    /// Tells the other instances once the transaction is committed. SQLite has nobody to tell it.
    pub(crate) async fn announce(&mut self) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            self.rows("SELECT pg_notify($1, '')", values![crate::changes::CHANNEL])
                .await?;
        }
        Ok(())
    }

    /// Takes it back, at once: whoever begins another one doesn't find it under way.
    pub(crate) async fn roll_back(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.rollback().await?),
            Self::Postgres(transaction) => limited(transaction.rollback()).await,
        }
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
            Self::Postgres(transaction) => limited(transaction.commit()).await,
        }
    }
}
