//! Tables, brought up to date when a database is opened.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};

use crate::StoreError;
use crate::sql::timed_out;

/// A step forward. There is none back: a database goes back by its backup.
struct Migration {
    version: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sqlite: include_str!("../sql/sqlite/0001_tables.sql"),
        postgres: include_str!("../sql/postgres/0001_tables.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../sql/sqlite/0002_spend_version.sql"),
        postgres: include_str!("../sql/postgres/0002_spend_version.sql"),
    },
];

/// What of PostgreSQL's advisory locks is ours: "outcrop" as a number.
const LOCK: &str = "SELECT pg_advisory_xact_lock(31380943193600880)";

/// A large table may take its time, and other instances wait for it.
const MIGRATION_LIMIT: Duration = Duration::from_secs(600);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS outcrop_migrations (version BIGINT NOT NULL PRIMARY KEY)";
const DONE: &str = "SELECT COALESCE(MAX(version), 0) FROM outcrop_migrations";
const NOTE: &str = "INSERT INTO outcrop_migrations (version) VALUES ($1)";

/// The steps that a database lacks, which has done those up to `done`.
fn missing(done: i64) -> Result<&'static [Migration], StoreError> {
    let known = MIGRATIONS.last().map_or(0, |last| last.version);
    if done > known {
        return Err(StoreError::TooNew(done));
    }
    let first = MIGRATIONS.partition_point(|migration| migration.version <= done);
    Ok(&MIGRATIONS[first..])
}

/// All steps are one transaction, which others wait for: they find nothing left to do.
macro_rules! run {
    ($connection:expr, $begin:expr, $lock:expr, $dialect:ident) => {{
        let mut transaction = sqlx::Connection::begin_with($connection, $begin).await?;
        if let Some(lock) = $lock {
            sqlx::raw_sql(lock).execute(&mut *transaction).await?;
        }
        sqlx::raw_sql(TABLE).execute(&mut *transaction).await?;
        let done: i64 = sqlx::query_scalar(DONE).fetch_one(&mut *transaction).await?;
        for migration in missing(done)? {
            sqlx::raw_sql(migration.$dialect).execute(&mut *transaction).await?;
            sqlx::query(NOTE)
                .bind(migration.version)
                .execute(&mut *transaction)
                .await?;
            tracing::info!(
                version = migration.version,
                "the database's tables are brought up to date"
            );
        }
        transaction.commit().await?;
        Ok(())
    }};
}

pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    run!(connection, "BEGIN IMMEDIATE", None::<&'static str>, sqlite)
}

pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<(), StoreError> {
    let steps = async { run!(connection, "BEGIN", Some(LOCK), postgres) };
    match tokio::time::timeout(MIGRATION_LIMIT, steps).await {
        Ok(done) => done,
        Err(_) => Err(timed_out(MIGRATION_LIMIT).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_from_one() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version).unwrap(), index + 1);
        }
        assert!(missing(0).unwrap().len() == MIGRATIONS.len());
        let last = MIGRATIONS.last().unwrap().version;
        assert!(missing(last).unwrap().is_empty());
        assert!(matches!(missing(last + 1), Err(StoreError::TooNew(_))));
    }
}
