//! Changes of keys and logins that there are.

use clap::ArgMatches;
use outcrop_tenants::{Credential, Status, validate};

use super::super::tenancy::{Book, confirm, credential_view, ends, faulty, list_view, settings, text, with_session};
use super::{Kind, check_name, find, find_living};
use crate::cli::words::Moment;
use crate::failure::Failure;

/// Changes one.
pub(in crate::commands) fn update(matches: &ArgMatches, of: Kind) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let old = find_living(&book, text(matches, "id").unwrap_or_default(), of)?;
        let mut new = old.clone();
        if let Some(name) = text(matches, "name") {
            check_name(of, name)?;
            name.clone_into(&mut new.name);
        }
        if let Some(user) = text(matches, "user") {
            if !user.is_empty() {
                validate::name(user).map_err(|fault| faulty(&format!("the user '{user}'"), fault))?;
            }
            new.user = Some(user.to_owned()).filter(|user| !user.is_empty());
        }
        if matches.get_one::<Moment>("expires").is_some() {
            new.expires_at = ends(matches, session.now)?;
        }
        new.settings = settings(matches, &old.settings)?;
        if new == *old {
            return Err(Failure::Tenancy(format!(
                "nothing is different: the {} is as it was; --help lists what can be changed",
                of.word()
            )));
        }
        let action = format!("{}.update", of.word());
        let new = session
            .store
            .update_credential(&session.actor, &action, old, new)
            .await?;
        session.print(&credential_view(&book, &new), || {
            format!("Changed the {} '{}' ({}).\n", of.word(), new.name, new.id)
        })
    })
}

/// Disables, enables or revokes some. All of them are found before any is changed.
pub(in crate::commands) fn set_status(matches: &ArgMatches, of: Kind, status: Status) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let named = matches.get_many::<String>("id").into_iter().flatten();
        let all: Vec<&Credential> = named
            .map(|named| match status {
                // What is revoked already may be so again.
                Status::Deleted => find(&book, named, of),
                _ => find_living(&book, named, of),
            })
            .collect::<Result<_, _>>()?;
        let (what, done) = match status {
            Status::Active => ("enable", "Enabled"),
            Status::Disabled => ("disable", "Disabled"),
            Status::Deleted => ("revoke", "Revoked"),
        };
        if status == Status::Deleted {
            let names: Vec<String> = all.iter().map(|one| format!("'{}' ({})", one.name, one.id)).collect();
            let question = format!("Revoke {} for ever?", names.join(", "));
            confirm(matches, &question, true)?;
        }
        let (mut views, mut lines) = (Vec::new(), String::new());
        for old in all {
            let mut new = old.clone();
            if old.status != status {
                new.status = status;
                let action = format!("{}.{what}", of.word());
                new = session
                    .store
                    .update_credential(&session.actor, &action, old, new)
                    .await?;
                lines += &format!("{done} the {} '{}' ({}).\n", of.word(), new.name, new.id);
            } else {
                let done = done.to_lowercase();
                lines += &format!("The {} '{}' ({}) is {done} already.\n", of.word(), new.name, new.id);
            }
            views.push(credential_view(&book, &new));
        }
        session.print(&list_view(views), || lines)
    })
}
