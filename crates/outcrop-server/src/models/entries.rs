//! The models of the page: which ids there are, what each means, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outcrop_routing::{Found, Router};
use outcrop_translate::resolve::{Asked, Behind, Target, geographies};

use super::describe::{Described, describe};
use super::directory::{Known, bare_id, region_of};
use super::words::{Kind, Purpose, kind_of_arn, purpose, purpose_of_words};
use crate::config::Config;
use crate::names::resolve_at;
use crate::routing::{RouteView, Wanted};

/// OpenAI's names of embeddings, which mean the default model of embeddings or whatever an alias says.
const OPENAI_EMBEDDINGS: [&str; 3] = [
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
];

/// An id that can be called.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// The id of who makes the model; empty where nobody knows.
    pub(super) provider: String,
    /// The model behind it, where it is known.
    pub(super) base: Option<String>,
    /// The id that is called.
    pub(super) model_id: String,
    pub(super) kind: Kind,
    pub(super) purpose: Purpose,
    /// The configured regions that have it.
    pub(super) regions: Vec<String>,
    /// All of it, as clients are told.
    pub(super) json: String,
}

/// What entries are made of.
pub(super) struct Entries<'a> {
    pub(super) known: &'a Known,
    pub(super) config: &'a Config,
    /// What was found out of ARNs that no list tells.
    pub(super) looked_up: &'a dyn Fn(&str) -> Option<Behind>,
    /// What names have routes.
    pub(super) router: &'a Router,
    /// The region of an account; for `None`, the gateway's own.
    pub(super) region_of: &'a dyn Fn(Option<&str>) -> String,
}

/// What is called by an id.
struct Called<'a> {
    target: &'a Target,
    region: &'a str,
    /// The route that leads there.
    route: Option<&'a RouteView>,
}

impl Entries<'_> {
    /// All ids that can be called, by id.
    pub(super) fn all(&self) -> Vec<Entry> {
        let candidates = self.candidates();
        let entries = candidates.into_iter().filter_map(|(id, kind)| {
            if let Some(found) = self.router.find(&id) {
                return self.of_route(&id, Some(kind), &found);
            }
            let target = self.resolve(&asked(&id), None)?;
            self.of_target(&id, Some(kind), &target)
        });
        entries.collect()
    }

    fn resolve(&self, asked: &Asked<'_>, pinned: Option<&str>) -> Option<Target> {
        // Whatever is behind it, it can be called.
        let behind = |arn: &str| Some(self.behind(arn).unwrap_or_default());
        resolve_at(asked, self.config, (self.home(), pinned), &self.known.listings, &behind).ok()
    }

    /// What a name means, if that can be called.
    pub(super) fn of_target(&self, id: &str, kind: Option<Kind>, target: &Target) -> Option<Entry> {
        let region = self.region(target, self.home());
        if !self.can_be_called(region, target, kind.is_none()) {
            return None;
        }
        let called = Called {
            target,
            region,
            route: None,
        };
        self.of_called(id, kind, &called).map(|(entry, _)| entry)
    }

    /// What a name with a route means: its first target that is known. Where the route is for this very name, the operator
    /// vouches for it; of one for many names, a target must be there.
    pub(super) fn of_route(&self, id: &str, kind: Option<Kind>, found: &Found) -> Option<Entry> {
        let region_of = |account: Option<&str>| Some((self.region_of)(account));
        let resolve = |wanted: Wanted<'_>| {
            let asked = Asked {
                model_id: wanted.model_id,
                ..asked(wanted.name)
            };
            let behind = |arn: &str| Some(self.behind(arn).unwrap_or_default());
            let home = (self.home(), wanted.region);
            resolve_at(&asked, self.config, home, &self.known.listings, &behind).map(Arc::new)
        };
        let route = RouteView::new(self.router, found, id, &region_of, &resolve);
        let is_own = !found.route().is_pattern();
        let kind = if is_own { Some(Kind::Route) } else { kind };
        let mut unknown = None;
        for meant in route.targets() {
            let Ok(target) = &meant.target else { continue };
            let region = self.region(target, meant.region.as_deref().unwrap_or(self.home()));
            let is_there = is_own || meant.account.is_some() || self.can_be_called(region, target, kind.is_none());
            let called = Called {
                target,
                region,
                route: Some(&route),
            };
            match self.of_called(id, kind, &called).filter(|_| is_there) {
                Some((entry, true)) => return Some(entry),
                Some((entry, false)) => unknown = unknown.or(Some(entry)),
                None => {}
            }
        }
        unknown
    }

    fn region<'r>(&self, target: &'r Target, otherwise: &'r str) -> &'r str {
        let arn_region = region_of(&target.model_id);
        target.region.as_deref().or(arn_region).unwrap_or(otherwise)
    }

    /// Whether a target is there, as far as lists tell; of what is `unlisted`, AWS may have told when it was looked up.
    fn can_be_called(&self, region: &str, target: &Target, unlisted: bool) -> bool {
        let is_told = region_of(&target.model_id).is_some() && !target.is_opaque;
        self.known.calls(region, &target.model_id, &self.config.catalogue)
            || self.is_own_row(target)
            || (unlisted && is_told && self.behind(&target.model_id).is_some())
    }

    /// All that is told of an id, and whether anything is known of the model behind it.
    fn of_called(&self, id: &str, kind: Option<Kind>, called: &Called<'_>) -> Option<(Entry, bool)> {
        let Called { target, region, route } = *called;
        let arn_region = region_of(&target.model_id);
        let catalogue = &self.config.catalogue;
        let base = self.base(region, target);
        // An ARN may have a row of the operator's, which says more than that of the model behind it.
        let known_as = if self.is_own_row(target) {
            Some(target.model_id.as_str())
        } else {
            base.as_deref()
        };
        let model = known_as.and_then(|id| catalogue.model(catalogue.known_id(id)));
        let capabilities = known_as.and_then(|id| catalogue.capabilities(id));
        let live = base.as_deref().and_then(|base| self.known.foundation(region, base));
        let purpose = match (&capabilities, live) {
            (Some(capabilities), _) => purpose(capabilities)?,
            (None, Some(live)) => purpose_of_words(&live.output_modalities)?,
            // Of imported models and what nobody knows, it is what people want.
            (None, None) => Purpose::Chat,
        };
        let is_held = target.names_region || arn_region.is_some();
        let has_it = |other: &&String| {
            self.known.calls(other, &target.model_id, catalogue) && (!is_held || region == other.as_str())
        };
        let mut regions: Vec<String> = match route {
            Some(route) => route.regions(),
            None => self.config.regions.iter().filter(has_it).cloned().collect(),
        };
        if regions.is_empty() {
            regions.push(region.to_owned());
        }
        let kind = kind.unwrap_or_else(|| self.kind(id, target));
        let architecture = self.behind(&target.model_id).and_then(|behind| behind.architecture);
        let provider = self.provider(base.as_deref(), architecture.as_deref());
        let described = Described {
            id,
            kind,
            purpose,
            target,
            region,
            regions: &regions,
            base: base.as_deref(),
            provider,
            model,
            capabilities: capabilities.as_ref(),
            live,
            profile: self.known.profile(region, &target.model_id),
            own: self.known.own(&target.model_id),
            architecture,
            route: route.map(RouteView::to_json),
            catalogue,
        };
        let json = describe(&described);
        let entry = Entry {
            id: id.to_owned(),
            provider: provider.map_or_else(String::new, |(id, _)| id.to_owned()),
            base,
            model_id: target.model_id.clone(),
            kind,
            purpose,
            regions,
            json,
        };
        Some((entry, model.is_some() || live.is_some()))
    }

    /// The id of the model behind what is called: as Bedrock lists it, else as the name tells.
    fn base(&self, region: &str, target: &Target) -> Option<String> {
        let id = bare_id(&target.model_id);
        let behind_profile = self.known.base_of_profile(region, id.unwrap_or(&target.model_id));
        let listed = || id.filter(|id| self.known.foundation(region, id).is_some());
        let behind_profile = behind_profile.map(ToOwned::to_owned);
        behind_profile
            .or_else(|| target.behind.as_deref().map(|id| self.without_geography(id)))
            .or_else(|| target.base_id.clone().filter(|id| !id.starts_with("arn:")))
            .or_else(|| listed().map(ToOwned::to_owned))
    }

    fn without_geography(&self, id: &str) -> String {
        self.config.catalogue.base_id(id).unwrap_or(id).to_owned()
    }

    /// What is behind an ARN, as the lists tell or as was found out.
    fn behind(&self, arn: &str) -> Option<Behind> {
        let listed = self.known.behind.get(arn).cloned();
        listed.or_else(|| (self.looked_up)(arn))
    }

    fn home(&self) -> &str {
        self.config.regions.first().map_or("", String::as_str)
    }

    /// Whether the operator has a row for the ARN, and so vouches for it.
    fn is_own_row(&self, target: &Target) -> bool {
        target.model_id.starts_with("arn:") && self.config.catalogue.model(&target.model_id).is_some()
    }

    /// Ids that might be called, each with what it is.
    fn candidates(&self) -> BTreeMap<String, Kind> {
        let mut found = BTreeMap::new();
        let mut add = |id: &str, kind| {
            found.entry(id.to_owned()).or_insert(kind);
        };
        let rules = &self.config.names;
        let mut routes = BTreeSet::new();
        for route in self.router.routes().filter(|route| !route.is_pattern()) {
            // Capital letters are the same as small ones, and the first counts.
            if routes.insert(route.name.to_ascii_lowercase()) {
                add(&route.name, Kind::Route);
            }
        }
        // What the operator says of a name counts more than what else it might be.
        for alias in rules.aliases.iter().filter(|alias| alias.name.is_exact()) {
            add(alias.name.as_str(), Kind::Alias);
        }
        for region in &self.known.gathered.regions {
            if region.unreachable().is_some() {
                continue;
            }
            for model in region.foundation.iter() {
                add(&model.model_id, Kind::FoundationModel);
            }
            for profile in region.profiles.iter().filter(|profile| profile.r#type != "APPLICATION") {
                add(&profile.inference_profile_id, Kind::InferenceProfile);
            }
            if region.foundation.items.is_none() {
                self.models_of_catalogue(&mut add);
            }
            if region.profiles.items.is_none() {
                self.profiles_of_catalogue(&region.name, &mut add);
            }
        }
        for (arn, own) in self.known.own_arns() {
            add(arn, own.kind);
        }
        for model in self.config.catalogue.models() {
            for name in &model.short_names {
                add(name, Kind::ShortName);
            }
            if model.id.starts_with("arn:") {
                add(&model.id, kind_of_arn(&model.id));
            }
        }
        for name in OPENAI_EMBEDDINGS {
            add(name, Kind::Alias);
        }
        found.retain(|id, kind| match kind {
            Kind::Route => true,
            _ if routes.contains(&id.to_ascii_lowercase()) => false,
            Kind::InferenceProfile => self.config.list_inference_profiles,
            Kind::ApplicationInferenceProfile => self.config.list_application_profiles,
            _ => true,
        });
        found
    }

    /// Stands in for the list of models where that can't be read.
    fn models_of_catalogue(&self, add: &mut dyn FnMut(&str, Kind)) {
        for model in self
            .config
            .catalogue
            .models()
            .filter(|model| !model.id.starts_with("arn:"))
        {
            add(&model.id, Kind::FoundationModel);
        }
    }

    fn profiles_of_catalogue(&self, region: &str, add: &mut dyn FnMut(&str, Kind)) {
        for model in self
            .config
            .catalogue
            .models()
            .filter(|model| !model.id.starts_with("arn:"))
        {
            let is_here = |prefix: &&String| *prefix == "global" || geographies(region).contains(&prefix.as_str());
            for prefix in model.profiles.iter().filter(is_here) {
                add(&format!("{prefix}.{}", model.id), Kind::InferenceProfile);
            }
        }
    }

    /// What a name is that wasn't found in the lists.
    fn kind(&self, id: &str, target: &Target) -> Kind {
        if let Some(own) = self.known.own(id) {
            return own.kind;
        }
        let has_step = |rule: &str| target.steps.iter().any(|step| step.rule == rule);
        match () {
            () if has_step("alias") => Kind::Alias,
            () if has_step("short name") => Kind::ShortName,
            () if id != target.model_id => Kind::Name,
            () if id.starts_with("arn:") => kind_of_arn(id),
            () => Kind::Name,
        }
    }

    /// Who makes a model: the id and the name. An imported model is its owner's, but its architecture has a maker.
    fn provider<'s>(&'s self, base: Option<&'s str>, architecture: Option<&str>) -> Option<(&'s str, &'s str)> {
        let vendor = match base {
            Some(base) => base.split_once('.')?.0,
            None => maker_of_architecture(architecture?),
        };
        let mut providers = self.config.catalogue.providers();
        let found = providers.find(|known| known.id == vendor || known.also.iter().any(|also| also == vendor));
        Some(found.map_or((vendor, vendor), |known| (known.id.as_str(), known.name.as_str())))
    }
}

fn asked(name: &str) -> Asked<'_> {
    Asked {
        name,
        ..Asked::default()
    }
}

/// Who made the architecture of an imported model; its owner, if nobody knows.
///
/// Source: the architectures that Bedrock imports (Amazon Bedrock User Guide, "Custom model import", read 2026-11).
fn maker_of_architecture(architecture: &str) -> &'static str {
    let architecture = architecture.to_ascii_lowercase();
    [
        ("llama", "meta"),
        ("mllama", "meta"),
        ("mistral", "mistral"),
        ("mixtral", "mistral"),
        ("qwen", "qwen"),
        ("gpt", "openai"),
    ]
    .into_iter()
    .find(|(beginning, _)| architecture.starts_with(beginning))
    .map_or("custom", |(_, maker)| maker)
}
