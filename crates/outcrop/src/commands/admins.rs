//! `outcrop admins`: keys for the admin API.

use clap::ArgMatches;
use outcrop_store::{NewAdminKey, Page};
use outcrop_tenants::{AdminKey, Role, Status, Token, TokenKind, validate};
use serde_json::Value;

use super::models::table::table;
use super::tenancy::{
    Book, Session, admin_key_view, confirm, ending, ends, expiry, faulty, list_view, status, text, with_session,
};
use crate::failure::Failure;
use crate::settings::nearest;

/// Runs one of them.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("create", matches)) => create(matches),
        Some(("list", matches)) => list(matches),
        Some(("revoke", matches)) => revoke(matches),
        _ => Ok(()),
    }
}

fn create(matches: &ArgMatches) -> Result<(), Failure> {
    let word = text(matches, "role").unwrap_or_default();
    let role: Role = serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|_| Failure::Tenancy(format!("there is no role '{word}'")))?;
    let name = text(matches, "name").unwrap_or(word).to_owned();
    validate::name(&name).map_err(|fault| faulty(&format!("the name '{name}'"), fault))?;
    with_session(matches, async |session| {
        let expires_at = ends(matches, session.now)?;
        let organization_id = match text(matches, "organization") {
            Some(named) => Some(Book::read(session).await?.organization(named)?.id.clone()),
            None => None,
        };
        let (token, pepper) = session.new_token(TokenKind::Admin).await?;
        let new = NewAdminKey {
            name,
            prefix: token.prefix().to_owned(),
            hash: pepper.hash(&token),
            role,
            organization_id,
            expires_at,
        };
        let made = session.store.create_admin_key(&session.actor, new).await?;
        let told = format!(
            "Made the admin key '{}' ({}) with the role {word}. {}",
            made.name,
            made.id,
            ending(made.expires_at)
        );
        session.hand_over(matches, &token, admin_key_view(&made), &told)
    })
}

async fn all(session: &Session, with_deleted: bool) -> Result<Vec<AdminKey>, Failure> {
    let mut page = Page {
        limit: 1000,
        after: None,
        with_deleted,
    };
    let mut all = Vec::new();
    loop {
        let part = session.store.admin_keys(&page).await?;
        all.extend(part.items);
        page.after = part.next;
        if page.after.is_none() {
            return Ok(all);
        }
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Viewer => "viewer",
        Role::Billing => "billing",
    }
}

fn list(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let keys = all(session, matches.get_flag("all")).await?;
        let book = Book::read(session).await?;
        session.print(&list_view(keys.iter().map(admin_key_view).collect()), || {
            if keys.is_empty() {
                return "There are no admin keys. Make one with: outcrop admins create --role owner\n".to_owned();
            }
            let head = ["ID", "BEGINS WITH", "NAME", "ROLE", "ORGANIZATION", "STATUS", "EXPIRES"];
            let rows = keys.iter().map(|key| {
                let organization = key.organization_id.as_deref().map(|id| book.organization_name(id));
                [
                    key.id.clone(),
                    key.prefix.clone(),
                    key.name.clone(),
                    word(key.role).to_owned(),
                    organization.unwrap_or_else(|| "all".to_owned()),
                    status(key.status, key.expires_at, session.now).to_owned(),
                    expiry(key.expires_at),
                ]
            });
            let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
            table(&rows, "")
        })
    })
}

fn revoke(matches: &ArgMatches) -> Result<(), Failure> {
    with_session(matches, async |session| {
        let known = all(session, true).await?;
        let named = matches.get_many::<String>("id").into_iter().flatten();
        let keys: Vec<&AdminKey> = named.map(|named| find(&known, named)).collect::<Result<_, _>>()?;
        let names: Vec<String> = keys.iter().map(|key| format!("'{}' ({})", key.name, key.id)).collect();
        confirm(matches, &format!("Revoke {} for ever?", names.join(", ")), true)?;
        let (mut views, mut lines) = (Vec::new(), String::new());
        for old in keys {
            let mut key = old.clone();
            if old.status == Status::Deleted {
                lines += &format!("The admin key '{}' ({}) is revoked already.\n", key.name, key.id);
            } else {
                key.status = Status::Deleted;
                key = session.store.update_admin_key(&session.actor, old, key).await?;
                lines += &format!("Revoked the admin key '{}' ({}).\n", key.name, key.id);
            }
            views.push(admin_key_view(&key));
        }
        session.print(&list_view(views), || lines)
    })
}

fn find<'a>(known: &'a [AdminKey], named: &str) -> Result<&'a AdminKey, Failure> {
    let token = Token::parse(named).ok();
    let asked = token.as_ref().map_or(named, Token::prefix);
    let found = known.iter().find(|key| key.id == asked || key.prefix == asked);
    found.ok_or_else(|| {
        let names = known.iter().flat_map(|key| [key.id.clone(), key.prefix.clone()]);
        let hint = nearest(asked, names).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        Failure::Tenancy(format!("there is no admin key '{asked}'{hint}"))
    })
}
