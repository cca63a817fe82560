//! The regions that one simulator plays: its own, and others where it is set up so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Config;
use crate::exchange::Shared;

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
        Regions {
            home: Arc::new(Shared::new(config.clone(), Arc::default())),
            config,
            others: Mutex::default(),
        }
    }

    /// What plays the region that a request is signed for. Whether it is signed well is checked there.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Arc<Shared> {
        let named = region(headers).filter(|region| self.config.other_regions && *region != self.config.region);
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
        let shared = Arc::new(Shared::new(config, Arc::clone(&self.home.state)));
        others.insert(region.to_owned(), Arc::clone(&shared));
        shared
    }
}

/// The region in the scope of a signature, if it has the form of one: `us-east-1`.
fn region(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = authorization.split_once("Credential=")?;
    let region = scope.split('/').nth(2)?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let has_form = region.len() <= 20 && region.matches('-').count() >= 2 && region.bytes().all(is_word);
    has_form.then_some(region)
}
