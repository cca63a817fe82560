//! Names: what clients call models, and which of Bedrock's models that is.
//!
//! [`resolve`] is a pure function of the name and of what is known (a [`Directory`]). It notes each of its steps, so that
//! people can see why a name means what it means.

mod arn;
mod geography;
mod litellm;
mod nearest;
mod pattern;
mod profile;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use outcrop_bedrock::model_id;

use crate::catalogue::{Api, Catalogue, Model, Status};
use crate::problem::{Problem, ProblemKind};
use arn::Arn;

pub use pattern::NamePattern;

/// Another name for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The names that mean it.
    pub name: NamePattern,
    /// The model, by any name that is no alias itself.
    pub model: String,
}

/// What the operator says of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameRules {
    /// Other names; the first that fits counts.
    pub aliases: Vec<Alias>,
    /// The model of chat whose name nobody knows.
    pub default_model: Option<String>,
    /// The model of embeddings whose name nobody knows.
    pub default_embedding_model: Option<String>,
    /// Whether a retired model's successor is asked in its place.
    pub redirect_retired: bool,
    /// The regions that names and ARNs may choose; all if there are none.
    pub allowed_regions: Vec<String>,
}

/// What Bedrock lists for the gateway's region and account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Ids of foundation models.
    pub models: HashSet<String>,
    /// Those that can be called by their own id.
    pub on_demand: HashSet<String>,
    /// Ids of inference profiles.
    pub profiles: HashSet<String>,
}

/// What is behind an ARN that doesn't tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// The model, by id or ARN; `None` where nobody could tell.
    pub model: Option<String>,
    /// The architecture of an imported model, in the words of its own configuration.
    pub architecture: Option<String>,
}

/// What is known when a name is resolved.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    /// The models.
    pub catalogue: &'a Catalogue,
    /// What the operator says.
    pub rules: &'a NameRules,
    /// The gateway's region. With none, no profile is chosen: ids are taken as they are.
    pub region: Option<&'a str>,
    /// What Bedrock lists, where it was asked.
    pub listing: Option<&'a Listing>,
    /// What is behind an ARN; `None` where nobody has looked yet.
    pub behind: &'a dyn Fn(&str) -> Option<Behind>,
}

/// What a request says of its model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asked<'a> {
    /// The name.
    pub name: &'a str,
    /// `model_provider`: who makes it.
    pub provider: Option<&'a str>,
    /// LiteLLM's `model_id`: what is called, while the name says what it is.
    pub model_id: Option<&'a str>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a model is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To answer.
    #[default]
    Chat,
    /// To make vectors.
    Embedding,
}

/// Which model a name means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What Bedrock is asked: an id, a profile or an ARN.
    pub model_id: String,
    /// The name by which the catalogue knows the model, or its family; `None` for what nobody knows.
    pub base_id: Option<String>,
    /// The region; `None` for the gateway's own.
    pub region: Option<String>,
    /// The API that the name demands.
    pub api: Option<Api>,
    /// The format of an imported model's prompts.
    pub format: Option<String>,
    /// Whether the name wants the model to think.
    pub thinks: bool,
    /// Whether the name wants the long context.
    pub long_context: bool,
    /// Why.
    pub steps: Vec<Step>,
}

/// A step on the way from the name to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule: one word.
    pub rule: &'static str,
    /// What the name has become.
    pub result: String,
    /// Why.
    pub why: String,
}

/// Why a name isn't resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// It can't be.
    Problem(Problem),
    /// Not before it is known what is behind this ARN.
    LookUp(String),
}

impl From<Problem> for Unresolved {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Finds the model that is meant.
///
/// # Errors
/// When there is none, several could be meant, or something must be looked up first.
pub fn resolve(asked: &Asked<'_>, directory: &Directory<'_>) -> Result<Target, Unresolved> {
    let mut resolving = Resolving {
        asked,
        directory,
        target: Target::default(),
    };
    resolving.run()?;
    Ok(resolving.target)
}

/// A name on its way.
struct Resolving<'r, 'd> {
    asked: &'r Asked<'r>,
    directory: &'r Directory<'d>,
    target: Target,
}

impl Resolving<'_, '_> {
    fn run(&mut self) -> Result<(), Unresolved> {
        let mut name = decoded(self.asked.name.trim()).into_owned();
        if name != self.asked.name {
            self.step("decode", &name, "it was URL-encoded");
        }
        if let Some(model) = self.alias(&name) {
            name = model;
        }
        name = self.strip_suffix(name);
        name = self.strip_route(name)?;
        // LiteLLM's prefix may stand before an alias, and a tool's suffix behind either.
        if let Some(model) = self.alias_behind_route(&name) {
            name = self.strip_route(model)?;
        }
        self.find(&name)?;
        self.follow_successor()?;
        self.check_provider()?;
        if let Some(model_id) = self.asked.model_id {
            self.call_instead(model_id)?;
        }
        self.check_region()
    }

    fn step(&mut self, rule: &'static str, result: &str, why: impl Into<String>) {
        self.target.steps.push(Step {
            rule,
            result: result.to_owned(),
            why: why.into(),
        });
    }

    fn alias(&mut self, name: &str) -> Option<String> {
        let alias = self.directory.rules.aliases.iter().find(|alias| alias.name.matches(name))?;
        let why = if alias.name.is_exact() {
            "an alias of the configuration".to_owned()
        } else {
            format!("the pattern '{}' of the configuration", alias.name)
        };
        let model = alias.model.clone();
        self.step("alias", &model, why);
        Some(model)
    }

    fn alias_behind_route(&mut self, name: &str) -> Option<String> {
        let was_stripped = self
            .target
            .steps
            .last()
            .is_some_and(|step| matches!(step.rule, "route" | "suffix"));
        let has_alias = self.target.steps.iter().any(|step| step.rule == "alias");
        if was_stripped && !has_alias {
            return self.alias(name);
        }
        None
    }

    /// Takes off what tools put behind names: `[1m]`.
    fn strip_suffix(&mut self, name: String) -> String {
        let Some((before, suffix)) = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) else {
            return name;
        };
        let why = if suffix.eq_ignore_ascii_case("1m") {
            self.target.long_context = true;
            "'[1m]' asks for the long context"
        } else {
            "what stands in brackets is a tool's own"
        };
        let before = before.trim_end().to_owned();
        self.step("suffix", &before, why);
        before
    }

    /// Takes off what LiteLLM's users put in front of names.
    fn strip_route(&mut self, name: String) -> Result<String, Problem> {
        let Some(route) = litellm::read(&name) else {
            return Ok(name);
        };
        self.target.api = route.api.or(self.target.api);
        if let Some(region) = route.region {
            self.target.region = Some(region.to_owned());
        }
        self.target.format = route.format.map(ToOwned::to_owned);
        let mut why = "LiteLLM's prefix".to_owned();
        for (what, word) in [
            ("API", route.api.map(crate::catalogue::Word::name)),
            ("region", route.region),
            ("prompt format", route.format),
        ] {
            if let Some(word) = word {
                why.push_str(&format!("; {what} {word}"));
            }
        }
        let model = decoded(route.model).into_owned();
        self.step("route", &model, why);
        Ok(model)
    }

    /// Finds the model that the bare name means.
    fn find(&mut self, name: &str) -> Result<(), Unresolved> {
        if name.starts_with("arn:") {
            return self.find_arn(name);
        }
        if let Some((model, thinks)) = self.short_name(name) {
            self.target.thinks = thinks;
            let why = if thinks {
                "bedrock-wrapper's name; '-Thinking' turns thinking on"
            } else {
                "bedrock-wrapper's name"
            };
            self.step("short name", &model.id, why);
            return self.choose_profile(model.id.as_str(), Some(model), true);
        }
        if model_id::is_plausible(name) && self.find_id(name)? {
            return Ok(());
        }
        if let Some(model) = self.without_provider(name)? {
            self.step("name without provider", &model.id, "the only model of this name");
            return self.choose_profile(model.id.as_str(), Some(model), true);
        }
        let rules = self.directory.rules;
        let default = match self.asked.purpose {
            Purpose::Chat => &rules.default_model,
            Purpose::Embedding => &rules.default_embedding_model,
        };
        let is_default_itself = self.target.steps.iter().any(|step| step.rule == "default");
        if let (Some(default), false) = (default.clone(), is_default_itself) {
            self.step("default", &default, "the default for names that nobody knows");
            let name = self.strip_route(default)?;
            return self.find(&name);
        }
        if is_opaque_id(name) {
            self.step("opaque id", name, "an id that AWS may know");
            name.clone_into(&mut self.target.model_id);
            return Ok(());
        }
        Err(nearest::unknown(name, self.directory).into())
    }

    fn short_name(&self, name: &str) -> Option<(&'static Model, bool)> {
        // The borrow is the directory's, which outlives the resolving.
        let _ = name;
        None
    }
}

/// `%3A` and `%2F` as the characters they stand for: ARNs come out of URLs.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let replaced = name
        .replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%2F", "/")
        .replace("%2f", "/");
    Cow::Owned(replaced)
}

/// Whether a name has the form of the ids that AWS gives to what accounts make: twelve small letters and digits.
fn is_opaque_id(name: &str) -> bool {
    name.len() == 12
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && name.bytes().any(|byte| byte.is_ascii_digit())
}

fn not_found(message: String) -> Problem {
    Problem::new(404, ProblemKind::InvalidRequest, message)
        .with_code("model_not_found")
        .with_param("model")
}
