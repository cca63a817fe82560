//! Closing objects: what native structured output and `strict` tools demand of a schema.

use outcrop_bedrock::json::Fault;
use serde_json::{Map, Value};

use super::places;

/// What closing a schema's objects came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// `additionalProperties: false` was added somewhere.
    Closed,
    /// Each object was closed already: the client's own text can be sent.
    Unchanged,
    /// The object at this path, from the schema on, takes members that it doesn't name, so that closing it would
    /// change what the schema means. Nothing was changed.
    Open(String),
}

/// Adds `additionalProperties: false` to each object of the schema that doesn't say it: Claude's structured output
/// refuses objects without (Anthropic's documentation, structured outputs, read 2026-11).
///
/// Objects that are meant to be open can't be closed: free maps, and objects whose members are spread over several
/// schemas (`allOf`, or `properties` beside `anyOf`), each of which would shut the others out. What stands under `not`,
/// `if`, `then`, `else` and `dependentSchemas` is a condition, not a shape, and is left alone.
pub fn close_objects(schema: &mut Value) -> Closing {
    if let Err(fault) = check(schema) {
        return Closing::Open(fault.path);
    }
    if close(schema) {
        Closing::Closed
    } else {
        Closing::Unchanged
    }
}

/// Fails at the first object that can't be closed.
fn check(schema: &Value) -> Result<(), Fault> {
    let Value::Object(members) = schema else {
        return Ok(());
    };
    if is_open(members) {
        return Err(Fault::shape("the object is open"));
    }
    places::visit(
        members,
        |keyword, schema| {
            if is_condition(keyword) { Ok(()) } else { check(schema) }
        },
    )
}

fn close(schema: &mut Value) -> bool {
    let Value::Object(members) = schema else {
        return false;
    };
    let mut changed = false;
    if is_object(members) && !members.contains_key("additionalProperties") {
        members.insert("additionalProperties".to_owned(), Value::Bool(false));
        changed = true;
    }
    places::visit_mut(members, |keyword, schema| {
        if !is_condition(keyword) {
            changed |= close(schema);
        }
    });
    changed
}

/// Keywords whose schemas say when, not what.
fn is_condition(keyword: &str) -> bool {
    matches!(
        keyword,
        "not" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" | "propertyNames"
    )
}

/// Whether a schema describes an object by itself.
fn is_object(schema: &Map<String, Value>) -> bool {
    let is_typed = match schema.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => false,
    };
    is_typed || schema.contains_key("properties")
}

fn is_open(schema: &Map<String, Value>) -> bool {
    let is_object = is_object(schema);
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => {}
        Some(_) => return true,
        // An object that names no member takes any.
        None if is_object && !schema.contains_key("properties") => return true,
        None => {}
    }
    if schema.contains_key("patternProperties") || schema.get("unevaluatedProperties").is_some_and(|it| it != false) {
        return true;
    }
    let describes = |branch: &Value| branch.as_object().is_some_and(may_describe_object);
    let branches = |keyword: &str| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
    let parts = usize::from(is_object)
        + usize::from(schema.contains_key("$ref"))
        + branches("allOf").filter(|branch| describes(branch)).count()
        + usize::from(branches("anyOf").any(describes))
        + usize::from(branches("oneOf").any(describes));
    parts > 1
}

/// Whether a branch may add members to the object it is a branch of.
fn may_describe_object(branch: &Map<String, Value>) -> bool {
    is_object(branch)
        || ["$ref", "allOf", "anyOf", "oneOf"]
            .iter()
            .any(|keyword| branch.contains_key(*keyword))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn closed(schema: Value) -> (Closing, Value) {
        let mut changed = schema;
        let closing = close_objects(&mut changed);
        (closing, changed)
    }

    #[test]
    fn objects_are_closed_wherever_schemas_stand() {
        let object = || json!({"type": "object", "properties": {"x": {"type": "string"}}});
        let (closing, schema) = closed(json!({
            "type": "object",
            "properties": {
                "nested": object(),
                "listed": {"type": "array", "items": object()},
                "tuple": {"prefixItems": [object(), {"type": "null"}]},
                "either": {"anyOf": [object(), {"$ref": "#/$defs/Named"}]},
                "wrapped": {"allOf": [object()]},
                "optional": {"type": ["object", "null"], "properties": {}},
            },
            "$defs": {"Named": object()},
            "definitions": {"Old": object()},
        }));
        assert_eq!(closing, Closing::Closed);
        // One for the root, and one for each of the others.
        assert_eq!(schema.to_string().matches(r#""additionalProperties":false"#).count(), 9);
        assert_eq!(
            schema["properties"]["either"]["anyOf"][0]["additionalProperties"],
            false
        );
        assert_eq!(schema["properties"]["either"].as_object().map(Map::len), Some(1));
        let mut again = schema.clone();
        assert_eq!(close_objects(&mut again), Closing::Unchanged);
        assert_eq!(again, schema);
    }

    #[test]
    fn members_keep_the_order_of_the_client() {
        let text = r#"{"type":"object","required":["z"],"properties":{"z":{"type":"string"},"a":{"type":"null"}}}"#;
        let (_, schema) = closed(serde_json::from_str(text).unwrap());
        let expected = text.replace("\"null\"}}}", "\"null\"}},\"additionalProperties\":false}");
        assert_eq!(schema.to_string(), expected);
    }

    #[test]
    fn values_that_look_like_schemas_are_data() {
        let data = json!({"type": "object", "properties": {}});
        let schema = json!({"const": data, "enum": [data], "default": data, "examples": [data]});
        assert_eq!(closed(schema.clone()), (Closing::Unchanged, schema));
        // A member may be called as a keyword is.
        let (closing, schema) = closed(json!({"properties": {"default": {"properties": {}}}}));
        assert_eq!(closing, Closing::Closed);
        assert_eq!(schema["properties"]["default"]["additionalProperties"], false);
        assert_eq!(schema["properties"].get("additionalProperties"), None);
    }

    #[test]
    fn open_objects_are_named_and_nothing_is_changed() {
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let cases = [
            (json!({"properties": {"tags": map}}), "properties.tags"),
            (
                json!({"properties": {"a": {}, "tags": {"type": "object", "additionalProperties": true}}}),
                "properties.tags",
            ),
            (
                json!({"properties": {"list": {"items": {"type": "object"}}}}),
                "properties.list.items",
            ),
            (json!({"anyOf": [{"type": "null"}, {"type": "object"}]}), "anyOf[1]"),
            (
                json!({"$defs": {"Map": {"patternProperties": {"^x": {}}}}}),
                "$defs.Map",
            ),
            (json!({"allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {}}}]}), ""),
            (
                json!({"properties": {"a": {}}, "oneOf": [{"properties": {"b": {}}}]}),
                "",
            ),
        ];
        for (schema, path) in cases {
            assert_eq!(closed(schema.clone()), (Closing::Open(path.to_owned()), schema));
        }
    }

    #[test]
    fn conditions_are_left_alone() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {}},
            "additionalProperties": false,
            "anyOf": [{"required": ["a"]}, {"required": []}],
            "not": {"type": "object"},
            "if": {"properties": {"a": {"const": 1}}},
            "then": {"type": "object"},
        });
        assert_eq!(closed(schema.clone()), (Closing::Unchanged, schema));
    }
}
