//! Projects.

use outcrop_tenants::{Project, Status};
use serde_json::{Value as Json, json};

use crate::change::{Change, detail};
use crate::columns::{Reading, as_kept, select, tree, verb, word};
use crate::sql::{Row, values};
use crate::{Actor, NewOrganization, NewProject, Page, PageOf, Store, StoreError, cursor, organizations, random};

const KIND: &str = "project";
const LIST: &str = "projects";
/// Where keys go that aren't said to be of a project: an organization of this name, and its project of the same.
const DEFAULT: &str = "default";

pub(crate) fn from_row(row: &Row) -> Result<Project, StoreError> {
    read(row, Reading::Exact)
}

pub(crate) fn read(row: &Row, reading: Reading) -> Result<Project, StoreError> {
    Ok(Project {
        id: row.text("id")?,
        organization_id: row.text("organization_id")?,
        name: row.text("name")?,
        status: row.status(reading)?,
        settings: row.settings(reading)?,
        created_at: row.number("created_at")?,
    })
}

/// What the audit log tells of it.
fn shown(project: &Project) -> Result<Json, StoreError> {
    Ok(json!({
        "name": project.name,
        "organization_id": project.organization_id,
        "status": project.status,
        "settings": tree(&project.settings)?,
    }))
}

fn missing(id: &str) -> StoreError {
    StoreError::NotFound {
        kind: KIND,
        id: id.to_owned(),
    }
}

impl Change<'_> {
    async fn add_project(&mut self, new: NewProject) -> Result<Project, StoreError> {
        self.living_organization(&new.organization_id).await?;
        let (settings, text) = as_kept(&new.settings)?;
        let made = Project {
            id: random::id("proj_")?,
            organization_id: new.organization_id,
            name: new.name,
            status: Status::Active,
            settings,
            created_at: self.at,
        };
        let sql = "INSERT INTO projects (id, sequence, version, organization_id, name, status, settings, created_at) \
                   VALUES ($1, $2, $2, $3, $4, $5, $6, $7)";
        let values = values![
            &made.id,
            self.version,
            &made.organization_id,
            &made.name,
            word(&made.status)?,
            text,
            made.created_at,
        ];
        self.write(KIND, &made.name, sql, values).await?;
        self.audit("project.create", &made.id, Some(&made.organization_id), &shown(&made)?)
            .await?;
        Ok(made)
    }

    /// One that isn't deleted.
    pub(crate) async fn living_project(&mut self, id: &str) -> Result<Project, StoreError> {
        let sql = select!(projects "WHERE id = $1 AND status <> 'deleted'");
        let row = self.row(sql, values![id]).await?;
        from_row(&row.ok_or_else(|| missing(id))?)
    }

    /// Whose a project is, whether it is deleted or not.
    pub(crate) async fn organization_of(&mut self, project_id: &str) -> Result<String, StoreError> {
        let sql = "SELECT organization_id FROM projects WHERE id = $1";
        let row = self.row(sql, values![project_id]).await?;
        row.ok_or_else(|| missing(project_id))?.text("organization_id")
    }
}

impl Store {
    /// Creates a project. Its name must be free in its organization.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of its organization, [`StoreError::Taken`], or the database fails.
    pub async fn create_project(&self, actor: &Actor, new: NewProject) -> Result<Project, StoreError> {
        let mut change = self.change(actor).await?;
        let made = change.add_project(new).await?;
        change.commit().await?;
        Ok(made)
    }

    /// One project by id, or by `ORGANIZATION/PROJECT` names if neither is deleted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or the database fails.
    pub async fn project(&self, id_or_path: &str) -> Result<Project, StoreError> {
        let row = match id_or_path.split_once('/') {
            None => {
                let sql = select!(projects "WHERE id = $1");
                self.inner.pools.row(sql, values![id_or_path]).await?
            }
            Some((organization, project)) => {
                let sql = select!(projects "WHERE name = $2 AND status <> 'deleted' AND organization_id IN \
                           (SELECT id FROM organizations WHERE name = $1 AND status <> 'deleted')");
                self.inner.pools.row(sql, values![organization, project]).await?
            }
        };
        from_row(&row.ok_or_else(|| missing(id_or_path))?)
    }

    /// Projects, of one organization or all, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn projects(&self, organization_id: Option<&str>, page: &Page) -> Result<PageOf<Project>, StoreError> {
        let after = cursor::after(LIST, page)?.unwrap_or(0);
        let limit = cursor::limit(page) + 1;
        let rows = match organization_id {
            Some(organization) => {
                let sql = select!(projects "WHERE organization_id = $4 AND sequence > $1 \
                           AND ($2 = 1 OR status <> 'deleted') ORDER BY sequence LIMIT $3");
                let values = values![after, page.with_deleted, limit, organization];
                self.inner.pools.rows(sql, values).await?
            }
            None => {
                let sql = select!(projects "WHERE sequence > $1 AND ($2 = 1 OR status <> 'deleted') \
                           ORDER BY sequence LIMIT $3");
                self.inner
                    .pools
                    .rows(sql, values![after, page.with_deleted, limit])
                    .await?
            }
        };
        cursor::by_sequence(LIST, page, rows, from_row)
    }

    /// Writes a project's name, status and settings, if it is still as it was read. What is deleted stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], [`StoreError::Taken`], or the database fails.
    pub async fn update_project(
        &self,
        actor: &Actor,
        expected: &Project,
        changed: Project,
    ) -> Result<Project, StoreError> {
        let mut change = self.change(actor).await?;
        if change.living_project(&expected.id).await? != *expected {
            return Err(StoreError::Conflict {
                kind: KIND,
                id: expected.id.clone(),
            });
        }
        let (settings, text) = as_kept(&changed.settings)?;
        let changed = Project {
            id: expected.id.clone(),
            organization_id: expected.organization_id.clone(),
            created_at: expected.created_at,
            settings,
            ..changed
        };
        let sql = "UPDATE projects SET version = $2, name = $3, status = $4, settings = $5 WHERE id = $1";
        let values = values![&changed.id, change.version, &changed.name, word(&changed.status)?, text];
        change.write(KIND, &changed.name, sql, values).await?;
        let action = format!("project.{}", verb(expected.status, changed.status));
        let different = detail(&shown(expected)?, &shown(&changed)?);
        change
            .audit(&action, &changed.id, Some(&changed.organization_id), &different)
            .await?;
        change.commit().await?;
        Ok(changed)
    }

    /// The project `default/default`, which is made where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn default_project(&self, actor: &Actor) -> Result<Project, StoreError> {
        match self.project(&format!("{DEFAULT}/{DEFAULT}")).await {
            Err(StoreError::NotFound { .. }) => {}
            found => return found,
        }
        // Whoever else makes it at the same time is either before this, and seen, or waits for it.
        let mut change = self.change(actor).await?;
        let sql = select!(organizations "WHERE name = $1 AND status <> 'deleted'");
        let organization = match change.row(sql, values![DEFAULT]).await? {
            Some(row) => organizations::from_row(&row)?,
            None => {
                let new = NewOrganization {
                    name: DEFAULT.to_owned(),
                    ..NewOrganization::default()
                };
                change.add_organization(new).await?
            }
        };
        let sql = select!(projects "WHERE organization_id = $1 AND name = $2 AND status <> 'deleted'");
        if let Some(row) = change.row(sql, values![&organization.id, DEFAULT]).await? {
            return from_row(&row);
        }
        let new = NewProject {
            organization_id: organization.id,
            name: DEFAULT.to_owned(),
            ..NewProject::default()
        };
        let made = change.add_project(new).await?;
        change.commit().await?;
        Ok(made)
    }
}
