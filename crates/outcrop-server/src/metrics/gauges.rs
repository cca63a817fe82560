//! What is kept elsewhere anyway, looked up when somebody asks.

use std::time::Instant;

use outcrop_routing::Condition;
use outcrop_tenants::limits::{Scope, Spent};
use outcrop_tenants::{Budget, Money};
use serde_json::json;

use super::MAX_SERIES;
use super::definition::{
    BROKEN, BUDGET, BUDGET_LEFT, BUILD, JOURNAL, LEARNED, QUEUE, QUOTA, QUOTA_LEFT, TARGET_CALLS, UPSTREAM_CALLS,
};
use super::page::{Page, Sample};
use crate::exchange::Gateway;
use crate::tenants::now;

/// Adds how it stands with targets, quotas, budgets and the journal.
pub(super) fn tell(gateway: &Gateway, page: &mut Page) {
    page.add(&BUILD, &[env!("CARGO_PKG_VERSION").to_owned()], Sample::Count(1));
    page.number(&UPSTREAM_CALLS, &[], gateway.client.open_calls() as f64);
    page.number(&QUEUE, &[], gateway.admission.waiting() as f64);
    page.count(&LEARNED, &[], gateway.learned.count());
    if let Some(bytes) = gateway.config.meter.backlog() {
        page.number(&JOURNAL, &[], bytes as f64);
    }
    targets(gateway, page);
    quotas(gateway, page);
    budgets(gateway, page);
}

fn targets(gateway: &Gateway, page: &mut Page) {
    let now = Instant::now();
    let mut told = std::collections::BTreeSet::new();
    for (route, target, health) in gateway.router.targets().take(MAX_SERIES) {
        let model = target.model_id.as_ref().or(target.model.as_ref());
        let labels = [
            route.name.clone(),
            model.cloned().unwrap_or_default(),
            target.account.clone().unwrap_or_default(),
            target.region.clone().unwrap_or_default(),
        ];
        // Two targets may differ in their parameters alone.
        if told.insert(labels.clone()) {
            let is_broken = health.condition(now) == Condition::Broken;
            page.count(&BROKEN, &labels, u64::from(is_broken));
            page.count(&TARGET_CALLS, &labels, health.in_flight().into());
        }
    }
}

fn quotas(gateway: &Gateway, page: &mut Page) {
    if !gateway.admission.counts() {
        return;
    }
    let now = Instant::now();
    let mut lanes = gateway.admission.ledger().lanes();
    lanes.sort_by(|one, other| {
        let key = |lane: &outcrop_routing::ledger::Lane| {
            let key = lane.key();
            (key.account.clone(), key.region.clone(), key.model.clone())
        };
        key(one).cmp(&key(other))
    });
    let known = lanes.iter().filter_map(|lane| Some((lane.key(), lane.snapshot(now)?)));
    for (key, limits) in known.take(MAX_SERIES) {
        for (quota, limit) in [("requests", limits.requests), ("tokens", limits.tokens)] {
            let Some(limit) = limit else { continue };
            let account = key.account.clone().unwrap_or_default();
            let labels = [quota.to_owned(), account, key.region.clone(), key.model.clone()];
            page.count(&QUOTA, &labels, limit.limit);
            page.count(&QUOTA_LEFT, &labels, limit.remaining);
        }
    }
}

fn budgets(gateway: &Gateway, page: &mut Page) {
    let directory = gateway.tenants.directory();
    let of_organizations = directory.organizations().map(|organization| {
        let names = [organization.name.to_string(), String::new()];
        (
            Scope::Organization,
            &organization.id,
            names,
            &organization.settings.budgets,
        )
    });
    let of_projects = directory.projects().filter_map(|project| {
        let organization = directory.organization(&project.organization_id)?;
        let names = [organization.name.to_string(), project.name.to_string()];
        Some((Scope::Project, &project.id, names, &project.settings.budgets))
    });
    let with_budgets = of_organizations
        .chain(of_projects)
        .filter(|(.., budgets)| !budgets.is_empty());
    let mut samples = Vec::new();
    for (scope, id, [organization, project], budgets) in with_budgets {
        let spent = gateway.config.limits.spent_of(scope, id);
        for (budget, spent) in budgets
            .iter()
            .filter_map(|budget| Some((budget, spent_of(budget, &spent)?)))
        {
            let period = json!(budget.period);
            let period = period.as_str().unwrap_or_default().to_owned();
            let labels = [scope.name().to_owned(), organization.clone(), project.clone(), period];
            let left = budget.limit_usd.dollars() - spent.dollars();
            samples.push((labels, budget.limit_usd.dollars(), left));
        }
    }
    samples.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    for (labels, limit, left) in samples.into_iter().take(MAX_SERIES) {
        page.number(&BUDGET, &labels, limit);
        page.number(&BUDGET_LEFT, &labels, left);
    }
}

/// What was spent of a budget in the period that it is now; `None` where nothing was asked for lately.
fn spent_of(budget: &Budget, spent: &[Spent]) -> Option<Money> {
    let known = spent.iter().find(|spent| spent.period == budget.period)?;
    Some(match known.start == budget.period.start(now()) {
        true => known.in_database + known.pending,
        false => Money::ZERO,
    })
}
