//! `outcrop serve`.

use std::io::{self, Write};

use clap::ArgMatches;

use super::block_on;
use crate::banner::{Models, banner};
use crate::failure::Failure;
use crate::serve::start;
use crate::settings::load;
use crate::signals::Signals;
use crate::{access, cli, log};

/// Serves until a signal, then lets streams end.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    let settings = &loaded.settings;
    let access = access::check(settings)?;
    let _log = log::init(&settings.log, settings.log_format);
    raise_file_limit();
    loaded.warn();

    block_on(async {
        let mut signals = Signals::new().map_err(Failure::Runtime)?;
        let mut running = start(settings).await?;
        let models = if settings.simulate {
            Models::Simulated
        } else {
            Models::Aws(running.region.clone())
        };
        // A gateway serves also if no one reads its banner.
        let _ = write!(
            io::stdout(),
            "{}",
            banner(&running.base_url, access, &models, running.api_key.as_deref())
        );
        tokio::select! {
            ended = running.wait() => return ended.map_err(Failure::Stopped),
            () = signals.next() => {}
        }
        tracing::info!("stopping; a second signal ends open streams at once");
        tokio::select! {
            () = running.stop() => {}
            () = signals.next() => {}
        }
        Ok(())
    })
}

/// Each stream holds two files, three with the simulator, and shells give a program a thousand.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
