//! Keys and logins, as they are listed and shown.

use std::collections::HashMap;

use clap::ArgMatches;
use outcrop_store::SpendScope;
use outcrop_tenants::{Credential, CredentialKind, Money, Period};
use serde_json::json;

use super::super::models::table::table;
use super::super::tenancy::{
    Book, align_right, credential_view, dollars, expiry, facts, list_view, moment, or_dash, status, summary, text,
    with_session,
};
use super::{Kind, find};
use crate::failure::Failure;

/// Lists them.
pub(in crate::commands) fn list(matches: &ArgMatches, of: Kind) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let project = text(matches, "project").map(|named| book.project(named)).transpose()?;
        let organization = text(matches, "organization")
            .map(|named| book.organization(named))
            .transpose()?;
        let all: Vec<&Credential> = book
            .credentials(matches.get_flag("all"))
            .filter(|one| Kind::of(one) == of)
            .filter(|one| project.is_none_or(|project| project.id == one.project_id))
            .filter(|one| {
                let own = || book.organization_of(&one.project_id).map(|own| &own.id);
                organization.is_none_or(|organization| own() == Some(&organization.id))
            })
            .collect();
        let totals = session.store.spend(session.now).await?;
        let spent: HashMap<&str, Money> = totals
            .iter()
            .filter(|total| total.scope == SpendScope::Key && total.period == Period::Month)
            .map(|total| (total.id.as_str(), total.spent))
            .collect();
        let spent = |one: &Credential| spent.get(one.id.as_str()).copied().unwrap_or_default();
        let views = all.iter().map(|one| {
            let mut view = credential_view(&book, one);
            view["spent_this_month_usd"] = json!(spent(one));
            view
        });
        session.print(&list_view(views.collect()), || {
            if all.is_empty() {
                let word = of.word();
                return format!("There are no {word}s. Make one with: outcrop {word}s create\n");
            }
            let head = [
                "ID",
                known_by(of),
                "NAME",
                "PROJECT",
                "USER",
                "STATUS",
                "EXPIRES",
                "THIS MONTH",
            ];
            let rows = all.iter().map(|one| {
                [
                    one.id.clone(),
                    shown(one),
                    one.name.clone(),
                    book.path(&one.project_id),
                    or_dash(one.user.as_deref().unwrap_or_default()),
                    status(one.status, one.expires_at, session.now).to_owned(),
                    expiry(one.expires_at),
                    dollars(spent(one)),
                ]
            });
            let mut rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
            align_right(&mut rows, &[7]);
            table(&rows, "")
        })
    })
}

fn known_by(of: Kind) -> &'static str {
    match of {
        Kind::Key => "BEGINS WITH",
        Kind::Login => "WHO",
    }
}

/// What may be shown of how it is known.
fn shown(credential: &Credential) -> String {
    match &credential.kind {
        CredentialKind::Key { prefix, .. } => prefix.clone(),
        CredentialKind::Iam { arn } => arn.clone(),
        CredentialKind::Jwt { issuer, claims } => {
            let claims = claims.iter().map(|(name, pattern)| format!("{name}={pattern}"));
            format!("{issuer} {}", claims.collect::<Vec<_>>().join(" "))
        }
    }
}

/// Shows one.
pub(in crate::commands) fn show(matches: &ArgMatches, of: Kind) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let one = find(&book, text(matches, "id").unwrap_or_default(), of)?;
        let totals = session.store.spend_of(SpendScope::Key, &one.id, session.now).await?;
        let mut view = credential_view(&book, one);
        for total in &totals {
            view["spent_usd"][total.period.name()] = json!(total.spent);
        }
        session.print(&view, || {
            let mut rows = vec![
                ("id", one.id.clone()),
                ("known by", shown(one)),
                ("name", one.name.clone()),
                ("project", book.path(&one.project_id)),
                ("user", one.user.clone().unwrap_or_default()),
                ("status", status(one.status, one.expires_at, session.now).to_owned()),
                ("expires", expiry(one.expires_at)),
                ("created", moment(one.created_at)),
                ("in the place of", one.rotated_from.clone().unwrap_or_default()),
            ];
            rows.extend(summary(&one.settings));
            rows.extend(totals.iter().map(|total| match total.period {
                Period::Day => ("spent today", dollars(total.spent)),
                Period::Week => ("spent this week", dollars(total.spent)),
                Period::Month => ("spent this month", dollars(total.spent)),
                Period::Total => ("spent in all", dollars(total.spent)),
            }));
            facts(rows)
        })
    })
}
