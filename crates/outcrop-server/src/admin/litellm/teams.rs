//! `/team/…`: teams are projects, in the organization `default` unless another one is said.

use outcrop_store::SpendScope;
use outcrop_tenants::{Project, Settings, Status, validate};
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::super::call::{Answered, Call};
use super::super::find::check_there;
use super::super::problems::invalid;
use super::super::{make, paging, projects};
use super::members::Members;
use super::{resolve, settings, view};

/// `POST /team/new`
pub(in super::super) async fn create(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let alias = members.text("team_alias")?.flatten();
    let id = members.text("team_id")?.flatten();
    let organization = members.text("organization_id")?.flatten();
    let blocked = members.flag("blocked")?.flatten();
    let mut settings = Settings::default();
    settings::apply(&mut members, &mut settings)?;
    members.finish()?;
    let name = match (alias, id) {
        (Some(alias), Some(id)) if alias != id => {
            let what = "must be left out, or be the same as 'team_alias': ids are made here, and teams are found by their alias, too";
            return Err(invalid("team_id", what));
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => return Err(invalid("team_alias", "is needed")),
    };
    make::check("team_alias", name.as_str(), validate::tenant_name)?;
    let organization_id = match (organization, call.admin()?.organization_id.clone()) {
        (Some(named), _) => {
            let found = call
                .organization(&named)
                .await
                .map_err(|problem| problem.with_param("organization_id"))?;
            check_there("organization", &found.id, found.status)?;
            found.id
        }
        (None, Some(own)) => own,
        (None, None) => {
            let default = call.store.default_project(&call.admin()?.actor()).await;
            default.map_err(super::super::problems::of_store)?.organization_id
        }
    };
    let made = projects::make(&call, organization_id, name, settings)
        .await
        .map_err(|problem| {
            if problem.code == Some("name_taken") {
                problem.with_param("team_alias")
            } else {
                problem
            }
        })?;
    let made = if blocked == Some(true) {
        let changed = Project {
            status: Status::Disabled,
            ..made.clone()
        };
        projects::write(&call, &made, changed).await?
    } else {
        made
    };
    Ok(view::team(&made, outcrop_tenants::Money::ZERO).into())
}

/// `GET /team/info`
pub(in super::super) async fn info(call: Call) -> Answered {
    let mut named = None;
    for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
        match name.as_ref() {
            "team_id" => named = Some(value.into_owned()),
            other => return Err(invalid(&other.chars().take(64).collect::<String>(), "is not known")),
        }
    }
    let named = named.ok_or_else(|| invalid("team_id", "is needed"))?;
    let team = resolve::team(&call, &named).await?;
    let mut keys = Vec::new();
    for key in resolve::keys(&call, Some(&team.id)).await? {
        let spend = view::spend(&call, SpendScope::Key, &key.id, &key.settings).await?;
        keys.push(view::key(&call, &key, spend));
    }
    Ok(json!({
        "team_id": team.id,
        "team_info": shown(&call, &team).await?,
        "keys": keys,
        "team_memberships": [],
    })
    .into())
}

async fn shown(call: &Call, team: &Project) -> Result<Value, Problem> {
    let spend = view::spend(call, SpendScope::Project, &team.id, &team.settings).await?;
    Ok(view::team(team, spend))
}

/// `GET /team/list`
pub(in super::super) async fn list(call: Call) -> Answered {
    let mut organization_id = call.admin()?.organization_id.clone();
    for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
        match name.as_ref() {
            "organization_id" => {
                let found = call.organization(&value).await;
                organization_id = Some(found.map_err(|problem| problem.with_param("organization_id"))?.id);
            }
            other => return Err(invalid(&other.chars().take(64).collect::<String>(), "is not known")),
        }
    }
    let fetch = |page| {
        let (store, id) = (call.store.clone(), organization_id.clone());
        async move { store.projects(id.as_deref(), &page).await }
    };
    let mut teams = Vec::new();
    for team in paging::all(fetch).await? {
        teams.push(shown(&call, &team).await?);
    }
    Ok(Value::Array(teams).into())
}

/// `POST /team/update`
pub(in super::super) async fn update(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let found = match members.text("team_id")?.flatten() {
        Some(named) => resolve::team(&call, &named).await?,
        None => return Err(invalid("team_id", "is needed")),
    };
    check_there("team", &found.id, found.status)?;
    let mut changed = found.clone();
    if let Some(alias) = members.text("team_alias")?.flatten() {
        make::check("team_alias", alias.as_str(), validate::tenant_name)?;
        changed.name = alias;
    }
    if let Some(blocked) = members.flag("blocked")?.flatten() {
        changed.status = if blocked { Status::Disabled } else { Status::Active };
    }
    if let Some(organization) = members.text("organization_id")?.flatten()
        && organization != found.organization_id
    {
        return Err(invalid(
            "organization_id",
            "can't be changed: make a team in the other organization",
        ));
    }
    settings::apply(&mut members, &mut changed.settings)?;
    members.finish()?;
    let written = projects::write(&call, &found, changed).await?;
    Ok(json!({"team_id": written.id, "data": shown(&call, &written).await?}).into())
}

/// `POST /team/delete`
pub(in super::super) async fn delete(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let named = members.texts("team_ids")?.flatten().unwrap_or_default();
    members.finish()?;
    if named.is_empty() {
        return Err(invalid("team_ids", "is needed"));
    }
    let mut found: Vec<Project> = Vec::new();
    for (index, named) in named.iter().enumerate() {
        let team = resolve::team(&call, named).await;
        let team = team.map_err(|problem| problem.with_param(format!("team_ids[{index}]")))?;
        check_there("team", &team.id, team.status)?;
        if !found.iter().any(|known| known.id == team.id) {
            found.push(team);
        }
    }
    for team in &found {
        projects::remove(&call, team).await?;
    }
    Ok(json!({"deleted_teams": named}).into())
}
