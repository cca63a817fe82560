//! `outcrop tenants`: organizations and their projects.

mod list;

use clap::ArgMatches;
use outcrop_tenants::{Organization, Project, Settings, Status, validate};
use serde_json::{Value, json};

use super::tenancy::{
    Book, Scope, Session, confirm, dollars, facts, faulty, moment, organization_view, project_view, settings, status,
    summary, text, with_session,
};
use crate::failure::Failure;

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("create", matches)) => create(matches),
        Some(("list", matches)) => list::run(matches),
        Some(("show", matches)) => show(matches),
        Some(("update", matches)) => update(matches),
        Some(("disable", matches)) => set_status(matches, Status::Disabled),
        Some(("enable", matches)) => set_status(matches, Status::Active),
        Some(("delete", matches)) => set_status(matches, Status::Deleted),
        _ => Ok(()),
    }
}

fn view(book: &Book, scope: &Scope) -> Value {
    match scope {
        Scope::Organization(organization) => organization_view(organization),
        Scope::Project(project) => project_view(book, project),
        Scope::Credential(_) => Value::Null,
    }
}

fn create(matches: &ArgMatches) -> Result<(), Failure> {
    let named = text(matches, "tenant").unwrap_or_default();
    with_session(matches, async |session| {
        let settings = settings(matches, &Settings::default())?;
        let book = Book::read(session).await?;
        let made = match named.split_once('/') {
            None => Scope::Organization(book.make_organization(session, named, settings).await?),
            Some((organization, name)) => {
                let create = matches.get_flag("create");
                Scope::Project(book.make_project(session, organization, name, settings, create).await?)
            }
        };
        let book = Book::read(session).await?;
        // What was made is told already.
        session.print(&view(&book, &made), String::new)
    })
}

fn show(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let scope = book.tenant(text(matches, "tenant").unwrap_or_default())?;
        let totals = session
            .store
            .spend_of(scope.kind(), &scope.id().to_owned(), session.now)
            .await?;
        let mut shown = view(&book, &scope);
        for total in &totals {
            shown["spent_usd"][total.period.name()] = json!(total.spent);
        }
        let keys = list::keys_of(&book, &scope);
        shown["keys"] = json!(keys);
        session.print(&shown, || {
            let (name, state, created_at) = match &scope {
                Scope::Project(project) => (book.path(&project.id), project.status, project.created_at),
                Scope::Organization(one) => (one.name.clone(), one.status, one.created_at),
                Scope::Credential(one) => (one.name.clone(), one.status, one.created_at),
            };
            let mut rows = vec![
                ("id", scope.id().to_owned()),
                ("name", name),
                ("status", deleted(status(state, None, session.now))),
                ("created", moment(created_at)),
                ("keys and logins", keys.to_string()),
            ];
            rows.extend(summary(scope.settings()));
            let names = ["spent today", "spent this week", "spent this month", "spent in all"];
            rows.extend(names.into_iter().zip(totals.iter().map(|total| dollars(total.spent))));
            facts(rows)
        })
    })
}

/// Keys are revoked, tenants are deleted.
fn deleted(status: &str) -> String {
    if status == "revoked" { "deleted" } else { status }.to_owned()
}

fn update(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let scope = living(&book, matches)?;
        let settings = settings(matches, scope.settings())?;
        let name = text(matches, "name");
        if let Some(name) = name {
            validate::tenant_name(name).map_err(|fault| faulty(&format!("the name '{name}'"), fault))?;
        }
        write(session, &book, scope, "Changed", |old_name, old_settings, _| {
            if let Some(name) = name {
                name.clone_into(old_name);
            }
            *old_settings = settings;
        })
        .await
    })
}

/// What is named, if it isn't deleted.
fn living(book: &Book, matches: &ArgMatches) -> Result<Scope, Failure> {
    let named = text(matches, "tenant").unwrap_or_default();
    let scope = book.tenant(named)?;
    let state = match &scope {
        Scope::Organization(one) => one.status,
        Scope::Project(one) => one.status,
        Scope::Credential(one) => one.status,
    };
    match state {
        Status::Deleted => Err(Failure::Tenancy(format!("'{named}' is deleted, which is for ever"))),
        _ => Ok(scope),
    }
}

fn set_status(matches: &ArgMatches, to: Status) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let scope = living(&book, matches)?;
        let done = match to {
            Status::Active => "Enabled",
            Status::Disabled => "Disabled",
            Status::Deleted => {
                let name = book.name(scope.id());
                let keys = list::keys_of(&book, &scope);
                let question = format!("Delete {name} for ever, with {keys} keys and logins?");
                confirm(matches, &question, false)?;
                "Deleted"
            }
        };
        write(session, &book, scope, done, |_, _, status| *status = to).await
    })
}

/// Changes an organization or a project, and says so.
async fn write(
    session: &Session,
    book: &Book,
    scope: Scope,
    done: &str,
    change: impl FnOnce(&mut String, &mut Settings, &mut Status),
) -> Result<(), Failure> {
    let (store, actor) = (&session.store, &session.actor);
    let name = book.name(scope.id());
    let written = match scope {
        Scope::Organization(old) => {
            let mut new: Organization = old.clone();
            change(&mut new.name, &mut new.settings, &mut new.status);
            Scope::Organization(store.update_organization(actor, &old, new).await?)
        }
        Scope::Project(old) => {
            let mut new: Project = old.clone();
            change(&mut new.name, &mut new.settings, &mut new.status);
            Scope::Project(store.update_project(actor, &old, new).await?)
        }
        credential @ Scope::Credential(_) => credential,
    };
    session.print(&view(book, &written), || format!("{done} {name} ({}).\n", written.id()))
}
