//! What is kept of tenants, keys and usage: one [`Store`] over SQLite and PostgreSQL.

mod error;
mod query;
mod rows;

use std::path::PathBuf;

use outcrop_tenants::{AdminKey, AuditEntry, Credential, Id, Organization, Project, UsageRecord};
use tokio::sync::watch;

pub use error::StoreError;
pub use query::{Bucket, Filter, GroupBy, SpendScope, SpendTotal, UsageQuery, UsageRow};
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
#[derive(Clone, Debug)]
pub struct Store {}

#[expect(clippy::todo, clippy::missing_errors_doc, reason = "to be written")]
impl Store {
    /// Opens a database, and brings its tables up to date. Several processes may do so at once.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        todo!("{location:?}")
    }

    /// The secret by which keys are hashed where the settings have none: made once, by whoever comes first.
    pub async fn pepper(&self) -> Result<Vec<u8>, StoreError> {
        todo!()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// Counts up whenever organizations, projects, credentials or admin keys have changed, whoever changed them: at
    /// most half a second later. PostgreSQL tells (LISTEN/NOTIFY, and a look each few seconds), SQLite is looked at.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// What has changed since a version: of 0, everything. Deleted things are among it.
    pub async fn directory(&self, since: i64) -> Result<Directory, StoreError> {
        todo!("{since}")
    }

    /// Creates an organization. Its name must be free.
    pub async fn create_organization(&self, actor: &Actor, new: NewOrganization) -> Result<Organization, StoreError> {
        todo!("{actor:?} {new:?}")
    }

    /// One organization, by id or name.
    pub async fn organization(&self, id_or_name: &str) -> Result<Organization, StoreError> {
        todo!("{id_or_name}")
    }

    /// Organizations, oldest first.
    pub async fn organizations(&self, page: &Page) -> Result<PageOf<Organization>, StoreError> {
        todo!("{page:?}")
    }

    /// Writes an organization's name, status and settings, if it is still as it was read: `expected`.
    pub async fn update_organization(
        &self,
        actor: &Actor,
        expected: &Organization,
        changed: Organization,
    ) -> Result<Organization, StoreError> {
        todo!("{actor:?} {expected:?} {changed:?}")
    }

    /// Creates a project.
    pub async fn create_project(&self, actor: &Actor, new: NewProject) -> Result<Project, StoreError> {
        todo!("{actor:?} {new:?}")
    }

    /// One project by id, or by `ORGANIZATION/PROJECT` names.
    pub async fn project(&self, id_or_path: &str) -> Result<Project, StoreError> {
        todo!("{id_or_path}")
    }

    /// Projects, of one organization or all.
    pub async fn projects(&self, organization_id: Option<&str>, page: &Page) -> Result<PageOf<Project>, StoreError> {
        todo!("{organization_id:?} {page:?}")
    }

    /// Writes a project, if it is still as it was read.
    pub async fn update_project(
        &self,
        actor: &Actor,
        expected: &Project,
        changed: Project,
    ) -> Result<Project, StoreError> {
        todo!("{actor:?} {expected:?} {changed:?}")
    }

    /// The project `default/default`, which is made where there is none.
    pub async fn default_project(&self, actor: &Actor) -> Result<Project, StoreError> {
        todo!("{actor:?}")
    }

    /// Creates a key or login.
    pub async fn create_credential(&self, actor: &Actor, new: NewCredential) -> Result<Credential, StoreError> {
        todo!("{actor:?} {new:?}")
    }

    /// One key or login, by its id or its prefix.
    pub async fn credential(&self, id_or_prefix: &str) -> Result<Credential, StoreError> {
        todo!("{id_or_prefix}")
    }

    /// Keys and logins.
    pub async fn credentials(&self, filter: &Filter, page: &Page) -> Result<PageOf<Credential>, StoreError> {
        todo!("{filter:?} {page:?}")
    }

    /// Writes a key or login, if it is still as it was read. `action` is what the audit log calls it.
    pub async fn update_credential(
        &self,
        actor: &Actor,
        action: &str,
        expected: &Credential,
        changed: Credential,
    ) -> Result<Credential, StoreError> {
        todo!("{actor:?} {action} {expected:?} {changed:?}")
    }

    /// Creates the key that takes another one's place, which ends at `old_ends_at`, in one transaction.
    pub async fn rotate_credential(
        &self,
        actor: &Actor,
        old: &Credential,
        old_ends_at: i64,
        new: NewCredential,
    ) -> Result<Credential, StoreError> {
        todo!("{actor:?} {old:?} {old_ends_at} {new:?}")
    }

    /// Creates an admin key.
    pub async fn create_admin_key(&self, actor: &Actor, new: NewAdminKey) -> Result<AdminKey, StoreError> {
        todo!("{actor:?} {new:?}")
    }

    /// One admin key.
    pub async fn admin_key(&self, id: &str) -> Result<AdminKey, StoreError> {
        todo!("{id}")
    }

    /// Admin keys.
    pub async fn admin_keys(&self, page: &Page) -> Result<PageOf<AdminKey>, StoreError> {
        todo!("{page:?}")
    }

    /// Writes an admin key, if it is still as it was read.
    pub async fn update_admin_key(
        &self,
        actor: &Actor,
        expected: &AdminKey,
        changed: AdminKey,
    ) -> Result<AdminKey, StoreError> {
        todo!("{actor:?} {expected:?} {changed:?}")
    }

    /// The audit log, newest first; of one object, or all.
    pub async fn audit_log(&self, object: Option<&str>, page: &Page) -> Result<PageOf<AuditEntry>, StoreError> {
        todo!("{object:?} {page:?}")
    }

    /// Writes records of usage, and what they cost into the sums of budgets, in one transaction. Records that are
    /// there already, by their ids, count once. Gives how many were new.
    pub async fn add_usage(&self, records: &[UsageRecord]) -> Result<u64, StoreError> {
        todo!("{records:?}")
    }

    /// Sums of usage, grouped.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        todo!("{query:?}")
    }

    /// Records of usage themselves, newest first.
    pub async fn usage_records(&self, filter: &Filter, page: &Page) -> Result<PageOf<UsageRecord>, StoreError> {
        todo!("{filter:?} {page:?}")
    }

    /// What was spent of each organization, project and key in the periods that `now` (seconds since 1970) is in.
    pub async fn spend(&self, now: i64) -> Result<Vec<SpendTotal>, StoreError> {
        todo!("{now}")
    }

    /// What was spent by one of them.
    pub async fn spend_of(&self, scope: SpendScope, id: &Id, now: i64) -> Result<Vec<SpendTotal>, StoreError> {
        todo!("{scope:?} {id} {now}")
    }

    /// Notes that something may be used once, until `expires_at`; false if it was noted before.
    pub async fn use_once(&self, what: &str, expires_at: i64) -> Result<bool, StoreError> {
        todo!("{what} {expires_at}")
    }

    /// Takes out usage from before a moment, in milliseconds since 1970; sums of budgets stay.
    pub async fn forget_usage(&self, before: i64) -> Result<u64, StoreError> {
        todo!("{before}")
    }

    /// Closes all connections.
    pub async fn close(&self) {
        todo!()
    }
}
