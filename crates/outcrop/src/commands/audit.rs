//! `outcrop audit`: who changed what.

use clap::ArgMatches;
use outcrop_store::Page;
use outcrop_tenants::AuditEntry;
use serde_json::Value;

use super::models::table::table;
use super::tenancy::{Book, audit_view, list_view, moment, text, with_session};
use crate::failure::Failure;

/// The longest that a line tells of a change.
const SHOWN: usize = 100;

/// Shows the audit log.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let object = text(matches, "object").map(|named| match book.scope(named) {
            Ok(scope) => scope.id().to_owned(),
            // An admin key, or what isn't known any more.
            Err(_) => named.to_owned(),
        });
        let page = Page {
            limit: matches.get_one::<u32>("limit").copied().unwrap_or(50),
            after: None,
            with_deleted: true,
        };
        let entries = session.store.audit_log(object.as_deref(), &page).await?.items;
        session.print(&list_view(entries.iter().map(audit_view).collect()), || {
            if entries.is_empty() {
                return match object {
                    Some(object) => format!("Nothing is told of '{object}'.\n"),
                    None => "Nothing was changed yet.\n".to_owned(),
                };
            }
            let head = ["TIME", "WHO", "FROM", "WHAT", "OF", "NAME", "DIFFERENCE"].map(str::to_owned);
            let rows = entries.iter().map(|entry| {
                let name = Some(book.name(&entry.object)).filter(|name| *name != entry.object);
                [
                    moment(entry.at),
                    entry.actor.clone(),
                    entry.address.clone(),
                    entry.action.clone(),
                    entry.object.clone(),
                    name.unwrap_or_default(),
                    difference(entry),
                ]
            });
            table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), "")
        })
    })
}

/// What became of what, shortened. What is new is told by its name.
fn difference(entry: &AuditEntry) -> String {
    if entry.action.ends_with(".create") {
        return String::new();
    }
    let mut parts = Vec::new();
    collect(&entry.detail, "", &mut parts);
    let text = parts.join(", ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn collect(detail: &Value, path: &str, parts: &mut Vec<String>) {
    let Some(members) = detail.as_object() else {
        parts.push(format!("{path}: {detail}"));
        return;
    };
    if let (2, Some(from), Some(to)) = (members.len(), members.get("from"), members.get("to")) {
        parts.push(format!("{path}: {from} → {to}"));
        return;
    }
    for (name, member) in members {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        collect(member, &path, parts);
    }
}
