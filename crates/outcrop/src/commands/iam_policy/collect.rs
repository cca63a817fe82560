//! From the settings to the rights that they need.

use std::collections::BTreeSet;

use outcrop_server::GuardrailChoice;
use outcrop_server::catalogue::Modality;
use outcrop_server::iam::{ModelUse, Right, guardrail_arn, rights_on_model};
use outcrop_upstream::{Account, Value};

use super::calls::Called;
use super::document::Collected;
use super::features::{
    ACCOUNTS, ANSWERS, API_KEY, CLIENT_GUARDRAILS, FEATURES, GUARDRAILS, KMS, LAMBDA_LOGS, LAMBDA_VPC, LOOK_UP,
    MARKETPLACE, MODEL_LIST, MODERATIONS, OWN_MODEL_LIST, OWN_MODELS, PROMPTS, RERANK, S3_MEDIA, SERVICE_QUOTAS,
    STREAMS, TENANT_ROLES, TOKEN_COUNTING, feature,
};
use super::references::references;
use crate::settings::{Settings, base_guardrail};

/// What an account has of its own, with the operation that tells which model is behind it.
const OWN_KINDS: &[(&str, &str)] = &[
    ("application-inference-profile", "bedrock:GetInferenceProfile"),
    ("provisioned-model", "bedrock:GetProvisionedModelThroughput"),
    ("custom-model", "bedrock:GetCustomModel"),
    ("custom-model-deployment", "bedrock:GetCustomModelDeployment"),
    ("imported-model", "bedrock:GetImportedModel"),
    ("default-prompt-router", "bedrock:GetPromptRouter"),
    ("prompt-router", "bedrock:GetPromptRouter"),
];

/// What is asked for beside the settings.
pub(super) struct Wanted<'a> {
    /// The gateway's region; `*` where it isn't known.
    pub(super) region: &'a str,
    /// The models that may be called; `None` for all.
    pub(super) calls: Option<BTreeSet<Called>>,
    /// The account whose policy is wanted; `None` for the gateway's own.
    pub(super) account: Option<&'a str>,
    /// Where it runs: `lambda`, `lambda-vpc`.
    pub(super) place: Option<&'a str>,
    /// Keys of KMS.
    pub(super) kms_keys: Vec<String>,
    /// The log group of the function.
    pub(super) log_group: &'a str,
}

/// Collects the rights, those that only `--with` asks for too, and says which features the settings are certain to need.
pub(super) fn collect(settings: &Settings, wanted: &Wanted<'_>) -> (Collected, BTreeSet<&'static str>) {
    let mut collector = Collector {
        settings,
        wanted,
        collected: Collected::new(),
    };
    collector.models();
    collector.guardrails();
    if settings.service_quotas {
        collector.add(SERVICE_QUOTAS, "*");
    }
    collector.accounts();
    if wanted.account.is_none() {
        collector.of_the_gateway();
    }
    let certain: BTreeSet<_> = collector.collected.keys().copied().collect();
    collector.optional(&certain);
    (collector.collected, certain)
}

struct Collector<'a> {
    settings: &'a Settings,
    wanted: &'a Wanted<'a>,
    collected: Collected,
}

impl<'a> Collector<'a> {
    /// All actions of a feature on one resource.
    fn add(&mut self, name: &'static str, resource: &str) {
        let actions = feature(name).map(|feature| feature.actions).unwrap_or_default();
        for action in actions {
            self.allow(name, action, resource.to_owned());
        }
    }

    fn allow(&mut self, name: &'static str, action: &str, resource: String) {
        let action = action.to_owned();
        self.collected
            .entry(name)
            .or_default()
            .insert(Right { action, resource });
    }

    fn models(&mut self) {
        match &self.wanted.calls {
            None => self.all_models(),
            Some(calls) => {
                for called in calls
                    .iter()
                    .filter(|called| called.account.as_deref() == self.wanted.account)
                {
                    self.model(called);
                }
            }
        }
    }

    fn all_models(&mut self) {
        let any = "arn:aws:bedrock:*::foundation-model/*";
        for region in self.nameable_regions() {
            let of_account = |kind: &str| format!("arn:aws:bedrock:{region}:*:{kind}/*");
            for name in [ANSWERS, STREAMS] {
                self.add(name, any);
                self.add(name, &of_account("inference-profile"));
            }
            for (kind, describe) in OWN_KINDS {
                // A custom model is called by its deployment.
                if *kind != "custom-model" {
                    self.add(OWN_MODELS, &of_account(kind));
                }
                self.allow(LOOK_UP, describe, of_account(kind));
            }
            // The id of twelve letters that such a profile goes by.
            self.allow(LOOK_UP, "bedrock:GetInferenceProfile", of_account("inference-profile"));
        }
        self.add(TOKEN_COUNTING, any);
        self.allow(RERANK, "bedrock:Rerank", "*".to_owned());
        if self.wanted.account.is_none() {
            self.add(OWN_MODEL_LIST, "*");
        }
    }

    fn model(&mut self, called: &Called) {
        let model = called.base_id.as_deref().and_then(|id| self.settings.models.model(id));
        let gives = |modality| model.is_none_or(|model| model.output.contains(modality));
        let (region, id) = (&called.region, &called.model_id);
        let kind = OWN_KINDS.iter().find(|(kind, _)| id.contains(&format!(":{kind}/")));
        let is_ranking = model.is_some_and(|model| model.output.contains(Modality::Ranking));
        let answers = match (kind, is_ranking) {
            (Some(_), _) => OWN_MODELS,
            (None, true) => RERANK,
            (None, false) => ANSWERS,
        };
        let (whole, streams) = match is_ranking {
            true => (ModelUse::Ranked, false),
            false => (ModelUse::Whole, model.is_none_or(|model| model.streaming)),
        };
        self.take(answers, rights_on_model(region, id, whole));
        if streams && gives(Modality::Text) {
            let name = if kind.is_some() { OWN_MODELS } else { STREAMS };
            self.take(name, rights_on_model(region, id, ModelUse::Streamed));
        }
        if let (true, false, Some(base_id)) = (gives(Modality::Text), is_ranking, &called.base_id) {
            self.take(TOKEN_COUNTING, rights_on_model(region, base_id, ModelUse::Counted));
        }
        if let Some((_, describe)) = kind {
            self.allow(LOOK_UP, describe, id.clone());
            // What a deployment tells is the custom model, which must be asked for its base.
            if id.contains(":custom-model-deployment/") {
                let (before, _) = id.split_once(":custom-model-deployment/").unwrap_or((id, ""));
                self.allow(LOOK_UP, "bedrock:GetCustomModel", format!("{before}:custom-model/*"));
            }
        }
    }

    /// Rights that `explain` would tell, under the feature that they are a part of.
    fn take(&mut self, name: &'static str, rights: Vec<Right>) {
        let is_of_prompts = |right: &Right| right.action == "bedrock:RenderPrompt";
        let is_of_marketplace = |right: &Right| right.action.starts_with("sagemaker:");
        let name = match () {
            () if rights.iter().any(is_of_prompts) => PROMPTS,
            () if rights.iter().any(is_of_marketplace) => MARKETPLACE,
            () => name,
        };
        self.collected.entry(name).or_default().extend(rights);
    }

    /// The regions that a name may choose.
    fn nameable_regions(&self) -> BTreeSet<&'a str> {
        if self.settings.allowed_regions.is_empty() || self.wanted.region == "*" {
            return BTreeSet::from(["*"]);
        }
        let allowed = self.settings.allowed_regions.iter().map(|region| region.as_str());
        allowed.chain(self.called_regions()).collect()
    }

    /// The regions that the settings themselves say.
    fn called_regions(&self) -> BTreeSet<&'a str> {
        let (settings, wanted) = (self.settings, self.wanted);
        let routes = settings.tables.routes.iter().flat_map(|table| &table.route.targets);
        let targets = routes.filter_map(|target| target.region.as_deref());
        let accounts = settings.tables.accounts.iter();
        let accounts = accounts.filter_map(|table| table.account.region.as_deref());
        let calls = wanted.calls.iter().flatten().map(|called| called.region.as_str());
        let listed = settings.regions.iter().map(|region| region.as_str());
        let own = std::iter::once(wanted.region);
        own.chain(targets).chain(accounts).chain(calls).chain(listed).collect()
    }

    fn guardrails(&mut self) {
        let base = base_guardrail(self.settings);
        if base.is_none() && self.wanted.account.is_none() {
            self.add(MODERATIONS, "*");
        }
        let policies = self.settings.policies.iter();
        let of_policies = policies.filter_map(|table| table.rule(Vec::new()).members.guardrail);
        for choice in base.into_iter().chain(of_policies) {
            if let GuardrailChoice::Use { id, .. } = choice {
                let arns = self
                    .called_regions()
                    .into_iter()
                    .map(|region| guardrail_arn(region, &id));
                for arn in arns.collect::<BTreeSet<_>>() {
                    self.add(GUARDRAILS, &arn);
                }
            }
        }
    }

    /// The roles that the wanted identity assumes for accounts.
    fn accounts(&mut self) {
        let accounts: Vec<&Account> = self
            .settings
            .tables
            .accounts
            .iter()
            .map(|table| &table.account)
            .collect();
        for account in accounts {
            let has_keys = account.profile.is_some() || account.access_key_id.is_some();
            let other = has_keys || account.web_identity_token.is_some() || account.api_key.is_some();
            let Some(role) = account.role_arn.as_ref().filter(|_| !other) else {
                continue;
            };
            if account.source_account.as_deref() != self.wanted.account {
                continue;
            }
            let arn = match role {
                Value::Literal(arn) => arn.clone(),
                _ => "arn:aws:iam::*:role/*".to_owned(),
            };
            self.allow(ACCOUNTS, "sts:AssumeRole", arn.clone());
            if !account.session_tags.is_empty() {
                self.allow(ACCOUNTS, "sts:TagSession", arn);
            }
        }
    }

    /// What no other identity is asked for.
    fn of_the_gateway(&mut self) {
        self.add(MODEL_LIST, "*");
        for (name, arn) in references(self.settings, self.wanted.region) {
            self.add(name, &arn);
        }
        for key in &self.wanted.kms_keys {
            self.add(KMS, key);
        }
        if self.settings.bedrock_api_key.is_some() {
            self.add(API_KEY, "*");
        }
        if matches!(self.wanted.place, Some("lambda" | "lambda-vpc")) {
            let arn = format!(
                "arn:aws:logs:{}:*:log-group:{}:*",
                self.wanted.region, self.wanted.log_group
            );
            self.add(LAMBDA_LOGS, &arn);
        }
        if self.wanted.place == Some("lambda-vpc") {
            self.add(LAMBDA_VPC, "*");
        }
    }

    /// What the settings can't tell. It is there in full, and left out later unless it is asked for.
    fn optional(&mut self, kept: &BTreeSet<&str>) {
        for feature in FEATURES
            .iter()
            .filter(|feature| feature.is_optional && !kept.contains(feature.name))
        {
            match feature.name {
                CLIENT_GUARDRAILS => self.add(CLIENT_GUARDRAILS, "arn:aws:bedrock:*:*:guardrail/*"),
                PROMPTS => {
                    self.allow(
                        PROMPTS,
                        "bedrock:RenderPrompt",
                        "arn:aws:bedrock:*:*:prompt/*".to_owned(),
                    );
                    let models = "arn:aws:bedrock:*::foundation-model/*";
                    for name in [ANSWERS, STREAMS] {
                        let actions = feature_actions(name);
                        actions
                            .iter()
                            .for_each(|action| self.allow(PROMPTS, action, models.to_owned()));
                    }
                }
                MARKETPLACE => {
                    let all = "arn:aws:bedrock:*:*:marketplace/model-endpoint/all-access";
                    for action in feature_actions(OWN_MODELS) {
                        self.allow(MARKETPLACE, action, all.to_owned());
                    }
                    let endpoints = "arn:aws:sagemaker:*:*:endpoint/*".to_owned();
                    self.allow(MARKETPLACE, "sagemaker:InvokeEndpoint", endpoints);
                }
                S3_MEDIA => self.add(S3_MEDIA, "arn:aws:s3:::*/*"),
                TENANT_ROLES => self.add(TENANT_ROLES, "arn:aws:iam::*:role/*"),
                _ => {}
            }
        }
    }
}

fn feature_actions(name: &str) -> &'static [&'static str] {
    feature(name).map(|feature| feature.actions).unwrap_or_default()
}
