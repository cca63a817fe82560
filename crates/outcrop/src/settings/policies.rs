//! `[[policies]]`: the tables in the file that change the policy for some models and keys.

use std::fmt::Write;

use outcrop_server::{Api, GuardrailChoice, ModelPattern, OnUnsupported, PolicyMembers, PolicyRule, PromptCaching};
use outcrop_server::{StreamMode, Trace};
use serde_json::{Value as Json, json};
use toml::de::{DeTable, DeValue};

use super::file::raw;
use super::kind::Kind;
use super::kinds::{ApiKey, GuardrailId, GuardrailVersion, List};
use super::layers::{Origin, Value, complaint};
use super::nearest::{nearest, unknown};
use super::problem::Problems;
use super::table::{Effective, Setting, Settings};

/// The key in the file.
pub(super) const POLICIES: &str = "policies";

/// The keys that say whom a table is for.
const SCOPE: &[&str] = &["models", "keys"];

/// The keys that say what: settings by the same names.
const MEMBERS: &[&str] = &[
    "on_unsupported",
    "prompt_caching",
    "bedrock_api",
    "guardrail_id",
    "guardrail_version",
    "guardrail_trace",
    "guardrail_stream_mode",
];

/// One table, in order.
#[derive(Clone, Debug)]
pub(crate) struct PolicyTable {
    /// For the server, but for its keys.
    rule: PolicyRule,
    /// The keys of those whom it is for.
    pub(crate) keys: Vec<ApiKey>,
    /// Its keys with their values as JSON, secrets masked.
    shown: Vec<(&'static str, Json)>,
    origin: Origin,
}

impl PolicyTable {
    /// The rule, for those who show one of these keys.
    pub(crate) fn rule(&self, keys: Vec<String>) -> PolicyRule {
        PolicyRule {
            keys,
            ..self.rule.clone()
        }
    }

    /// Whether it is for some models only.
    pub(crate) fn is_by_model(&self) -> bool {
        !self.rule.models.is_empty()
    }

    /// Where it stands.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// Reads all tables. `at` gives the place of an offset in the file.
pub(super) fn read(
    value: &DeValue<'_>,
    origin: Origin,
    at: &dyn Fn(usize) -> Origin,
    problems: &mut Problems,
) -> Vec<PolicyTable> {
    let DeValue::Array(items) = value else {
        problems.add(origin, "policies: expected tables, each under the line `[[policies]]`");
        return Vec::new();
    };
    let mut tables = Vec::new();
    for item in items.iter() {
        let origin = at(item.span().start);
        match item.get_ref() {
            DeValue::Table(table) => tables.push(TableReader::read(table, origin, at, problems)),
            _ => problems.add(origin, "policies: expected tables, each under the line `[[policies]]`"),
        }
    }
    tables
}

/// Reads one table key by key.
struct TableReader<'a> {
    table: &'a DeTable<'a>,
    at: &'a dyn Fn(usize) -> Origin,
    problems: &'a mut Problems,
    shown: Vec<(&'static str, Json)>,
}

impl<'a> TableReader<'a> {
    fn read(
        table: &'a DeTable<'a>,
        origin: Origin,
        at: &'a dyn Fn(usize) -> Origin,
        problems: &'a mut Problems,
    ) -> PolicyTable {
        let mut reader = Self {
            table,
            at,
            problems,
            shown: Vec::new(),
        };
        reader.refuse_unknown();
        let models = reader.take::<List<ModelPattern>>("models");
        let keys = reader.take::<Vec<ApiKey>>("keys");
        reader.refuse_empty("models", models.as_ref().is_some_and(|models| models.is_empty()));
        reader.refuse_empty("keys", keys.as_ref().is_some_and(Vec::is_empty));
        let members = PolicyMembers {
            on_unsupported: reader.take::<OnUnsupported>("on_unsupported"),
            prompt_caching: reader.take::<PromptCaching>("prompt_caching"),
            guardrail: reader.guardrail(),
            guardrail_trace: reader.take::<Trace>("guardrail_trace"),
            guardrail_stream_mode: reader.take::<StreamMode>("guardrail_stream_mode"),
            bedrock_api: reader.take::<Api>("bedrock_api"),
        };
        PolicyTable {
            rule: PolicyRule {
                models: models.map(|models| models.to_vec()).unwrap_or_default(),
                keys: Vec::new(),
                members,
            },
            keys: keys.unwrap_or_default(),
            shown: reader.shown,
            origin,
        }
    }

    fn refuse_unknown(&mut self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            let mut known = SCOPE.iter().chain(MEMBERS);
            if !known.any(|known| *known == name) {
                let names = SCOPE.iter().chain(MEMBERS).map(|name| (*name).to_owned());
                let message = unknown("key", name, nearest(name, names));
                self.problems
                    .add((self.at)(key.span().start), format!("policies: {message}"));
            }
        }
    }

    /// The value of a key, if it is there and valid.
    fn take<T: Kind>(&mut self, name: &'static str) -> Option<T> {
        let value = self.table.get(name)?;
        let raw = raw(value, self.at);
        match T::from_file(&raw) {
            Ok(taken) => {
                self.shown.push((name, taken.show().unwrap_or(json!(""))));
                Some(taken)
            }
            Err(invalid) => {
                let complaint = complaint::<T>(name, &Value::File(raw), &invalid);
                self.problems
                    .add((self.at)(value.span().start), format!("policies.{complaint}"));
                None
            }
        }
    }

    fn guardrail(&mut self) -> Option<GuardrailChoice> {
        let id = self.take::<Option<GuardrailId>>("guardrail_id");
        let version = self.take::<GuardrailVersion>("guardrail_version");
        match (id, version) {
            (Some(Some(id)), Some(version)) => Some(use_guardrail(&id, &version)),
            (Some(None), None) => Some(GuardrailChoice::Nothing),
            (Some(None), Some(_)) => {
                self.complain("guardrail_version", "there is none of no guardrail");
                None
            }
            (Some(Some(_)), None) if !self.table.contains_key("guardrail_version") => {
                self.complain(
                    "guardrail_id",
                    "a guardrail needs its guardrail_version, in the same table",
                );
                None
            }
            (None, Some(_)) if !self.table.contains_key("guardrail_id") => {
                self.complain(
                    "guardrail_version",
                    "a version needs its guardrail_id, in the same table",
                );
                None
            }
            // Absent, or complained about already.
            _ => None,
        }
    }

    /// A list that is there and empty would make a table for nobody, or be meant for everybody.
    fn refuse_empty(&mut self, name: &str, is_empty: bool) {
        if is_empty {
            self.complain(name, "the list is empty; leave it out if the table is for all");
        }
    }

    fn complain(&mut self, name: &str, message: &str) {
        if let Some(value) = self.table.get(name) {
            self.problems
                .add((self.at)(value.span().start), format!("policies.{name}: {message}"));
        }
    }
}

fn use_guardrail(id: &GuardrailId, version: &GuardrailVersion) -> GuardrailChoice {
    GuardrailChoice::Use {
        id: id.as_str().to_owned(),
        version: version.as_str().to_owned(),
    }
}

/// The guardrail of the settings that stand outside of tables.
pub(crate) fn base_guardrail(settings: &Settings) -> Option<GuardrailChoice> {
    let (id, version) = (settings.guardrail_id.as_ref()?, settings.guardrail_version.as_ref()?);
    Some(use_guardrail(id, version))
}

/// What can only be wrong with several settings together.
pub(super) fn check(settings: &Settings, effective: &[Effective]) -> Problems {
    let mut problems = Problems::default();
    let origin = |name: &str| {
        let mut rows = effective.iter();
        rows.find(|row| row.setting.name == name)
            .map_or(Origin::Default, |row| row.origin.clone())
    };
    match (&settings.guardrail_id, &settings.guardrail_version) {
        (Some(_), None) => problems.add(
            origin("guardrail_id"),
            "guardrail_id: a guardrail needs its guardrail_version",
        ),
        (None, Some(_)) => problems.add(
            origin("guardrail_version"),
            "guardrail_version: a version needs its guardrail_id",
        ),
        _ => {}
    }
    // A key that can't get in is a typo, and whoever has the right one would go without the policy.
    let api_keys = &settings.api_keys;
    let is_known = |key: &ApiKey| api_keys.is_empty() || api_keys.contains(key);
    // What a reference stands for is known at the start, where this is looked at again.
    let is_open = api_keys.iter().any(ApiKey::is_reference);
    for table in &settings.policies {
        if !table
            .keys
            .iter()
            .all(|key| is_known(key) || is_open || key.is_reference())
        {
            problems.add(table.origin.clone(), "policies.keys: a key is not one of `api_keys`");
        }
    }
    problems
}

/// Adds the tables to a page of the effective settings.
pub(super) fn print(page: &mut String, tables: &[PolicyTable]) {
    for table in tables {
        let _ = writeln!(page, "\n{:<44} # {}", "[[policies]]", table.origin);
        for (name, value) in &table.shown {
            let _ = writeln!(page, "{name} = {value}");
        }
    }
}

/// The JSON Schema of all tables.
pub(super) fn schema() -> Json {
    let mut properties = json!({
        "models": {
            "type": "array",
            "items": { "type": "string", "minLength": 1 },
            "minItems": 1,
            "description": "The models that the table is for, with * for any text; all if absent.",
        },
        "keys": {
            "type": "array",
            "items": { "type": "string", "pattern": "^[!-~]+$" },
            "minItems": 1,
            "writeOnly": true,
            "description": "The API keys whose callers the table is for; all if absent.",
        },
    });
    for setting in MEMBERS.iter().filter_map(|name| Setting::named(name)) {
        let mut property = (setting.schema)();
        property["description"] = json!(setting.summary());
        properties[setting.name] = property;
    }
    json!({
        "type": "array",
        "items": { "type": "object", "properties": properties, "additionalProperties": false },
        "description": "Policies for some models and keys. Later tables win over earlier ones, key by key.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_settings() {
        for name in MEMBERS {
            assert!(Setting::named(name).is_some(), "{name}");
        }
    }
}
