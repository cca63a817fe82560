//! Keys and logins.

use outcrop_tenants::{Credential, CredentialKind, Id, Status};
use serde_json::{Value as Json, json};

use crate::change::{Change, detail};
use crate::columns::{Reading, as_kept, parsed, select, tree, verb, word};
use crate::conditions::Conditions;
use crate::sql::{Row, Value, values};
use crate::{Actor, Filter, NewCredential, Page, PageOf, Store, StoreError, cursor, random};

const KIND: &str = "key";
const LIST: &str = "keys";

pub(crate) fn from_row(row: &Row) -> Result<Credential, StoreError> {
    read(row, Reading::Exact)
}

fn kind(row: &Row) -> Result<CredentialKind, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a key without {what}"));
    let identity = || -> Result<Json, StoreError> {
        let text = row.maybe_text("identity")?.ok_or_else(|| corrupt("an identity"))?;
        parsed("identity", &text)
    };
    let member = |identity: &Json, name: &str| {
        let text = identity.get(name).and_then(Json::as_str).map(str::to_owned);
        text.ok_or_else(|| corrupt(name))
    };
    match row.text("kind")?.as_str() {
        "key" => Ok(CredentialKind::Key {
            prefix: row.maybe_text("prefix")?.ok_or_else(|| corrupt("a prefix"))?,
            hash: row.hash()?,
        }),
        "iam" => Ok(CredentialKind::Iam {
            arn: member(&identity()?, "arn")?,
        }),
        "jwt" => {
            let mut identity = identity()?;
            Ok(CredentialKind::Jwt {
                issuer: member(&identity, "issuer")?,
                claims: serde_json::from_value(identity["claims"].take()).map_err(|_| corrupt("claims"))?,
            })
        }
        other => Err(StoreError::Corrupt(format!("a key of the kind '{other}'"))),
    }
}

pub(crate) fn read(row: &Row, reading: Reading) -> Result<Credential, StoreError> {
    let kind = match (reading, kind(row)) {
        (Reading::Exact, kind) => kind?,
        // It may not be used, however it would have been known.
        (Reading::Closed, kind) => kind.unwrap_or(CredentialKind::Iam { arn: String::new() }),
    };
    Ok(Credential {
        id: row.text("id")?,
        project_id: row.text("project_id")?,
        name: row.text("name")?,
        kind,
        status: row.status(reading)?,
        expires_at: row.maybe_number("expires_at")?,
        settings: row.settings(reading)?,
        created_at: row.number("created_at")?,
        rotated_from: row.maybe_text("rotated_from")?,
        user: row.maybe_text("used_by")?,
    })
}

/// The columns `kind`, `prefix`, `hash`, `identity`.
fn kind_columns(kind: &CredentialKind) -> Vec<Value> {
    match kind {
        CredentialKind::Key { prefix, hash } => {
            values!["key", prefix, hash.as_bytes().as_slice(), None::<&String>]
        }
        other => values![
            kind_name(other),
            None::<&String>,
            None::<&[u8]>,
            Some(&identity(other).to_string())
        ],
    }
}

fn kind_name(kind: &CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Key { .. } => "key",
        CredentialKind::Iam { .. } => "iam",
        CredentialKind::Jwt { .. } => "jwt",
    }
}

/// By what it is known again, without what is secret.
fn identity(kind: &CredentialKind) -> Json {
    match kind {
        CredentialKind::Key { prefix, .. } => json!({ "prefix": prefix }),
        CredentialKind::Iam { arn } => json!({ "arn": arn }),
        CredentialKind::Jwt { issuer, claims } => json!({ "issuer": issuer, "claims": claims }),
    }
}

/// What it is called where it can be but once.
fn unique_name(kind: &CredentialKind, name: &str) -> String {
    match kind {
        CredentialKind::Key { prefix, .. } => prefix.clone(),
        _ => name.to_owned(),
    }
}

/// What the audit log tells of it.
fn shown(credential: &Credential) -> Result<Json, StoreError> {
    Ok(json!({
        "name": credential.name,
        "project_id": credential.project_id,
        "kind": kind_name(&credential.kind),
        "identity": identity(&credential.kind),
        "status": credential.status,
        "expires_at": credential.expires_at,
        "rotated_from": credential.rotated_from,
        "user": credential.user,
        "settings": tree(&credential.settings)?,
    }))
}

fn missing(id: &str) -> StoreError {
    StoreError::NotFound {
        kind: KIND,
        id: id.to_owned(),
    }
}

impl Change<'_> {
    async fn add_credential(
        &mut self,
        action: &str,
        new: NewCredential,
        rotated_from: Option<Id>,
    ) -> Result<Credential, StoreError> {
        let project = self.living_project(&new.project_id).await?;
        let (settings, text) = as_kept(&new.settings)?;
        let made = Credential {
            id: random::id("key_")?,
            project_id: new.project_id,
            name: new.name,
            kind: new.kind,
            status: Status::Active,
            expires_at: new.expires_at,
            settings,
            created_at: self.at,
            rotated_from,
            user: new.user,
        };
        let sql = "INSERT INTO credentials (id, sequence, version, project_id, name, status, expires_at, settings, \
                   created_at, rotated_from, used_by, kind, prefix, hash, identity) \
                   VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let mut values = values![
            &made.id,
            self.version,
            &made.project_id,
            &made.name,
            word(&made.status)?,
            made.expires_at,
            text,
            made.created_at,
            made.rotated_from.as_ref(),
            made.user.as_ref(),
        ];
        values.extend(kind_columns(&made.kind));
        self.write(KIND, &unique_name(&made.kind, &made.name), sql, values)
            .await?;
        self.audit(action, &made.id, Some(&project.organization_id), &shown(&made)?)
            .await?;
        Ok(made)
    }

    async fn write_credential(
        &mut self,
        action: &str,
        expected: &Credential,
        changed: Credential,
    ) -> Result<Credential, StoreError> {
        let sql = select!(credentials "WHERE id = $1 AND status <> 'deleted'");
        let row = self.row(sql, values![&expected.id]).await?;
        if from_row(&row.ok_or_else(|| missing(&expected.id))?)? != *expected {
            return Err(StoreError::Conflict {
                kind: KIND,
                id: expected.id.clone(),
            });
        }
        let (settings, text) = as_kept(&changed.settings)?;
        let changed = Credential {
            id: expected.id.clone(),
            project_id: expected.project_id.clone(),
            created_at: expected.created_at,
            rotated_from: expected.rotated_from.clone(),
            settings,
            ..changed
        };
        let sql = "UPDATE credentials SET version = $2, name = $3, status = $4, expires_at = $5, settings = $6, \
                   used_by = $7, kind = $8, prefix = $9, hash = $10, identity = $11 WHERE id = $1";
        let mut values = values![
            &changed.id,
            self.version,
            &changed.name,
            word(&changed.status)?,
            changed.expires_at,
            text,
            changed.user.as_ref(),
        ];
        values.extend(kind_columns(&changed.kind));
        self.write(KIND, &unique_name(&changed.kind, &changed.name), sql, values)
            .await?;
        let mut different = detail(&shown(expected)?, &shown(&changed)?);
        if let (CredentialKind::Key { hash: before, .. }, CredentialKind::Key { hash: after, .. }) =
            (&expected.kind, &changed.kind)
            && before != after
        {
            different["secret"] = json!("changed");
        }
        let organization = self.organization_of(&changed.project_id).await?;
        self.audit(action, &changed.id, Some(&organization), &different).await?;
        Ok(changed)
    }
}

impl Store {
    /// Creates a key or login.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of its project, [`StoreError::Taken`] of its prefix, or the database fails.
    pub async fn create_credential(&self, actor: &Actor, new: NewCredential) -> Result<Credential, StoreError> {
        let mut change = self.change(actor).await?;
        let action = match new.kind {
            CredentialKind::Key { .. } => "key.create",
            _ => "login.create",
        };
        let made = change.add_credential(action, new, None).await?;
        change.commit().await?;
        Ok(made)
    }

    /// One key or login, by its id or its prefix, deleted ones included.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or the database fails.
    pub async fn credential(&self, id_or_prefix: &str) -> Result<Credential, StoreError> {
        let sql = select!(credentials "WHERE id = $1 OR prefix = $1");
        let row = self.inner.pools.row(sql, values![id_or_prefix]).await?;
        from_row(&row.ok_or_else(|| missing(id_or_prefix))?)
    }

    /// Keys and logins, oldest first. Of a filter holds what keys have: when they were made, organization, projects,
    /// ids and users.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn credentials(&self, filter: &Filter, page: &Page) -> Result<PageOf<Credential>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.add("sequence > ?", cursor::after(LIST, page)?.unwrap_or(0));
        if !page.with_deleted {
            conditions.add_own("status <> 'deleted'");
        }
        if let Some(from) = filter.from {
            conditions.add("created_at * 1000 >= ?", from);
        }
        if let Some(until) = filter.until {
            conditions.add("created_at * 1000 < ?", until);
        }
        if let Some(organization) = &filter.organization_id {
            conditions.add(
                "project_id IN (SELECT id FROM projects WHERE organization_id = ?)",
                organization,
            );
        }
        conditions.add_any(&["project_id"], &filter.project_ids);
        conditions.add_any(&["id"], &filter.key_ids);
        conditions.add_any(&["used_by"], &filter.users);
        let limit = conditions.placeholder(cursor::limit(page) + 1);
        let (condition, values) = conditions.finish();
        let sql = format!(
            "{} WHERE {condition} ORDER BY sequence LIMIT {limit}",
            select!(credentials "")
        );
        let rows = self.inner.pools.rows(sql, values).await?;
        cursor::by_sequence(LIST, page, rows, from_row)
    }

    /// Writes a key or login, if it is still as it was read. `action` is what the audit log calls it; if it is empty,
    /// it is called by what becomes of the status. A key stays in its project; what is deleted stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], [`StoreError::Taken`], or the database fails.
    pub async fn update_credential(
        &self,
        actor: &Actor,
        action: &str,
        expected: &Credential,
        changed: Credential,
    ) -> Result<Credential, StoreError> {
        let usual = format!("key.{}", verb(expected.status, changed.status));
        let action = if action.is_empty() { &usual } else { action };
        let mut change = self.change(actor).await?;
        let changed = change.write_credential(action, expected, changed).await?;
        change.commit().await?;
        Ok(changed)
    }

    /// Creates the key that takes another one's place, which ends at `old_ends_at` unless it ends before, in one
    /// transaction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] of the old one, [`StoreError::Taken`], or the database fails.
    pub async fn rotate_credential(
        &self,
        actor: &Actor,
        old: &Credential,
        old_ends_at: i64,
        new: NewCredential,
    ) -> Result<Credential, StoreError> {
        let mut change = self.change(actor).await?;
        let ending = Credential {
            expires_at: Some(old.expires_at.map_or(old_ends_at, |end| end.min(old_ends_at))),
            ..old.clone()
        };
        change.write_credential("key.rotate", old, ending).await?;
        let made = change.add_credential("key.create", new, Some(old.id.clone())).await?;
        change.commit().await?;
        Ok(made)
    }
}
