//! What Claude's own server says of schemas that its answers shall follow.

use serde_json::{Map, Value};

/// What is wrong with a schema that an answer, or a strict tool's arguments, must follow; from Anthropic's page on
/// structured outputs, read 2026-11.
pub(super) fn complaint(schema: &Value) -> Option<String> {
    match schema {
        Value::Array(items) => items.iter().find_map(complaint),
        Value::Object(fields) => of_object(fields),
        _ => None,
    }
}

fn of_object(fields: &Map<String, Value>) -> Option<String> {
    if let Some(kind) = fields.get("type").and_then(Value::as_str)
        && let Some(complaint) = of_kind(kind, fields)
    {
        return Some(complaint);
    }
    fields.iter().find_map(|(name, value)| match name.as_str() {
        // These hold schemas by names that mean nothing.
        "properties" | "$defs" | "definitions" => value.as_object()?.values().find_map(complaint),
        "enum" | "const" | "default" | "examples" => None,
        "oneOf" => Some("Schema type 'oneOf' is not supported".to_owned()),
        _ => complaint(value),
    })
}

fn of_kind(kind: &str, fields: &Map<String, Value>) -> Option<String> {
    if kind == "object" && fields.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Some("For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned());
    }
    let unsupported: &[&str] = match kind {
        "integer" | "number" => &[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ],
        "string" => &["minLength", "maxLength"],
        "array" => &["maxItems", "uniqueItems"],
        _ => &[],
    };
    let given: Vec<&str> = unsupported
        .iter()
        .copied()
        .filter(|name| fields.contains_key(*name))
        .collect();
    match given[..] {
        [] => {}
        [one] => return Some(format!("For '{kind}' type, property '{one}' is not supported")),
        _ => {
            let given = given.join(", ");
            return Some(format!("For '{kind}' type, properties {given} are not supported"));
        }
    }
    let min_items = fields.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    (min_items > 1).then(|| "For 'array' type, 'minItems' values other than 0 or 1 are not supported".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_that_cant_be_followed_are_told() {
        let closed =
            |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
        assert_eq!(
            complaint(&closed(
                json!({"maximum": {"type": "integer"}, "e": {"enum": [{"oneOf": 1}]}})
            )),
            None
        );
        for (schema, expected) in [
            (json!({"type": "object"}), "additionalProperties"),
            (closed(json!({"a": {"type": "object"}})), "additionalProperties"),
            (
                closed(json!({"a": {"type": "array", "maxItems": 3}})),
                "property 'maxItems' is not supported",
            ),
            (closed(json!({"a": {"type": "array", "minItems": 2}})), "'minItems'"),
            (
                closed(json!({"a": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2}]}})),
                "properties minimum, maximum are not supported",
            ),
            (closed(json!({"a": {"oneOf": []}})), "'oneOf'"),
        ] {
            assert!(complaint(&schema).unwrap().contains(expected), "{schema}");
        }
    }
}
