//! `outcrop budget`: what may be spent, and how much of it is.

use std::collections::HashMap;

use clap::ArgMatches;
use outcrop_store::SpendScope;
use outcrop_tenants::validate::check_settings;
use outcrop_tenants::{Budget, Credential, Money, Period};
use serde_json::{Value, json};

use super::models::table::table;
use super::tenancy::{
    Book, Scope, Session, align_right, bar, dollars, faulty, list_view, moment, put_budget, text, with_session,
};
use crate::failure::Failure;

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("list", matches)) => list(matches),
        Some(("set", matches)) => set(matches),
        Some(("remove", matches)) => remove(matches),
        _ => Ok(()),
    }
}

/// A budget, and what it is of.
struct Row {
    kind: &'static str,
    id: String,
    name: String,
    budget: Budget,
    spent: Money,
}

fn kind(scope: SpendScope) -> &'static str {
    match scope {
        SpendScope::Organization => "organization",
        SpendScope::Project => "project",
        SpendScope::Key => "key",
    }
}

fn list(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let scopes = scopes(&book, matches)?;
        print(session, &book, scopes).await
    })
}

/// Those that were asked for: of what is named, what is above it and what is below it.
fn scopes(book: &Book, matches: &ArgMatches) -> Result<Vec<Scope>, Failure> {
    let key = text(matches, "key").map(|named| book.credential(named)).transpose()?;
    let project = match (text(matches, "project"), key) {
        (Some(named), _) => Some(book.project(named)?.id.clone()),
        (None, key) => key.map(|key| key.project_id.clone()),
    };
    let organization = match (text(matches, "organization"), &project) {
        (Some(named), _) => Some(book.organization(named)?.id.clone()),
        (None, project) => project
            .as_ref()
            .and_then(|id| book.organization_of(id))
            .map(|of| of.id.clone()),
    };
    let mut scopes = Vec::new();
    let organizations = book.organizations(false);
    for of in organizations.filter(|one| organization.as_ref().is_none_or(|id| *id == one.id)) {
        scopes.push(Scope::Organization(of.clone()));
        let projects = book.projects(false).filter(|one| one.organization_id == of.id);
        for part in projects.filter(|one| project.as_ref().is_none_or(|id| *id == one.id)) {
            scopes.push(Scope::Project(part.clone()));
            let keys = book.credentials(false).filter(|one| one.project_id == part.id);
            let is_asked = |one: &&Credential| key.is_none_or(|key| key.id == one.id);
            scopes.extend(keys.filter(is_asked).cloned().map(Scope::Credential));
        }
    }
    Ok(scopes)
}

async fn print(session: &Session, book: &Book, scopes: Vec<Scope>) -> Result<(), Failure> {
    let now = session.now;
    let totals = session.store.spend(now).await?;
    let spent: HashMap<(SpendScope, &str, Period), Money> = totals
        .iter()
        .map(|total| ((total.scope, total.id.as_str(), total.period), total.spent))
        .collect();
    let mut rows = Vec::new();
    for scope in scopes {
        for budget in &scope.settings().budgets {
            let spent = spent.get(&(scope.kind(), scope.id(), budget.period)).copied();
            rows.push(Row {
                kind: kind(scope.kind()),
                id: scope.id().to_owned(),
                name: book.name(scope.id()),
                budget: budget.clone(),
                spent: spent.unwrap_or_default(),
            });
        }
    }
    session.print(&list_view(rows.iter().map(|row| row.view(now)).collect()), || {
        if rows.is_empty() {
            return "There are no budgets. Set one with: outcrop budget set ORGANIZATION/PROJECT 100/month\n"
                .to_owned();
        }
        let head = [
            "OF",
            "NAME",
            "PERIOD",
            "KIND",
            "LIMIT",
            "SPENT",
            "REMAINING",
            "USED",
            "RESETS",
        ];
        let lines = rows.iter().map(|row| row.line(now));
        let mut lines: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(lines).collect();
        align_right(&mut lines, &[4, 5, 6]);
        table(&lines, "")
    })
}

impl Row {
    fn view(&self, now: i64) -> Value {
        let budget = &self.budget;
        json!({
            "object": "budget",
            "scope": self.kind,
            "scope_id": self.id,
            "scope_name": self.name,
            "period": budget.period.name(),
            "soft": budget.soft,
            "warn_at": budget.warn_at,
            "limit_usd": budget.limit_usd,
            "spent_usd": self.spent,
            "remaining_usd": budget.limit_usd.less(self.spent),
            "started_at": budget.period.start(now),
            "resets_at": budget.period.end(now),
            "state": self.state(),
        })
    }

    fn state(&self) -> &'static str {
        let limit = self.budget.limit_usd;
        let warns_from = Money::from_dollars(limit.dollars() * self.budget.warn_at.unwrap_or(1.0));
        if self.spent >= limit {
            "exceeded"
        } else if warns_from.is_some_and(|from| self.spent >= from) {
            "warning"
        } else {
            "ok"
        }
    }

    fn line(&self, now: i64) -> [String; 9] {
        let budget = &self.budget;
        let mut used = bar(self.spent, budget.limit_usd);
        if self.state() != "ok" {
            used += &format!(" {}", self.state());
        }
        [
            self.kind.to_owned(),
            self.name.clone(),
            budget.period.name().to_owned(),
            if budget.soft { "soft" } else { "hard" }.to_owned(),
            dollars(budget.limit_usd),
            dollars(self.spent),
            dollars(budget.limit_usd.less(self.spent)),
            used,
            budget.period.end(now).map_or_else(|| "never".to_owned(), moment),
        ]
    }
}

fn set(matches: &ArgMatches) -> Result<(), Failure> {
    let Some((period, limit)) = matches.get_one::<(Period, Money)>("amount").copied() else {
        return Ok(());
    };
    change(matches, |budgets| {
        let warn_at = matches.get_one::<f64>("warn_at").copied();
        put_budget(budgets, period, limit, matches.get_flag("soft"), warn_at);
        Ok(())
    })
}

fn remove(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(period) = matches.get_one::<Period>("period").copied() else {
        return Ok(());
    };
    let only_soft = matches.get_flag("soft");
    change(matches, |budgets| {
        let count = budgets.len();
        budgets.retain(|budget| budget.period != period || (only_soft && !budget.soft));
        if budgets.len() == count {
            let text = format!(
                "it has no such budget for '{}'; outcrop budget list shows all",
                period.name()
            );
            return Err(Failure::Tenancy(text));
        }
        Ok(())
    })
}

/// Changes budgets of what is named, and shows what it has then.
fn change(matches: &ArgMatches, change: impl FnOnce(&mut Vec<Budget>) -> Result<(), Failure>) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let scope = book.scope(text(matches, "scope").unwrap_or_default())?;
        let mut settings = scope.settings().clone();
        change(&mut settings.budgets)?;
        check_settings(&settings).map_err(|fault| faulty("the budget is not valid", fault))?;
        let scope = scope.write(session, settings).await?;
        print(session, &book, vec![scope]).await
    })
}
