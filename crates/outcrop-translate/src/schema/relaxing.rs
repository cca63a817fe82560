//! Limits that Claude's structured output and strict tools refuse to take, told in words instead.

use serde_json::{Map, Value};

use super::places;

/// Keywords that are refused (Anthropic's documentation, structured outputs, read 2026-11). The answer is checked
/// against the whole schema all the same.
const REFUSED: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
];

/// Takes what is refused out of the schema, and tells it in the descriptions. Whether anything was changed.
pub fn relax(schema: &mut Value) -> bool {
    let Value::Object(members) = schema else {
        return false;
    };
    let mut changed = relax_one(members);
    places::visit_mut(members, |_, schema| changed |= relax(schema));
    changed
}

fn relax_one(members: &mut Map<String, Value>) -> bool {
    let mut told = Vec::new();
    members.retain(|keyword, rule| {
        let is_refused = match keyword.as_str() {
            // One item at least is all that can be asked for.
            "minItems" => rule.as_u64().is_none_or(|least| least > 1),
            "pattern" => rule.as_str().is_some_and(has_look_around),
            keyword => REFUSED.contains(&keyword),
        };
        if is_refused && keyword != "default" {
            told.push(format!("{keyword}: {rule}"));
        }
        !is_refused
    });
    // Each of several means any of them here: the answer is checked for the rest.
    let alternatives = if members.contains_key("anyOf") {
        None
    } else {
        members.remove("oneOf")
    };
    let has_alternatives = alternatives.is_some();
    if let Some(alternatives) = alternatives {
        members.insert("anyOf".to_owned(), alternatives);
    }
    if told.is_empty() {
        return has_alternatives;
    }
    let limits = told.join(", ");
    let description = match members.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description} ({limits})"),
        None => limits,
    };
    members.insert("description".to_owned(), description.into());
    true
}

fn has_look_around(pattern: &str) -> bool {
    ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|mark| pattern.contains(mark)) || has_back_reference(pattern)
}

fn has_back_reference(pattern: &str) -> bool {
    pattern
        .as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'\\', b'1'..=b'9']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_told_in_words_wherever_they_stand() {
        let mut schema = json!({"type": "object", "properties": {
            "age": {"type": "integer", "minimum": 0, "maximum": 150, "description": "In years."},
            "tags": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "minLength": 2}},
            "kind": {"oneOf": [{"const": "a"}, {"const": "b"}]},
            "minimum": {"type": "number"},
        }, "$defs": {"code": {"pattern": "^(?=a)b"}, "plain": {"pattern": "^a+$"}}});
        assert!(relax(&mut schema));
        assert_eq!(
            schema,
            json!({"type": "object", "properties": {
                "age": {"type": "integer", "description": "In years. (minimum: 0, maximum: 150)"},
                "tags": {"type": "array", "minItems": 1, "description": "maxItems: 3",
                    "items": {"type": "string", "description": "minLength: 2"}},
                "kind": {"anyOf": [{"const": "a"}, {"const": "b"}]},
                "minimum": {"type": "number"},
            }, "$defs": {"code": {"description": "pattern: \"^(?=a)b\""}, "plain": {"pattern": "^a+$"}}})
        );
        assert!(!relax(
            &mut json!({"type": "object", "properties": {"a": {"type": "string"}}})
        ));
    }
}
