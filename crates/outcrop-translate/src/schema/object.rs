//! Schemas of any kind as a tool's input, which must be an object.

use serde_json::{Map, Value, json};

use super::places;

/// The member under which the value of a wrapped schema stands.
pub const WRAPPED_MEMBER: &str = "value";

/// A schema whose root is an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectSchema {
    /// The schema.
    pub schema: Value,
    /// Whether the client's schema is that of the member [`WRAPPED_MEMBER`], so that an answer has to be unwrapped.
    pub wrapped: bool,
}

/// A schema whose root says `"type": "object"`, as Converse demands of a tool's `inputSchema`.
///
/// A root that describes members gets the type. `{}` and `true`, which say nothing, become any object: it is how
/// clients write a tool without parameters. Every other root is wrapped, with its definitions and what identifies it
/// moved to the new root, and with references to the old root turned to where it stands now.
pub fn object_schema(schema: Value) -> ObjectSchema {
    match schema {
        Value::Bool(true) => unwrapped(json!({"type": "object"})),
        Value::Object(members) if members.get("type").is_some_and(|kind| kind == "object") => {
            unwrapped(Value::Object(members))
        }
        Value::Object(mut members) if takes_type(&members) => {
            members.shift_insert(0, "type".to_owned(), "object".into());
            unwrapped(Value::Object(members))
        }
        Value::Object(members) => wrap(members),
        other => ObjectSchema {
            schema: envelope(other),
            wrapped: true,
        },
    }
}

fn unwrapped(schema: Value) -> ObjectSchema {
    ObjectSchema { schema, wrapped: false }
}

/// Whether a root without a type is meant as an object's.
fn takes_type(members: &Map<String, Value>) -> bool {
    if members.contains_key("type") {
        return false;
    }
    let says_nothing = members
        .keys()
        .all(|keyword| stays_at_root(keyword) || matches!(keyword.as_str(), "title" | "description" | "$comment"));
    says_nothing
        || members.contains_key("properties")
            && !["$ref", "anyOf", "oneOf", "allOf"]
                .iter()
                .any(|&keyword| members.contains_key(keyword))
}

/// Keywords that name things for the whole document, or the document itself.
fn stays_at_root(keyword: &str) -> bool {
    matches!(keyword, "$schema" | "$id" | "id" | "$defs" | "definitions")
}

fn envelope(schema: Value) -> Value {
    json!({"type": "object", "properties": {WRAPPED_MEMBER: schema}, "required": [WRAPPED_MEMBER]})
}

fn wrap(members: Map<String, Value>) -> ObjectSchema {
    let (mut hoisted, mut inner) = (Map::new(), Map::new());
    for (keyword, mut value) in members {
        if stays_at_root(&keyword) {
            if let Value::Object(definitions) = &mut value {
                definitions.values_mut().for_each(turn_references);
            }
            hoisted.insert(keyword, value);
        } else {
            inner.insert(keyword, value);
        }
    }
    let mut inner = Value::Object(inner);
    turn_references(&mut inner);
    let mut schema = envelope(inner);
    if let Value::Object(root) = &mut schema {
        root.extend(hoisted);
    }
    ObjectSchema { schema, wrapped: true }
}

/// Turns references to places in the old root, other than its definitions, to where they are now.
fn turn_references(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if let Some(Value::String(reference)) = members.get_mut("$ref") {
        let pointer = reference.strip_prefix('#');
        if let Some(pointer) = pointer.filter(|pointer| pointer.is_empty() || pointer.starts_with('/')) {
            let first = pointer.split('/').nth(1).unwrap_or("");
            if !stays_at_root(first) {
                *reference = format!("#/properties/{WRAPPED_MEMBER}{pointer}");
            }
        }
    }
    places::visit_mut(members, |_, schema| turn_references(schema));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stays_as_it_is() {
        let schema = json!({"$schema": "x", "type": "object", "properties": {"a": {"$ref": "#"}}});
        assert_eq!(object_schema(schema.clone()), unwrapped(schema));
    }

    #[test]
    fn what_is_meant_as_an_object_says_so() {
        for (schema, expected) in [
            (json!({}), json!({"type": "object"})),
            (json!(true), json!({"type": "object"})),
            (
                json!({"description": "d"}),
                json!({"type": "object", "description": "d"}),
            ),
            (
                json!({"properties": {"a": {}}}),
                json!({"type": "object", "properties": {"a": {}}}),
            ),
        ] {
            assert_eq!(object_schema(schema), unwrapped(expected));
        }
    }

    #[test]
    fn every_other_root_is_wrapped() {
        for schema in [
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "string"}),
            json!({"type": ["object", "null"], "properties": {}}),
            json!({"anyOf": [{"type": "object"}, {"type": "null"}]}),
            json!({"enum": [1, 2]}),
            json!(false),
        ] {
            let wrapped = object_schema(schema.clone());
            assert!(wrapped.wrapped, "{schema}");
            assert_eq!(
                wrapped.schema,
                json!({"type": "object", "properties": {"value": schema}, "required": ["value"]})
            );
        }
    }

    #[test]
    fn references_still_lead_to_what_they_led_to() {
        let wrapped = object_schema(json!({
            "$ref": "#/$defs/Node",
            "$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}, "top": {"$ref": "#"}}}},
        }));
        assert_eq!(
            wrapped.schema,
            json!({
                "type": "object",
                "properties": {"value": {"$ref": "#/$defs/Node"}},
                "required": ["value"],
                "$defs": {"Node": {"properties": {
                    "next": {"$ref": "#/$defs/Node"},
                    "top": {"$ref": "#/properties/value"},
                }}},
            })
        );
        let wrapped = object_schema(json!({
            "type": "array",
            "items": {"anyOf": [{"type": "null"}, {"$ref": "#/items/anyOf/0"}, {"const": {"$ref": "#"}}]},
        }));
        let items = &wrapped.schema["properties"]["value"]["items"]["anyOf"];
        assert_eq!(items[1]["$ref"], "#/properties/value/items/anyOf/0");
        assert_eq!(items[2]["const"]["$ref"], "#");
    }
}
