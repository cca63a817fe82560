//! Every key of LiteLLM's `config.yaml` that its documents name, and what becomes of it.
//!
//! Source: LiteLLM's pages "All settings", "Config.yaml", "Reliability", "Load balancing", "Caching" and "Bedrock", read
//! 2026-11.

mod entries;
mod general;
mod module;
mod router;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts, as this says.
    Taken(&'static str),
    /// It says nothing that matters here, for this reason.
    Needless(&'static str),
    /// It doesn't count, which may be missed: a warning at the start.
    Missed(&'static str),
}

/// A part of the file.
pub(crate) struct Section {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [(&'static str, Fate)],
}

#[cfg(test)]
use Fate::Taken;
use Fate::{Missed, Needless};

const NO_DATABASE: Fate =
    Missed("it is in our own database here: see `outcrop tenants`, `outcrop keys` and `outcrop budget`");
const NO_CALLBACKS: Fate = Missed("there are no callbacks; each request has a line in the log");
const NO_ALERTS: Fate = Missed("nobody is alerted; what goes wrong is in the log");
const NO_SPEND: Fate = Needless("usage is kept anyway, at the prices of the catalogue");
const OWN_LIMITS: Fate = Missed("tries are counted over all targets, by `max_attempts` and `retry_budget`");

/// All parts of the file.
pub(crate) const SECTIONS: &[Section] = &[
    entries::WHOLE,
    entries::ENTRY,
    entries::PARAMS,
    module::MODULE,
    module::CACHE,
    router::ROUTER,
    general::GENERAL,
];

/// What becomes of a key; `None` if nobody knows it.
pub(super) fn fate(section: &str, key: &str) -> Option<Fate> {
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    let (_, fate) = section.keys.iter().find(|(name, _)| *name == key)?;
    Some(*fate)
}

/// The names of a section's keys.
pub(super) fn names(section: &str) -> impl Iterator<Item = String> {
    let sections = SECTIONS.iter().filter(move |known| known.name == section);
    sections.flat_map(|section| section.keys.iter().map(|(name, _)| (*name).to_owned()))
}

/// The tables of all keys, in Markdown.
#[cfg(test)]
fn tables() -> String {
    let mut page = String::new();
    for section in SECTIONS {
        let head = match section.name {
            "" => "At the top".to_owned(),
            name => format!("`{name}`"),
        };
        page += &format!("\n### {head}\n\n| Key | Counts | How, or why not |\n|---|---|---|\n");
        for (name, fate) in section.keys {
            let (word, why) = match fate {
                Taken(how) => ("yes", how),
                Needless(why) => ("not needed", why),
                Missed(why) => ("**no**", why),
            };
            page += &format!("| `{name}` | {word} | {why} |\n");
        }
        if section.name == "litellm_params" {
            page += "| everything else | yes | a member of the target's `parameters`, such as `temperature`, `top_k`, \
                     `guardrailConfig` |\n";
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    /// Between these lines the page is written from the tables here.
    const MARKS: [&str; 2] = ["<!-- keys: begin -->\n", "<!-- keys: end -->\n"];

    #[test]
    fn keys_stand_once() {
        for section in SECTIONS {
            let names: BTreeSet<&str> = section.keys.iter().map(|(name, _)| *name).collect();
            assert_eq!(names.len(), section.keys.len(), "{}", section.name);
        }
    }

    #[test]
    fn the_page_on_migrating_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/migrating.md");
        let page = fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once(MARKS[0]).unwrap();
        let (written, tail) = rest.split_once(MARKS[1]).unwrap();
        let current = tables();
        if env::var_os("BLESS").is_some() {
            fs::write(&path, format!("{head}{}{current}\n{}{tail}", MARKS[0], MARKS[1])).unwrap();
            return;
        }
        assert!(
            written.trim() == current.trim(),
            "docs/migrating.md is out of date: run this test with BLESS=1"
        );
    }
}
