//! What is kept, as JSON. No secret is in it.

use outcrop_tenants::{AdminKey, AuditEntry, Credential, CredentialKind, Organization, Project, Settings, Status};
use serde_json::{Value, json};

use super::access::word;
use crate::exchange::Gateway;

pub(super) fn organization(organization: &Organization) -> Value {
    json!({
        "object": "organization",
        "id": organization.id,
        "name": organization.name,
        "status": status(organization.status),
        "settings": settings(&organization.settings),
        "created_at": organization.created_at,
    })
}

pub(super) fn project(project: &Project) -> Value {
    json!({
        "object": "project",
        "id": project.id,
        "organization_id": project.organization_id,
        "name": project.name,
        "status": status(project.status),
        "settings": settings(&project.settings),
        "created_at": project.created_at,
    })
}

/// A key or a login.
pub(super) fn credential(gateway: &Gateway, credential: &Credential) -> Value {
    let directory = gateway.tenants.directory();
    let organization_id = directory
        .project(&credential.project_id)
        .map(|project| project.organization_id.clone());
    let mut view = json!({
        "object": "login",
        "id": credential.id,
        "organization_id": organization_id,
        "project_id": credential.project_id,
        "name": credential.name,
        "status": status(credential.status),
        "user": credential.user,
        "expires_at": credential.expires_at,
        "settings": settings(&credential.settings),
        "created_at": credential.created_at,
    });
    match &credential.kind {
        CredentialKind::Key { prefix, .. } => {
            view["object"] = "key".into();
            view["prefix"] = prefix.as_str().into();
            view["rotated_from"] = json!(credential.rotated_from);
        }
        CredentialKind::Iam { arn } => view["iam"] = json!({"arn": arn}),
        CredentialKind::Jwt { issuer, claims } => view["jwt"] = json!({"issuer": issuer, "claims": claims}),
    }
    view
}

pub(super) fn admin_key(key: &AdminKey) -> Value {
    json!({
        "object": "admin_key",
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "role": word(key.role),
        "organization_id": key.organization_id,
        "status": status(key.status),
        "expires_at": key.expires_at,
        "created_at": key.created_at,
    })
}

pub(super) fn audit_entry(entry: &AuditEntry) -> Value {
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

/// The answer to a deletion.
pub(super) fn deleted(object: &str, id: &str) -> Value {
    json!({"object": format!("{object}.deleted"), "id": id, "deleted": true})
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Deleted => "deleted",
    }
}

fn settings(settings: &Settings) -> Value {
    serde_json::to_value(settings).unwrap_or_default()
}
