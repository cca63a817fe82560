//! `/key/…`

use outcrop_store::{NewCredential, SpendScope};
use outcrop_tenants::{Credential, Money, Project, Settings, Status, Token, TokenKind, validate};
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::super::access::Who;
use super::super::call::{Answered, Call};
use super::super::problems::invalid;
use super::super::{keys, make};
use super::members::Members;
use super::{resolve, settings, time, view};
use crate::tenants::now;

/// What is said of a key besides its settings.
struct Said {
    alias: Option<Option<String>>,
    user: Option<Option<String>>,
    expires_at: Option<Option<i64>>,
    blocked: Option<bool>,
    team: Option<String>,
    organization: Option<String>,
}

impl Said {
    fn read(members: &mut Members) -> Result<Self, Problem> {
        let alias = members.text("key_alias")?;
        if let Some(Some(alias)) = &alias {
            make::check("key_alias", alias.as_str(), validate::name)?;
        }
        let user = members.text("user_id")?;
        if let Some(Some(user)) = &user {
            make::check("user_id", user.as_str(), validate::name)?;
        }
        let expires_at = match members.text("duration")? {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) if matches!(text.as_str(), "-1" | "never" | "permanent") => Some(None),
            Some(Some(text)) => Some(Some(ends("duration", &text)?)),
        };
        let team = members.text("team_id")?.flatten();
        let project = members.text("project_id")?.flatten();
        if team.is_some() && project.is_some() {
            return Err(invalid(
                "project_id",
                "must not stand beside 'team_id': both mean a project here",
            ));
        }
        Ok(Self {
            alias,
            user,
            expires_at,
            blocked: members.flag("blocked")?.flatten(),
            team: team.or(project),
            organization: members.text("organization_id")?.flatten(),
        })
    }

    /// The project that is meant; `None` where nothing is said.
    async fn project(&self, call: &Call) -> Result<Option<Project>, Problem> {
        let project = match &self.team {
            None => None,
            Some(team) => Some(resolve::team(call, team).await?),
        };
        let Some(organization) = &self.organization else {
            return Ok(project);
        };
        let organization = call.organization(organization).await;
        let organization = organization.map_err(|problem| problem.with_param("organization_id"))?;
        match &project {
            Some(project) if project.organization_id == organization.id => Ok(Some(project.clone())),
            Some(_) => Err(invalid("organization_id", "is not the organization of 'team_id'")),
            None => Err(invalid(
                "organization_id",
                "needs 'team_id': a key belongs to a project",
            )),
        }
    }
}

fn ends(member: &str, duration: &str) -> Result<i64, Problem> {
    let seconds = time::seconds(duration)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| invalid(member, "must be a duration such as '30s', '30m', '30h', '30d' or '1mo'"))?;
    Ok(now().saturating_add(seconds))
}

/// `POST /key/generate`
pub(in super::super) async fn generate(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let said = Said::read(&mut members)?;
    let mut settings = Settings::default();
    settings::apply(&mut members, &mut settings)?;
    members.finish()?;
    let project = match said.project(&call).await? {
        Some(project) => project,
        None => keys::project_of(&call, None)
            .await
            .map_err(|problem| problem.with_param("team_id"))?,
    };
    super::super::find::check_there("project", &project.id, project.status)?;
    let alias = said.alias.flatten();
    if let Some(alias) = &alias {
        check_free(&call, alias, None).await?;
    }
    let token = make::token(TokenKind::Client)?;
    let new = NewCredential {
        project_id: project.id,
        name: alias.unwrap_or_else(|| token.prefix().to_owned()),
        kind: keys::kind_of(&call, &token),
        expires_at: said.expires_at.flatten(),
        settings,
        user: said.user.flatten(),
    };
    let mut made = keys::add(&call, new).await?;
    if said.blocked == Some(true) {
        made = keys::set_status(&call, "key", &made, Status::Disabled).await?;
    }
    Ok(revealed(&call, &made, &token, Money::ZERO).into())
}

/// LiteLLM has each alias once.
async fn check_free(call: &Call, alias: &str, own: Option<&str>) -> Result<(), Problem> {
    let keys = resolve::keys(call, None).await?;
    if keys.iter().any(|key| key.name == alias && Some(key.id.as_str()) != own) {
        return Err(invalid("key_alias", "is another key's already"));
    }
    Ok(())
}

fn revealed(call: &Call, made: &Credential, token: &Token, spend: Money) -> Value {
    let mut body = view::key(call, made, spend);
    body["key"] = token.reveal().into();
    body
}

/// `GET /key/info`, of the key that asks if none is named.
pub(in super::super) async fn info(call: Call) -> Answered {
    let mut named = None;
    for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
        match name.as_ref() {
            "key" => named = Some(value.into_owned()),
            other => return Err(invalid(&other.chars().take(64).collect::<String>(), "is not known")),
        }
    }
    let found = match (&call.who, &named) {
        (Who::Client(tenant), None) => (*tenant.credential).clone(),
        // A client that names a key must have it: then it may as well ask with it.
        (Who::Client(tenant), Some(named)) if is_own(&call, tenant, named) => (*tenant.credential).clone(),
        (Who::Client(_), Some(_)) => return Err(super::super::access::client_key()),
        (Who::Admin(_), Some(named)) => resolve::key(&call, named, "key").await?,
        (Who::Admin(_), None) => return Err(invalid("key", "is needed")),
    };
    let spend = view::spend(&call, SpendScope::Key, &found.id, &found.settings).await?;
    let shown = named
        .filter(|named| *named == found.id)
        .unwrap_or_else(|| found.id.clone());
    Ok(json!({"key": shown, "info": view::key(&call, &found, spend)}).into())
}

fn is_own(call: &Call, tenant: &crate::tenants::Tenant, named: &str) -> bool {
    let own = &tenant.credential;
    let is_secret = Token::parse(named).is_ok_and(|token| match &own.kind {
        outcrop_tenants::CredentialKind::Key { hash, .. } => *hash == call.gateway.tenants.pepper().hash(&token),
        _ => false,
    });
    is_secret || named == own.id
}

/// `GET /key/list`
pub(in super::super) async fn list(call: Call) -> Answered {
    let (mut page, mut size, mut full) = (1_usize, 10_usize, false);
    let (mut team, mut user, mut alias) = (None, None, None);
    let number = |name: &str, text: &str, most: usize| {
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| invalid(name, format!("must be from 1 to {most}")))
    };
    for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
        match name.as_ref() {
            "page" => page = number("page", &value, 1_000_000)?,
            "size" => size = number("size", &value, 1000)?,
            "return_full_object" => full = matches!(value.as_ref(), "true" | "True" | "1"),
            "team_id" => team = Some(resolve::team(&call, &value).await?.id),
            "user_id" => user = Some(value.into_owned()),
            "key_alias" => alias = Some(value.into_owned()),
            // Whether keys of teams are among them: all are keys of a team here.
            "include_team_keys" => {}
            other => return Err(invalid(&other.chars().take(64).collect::<String>(), "is not known")),
        }
    }
    let mut keys = resolve::keys(&call, team.as_deref()).await?;
    keys.retain(|key| {
        user.as_deref().is_none_or(|user| key.user.as_deref() == Some(user))
            && alias.as_deref().is_none_or(|alias| key.name == alias)
    });
    let total = keys.len();
    let mut shown = Vec::new();
    for key in keys.iter().skip((page - 1).saturating_mul(size)).take(size) {
        shown.push(if full {
            let spend = view::spend(&call, SpendScope::Key, &key.id, &key.settings).await?;
            view::key(&call, key, spend)
        } else {
            key.id.as_str().into()
        });
    }
    Ok(json!({
        "keys": shown,
        "total_count": total,
        "current_page": page,
        "total_pages": total.div_ceil(size),
    })
    .into())
}

/// `POST /key/update`
pub(in super::super) async fn update(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let found = named_key(&call, &mut members, "key").await?;
    let said = Said::read(&mut members)?;
    let mut changed = found.clone();
    settings::apply(&mut members, &mut changed.settings)?;
    members.finish()?;
    if said
        .project(&call)
        .await?
        .is_some_and(|project| project.id != found.project_id)
    {
        return Err(invalid("team_id", "can't be changed: make a key in the other team"));
    }
    if let Some(alias) = said.alias {
        match alias {
            Some(alias) => {
                check_free(&call, &alias, Some(&found.id)).await?;
                changed.name = alias;
            }
            None => return Err(invalid("key_alias", "can't be taken away")),
        }
    }
    if let Some(user) = said.user {
        changed.user = user;
    }
    if let Some(expires_at) = said.expires_at {
        changed.expires_at = expires_at;
    }
    if let Some(blocked) = said.blocked {
        changed.status = if blocked { Status::Disabled } else { Status::Active };
    }
    let written = keys::write(&call, "key", "update", &found, changed).await?;
    let spend = view::spend(&call, SpendScope::Key, &written.id, &written.settings).await?;
    let mut body = view::key(&call, &written, spend);
    body["key"] = written.id.into();
    Ok(body.into())
}

/// The key that a member names.
async fn named_key(call: &Call, members: &mut Members, member: &str) -> Result<Credential, Problem> {
    match members.text(member)?.flatten() {
        Some(named) => resolve::key(call, &named, member).await,
        None => Err(invalid(member, "is needed")),
    }
}

/// `POST /key/delete`
pub(in super::super) async fn delete(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let named = members.texts("keys")?.flatten().unwrap_or_default();
    let aliases = members.texts("key_aliases")?.flatten().unwrap_or_default();
    members.finish()?;
    if named.is_empty() && aliases.is_empty() {
        return Err(invalid("keys", "or 'key_aliases' is needed"));
    }
    // All must be there before the first is gone.
    let mut found = Vec::new();
    for (index, named) in named.iter().enumerate() {
        found.push(resolve::key(&call, named, &format!("keys[{index}]")).await?);
    }
    for (index, alias) in aliases.iter().enumerate() {
        found.push(resolve::key_by_alias(&call, alias, &format!("key_aliases[{index}]")).await?);
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found.dedup_by(|one, other| one.id == other.id);
    for key in &found {
        super::super::find::check_there("key", &key.id, key.status)?;
    }
    for key in &found {
        keys::set_status(&call, "key", key, Status::Deleted).await?;
    }
    // As they were named: scripts compare.
    let deleted: Vec<String> = if aliases.is_empty() {
        named
    } else {
        found.into_iter().map(|key| key.id).collect()
    };
    Ok(json!({"deleted_keys": deleted}).into())
}

/// `POST /key/block`
pub(in super::super) async fn block(call: Call) -> Answered {
    set_blocked(call, Status::Disabled).await
}

/// `POST /key/unblock`
pub(in super::super) async fn unblock(call: Call) -> Answered {
    set_blocked(call, Status::Active).await
}

async fn set_blocked(call: Call, status: Status) -> Answered {
    let mut members = Members::read(&call)?;
    let found = named_key(&call, &mut members, "key").await?;
    members.finish()?;
    let written = keys::set_status(&call, "key", &found, status).await?;
    let spend = view::spend(&call, SpendScope::Key, &written.id, &written.settings).await?;
    Ok(view::key(&call, &written, spend).into())
}

/// `POST /key/{key}/regenerate` and `POST /key/regenerate`
pub(in super::super) async fn regenerate(call: Call) -> Answered {
    let mut members = Members::read(&call)?;
    let found = match call.path.get("key") {
        Some(named) => resolve::key(&call, named, "key").await?,
        None => named_key(&call, &mut members, "key").await?,
    };
    let said = Said::read(&mut members)?;
    let overlap = match members.text("grace_period")?.flatten() {
        None => 0,
        Some(text) => {
            time::seconds(&text).ok_or_else(|| invalid("grace_period", "must be a duration such as '24h' or '2d'"))?
        }
    };
    let mut settings = found.settings.clone();
    settings::apply(&mut members, &mut settings)?;
    members.finish()?;
    for (member, is_said) in [
        (
            "key_alias",
            said.alias.flatten().is_some_and(|alias| alias != found.name),
        ),
        (
            "user_id",
            said.user
                .flatten()
                .is_some_and(|user| Some(&user) != found.user.as_ref()),
        ),
        ("blocked", said.blocked == Some(true)),
        ("team_id", said.team.is_some_and(|team| team != found.project_id)),
        ("organization_id", said.organization.is_some()),
    ] {
        if is_said {
            return Err(invalid(member, "can't be changed meanwhile: use /key/update"));
        }
    }
    let (made, token) = keys::replace(&call, &found, overlap, said.expires_at.flatten(), settings).await?;
    let spend = view::spend(&call, SpendScope::Key, &made.id, &made.settings).await?;
    Ok(revealed(&call, &made, &token, spend).into())
}
