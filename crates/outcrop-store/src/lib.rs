//! What is kept of tenants, keys and usage: one [`Store`] over SQLite and PostgreSQL.

mod admin_keys;
mod audit;
mod backup;
mod change;
mod changes;
mod columns;
mod conditions;
mod credentials;
mod cursor;
mod directory;
mod error;
mod insert;
pub mod journal;
mod migrations;
mod once;
mod open;
mod organizations;
mod projects;
mod query;
mod random;
mod report;
mod rows;
mod spend;
mod sql;
mod usage;

use std::path::PathBuf;
use std::sync::Arc;

pub use error::StoreError;
pub use query::{Bucket, Filter, GroupBy, SpendChanges, SpendScope, SpendTotal, UsageQuery, UsageRow};
pub use rows::{Actor, Directory, NewAdminKey, NewCredential, NewOrganization, NewProject, Page, PageOf};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite, which is created where there is none.
    Sqlite(PathBuf),
    /// In memory, for as long as the process lives.
    Memory,
    /// A URL of PostgreSQL: `postgres://user:password@host/database?sslmode=verify-full`.
    Postgres(String),
}

/// A database, with its tables made. Cheap to clone.
///
/// Whatever is asked of it ends within a bounded time, also when the database is away.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<open::Inner>,
}
