//! Copies of a database that is in use.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteQueryResult};

use crate::open::make_file;
use crate::sql::Pools;
use crate::{Store, StoreError};

/// Reads one state of the database, however long it takes.
const COPY: &str = "VACUUM INTO $1";

impl Store {
    /// Writes a copy of SQLite's database as it is now into a new file, while all goes on. PostgreSQL has programs of
    /// its own for this.
    ///
    /// # Errors
    /// [`StoreError::NoBackup`] of PostgreSQL; the file is there already or can't be written.
    pub async fn backup(&self, path: &Path) -> Result<(), StoreError> {
        let Pools::Sqlite { write, .. } = &self.inner.pools else {
            return Err(StoreError::NoBackup);
        };
        let name = path.to_str().ok_or_else(|| {
            let message = format!("{} isn't UTF-8", path.display());
            sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidInput, message))
        })?;
        // SQLite writes into a file only if it is empty; this one is nobody else's to read.
        make_file(path, true).map_err(sqlx::Error::Io)?;
        let copied = if self.inner.is_in_memory() {
            sqlx::query(COPY).bind(name).execute(write).await
        } else {
            // By a connection of its own: those that read may not, and the one that writes has other things to do.
            copy(&write.connect_options(), name).await
        };
        if copied.is_err() {
            let _ = std::fs::remove_file(path);
        }
        Ok(copied.map(drop)?)
    }
}

async fn copy(options: &SqliteConnectOptions, name: &str) -> Result<SqliteQueryResult, sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let copied = sqlx::query(COPY).bind(name).execute(&mut connection).await;
    connection.close().await?;
    copied
}
