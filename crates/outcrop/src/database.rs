//! Where tenants, keys and usage are kept, as the settings say.

use std::path::{Path, PathBuf};

use outcrop_store::{Location, Store, StoreError};
use outcrop_upstream::Config;

use crate::secrets::{SecretError, read_database_url, read_key_secret};
use crate::settings::{Database, Settings};

/// The file, where none is named.
const FILE: &str = "outcrop.db";

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DatabaseError {
    /// Its URL, or the secret for its keys, can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder can't be made.
    #[error("cannot make the folder {path}: {source}; `database` names another place")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Nothing says where it could be.
    #[error("there is no place for a database: set `database` or `state_dir`")]
    NoPlace,
    /// The settings want none.
    #[error("`database` is `{0}`: there are no tenants, keys or usage to look at; name one with --database")]
    Nowhere(&'static str),
}

/// Opens the database for a gateway; `None` if the settings want none. Where none is named and none can be made, it is in
/// memory.
///
/// # Errors
/// If one is named that can't be opened.
pub(crate) async fn open(settings: &Settings, config: &Config) -> Result<Option<Store>, DatabaseError> {
    let location = match &settings.database {
        Database::Nowhere => return Ok(None),
        Database::Memory => Location::Memory,
        Database::Default if settings.simulate => Location::Memory,
        Database::At(value) => at(&read_database_url(value, config).await?),
        Database::Default => match default_file(settings) {
            Ok(path) => {
                let was_there = path.exists();
                match Store::open(&Location::Sqlite(path)).await {
                    Ok(store) => return Ok(Some(store)),
                    // Without the keys that it may hold, none would be asked for.
                    Err(error) if was_there => return Err(error.into()),
                    Err(error) => in_memory(&error),
                }
            }
            Err(error) => in_memory(&error),
        },
    };
    Ok(Some(Store::open(&location).await?))
}

/// Opens the database for a command, which has no use for one in memory, and says where it is.
///
/// # Errors
/// If there is none, or it can't be opened.
pub(crate) async fn open_kept(settings: &Settings, config: &Config) -> Result<(Store, Location), DatabaseError> {
    let location = match &settings.database {
        Database::Nowhere => return Err(DatabaseError::Nowhere("none")),
        Database::Memory => return Err(DatabaseError::Nowhere("memory")),
        Database::At(value) => at(&read_database_url(value, config).await?),
        Database::Default => Location::Sqlite(default_file(settings)?),
    };
    Ok((Store::open(&location).await?, location))
}

/// The secret that keys are hashed with, if the settings have one.
///
/// # Errors
/// If it can't be read, or is too short.
pub(crate) async fn key_secret(settings: &Settings, config: &Config) -> Result<Option<String>, SecretError> {
    match &settings.key_secret {
        None => Ok(None),
        Some(secret) => read_key_secret(&secret.clone().into_value(), config).await.map(Some),
    }
}

/// The folder for what is kept on disk; `None` if nothing says where.
pub(crate) fn state_dir(settings: &Settings) -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = &settings.state_dir {
        return Some(path.clone());
    }
    // systemd makes it, and names several with colons between them.
    if let Some(path) = variable("STATE_DIRECTORY") {
        let first = path.to_str().and_then(|text| text.split(':').next().map(PathBuf::from));
        return Some(first.unwrap_or(path));
    }
    let home = || Some(variable("HOME")?.join(".local/state"));
    let base = variable("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(home)?;
    Some(base.join("outcrop"))
}

fn default_file(settings: &Settings) -> Result<PathBuf, DatabaseError> {
    let folder = state_dir(settings).ok_or(DatabaseError::NoPlace)?;
    make_private(&folder).map_err(|source| DatabaseError::Folder {
        path: folder.clone(),
        source,
    })?;
    Ok(folder.join(FILE))
}

/// Makes a folder that nobody else may look into, unless there is one.
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn in_memory(error: &dyn std::fmt::Display) -> Location {
    tracing::warn!(
        %error,
        "keys and usage are kept in memory only, and are gone when this ends; `database` or `state_dir` says where to keep \
         them, `database = \"none\"` that they needn't be"
    );
    Location::Memory
}

fn at(url: &str) -> Location {
    match url.strip_prefix("sqlite:") {
        // `sqlite:///path` and `sqlite:path` are both in use.
        Some(path) => Location::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
        None => Location::Postgres(url.to_owned()),
    }
}
