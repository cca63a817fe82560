//! The regions that one simulator plays: its own, and others where it is set up so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Uri};

use crate::Config;
use crate::exchange::Shared;
use crate::world::World;

/// More regions than AWS has.
const MAX_REGIONS: usize = 64;

/// The regions that were called.
pub(crate) struct Regions {
    config: Config,
    home: Arc<Shared>,
    others: Mutex<HashMap<String, Arc<Shared>>>,
}

impl Regions {
    pub(crate) fn new(config: Config) -> Regions {
        let scenario = config.scenario.clone().unwrap_or_default();
        let config = Config {
            other_regions: config.other_regions || scenario.other_regions,
            ..config
        };
        Regions {
            home: Arc::new(Shared::new(
                config.clone(),
                Arc::default(),
                Arc::new(World::new(&scenario)),
            )),
            config,
            others: Mutex::default(),
        }
    }

    /// What plays the region that a request is for: that of its signature, or, where it has an API key, that of the key
    /// or of the host. Whether it is signed well is checked there.
    pub(crate) fn of(&self, uri: &Uri, headers: &HeaderMap) -> Arc<Shared> {
        let named = region(headers)
            .or_else(|| of_key(headers, &self.config))
            .or_else(|| of_host(uri, headers));
        let named = named.filter(|region| self.config.other_regions && *region != self.config.region);
        let Some(region) = named else {
            return Arc::clone(&self.home);
        };
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = others.get(region) {
            return Arc::clone(shared);
        }
        if others.len() >= MAX_REGIONS {
            return Arc::clone(&self.home);
        }
        let config = Config {
            region: region.to_owned(),
            ..self.config.clone()
        };
        let shared = Arc::new(Shared::new(
            config,
            Arc::clone(&self.home.state),
            Arc::clone(&self.home.world),
        ));
        others.insert(region.to_owned(), Arc::clone(&shared));
        shared
    }
}

/// The region in the scope of a signature, if it has the form of one: `us-east-1`.
fn region(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = authorization.split_once("Credential=")?;
    let region = scope.split('/').nth(2)?;
    has_form(region).then_some(region)
}

/// The region at the end of an API key that is known without it: `bedrock-api-key-simulator-eu-west-1`.
fn of_key<'a>(headers: &'a HeaderMap, config: &Config) -> Option<&'a str> {
    let key = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")?
        .trim();
    let foreign = config.foreign_api_keys.iter().map(|(key, _)| key);
    let regions = config.api_keys.iter().chain(foreign).filter_map(|known| {
        let region = key.strip_prefix(known.as_str())?.strip_prefix('-')?;
        has_form(region).then_some(region)
    });
    // The longest key that fits: what is left is the shortest.
    regions.min_by_key(|region| region.len())
}

/// The region in a host such as `bedrock-runtime.eu-west-1.amazonaws.com`.
fn of_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let mut labels = host.or_else(|| uri.host())?.split('.');
    let region = labels.by_ref().nth(1)?;
    has_form(region).then_some(region)
}

fn has_form(region: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let numbered = region.ends_with(|last: char| last.is_ascii_digit());
    numbered && region.len() <= 20 && region.matches('-').count() >= 2 && region.bytes().all(is_word)
}
