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

use crate::catalogue::{Api, Catalogue, Model, Status, Word as _};
use crate::problem::{Problem, ProblemKind};
pub(crate) use arn::Arn;
pub(crate) use geography::arn_partition;

pub use crate::vectors::is_purpose;
pub use geography::{of_models as geography_of_models, of_region as geographies};
pub use nearest::near;
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
    /// The model of images whose name nobody knows, or of which only OpenAI's is said, or none.
    pub default_image_model: Option<String>,
    /// Whether a retired model's successor is asked in its place.
    pub redirect_retired: bool,
    /// The regions that names and ARNs may choose; all of the gateway's partition if there are none.
    pub allowed_regions: Vec<String>,
    /// Whether there are rules for some models, so that it must be known which one is called, whatever the client says
    /// that it is.
    pub looks_behind: bool,
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

impl Listing {
    /// Whether an id of a model or an inference profile can be called as it is.
    pub fn calls(&self, model_id: &str) -> bool {
        self.on_demand.contains(model_id) || self.profiles.contains(model_id)
    }
}

/// What is behind an ARN that doesn't tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// The model, by id or ARN; `None` where nobody could tell.
    pub model: Option<String>,
    /// The architecture of an imported model, in the words of its own configuration.
    pub architecture: Option<String>,
    /// The name that the account gave an imported model.
    pub name: Option<String>,
    /// The geography of the profile that an application profile was made of.
    pub geography: Option<String>,
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

impl<'a> Directory<'a> {
    /// What is known without a region and without asking anybody: ids are taken as they are.
    pub fn offline(catalogue: &'a Catalogue) -> Self {
        const NO_RULES: &NameRules = &NameRules {
            aliases: Vec::new(),
            default_model: None,
            default_embedding_model: None,
            default_image_model: None,
            redirect_retired: false,
            allowed_regions: Vec::new(),
            looks_behind: false,
        };
        Self {
            catalogue,
            rules: NO_RULES,
            region: None,
            listing: None,
            behind: &|_| Some(Behind::default()),
        }
    }
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
    /// Whether the caller may not ask all models, so that it must be known which one is called, whatever the name says.
    pub is_restricted: bool,
}

/// What a model is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To answer.
    #[default]
    Chat,
    /// To make vectors.
    Embedding,
    /// To make images.
    Image,
    /// To change what a mask shows of an image.
    MaskedImage,
    /// To make images like another one.
    ImageVariation,
    /// To rank documents.
    Ranking,
}

/// Which model a name means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What Bedrock is asked: an id, a profile or an ARN.
    pub model_id: String,
    /// The name by which the catalogue knows the model, or its family; `None` for what nobody knows.
    pub base_id: Option<String>,
    /// The geography whose prices hold, where the name doesn't tell it: an application profile has its source's.
    pub geography: Option<String>,
    /// What is really behind it, where that is another name than `base_id`: an operator's rules are for models, however
    /// they are called.
    pub behind: Option<String>,
    /// Whether nobody can tell what is behind it.
    pub is_opaque: bool,
    /// The names by which an operator's rules may mean it: what is called, the model that this really is, and the alias,
    /// if it is no pattern. Never a word that a client is free to choose.
    pub names: Vec<String>,
    /// The region; `None` for the gateway's own.
    pub region: Option<String>,
    /// Whether the name says which region, be it the gateway's own.
    pub names_region: bool,
    /// The API that the name demands.
    pub api: Option<Api>,
    /// The format of an imported model's prompts.
    pub format: Option<String>,
    /// Whether the name wants the model to think.
    pub thinks: bool,
    /// What the operator's name for it says that vectors are for: what stands behind `#`.
    pub vectors_for: Option<String>,
    /// Whether the name wants the long context.
    pub long_context: bool,
    /// Whether it is another model than the one that was asked for, whose life is over.
    pub redirected: bool,
    /// Whether it is the default for a name that nobody knows.
    pub defaulted: bool,
    /// Whether the name means another model for each task.
    pub by_task: bool,
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

/// What OpenAI's names of models of vectors mean where the operator doesn't say: bedrock-access-gateway's default, so that
/// vectors which its users have kept stay comparable.
const OPENAIS_EMBEDDINGS: &str = "cohere.embed-multilingual-v3";

/// What OpenAI's names of models of images mean in the catalogue, and so no name at all, which is `dall-e-2` at OpenAI.
const OPENAIS_IMAGES: &str = "stability.sd3-5-large-v1:0";
const OPENAIS_DEFAULT_IMAGE: &str = "dall-e-2";
/// What they mean for the tasks that [`OPENAIS_IMAGES`] can't do.
const OPENAIS_MASKED_IMAGES: &str = "stability.stable-image-inpaint-v1:0";
const OPENAIS_VARIATIONS: &str = "amazon.nova-canvas-v1:0";

impl Purpose {
    /// Whether images are asked for.
    fn is_image(self) -> bool {
        matches!(self, Self::Image | Self::MaskedImage | Self::ImageVariation)
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
        alias: None,
    };
    resolving.run()?;
    resolving.name();
    Ok(resolving.target)
}

/// A name on its way.
struct Resolving<'r, 'd> {
    asked: &'r Asked<'r>,
    directory: &'r Directory<'d>,
    target: Target,
    /// The alias that has led here, if it is no pattern.
    alias: Option<String>,
}

impl<'d> Resolving<'_, 'd> {
    fn run(&mut self) -> Result<(), Unresolved> {
        if self.asked.name.len() > model_id::MAX_MODEL_ID_CHARS {
            let most = model_id::MAX_MODEL_ID_CHARS;
            let message = format!("The model does not exist: a name has at most {most} characters.");
            return Err(not_found(message).into());
        }
        let mut name = decoded(self.asked.name.trim()).into_owned();
        if name != self.asked.name {
            self.step("decode", &name, "it was URL-encoded");
        }
        if name.is_empty() && self.asked.purpose.is_image() {
            name = self.unsaid_image_model();
        }
        if let Some(model) = self.alias(&name) {
            name = self.read_operators(&model);
        }
        name = self.strip(name)?;
        // LiteLLM's prefix may stand before an alias, and a tool's suffix behind either.
        if let Some(model) = self.alias_behind_route(&name) {
            name = self.read_operators(&model);
            name = self.strip(name)?;
        }
        self.find(&name)?;
        self.follow_successor()?;
        self.check_provider()?;
        if let Some(model_id) = self.asked.model_id {
            self.call_instead(model_id)?;
        }
        self.check_region()
    }

    /// Notes the names by which the target may be meant.
    fn name(&mut self) {
        let target = &mut self.target;
        let mut names = vec![target.model_id.clone()];
        let claimed = target.base_id.clone().filter(|_| self.asked.model_id.is_none());
        let really = target.behind.clone().or_else(|| claimed.clone());
        let model = really.as_deref().and_then(|id| self.directory.catalogue.model(id));
        names.extend(claimed);
        names.extend(model.iter().flat_map(|model| model.short_names.clone()));
        names.extend(really);
        names.extend(self.alias.take());
        names.dedup();
        target.names = names;
    }

    fn step(&mut self, rule: &'static str, result: &str, why: impl Into<String>) {
        self.target.steps.push(Step {
            rule,
            result: result.to_owned(),
            why: why.into(),
        });
    }

    fn alias(&mut self, name: &str) -> Option<String> {
        let alias = self
            .directory
            .rules
            .aliases
            .iter()
            .find(|alias| alias.name.matches(name))?;
        let why = if alias.name.is_exact() {
            "an alias of the configuration".to_owned()
        } else {
            format!("the pattern '{}' of the configuration", alias.name)
        };
        let model = alias.model.clone();
        if alias.name.is_exact() {
            self.alias = Some(alias.name.as_str().to_owned());
        }
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

    /// A name that the operator has written. What vectors are for may stand behind it: `#search_query`.
    fn read_operators(&mut self, model: &str) -> String {
        let name = decoded(model);
        let Some((before, word)) = name.rsplit_once('#') else {
            return name.into_owned();
        };
        self.target.vectors_for = Some(word.to_owned());
        before.to_owned()
    }

    /// Takes off what stands around the name of a model.
    fn strip(&mut self, name: String) -> Result<String, Problem> {
        let name = self.strip_suffix(name);
        let name = self.strip_route(name)?;
        // Others write the day of a version so: `claude-sonnet-4-5@20250929`.
        match name.split_once('@') {
            Some((before, day)) if !day.is_empty() && day.bytes().all(|byte| byte.is_ascii_digit()) => {
                let name = format!("{before}-{day}");
                self.step("suffix", &name, "'@' and a day is how others write a version");
                Ok(name)
            }
            _ => Ok(name),
        }
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
        if let Some(model) = self.openais_image_model(name) {
            let name = self.strip(decoded(&model).into_owned())?;
            return self.find(&name);
        }
        if let Some((model, thinks)) = self.short_name(name) {
            self.target.thinks = thinks;
            let why = if thinks {
                "a short name of the catalogue; '-Thinking' turns thinking on"
            } else {
                "a short name of the catalogue"
            };
            self.step("short name", &model.id, why);
            if model.id.starts_with("arn:") {
                return self.find_arn(&model.id);
            }
            return self.choose_profile(model.id.as_str(), Some(model), true);
        }
        if let Some(model) = without_thinking(name).and_then(|plain| self.directory.catalogue.by_short_name(plain)) {
            let message = format!(
                "The model {} can't be told to think: ask for it without '-Thinking'.",
                model.name
            );
            return Err(not_found(message).into());
        }
        if model_id::is_plausible(name) && self.find_id(name)? {
            return Ok(());
        }
        if let Some(model) = self.without_provider(name)? {
            self.step("name without provider", &model.id, "the only model of this name");
            return self.choose_profile(model.id.as_str(), Some(model), true);
        }
        let rules = self.directory.rules;
        // Whoever asks for one of OpenAI's embeddings wants vectors, wherever he asks (bedrock-access-gateway's rule).
        let is_openais = name.to_ascii_lowercase().starts_with("text-embedding-");
        let purpose = if is_openais {
            Purpose::Embedding
        } else {
            self.asked.purpose
        };
        let mut default = match purpose {
            Purpose::Chat => rules.default_model.as_deref(),
            Purpose::Embedding => rules.default_embedding_model.as_deref(),
            Purpose::Image | Purpose::MaskedImage | Purpose::ImageVariation => rules.default_image_model.as_deref(),
            Purpose::Ranking => None,
        };
        if is_openais && self.directory.catalogue.model(OPENAIS_EMBEDDINGS).is_some() {
            default = default.or(Some(OPENAIS_EMBEDDINGS));
        }
        let is_default_itself = self.target.steps.iter().any(|step| step.rule == "default");
        if let (Some(default), false) = (default, is_default_itself) {
            self.step("default", default, "the default for names that nobody knows");
            self.target.defaulted = true;
            let name = self.read_operators(default);
            let name = self.strip(name)?;
            return self.find(&name);
        }
        if is_opaque_id(name) {
            let behind = self.look_up(name)?;
            self.step("opaque id", name, "an id that AWS may know");
            name.clone_into(&mut self.target.model_id);
            self.put_behind(behind);
            return Ok(());
        }
        Err(nearest::unknown(name, self.directory).into())
    }

    /// What a request for images means that names no model.
    fn unsaid_image_model(&mut self) -> String {
        match self.directory.rules.default_image_model.clone() {
            Some(model) => {
                self.step("default", &model, "the default where no model is named");
                model
            }
            None => {
                self.step("unnamed", OPENAIS_DEFAULT_IMAGE, "OpenAI's model where none is named");
                OPENAIS_DEFAULT_IMAGE.to_owned()
            }
        }
    }

    /// What one of OpenAI's names of models of images means, if that is not what the catalogue says: the operator's default
    /// or, for what the catalogue's model can't do, another one.
    fn openais_image_model(&mut self, name: &str) -> Option<String> {
        let purpose = self.asked.purpose;
        let lower = name.to_ascii_lowercase();
        let is_openais = lower.starts_with("dall-e-") || lower.starts_with("gpt-image-");
        let is_default_itself = self.target.steps.iter().any(|step| step.rule == "default");
        if !purpose.is_image() || !is_openais || is_default_itself {
            return None;
        }
        if let Some(model) = self.directory.rules.default_image_model.clone() {
            self.step("default", &model, "the default for OpenAI's names of models of images");
            self.target.defaulted = true;
            return Some(model);
        }
        let stand_in = match purpose {
            Purpose::MaskedImage => OPENAIS_MASKED_IMAGES,
            Purpose::ImageVariation => OPENAIS_VARIATIONS,
            _ => return None,
        };
        let catalogue = self.directory.catalogue;
        // The operator's own rows say what they mean.
        let is_built_in = catalogue.by_short_name(name)?.id == OPENAIS_IMAGES;
        if !is_built_in || catalogue.model(stand_in).is_none() {
            return None;
        }
        self.step("task", stand_in, "OpenAI's name means the model that can do this");
        self.target.by_task = true;
        Some(stand_in.to_owned())
    }

    /// The model with a short name, and whether the name ends with `-Thinking`.
    fn short_name(&self, name: &str) -> Option<(&'d Model, bool)> {
        let catalogue = self.directory.catalogue;
        if let Some(model) = catalogue.by_short_name(name) {
            return Some((model, false));
        }
        let plain = without_thinking(name)?;
        let model = catalogue.by_short_name(plain)?;
        catalogue.thinks(&model.id).then_some((model, true))
    }

    /// A model by its id or profile. `false` if the name is neither.
    fn find_id(&mut self, name: &str) -> Result<bool, Unresolved> {
        let directory = self.directory;
        if name.contains('/') {
            // Only ARNs have these.
            return Ok(false);
        }
        let Some(base_id) = directory.catalogue.base_id(name) else {
            let is_listed = directory
                .listing
                .is_some_and(|listing| listing.models.contains(name) || listing.profiles.contains(name));
            // `vendor.model`, of a vendor that is newer than this version.
            let has_form = name.split('.').count() > 1 && !name.contains('/') && !name.starts_with('.');
            let is_of_version = name
                .split('.')
                .all(|part| part.starts_with(|first: char| first.is_ascii_digit()))
                || name.split_once('.').is_some_and(|(vendor, model)| {
                    // `gpt-4.1`, `claude-3.5-sonnet`: what stands before the point is no vendor.
                    vendor.ends_with(|last: char| last.is_ascii_digit())
                        && model.starts_with(|first: char| first.is_ascii_digit())
                });
            if !is_listed && (!has_form || is_of_version) {
                return Ok(false);
            }
            self.step("id", name, "an id of a vendor that the catalogue doesn't know");
            name.clone_into(&mut self.target.model_id);
            // Bedrock may list a profile for it.
            if directory.listing.is_some_and(|listing| listing.models.contains(name)) {
                self.choose_profile(name, None, false)?;
            }
            return Ok(true);
        };
        if base_id.len() < name.len() {
            let why = format!("an inference profile with {base_id}");
            self.step("profile", name, why);
            name.clone_into(&mut self.target.model_id);
            self.target.base_id = Some(directory.catalogue.known_id(base_id).to_owned());
            return Ok(true);
        }
        if let Some(model) = self.id_with_revision(name) {
            self.step("id", &model.id, "Bedrock's id, whose revision was left out");
            self.choose_profile(&model.id, Some(model), false)?;
            return Ok(true);
        }
        let model = directory.catalogue.model(name);
        let is_known = model.is_some() || directory.listing.is_some_and(|listing| listing.models.contains(name));
        let why = if is_known {
            "Bedrock's id"
        } else {
            "an id that the catalogue doesn't know; its family's defaults apply"
        };
        self.step("id", name, why);
        self.choose_profile(name, model, false)?;
        Ok(true)
    }

    /// The only model whose id is `name` and a revision, as `-v1:0`, where nobody has a model of that very id.
    fn id_with_revision(&self, name: &str) -> Option<&'d Model> {
        let directory = self.directory;
        let is_there = |listing: &Listing| listing.models.contains(name);
        if directory.catalogue.model(name).is_some() || directory.listing.is_some_and(is_there) {
            return None;
        }
        let mut found = directory
            .catalogue
            .models()
            .filter(|model| model.id != name && without_revision(&model.id) == name);
        let only = found.next()?;
        found.next().is_none().then_some(only)
    }

    /// A model by its id without the provider: `claude-sonnet-4-5`, `gpt-oss-120b`.
    fn without_provider(&self, name: &str) -> Result<Option<&'d Model>, Problem> {
        let wanted = name.to_ascii_lowercase();
        // Cohere's own names: `embed-multilingual-v3.0`.
        let wanted = wanted.strip_suffix(".0").unwrap_or(&wanted);
        let provider = self.asked.provider;
        let names = |model: &Model| {
            let Some((_, bare)) = model.id.split_once('.') else {
                return false;
            };
            bare == wanted
                || without_revision(bare) == wanted
                || without_version(bare) == wanted
                || without_version(bare).replace("-instruct", "") == wanted
        };
        let found: Vec<&Model> = self
            .directory
            .catalogue
            .models()
            .filter(|model| provider.is_none_or(|provider| is_provider(model, provider, self.directory.catalogue)))
            .filter(|model| !model.id.starts_with("arn:") && names(model))
            .collect();
        match found.as_slice() {
            [] => Ok(None),
            [model] => Ok(Some(model)),
            [first, ..] => {
                // Of one model's versions, the name without a version means the newest.
                if let Some(exact) = found.iter().find(|model| model.id.ends_with(&format!(".{wanted}"))) {
                    return Ok(Some(exact));
                }
                let stem = |model: &Model| without_version(&model.id).to_owned();
                if found.iter().all(|model| stem(model) == stem(first)) {
                    return Ok(found.iter().copied().max_by(|a, b| a.id.cmp(&b.id)));
                }
                let ids: Vec<&str> = found.iter().map(|model| model.id.as_str()).collect();
                let message = format!("The model '{}' could be {}; say which.", shown(name), ids.join(" or "));
                Err(not_found(message))
            }
        }
    }

    fn find_arn(&mut self, name: &str) -> Result<(), Unresolved> {
        let Some(arn) = Arn::parse(name) else {
            let message = "The model's ARN is none that Bedrock can be asked by: a foundation model, an inference \
                           profile, a provisioned, custom or imported model, a custom model deployment, a prompt, a \
                           prompt router, or an endpoint.";
            return Err(not_found(message.to_owned()).into());
        };
        name.clone_into(&mut self.target.model_id);
        self.target.region = Some(arn.region.to_owned());
        let catalogue = self.directory.catalogue;
        self.step("arn", name, format!("an ARN ({}) in {}", arn.kind, arn.region));
        self.check_allowed(arn.region)?;
        if let Some(model) = catalogue.model(name) {
            self.step("catalogue", name, "the operator's row says what it is");
            self.target.base_id = Some(name.to_owned());
            self.target.behind.clone_from(&model.base_model);
            return Ok(());
        }
        if let Some(base_id) = arn.id().and_then(|id| catalogue.base_id(id)) {
            self.target.base_id = Some(catalogue.known_id(base_id).to_owned());
            return Ok(());
        }
        if !arn.can_be_looked_up() {
            self.target.is_opaque = true;
            return Ok(());
        }
        let behind = self.look_up(name)?;
        self.put_behind(behind);
        Ok(())
    }

    /// What is behind an ARN or an id that doesn't tell it.
    fn look_up(&self, name: &str) -> Result<Behind, Unresolved> {
        (self.directory.behind)(name).ok_or_else(|| Unresolved::LookUp(name.to_owned()))
    }

    /// Notes what was found behind an ARN.
    fn put_behind(&mut self, behind: Behind) {
        let catalogue = self.directory.catalogue;
        if let Some(architecture) = &behind.architecture {
            let format = crate::invoke::format_of_architecture(architecture);
            self.step(
                "look-up",
                architecture,
                "the architecture of the imported model, as AWS tells",
            );
            // Distillations of DeepSeek R1 have the architecture of what they were distilled into.
            let of_name = behind.name.as_deref().and_then(crate::invoke::format_of_name);
            if let (Some(_), Some(name)) = (of_name, &behind.name) {
                self.step(
                    "look-up",
                    name,
                    "the name of the imported model, which tells its prompt format",
                );
            }
            if self.target.format.is_none() {
                self.target.format = of_name.or(format).map(ToOwned::to_owned);
            }
        }
        match behind.model {
            Some(model) => {
                let id = Arn::parse(&model).and_then(|arn| arn.id()).unwrap_or(&model);
                let base_id = catalogue.known_id(catalogue.base_id(id).unwrap_or(id)).to_owned();
                self.step("look-up", &base_id, "the model behind it, as AWS tells");
                self.target.geography = behind.geography.or_else(|| geography_of_id(catalogue, id));
                self.target.base_id = Some(base_id);
            }
            None if behind.architecture.is_none() => {
                let model_id = self.target.model_id.clone();
                self.target.is_opaque = true;
                self.step(
                    "look-up",
                    &model_id,
                    "AWS didn't tell what is behind it; everything is tried",
                );
            }
            None => {}
        }
    }

    /// A retired model's successor, where that is what the operator wants.
    fn follow_successor(&mut self) -> Result<(), Unresolved> {
        let catalogue = self.directory.catalogue;
        let Some(model) = self
            .target
            .base_id
            .as_deref()
            .and_then(|base_id| catalogue.model(base_id))
        else {
            return Ok(());
        };
        let lifecycle = &model.lifecycle;
        let is_wanted =
            lifecycle.redirect || (self.directory.rules.redirect_retired && lifecycle.status == Status::Retired);
        let Some(successor) = lifecycle.successor.as_deref().filter(|_| is_wanted) else {
            return Ok(());
        };
        if self.target.model_id.starts_with("arn:") && !lifecycle.redirect {
            return Ok(());
        }
        let state = lifecycle.status.name();
        let why = format!("{} is {state}, and redirected to its successor", model.id);
        self.step("successor", successor, why);
        self.target.redirected = true;
        self.choose_profile(successor, catalogue.model(successor), false)
    }

    fn check_provider(&self) -> Result<(), Problem> {
        let Some(provider) = self.asked.provider else {
            return Ok(());
        };
        let catalogue = self.directory.catalogue;
        let Some(base_id) = self.target.base_id.as_deref() else {
            return Ok(());
        };
        let own = match catalogue.model(base_id) {
            Some(model) if is_provider(model, provider, catalogue) => return Ok(()),
            Some(model) => model.provider.clone(),
            None => base_id.split('.').next().unwrap_or_default().to_owned(),
        };
        let known = catalogue.providers().find(|known| known.id == own);
        if own.eq_ignore_ascii_case(provider) || known.is_some_and(|known| known.name.eq_ignore_ascii_case(provider)) {
            return Ok(());
        }
        let message = format!(
            "Invalid 'model_provider': the model {base_id} is made by '{own}', not by '{}'.",
            shown(provider)
        );
        Err(Problem::invalid(message)
            .with_code("invalid_value")
            .with_param("model_provider"))
    }

    /// LiteLLM's `model_id`: another id is called for the same model.
    fn call_instead(&mut self, model_id: &str) -> Result<(), Unresolved> {
        let decoded = decoded(model_id.trim());
        let is_arn = Arn::parse(&decoded).is_some();
        if !is_arn && (!model_id::is_plausible(&decoded) || decoded.starts_with("arn:")) {
            let message = "Invalid 'model_id': expected an id, an inference profile or an ARN of Bedrock's.";
            return Err(Problem::invalid(message)
                .with_code("invalid_value")
                .with_param("model_id")
                .into());
        }
        let base_id = self.target.base_id.clone().unwrap_or_default();
        self.step("model_id", &decoded, format!("'model_id' is called, as {base_id}"));
        let catalogue = self.directory.catalogue;
        // The client says what it is, and the operator's rules go by what it is.
        (self.target.behind, self.target.is_opaque) = (None, false);
        let arn = Arn::parse(&decoded);
        if let Some(arn) = &arn {
            self.check_allowed(arn.region)?;
            self.target.region = Some(arn.region.to_owned());
        }
        if let Some(model) = catalogue.model(&decoded) {
            self.target.behind = Some(model.base_model.clone().unwrap_or_else(|| model.id.clone()));
        } else if let Some(known) = catalogue.base_id(arn.and_then(|arn| arn.id()).unwrap_or(&decoded)) {
            self.target.behind = Some(catalogue.known_id(known).to_owned());
        } else if (self.directory.rules.looks_behind || self.asked.is_restricted)
            && (arn.is_some_and(|arn| arn.can_be_looked_up()) || is_opaque_id(&decoded))
        {
            let behind = self.look_up(&decoded)?;
            let model = behind
                .model
                .as_deref()
                .map(|model| Arn::parse(model).and_then(|arn| arn.id()).unwrap_or(model));
            self.target.behind = model.map(|id| catalogue.known_id(catalogue.base_id(id).unwrap_or(id)).to_owned());
            self.target.is_opaque = behind.model.is_none() && behind.architecture.is_none();
        } else {
            self.target.is_opaque = arn.is_some();
        }
        self.target.model_id = decoded.into_owned();
        Ok(())
    }

    /// Whether names and ARNs may choose a region: the operator says which, else those that the gateway's identity is
    /// good for.
    fn check_allowed(&self, region: &str) -> Result<(), Problem> {
        let allowed = &self.directory.rules.allowed_regions;
        let is_allowed = match self.directory.region {
            Some(home) if home == region => true,
            Some(home) if allowed.is_empty() => geography::partition(home) == geography::partition(region),
            _ => allowed.is_empty() || allowed.iter().any(|allowed| allowed == region),
        };
        if is_allowed {
            return Ok(());
        }
        let message = format!("The region {region} is not one of those that this gateway may call.");
        let problem = Problem::new(403, ProblemKind::Permission, message);
        Err(problem.with_code("region_not_allowed").with_param("model"))
    }

    fn check_region(&mut self) -> Result<(), Unresolved> {
        let Some(region) = &self.target.region else {
            return Ok(());
        };
        self.target.names_region = true;
        if self.directory.region == Some(region) {
            self.target.region = None;
            return Ok(());
        }
        Ok(self.check_allowed(region)?)
    }
}

/// A name without `-Thinking` at its end.
fn without_thinking(name: &str) -> Option<&str> {
    const SUFFIX: &str = "-thinking";
    let at = name.len().checked_sub(SUFFIX.len())?;
    let (plain, suffix) = name.split_at_checked(at)?;
    suffix.eq_ignore_ascii_case(SUFFIX).then_some(plain)
}

/// An id without what tells versions of one model apart: `-20250929-v1:0`, `-v1:0`, `-1:0`, `@20250929`.
fn without_version(id: &str) -> &str {
    let mut id = id.split('@').next().unwrap_or(id);
    if let Some((before, _)) = id.split_once(':') {
        id = before;
        id = match id.rsplit_once('-') {
            Some((before, last)) if last.trim_start_matches('v').parse::<u32>().is_ok() => before,
            _ => id,
        };
    }
    let is_date = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_digit());
    let id = match id.rsplit_once("-v") {
        Some((before, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() => before,
        _ => id,
    };
    match id.rsplit_once('-') {
        Some((before, date)) if is_date(date) => before,
        _ => id,
    }
}

/// An id without `-v1:0` at its end: Anthropic's own names are what is left.
fn without_revision(id: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match id.rsplit_once("-v") {
        Some((before, revision)) if revision.split(':').all(is_number) => before,
        _ => id,
    }
}

/// Whether `provider`, by its id or its name, makes a model.
fn is_provider(model: &Model, provider: &str, catalogue: &Catalogue) -> bool {
    model.provider.eq_ignore_ascii_case(provider)
        || catalogue.providers().any(|known| {
            known.id == model.provider
                && (known.name.eq_ignore_ascii_case(provider)
                    || known.also.iter().any(|also| also.eq_ignore_ascii_case(provider)))
        })
}

/// A client's word as an error repeats it: short, and without what could trouble a log.
fn shown(name: &str) -> String {
    const MOST_CHARS: usize = 80;
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_CHARS)
        .collect()
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
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && name.bytes().any(|byte| byte.is_ascii_digit())
}

fn not_found(message: String) -> Problem {
    Problem::new(404, ProblemKind::InvalidRequest, message)
        .with_code("model_not_found")
        .with_param("model")
}

/// The geography that the id of an inference profile begins with.
fn geography_of_id(catalogue: &Catalogue, id: &str) -> Option<String> {
    let geography = id.strip_suffix(catalogue.base_id(id)?)?.strip_suffix('.')?;
    Some(geography.to_owned())
}
