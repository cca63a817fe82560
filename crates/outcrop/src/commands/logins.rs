//! `outcrop logins`: who is let into projects without a key of ours.

use std::collections::BTreeMap;

use clap::ArgMatches;
use outcrop_tenants::{CredentialKind, Status, validate};

use super::keys::{Kind, list, make, set_status, show, update};
use super::tenancy::{Book, credential_view, ending, faulty, note, text, with_session};
use crate::failure::Failure;

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("create", matches)) => create(matches),
        Some(("list", matches)) => list(matches, Kind::Login),
        Some(("show", matches)) => show(matches, Kind::Login),
        Some(("update", matches)) => update(matches, Kind::Login),
        Some(("disable", matches)) => set_status(matches, Kind::Login, Status::Disabled),
        Some(("enable", matches)) => set_status(matches, Kind::Login, Status::Active),
        Some(("revoke", matches)) => set_status(matches, Kind::Login, Status::Deleted),
        _ => Ok(()),
    }
}

fn create(matches: &ArgMatches) -> Result<(), Failure> {
    let (kind, name) = whom(matches)?;
    with_session(matches, async |session| {
        let made = make(matches, session, Kind::Login, kind, &name).await?;
        let book = Book::read(session).await?;
        if let CredentialKind::Jwt { issuer, .. } = &made.kind
            && !session.knows_issuer(issuer)
        {
            note(&format!(
                "note: the settings here have no issuer {issuer}: its tokens are refused until the gateway's \
                 [[issuers]] name it"
            ));
        }
        session.print(&credential_view(&book, &made), || {
            format!(
                "Made the login '{}' ({}) of {}. {}\n",
                made.name,
                made.id,
                book.path(&made.project_id),
                ending(made.expires_at)
            )
        })
    })
}

/// Whom it lets in, and what it is called unless told.
fn whom(matches: &ArgMatches) -> Result<(CredentialKind, String), Failure> {
    if let Some(arn) = text(matches, "iam") {
        validate::iam_arn(arn).map_err(|fault| faulty(&format!("--iam '{arn}'"), fault))?;
        let name = arn.rsplit(':').next().unwrap_or(arn);
        return Ok((CredentialKind::Iam { arn: arn.to_owned() }, shortened(name)));
    }
    let issuer = text(matches, "issuer").unwrap_or_default().to_owned();
    let mut claims = BTreeMap::new();
    for (name, pattern) in matches.get_many::<(String, String)>("claim").into_iter().flatten() {
        if claims.insert(name.clone(), pattern.clone()).is_some() {
            return Err(Failure::Tenancy(format!(
                "--claim {name} is there twice; a token would have to fit both"
            )));
        }
    }
    validate::jwt(&issuer, &claims).map_err(|fault| faulty("the login", fault))?;
    let mut name = claims.iter().map(|(name, pattern)| format!("{name}={pattern}"));
    let name = shortened(&name.next().unwrap_or_default());
    Ok((CredentialKind::Jwt { issuer, claims }, name))
}

fn shortened(name: &str) -> String {
    let short: String = name.chars().filter(|letter| !letter.is_control()).take(100).collect();
    short.trim().to_owned()
}
