//! Organizations, projects, keys and what else is kept of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::KeyHash;
use crate::Settings;

/// An id that the gateway made: `org_…`, `proj_…`, `key_…`, `adm_…`.
pub type Id = String;

/// Whether something may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It may.
    #[default]
    Active,
    /// It may not, until it is enabled again.
    Disabled,
    /// It may not, and never will. Usage still names it.
    Deleted,
}

/// A tenant: what other tenants see nothing of.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// `org_…`
    pub id: Id,
    /// Its name, of which there is one.
    pub name: String,
    /// Whether its keys may be used.
    pub status: Status,
    /// What holds for all of its projects.
    pub settings: Settings,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// A part of an organization: a team, an app.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// `proj_…`
    pub id: Id,
    /// Whose it is.
    pub organization_id: Id,
    /// Its name, of which the organization has one.
    pub name: String,
    /// Whether its keys may be used.
    pub status: Status,
    /// What holds for all of its keys.
    pub settings: Settings,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// What somebody shows to be let into a project: a key of ours, or proof of being somebody else's.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// `key_…`, also for logins.
    pub id: Id,
    /// Whose it is.
    pub project_id: Id,
    /// A name for people.
    pub name: String,
    /// How it is known again.
    pub kind: CredentialKind,
    /// Whether it may be used.
    pub status: Status,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// What holds for it.
    pub settings: Settings,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The key that it takes the place of, which goes on for a while.
    pub rotated_from: Option<Id>,
    /// Who uses it, for usage by user.
    pub user: Option<String>,
}

/// How a credential is known again.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialKind {
    /// A key of ours.
    Key {
        /// What it is looked up by, and what is shown of it: `sk-oc-…`.
        prefix: String,
        /// What is kept of the rest.
        hash: KeyHash,
    },
    /// An AWS identity.
    Iam {
        /// The ARN of a user, a role or a role's session, with `*` for any text.
        arn: String,
    },
    /// A JSON Web Token of an issuer.
    Jwt {
        /// The issuer.
        issuer: String,
        /// What its claims must be: names, with dots for members of members, to texts with `*` for any text. A claim
        /// that is a list must have one that fits.
        claims: std::collections::BTreeMap<String, String>,
    },
}

/// A key for administration.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminKey {
    /// `adm_…`
    pub id: Id,
    /// A name for people.
    pub name: String,
    /// What is shown of it: `sk-oca-…`.
    pub prefix: String,
    /// What is kept of it.
    pub hash: KeyHash,
    /// What it may do.
    pub role: Role,
    /// The only organization that it may do it with.
    pub organization_id: Option<Id>,
    /// Whether it may be used.
    pub status: Status,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// What an administrator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// All, administrators' keys included.
    Owner,
    /// All but administrators' keys.
    Admin,
    /// Reading all but the audit log.
    Viewer,
    /// Reading usage and budgets.
    Billing,
}

/// A line of the audit log. It is written with what it tells of, in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its number, counting up.
    pub sequence: i64,
    /// Seconds since 1970.
    pub at: i64,
    /// Who: an admin key's id, `settings` for one of the settings file, `cli:USER`.
    pub actor: String,
    /// From which address; empty where there is none.
    pub address: String,
    /// What: `key.create`, `project.update`.
    pub action: String,
    /// With what: its id.
    pub object: Id,
    /// What is different since, without secrets.
    pub detail: Value,
}
