//! Which models a configuration calls, where and by whom.

use std::collections::BTreeSet;

use outcrop_server::resolve::{Asked, Purpose, Target, is_purpose};

use crate::commands::models::{routed, target};
use crate::failure::Failure;
use crate::settings::{ModelName, Settings};

/// A model that may be called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Called {
    /// What Bedrock is asked: an id, a profile or an ARN.
    pub(super) model_id: String,
    /// The catalogue's name for it.
    pub(super) base_id: Option<String>,
    /// Where.
    pub(super) region: String,
    /// By which account; `None` for the gateway's own identity.
    pub(super) account: Option<String>,
}

/// What a name may be asked for. Some names mean another model for each.
const PURPOSES: [Purpose; 6] = [
    Purpose::Chat,
    Purpose::Embedding,
    Purpose::Image,
    Purpose::MaskedImage,
    Purpose::ImageVariation,
    Purpose::Ranking,
];

/// All that `names` and the settings' own names lead to. A route for many names counts for those among them alone.
///
/// # Errors
/// If one of `names` means no model.
pub(super) fn called(names: &[String], settings: &Settings, region: &str) -> Result<BTreeSet<Called>, Failure> {
    let mut calls = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut left: Vec<String> = names.iter().cloned().chain(named(settings)).collect();
    while let Some(name) = left.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        // What vectors are for changes no right.
        let plain = match name.rsplit_once('#') {
            Some((before, word)) if is_purpose(word) => before,
            _ => &name,
        };
        let asked = |purpose| Asked {
            name: plain,
            purpose,
            ..Asked::default()
        };
        if let Some(route) = routed(&asked(Purpose::Chat), settings, Some(region))? {
            for (target, at, account) in route.calls() {
                calls.insert(Called::new(target, at.unwrap_or(region), account));
            }
            let after = route.fallbacks();
            let lists = [&after.general, &after.context_window, &after.content_policy];
            left.extend(lists.into_iter().flatten().cloned());
            continue;
        }
        let found: Vec<_> = PURPOSES
            .map(|purpose| target(&asked(purpose), settings, Some(region)))
            .into();
        if let (true, Some(Err(problem))) = (found.iter().all(Result::is_err), found.first()) {
            return Err(Failure::Unresolved(problem.message.clone()));
        }
        calls.extend(found.iter().flatten().map(|target| Called::new(target, region, None)));
    }
    Ok(calls)
}

/// The names that the settings say themselves.
fn named(settings: &Settings) -> impl Iterator<Item = String> + '_ {
    let text: fn(&ModelName) -> String = ToString::to_string;
    let routes = settings.tables.routes.iter().map(|table| &table.route);
    let routes = routes
        .filter(|route| !route.is_pattern())
        .map(|route| route.name.clone());
    let aliases = settings.aliases.iter().map(|placed| placed.alias.model.clone());
    let embedding = settings.default_embedding_model.as_ref();
    let lists = [
        &settings.fallbacks,
        &settings.context_window_fallbacks,
        &settings.content_policy_fallbacks,
    ];
    let fallbacks = lists.into_iter().flat_map(move |list| list.iter().map(text));
    let defaults = settings.default_model.iter().chain(&settings.default_image_model);
    routes
        .chain(aliases)
        .chain(embedding.map(|model| model.as_str().to_owned()))
        .chain(fallbacks)
        .chain(defaults.map(text))
}

/// Whether a route for many names sends whatever they are to an account.
pub(super) fn any_by(account: &str, settings: &Settings) -> bool {
    let routes = settings.tables.routes.iter().map(|table| &table.route);
    let mut targets = routes
        .filter(|route| route.is_pattern())
        .flat_map(|route| &route.targets);
    targets.any(|target| {
        let is_fixed = target.model.as_ref().is_some_and(|model| !model.contains('*'));
        target.account.as_deref() == Some(account) && !is_fixed
    })
}

impl Called {
    fn new(target: &Target, region: &str, account: Option<&str>) -> Self {
        Self {
            model_id: target.model_id.clone(),
            base_id: target.base_id.clone(),
            region: target.region.as_deref().unwrap_or(region).to_owned(),
            account: account.map(ToOwned::to_owned),
        }
    }
}
