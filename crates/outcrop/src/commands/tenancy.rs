//! What the commands for tenants, keys and usage have in common: the database, names in it, what is said of settings, and
//! how all of it is shown.

mod book;
mod said;
mod show;
mod view;

use std::io::{self, IsTerminal, Write};

use clap::ArgMatches;
use outcrop_store::{Actor, Location, Store};
use outcrop_tenants::validate::Fault;
use outcrop_tenants::{Pepper, Token, TokenKind};
use outcrop_upstream::Config;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;

use super::{block_on, complain, print_page};
use crate::cli::words::{Moment, now};
use crate::failure::Failure;
use crate::secrets::SecretError;
use crate::serve::name_region;
use crate::settings::{LogFilter, Settings, load};
use crate::terminal::{clean, stdout_is_terminal};
use crate::{cli, configs, database, log};

pub(super) use self::book::{Book, Scope};
pub(super) use self::said::{put_budget, settings};
pub(super) use self::show::{align_right, bar, dollars, ending, expiry, facts, moment, or_dash, status, summary};
pub(super) use self::view::{
    admin_key as admin_key_view, audit_entry as audit_view, credential as credential_view, list as list_view,
    organization as organization_view, project as project_view,
};

/// The database, for as long as a command takes.
pub(super) struct Session {
    pub(super) store: Store,
    pub(super) location: Location,
    /// Who does it, for the audit log.
    pub(super) actor: Actor,
    /// Seconds since 1970.
    pub(super) now: i64,
    as_json: bool,
    settings: Settings,
    config: Config,
}

/// Does something with the database.
pub(super) fn with_session<T>(
    matches: &ArgMatches,
    work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut loaded = load(&cli::given(matches))?;
    if loaded.is_default("log") {
        loaded.settings.log = LogFilter::quiet();
    }
    let _log = log::init(&loaded.settings.log, loaded.settings.log_format);
    complain(&loaded.warnings);
    block_on(async {
        let settings = loaded.settings;
        let mut config = configs::upstream_config(&settings);
        if !settings.simulate {
            name_region(&mut config, &settings).await;
        }
        let (store, location) = database::open_kept(&settings, &config).await?;
        let session = Session {
            store,
            location,
            actor: actor(),
            now: now(),
            as_json: matches.get_flag("json") || (!stdout_is_terminal() && !matches.get_flag("table")),
            settings,
            config,
        };
        let result = work(&session).await;
        session.store.close().await;
        result
    })
}

/// Whoever is at the keyboard, as the system calls them.
fn actor() -> Actor {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    Actor {
        name: format!("cli:{}", user.as_deref().unwrap_or("unknown")),
        address: String::new(),
    }
}

impl Session {
    /// Prints JSON, or what people read.
    pub(super) fn print(&self, json: &Value, page: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.as_json {
            print_page(&format!("{json:#}\n"))
        } else {
            print_page(&page())
        }
    }

    /// Whether the settings that this command sees have an issuer of tokens.
    pub(super) fn knows_issuer(&self, url: &str) -> bool {
        let issuers = &self.settings.tables.issuers;
        issuers.iter().any(|table| table.issuer.issuer == url)
    }

    /// A new key, and the secret that it is kept by.
    pub(super) async fn new_token(&self, kind: TokenKind) -> Result<(Token, Pepper), Failure> {
        let mut random = [0; Token::RANDOM_BYTES];
        let no_random = |_| Failure::Tenancy("the system gives no random bytes, so no key can be made".to_owned());
        SystemRandom::new().fill(&mut random).map_err(no_random)?;
        let secret = database::key_secret(&self.settings, &self.config).await;
        let secret = match secret.map_err(|error: SecretError| Failure::Database(error.into()))? {
            Some(secret) => secret.into_bytes(),
            None => self.store.pepper().await?,
        };
        let pepper = Pepper::new(&secret)
            .ok_or_else(|| Failure::Tenancy("the secret that keys are hashed with is too short".to_owned()))?;
        Ok((Token::new(kind, &random), pepper))
    }

    /// Prints a key, which is shown but once: alone, so that a script can have it. `told` is for people.
    pub(super) fn hand_over(
        &self,
        matches: &ArgMatches,
        token: &Token,
        mut view: Value,
        told: &str,
    ) -> Result<(), Failure> {
        if matches.get_flag("json") {
            view["key"] = token.reveal().into();
            return print_page(&format!("{view:#}\n"));
        }
        note(told);
        note(&format!(
            "It is kept in {} as a hash: this is the only time that it is shown.",
            self.location
        ));
        print_page(&format!("{}\n", token.reveal()))
    }
}

/// Tells people something that is no answer.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", clean(text));
}

/// Asks on a terminal. Elsewhere there is nobody to ask: `unasked` says what is meant then.
///
/// # Errors
/// If the answer is no.
pub(super) fn confirm(matches: &ArgMatches, question: &str, unasked: bool) -> Result<(), Failure> {
    if matches.get_flag("yes") {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let hint = || Failure::Tenancy(format!("{} Say --yes to do it.", question.replace('?', ".")));
        return if unasked { Ok(()) } else { Err(hint()) };
    }
    let _ = write!(io::stderr(), "{} [y/N] ", clean(question));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(Failure::Tenancy("nothing was done".to_owned())),
    }
}

/// When something is to end: later than now.
pub(super) fn ends(matches: &ArgMatches, now: i64) -> Result<Option<i64>, Failure> {
    let Some(said) = matches.get_one::<Moment>("expires") else {
        return Ok(None);
    };
    match said.later(now) {
        Some(end) if end <= now => Err(Failure::Tenancy(format!(
            "--expires: {} has passed; name a later time, such as 90d",
            moment(end)
        ))),
        end => Ok(end),
    }
}

/// What is wrong with something that was said.
pub(super) fn faulty(what: &str, fault: Fault) -> Failure {
    match fault.path.as_str() {
        "" => Failure::Tenancy(format!("{what} {}", fault.message)),
        _ => Failure::Tenancy(format!("{what}: {fault}")),
    }
}

/// A flag's text.
pub(super) fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.get_one::<String>(id).map(String::as_str)
}
