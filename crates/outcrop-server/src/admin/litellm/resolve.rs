//! What LiteLLM's requests name: keys by themselves, their ids or aliases; teams by id or name.

use outcrop_store::Filter;
use outcrop_tenants::{Credential, CredentialKind, Project, Token};
use outcrop_translate::Problem;

use super::super::call::Call;
use super::super::paging;
use super::super::problems::{invalid, not_found};

/// The organization of teams that have none.
pub(super) const DEFAULT: &str = "default";

/// A key by itself, its id or its beginning. Whoever is to be told of it shall not learn its secret: it is never repeated.
pub(super) async fn key(call: &Call, named: &str, member: &str) -> Result<Credential, Problem> {
    let found = match Token::parse(named) {
        Ok(token) => {
            let found = call.key(token.prefix()).await;
            found.and_then(|found| match &found.kind {
                CredentialKind::Key { hash, .. } if *hash == call.gateway.tenants.pepper().hash(&token) => Ok(found),
                _ => Err(not_found("key", token.prefix())),
            })
        }
        Err(_) if named.starts_with("sk-") && named.len() > 24 => Err(not_found("key", "sk-…")),
        Err(_) => call.key(named).await,
    };
    found.map_err(|problem| problem.with_param(member))
}

/// A key by its alias; LiteLLM has each once.
pub(super) async fn key_by_alias(call: &Call, alias: &str, member: &str) -> Result<Credential, Problem> {
    let mut named = keys(call, None).await?;
    named.retain(|key| key.name == alias);
    match (named.pop(), named.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(invalid(member, "is the alias of several keys; name one by its id")),
        (None, _) => Err(not_found("key", alias).with_param(member)),
    }
}

/// All keys that the administrator sees, of one project or all.
pub(super) async fn keys(call: &Call, project_id: Option<&str>) -> Result<Vec<Credential>, Problem> {
    let filter = Filter {
        organization_id: call.admin()?.organization_id.clone(),
        project_ids: project_id.map(ToOwned::to_owned).into_iter().collect(),
        ..Filter::default()
    };
    let fetch = |page| {
        let (store, filter) = (call.store.clone(), filter.clone());
        async move { store.credentials(&filter, &page).await }
    };
    let mut all = paging::all(fetch).await?;
    all.retain(|one| matches!(one.kind, CredentialKind::Key { .. }));
    Ok(all)
}

/// A team: a project by its id, its path, or its name in the organization `default`.
pub(super) async fn team(call: &Call, named: &str) -> Result<Project, Problem> {
    let by_itself = call.project(named).await;
    let found = match by_itself {
        Err(problem) if problem.status == 404 && !named.contains('/') => {
            let own = call.admin()?.organization_id.clone();
            let organization = match own {
                Some(id) => call.organization(&id).await?.name,
                None => DEFAULT.to_owned(),
            };
            call.project(&format!("{organization}/{named}"))
                .await
                .map_err(|_| not_found("team", named))
        }
        found => found,
    };
    found.map_err(|problem| problem.with_param("team_id"))
}
