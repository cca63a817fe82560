//! How the members of entities are kept in columns.

use outcrop_tenants::{KeyHash, Role, Settings, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::StoreError;
use crate::sql::Row;

/// The columns of a table that are read. With `*` a later version's new column would break the statements that an
/// older instance has prepared.
macro_rules! select {
    (organizations $rest:literal) => {
        concat!(
            "SELECT id, sequence, name, status, settings, created_at FROM organizations ",
            $rest
        )
    };
    (projects $rest:literal) => {
        concat!(
            "SELECT id, sequence, organization_id, name, status, settings, created_at FROM projects ",
            $rest
        )
    };
    (credentials $rest:literal) => {
        concat!(
            "SELECT id, sequence, project_id, name, kind, prefix, hash, identity, status, expires_at, settings, ",
            "created_at, rotated_from, used_by FROM credentials ",
            $rest
        )
    };
    (admin_keys $rest:literal) => {
        concat!(
            "SELECT id, sequence, name, prefix, hash, role, organization_id, status, expires_at, created_at ",
            "FROM admin_keys ",
            $rest
        )
    };
    (audit_log $rest:literal) => {
        concat!(
            "SELECT sequence, at, actor, address, action, object, detail FROM audit_log ",
            $rest
        )
    };
}
pub(crate) use select;

/// A name of one word, as JSON has it.
pub(crate) fn word(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Json::String(word)) => Ok(word),
        _ => Err(StoreError::Corrupt("a value isn't a word".to_owned())),
    }
}

/// JSON of what is kept as one text.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The same as a value, to be compared and shown.
pub(crate) fn tree(value: &impl Serialize) -> Result<Json, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// What a text of JSON says.
pub(crate) fn parsed<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("{column}: {error}")))
}

/// Settings as they will be read again: a number in them may not be kept to its last digit.
pub(crate) fn as_kept(settings: &Settings) -> Result<(Settings, String), StoreError> {
    let text = json(settings)?;
    Ok((parsed("settings", &text)?, text))
}

/// How rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are.
    Exact,
    /// As something that may not be used. A later version may have written what this one doesn't know; to do without
    /// it would be to leave a restriction out.
    Closed,
}

impl Row {
    fn worded<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let word = self.text(column)?;
        serde_json::from_value(Json::String(word)).map_err(|error| StoreError::Corrupt(format!("{column}: {error}")))
    }

    pub(crate) fn status(&self, reading: Reading) -> Result<Status, StoreError> {
        match (reading, self.worded("status")) {
            (Reading::Exact, status) => status,
            (Reading::Closed, Ok(Status::Deleted)) => Ok(Status::Deleted),
            (Reading::Closed, _) => Ok(Status::Disabled),
        }
    }

    pub(crate) fn role(&self, reading: Reading) -> Result<Role, StoreError> {
        match reading {
            Reading::Exact => self.worded("role"),
            Reading::Closed => Ok(Role::Billing),
        }
    }

    pub(crate) fn settings(&self, reading: Reading) -> Result<Settings, StoreError> {
        match reading {
            Reading::Exact => parsed("settings", &self.text("settings")?),
            Reading::Closed => Ok(Settings::default()),
        }
    }

    pub(crate) fn hash(&self) -> Result<KeyHash, StoreError> {
        let hash = <[u8; 32]>::try_from(self.bytes("hash")?);
        let hash = hash.map_err(|_| StoreError::Corrupt("a hash isn't of 32 bytes".to_owned()))?;
        Ok(KeyHash::from_bytes(hash))
    }
}

/// What the audit log calls a change of something that became this from that.
pub(crate) fn verb(before: Status, after: Status) -> &'static str {
    match (before, after) {
        (before, after) if before == after => "update",
        (_, Status::Active) => "enable",
        (_, Status::Disabled) => "disable",
        (_, Status::Deleted) => "delete",
    }
}
