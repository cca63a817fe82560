//! What holds for the one that came in: organization, project and key laid over one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_tenants::limits::{Scope, ScopeLimits};
use outcrop_tenants::{Credential, GuardrailSetting, Organization, Project, Settings};
use outcrop_translate::policy::{OnUnsupported, PromptCaching, StreamMode, Trace};
use outcrop_translate::{Problem, ProblemKind};
use outcrop_upstream::{Account, Value};

use super::directory::is_active;
use super::rights::Rights;
use crate::policy::{GuardrailChoice, PolicyMembers};

/// Tags of a role's session that say whose calls they are.
const ORGANIZATION_TAG: &str = "outcrop:organization";
const PROJECT_TAG: &str = "outcrop:project";

/// A key or login with all that holds for it.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) organization: Arc<Organization>,
    pub(crate) project: Arc<Project>,
    pub(crate) credential: Arc<Credential>,
    /// What may be asked for.
    pub(crate) rights: Rights,
    /// How requests are treated.
    pub(crate) policy: PolicyMembers,
    /// Members for requests that lack them, as the text of a JSON object.
    pub(crate) parameters: Option<String>,
    /// For Bedrock's request metadata, and records of usage.
    pub(crate) metadata: Arc<[(String, String)]>,
    /// Names of models of its own.
    aliases: BTreeMap<String, String>,
    /// The account of the settings by which Bedrock is asked.
    pub(crate) account: Option<String>,
    /// The region that is asked.
    pub(crate) region: Option<String>,
    /// A role that is assumed for its calls.
    pub(crate) role: Option<Box<Account>>,
    /// What may pass within a time, and what may be spent.
    pub(crate) limits: [ScopeLimits; 3],
}

impl Tenant {
    /// Whether a budget may refuse its requests.
    pub(crate) fn has_hard_budget(&self) -> bool {
        self.limits.iter().any(|scope| scope.limits.has_hard_budget())
    }

    pub(super) fn new(organization: &Arc<Organization>, project: &Arc<Project>, credential: &Arc<Credential>) -> Self {
        // From the farthest to the nearest.
        let levels = [&organization.settings, &project.settings, &credential.settings];
        let mut tenant = Self {
            organization: Arc::clone(organization),
            project: Arc::clone(project),
            credential: Arc::clone(credential),
            rights: Rights::default(),
            policy: PolicyMembers::default(),
            parameters: None,
            metadata: Arc::from([]),
            aliases: BTreeMap::new(),
            account: None,
            region: None,
            role: None,
            limits: [
                ScopeLimits::new(Scope::Organization, &organization.id, &organization.name, levels[0]),
                ScopeLimits::new(Scope::Project, &project.id, &project.name, levels[1]),
                ScopeLimits::new(Scope::Key, &credential.id, &credential.name, levels[2]),
            ],
        };
        let mut parameters = serde_json::Map::new();
        let mut metadata = BTreeMap::new();
        for settings in levels {
            tenant.rights.add(settings);
            tenant.add_policy(settings);
            parameters.extend(settings.parameters.clone());
            metadata.extend(settings.metadata.clone());
            tenant.aliases.extend(settings.aliases.clone());
            for (own, said) in [
                (&mut tenant.account, &settings.account),
                (&mut tenant.region, &settings.region),
            ] {
                if said.is_some() {
                    own.clone_from(said);
                }
            }
        }
        tenant.role = role(levels, organization, project, tenant.account.as_deref());
        tenant.metadata = metadata.into_iter().collect();
        tenant.parameters = (!parameters.is_empty()).then(|| serde_json::Value::Object(parameters).to_string());
        tenant
    }

    fn add_policy(&mut self, settings: &Settings) {
        let policy = &mut self.policy;
        let put = |text: &Option<String>, what| text.as_deref().map(|text| (text.to_owned(), what));
        if let Some((text, _)) = put(&settings.on_unsupported, "on_unsupported") {
            policy.on_unsupported = OnUnsupported::from_name(&text).or(policy.on_unsupported);
        }
        if let Some((text, _)) = put(&settings.prompt_caching, "prompt_caching") {
            policy.prompt_caching = PromptCaching::from_name(&text).or(policy.prompt_caching);
        }
        if let Some(GuardrailSetting {
            id,
            version,
            trace,
            stream_mode,
        }) = &settings.guardrail
        {
            policy.guardrail = Some(GuardrailChoice::Use {
                id: id.clone(),
                version: version.clone(),
            });
            policy.guardrail_trace = trace.as_deref().and_then(Trace::from_name);
            policy.guardrail_stream_mode = stream_mode.as_deref().and_then(StreamMode::from_name);
        }
    }

    /// Whether it may be used now, in seconds since 1970: all three must be.
    pub(crate) fn is_active(&self, now: i64) -> bool {
        is_active(self.organization.status, None, now)
            && is_active(self.project.status, None, now)
            && is_active(self.credential.status, self.credential.expires_at, now)
    }

    /// Refuses a request whose headers name a guardrail, where there is one already.
    pub(crate) fn check_guardrail(&self, names_guardrail: bool) -> Result<(), Problem> {
        if !names_guardrail || self.policy.guardrail.is_none() {
            return Ok(());
        }
        let message = "The guardrail of this API key is fixed: a request may not name one.";
        Err(Problem::new(403, ProblemKind::Permission, message).with_code("guardrail_fixed"))
    }

    /// Whether Bedrock is asked in a way of its own.
    pub(crate) fn has_own_login(&self) -> bool {
        self.account.is_some() || self.region.is_some() || self.role.is_some()
    }

    /// What a name of a model means that is the tenant's own.
    pub(crate) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str)
    }

    /// All names of models of its own.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(name, model)| (name.as_str(), model.as_str()))
    }
}

/// The nearest role that is to be assumed, with tags of all levels, by which AWS can split its bill.
fn role(
    levels: [&Settings; 3],
    organization: &Organization,
    project: &Project,
    source: Option<&str>,
) -> Option<Box<Account>> {
    let with_role = levels.into_iter().rev().find(|settings| settings.role_arn.is_some())?;
    let mut tags = BTreeMap::from([
        (ORGANIZATION_TAG.to_owned(), tag_value(&organization.name)),
        (PROJECT_TAG.to_owned(), tag_value(&project.name)),
    ]);
    for settings in levels {
        tags.extend(settings.session_tags.clone());
    }
    Some(Box::new(Account {
        role_arn: with_role.role_arn.clone().map(Value::Literal),
        external_id: with_role.external_id.clone().map(Value::Literal),
        role_session_name: Some(Value::Literal(session_name(&organization.name, &project.name))),
        session_tags: tags.into_iter().collect(),
        source_account: source.map(ToOwned::to_owned),
        ..Account::default()
    }))
}

/// A name in the pattern of STS' `RoleSessionName`: 2 to 64 of `[\w+=,.@-]` (STS API reference, `AssumeRole`, 2026-11).
fn session_name(organization: &str, project: &str) -> String {
    let fit = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '+' | '=' | ',' | '.' | '@' | '-' => letter,
        _ => '-',
    };
    format!("outcrop-{organization}-{project}")
        .chars()
        .map(fit)
        .take(64)
        .collect()
}

/// A value in the pattern of STS' session tags: at most 256 of letters, digits, spaces and `_.:/=+-@` (STS API reference,
/// `Tag`, 2026-11).
fn tag_value(text: &str) -> String {
    let fit = |letter: char| match letter {
        letter if letter.is_alphanumeric() => letter,
        ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@' => letter,
        _ => '_',
    };
    text.chars().map(fit).take(256).collect()
}
