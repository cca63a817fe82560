//! `GET /admin/v1/budgets`: how far budgets are used up.

use std::collections::HashMap;

use outcrop_store::{Filter, SpendScope};
use outcrop_tenants::limits;
use outcrop_tenants::{Budget, Credential, Money, Organization, Period, Project, Settings};
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::call::{Answered, Call};
use super::paging::{self, Ask};
use super::problems;
use crate::tenants::now;

/// What was spent, by what and in which period.
type Spent = HashMap<(SpendScope, String, Period), Money>;

/// Something that may have budgets.
struct Scope {
    scope: SpendScope,
    id: String,
    name: String,
    settings: Settings,
}

/// One of them.
struct Row {
    scope: SpendScope,
    id: String,
    name: String,
    budget: Budget,
}

/// How it stands.
struct Amounts {
    spent: Money,
    reserved: Money,
}

/// Those of an organization, a project or a key, of all that is above it, and of all that is below it.
pub(super) async fn list(call: Call) -> Answered {
    let ask = Ask::read(&call.query, &["organization", "project", "key"])?;
    let named = ["organization", "project", "key"]
        .into_iter()
        .filter_map(|kind| Some((kind, ask.filter(kind)?)));
    let scopes = match named.collect::<Vec<_>>()[..] {
        [("organization", id)] => of_organization(&call, id).await,
        [("project", id)] => of_project(&call, id).await,
        [("key", id)] => of_key(&call, id).await,
        [] => return Err(problems::invalid("organization", "or 'project' or 'key' is needed")),
        [_, (second, _), ..] => return Err(problems::invalid(second, "must stand alone: one scope at a time")),
        [_] => Ok(Vec::new()),
    }?;
    let rows = scopes.into_iter().flat_map(|of| {
        let row = move |budget| Row {
            scope: of.scope,
            id: of.id.clone(),
            name: of.name.clone(),
            budget,
        };
        of.settings.budgets.into_iter().map(row)
    });
    let page = ask.slice(rows.collect())?;
    let now = now();
    let spent = spent(&call, now).await?;
    Ok(paging::list(page, |row| {
        view(row, &amounts(&call, row, &spent, now), now)
    }))
}

async fn of_organization(call: &Call, named: &str) -> Result<Vec<Scope>, Problem> {
    let organization = call
        .organization(named)
        .await
        .map_err(|problem| problem.with_param("organization"))?;
    let fetch = |page| {
        let (store, id) = (call.store.clone(), organization.id.clone());
        async move { store.projects(Some(&id), &page).await }
    };
    let projects = paging::all(fetch).await?;
    let filter = Filter {
        organization_id: Some(organization.id.clone()),
        ..Filter::default()
    };
    let keys = credentials(call, filter).await?;
    let below = projects
        .into_iter()
        .map(Scope::from)
        .chain(keys.into_iter().map(Scope::from));
    Ok([Scope::from(organization)].into_iter().chain(below).collect())
}

async fn of_project(call: &Call, named: &str) -> Result<Vec<Scope>, Problem> {
    let project = call
        .project(named)
        .await
        .map_err(|problem| problem.with_param("project"))?;
    let organization = call
        .store
        .organization(&project.organization_id)
        .await
        .map_err(problems::of_store)?;
    let filter = Filter {
        project_ids: vec![project.id.clone()],
        ..Filter::default()
    };
    let keys = credentials(call, filter).await?;
    let above = [Scope::from(organization), Scope::from(project)];
    Ok(above.into_iter().chain(keys.into_iter().map(Scope::from)).collect())
}

async fn of_key(call: &Call, named: &str) -> Result<Vec<Scope>, Problem> {
    let key = call
        .any_credential(named)
        .await
        .map_err(|problem| problem.with_param("key"))?;
    let project = call.store.project(&key.project_id).await.map_err(problems::of_store)?;
    let organization = call
        .store
        .organization(&project.organization_id)
        .await
        .map_err(problems::of_store)?;
    Ok(vec![organization.into(), project.into(), key.into()])
}

async fn credentials(call: &Call, filter: Filter) -> Result<Vec<Credential>, Problem> {
    let fetch = |page| {
        let (store, filter) = (call.store.clone(), filter.clone());
        async move { store.credentials(&filter, &page).await }
    };
    paging::all(fetch).await
}

async fn spent(call: &Call, now: i64) -> Result<Spent, Problem> {
    let totals = call.store.spend(now).await.map_err(problems::of_store)?;
    let by_what = totals
        .into_iter()
        .map(|total| ((total.scope, total.id, total.period), total.spent));
    Ok(by_what.collect())
}

/// How a budget stands. The database has what all instances have spent, up to a second ago; this one knows besides what it
/// has just spent and what its calls under way may cost, and holds requests to that.
fn amounts(call: &Call, row: &Row, spent: &Spent, now: i64) -> Amounts {
    let period = row.budget.period;
    let in_database = spent.get(&(row.scope, row.id.clone(), period)).copied();
    let in_database = in_database.unwrap_or_default();
    let scope = match row.scope {
        SpendScope::Organization => limits::Scope::Organization,
        SpendScope::Project => limits::Scope::Project,
        SpendScope::Key => limits::Scope::Key,
    };
    let known = call.gateway.config.limits.spent_of(scope, &row.id);
    let mut known = known.into_iter().filter(|known| known.period == period);
    match known.next() {
        Some(known) => Amounts {
            // A call that began in the period before will be paid for in this one.
            reserved: known.reserved,
            spent: if known.start == period.start(now) {
                in_database.max(known.in_database + known.pending)
            } else {
                in_database
            },
        },
        None => Amounts {
            spent: in_database,
            reserved: Money::ZERO,
        },
    }
}

fn view(row: &Row, amounts: &Amounts, now: i64) -> Value {
    let budget = &row.budget;
    let Amounts { spent, reserved } = *amounts;
    let warns_from = Money::from_dollars(budget.limit_usd.dollars() * budget.warn_at.unwrap_or(1.0));
    let state = if spent >= budget.limit_usd {
        "exceeded"
    } else if warns_from.is_some_and(|from| spent >= from) {
        "warning"
    } else {
        "ok"
    };
    json!({
        "object": "budget",
        "scope": word(row.scope),
        "scope_id": row.id,
        "scope_name": row.name,
        "period": budget.period.name(),
        "soft": budget.soft,
        "warn_at": budget.warn_at,
        "limit_usd": budget.limit_usd,
        "spent_usd": spent,
        "reserved_usd": reserved,
        "remaining_usd": budget.limit_usd.less(spent),
        "started_at": budget.period.start(now),
        "resets_at": budget.period.end(now),
        "state": state,
    })
}

fn word(scope: SpendScope) -> &'static str {
    match scope {
        SpendScope::Organization => "organization",
        SpendScope::Project => "project",
        SpendScope::Key => "key",
    }
}

impl From<Organization> for Scope {
    fn from(of: Organization) -> Self {
        Self {
            scope: SpendScope::Organization,
            id: of.id,
            name: of.name,
            settings: of.settings,
        }
    }
}

impl From<Project> for Scope {
    fn from(of: Project) -> Self {
        Self {
            scope: SpendScope::Project,
            id: of.id,
            name: of.name,
            settings: of.settings,
        }
    }
}

impl From<Credential> for Scope {
    fn from(of: Credential) -> Self {
        Self {
            scope: SpendScope::Key,
            id: of.id,
            name: of.name,
            settings: of.settings,
        }
    }
}
