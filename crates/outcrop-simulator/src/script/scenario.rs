//! Scenario files: rules that say what to do on which call.

use serde::Deserialize;

use super::{Action, ActionError};

/// The operations that ask a model.
const ASKING: [&str; 5] = [
    "ChatCompletions",
    "Converse",
    "ConverseStream",
    "InvokeModel",
    "InvokeModelWithResponseStream",
];

/// What to do on which call: the first rule that matches a call is followed.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// The rules, in order.
    pub rules: Vec<Rule>,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Vec<Row>,
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
