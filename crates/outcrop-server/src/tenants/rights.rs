//! What a key may ask for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use outcrop_tenants::Settings;
use outcrop_translate::resolve::{NamePattern, Target};

use crate::fetch::Network;

/// What an organization, a project and a key allow together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    /// How many of the three were added.
    levels: usize,
    /// For each of the three that says which, with its place among them: one of them must fit.
    models: Vec<(usize, Vec<NamePattern>)>,
    /// By which of the three a name of a model was given.
    given: BTreeMap<String, usize>,
    /// None of these may fit.
    denied_models: Vec<NamePattern>,
    endpoints: Vec<Vec<NamePattern>>,
    networks: Vec<Vec<Network>>,
}

impl Rights {
    /// Adds what one of the three says. What can't be read allows nothing: it was checked when it was written, so this
    /// is what a later version has written.
    pub(super) fn add(&mut self, settings: &Settings) {
        let level = self.levels;
        self.levels += 1;
        self.given
            .extend(settings.aliases.keys().map(|name| (name.clone(), level)));
        if let Some(models) = &settings.allowed_models {
            self.models.push((level, read(models)));
        }
        for text in &settings.denied_models {
            match text.parse() {
                Ok(pattern) => self.denied_models.push(pattern),
                Err(_) => {
                    tracing::warn!(text, "a denied model can't be read; all models are denied");
                    self.models.push((level, Vec::new()));
                }
            }
        }
        if let Some(endpoints) = &settings.allowed_endpoints {
            self.endpoints.push(read(endpoints));
        }
        if let Some(networks) = &settings.allowed_networks {
            self.networks.push(read(networks));
        }
    }

    /// Whether it matters which model is behind a name.
    pub(crate) fn restricts_models(&self) -> bool {
        !self.models.is_empty() || !self.denied_models.is_empty()
    }

    /// Whether a model may be asked that has these names, besides those that it was found by. Where nobody can tell
    /// what is behind a name, it may be one that is denied.
    pub(crate) fn allow_model(&self, target: &Target, others: &[&str]) -> bool {
        self.allow_names(target.names.iter().map(String::as_str), others, target.is_opaque)
    }

    /// The same for a model of which the names are known.
    pub(crate) fn allow_names<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
        others: &'a [&'a str],
        is_opaque: bool,
    ) -> bool {
        if !self.restricts_models() {
            return true;
        }
        let is_one = |pattern: &NamePattern| {
            names
                .clone()
                .chain(others.iter().copied())
                .any(|name| pattern.matches(name))
        };
        // Whoever says less than the organization may give names, but none by which it allows more than it meant.
        let counts = |name: &str, level| self.given.get(name).is_none_or(|given| *given <= level);
        let is_allowed = self.models.iter().all(|(level, patterns)| {
            let others = others.iter().copied().filter(|name| counts(name, *level));
            names
                .clone()
                .chain(others)
                .any(|name| patterns.iter().any(|pattern| pattern.matches(name)))
        });
        let may_be_denied = is_opaque && !self.denied_models.is_empty();
        is_allowed && !may_be_denied && !self.denied_models.iter().any(is_one)
    }

    /// Whether an endpoint may be called, by its path in the API's description.
    pub(crate) fn allow_endpoint(&self, path: impl FnOnce() -> String) -> bool {
        if self.endpoints.is_empty() {
            return true;
        }
        let path = path();
        let fits = |patterns: &Vec<NamePattern>| patterns.iter().any(|pattern| pattern.matches(&path));
        self.endpoints.iter().all(fits)
    }

    /// Whether calls may come from an address; if that isn't known, not where it matters.
    pub(crate) fn allow_address(&self, address: Option<IpAddr>) -> bool {
        self.networks.iter().all(|networks| {
            address.is_some_and(|address| networks.iter().any(|network| network.contains(address.to_canonical())))
        })
    }
}

/// Patterns, without those that can't be read.
fn read<T: std::str::FromStr>(texts: &[String]) -> Vec<T> {
    let mut read = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(pattern) => read.push(pattern),
            Err(_) => tracing::warn!(text, "a restriction of a key can't be read; it allows nothing"),
        }
    }
    read
}
