//! Keys for administration.

use outcrop_tenants::{AdminKey, Status};
use serde_json::{Value as Json, json};

use crate::change::detail;
use crate::columns::{Reading, select, verb, word};
use crate::sql::{Row, values};
use crate::{Actor, NewAdminKey, Page, PageOf, Store, StoreError, cursor, random};

const KIND: &str = "admin key";
const LIST: &str = "admin_keys";

pub(crate) fn from_row(row: &Row) -> Result<AdminKey, StoreError> {
    read(row, Reading::Exact)
}

pub(crate) fn read(row: &Row, reading: Reading) -> Result<AdminKey, StoreError> {
    Ok(AdminKey {
        id: row.text("id")?,
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        hash: row.hash()?,
        role: row.role(reading)?,
        organization_id: row.maybe_text("organization_id")?,
        status: row.status(reading)?,
        expires_at: row.maybe_number("expires_at")?,
        created_at: row.number("created_at")?,
    })
}

/// What the audit log tells of it.
fn shown(key: &AdminKey) -> Json {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role,
        "organization_id": key.organization_id,
        "status": key.status,
        "expires_at": key.expires_at,
    })
}

fn missing(id: &str) -> StoreError {
    StoreError::NotFound {
        kind: KIND,
        id: id.to_owned(),
    }
}

impl Store {
    /// Creates an admin key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of its organization, [`StoreError::Taken`] of its prefix, or the database fails.
    pub async fn create_admin_key(&self, actor: &Actor, new: NewAdminKey) -> Result<AdminKey, StoreError> {
        let mut change = self.change(actor).await?;
        if let Some(organization) = &new.organization_id {
            change.living_organization(organization).await?;
        }
        let made = AdminKey {
            id: random::id("adm_")?,
            name: new.name,
            prefix: new.prefix,
            hash: new.hash,
            role: new.role,
            organization_id: new.organization_id,
            status: Status::Active,
            expires_at: new.expires_at,
            created_at: change.at,
        };
        let sql = "INSERT INTO admin_keys (id, sequence, version, name, prefix, hash, role, organization_id, status, \
                   expires_at, created_at) VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let values = values![
            &made.id,
            change.version,
            &made.name,
            &made.prefix,
            made.hash.as_bytes().as_slice(),
            word(&made.role)?,
            made.organization_id.as_ref(),
            word(&made.status)?,
            made.expires_at,
            made.created_at,
        ];
        change.write(KIND, &made.prefix, sql, values).await?;
        change
            .audit(
                "admin_key.create",
                &made.id,
                made.organization_id.as_ref(),
                &shown(&made),
            )
            .await?;
        change.commit().await?;
        Ok(made)
    }

    /// One admin key, by its id or its prefix, deleted ones included.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or the database fails.
    pub async fn admin_key(&self, id: &str) -> Result<AdminKey, StoreError> {
        let sql = select!(admin_keys "WHERE id = $1 OR prefix = $1");
        let row = self.inner.pools.row(sql, values![id]).await?;
        from_row(&row.ok_or_else(|| missing(id))?)
    }

    /// Admin keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn admin_keys(&self, page: &Page) -> Result<PageOf<AdminKey>, StoreError> {
        let after = cursor::after(LIST, page)?.unwrap_or(0);
        let sql = select!(admin_keys "WHERE sequence > $1 AND ($2 = 1 OR status <> 'deleted') \
                   ORDER BY sequence LIMIT $3");
        let values = values![after, page.with_deleted, cursor::limit(page) + 1];
        let rows = self.inner.pools.rows(sql, values).await?;
        cursor::by_sequence(LIST, page, rows, from_row)
    }

    /// Writes an admin key's name, role, organization, status and end, if it is still as it was read. What is deleted
    /// stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], or the database fails.
    pub async fn update_admin_key(
        &self,
        actor: &Actor,
        expected: &AdminKey,
        changed: AdminKey,
    ) -> Result<AdminKey, StoreError> {
        let mut change = self.change(actor).await?;
        let sql = select!(admin_keys "WHERE id = $1 AND status <> 'deleted'");
        let row = change.row(sql, values![&expected.id]).await?;
        if from_row(&row.ok_or_else(|| missing(&expected.id))?)? != *expected {
            return Err(StoreError::Conflict {
                kind: KIND,
                id: expected.id.clone(),
            });
        }
        if let Some(organization) = &changed.organization_id
            && changed.organization_id != expected.organization_id
        {
            change.living_organization(organization).await?;
        }
        let changed = AdminKey {
            id: expected.id.clone(),
            prefix: expected.prefix.clone(),
            hash: expected.hash,
            created_at: expected.created_at,
            ..changed
        };
        let sql = "UPDATE admin_keys SET version = $2, name = $3, role = $4, organization_id = $5, status = $6, \
                   expires_at = $7 WHERE id = $1";
        let values = values![
            &changed.id,
            change.version,
            &changed.name,
            word(&changed.role)?,
            changed.organization_id.as_ref(),
            word(&changed.status)?,
            changed.expires_at,
        ];
        change.write(KIND, &changed.prefix, sql, values).await?;
        let action = format!("admin_key.{}", verb(expected.status, changed.status));
        let different = detail(&shown(expected), &shown(&changed));
        change
            .audit(&action, &changed.id, changed.organization_id.as_ref(), &different)
            .await?;
        change.commit().await?;
        Ok(changed)
    }
}
