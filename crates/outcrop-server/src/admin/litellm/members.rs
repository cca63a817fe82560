//! The members of a request, taken one by one: what is left over is nothing that we know.

use outcrop_translate::Problem;
use serde_json::{Map, Value};

use super::super::call::Call;
use super::super::problems::invalid;

/// Members of LiteLLM's that say nothing where they are empty, and what can't be said where they aren't.
const UNKNOWN_HERE: &[(&str, &str)] = &[
    (
        "key",
        "must be left out: keys are made here, so that nobody has seen them before",
    ),
    (
        "new_key",
        "must be left out: keys are made here, so that nobody has seen them before",
    ),
    (
        "new_master_key",
        "must be left out: admin keys are at /admin/v1/admin_keys",
    ),
    ("spend", "must be left out: what was spent is counted, not set"),
    ("config", "has no counterpart here; see 'settings' of /admin/v1/keys"),
    (
        "permissions",
        "has no counterpart here; see 'settings' of /admin/v1/keys",
    ),
    (
        "model_max_budget",
        "has no counterpart here: budgets are for all models of a key",
    ),
    (
        "model_rpm_limit",
        "has no counterpart here: limits are for all models of a key",
    ),
    (
        "model_tpm_limit",
        "has no counterpart here: limits are for all models of a key",
    ),
    ("allowed_cache_controls", "has no counterpart here"),
    (
        "guardrails",
        "has no counterpart here; see 'settings.guardrail' of /admin/v1/keys",
    ),
    ("policies", "has no counterpart here"),
    ("prompts", "has no counterpart here"),
    ("object_permission", "has no counterpart here"),
    ("budget_id", "has no counterpart here: say 'max_budget' itself"),
    (
        "enforced_params",
        "has no counterpart here; see 'settings.parameters' of /admin/v1/keys",
    ),
    ("allowed_passthrough_routes", "has no counterpart here"),
    ("allowed_vector_store_indexes", "has no counterpart here"),
    ("rpm_limit_type", "has no counterpart here: a limit always holds"),
    ("tpm_limit_type", "has no counterpart here: a limit always holds"),
    (
        "router_settings",
        "has no counterpart here: routes are in the gateway's settings",
    ),
    ("access_group_ids", "has no counterpart here: say 'models'"),
    ("auto_rotate", "has no counterpart here: rotate with /key/regenerate"),
    (
        "rotation_interval",
        "has no counterpart here: rotate with /key/regenerate",
    ),
    ("send_invite_email", "has no counterpart here: no mail is sent"),
    ("temp_budget_increase", "has no counterpart here: change 'max_budget'"),
    ("temp_budget_expiry", "has no counterpart here: change 'max_budget'"),
    ("members", "has no counterpart here: there are keys, and no members"),
    ("admins", "has no counterpart here: there are keys, and no members"),
    (
        "members_with_roles",
        "has no counterpart here: there are keys, and no members",
    ),
    (
        "team_member_budget",
        "has no counterpart here: give each key its budget",
    ),
    (
        "team_member_rpm_limit",
        "has no counterpart here: give each key its limit",
    ),
    (
        "team_member_tpm_limit",
        "has no counterpart here: give each key its limit",
    ),
    (
        "team_member_key_duration",
        "has no counterpart here: give each key its duration",
    ),
    (
        "team_member_permissions",
        "has no counterpart here: there are keys, and no members",
    ),
    ("model_aliases", "must be said once: as 'aliases'"),
    ("secret_manager_settings", "has no counterpart here"),
    ("disable_global_guardrails", "has no counterpart here"),
];

/// The members of a request.
#[derive(Debug)]
pub(super) struct Members(Map<String, Value>);

/// A member that may be absent, `null` or a value.
pub(super) type Given<T> = Option<Option<T>>;

impl Members {
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        call.read_or_default().map(Self)
    }

    #[cfg(test)]
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Object(members) => Self(members),
            _ => Self(Map::new()),
        }
    }

    fn take<T>(&mut self, name: &str, what: &str, read: impl Fn(Value) -> Option<T>) -> Result<Given<T>, Problem> {
        match self.0.shift_remove(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(Some(value))),
                None => Err(invalid(name, what)),
            },
        }
    }

    /// A text; an empty one is none.
    pub(super) fn text(&mut self, name: &str) -> Result<Given<String>, Problem> {
        let text = self.take(name, "must be a text", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })?;
        Ok(text.map(|text| text.filter(|text| !text.is_empty())))
    }

    /// A number; LiteLLM takes an empty text for none.
    pub(super) fn number(&mut self, name: &str) -> Result<Given<f64>, Problem> {
        if self.0.get(name).is_some_and(|value| value == "") {
            self.0.insert(name.to_owned(), Value::Null);
        }
        self.take(name, "must be a number", |value| value.as_f64())
    }

    /// A whole number of at least 0.
    pub(super) fn count(&mut self, name: &str) -> Result<Given<u64>, Problem> {
        self.take(name, "must be a whole number", |mut value| {
            outcrop_tenants::validate::make_whole(&mut value);
            value.as_u64()
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Given<bool>, Problem> {
        self.take(name, "must be true or false", |value| value.as_bool())
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Given<Vec<Value>>, Problem> {
        self.take(name, "must be a list", |value| match value {
            Value::Array(items) => Some(items),
            _ => None,
        })
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Given<Vec<String>>, Problem> {
        self.take(name, "must be a list of texts", |value| match value {
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Given<Map<String, Value>>, Problem> {
        self.take(name, "must be an object", |value| match value {
            Value::Object(members) => Some(members),
            _ => None,
        })
    }

    /// Refuses what wasn't taken, unless it says nothing.
    pub(super) fn finish(self) -> Result<(), Problem> {
        for (name, value) in self.0 {
            let known = UNKNOWN_HERE.iter().find(|(known, _)| *known == name);
            match known {
                Some(_) if says_nothing(&value) => {}
                Some((_, what)) => return Err(invalid(&name, *what)),
                None if name.is_empty() => return Err(invalid("''", "is not known")),
                None => return Err(invalid(&name.chars().take(64).collect::<String>(), "is not known")),
            }
        }
        Ok(())
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_said_is_refused_by_name() {
        for good in [
            json!({}),
            json!({"config": {}, "spend": 0, "permissions": null, "send_invite_email": false}),
        ] {
            assert!(Members::of(good).finish().is_ok());
        }
        for (bad, param) in [
            (json!({"config": {"x": 1}}), "config"),
            (json!({"spend": 3.5}), "spend"),
            (json!({"never_heard": null}), "never_heard"),
        ] {
            assert_eq!(Members::of(bad).finish().unwrap_err().param.as_deref(), Some(param));
        }
        let mut members = Members::of(json!({"rpm_limit": "many", "max_budget": "", "key_alias": ""}));
        assert!(members.count("rpm_limit").is_err());
        assert_eq!(members.number("max_budget").unwrap(), Some(None));
        assert_eq!(members.text("key_alias").unwrap(), Some(None));
        assert_eq!(members.text("user_id").unwrap(), None);
        // As in JSON Schema, where 1.0 is an integer.
        let mut members = Members::of(json!({"rpm_limit": 7.0, "tpm_limit": 7.5}));
        assert_eq!(members.count("rpm_limit").unwrap(), Some(Some(7)));
        assert!(members.count("tpm_limit").is_err());
    }
}
