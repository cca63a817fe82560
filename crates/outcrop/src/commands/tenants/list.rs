//! `outcrop tenants list`: a tree.

use std::collections::HashMap;

use clap::ArgMatches;
use outcrop_store::SpendScope;
use outcrop_tenants::{Money, Period, Status};
use serde_json::{Value, json};

use super::super::models::table::table;
use super::super::tenancy::{
    Book, Scope, align_right, dollars, list_view, organization_view, project_view, status, with_session,
};
use super::deleted;
use crate::failure::Failure;

/// Lists organizations and their projects.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let all = matches.get_flag("all");
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let totals = session.store.spend(session.now).await?;
        let spent: HashMap<(SpendScope, &str), Money> = totals
            .iter()
            .filter(|total| total.period == Period::Month)
            .map(|total| ((total.scope, total.id.as_str()), total.spent))
            .collect();
        let spent = |scope, id: &str| spent.get(&(scope, id)).copied().unwrap_or_default();
        let head = ["NAME", "ID", "STATUS", "KEYS", "THIS MONTH"].map(str::to_owned);
        let (mut views, mut rows): (Vec<Value>, _) = (Vec::new(), vec![head]);
        for organization in book.organizations(all) {
            let scope = Scope::Organization(organization.clone());
            let sum = spent(SpendScope::Organization, &organization.id);
            let keys = keys_of(&book, &scope);
            let mut view = organization_view(organization);
            view["keys"] = json!(keys);
            view["spent_this_month_usd"] = json!(sum);
            let mut projects: Vec<Value> = Vec::new();
            rows.push([
                organization.name.clone(),
                organization.id.clone(),
                deleted(status(organization.status, None, session.now)),
                keys.to_string(),
                dollars(sum),
            ]);
            for project in book.projects(all).filter(|one| one.organization_id == organization.id) {
                let keys = keys_of(&book, &Scope::Project(project.clone()));
                let sum = spent(SpendScope::Project, &project.id);
                let mut view = project_view(&book, project);
                view["keys"] = json!(keys);
                view["spent_this_month_usd"] = json!(sum);
                projects.push(view);
                rows.push([
                    format!("  {}", project.name),
                    project.id.clone(),
                    deleted(status(project.status, None, session.now)),
                    keys.to_string(),
                    dollars(sum),
                ]);
            }
            view["projects"] = projects.into();
            views.push(view);
        }
        session.print(&list_view(views), || {
            if rows.len() == 1 {
                return "There are no tenants. Make one with: outcrop tenants create NAME\n".to_owned();
            }
            align_right(&mut rows, &[3, 4]);
            table(&rows, "")
        })
    })
}

/// How many keys and logins it has.
pub(super) fn keys_of(book: &Book, scope: &Scope) -> usize {
    let is_in = |project_id: &str| match scope {
        Scope::Organization(organization) => book
            .organization_of(project_id)
            .is_some_and(|of| of.id == organization.id),
        Scope::Project(project) => project.id == project_id,
        Scope::Credential(_) => false,
    };
    let keys = book.credentials(false);
    keys.filter(|one| one.status != Status::Deleted && is_in(&one.project_id))
        .count()
}
