//! `/admin/v1/keys`

use outcrop_store::{Filter, NewCredential};
use outcrop_tenants::{Credential, CredentialKind, Project, Settings, Status, Token, TokenKind, validate};
use outcrop_translate::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Answer, Answered, Call};
use super::find::check_there;
use super::make::{self, SetStatus};
use super::paging::{self, Ask};
use super::{patch, problems, view};
use crate::tenants::now;

/// How long a key goes on beside the one that takes its place: a day to change it everywhere.
const OVERLAP: i64 = 24 * 3600;
/// The longest.
const MAX_OVERLAP: i64 = 366 * 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Id or path; `default/default` if there is none.
    project: Option<String>,
    name: String,
    user: Option<String>,
    expires_at: Option<i64>,
    #[serde(default, deserialize_with = "patch::given")]
    settings: Option<Option<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    status: Option<SetStatus>,
    #[serde(default, deserialize_with = "patch::given")]
    user: Option<Option<String>>,
    #[serde(default, deserialize_with = "patch::given")]
    expires_at: Option<Option<i64>>,
    #[serde(default, deserialize_with = "patch::given")]
    settings: Option<Option<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    overlap_seconds: Option<i64>,
    expires_at: Option<i64>,
}

pub(super) async fn create(call: Call) -> Answered {
    let create: Create = call.read()?;
    make::check("name", create.name.as_str(), validate::name)?;
    make::check_user(create.user.as_ref())?;
    let expires_at = make::ends_later(create.expires_at)?;
    let settings = patch::settings(&Settings::default(), create.settings)?;
    let project = project_of(&call, create.project.as_deref()).await?;
    let token = make::token(TokenKind::Client)?;
    let new = NewCredential {
        project_id: project.id,
        name: create.name,
        kind: kind_of(&call, &token),
        expires_at,
        settings,
        user: create.user,
    };
    let made = add(&call, new).await?;
    Ok(shown_once(&call, &made, &token))
}

/// The project that a new key or login is for.
pub(super) async fn project_of(call: &Call, named: Option<&str>) -> Result<Project, Problem> {
    let Some(named) = named else {
        let admin = call.admin()?;
        if admin.organization_id.is_some() {
            return Err(problems::invalid("project", "is needed"));
        }
        return call
            .store
            .default_project(&admin.actor())
            .await
            .map_err(problems::of_store);
    };
    let project = call
        .project(named)
        .await
        .map_err(|problem| problem.with_param("project"))?;
    check_there("project", &project.id, project.status)?;
    Ok(project)
}

/// What is kept of a new key.
pub(super) fn kind_of(call: &Call, token: &Token) -> CredentialKind {
    CredentialKind::Key {
        prefix: token.prefix().to_owned(),
        hash: call.gateway.tenants.pepper().hash(token),
    }
}

/// Creates a key or login of what was checked already.
pub(super) async fn add(call: &Call, new: NewCredential) -> Result<Credential, Problem> {
    let admin = call.admin()?;
    admin.check_settings(&Settings::default(), &new.settings)?;
    let made = call
        .store
        .create_credential(&admin.actor(), new)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(made)
}

/// The answer with a new key, which nobody sees again.
fn shown_once(call: &Call, made: &Credential, token: &Token) -> Answer {
    let body = view::credential(&call.gateway, made);
    let mut answer = Answer::tagged(body);
    answer.body["key"] = token.reveal().into();
    answer
}

pub(super) async fn list(call: Call) -> Answered {
    list_of(call, |kind| matches!(kind, CredentialKind::Key { .. })).await
}

/// Keys or logins.
pub(super) async fn list_of(call: Call, is_asked: fn(&CredentialKind) -> bool) -> Answered {
    let ask = Ask::read(&call.query, &["organization", "project", "status", "name", "user"])?;
    let mut filter = Filter {
        organization_id: call.organization_filter(&ask).await?,
        ..Filter::default()
    };
    if let Some(named) = ask.filter("project") {
        let project = call
            .project(named)
            .await
            .map_err(|problem| problem.with_param("project"))?;
        filter.project_ids.push(project.id);
    }
    let user = ask.filter("user");
    let fetch = |page| {
        let (store, filter) = (call.store.clone(), filter.clone());
        async move { store.credentials(&filter, &page).await }
    };
    let keep = |one: &Credential| {
        is_asked(&one.kind)
            && ask.fits(&one.name, one.status)
            && user.is_none_or(|user| one.user.as_deref() == Some(user))
    };
    let page = ask.collect(fetch, keep).await?;
    Ok(paging::list(page, |credential| {
        view::credential(&call.gateway, credential)
    }))
}

pub(super) async fn get(call: Call) -> Answered {
    let found = call.key(call.named("key")).await?;
    Ok(Answer::tagged(view::credential(&call.gateway, &found)))
}

pub(super) async fn update(call: Call) -> Answered {
    let change: Change = call.read()?;
    let found = call.key(call.named("key")).await?;
    change.apply(&call, "key", &found).await
}

impl Change {
    /// Changes a key or login.
    pub(super) async fn apply(self, call: &Call, kind: &'static str, found: &Credential) -> Answered {
        let mut changed = found.clone();
        if let Some(name) = self.name {
            make::check("name", name.as_str(), validate::name)?;
            changed.name = name;
        }
        if let Some(status) = self.status {
            changed.status = status.into();
        }
        if let Some(user) = self.user {
            make::check_user(user.as_ref())?;
            changed.user = user;
        }
        if let Some(expires_at) = self.expires_at {
            changed.expires_at = make::ends_sometime(expires_at)?;
        }
        changed.settings = patch::settings(&found.settings, self.settings)?;
        let written = write(call, kind, "update", found, changed).await?;
        Ok(Answer::tagged(view::credential(&call.gateway, &written)))
    }
}

/// Writes what has become of a key or login; `what` is for the audit log.
pub(super) async fn write(
    call: &Call,
    kind: &'static str,
    what: &str,
    found: &Credential,
    changed: Credential,
) -> Result<Credential, Problem> {
    check_there(kind, &found.id, found.status)?;
    call.check_match(&view::credential(&call.gateway, found))?;
    let admin = call.admin()?;
    admin.check_settings(&found.settings, &changed.settings)?;
    let written = call
        .store
        .update_credential(&admin.actor(), &format!("{kind}.{what}"), found, changed)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok(written)
}

/// Gives a key or login another status.
pub(super) async fn set_status(
    call: &Call,
    kind: &'static str,
    found: &Credential,
    status: Status,
) -> Result<Credential, Problem> {
    let what = match status {
        Status::Active => "enable",
        Status::Disabled => "disable",
        Status::Deleted => "revoke",
    };
    let changed = Credential {
        status,
        ..found.clone()
    };
    write(call, kind, what, found, changed).await
}

pub(super) async fn disable(call: Call) -> Answered {
    let found = call.key(call.named("key")).await?;
    let written = set_status(&call, "key", &found, Status::Disabled).await?;
    Ok(Answer::tagged(view::credential(&call.gateway, &written)))
}

pub(super) async fn enable(call: Call) -> Answered {
    let found = call.key(call.named("key")).await?;
    let written = set_status(&call, "key", &found, Status::Active).await?;
    Ok(Answer::tagged(view::credential(&call.gateway, &written)))
}

pub(super) async fn revoke(call: Call) -> Answered {
    let found = call.key(call.named("key")).await?;
    set_status(&call, "key", &found, Status::Deleted).await?;
    Ok(view::deleted("key", &found.id).into())
}

pub(super) async fn rotate(call: Call) -> Answered {
    let rotate: Rotate = call.read_or_default()?;
    let overlap = rotate.overlap_seconds.unwrap_or(OVERLAP);
    if !(0..=MAX_OVERLAP).contains(&overlap) {
        return Err(problems::invalid(
            "overlap_seconds",
            format!("must be from 0 to {MAX_OVERLAP}"),
        ));
    }
    let expires_at = make::ends_later(rotate.expires_at)?;
    let found = call.key(call.named("key")).await?;
    let (made, token) = replace(&call, &found, overlap, expires_at, found.settings.clone()).await?;
    Ok(shown_once(&call, &made, &token))
}

/// Makes the key that takes another one's place.
pub(super) async fn replace(
    call: &Call,
    found: &Credential,
    overlap: i64,
    expires_at: Option<i64>,
    settings: Settings,
) -> Result<(Credential, Token), Problem> {
    check_there("key", &found.id, found.status)?;
    call.check_match(&view::credential(&call.gateway, found))?;
    let admin = call.admin()?;
    admin.check_settings(&found.settings, &settings)?;
    let expires_at = expires_at.or(found.expires_at);
    if expires_at.is_some_and(|end| end <= now()) {
        let what = "is needed: the key that is rotated has expired, and the new one would have, too";
        return Err(problems::invalid("expires_at", what));
    }
    // An overlap never makes a key last longer.
    let until = now().saturating_add(overlap);
    let old_ends_at = found.expires_at.map_or(until, |end| end.min(until));
    let token = make::token(TokenKind::Client)?;
    let new = NewCredential {
        project_id: found.project_id.clone(),
        name: found.name.clone(),
        kind: kind_of(call, &token),
        expires_at,
        settings,
        user: found.user.clone(),
    };
    let made = call
        .store
        .rotate_credential(&admin.actor(), found, old_ends_at, new)
        .await
        .map_err(problems::of_store)?;
    call.take_over().await;
    Ok((made, token))
}
