//! What is kept, as JSON: as the admin API has it, with names beside ids. No secret is in it.

use outcrop_tenants::{AdminKey, AuditEntry, Credential, CredentialKind, Organization, Project};
use serde_json::{Value, json};

use super::Book;

/// A list.
pub(in crate::commands) fn list(data: Vec<Value>) -> Value {
    json!({ "object": "list", "data": data })
}

pub(in crate::commands) fn organization(organization: &Organization) -> Value {
    json!({
        "object": "organization",
        "id": organization.id,
        "name": organization.name,
        "status": organization.status,
        "settings": organization.settings,
        "created_at": organization.created_at,
    })
}

pub(in crate::commands) fn project(book: &Book, project: &Project) -> Value {
    json!({
        "object": "project",
        "id": project.id,
        "organization_id": project.organization_id,
        "organization": book.organization_name(&project.organization_id),
        "name": project.name,
        "status": project.status,
        "settings": project.settings,
        "created_at": project.created_at,
    })
}

/// A key or a login.
pub(in crate::commands) fn credential(book: &Book, credential: &Credential) -> Value {
    let mut view = json!({
        "object": "login",
        "id": credential.id,
        "organization_id": book.organization_of(&credential.project_id).map(|organization| &organization.id),
        "project_id": credential.project_id,
        "project": book.path(&credential.project_id),
        "name": credential.name,
        "status": credential.status,
        "user": credential.user,
        "expires_at": credential.expires_at,
        "settings": credential.settings,
        "created_at": credential.created_at,
    });
    match &credential.kind {
        CredentialKind::Key { prefix, .. } => {
            view["object"] = "key".into();
            view["prefix"] = prefix.as_str().into();
            view["rotated_from"] = json!(credential.rotated_from);
        }
        CredentialKind::Iam { arn } => view["iam"] = json!({ "arn": arn }),
        CredentialKind::Jwt { issuer, claims } => view["jwt"] = json!({ "issuer": issuer, "claims": claims }),
    }
    view
}

pub(in crate::commands) fn admin_key(key: &AdminKey) -> Value {
    json!({
        "object": "admin_key",
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role,
        "organization_id": key.organization_id,
        "status": key.status,
        "expires_at": key.expires_at,
        "created_at": key.created_at,
    })
}

pub(in crate::commands) fn audit_entry(entry: &AuditEntry) -> Value {
    json!({
        "object": "audit_entry",
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor,
        "address": entry.address,
        "action": entry.action,
        "object_id": entry.object,
        "detail": entry.detail,
    })
}
