//! `outcrop serve`.

use std::io::{self, Write};

use clap::ArgMatches;
use outcrop_routing::RouteTarget;
use outcrop_server::resolve::{Asked, Directory, resolve};

use super::{DEFAULT_MODEL, block_on};
use crate::banner::{Models, banner};
use crate::failure::Failure;
use crate::notify::{READY, STOPPING, notify};
use crate::reload::{Content, Watch};
use crate::serve::start;
use crate::settings::{Settings, load, name_rules};
use crate::signals::{Hangup, Signals};
use crate::{cli, log};

/// Serves until a signal, then lets streams end.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let given = cli::given(matches);
    let loaded = load(&given)?;
    let settings = &loaded.settings;
    // Starting may take a while, and what changes meanwhile is a change.
    let content = Content::of(&given, settings);
    let _log = log::init(&settings.log, settings.log_format);
    raise_file_limit();
    loaded.warn();

    block_on(async move {
        let settings = &loaded.settings;
        let mut signals = Signals::new().map_err(Failure::Runtime)?;
        let hangup = Hangup::new().map_err(Failure::Runtime)?;
        // A database that doesn't answer may hold it up for long.
        let mut running = tokio::select! {
            started = start(settings) => started?,
            () = signals.next() => {
                tracing::info!("told to stop before it served");
                return Ok(());
            }
        };
        let models = if settings.simulate {
            Models::Simulated
        } else {
            Models::Aws(running.region.clone())
        };
        // A gateway serves also if no one reads its banner.
        let _ = write!(
            io::stdout(),
            "{}",
            banner(
                &running.base_url,
                running.access,
                &models,
                running.api_key.as_deref(),
                example(settings, running.region.as_deref()),
            )
        );
        settings.tables.tell();
        notify(READY);
        let reload = running.reload.take();
        let watching = async {
            match reload {
                Some(reload) => Watch::new(given, loaded, content, hangup).run(reload).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = running.wait() => return ended.map_err(Failure::Stopped),
            () = signals.next() => {}
            () = watching => {}
        }
        notify(STOPPING);
        tracing::info!("stopping; a second signal ends it at once, with all that is open");
        tokio::select! {
            () = running.stop() => {}
            () = signals.next() => tracing::warn!("ended by a second signal; what was open is cut off"),
        }
        Ok(())
    })
}

/// A model to try: the first that the operator has named and that chats.
fn example<'s>(settings: &'s Settings, region: Option<&str>) -> &'s str {
    let rules = name_rules(settings);
    let catalogue = &settings.models;
    let chats = |name: &str, target: &RouteTarget| {
        let asked = Asked {
            name: target.model.as_deref().unwrap_or(name),
            ..Asked::default()
        };
        let directory = Directory {
            rules: &rules,
            region: target.region.as_deref().or(region),
            ..Directory::offline(catalogue)
        };
        let base_id = resolve(&asked, &directory).ok().and_then(|target| target.base_id);
        let capabilities = base_id.and_then(|base_id| catalogue.capabilities(&base_id));
        capabilities.is_some_and(|capabilities| capabilities.chat)
    };
    let routes = settings.tables.routes.iter().map(|table| &table.route);
    let mut named = routes.filter(|route| !route.is_pattern() && !route.name.contains('\''));
    let found = named.find(|route| route.targets.iter().any(|target| chats(&route.name, target)));
    found.map_or(DEFAULT_MODEL, |route| &route.name)
}

/// Each stream holds two files, three with the simulator, and shells give a program a thousand.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
