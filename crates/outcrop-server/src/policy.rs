//! Which policy a request gets: the gateway's own, changed by rules for models and callers.

use std::fmt;

pub use outcrop_translate::catalogue::Api;
pub use outcrop_translate::policy::{Guardrail, OnUnsupported, Policy, PromptCaching, StreamMode, Trace};
pub use outcrop_translate::resolve::NamePattern as ModelPattern;
use subtle::{Choice, ConstantTimeEq as _};

/// The policy of all requests, and its exceptions.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// For all models and callers.
    pub base: PolicyMembers,
    /// For some, in the order in which they apply.
    pub rules: Vec<PolicyRule>,
}

/// Members of a [`Policy`] for some models and callers.
#[derive(Clone, Default)]
pub struct PolicyRule {
    /// The models that it is for; all if there are none.
    pub models: Vec<ModelPattern>,
    /// The callers that it is for, by their API keys; all if there are none.
    pub keys: Vec<String>,
    /// What it sets.
    pub members: PolicyMembers,
}

/// A [`Policy`] of which not all need be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyMembers {
    /// What to do with what a model can't.
    pub on_unsupported: Option<OnUnsupported>,
    /// Where prompts are cached.
    pub prompt_caching: Option<PromptCaching>,
    /// Which guardrail.
    pub guardrail: Option<GuardrailChoice>,
    /// Whether answers tell what the guardrail did.
    pub guardrail_trace: Option<Trace>,
    /// How the guardrail works on streams.
    pub guardrail_stream_mode: Option<StreamMode>,
    /// The API by which Bedrock is asked.
    pub bedrock_api: Option<Api>,
}

/// A guardrail, or that there is to be none. A version means nothing without its id, so they are one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardrailChoice {
    /// None, whatever was said before.
    Nothing,
    /// This one.
    Use {
        /// Its id or ARN.
        id: String,
        /// A number, or `DRAFT`.
        version: String,
    },
}

impl Policies {
    /// The policy for a model with these names, and for the caller with this key. Later rules win over earlier ones,
    /// member by member. A model is opaque where nobody can tell what is behind its name: it gets the guardrails that are
    /// meant for some models, since it may be one of them. What is said for the caller itself, `nearest`, wins.
    pub fn resolve(
        &self,
        names: &[&str],
        is_opaque: bool,
        key: Option<&str>,
        nearest: Option<&PolicyMembers>,
    ) -> Policy {
        let mut resolved = self.base.clone();
        for rule in self.rules.iter().filter(|rule| rule.is_for_key(key)) {
            if rule.is_for_model(names) {
                resolved.override_with(&rule.members);
            } else if is_opaque && matches!(rule.members.guardrail, Some(GuardrailChoice::Use { .. })) {
                resolved.override_with(&PolicyMembers {
                    guardrail: rule.members.guardrail.clone(),
                    guardrail_trace: rule.members.guardrail_trace,
                    guardrail_stream_mode: rule.members.guardrail_stream_mode,
                    ..PolicyMembers::default()
                });
            }
        }
        if let Some(nearest) = nearest {
            resolved.override_with(nearest);
        }
        resolved.into_policy()
    }
}

impl PolicyRule {
    fn is_for_model(&self, names: &[&str]) -> bool {
        let is_meant = |pattern: &ModelPattern| names.iter().any(|name| pattern.matches(name));
        self.models.is_empty() || self.models.iter().any(is_meant)
    }

    fn is_for_key(&self, key: Option<&str>) -> bool {
        self.keys.is_empty() || key.is_some_and(|key| self.names(key))
    }

    /// Compares as `access` does: the time tells nothing of where keys differ.
    fn names(&self, key: &str) -> bool {
        let named = self.keys.iter().fold(Choice::from(0), |named, own| {
            named | own.as_bytes().ct_eq(key.as_bytes())
        });
        named.into()
    }
}

impl fmt::Debug for PolicyRule {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRule")
            .field("models", &self.models)
            .field("keys", &self.keys.len())
            .field("members", &self.members)
            .finish()
    }
}

impl PolicyMembers {
    fn override_with(&mut self, other: &PolicyMembers) {
        fn put<T: Clone>(member: &mut Option<T>, other: &Option<T>) {
            if other.is_some() {
                member.clone_from(other);
            }
        }
        put(&mut self.on_unsupported, &other.on_unsupported);
        put(&mut self.prompt_caching, &other.prompt_caching);
        put(&mut self.guardrail, &other.guardrail);
        put(&mut self.guardrail_trace, &other.guardrail_trace);
        put(&mut self.guardrail_stream_mode, &other.guardrail_stream_mode);
        put(&mut self.bedrock_api, &other.bedrock_api);
    }

    fn into_policy(self) -> Policy {
        let guardrail = match self.guardrail {
            Some(GuardrailChoice::Use { id, version }) => Some(Guardrail {
                id,
                version,
                trace: self.guardrail_trace,
                stream_mode: self.guardrail_stream_mode,
            }),
            Some(GuardrailChoice::Nothing) | None => None,
        };
        Policy {
            on_unsupported: self.on_unsupported.unwrap_or_default(),
            prompt_caching: self.prompt_caching.unwrap_or_default(),
            guardrail,
            bedrock_api: self.bedrock_api,
            ..Policy::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(models: &[&str], keys: &[&str], members: PolicyMembers) -> PolicyRule {
        PolicyRule {
            models: models.iter().map(|text| text.parse().unwrap()).collect(),
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            members,
        }
    }

    fn caching(prompt_caching: PromptCaching) -> PolicyMembers {
        PolicyMembers {
            prompt_caching: Some(prompt_caching),
            ..PolicyMembers::default()
        }
    }

    fn guardrail(id: &str) -> PolicyMembers {
        PolicyMembers {
            guardrail: Some(GuardrailChoice::Use {
                id: id.to_owned(),
                version: "1".to_owned(),
            }),
            ..PolicyMembers::default()
        }
    }

    #[test]
    fn later_rules_win_member_by_member() {
        let mut both = guardrail("second");
        both.prompt_caching = Some(PromptCaching::Off);
        let policies = Policies {
            base: caching(PromptCaching::Auto),
            rules: vec![
                rule(&["*claude*"], &[], guardrail("first")),
                rule(&[], &["sk-a", "sk-b"], both),
                rule(&["*haiku*"], &["sk-b"], caching(PromptCaching::Explicit)),
            ],
        };
        let resolve = |model, key| {
            let policy = policies.resolve(&[model], false, key, None);
            (policy.prompt_caching, policy.guardrail.map(|guardrail| guardrail.id))
        };
        let id = |id: &str| Some(id.to_owned());
        assert_eq!(resolve("nova", None), (PromptCaching::Auto, None));
        assert_eq!(resolve("nova", Some("sk-c")), (PromptCaching::Auto, None));
        assert_eq!(resolve("claude-haiku", None), (PromptCaching::Auto, id("first")));
        assert_eq!(
            resolve("claude-haiku", Some("sk-a")),
            (PromptCaching::Off, id("second"))
        );
        assert_eq!(
            resolve("claude-haiku", Some("sk-b")),
            (PromptCaching::Explicit, id("second"))
        );
        assert_eq!(resolve("nova", Some("sk-b")), (PromptCaching::Off, id("second")));
        assert_eq!(resolve("nova", Some("sk-")), (PromptCaching::Auto, None));
    }

    #[test]
    fn how_a_guardrail_works_may_be_said_apart_from_which() {
        let mut base = guardrail("base");
        base.guardrail_trace = Some(Trace::Enabled);
        let exempt = PolicyMembers {
            guardrail: Some(GuardrailChoice::Nothing),
            ..PolicyMembers::default()
        };
        let streamed = PolicyMembers {
            guardrail_stream_mode: Some(StreamMode::Async),
            ..PolicyMembers::default()
        };
        let policies = Policies {
            base,
            rules: vec![rule(&["embed*"], &[], exempt), rule(&[], &[], streamed)],
        };
        assert_eq!(
            policies.resolve(&["nova"], false, None, None).guardrail,
            Some(Guardrail {
                id: "base".to_owned(),
                version: "1".to_owned(),
                trace: Some(Trace::Enabled),
                stream_mode: Some(StreamMode::Async),
            })
        );
        assert_eq!(policies.resolve(&["embed-1"], false, None, None).guardrail, None);
    }

    #[test]
    fn with_nothing_said_the_defaults_hold() {
        let policy = Policies::default().resolve(&["nova"], false, None, None);
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.on_unsupported, OnUnsupported::Adapt);
        assert_eq!(policy.prompt_caching, PromptCaching::Explicit);
    }

    #[test]
    fn a_key_never_shows() {
        let rule = rule(&["*"], &["sk-secret"], PolicyMembers::default());
        assert!(!format!("{rule:?}").contains("sk-secret"));
    }

    #[test]
    fn whoever_may_be_guarded_is() {
        let mut members = guardrail("claudes");
        members.prompt_caching = Some(PromptCaching::Off);
        let policies = Policies {
            base: PolicyMembers::default(),
            rules: vec![rule(&["*claude*"], &[], members)],
        };
        let opaque = policies.resolve(&["arn:x"], true, None, None);
        assert_eq!(
            opaque.guardrail.map(|guardrail| guardrail.id).as_deref(),
            Some("claudes")
        );
        assert_eq!(opaque.prompt_caching, PromptCaching::default());
        assert_eq!(policies.resolve(&["nova"], false, None, None).guardrail, None);
    }
}
