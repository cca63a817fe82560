//! Finds what a request names. What is another organization's is not there for an administrator of one.

use outcrop_store::StoreError;
use outcrop_tenants::{AdminKey, Credential, CredentialKind, Organization, Project, Status};
use outcrop_translate::Problem;

use super::access::unseen;
use super::call::Call;
use super::problems;

impl Call {
    /// An organization by its id or name.
    pub(super) async fn organization(&self, named: &str) -> Result<Organization, Problem> {
        const KIND: &str = "organization";
        check(KIND, named)?;
        let found = self
            .store
            .organization(named)
            .await
            .map_err(|error| told(error, KIND, named))?;
        if self.admin()?.sees(&found.id) {
            Ok(found)
        } else {
            Err(unseen(KIND, named))
        }
    }

    /// A project by its id or path, such as `acme/search`.
    pub(super) async fn project(&self, named: &str) -> Result<Project, Problem> {
        const KIND: &str = "project";
        check(KIND, named)?;
        let found = self
            .store
            .project(named)
            .await
            .map_err(|error| told(error, KIND, named))?;
        if self.admin()?.sees(&found.organization_id) {
            Ok(found)
        } else {
            Err(unseen(KIND, named))
        }
    }

    /// A key by its id or prefix.
    pub(super) async fn key(&self, named: &str) -> Result<Credential, Problem> {
        let found = self.credential("key", named).await?;
        match found.kind {
            CredentialKind::Key { .. } => Ok(found),
            _ => Err(unseen("key", named)),
        }
    }

    /// A login by its id.
    pub(super) async fn login(&self, named: &str) -> Result<Credential, Problem> {
        let found = self.credential("login", named).await?;
        match found.kind {
            CredentialKind::Key { .. } => Err(unseen("login", named)),
            _ => Ok(found),
        }
    }

    /// A key by its id or prefix, or a login by its id.
    pub(super) async fn any_credential(&self, named: &str) -> Result<Credential, Problem> {
        self.credential("key", named).await
    }

    async fn credential(&self, kind: &'static str, named: &str) -> Result<Credential, Problem> {
        check(kind, named)?;
        let found = self
            .store
            .credential(named)
            .await
            .map_err(|error| told(error, kind, named))?;
        let admin = self.admin()?;
        if admin.organization_id.is_some() {
            let project = self
                .store
                .project(&found.project_id)
                .await
                .map_err(problems::of_store)?;
            if !admin.sees(&project.organization_id) {
                return Err(unseen(kind, named));
            }
        }
        Ok(found)
    }

    /// An admin key by its id.
    pub(super) async fn admin_key(&self, named: &str) -> Result<AdminKey, Problem> {
        const KIND: &str = "admin key";
        check(KIND, named)?;
        let found = self
            .store
            .admin_key(named)
            .await
            .map_err(|error| told(error, KIND, named))?;
        let admin = self.admin()?;
        if admin.organization_id.is_none() || admin.organization_id == found.organization_id {
            Ok(found)
        } else {
            Err(unseen(KIND, named))
        }
    }
}

/// No id or name has such characters, and not every database takes them.
fn check(kind: &'static str, named: &str) -> Result<(), Problem> {
    if named.is_empty() || named.chars().any(char::is_control) {
        return Err(unseen(kind, named));
    }
    Ok(())
}

/// Something else that isn't there, such as the organization of a path, is told as what was asked for.
fn told(error: StoreError, kind: &'static str, named: &str) -> Problem {
    match error {
        StoreError::NotFound { .. } => unseen(kind, named),
        error => problems::of_store(error),
    }
}

/// Refuses to change what is gone.
pub(super) fn check_there(kind: &'static str, id: &str, status: Status) -> Result<(), Problem> {
    if status == Status::Deleted {
        return Err(problems::conflict(format!("The {kind} '{id}' is deleted."), "deleted"));
    }
    Ok(())
}
