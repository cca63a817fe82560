//! `outcrop keys`: keys of projects, in the database itself. Logins are of the same kind, and share most of it.

mod change;
mod list;

use clap::ArgMatches;
use outcrop_store::NewCredential;
use outcrop_tenants::{Credential, CredentialKind, Settings, Status, TokenKind, validate};

use super::tenancy::{Book, Session, credential_view, ending, ends, faulty, moment, settings, text, with_session};
use crate::failure::Failure;

pub(super) use self::change::{set_status, update};
pub(super) use self::list::{list, show};

/// Keys, or logins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Login,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Login => "login",
        }
    }

    fn of(credential: &Credential) -> Self {
        match credential.kind {
            CredentialKind::Key { .. } => Self::Key,
            _ => Self::Login,
        }
    }
}

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("create", matches)) => create(matches),
        Some(("list", matches)) => list(matches, Kind::Key),
        Some(("show", matches)) => show(matches, Kind::Key),
        Some(("update", matches)) => update(matches, Kind::Key),
        Some(("rotate", matches)) => rotate(matches),
        Some(("disable", matches)) => set_status(matches, Kind::Key, Status::Disabled),
        Some(("enable", matches)) => set_status(matches, Kind::Key, Status::Active),
        Some(("revoke", matches)) => set_status(matches, Kind::Key, Status::Deleted),
        _ => Ok(()),
    }
}

fn create(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let (token, pepper) = session.new_token(TokenKind::Client).await?;
        let kind = CredentialKind::Key {
            prefix: token.prefix().to_owned(),
            hash: pepper.hash(&token),
        };
        let made = make(matches, session, Kind::Key, kind, token.prefix()).await?;
        let book = Book::read(session).await?;
        let told = format!(
            "Made the key '{}' ({}) of {}. {}",
            made.name,
            made.id,
            book.path(&made.project_id),
            ending(made.expires_at)
        );
        session.hand_over(matches, &token, credential_view(&book, &made), &told)
    })
}

/// Makes a key or login of what flags say. All of it is checked before anything is made.
pub(super) async fn make(
    matches: &ArgMatches,
    session: &Session,
    of: Kind,
    kind: CredentialKind,
    default_name: &str,
) -> Result<Credential, Failure> {
    let name = text(matches, "name").unwrap_or(default_name).to_owned();
    check_name(of, &name)?;
    let user = text(matches, "user").map(ToOwned::to_owned);
    if let Some(user) = &user {
        validate::name(user).map_err(|fault| faulty(&format!("the user '{user}'"), fault))?;
    }
    let expires_at = ends(matches, session.now)?;
    let settings = settings(matches, &Settings::default())?;
    let book = Book::read(session).await?;
    let project = book
        .project_for(session, text(matches, "project"), matches.get_flag("create"))
        .await?;
    let new = NewCredential {
        project_id: project.id,
        name,
        kind,
        expires_at,
        settings,
        user,
    };
    Ok(session.store.create_credential(&session.actor, new).await?)
}

fn check_name(of: Kind, name: &str) -> Result<(), Failure> {
    validate::name(name).map_err(|fault| faulty(&format!("the {}'s name '{name}'", of.word()), fault))
}

/// A key or login that is named, if it is one of those.
pub(super) fn find<'a>(book: &'a Book, named: &str, of: Kind) -> Result<&'a Credential, Failure> {
    let found = book.credential(named)?;
    if Kind::of(found) == of {
        return Ok(found);
    }
    let other = Kind::of(found).word();
    Err(Failure::Tenancy(format!(
        "'{}' is a {other}: see outcrop {other}s",
        found.id
    )))
}

/// One that isn't revoked.
fn find_living<'a>(book: &'a Book, named: &str, of: Kind) -> Result<&'a Credential, Failure> {
    let found = find(book, named, of)?;
    if found.status == Status::Deleted {
        let word = of.word();
        return Err(Failure::Tenancy(format!(
            "the {word} '{}' is revoked, which is for ever; make another: outcrop {word}s create",
            found.id
        )));
    }
    Ok(found)
}

fn rotate(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let old = find_living(&book, text(matches, "id").unwrap_or_default(), Kind::Key)?;
        let expires_at = match matches.contains_id("expires") {
            true => ends(matches, session.now)?,
            false => old.expires_at,
        };
        if expires_at.is_some_and(|end| end <= session.now) {
            return Err(Failure::Tenancy(
                "the key has expired, and the new one would have, too: say --expires, such as --expires 90d".to_owned(),
            ));
        }
        let overlap = matches.get_one::<i64>("overlap").copied().unwrap_or_default();
        let until = session.now.saturating_add(overlap);
        let old_ends_at = old.expires_at.map_or(until, |end| end.min(until));
        let (token, pepper) = session.new_token(TokenKind::Client).await?;
        let new = NewCredential {
            project_id: old.project_id.clone(),
            name: old.name.clone(),
            kind: CredentialKind::Key {
                prefix: token.prefix().to_owned(),
                hash: pepper.hash(&token),
            },
            expires_at,
            settings: old.settings.clone(),
            user: old.user.clone(),
        };
        let (store, actor) = (&session.store, &session.actor);
        let made = store.rotate_credential(actor, old, old_ends_at, new).await?;
        let goes_on = match old_ends_at <= session.now {
            true => "The old one is refused from now on.".to_owned(),
            false => format!("The old one goes on until {}.", moment(old_ends_at)),
        };
        let told = format!("Made the key {} in the place of {}. {goes_on}", made.id, old.id);
        session.hand_over(matches, &token, credential_view(&book, &made), &told)
    })
}
