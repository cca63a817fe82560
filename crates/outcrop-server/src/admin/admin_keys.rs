//! `/admin/v1/admin_keys`

use outcrop_store::NewAdminKey;
use outcrop_tenants::{AdminKey, Role, Status, TokenKind, validate};
use outcrop_translate::Problem;
use serde::Deserialize;

use super::call::{Answer, Answered, Call};
use super::find::check_there;
use super::make::{self, SetStatus};
use super::paging::{self, Ask};
use super::{patch, problems, view};
use crate::tenants::now;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    role: Role,
    /// Id or name.
    organization: Option<String>,
    expires_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    role: Option<Role>,
    status: Option<SetStatus>,
    #[serde(default, deserialize_with = "patch::given")]
    expires_at: Option<Option<i64>>,
}

pub(super) async fn create(call: Call) -> Answered {
    let create: Create = call.read()?;
    make::check("name", create.name.as_str(), validate::name)?;
    let expires_at = make::ends_later(create.expires_at)?;
    let organization_id = match create.organization.as_deref() {
        Some(named) => {
            let found = call.organization(named).await;
            let found = found.map_err(|problem| problem.with_param("organization"))?;
            check_there("organization", &found.id, found.status)?;
            Some(found.id)
        }
        None => {
            call.admin()?
                .check_unbound("create one of all organizations")
                .map_err(|problem| problem.with_param("organization"))?;
            None
        }
    };
    let token = make::token(TokenKind::Admin)?;
    let new = NewAdminKey {
        name: create.name,
        prefix: token.prefix().to_owned(),
        hash: call.gateway.tenants.pepper().hash(&token),
        role: create.role,
        organization_id,
        expires_at,
    };
    let actor = call.admin()?.actor();
    let made = call
        .store
        .create_admin_key(&actor, new)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    let mut answer = Answer::tagged(view::admin_key(&made));
    answer.body["key"] = token.reveal().into();
    Ok(answer)
}

pub(super) async fn list(call: Call) -> Answered {
    let ask = Ask::read(&call.query, &["organization", "status", "name"])?;
    let organization_id = call.organization_filter(&ask).await?;
    let fetch = |page| {
        let store = call.store.clone();
        async move { store.admin_keys(&page).await }
    };
    let keep = |key: &AdminKey| {
        ask.fits(&key.name, key.status) && (organization_id.is_none() || key.organization_id == organization_id)
    };
    let page = ask.collect(fetch, keep).await?;
    Ok(paging::list(page, view::admin_key))
}

pub(super) async fn get(call: Call) -> Answered {
    let found = call.admin_key(call.named("admin_key")).await?;
    Ok(Answer::tagged(view::admin_key(&found)))
}

pub(super) async fn update(call: Call) -> Answered {
    let change: Change = call.read()?;
    let found = call.admin_key(call.named("admin_key")).await?;
    let mut changed = found.clone();
    if let Some(name) = change.name {
        make::check("name", name.as_str(), validate::name)?;
        changed.name = name;
    }
    if let Some(role) = change.role {
        changed.role = role;
    }
    if let Some(status) = change.status {
        changed.status = status.into();
    }
    if let Some(expires_at) = change.expires_at {
        changed.expires_at = make::ends_sometime(expires_at)?;
    }
    let written = write(&call, &found, changed).await?;
    Ok(Answer::tagged(view::admin_key(&written)))
}

pub(super) async fn revoke(call: Call) -> Answered {
    let found = call.admin_key(call.named("admin_key")).await?;
    let changed = AdminKey {
        status: Status::Deleted,
        ..found.clone()
    };
    write(&call, &found, changed).await?;
    Ok(view::deleted("admin_key", &found.id).into())
}

async fn write(call: &Call, found: &AdminKey, changed: AdminKey) -> Result<AdminKey, Problem> {
    check_there("admin key", &found.id, found.status)?;
    call.check_match(&view::admin_key(found))?;
    if is_owner(found) && !is_owner(&changed) {
        check_last_owner(call, found).await?;
    }
    let actor = call.admin()?.actor();
    let written = call
        .store
        .update_admin_key(&actor, found, changed)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(written)
}

/// Whether it may do everything, for good.
fn is_owner(key: &AdminKey) -> bool {
    key.role == Role::Owner
        && key.status == Status::Active
        && key.organization_id.is_none()
        && key.expires_at.is_none_or(|end| end > now())
}

/// Refuses to take away the last key that may make others, where the settings have none.
async fn check_last_owner(call: &Call, found: &AdminKey) -> Result<(), Problem> {
    if !call.gateway.config.admin_keys.is_empty() {
        return Ok(());
    }
    let fetch = |page| {
        let store = call.store.clone();
        async move { store.admin_keys(&page).await }
    };
    let all = paging::all(fetch).await?;
    if all.iter().any(|key| key.id != found.id && is_owner(key)) {
        return Ok(());
    }
    let message = "This is the last key of an owner, and the settings have none in `admin_keys`: nobody could administer \
                   this gateway any more. Create another owner first, or set `admin_keys`.";
    Err(problems::conflict(message, "last_owner"))
}
