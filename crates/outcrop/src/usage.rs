//! Usage of the gateway: on its way to the database, and out of it when it is old.

use std::io;
use std::time::{Duration, SystemTime};

use outcrop_server::Meter;
use outcrop_store::Store;
use outcrop_store::journal::{Direct, Journal, JournalConfig};
use tokio::time::{MissedTickBehavior, interval};

use crate::database::state_dir;
use crate::settings::Settings;

/// How long the end of the gateway waits for the database to take what there still is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How often old records are taken out.
const FORGET: Duration = Duration::from_secs(24 * 60 * 60);

/// The folder of journals, below that for all that is kept on disk.
const FOLDER: &str = "journal";

/// Where records of usage go, and how long they stay.
pub(crate) fn start(settings: &Settings, store: Option<&Store>) -> Meter {
    let Some(store) = store else {
        return Meter::Off;
    };
    if !settings.usage_retention.is_zero() {
        tokio::spawn(forget(store.clone(), settings.usage_retention));
    }
    if store.is_in_memory() {
        return Meter::Memory(Direct::start(store.clone()));
    }
    match journal(settings, store) {
        Ok(journal) => Meter::Journal(journal),
        Err(error) => {
            tracing::warn!(
                %error,
                "there is no journal of usage: what isn't in the database yet is lost if the gateway is killed; `state_dir` \
                 says where it may be"
            );
            Meter::Memory(Direct::start(store.clone()))
        }
    }
}

fn journal(settings: &Settings, store: &Store) -> io::Result<Journal> {
    let folder = state_dir(settings).ok_or_else(|| io::Error::other("there is no place for it"))?;
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since_1970.unwrap_or_default().as_nanos();
    let config = JournalConfig {
        folder: folder.join(FOLDER),
        instance: format!("{nanos:x}-{}", std::process::id()),
        limit: settings.usage_journal_limit.bytes(),
    };
    Journal::start(config, store.clone())
}

/// Takes old records out, once a day.
async fn forget(store: Store, retention: Duration) {
    let mut times = interval(FORGET);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        let oldest = SystemTime::now()
            .checked_sub(retention)
            .and_then(|oldest| oldest.duration_since(SystemTime::UNIX_EPOCH).ok())
            .and_then(|oldest| i64::try_from(oldest.as_millis()).ok());
        // A retention from before 1970 keeps all there is.
        let Some(oldest) = oldest else { continue };
        match store.forget_usage(oldest).await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "old records of usage are taken out"),
            Err(error) => tracing::warn!(%error, "old records of usage could not be taken out"),
        }
    }
}
