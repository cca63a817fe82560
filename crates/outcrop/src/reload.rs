//! Takes over changes of the settings while serving: after SIGHUP, or when a file has changed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::access;
use crate::serve::Reload;
use crate::settings::{Given, Loaded, Settings, config_file, load};
use crate::signals::Hangup;

/// How often the files are looked at. Their content is: a ConfigMap changes the folder that a link points to, which tells
/// no one.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long a file that changed must stay the same before it is read: whoever writes it may not be done.
const SETTLING: Duration = Duration::from_millis(100);

/// Settings that only count at the start.
const FROM_THE_START: &[&str] = &[
    "listen",
    "simulate",
    "max_connections",
    "kept_files_limit",
    "log",
    "log_format",
    "simulator_pace",
    "simulator_scenario",
    "watch_config",
    "database",
    "state_dir",
    "key_secret",
];

/// The settings that are in force, and what they were read from.
pub(crate) struct Watch {
    given: Given,
    loaded: Loaded,
    content: Content,
    hangup: Hangup,
}

/// What is in the files: the settings, and the catalogue that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content(Vec<Option<Vec<u8>>>);

impl Watch {
    /// Watches from now on; `content` is what `loaded` was read from.
    pub(crate) fn new(given: Given, loaded: Loaded, content: Content, hangup: Hangup) -> Self {
        Self {
            given,
            loaded,
            content,
            hangup,
        }
    }

    /// Goes on for as long as it is polled.
    pub(crate) async fn run(mut self, reload: Reload) {
        loop {
            let watches = self.loaded.settings.watch_config;
            tokio::select! {
                () = self.hangup.next() => {
                    self.content = self.read().await;
                    self.reload(&reload).await;
                }
                () = tokio::time::sleep(INTERVAL), if watches => {
                    if self.has_changed().await {
                        self.reload(&reload).await;
                    }
                }
            }
        }
    }

    /// Whether the files hold something new, and are whole.
    async fn has_changed(&mut self) -> bool {
        let mut content = self.read().await;
        if content == self.content {
            return false;
        }
        loop {
            tokio::time::sleep(SETTLING).await;
            let later = self.read().await;
            if later == content {
                break;
            }
            content = later;
        }
        // A file that is gone is about to be replaced, or a mistake: nobody wants the defaults for it.
        if content.lacks_what_was_in(&self.content) || content == self.content {
            return false;
        }
        self.content = content;
        true
    }

    async fn read(&self) -> Content {
        let files = files(&self.given, &self.loaded.settings);
        let last = self.content.clone();
        // A file may stand on a disk that doesn't answer.
        let read = tokio::task::spawn_blocking(move || Content::read(&files));
        read.await.unwrap_or(last)
    }

    async fn reload(&mut self, reload: &Reload) {
        let mut loaded = match load(&self.given) {
            Ok(loaded) => loaded,
            Err(problems) => {
                tracing::error!(%problems, "the settings are not valid; those from before stay in force");
                return;
            }
        };
        if let (Some(file), None) = (&self.loaded.file, &loaded.file) {
            // Without one, all would be as it is by default, and nobody would need a key.
            tracing::error!(file = %file.display(), "the settings file is gone; those from before stay in force");
            return;
        }
        loaded.warn();
        let late = self.changed_too_late(&loaded);
        if !late.is_empty() {
            tracing::warn!(settings = late.join(", "), "these settings only count after a restart");
        }
        keep_from_the_start(&mut loaded.settings, &self.loaded.settings);
        if let Err(exposed) = access::check(&loaded.settings, reload.has_credentials()) {
            tracing::error!(%exposed, "the settings are refused; those from before stay in force");
            return;
        }
        match reload.run(&loaded.settings).await {
            Ok(()) => {
                tracing::info!("the settings were read again; they hold for requests that begin now");
                loaded.settings.tables.tell();
                let before = files(&self.given, &self.loaded.settings);
                self.loaded = loaded;
                if files(&self.given, &self.loaded.settings) != before {
                    self.content = self.read().await;
                }
            }
            Err(error) => tracing::error!(%error, "the settings are refused; those from before stay in force"),
        }
    }

    fn changed_too_late(&self, loaded: &Loaded) -> Vec<&'static str> {
        let shown = |loaded: &Loaded, name: &str| {
            let row = loaded.effective.iter().find(|row| row.setting.name == name);
            row.and_then(|row| row.shown.clone())
        };
        let mut names = FROM_THE_START.to_vec();
        names.retain(|name| shown(loaded, name) != shown(&self.loaded, name));
        names
    }
}

/// What other parts look at must be what is really in force.
fn keep_from_the_start(settings: &mut Settings, old: &Settings) {
    settings.listen = old.listen;
    settings.simulate = old.simulate;
    settings.watch_config = old.watch_config;
    settings.database = old.database.clone();
    settings.state_dir.clone_from(&old.state_dir);
    settings.key_secret.clone_from(&old.key_secret);
}

fn files(given: &Given, settings: &Settings) -> Vec<PathBuf> {
    std::iter::once(config_file(given).0)
        .chain(settings.catalogue.clone())
        .collect()
}

impl Content {
    /// What is there now.
    pub(crate) fn of(given: &Given, settings: &Settings) -> Self {
        Self::read(&files(given, settings))
    }

    fn read(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|path| fs::read(path).ok()).collect())
    }

    fn lacks_what_was_in(&self, before: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&before.0);
        pairs.any(|(now, before)| now.is_none() && before.is_some())
    }
}
