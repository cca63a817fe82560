//! Which inference profile a bare id is called through.

use super::geography::{self, GLOBAL};
use super::{Resolving, Unresolved, not_found};
use crate::catalogue::Model;

impl Resolving<'_, '_> {
    /// Takes the model `id`, through a profile where it must be or, with `prefers_profile`, where there is one: a name of
    /// people's means what they can call, an id of Bedrock's means itself.
    pub(super) fn choose_profile(
        &mut self,
        id: &str,
        model: Option<&Model>,
        prefers_profile: bool,
    ) -> Result<(), Unresolved> {
        self.target.base_id = Some(self.directory.catalogue.known_id(id).to_owned());
        id.clone_into(&mut self.target.model_id);
        let region = self.target.region.as_deref().or(self.directory.region);
        let Some(region) = region.map(ToOwned::to_owned) else {
            return Ok(());
        };
        // What Bedrock lists, it lists for the gateway's region alone.
        let listing = self.directory.listing.filter(|_| self.target.region.is_none());
        let listed: Vec<String> = listing.map_or_else(Vec::new, |listing| {
            let profiles = listing.profiles.iter();
            let prefixes = profiles.filter_map(|profile| profile.strip_suffix(id)?.strip_suffix('.'));
            let mut prefixes: Vec<String> = prefixes.map(ToOwned::to_owned).collect();
            prefixes.sort_unstable();
            prefixes
        });
        let profiles = match (listed.as_slice(), model) {
            ([], Some(model)) => model.profiles.clone(),
            _ => listed,
        };
        let is_on_demand = match (listing, model) {
            (Some(listing), _) if listing.models.contains(id) => listing.on_demand.contains(id),
            (_, Some(model)) => model.on_demand,
            // Nobody knows: Bedrock will tell.
            _ => profiles.is_empty(),
        };
        if profiles.is_empty() || (is_on_demand && !prefers_profile) {
            return Ok(());
        }
        let named = model
            .and_then(|model| model.named_profile.as_deref())
            .filter(|_| prefers_profile);
        let geographies = geography::of_region(&region);
        let has = |wanted: &str| profiles.iter().any(|profile| profile == wanted);
        let (chosen, why) = if let Some(named) = named.filter(|named| has(named)) {
            (named, "the profile that the name stands for".to_owned())
        } else if let Some(geography) = geographies.iter().copied().find(|geography| has(geography)) {
            (geography, format!("the profile of {region}'s geography"))
        } else if is_on_demand {
            return Ok(());
        } else if has(GLOBAL) && !region.starts_with("us-gov-") && !region.starts_with("cn-") {
            (GLOBAL, format!("the global profile: {region}'s geography has none"))
        } else {
            let candidates: Vec<String> = profiles.iter().map(|profile| format!("{profile}.{id}")).collect();
            let message = format!(
                "The model '{id}' can only be called through an inference profile, and none is for {region}. Inference \
                 profiles with it: {}.",
                candidates.join(", ")
            );
            return Err(not_found(message).into());
        };
        let profile = format!("{chosen}.{id}");
        self.step("profile", &profile, why);
        self.target.model_id = profile;
        Ok(())
    }
}
