//! What the settings say of models: the operator's catalogue, and what names mean.

use std::fs;
use std::sync::Arc;

use outcrop_server::resolve::{Asked, Directory, Purpose, Unresolved, is_purpose, resolve};
use outcrop_server::{Catalogue, NameRules};

use super::kinds::{EmbeddingModelName, ModelName};
use super::layers::Origin;
use super::policies::PolicyTable;
use super::problem::Problems;
use super::table::{Effective, Settings};

/// Reads the operator's catalogue over the built-in one.
pub(super) fn read(settings: &Settings, effective: &[Effective]) -> Result<Arc<Catalogue>, Problems> {
    let Some(path) = &settings.catalogue else {
        return Ok(Arc::clone(Catalogue::built_in()));
    };
    let mut problems = Problems::default();
    let name = path.to_string_lossy();
    match fs::read_to_string(path) {
        Ok(text) => match Catalogue::built_in().with(&name, &text) {
            Ok(catalogue) => return Ok(Arc::new(catalogue)),
            Err(errors) => {
                for error in errors {
                    let field = error.field.map(|field| format!("{field}: ")).unwrap_or_default();
                    problems.add(
                        Origin::File(path.clone(), error.line),
                        format!("{field}{}", error.message),
                    );
                }
            }
        },
        Err(error) => problems.add(
            origin("catalogue", effective),
            format!("catalogue: cannot read {name:?}: {error}"),
        ),
    }
    Err(problems)
}

/// What is known of models without asking anybody, so that an id that only AWS knows is taken at its word.
pub(super) struct Known<'a> {
    settings: &'a Settings,
    directory: Directory<'a>,
}

impl<'a> Known<'a> {
    pub(super) fn of(settings: &'a Settings) -> Self {
        Self {
            settings,
            directory: Directory::offline(&settings.models),
        }
    }

    /// Why a name means no model.
    fn problem(&self, name: &str, purpose: Purpose) -> Option<String> {
        let name = match name.rsplit_once('#') {
            Some((_, word)) if !is_purpose(word) => {
                return Some(format!("'{word}' behind '#' doesn't say what vectors are for."));
            }
            Some((name, _)) => name,
            None => name,
        };
        let asked = Asked {
            name,
            purpose,
            ..Asked::default()
        };
        match resolve(&asked, &self.directory) {
            Err(Unresolved::Problem(problem)) => Some(problem.message),
            Ok(_) | Err(Unresolved::LookUp(_)) => None,
        }
    }

    /// Likewise, where the name may be an alias.
    pub(super) fn problem_with_aliases(&self, name: &str, purpose: Purpose) -> Option<String> {
        let mut aliases = self.settings.aliases.iter();
        if aliases.any(|placed| placed.alias.name.matches(name)) {
            return None;
        }
        self.problem(name, purpose)
    }
}

/// Whether what names are to mean is there.
pub(super) fn check(settings: &Settings, effective: &[Effective]) -> Problems {
    let mut problems = Problems::default();
    let known = Known::of(settings);
    let problem_of = |name: &str, purpose| known.problem(name, purpose);
    for placed in settings.aliases.iter() {
        let alias = &placed.alias;
        if let Some(problem) = problem_of(&alias.model, Purpose::Chat) {
            let origin = placed.origin.clone().unwrap_or_else(|| origin("aliases", effective));
            problems.add(origin, format!("aliases: '{}': {problem}", alias.name));
        }
    }
    let defaults = [
        (
            "default_model",
            settings.default_model.as_ref().map(ModelName::as_str),
            Purpose::Chat,
        ),
        (
            "default_embedding_model",
            settings
                .default_embedding_model
                .as_ref()
                .map(EmbeddingModelName::as_str),
            Purpose::Embedding,
        ),
        (
            "default_image_model",
            settings.default_image_model.as_ref().map(ModelName::as_str),
            Purpose::Image,
        ),
    ];
    for (setting, model, purpose) in defaults {
        let Some(model) = model else { continue };
        if let Some(problem) = problem_of(model, purpose) {
            problems.add(origin(setting, effective), format!("{setting}: {problem}"));
        }
    }
    problems
}

/// What the settings say of names.
pub(crate) fn name_rules(settings: &Settings) -> NameRules {
    let name = |model: &Option<ModelName>| model.as_ref().map(|model| model.as_str().to_owned());
    NameRules {
        aliases: settings.aliases.iter().map(|placed| placed.alias.clone()).collect(),
        default_model: name(&settings.default_model),
        default_embedding_model: settings
            .default_embedding_model
            .as_ref()
            .map(|model| model.as_str().to_owned()),
        default_image_model: name(&settings.default_image_model),
        redirect_retired: settings.redirect_retired,
        allowed_regions: allowed_regions(settings),
        looks_behind: settings.policies.iter().any(PolicyTable::is_by_model),
    }
}

/// The regions that names may choose: with none, any; else those whose models are listed may be too.
fn allowed_regions(settings: &Settings) -> Vec<String> {
    if settings.allowed_regions.is_empty() {
        return Vec::new();
    }
    let allowed = settings.allowed_regions.iter().chain(settings.regions.iter());
    allowed.map(ToString::to_string).collect()
}

/// Where the value of a setting came from.
pub(super) fn origin(name: &str, effective: &[Effective]) -> Origin {
    let row = effective.iter().find(|row| row.setting.name == name);
    row.map_or(Origin::Default, |row| row.origin.clone())
}
