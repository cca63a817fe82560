//! Organizations.

use outcrop_tenants::{Organization, Status};
use serde_json::{Value as Json, json};

use crate::change::{Change, detail};
use crate::columns::{Reading, as_kept, select, tree, verb, word};
use crate::sql::{Row, values};
use crate::{Actor, NewOrganization, Page, PageOf, Store, StoreError, cursor, random};

const KIND: &str = "organization";
const LIST: &str = "organizations";

pub(crate) fn from_row(row: &Row) -> Result<Organization, StoreError> {
    read(row, Reading::Exact)
}

pub(crate) fn read(row: &Row, reading: Reading) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: row.text("id")?,
        name: row.text("name")?,
        status: row.status(reading)?,
        settings: row.settings(reading)?,
        created_at: row.number("created_at")?,
    })
}

/// What the audit log tells of it.
fn shown(organization: &Organization) -> Result<Json, StoreError> {
    Ok(json!({
        "name": organization.name,
        "status": organization.status,
        "settings": tree(&organization.settings)?,
    }))
}

impl Change<'_> {
    pub(crate) async fn add_organization(&mut self, new: NewOrganization) -> Result<Organization, StoreError> {
        let (settings, text) = as_kept(&new.settings)?;
        let made = Organization {
            id: random::id("org_")?,
            name: new.name,
            status: Status::Active,
            settings,
            created_at: self.at,
        };
        let sql = "INSERT INTO organizations (id, sequence, version, name, status, settings, created_at) \
                   VALUES ($1, $2, $2, $3, $4, $5, $6)";
        let values = values![
            &made.id,
            self.version,
            &made.name,
            word(&made.status)?,
            text,
            made.created_at
        ];
        self.write(KIND, &made.name, sql, values).await?;
        self.audit("organization.create", &made.id, Some(&made.id), &shown(&made)?)
            .await?;
        Ok(made)
    }

    /// One that isn't deleted, for something to be made in it.
    pub(crate) async fn living_organization(&mut self, id: &str) -> Result<Organization, StoreError> {
        let sql = select!(organizations "WHERE id = $1 AND status <> 'deleted'");
        let row = self.row(sql, values![id]).await?;
        from_row(&row.ok_or_else(|| missing(id))?)
    }
}

fn missing(id: &str) -> StoreError {
    StoreError::NotFound {
        kind: KIND,
        id: id.to_owned(),
    }
}

impl Store {
    /// Creates an organization. Its name must be free: those of deleted ones are.
    ///
    /// # Errors
    /// [`StoreError::Taken`], or the database fails.
    pub async fn create_organization(&self, actor: &Actor, new: NewOrganization) -> Result<Organization, StoreError> {
        let mut change = self.change(actor).await?;
        let made = change.add_organization(new).await?;
        change.commit().await?;
        Ok(made)
    }

    /// One organization, by id, or by name if it isn't deleted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or the database fails.
    pub async fn organization(&self, id_or_name: &str) -> Result<Organization, StoreError> {
        // An id is no other one's name, unless somebody wants to confuse.
        let sql = select!(organizations "WHERE id = $1 OR (name = $1 AND status <> 'deleted') \
                   ORDER BY CASE WHEN id = $1 THEN 1 ELSE 0 END");
        let row = self.inner.pools.row(sql, values![id_or_name]).await?;
        from_row(&row.ok_or_else(|| missing(id_or_name))?)
    }

    /// Organizations, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn organizations(&self, page: &Page) -> Result<PageOf<Organization>, StoreError> {
        let after = cursor::after(LIST, page)?;
        let sql = select!(organizations "WHERE sequence > $1 AND ($2 = 1 OR status <> 'deleted') \
                   ORDER BY sequence LIMIT $3");
        let values = values![after.unwrap_or(0), page.with_deleted, cursor::limit(page) + 1];
        let rows = self.inner.pools.rows(sql, values).await?;
        cursor::by_sequence(LIST, page, rows, from_row)
    }

    /// Writes an organization's name, status and settings, if it is still as it was read: `expected`. What is deleted
    /// stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], [`StoreError::Taken`], or the database fails.
    pub async fn update_organization(
        &self,
        actor: &Actor,
        expected: &Organization,
        changed: Organization,
    ) -> Result<Organization, StoreError> {
        let mut change = self.change(actor).await?;
        if change.living_organization(&expected.id).await? != *expected {
            return Err(StoreError::Conflict {
                kind: KIND,
                id: expected.id.clone(),
            });
        }
        let (settings, text) = as_kept(&changed.settings)?;
        let changed = Organization {
            id: expected.id.clone(),
            created_at: expected.created_at,
            settings,
            ..changed
        };
        let sql = "UPDATE organizations SET version = $2, name = $3, status = $4, settings = $5 WHERE id = $1";
        let values = values![&changed.id, change.version, &changed.name, word(&changed.status)?, text];
        change.write(KIND, &changed.name, sql, values).await?;
        let action = format!("organization.{}", verb(expected.status, changed.status));
        let different = detail(&shown(expected)?, &shown(&changed)?);
        change
            .audit(&action, &changed.id, Some(&changed.id), &different)
            .await?;
        change.commit().await?;
        Ok(changed)
    }
}
