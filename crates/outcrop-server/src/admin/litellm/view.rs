//! Keys and teams as LiteLLM's answers have them.

use outcrop_store::SpendScope;
use outcrop_tenants::{Credential, CredentialKind, Money, Period, Project, Settings, Status};
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::problems;
use super::settings::Single;
use super::time;
use crate::tenants::now;

/// What was spent in the period of the budget, or in all.
pub(super) async fn spend(call: &Call, scope: SpendScope, id: &str, settings: &Settings) -> Result<Money, Problem> {
    let period = Single::of(settings)
        .and_then(|single| single.period)
        .unwrap_or(Period::Total);
    let totals = call
        .store
        .spend_of(scope, &id.to_owned(), now())
        .await
        .map_err(problems::of_store)?;
    let of_period = totals.into_iter().find(|total| total.period == period);
    Ok(of_period.map(|total| total.spent).unwrap_or_default())
}

/// A key, as `info` and lists tell of it. `token` is what LiteLLM has a hash for: the id here.
pub(super) fn key(call: &Call, key: &Credential, spend: Money) -> Value {
    let prefix = match &key.kind {
        CredentialKind::Key { prefix, .. } => prefix.as_str(),
        _ => "",
    };
    let directory = call.gateway.tenants.directory();
    let organization_id = directory
        .project(&key.project_id)
        .map(|project| project.organization_id.clone());
    // A key without an alias has its beginning for a name.
    let alias = Some(&key.name).filter(|name| *name != prefix);
    let mut view = json!({
        "token": key.id,
        "token_id": key.id,
        "key_name": format!("{prefix}-..."),
        "key_alias": alias,
        "spend": spend,
        "expires": key.expires_at.map(time::iso),
        "user_id": key.user,
        "team_id": key.project_id,
        "organization_id": organization_id,
        "blocked": key.status == Status::Disabled,
        "created_at": time::iso(key.created_at),
        "allowed_routes": key.settings.allowed_endpoints.clone().unwrap_or_default(),
    });
    add_settings(&mut view, &key.settings);
    view
}

/// A team.
pub(super) fn team(team: &Project, spend: Money) -> Value {
    let mut view = json!({
        "team_id": team.id,
        "team_alias": team.name,
        "organization_id": team.organization_id,
        "spend": spend,
        "blocked": team.status == Status::Disabled,
        "created_at": time::iso(team.created_at),
        "members_with_roles": [],
    });
    add_settings(&mut view, &team.settings);
    view
}

fn add_settings(view: &mut Value, settings: &Settings) {
    let single = Single::of(settings);
    let budget_limits: Vec<Value> = match single {
        Some(_) => Vec::new(),
        None => settings
            .budgets
            .iter()
            .filter(|budget| !budget.soft)
            .map(|budget| json!({"max_budget": budget.limit_usd, "budget_duration": time::duration(budget.period)}))
            .collect(),
    };
    let single = single.unwrap_or_default();
    let resets = single.period.and_then(|period| period.end(now()));
    for (member, value) in [
        ("models", json!(models(settings))),
        ("max_budget", json!(single.max)),
        ("soft_budget", json!(single.soft)),
        ("budget_duration", json!(single.period.and_then(time::duration))),
        ("budget_reset_at", json!(resets.map(time::iso))),
        ("budget_limits", json!(budget_limits)),
        ("rpm_limit", json!(settings.requests_per_minute)),
        ("tpm_limit", json!(settings.tokens_per_minute)),
        ("max_parallel_requests", json!(settings.concurrent_requests)),
        ("metadata", json!(settings.metadata)),
        ("aliases", json!(settings.aliases)),
        ("config", json!({})),
        ("permissions", json!({})),
        ("model_max_budget", json!({})),
        ("model_spend", json!({})),
    ] {
        view[member] = value;
    }
}

fn models(settings: &Settings) -> Vec<String> {
    match &settings.allowed_models {
        None => Vec::new(),
        Some(models) if models.is_empty() => vec!["no-default-models".to_owned()],
        Some(models) => models.clone(),
    }
}
