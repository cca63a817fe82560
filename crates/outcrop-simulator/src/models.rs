//! The models and inference profiles that the simulator has, and what each family of models refuses.
//!
//! `models/models.json` holds both: Bedrock's line-up, past and present, and the families' rules as users report them
//! (2026-11). Limits and geographies of the newest models are those of LiteLLM's price map (1.109.1); the days on which
//! they came out are near enough. A row's modalities may name `VIDEO` and `AUDIO`, which Bedrock's own list leaves out.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::created::Created;
use crate::refusal::{Refusal, default_message};
use crate::resources::{self, Kind, Resource};

/// The account that ARNs of the simulator belong to.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Another account, which has nothing of its own.
pub(crate) const OTHER_ACCOUNT: &str = "210987654321";
/// The application inference profile that each region has, so that opaque ARNs can be tried.
const APPLICATION_PROFILE: (&str, &str) = ("simulator001", "anthropic.claude-sonnet-4-5-20250929-v1:0");

/// The models as seen from one region.
pub(crate) struct Catalogue {
    region: String,
    table: &'static Table,
    /// By id.
    profiles: HashMap<String, Arc<Profile>>,
    /// What else the account has of its own.
    resources: Vec<Resource>,
    /// Application inference profiles that somebody has made.
    created: Arc<Created>,
}

/// What a model identifier names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) model: &'static Model,
    pub(crate) family: &'static Family,
    /// The model that a prompt router chose, by its ARN.
    pub(crate) routed: Option<String>,
}

/// A foundation model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) provider: String,
    family: String,
    pub(crate) input: Vec<String>,
    pub(crate) output: Vec<String>,
    pub(crate) streaming: bool,
    /// If it can be called by its own id, without an inference profile.
    pub(crate) on_demand: bool,
    /// The prefixes of its inference profiles.
    profiles: Vec<String>,
    /// The most tokens it answers.
    pub(crate) max_tokens: u64,
    /// The most tokens it reads.
    pub(crate) context: u64,
    /// What a token of its answers takes from quotas of tokens.
    #[serde(default = "one")]
    pub(crate) burndown: u64,
    /// The shortest prefix that is cached, in tokens, if it isn't its family's.
    cache_min: Option<u64>,
    /// The shape of its body for `InvokeModel`, if it can be invoked; `invoke::shape::named` knows them.
    pub(crate) invoke: Option<String>,
    /// The only regions that have it, if it isn't everywhere.
    #[serde(default)]
    regions: Vec<String>,
    /// If OpenAI's chat completions work with it.
    #[serde(default)]
    pub(crate) openai: bool,
    /// If it can be asked to answer faster.
    #[serde(default)]
    pub(crate) latency_optimized: bool,
    /// `ACTIVE` or `LEGACY`.
    pub(crate) status: String,
    /// The day it came out.
    pub(crate) since: String,
    /// The day it became `LEGACY`, if that is known.
    pub(crate) legacy: Option<String>,
    /// The day from which its use costs more, if that is known.
    pub(crate) extended: Option<String>,
    /// The day of its end, past or announced.
    pub(crate) end: Option<String>,
    /// If its end has come.
    #[serde(default)]
    retired: bool,
}

/// What a family of models takes and refuses. The default is a plain text model.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Family {
    /// If Converse works with it at all.
    pub(crate) chat: bool,
    /// More than one message in a conversation.
    pub(crate) history: bool,
    /// System prompts.
    pub(crate) system: bool,
    /// Messages of role `system` in the conversation.
    pub(crate) system_role: bool,
    pub(crate) tools: bool,
    pub(crate) tool_choices: Vec<String>,
    pub(crate) tool_streaming: bool,
    pub(crate) strict_tools: bool,
    /// Tool results and text in one turn.
    pub(crate) mixed_turns: bool,
    pub(crate) image_in_tool_result: bool,
    pub(crate) documents: bool,
    /// If media may lie in S3.
    pub(crate) s3: bool,
    pub(crate) cache: bool,
    pub(crate) cache_1h: bool,
    /// The shortest prefix that is cached, in tokens.
    cache_min: u64,
    pub(crate) structured_output: bool,
    /// A conversation that ends with an assistant turn, to be continued.
    pub(crate) prefill: bool,
    pub(crate) count_tokens: bool,
    pub(crate) sampling: Sampling,
    /// How Claude reasons.
    pub(crate) thinking: Thinking,
    /// How others reason.
    pub(crate) reasoning: Reasoning,
    /// The values of `effort` (Claude only).
    pub(crate) efforts: Vec<String>,
    /// If `effort` is still a beta.
    pub(crate) effort_beta: bool,
    /// If parallel calls can be switched off (Claude only).
    pub(crate) parallel_off: bool,
    pub(crate) stop_sequences: usize,
    pub(crate) extra_fields: ExtraFields,
    /// If the model's own server checks strictly, in Anthropic's words.
    pub(crate) strict_model: bool,
}

/// Which of temperature and top-p may be given.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sampling {
    Any,
    One,
    None,
}

/// What `additionalModelRequestFields` may hold.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExtraFields {
    Any,
    /// What Anthropic's own API knows.
    Claude,
    /// What Nova's own API knows.
    Nova,
    /// Nothing, and each field is refused by its name.
    Unknown,
    /// Nothing at all.
    None,
}

/// Which shapes of Claude's `thinking` are taken.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Thinking {
    None,
    /// `enabled` with a budget.
    Budget,
    /// `enabled` with a budget, and `adaptive`.
    Both,
    Adaptive,
    /// `adaptive`, unless switched off.
    On,
    /// `adaptive`, and it can't be switched off.
    Always,
}

/// How models other than Claude are told to reason.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reasoning {
    None,
    /// By Nova's `reasoningConfig`.
    Nova,
    /// They always do, as much as `reasoning_effort` says.
    Effort,
    /// They always do, and don't take it back.
    Always,
    /// By fields that are each model's own.
    Open,
}

/// An inference profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `SYSTEM_DEFINED` or `APPLICATION`.
    pub(crate) kind: &'static str,
    pub(crate) arn: String,
    pub(crate) model: &'static Model,
    pub(crate) model_arns: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Table {
    families: HashMap<String, Family>,
    models: Vec<Model>,
}

impl Catalogue {
    pub(crate) fn new(region: &str) -> Catalogue {
        let table = table();
        let geographies = geographies(region);
        let system = table.models.iter().flat_map(|model| {
            let prefixes = model
                .profiles
                .iter()
                .filter(|prefix| geographies.contains(&prefix.as_str()));
            prefixes.map(move |prefix| Profile::system(region, prefix, model))
        });
        let application = table.models.iter().filter(|model| model.id == APPLICATION_PROFILE.1);
        let application = application.map(|model| Profile::application(region, model));
        let profiles = system
            .chain(application)
            .map(|profile| (profile.id.clone(), Arc::new(profile)))
            .collect();
        Catalogue {
            region: region.to_owned(),
            resources: resources::of(region, &table.models),
            table,
            profiles,
            created: Arc::default(),
        }
    }

    /// The same with the profiles that somebody has made, and makes.
    pub(crate) fn with(self, created: Arc<Created>) -> Catalogue {
        Catalogue { created, ..self }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// What the account has of its own beside inference profiles.
    pub(crate) fn resources(&self) -> &[Resource] {
        &self.resources
    }

    pub(crate) fn models(&self) -> impl Iterator<Item = &'static Model> {
        self.table.models.iter().filter(|model| model.is_in(&self.region))
    }

    /// All inference profiles, by id.
    pub(crate) fn profiles(&self) -> Vec<Arc<Profile>> {
        let mut profiles: Vec<_> = self.profiles.values().cloned().collect();
        profiles.extend(self.created.of(&self.region));
        profiles.sort_by(|a, b| a.id.cmp(&b.id));
        profiles
    }

    /// A model by its id or ARN.
    pub(crate) fn model(&self, identifier: &str) -> Option<&'static Model> {
        let prefix = format!("arn:aws:bedrock:{}::foundation-model/", self.region);
        let id = identifier.strip_prefix(&prefix).unwrap_or(identifier);
        self.models().find(|model| model.id == id)
    }

    /// A profile by its id or ARN; an application profile is known by its ARN only.
    pub(crate) fn profile(&self, identifier: &str) -> Option<Arc<Profile>> {
        if !identifier.starts_with("arn:") {
            let found = self.profiles.get(identifier).cloned();
            return found.filter(|profile| profile.kind == "SYSTEM_DEFINED");
        }
        let is_meant = |profile: &&Arc<Profile>| profile.arn == identifier;
        let found = self.profiles.values().find(is_meant).cloned();
        found.or_else(|| self.created.of(&self.region).iter().find(is_meant).cloned())
    }

    /// The id by which quotas know what is called: that of a model, or of one of AWS's inference profiles. Nothing where
    /// quotas don't count: what was provisioned.
    pub(crate) fn counted_as(&self, identifier: &str, target: &Target) -> Option<String> {
        let provisioned = |resource: &&Resource| resource.arn == identifier && resource.kind == Kind::Provisioned;
        if self.resources.iter().any(|resource| provisioned(&resource)) {
            return None;
        }
        let profile = self.profile(identifier);
        let profile = profile.filter(|profile| profile.kind == "SYSTEM_DEFINED");
        Some(profile.map_or_else(|| target.model.id.clone(), |profile| profile.id.clone()))
    }

    /// Makes an application inference profile from the ARN of a model or of a profile of AWS's.
    ///
    /// # Errors
    ///
    /// A name that another one has, and an ARN that names nothing.
    pub(crate) fn create_profile(&self, name: &str, source: &str) -> Result<Arc<Profile>, Refusal> {
        let copied = self
            .profile(source)
            .map(|profile| (profile.model, profile.model_arns.clone()));
        let found = copied.or_else(|| self.model(source).map(|model| (model, vec![model.arn(&self.region)])));
        let Some((model, model_arns)) = found else {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                "The specified model source was not found.",
            ));
        };
        if self.profiles().iter().any(|profile| profile.name == name) {
            return Err(Refusal::new(
                "ConflictException",
                "An inference profile with this name already exists.",
            ));
        }
        Ok(self.created.add(&self.region, name, model, model_arns))
    }

    /// Deletes one of those. `false` if it is none.
    pub(crate) fn delete_profile(&self, profile: &Profile) -> bool {
        self.created.remove(&profile.arn)
    }

    /// Finds what to call, by id or ARN of a model, an inference profile, or something else of the account's.
    ///
    /// # Errors
    ///
    /// An identifier that names nothing, a model that has to be called otherwise, and one whose end has come, in AWS's
    /// words.
    pub(crate) fn resolve(&self, identifier: &str) -> Result<Target, Refusal> {
        let target = self.find(identifier)?;
        if target.model.retired {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                "This model version has reached the end of its life. Please refer to the AWS documentation for more \
                 details.",
            ));
        }
        Ok(target)
    }

    fn find(&self, identifier: &str) -> Result<Target, Refusal> {
        if let Some(profile) = self.profile(identifier) {
            return Ok(self.target(profile.model));
        }
        if resources::is_own(identifier) {
            return self.own(identifier);
        }
        match self.model(identifier) {
            None => Err(Refusal::validation("The provided model identifier is invalid.")),
            Some(model) if model.on_demand => Ok(self.target(model)),
            Some(_) => Err(not_on_demand(identifier)),
        }
    }

    fn own(&self, arn: &str) -> Result<Target, Refusal> {
        let Some(resource) = self.resources.iter().find(|resource| resource.arn == arn) else {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                default_message("ResourceNotFoundException"),
            ));
        };
        match resource.kind {
            // What was trained is called through a deployment, or through provisioned throughput.
            Kind::Custom => Err(not_on_demand(arn)),
            Kind::Router => Ok(Target {
                routed: Some(resource.model.arn(&self.region)),
                ..self.target(resource.model)
            }),
            Kind::Provisioned | Kind::Deployment | Kind::Imported => Ok(self.target(resource.model)),
        }
    }

    pub(crate) fn target(&self, model: &'static Model) -> Target {
        static PLAIN: LazyLock<Family> = LazyLock::new(Family::default);
        let family = self.table.families.get(&model.family).unwrap_or(&PLAIN);
        Target {
            model,
            family,
            routed: None,
        }
    }
}

fn not_on_demand(identifier: &str) -> Refusal {
    Refusal::validation(format!(
        "Invocation of model ID {identifier} with on-demand throughput isn’t supported. Retry your request with the \
         ID or ARN of an inference profile that contains this model."
    ))
}

impl Target {
    /// Refuses a stream of a model that answers whole only.
    pub(crate) fn check_streaming(&self, streaming: bool) -> Result<(), Refusal> {
        match streaming && !self.model.streaming {
            true => Err(Refusal::validation("The model is unsupported for streaming.")),
            false => Ok(()),
        }
    }

    /// The shortest prefix that is cached, in tokens.
    pub(crate) fn cache_minimum(&self) -> u64 {
        self.model.cache_min.unwrap_or(self.family.cache_min)
    }
}

impl Model {
    pub(crate) fn arn(&self, region: &str) -> String {
        format!("arn:aws:bedrock:{region}::foundation-model/{}", self.id)
    }

    fn is_in(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|known| known == region)
    }

    pub(crate) fn reads(&self, modality: &str) -> bool {
        self.input.iter().any(|known| known == modality)
    }
}

impl Profile {
    fn system(region: &str, prefix: &str, model: &'static Model) -> Profile {
        let id = format!("{prefix}.{}", model.id);
        let label = if prefix == "global" {
            "Global".to_owned()
        } else {
            prefix.to_uppercase()
        };
        Profile {
            name: name(&format!("{label} {} {}", model.provider, model.name)),
            kind: "SYSTEM_DEFINED",
            arn: format!("arn:aws:bedrock:{region}:{ACCOUNT}:inference-profile/{id}"),
            model,
            model_arns: regions(prefix, region).iter().map(|region| model.arn(region)).collect(),
            id,
        }
    }

    fn application(region: &str, model: &'static Model) -> Profile {
        let id = APPLICATION_PROFILE.0.to_owned();
        Profile {
            name: "simulator application".to_owned(),
            kind: "APPLICATION",
            arn: format!("arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/{id}"),
            model,
            model_arns: vec![model.arn(region)],
            id,
        }
    }
}

impl Default for Family {
    fn default() -> Family {
        Family {
            chat: true,
            history: true,
            system: true,
            system_role: false,
            tools: false,
            tool_choices: Vec::new(),
            tool_streaming: true,
            strict_tools: false,
            mixed_turns: true,
            image_in_tool_result: false,
            documents: false,
            s3: false,
            cache: false,
            cache_1h: false,
            cache_min: 1024,
            structured_output: false,
            prefill: false,
            count_tokens: false,
            sampling: Sampling::Any,
            thinking: Thinking::None,
            reasoning: Reasoning::None,
            efforts: Vec::new(),
            effort_beta: false,
            parallel_off: false,
            stop_sequences: 4,
            extra_fields: ExtraFields::Any,
            strict_model: false,
        }
    }
}

fn one() -> u64 {
    1
}

/// Profiles' names hold letters and digits with single separators between.
fn name(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The profile prefixes that a region has.
fn geographies(region: &str) -> Vec<&'static str> {
    let local: &[&str] = match region {
        _ if region.starts_with("us-gov-") => return vec!["us-gov"],
        "ap-northeast-1" | "ap-northeast-3" => &["apac", "jp"],
        "ap-southeast-2" | "ap-southeast-4" => &["apac", "au"],
        "ap-south-1" | "ap-south-2" => &["apac", "in"],
        _ if region.starts_with("us-") || region.starts_with("ca-") => &["us"],
        _ if region.starts_with("eu-") => &["eu"],
        _ if region.starts_with("ap-") => &["apac"],
        _ => &[],
    };
    local.iter().copied().chain(["global"]).collect()
}

/// Where a profile may send a call: at most five places, the caller's own first.
fn regions<'a>(prefix: &str, own: &'a str) -> Vec<&'a str> {
    let all: &[&str] = match prefix {
        "us" => &["us-east-1", "us-east-2", "us-west-2"],
        "eu" => &["eu-central-1", "eu-west-1", "eu-west-3"],
        "jp" => &["ap-northeast-1", "ap-northeast-3"],
        "au" => &["ap-southeast-2", "ap-southeast-4"],
        "in" => &["ap-south-1", "ap-south-2"],
        "apac" => &["ap-northeast-1", "ap-southeast-1", "ap-southeast-2"],
        _ => &[],
    };
    let others = all.iter().copied().filter(|region| *region != own);
    std::iter::once(own).chain(others).collect()
}

fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the table is part of the program, and a test reads it"
        )]
        serde_json::from_str(include_str!("../models/models.json")).expect("models.json is a table of models")
    });
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(identifier: &str) -> Result<&'static str, String> {
        let resolved = Catalogue::new("us-east-1").resolve(identifier);
        resolved
            .map(|target| target.model.id.as_str())
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn each_model_has_a_known_family() {
        let own = Catalogue::new("us-east-1").resources;
        for model in table().models.iter().chain(own.iter().map(|own| own.model)) {
            assert!(table().families.contains_key(&model.family), "{}", model.id);
        }
    }

    #[test]
    fn ids_profiles_and_arns_of_both_are_found() {
        let nova = "amazon.nova-lite-v1:0";
        for identifier in [
            nova,
            "us.amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
        ] {
            assert_eq!(resolve(identifier), Ok(nova));
        }
        let application = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001";
        assert_eq!(resolve(application), Ok(APPLICATION_PROFILE.1));
    }

    #[test]
    fn what_isnt_here_is_invalid() {
        for identifier in ["gpt-4", "eu.amazon.nova-lite-v1:0", "simulator001"] {
            assert_eq!(
                resolve(identifier),
                Err("The provided model identifier is invalid.".to_owned())
            );
        }
    }

    #[test]
    fn a_bare_id_may_need_a_profile() {
        let message = resolve("anthropic.claude-sonnet-4-6").unwrap_err();
        assert!(
            message.starts_with("Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn’t")
        );
        assert!(resolve("global.anthropic.claude-sonnet-4-6").is_ok());
    }

    #[test]
    fn what_the_account_has_is_called_by_its_arn() {
        let arn = |resource: &str| format!("arn:aws:bedrock:us-east-1:123456789012:{resource}");
        assert_eq!(
            resolve(&arn("provisioned-model/simulator001")),
            Ok("anthropic.claude-3-haiku-20240307-v1:0")
        );
        assert_eq!(
            resolve(&arn("custom-model-deployment/simulator001")),
            Ok("amazon.nova-lite-v1:0")
        );
        assert_eq!(resolve(&arn("imported-model/simllama0001")), Ok("simllama0001"));
        let custom = resolve(&arn("custom-model/amazon.nova-lite-v1:0/simulator001"));
        assert!(
            custom
                .unwrap_err()
                .contains("with on-demand throughput isn’t supported")
        );
        let missing = Catalogue::new("us-east-1").resolve(&arn("provisioned-model/simulator002"));
        assert_eq!(missing.unwrap_err().exception, "ResourceNotFoundException");
    }

    #[test]
    fn a_retired_model_isnt_found() {
        let refusal = Catalogue::new("us-east-1").resolve("amazon.titan-text-premier-v1:0");
        assert_eq!(refusal.unwrap_err().exception, "ResourceNotFoundException");
    }

    #[test]
    fn profiles_follow_the_region() {
        let jp = Catalogue::new("ap-northeast-1");
        assert!(jp.resolve("jp.anthropic.claude-sonnet-4-6").is_ok());
        assert!(jp.resolve("us.anthropic.claude-sonnet-4-6").is_err());
        let resolves = |region: &str, id: &str| Catalogue::new(region).resolve(id).is_ok();
        assert!(resolves("ap-southeast-4", "au.anthropic.claude-sonnet-4-6"));
        assert!(resolves("ap-south-1", "in.moonshotai.kimi-k3"));
        assert!(resolves("ca-central-1", "us.amazon.nova-lite-v1:0"));
        assert!(resolves(
            "us-gov-west-1",
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"
        ));
        assert!(!resolves(
            "us-gov-west-1",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
        ));
    }
}
