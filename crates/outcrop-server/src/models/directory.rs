//! All that is known of the account's models at one time, to be asked for ids.

use std::collections::HashMap;
use std::sync::Arc;

use outcrop_translate::Catalogue;
use outcrop_translate::catalogue::Status;
use outcrop_translate::resolve::{Behind, Listing, geographies, geography_of_models};
use outcrop_upstream::{FoundationModel, InferenceProfile};

use super::gather::{Gathered, Region};
use super::time::unix_seconds;
use super::words::Kind;
use crate::names::Listings;

/// The profile prefix that is for all regions.
const GLOBAL: &str = "global";
/// From a deployment or throughput over a custom model to the base model, and one more.
const MAX_HOPS: usize = 3;

/// What Bedrock lists, by what one asks for.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) gathered: Gathered,
    /// As names are resolved by.
    pub(super) listings: Arc<Listings>,
    /// What the lists tell of ARNs.
    pub(super) behind: HashMap<String, Behind>,
    /// What the account has of its own, by ARN.
    own: HashMap<String, Own>,
    /// The time at which the lists were read, in seconds since 1970: models may have ended by then.
    now: u64,
}

/// What the account has of its own.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) created: Option<String>,
}

impl Known {
    pub(super) fn new(gathered: Gathered, now: u64) -> Self {
        let listings = gathered.regions.iter().filter(|region| region.unreachable().is_none());
        let listings: Listings = listings
            .filter_map(|region| Some((region.name.clone(), listing(region)?)))
            .collect();
        let (mut own, mut behind) = (HashMap::new(), HashMap::new());
        for region in &gathered.regions {
            collect_own(region, &mut own, &mut behind);
        }
        Self {
            gathered,
            listings: Arc::new(listings),
            behind,
            own,
            now,
        }
    }

    /// What the account has by this ARN.
    pub(super) fn own(&self, arn: &str) -> Option<&Own> {
        self.own.get(arn)
    }

    /// The ARNs of what the account has of its own.
    pub(super) fn own_arns(&self) -> impl Iterator<Item = (&String, &Own)> {
        self.own.iter()
    }

    /// A foundation model as Bedrock lists it: in `region` or, if not there, anywhere.
    pub(super) fn foundation(&self, region: &str, id: &str) -> Option<&FoundationModel> {
        let among = |is_here: bool| {
            let regions = self.gathered.regions.iter();
            let mut models = regions
                .filter(move |known| (known.name == region) == is_here)
                .flat_map(|known| known.foundation.iter());
            models.find(|model| model.model_id == id)
        };
        among(true).or_else(|| among(false))
    }

    /// An inference profile as Bedrock lists it, by id or ARN.
    pub(super) fn profile(&self, region: &str, id: &str) -> Option<&InferenceProfile> {
        let region = self.region(region)?;
        region
            .profiles
            .iter()
            .find(|profile| profile.inference_profile_id == id || profile.inference_profile_arn == id)
    }

    fn region(&self, name: &str) -> Option<&Region> {
        self.gathered.regions.iter().find(|region| region.name == name)
    }

    /// Whether `model_id`, an id or ARN, can be called in a region. Where Bedrock doesn't list such things, it is as the
    /// catalogue says.
    pub(super) fn calls(&self, region: &str, model_id: &str, catalogue: &Catalogue) -> bool {
        if self.own.contains_key(model_id) {
            return true;
        }
        let Some(id) = bare_id(model_id) else { return false };
        let unasked = Region::default();
        let lists = self.region(region).unwrap_or(&unasked);
        if lists.unreachable().is_some() {
            return false;
        }
        let base_id = catalogue.base_id(id).unwrap_or(id);
        let prefix = id.strip_suffix(base_id).and_then(|prefix| prefix.strip_suffix('.'));
        let model = catalogue.model(base_id);
        let is_there = match (&lists.profiles.items, &lists.foundation.items, prefix) {
            (Some(_), _, _) if lists.profiles.iter().any(|profile| profile.inference_profile_id == id) => true,
            (Some(_), _, Some(_)) => false,
            (None, _, Some(prefix)) => model.is_some_and(|model| {
                let has_it = model.profiles.iter().any(|profile| profile == prefix);
                has_it && (prefix == GLOBAL || geographies(region).contains(&prefix))
            }),
            (_, Some(_), None) => lists
                .foundation
                .iter()
                .any(|model| model.model_id == id && is_on_demand(model)),
            (_, None, None) => model.is_some_and(|model| model.on_demand),
        };
        let base = self.base_of_profile(region, id).unwrap_or(base_id);
        is_there && !self.has_ended(region, base, catalogue)
    }

    /// The id of the model behind an inference profile, as Bedrock lists it.
    pub(super) fn base_of_profile(&self, region: &str, id: &str) -> Option<&str> {
        let first = self.profile(region, id)?.models.first()?;
        Some(tail(&first.model_arn)).filter(|id| !id.is_empty())
    }

    /// Whether a model's life is over, as Bedrock tells or, where it doesn't list the model, as the catalogue says.
    fn has_ended(&self, region: &str, base_id: &str, catalogue: &Catalogue) -> bool {
        match self.foundation(region, base_id) {
            Some(model) => {
                let end = model.model_lifecycle.end_of_life_time.as_deref();
                end.and_then(unix_seconds).is_some_and(|end| end <= self.now)
            }
            None => {
                let model = catalogue.model(catalogue.known_id(base_id));
                model.is_some_and(|model| model.lifecycle.status == Status::Retired)
            }
        }
    }
}

fn listing(region: &Region) -> Option<Listing> {
    if region.foundation.items.is_none() && region.profiles.items.is_none() {
        return None;
    }
    let models = region.foundation.iter();
    let on_demand = region.foundation.iter().filter(|model| is_on_demand(model));
    let profiles = region.profiles.iter();
    Some(Listing {
        models: models.map(|model| model.model_id.clone()).collect(),
        on_demand: on_demand.map(|model| model.model_id.clone()).collect(),
        profiles: profiles.map(|profile| profile.inference_profile_id.clone()).collect(),
    })
}

fn is_on_demand(model: &FoundationModel) -> bool {
    model.inference_types_supported.iter().any(|kind| kind == "ON_DEMAND")
}

/// Notes what the account has in a region, and what is behind it.
fn collect_own(region: &Region, own: &mut HashMap<String, Own>, behind: &mut HashMap<String, Behind>) {
    let base = |arn: Option<&str>| base_arn(region, arn?);
    let mut note =
        |arn: &str, kind, name: &Option<String>, created: &Option<String>, model: Option<String>, geography| {
            if arn.is_empty() {
                return;
            }
            if let Some(model) = model {
                let found = Behind {
                    model: Some(model),
                    architecture: None,
                    name: None,
                    geography,
                };
                behind.insert(arn.to_owned(), found);
            }
            let thing = Own {
                kind,
                name: name.clone(),
                created: created.clone(),
            };
            own.insert(arn.to_owned(), thing);
        };
    for one in region.profiles.iter().filter(|profile| profile.r#type == "APPLICATION") {
        let model = one.models.first().map(|model| model.model_arn.clone());
        let arns: Vec<&str> = one.models.iter().map(|model| model.model_arn.as_str()).collect();
        let geography = geography_of_models(&arns);
        let kind = Kind::ApplicationInferenceProfile;
        note(
            &one.inference_profile_arn,
            kind,
            &one.inference_profile_name,
            &one.created_at,
            model,
            geography,
        );
    }
    // What is still being made can't be called; what is being changed can.
    let serves = |status: &str| matches!(status, "InService" | "Updating");
    for one in region.provisioned.iter().filter(|one| serves(&one.status)) {
        let model = base(one.foundation_model_arn.as_deref().or(one.model_arn.as_deref()));
        let kind = Kind::ProvisionedThroughput;
        note(
            &one.provisioned_model_arn,
            kind,
            &one.provisioned_model_name,
            &one.creation_time,
            model,
            None,
        );
    }
    for one in region.deployments.iter().filter(|one| one.status == "Active") {
        let arn = &one.custom_model_deployment_arn;
        let (kind, name) = (Kind::CustomModelDeployment, &one.custom_model_deployment_name);
        note(arn, kind, name, &one.created_at, base(one.model_arn.as_deref()), None);
    }
    for one in region.imported.iter() {
        note(
            &one.model_arn,
            Kind::ImportedModel,
            &one.model_name,
            &one.creation_time,
            None,
            None,
        );
    }
    for one in region.imported.iter().filter(|one| one.model_architecture.is_some()) {
        let found = Behind {
            model: None,
            architecture: one.model_architecture.clone(),
            name: one.model_name.clone(),
            geography: None,
        };
        behind.insert(one.model_arn.clone(), found);
    }
}

/// The ARN of the foundation model that a custom model was made of; of a foundation model, its own.
fn base_arn(region: &Region, arn: &str) -> Option<String> {
    let mut arn = arn;
    for _ in 0..MAX_HOPS {
        if arn.contains(":foundation-model/") {
            return Some(arn.to_owned());
        }
        let custom = region.custom.iter().find(|custom| custom.model_arn == arn)?;
        arn = custom.base_model_arn.as_deref()?;
    }
    None
}

/// The id that Bedrock's own models and profiles have, also in `arn:…:foundation-model/amazon.nova-lite-v1:0` and
/// `arn:…:inference-profile/us.amazon.nova-lite-v1:0`; of other ARNs, none.
pub(super) fn bare_id(model_id: &str) -> Option<&str> {
    match model_id.strip_prefix("arn:") {
        Some(arn) if arn.contains(":foundation-model/") || arn.contains(":inference-profile/") => Some(tail(arn)),
        Some(_) => None,
        None => Some(model_id),
    }
}

/// What stands behind the last slash.
fn tail(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The region of an ARN.
pub(super) fn region_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?
        .split(':')
        .nth(2)
        .filter(|region| !region.is_empty())
}
