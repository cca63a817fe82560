//! `/admin/v1/logins`: those who come with an identity of AWS's or of an issuer's instead of a key.

use std::collections::BTreeMap;

use outcrop_store::NewCredential;
use outcrop_tenants::{CredentialKind, Settings, Status, validate};
use outcrop_translate::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Answer, Answered, Call};
use super::keys::{self, Change};
use super::{make, patch, problems, view};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    project: Option<String>,
    name: String,
    iam: Option<Iam>,
    jwt: Option<Jwt>,
    user: Option<String>,
    expires_at: Option<i64>,
    #[serde(default, deserialize_with = "patch::given")]
    settings: Option<Option<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Iam {
    arn: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwt {
    issuer: String,
    claims: BTreeMap<String, String>,
}

pub(super) async fn create(call: Call) -> Answered {
    let create: Create = call.read()?;
    // All organizations have the same issuers and accounts: a pattern that says more would take others' people.
    call.admin()?.check_unbound("say who a login is for")?;
    make::check("name", create.name.as_str(), validate::name)?;
    make::check_user(create.user.as_ref())?;
    let kind = kind(create.iam, create.jwt)?;
    let expires_at = make::ends_later(create.expires_at)?;
    let settings = patch::settings(&Settings::default(), create.settings)?;
    let project = keys::project_of(&call, create.project.as_deref()).await?;
    let new = NewCredential {
        project_id: project.id,
        name: create.name,
        kind,
        expires_at,
        settings,
        user: create.user,
    };
    let made = keys::add(&call, new).await?;
    Ok(Answer::tagged(view::credential(&call.gateway, &made)))
}

fn kind(iam: Option<Iam>, jwt: Option<Jwt>) -> Result<CredentialKind, Problem> {
    match (iam, jwt) {
        (Some(iam), None) => {
            make::check("iam.arn", iam.arn.as_str(), validate::iam_arn)?;
            Ok(CredentialKind::Iam { arn: iam.arn })
        }
        (None, Some(Jwt { issuer, claims })) => {
            validate::jwt(&issuer, &claims).map_err(|fault| problems::of_fault(fault.within("jwt")))?;
            Ok(CredentialKind::Jwt { issuer, claims })
        }
        (Some(_), Some(_)) => Err(problems::invalid("jwt", "must not stand beside 'iam'")),
        (None, None) => Err(problems::invalid("iam", "or 'jwt' is needed")),
    }
}

pub(super) async fn list(call: Call) -> Answered {
    keys::list_of(call, |kind| !matches!(kind, CredentialKind::Key { .. })).await
}

pub(super) async fn get(call: Call) -> Answered {
    let found = call.login(call.named("login")).await?;
    Ok(Answer::tagged(view::credential(&call.gateway, &found)))
}

pub(super) async fn update(call: Call) -> Answered {
    let change: Change = call.read()?;
    let found = call.login(call.named("login")).await?;
    change.apply(&call, "login", &found).await
}

pub(super) async fn delete(call: Call) -> Answered {
    let found = call.login(call.named("login")).await?;
    keys::set_status(&call, "login", &found, Status::Deleted).await?;
    Ok(view::deleted("login", &found.id).into())
}
