//! Changes of what is there: JSON Merge Patch (RFC 7396), and tags by which nobody overwrites what they haven't seen.

use outcrop_tenants::Settings;
use outcrop_tenants::validate::{self, Fault};
use outcrop_translate::Problem;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::problems;

/// A member that may be absent, `null` or a value: `None`, `Some(None)`, `Some(Some(…))`.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What settings become by a patch. `null` takes a member away, and all of them where it stands alone.
pub(super) fn settings(current: &Settings, patch: Option<Option<Value>>) -> Result<Settings, Problem> {
    let merged = match patch {
        None => return Ok(current.clone()),
        Some(None) => Value::Object(Map::new()),
        Some(Some(patch @ Value::Object(_))) => {
            let mut merged = serde_json::to_value(current).unwrap_or_default();
            merge(&mut merged, patch);
            merged
        }
        Some(Some(_)) => return Err(problems::invalid("settings", "must be an object")),
    };
    validate::read_settings(merged).map_err(|fault: Fault| problems::of_fault(fault.within("settings")))
}

/// RFC 7396, section 2.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.shift_remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// What tells a state from others: RFC 9110's entity tag.
pub(super) fn tag(state: &Value) -> String {
    let hash = digest(&SHA256, state.to_string().as_bytes());
    let hex: String = hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_is_laid_over_as_the_rfc_says() {
        // RFC 7396, appendix A.
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, expected, "{target} {patch}");
        }
    }

    #[test]
    fn settings_are_changed_member_by_member() {
        let old = validate::read_settings(json!({"region": "eu-west-1", "metadata": {"a": "1", "b": "2"}})).unwrap();
        let patched = |patch: Value| settings(&old, Some(Some(patch)));
        let new = patched(json!({"region": null, "metadata": {"a": null, "c": "3"}})).unwrap();
        assert_eq!(new.region, None);
        assert_eq!(
            serde_json::to_value(&new.metadata).unwrap(),
            json!({"b": "2", "c": "3"})
        );
        assert_eq!(settings(&old, None).unwrap(), old);
        assert_eq!(settings(&old, Some(None)).unwrap(), Settings::default());
        let wrong = patched(json!({"budgets": [{"period": "month", "limit_usd": -1}]})).unwrap_err();
        assert_eq!(wrong.param.as_deref(), Some("settings.budgets[0].limit_usd"));
        assert_eq!(patched(json!([])).unwrap_err().param.as_deref(), Some("settings"));
    }

    #[test]
    fn states_have_tags() {
        assert_eq!(tag(&json!({"a": 1})), tag(&json!({"a": 1})));
        assert_ne!(tag(&json!({"a": 1})), tag(&json!({"a": 2})));
    }
}
