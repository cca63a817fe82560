//! `/admin/v1/organizations`

use outcrop_store::NewOrganization;
use outcrop_tenants::{Organization, Settings, Status, validate};
use serde::Deserialize;
use serde_json::Value;

use super::call::{Answer, Answered, Call};
use super::find::check_there;
use super::make::{self, SetStatus};
use super::paging::{self, Ask};
use super::{patch, problems, view};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    #[serde(default, deserialize_with = "patch::given")]
    settings: Option<Option<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    status: Option<SetStatus>,
    #[serde(default, deserialize_with = "patch::given")]
    settings: Option<Option<Value>>,
}

pub(super) async fn create(call: Call) -> Answered {
    let create: Create = call.read()?;
    call.admin()?.check_unbound("create organizations")?;
    make::check("name", create.name.as_str(), validate::tenant_name)?;
    let new = NewOrganization {
        name: create.name,
        settings: patch::settings(&Settings::default(), create.settings)?,
    };
    let actor = call.admin()?.actor();
    let made = call
        .store
        .create_organization(&actor, new)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(Answer::tagged(view::organization(&made)))
}

pub(super) async fn list(call: Call) -> Answered {
    let ask = Ask::read(&call.query, &["status", "name"])?;
    let admin = call.admin()?;
    if let Some(own) = &admin.organization_id {
        let own = call.store.organization(own).await.map_err(problems::of_store)?;
        let fitting: Vec<Organization> = Some(own)
            .into_iter()
            .filter(|own| ask.fits(&own.name, own.status))
            .collect();
        return Ok(paging::list(ask.slice(fitting)?, view::organization));
    }
    let fetch = |page| {
        let store = call.store.clone();
        async move { store.organizations(&page).await }
    };
    let page = ask
        .collect(fetch, |organization: &Organization| {
            ask.fits(&organization.name, organization.status)
        })
        .await?;
    Ok(paging::list(page, view::organization))
}

pub(super) async fn get(call: Call) -> Answered {
    let found = call.organization(call.named("organization")).await?;
    Ok(Answer::tagged(view::organization(&found)))
}

pub(super) async fn update(call: Call) -> Answered {
    let change: Change = call.read()?;
    let found = call.organization(call.named("organization")).await?;
    call.admin()?.check_unbound("change its organization")?;
    check_there("organization", &found.id, found.status)?;
    call.check_match(&view::organization(&found))?;
    let mut changed = found.clone();
    if let Some(name) = change.name {
        make::check("name", name.as_str(), validate::tenant_name)?;
        changed.name = name;
    }
    if let Some(status) = change.status {
        changed.status = status.into();
    }
    changed.settings = patch::settings(&found.settings, change.settings)?;
    write(&call, &found, changed)
        .await
        .map(|written| Answer::tagged(view::organization(&written)))
}

pub(super) async fn delete(call: Call) -> Answered {
    let found = call.organization(call.named("organization")).await?;
    call.admin()?.check_unbound("delete its organization")?;
    check_there("organization", &found.id, found.status)?;
    call.check_match(&view::organization(&found))?;
    let changed = Organization {
        status: Status::Deleted,
        ..found.clone()
    };
    write(&call, &found, changed).await?;
    Ok(view::deleted("organization", &found.id).into())
}

async fn write(
    call: &Call,
    found: &Organization,
    changed: Organization,
) -> Result<Organization, outcrop_translate::Problem> {
    let actor = call.admin()?.actor();
    let written = call
        .store
        .update_organization(&actor, found, changed)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(written)
}
