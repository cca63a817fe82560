//! `/admin/v1/projects`

use outcrop_store::NewProject;
use outcrop_tenants::{Project, Settings, Status, validate};
use outcrop_translate::Problem;
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
    /// Id or name.
    organization: String,
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
    make::check("name", create.name.as_str(), validate::tenant_name)?;
    let organization = call
        .organization(&create.organization)
        .await
        .map_err(|problem| problem.with_param("organization"))?;
    check_there("organization", &organization.id, organization.status)?;
    let settings = patch::settings(&Settings::default(), create.settings)?;
    let made = make(&call, organization.id, create.name, settings).await?;
    Ok(Answer::tagged(view::project(&made)))
}

/// Creates a project with what was checked already.
pub(super) async fn make(
    call: &Call,
    organization_id: String,
    name: String,
    settings: Settings,
) -> Result<Project, Problem> {
    let admin = call.admin()?;
    admin.check_settings(&Settings::default(), &settings)?;
    let new = NewProject {
        organization_id,
        name,
        settings,
    };
    let made = call
        .store
        .create_project(&admin.actor(), new)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(made)
}

pub(super) async fn list(call: Call) -> Answered {
    let ask = Ask::read(&call.query, &["organization", "status", "name"])?;
    let organization_id = call.organization_filter(&ask).await?;
    let fetch = |page| {
        let (store, id) = (call.store.clone(), organization_id.clone());
        async move { store.projects(id.as_deref(), &page).await }
    };
    let page = ask
        .collect(fetch, |project: &Project| ask.fits(&project.name, project.status))
        .await?;
    Ok(paging::list(page, view::project))
}

impl Call {
    /// The organization of which a list shows something: the one that is asked for, or the administrator's own.
    pub(super) async fn organization_filter(&self, ask: &Ask) -> Result<Option<String>, Problem> {
        match ask.filter("organization") {
            Some(named) => {
                let found = self.organization(named).await;
                Ok(Some(found.map_err(|problem| problem.with_param("organization"))?.id))
            }
            None => Ok(self.admin()?.organization_id.clone()),
        }
    }
}

pub(super) async fn get(call: Call) -> Answered {
    let found = call.project(call.named("project")).await?;
    Ok(Answer::tagged(view::project(&found)))
}

pub(super) async fn update(call: Call) -> Answered {
    let change: Change = call.read()?;
    let found = call.project(call.named("project")).await?;
    check_there("project", &found.id, found.status)?;
    call.check_match(&view::project(&found))?;
    let mut changed = found.clone();
    if let Some(name) = change.name {
        make::check("name", name.as_str(), validate::tenant_name)?;
        changed.name = name;
    }
    if let Some(status) = change.status {
        changed.status = status.into();
    }
    changed.settings = patch::settings(&found.settings, change.settings)?;
    let written = write(&call, &found, changed).await?;
    Ok(Answer::tagged(view::project(&written)))
}

pub(super) async fn delete(call: Call) -> Answered {
    let found = call.project(call.named("project")).await?;
    check_there("project", &found.id, found.status)?;
    call.check_match(&view::project(&found))?;
    remove(&call, &found).await?;
    Ok(view::deleted("project", &found.id).into())
}

/// Deletes a project: none of its keys holds any more.
pub(super) async fn remove(call: &Call, found: &Project) -> Result<(), Problem> {
    let changed = Project {
        status: Status::Deleted,
        ..found.clone()
    };
    write(call, found, changed).await.map(|_| ())
}

/// Writes what has become of a project.
pub(super) async fn write(call: &Call, found: &Project, changed: Project) -> Result<Project, Problem> {
    let admin = call.admin()?;
    admin.check_settings(&found.settings, &changed.settings)?;
    let written = call
        .store
        .update_project(&admin.actor(), found, changed)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(written)
}
