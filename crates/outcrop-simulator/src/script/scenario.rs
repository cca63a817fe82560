//! Scenario files: rules that say what to do on which call.

use serde::Deserialize;

use super::{Action, ActionError};
use crate::world::{Latency, Outage, Parameter, Quota, Role, Secret};

/// The operations that ask a model.
const ASKING: [&str; 5] = [
    "ChatCompletions",
    "Converse",
    "ConverseStream",
    "InvokeModel",
    "InvokeModelWithResponseStream",
];

/// What to do on which call: the first rule that matches a call is followed. And what the world is like meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// If each other region is played too, for whoever signs for it.
    pub other_regions: bool,
    /// What may be used up, by region, account and model.
    pub quotas: Vec<Quota>,
    /// Who is slower than others.
    pub latencies: Vec<Latency>,
    /// When something doesn't work.
    pub outages: Vec<Outage>,
    /// Roles beside those that are built in, or in their place.
    pub roles: Vec<Role>,
    /// Secrets beside those that are built in, or in their place.
    pub secrets: Vec<Secret>,
    /// Parameters beside those that are built in, or in their place.
    pub parameters: Vec<Parameter>,
}

/// A rule of a [`Scenario`]. What isn't given matches any call.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// The operation, such as `ListFoundationModels`; all that ask a model if not given.
    pub operation: Option<String>,
    /// A part of the model's identifier as called.
    pub model: Option<String>,
    /// A part of the last user text.
    pub prompt: Option<String>,
    /// Which of the calls that match the rest, from 1.
    pub calls: Option<Vec<u64>>,
    /// What to do, in order.
    pub actions: Vec<Action>,
}

/// A scenario that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text isn't JSON of the right form.
    #[error("the scenario isn't right: {0}")]
    Json(#[from] serde_json::Error),
    /// The text isn't TOML of the right form.
    #[error("the scenario isn't right: {0}")]
    Toml(#[from] toml::de::Error),
    /// An action isn't one.
    #[error("rule {rule} of the scenario: {source}")]
    Action {
        /// Which rule, from 1.
        rule: usize,
        /// What is wrong with it.
        source: ActionError,
    },
}

impl Scenario {
    /// Reads a scenario, in TOML or in JSON.
    ///
    /// # Errors
    ///
    /// If the text is neither, has an unknown key, or an action that isn't one.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        let file: File = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text)?,
            false => toml::from_str(text)?,
        };
        let rules = file.rules.into_iter().enumerate().map(|(index, row)| {
            row.read().map_err(|source| ScenarioError::Action {
                rule: index + 1,
                source,
            })
        });
        Ok(Scenario {
            rules: rules.collect::<Result<_, _>>()?,
            other_regions: file.other_regions,
            quotas: file.quotas,
            latencies: file.latencies,
            outages: file.outages,
            roles: file.roles,
            secrets: file.secrets,
            parameters: file.parameters,
        })
    }
}

impl Rule {
    /// If a call is one of this rule's, whichever number it has.
    pub(crate) fn matches(&self, operation: &str, model: &str, prompt: &str) -> bool {
        let operation_matches = match &self.operation {
            Some(wanted) => wanted == operation,
            None => ASKING.contains(&operation),
        };
        let holds = |part: &Option<String>, text: &str| part.as_ref().is_none_or(|part| text.contains(part.as_str()));
        operation_matches && holds(&self.model, model) && holds(&self.prompt, prompt)
    }

    pub(crate) fn takes(&self, call: u64) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.contains(&call))
    }

    /// What to do on a call that this rule takes: of a sequence, the step whose turn it is.
    pub(crate) fn actions_on(&self, call: u64) -> Vec<Action> {
        let before = match &self.calls {
            None => usize::try_from(call.saturating_sub(1)).unwrap_or(usize::MAX),
            Some(calls) => calls.iter().filter(|earlier| **earlier < call).count(),
        };
        let mut actions = Vec::new();
        for action in &self.actions {
            match action {
                Action::Sequence { steps, .. } => {
                    let last = steps.len().saturating_sub(1);
                    actions.extend(steps.get(before.min(last)).into_iter().flatten().cloned());
                }
                action => actions.push(action.clone()),
            }
        }
        actions
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    rules: Vec<Row>,
    other_regions: bool,
    quotas: Vec<Quota>,
    latencies: Vec<Latency>,
    outages: Vec<Outage>,
    roles: Vec<Role>,
    secrets: Vec<Secret>,
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    operation: Option<String>,
    model: Option<String>,
    prompt: Option<String>,
    call: Option<Calls>,
    actions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Calls {
    One(u64),
    Many(Vec<u64>),
}

impl Row {
    fn read(self) -> Result<Rule, ActionError> {
        let calls = self.call.map(|call| match call {
            Calls::One(call) => vec![call],
            Calls::Many(calls) => calls,
        });
        let actions = self
            .actions
            .iter()
            .map(|action| Action::parse(action))
            .collect::<Result<_, _>>()?;
        Ok(Rule {
            operation: self.operation,
            model: self.model,
            prompt: self.prompt,
            calls,
            actions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "[[rules]]\nmodel = 'claude'\ncall = [1, 2]\nactions = ['error ThrottlingException']\n";
        let json = r#"{"rules": [{"model": "claude", "call": [1, 2], "actions": ["error ThrottlingException"]}]}"#;
        for text in [toml, json] {
            let scenario = Scenario::parse(text).unwrap();
            let rule = &scenario.rules[0];
            assert!(rule.matches("Converse", "us.anthropic.claude-x", "hi"));
            assert!(!rule.matches("CountTokens", "us.anthropic.claude-x", "hi"));
            assert!(rule.takes(2) && !rule.takes(3));
        }
    }

    #[test]
    fn a_sequence_goes_by_the_calls_that_a_rule_takes() {
        let said = |rule: &str, call: u64| {
            let text = format!("[[rules]]\n{rule}actions = ['sequence A | B ; stop end_turn', 'echo']\n");
            Scenario::parse(&text).unwrap().rules[0].actions_on(call)
        };
        let text = |text: &str| Action::Text(text.to_owned());
        let second = [text("B"), Action::Stop("end_turn".to_owned()), Action::Echo];
        assert_eq!(said("", 1), [text("A"), Action::Echo]);
        assert_eq!(said("", 2), second);
        assert_eq!(said("", 9), second);
        assert_eq!(said("call = [3, 5]\n", 3), [text("A"), Action::Echo]);
        assert_eq!(said("call = [3, 5]\n", 5), second);
    }

    #[test]
    fn the_world_is_read() {
        let text = "other_regions = true\n[[quotas]]\nregion = 'us-east-1'\ntokens_per_minute = 5\nperiod = '10s'\n\
                    [[latencies]]\nfirst_byte = '2s'\n[[outages]]\nuntil = '5s'\nkind = 'not-ready'\n\
                    [[roles]]\narn = 'arn:aws:iam::1:role/a'\nlifetime = '3s'\n\
                    [[secrets]]\nname = 'a'\nvalue = 'b'\n[[parameters]]\nname = '/a'\nvalue = 'b'\nsecure = true\n";
        let scenario = Scenario::parse(text).unwrap();
        let seconds = std::time::Duration::from_secs;
        assert!(scenario.other_regions && scenario.parameters[0].secure);
        assert_eq!(scenario.quotas[0].period, Some(seconds(10)));
        assert_eq!(scenario.latencies[0].first_byte, Some(seconds(2)));
        assert_eq!(scenario.outages[0].until, Some(seconds(5)));
        assert_eq!(scenario.roles[0].lifetime, Some(seconds(3)));
        assert_eq!(scenario.secrets[0].value, "b");
        let wrong = Scenario::parse("[[outages]]\nuntil = 'soon'").unwrap_err().to_string();
        assert!(wrong.contains("isn't a duration"), "{wrong}");
    }

    #[test]
    fn mistakes_are_told() {
        let unknown = Scenario::parse("[[rules]]\nmodle = 'x'\nactions = []")
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("modle"), "{unknown}");
        let action = Scenario::parse("[[rules]]\nactions = ['fly']").unwrap_err().to_string();
        assert!(
            action.starts_with("rule 1 of the scenario: the simulator doesn't understand `fly`"),
            "{action}"
        );
    }
}
