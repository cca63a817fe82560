//! The commands, a file for each.

mod admins;
mod audit;
mod budget;
mod chat;
mod completions;
mod config;
mod count_tokens;
mod explain;
mod health;
mod iam_policy;
mod keys;
mod logins;
mod models;
mod prices;
mod serve;
mod simulate;
mod tenancy;
mod tenants;
mod token;
mod usage;

pub(crate) use iam_policy::feature_names;

use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::ArgMatches;
use tokio::runtime;
use tracing_appender::non_blocking::WorkerGuard;

use crate::cli;
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::log;
use crate::serve::{Running, start};
use crate::settings::{self, BaseUrl, Database, Emf, Kind, LogFilter};

/// The model that the banner shows and that `outcrop chat` asks unless told otherwise.
pub(crate) const DEFAULT_MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Runs the command that was given.
///
/// # Errors
/// Whatever keeps it from doing its work.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("simulate", matches)) => simulate::run(matches),
        Some(("chat", matches)) => chat::run(matches),
        Some(("models", matches)) => models::run(matches),
        Some(("prices", matches)) => prices::run(matches),
        Some(("count-tokens", matches)) => count_tokens::run(matches),
        Some(("explain", matches)) => explain::run(matches),
        Some(("iam-policy", matches)) => iam_policy::run(matches),
        Some(("config", matches)) => config::run(matches),
        Some(("health", matches)) => health::run(matches),
        Some(("token", matches)) => token::run(matches),
        Some(("keys", matches)) => keys::run(matches),
        Some(("logins", matches)) => logins::run(matches),
        Some(("tenants", matches)) => tenants::run(matches),
        Some(("budget", matches)) => budget::run(matches),
        Some(("usage", matches)) => usage::run(matches),
        Some(("audit", matches)) => audit::run(matches),
        Some(("admins", matches)) => admins::run(matches),
        Some(("completions", matches)) => completions::completions(matches),
        Some(("man", matches)) => completions::man(matches),
        // The command line requires a command and knows no other.
        _ => Ok(()),
    }
}

/// Runs a command that waits. Leaves at its end without waiting for what can't be interrupted, such as a name lookup.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// Does something with a gateway: the one that is named, else one that runs for as long as this takes.
async fn with_gateway<T>(
    matches: &ArgMatches,
    work: impl AsyncFnOnce(Client) -> Result<T, ClientError>,
) -> Result<T, Failure> {
    match named_gateway(matches)? {
        Some(client) => Ok(work(client).await?),
        None => {
            let (running, _log) = start_own(matches).await?;
            let base_url = BaseUrl::from_text(&running.base_url).map_err(|_| ClientError::BaseUrl("the gateway"))?;
            let client = Client::new(base_url, running.api_key.as_deref())?;
            let result = work(client).await;
            running.stop().await;
            Ok(result?)
        }
    }
}

/// From the flags, else from the variables that OpenAI's own clients read.
fn named_gateway(matches: &ArgMatches) -> Result<Option<Client>, ClientError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (text, origin) = match matches.get_one::<String>("base_url") {
        Some(text) => (text.clone(), "--base-url"),
        None if cli::wants_own_gateway(matches) => return Ok(None),
        None => match variable("OPENAI_BASE_URL") {
            Some(text) => (text, "OPENAI_BASE_URL"),
            None => return Ok(None),
        },
    };
    let base_url = BaseUrl::from_text(&text).map_err(|_| ClientError::BaseUrl(origin))?;
    let key = matches
        .get_one::<String>("api_key")
        .cloned()
        .or_else(|| variable("OPENAI_API_KEY"));
    Client::new(base_url, key.as_deref()).map(Some)
}

/// A gateway on a free port of this machine. It is quiet unless the user asked for its log.
async fn start_own(matches: &ArgMatches) -> Result<(Running, WorkerGuard), Failure> {
    let mut loaded = settings::load(&cli::given(matches))?;
    if loaded.is_default("log") {
        loaded.settings.log = LogFilter::quiet();
    }
    let log = log::init(&loaded.settings.log, loaded.settings.log_format);
    loaded.warn();
    loaded.settings.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // What one command asks is nobody's usage.
    loaded.settings.database = Database::Nowhere;
    // Nor are its metrics anybody's: stdout is the command's own, and locked while it writes its answer, and the address
    // may be that of a gateway that runs.
    loaded.settings.emf = Emf::Off;
    loaded.settings.metrics_listen = None;
    // No balancer has to notice that it ends.
    loaded.settings.shutdown_delay = Duration::ZERO;
    Ok((start(&loaded.settings).await?, log))
}

/// Prints what was asked for.
fn print_page(page: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(page.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Failure::Output)
}

/// Tells what is odd with the settings, of a command that has no log.
fn complain(warnings: &[String]) {
    for warning in warnings {
        let _ = writeln!(io::stderr(), "warning: {warning}");
    }
}
