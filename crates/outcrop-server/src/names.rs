//! Names that were resolved, and what had to be found out for it: in memory, for this instance.
//!
//! Resolving is pure, and asks nobody. What Bedrock lists, and what is behind ARNs, is found out once and kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use outcrop_translate::resolve::{Asked, Behind, Directory, Listing, Step, Target, Unresolved, resolve};
use outcrop_upstream::Client;
use tokio::time::Instant;

use crate::config::Config;

/// As many names as are kept, so that a client that makes up names can't fill the memory.
const MAX_NAMES: usize = 10_000;
/// As many ARNs as are kept.
const MAX_ARNS: usize = 1000;
/// What is behind an ARN seldom changes.
const LASTS: Duration = Duration::from_secs(60 * 60);
/// A failure to find out is remembered for this long: the permission may be given meanwhile.
const FAILED: Duration = Duration::from_secs(60);
/// As long as a request waits to know what is behind its ARN, which only makes the call better.
const PATIENCE: Duration = Duration::from_secs(5);
/// From a deployment to its custom model to the base model, and one more.
const MAX_HOPS: usize = 4;

/// What Bedrock lists, by region.
pub(crate) type Listings = HashMap<String, Listing>;

/// Names that were resolved, and what was found out.
#[derive(Debug, Default)]
pub(crate) struct Names {
    resolved: RwLock<HashMap<String, Arc<Target>>>,
    listings: RwLock<Known>,
    behind: Mutex<HashMap<String, (Instant, Behind)>>,
    /// Held while an ARN is looked up, so that it is looked up once.
    asking: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// What Bedrock lists, and how often that has changed: a name that was resolved by an older list must not be kept.
#[derive(Debug, Default)]
struct Known {
    listings: Arc<Listings>,
    changes: u64,
}

impl Names {
    /// The model that is meant: in `pinned`, where a route says the region, else in `home` or where it is.
    pub(crate) fn resolve(
        &self,
        asked: &Asked<'_>,
        config: &Config,
        home: &str,
        pinned: Option<&str>,
    ) -> Result<Arc<Target>, Unresolved> {
        // No name has a line break.
        let key = match pinned {
            Some(region) => Cow::Owned(format!("{region}\n{}", asked.name)),
            None => Cow::Borrowed(asked.name),
        };
        // Requests that say more than a name are rare.
        let is_plain = *asked
            == Asked {
                name: asked.name,
                is_restricted: asked.is_restricted,
                ..Asked::default()
            };
        if is_plain && let Some(target) = read(&self.resolved).get(&*key) {
            return Ok(Arc::clone(target));
        }
        let (listings, changes) = {
            let known = read(&self.listings);
            (Arc::clone(&known.listings), known.changes)
        };
        let behind = |arn: &str| self.behind(arn);
        let target = resolve_at(asked, config, (home, pinned), &listings, &behind).map(Arc::new)?;
        // What is behind an ARN is kept for a while only.
        if is_plain && !target.model_id.starts_with("arn:") {
            let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
            if resolved.len() >= MAX_NAMES {
                resolved.clear();
            }
            if read(&self.listings).changes == changes {
                resolved.insert(key.into_owned(), Arc::clone(&target));
            }
        }
        Ok(target)
    }

    /// Takes what Bedrock lists. Names may mean something else from now on.
    pub(crate) fn know(&self, listings: Arc<Listings>) {
        // In this order, as in `resolve`: nobody waits for the other.
        let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.listings.write().unwrap_or_else(PoisonError::into_inner);
        if known.listings != listings {
            known.listings = listings;
            known.changes += 1;
            resolved.clear();
        }
    }

    /// How often what Bedrock lists has changed: with it, what names mean.
    pub(crate) fn changes(&self) -> u64 {
        read(&self.listings).changes
    }

    /// Takes what lists tell of ARNs, so that nobody has to look them up.
    pub(crate) fn tell(&self, told: &HashMap<String, Behind>) {
        // The room is for those that are called.
        for (arn, behind) in told.iter().take(MAX_ARNS / 2) {
            self.note(arn, behind.clone());
        }
    }

    /// What is behind an ARN, if that was found out.
    pub(crate) fn behind(&self, arn: &str) -> Option<Behind> {
        let known = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, behind) = known.get(arn)?;
        let lasts = if *behind == Behind::default() { FAILED } else { LASTS };
        (asked.elapsed() < lasts).then(|| behind.clone())
    }

    /// Finds out what is behind an ARN. Whoever doesn't learn it goes on without.
    pub(crate) async fn look_up(&self, client: &Client, arn: &str) {
        let asking = {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            if asking.len() >= MAX_ARNS {
                asking.retain(|_, held| Arc::strong_count(held) > 1);
            }
            Arc::clone(asking.entry(arn.to_owned()).or_default())
        };
        let _held = asking.lock().await;
        if self.behind(arn).is_some() {
            return;
        }
        let behind = match tokio::time::timeout(PATIENCE, ask(client, arn)).await {
            Ok(Ok(behind)) => behind,
            Ok(Err(error)) => {
                tracing::warn!(arn, %error, "what is behind an ARN could not be looked up; everything is tried");
                Behind::default()
            }
            Err(_) => {
                tracing::warn!(arn, "what is behind an ARN was not told in time; everything is tried");
                Behind::default()
            }
        };
        self.note(arn, behind);
    }

    /// Forgets what is behind an ARN: whoever asks for it next finds out again.
    pub(crate) fn forget(&self, arn: &str) {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner).remove(arn);
    }

    /// Goes on without knowing what is behind an ARN.
    pub(crate) fn give_up(&self, arn: &str) {
        self.note(arn, Behind::default());
    }

    fn note(&self, arn: &str, behind: Behind) {
        let mut known = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_ARNS {
            known.clear();
        }
        known.insert(arn.to_owned(), (Instant::now(), behind));
    }
}

/// Finds the model that is meant: in the region that a route says, else in the gateway's own or where it is.
pub(crate) fn resolve_at(
    asked: &Asked<'_>,
    config: &Config,
    (home, pinned): (&str, Option<&str>),
    listings: &Listings,
    behind: &dyn Fn(&str) -> Option<Behind>,
) -> Result<Target, Unresolved> {
    let Some(region) = pinned else {
        return resolve_among(asked, config, home, listings, behind);
    };
    let mut target = resolve_in(asked, config, region, listings, behind)?;
    target.region.get_or_insert_with(|| region.to_owned());
    Ok(target)
}

/// Finds the model that is meant: in the gateway's own region or, where that doesn't have it, in the first of the other
/// configured ones that does.
fn resolve_among(
    asked: &Asked<'_>,
    config: &Config,
    home: &str,
    listings: &Listings,
    behind: &dyn Fn(&str) -> Option<Behind>,
) -> Result<Target, Unresolved> {
    let at_home = resolve_in(asked, config, home, listings, behind);
    let is_missing = match &at_home {
        Ok(target) => {
            let is_id = !target.names_region && !target.model_id.starts_with("arn:");
            is_id
                && listings
                    .get(home)
                    .is_some_and(|listing| !listing.calls(&target.model_id))
        }
        Err(Unresolved::Problem(_)) => true,
        Err(Unresolved::LookUp(_)) => false,
    };
    if !is_missing {
        return at_home;
    }
    for region in config.regions.iter().filter(|region| *region != home) {
        let Some(listing) = listings.get(region) else { continue };
        let Ok(mut target) = resolve_in(asked, config, region, listings, behind) else {
            continue;
        };
        if target.region.is_none() && !target.names_region && listing.calls(&target.model_id) {
            target.steps.push(Step {
                rule: "region",
                result: region.clone(),
                why: format!("{home} doesn't have it"),
            });
            target.region = Some(region.clone());
            return Ok(target);
        }
    }
    at_home
}

fn resolve_in(
    asked: &Asked<'_>,
    config: &Config,
    region: &str,
    listings: &Listings,
    behind: &dyn Fn(&str) -> Option<Behind>,
) -> Result<Target, Unresolved> {
    let directory = Directory {
        catalogue: &config.catalogue,
        rules: &config.names,
        region: Some(region),
        listing: listings.get(region),
        behind,
    };
    resolve(asked, &directory)
}

/// Asks hop by hop, until something is found that names a model itself.
async fn ask(client: &Client, arn: &str) -> Result<Behind, outcrop_upstream::Error> {
    let mut arn = arn.to_owned();
    for _ in 0..MAX_HOPS {
        let found = client.describe_arn(&arn).await?;
        let Some(model) = found.model_arn else {
            return Ok(Behind {
                model: None,
                architecture: found.architecture,
                name: found.name,
                geography: None,
            });
        };
        if model.contains(":foundation-model/") || model.contains(":inference-profile/") {
            return Ok(Behind {
                model: Some(model),
                architecture: found.architecture,
                name: found.name,
                geography: outcrop_translate::resolve::geography_of_models(&found.model_arns),
            });
        }
        arn = model;
    }
    Ok(Behind::default())
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}
