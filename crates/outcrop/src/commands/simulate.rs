//! `outcrop simulate`.

use std::io::{self, Write};

use clap::ArgMatches;

use super::block_on;
use crate::banner::simulator_banner;
use crate::failure::Failure;
use crate::serve::{SIMULATED_REGION, start_simulator};
use crate::settings::load;
use crate::signals::Signals;
use crate::{cli, log};

/// Serves the simulator until a signal.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    let settings = &loaded.settings;
    let _log = log::init(&settings.log, settings.log_format);
    loaded.warn();

    block_on(async {
        let mut signals = Signals::new().map_err(Failure::Runtime)?;
        let mut running = start_simulator(settings).await?;
        let region = running.region.as_deref().unwrap_or(SIMULATED_REGION);
        let _ = write!(io::stdout(), "{}", simulator_banner(&running.base_url, region));
        tokio::select! {
            ended = running.wait() => ended.map_err(Failure::Stopped),
            () = signals.next() => {
                running.stop().await;
                Ok(())
            }
        }
    })
}
