//! A change: a transaction with a version of its own and a line in the audit log.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::sql::{Purpose, Row, Session, Sql, Value, values};
use crate::{Actor, Store, StoreError, random};

/// A transaction that changes organizations, projects, credentials or admin keys. Changes are made one after the
/// other, over all instances: each holds the row of the version until it is committed. So whoever asks what has changed
/// since a version never misses any of an earlier one.
pub(crate) struct Change<'a> {
    store: &'a Store,
    session: Session,
    actor: &'a Actor,
    /// The version that it makes.
    pub(crate) version: i64,
    /// Seconds since 1970.
    pub(crate) at: i64,
}

impl Store {
    pub(crate) async fn change<'a>(&'a self, actor: &'a Actor) -> Result<Change<'a>, StoreError> {
        let mut change = Change {
            store: self,
            session: self.inner.pools.begin(Purpose::Change).await?,
            actor,
            version: 0,
            at: random::now(),
        };
        change.count_up().await?;
        Ok(change)
    }
}

impl Change<'_> {
    /// Begins another version in the same transaction.
    pub(crate) async fn count_up(&mut self) -> Result<(), StoreError> {
        let row = self
            .row(
                "UPDATE directory_version SET version = version + 1 RETURNING version",
                values![],
            )
            .await?;
        self.version = row
            .ok_or_else(|| StoreError::Corrupt("it has no version".to_owned()))?
            .number("version")?;
        Ok(())
    }

    pub(crate) async fn row(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        self.session.row(sql, values).await
    }

    /// Writes something that must be one of its kind.
    pub(crate) async fn write(
        &mut self,
        kind: &'static str,
        name: &str,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<(), StoreError> {
        match self.session.execute(sql, values).await {
            Ok(_) => Ok(()),
            Err(StoreError::Database(sqlx::Error::Database(error))) if error.is_unique_violation() => {
                Err(StoreError::Taken {
                    kind,
                    name: name.to_owned(),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a line to the audit log.
    pub(crate) async fn audit(
        &mut self,
        action: &str,
        object: &str,
        organization_id: Option<&String>,
        detail: &Json,
    ) -> Result<(), StoreError> {
        let values = values![
            self.at,
            &self.actor.name,
            &self.actor.address,
            action,
            object,
            organization_id,
            detail.to_string(),
        ];
        let sql = "INSERT INTO audit_log (at, actor, address, action, object, organization_id, detail) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        self.session.execute(sql, values).await.map(drop)
    }

    /// Makes it true, and tells of it: both, also if whoever asked for it doesn't wait for the answer.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let Self {
            store,
            mut session,
            version,
            ..
        } = self;
        let changes = Arc::clone(&store.inner.changes);
        let committed = tokio::spawn(async move {
            session.announce().await?;
            session.commit().await?;
            changes.saw(version);
            Ok(())
        });
        let ended = committed.await;
        ended.unwrap_or_else(|error| Err(sqlx::Error::Io(std::io::Error::other(error)).into()))
    }
}

/// What is different between two objects, member by member.
pub(crate) fn difference(before: &Json, after: &Json) -> Json {
    let empty = Map::new();
    let before = before.as_object().unwrap_or(&empty);
    let after = after.as_object().unwrap_or(&empty);
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut changed = Map::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            changed.insert(name.clone(), json!({ "from": old, "to": new }));
        }
    }
    Json::Object(changed)
}

/// What is different between two states of something; of its settings, which of them.
pub(crate) fn detail(before: &Json, after: &Json) -> Json {
    let mut different = difference(before, after);
    if let (Some(Json::Object(_)), Some(settings)) = (before.get("settings"), different.get_mut("settings")) {
        *settings = difference(&before["settings"], &after["settings"]);
    }
    different
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_tells_both_sides() {
        let before = json!({"name": "a", "limit": 1, "same": [1]});
        let after = json!({"name": "b", "same": [1], "new": true});
        let expected = json!({
            "name": {"from": "a", "to": "b"},
            "limit": {"from": 1, "to": null},
            "new": {"from": null, "to": true},
        });
        assert_eq!(difference(&before, &after), expected);
        assert_eq!(difference(&before, &before), json!({}));
    }
}
