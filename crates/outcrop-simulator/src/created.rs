//! What callers have made: application inference profiles.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::models::{ACCOUNT, Model, Profile};

/// The application inference profiles that callers have made, in all regions.
#[derive(Debug, Default)]
pub(crate) struct Created(RwLock<Made>);

#[derive(Debug, Default)]
struct Made {
    /// How many there ever were: no id comes twice.
    count: u32,
    /// By region.
    profiles: Vec<(String, Arc<Profile>)>,
}

impl Created {
    /// Those of a region.
    pub(crate) fn of(&self, region: &str) -> Vec<Arc<Profile>> {
        let made = self.read();
        let here = made.profiles.iter().filter(|(of, _)| of == region);
        here.map(|(_, profile)| Arc::clone(profile)).collect()
    }

    /// Makes one.
    pub(crate) fn add(&self, region: &str, name: &str, model: &'static Model, model_arns: Vec<String>) -> Arc<Profile> {
        let mut made = self.write();
        made.count += 1;
        let id = format!("simprofile{:02}", made.count);
        let profile = Arc::new(Profile {
            name: name.to_owned(),
            kind: "APPLICATION",
            arn: format!("arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/{id}"),
            model,
            model_arns,
            id,
        });
        made.profiles.push((region.to_owned(), Arc::clone(&profile)));
        profile
    }

    /// Deletes one. `false` if it isn't there.
    pub(crate) fn remove(&self, arn: &str) -> bool {
        let mut made = self.write();
        let before = made.profiles.len();
        made.profiles.retain(|(_, profile)| profile.arn != arn);
        made.profiles.len() < before
    }

    /// Deletes all.
    pub(crate) fn clear(&self) {
        self.write().profiles.clear();
    }

    /// A panic elsewhere leaves nothing half done here.
    fn read(&self) -> RwLockReadGuard<'_, Made> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Made> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
