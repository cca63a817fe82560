//! What can go wrong.

/// Why the database didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing.
    #[error("there is no {kind} '{id}'")]
    NotFound {
        /// What: `key`, `project`.
        kind: &'static str,
        /// Its id or name.
        id: String,
    },
    /// A name that must be one of its kind is taken.
    #[error("{kind} '{name}' exists already")]
    Taken {
        /// What: `organization`, `project`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// It was changed by somebody else since it was read.
    #[error("the {kind} '{id}' has been changed meanwhile; read it again")]
    Conflict {
        /// What.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The page can't be continued.
    #[error("there is no page behind '{0}'")]
    Cursor(String),
    /// What is in the database isn't what was put there.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
    /// The database was made by a later version of this program.
    #[error("the database is of a later version of outcrop (migration {0}); this one can't use it")]
    TooNew(i64),
    /// PostgreSQL is copied by its own programs.
    #[error("a database of PostgreSQL is copied by pg_dump")]
    NoBackup,
    /// It can't be opened.
    #[error("cannot open the database {location}: {source}")]
    Open {
        /// Where, without a password.
        location: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// It failed otherwise.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether the same may work later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::Database(error) => !is_about_data(error),
            _ => false,
        }
    }

    /// Whether nothing can be written now, whatever it is.
    pub(crate) fn is_of_storage(&self) -> bool {
        matches!(self, Self::Database(error) if is_about_storage(error))
    }
}

/// Whether the database can't write anything now, whatever it is given: SQLite's codes for a file that others hold, that
/// is full or can't be written; PostgreSQL's classes of what it has no room for or does elsewhere.
fn is_about_storage(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Io(error) = error {
        return error.kind() == std::io::ErrorKind::StorageFull;
    }
    let Some(error) = error.as_database_error() else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        let code = code.parse::<u32>().map(|code| code & 0xff);
        code.is_ok_and(|code| matches!(code, 5..=8 | 10 | 13..=15))
    } else {
        // Of the class of a transaction's state, that of one that may only read: a standby that was the first before.
        let classes = ["08", "25006", "53", "57", "58"];
        classes.iter().any(|class| code.starts_with(class))
    }
}

/// Whether the database refuses what it was given, and always will: SQLite's codes for what is too large, against a
/// constraint or of another type; PostgreSQL's classes of data exceptions and of violated constraints.
fn is_about_data(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20))
    } else {
        code.starts_with("22") || code.starts_with("23")
    }
}
