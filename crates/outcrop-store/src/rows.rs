//! What goes in and comes out besides the entities themselves.

use outcrop_tenants::{AdminKey, Credential, CredentialKind, Id, KeyHash, Organization, Project, Role, Settings};

/// Who does something, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// An admin key's id, `settings` for one of the settings file, `cli:USER`.
    pub name: String,
    /// From which address; empty where there is none.
    pub address: String,
}

/// What requests are answered by, or what has changed of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    /// The version up to which this is.
    pub version: i64,
    /// Organizations, deleted ones included, and so on.
    pub organizations: Vec<Organization>,
    /// Projects.
    pub projects: Vec<Project>,
    /// Keys and logins.
    pub credentials: Vec<Credential>,
    /// Admin keys.
    pub admin_keys: Vec<AdminKey>,
}

/// An organization to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewOrganization {
    /// Its name.
    pub name: String,
    /// What holds for it.
    pub settings: Settings,
}

/// A project to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewProject {
    /// Whose it is.
    pub organization_id: Id,
    /// Its name.
    pub name: String,
    /// What holds for it.
    pub settings: Settings,
}

/// A key or login to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCredential {
    /// Whose it is.
    pub project_id: Id,
    /// A name for people.
    pub name: String,
    /// How it is known again.
    pub kind: CredentialKind,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// What holds for it.
    pub settings: Settings,
    /// Who uses it.
    pub user: Option<String>,
}

/// An admin key to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAdminKey {
    /// A name for people.
    pub name: String,
    /// What is shown of it.
    pub prefix: String,
    /// What is kept of it.
    pub hash: KeyHash,
    /// What it may do.
    pub role: Role,
    /// The only organization that it may do it with.
    pub organization_id: Option<Id>,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<i64>,
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many at most: 1 to 1,000.
    pub limit: u32,
    /// What the page before has given as its end.
    pub after: Option<String>,
    /// Whether deleted ones are among them.
    pub with_deleted: bool,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct PageOf<T> {
    /// The part.
    pub items: Vec<T>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<String>,
}
