//! Checks a body against the JSON schema of its shape, in the words of the validator that Bedrock uses (everit's).
//!
//! It knows what the schemas in `invoke/schemas` use: `type` (one or several), `properties`, `required`,
//! `additionalProperties` (`false` or a schema), `items`, `enum`, `const`, `anyOf`, `minimum`, `maximum`, `minLength`,
//! `maxLength`, `pattern`, `minItems`, `maxItems` and `$ref` to `#/definitions/…`. A member that is `null` counts as
//! left out.

use std::sync::OnceLock;

use regex_lite::Regex;
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// A schema that ships with the simulator; read on first use.
pub(super) struct Schema {
    text: &'static str,
    read: OnceLock<Value>,
}

impl Schema {
    pub(super) const fn new(text: &'static str) -> Schema {
        Schema {
            text,
            read: OnceLock::new(),
        }
    }

    /// Checks `body`.
    ///
    /// # Errors
    ///
    /// All that is wrong, as Bedrock puts it.
    pub(super) fn check(&self, body: &Value) -> Result<(), Refusal> {
        let complaints = self.complaints(body);
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(Refusal::malformed(&complaints)),
        }
    }

    /// All that is wrong with `body`, each with the place where it is.
    pub(super) fn complaints(&self, body: &Value) -> Vec<String> {
        complaints(self.read(), body)
    }

    /// The same by one of several schemas in a file, by its name there. They share their definitions.
    pub(super) fn complaints_of(&self, name: &str, body: &Value) -> Vec<String> {
        let root = self.read();
        let mut walk = Walk {
            root,
            complaints: Vec::new(),
        };
        walk.value(root.get(name).unwrap_or(&Value::Null), body, "#");
        walk.complaints
    }

    fn read(&self) -> &Value {
        #[expect(
            clippy::expect_used,
            reason = "the schemas are part of the program, and each shape's tests read its own"
        )]
        let schema = || serde_json::from_str(self.text).expect("a schema is JSON");
        self.read.get_or_init(schema)
    }
}

/// All that is wrong with `body`, each with the place where it is.
pub(super) fn complaints(schema: &Value, body: &Value) -> Vec<String> {
    let mut walk = Walk {
        root: schema,
        complaints: Vec::new(),
    };
    walk.value(schema, body, "#");
    walk.complaints
}

struct Walk<'a> {
    root: &'a Value,
    complaints: Vec<String>,
}

impl Walk<'_> {
    fn complain(&mut self, at: &str, what: &str) {
        self.complaints.push(format!("{at}: {what}"));
    }

    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            if let Some(schema) = root.pointer(name.trim_start_matches('#')) {
                self.value(schema, value, at);
            }
            return;
        }
        if let Some(schemas) = schema.get("anyOf").and_then(Value::as_array) {
            return self.any_of(schemas, value, at);
        }
        if !self.is_of_type(schema, value, at) {
            return;
        }
        self.words(schema, value, at);
        match value {
            Value::Object(fields) => self.object(schema, fields, at),
            Value::Array(items) => self.list(schema, items, at),
            Value::String(text) => self.text(schema, text, at),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or_default(), value, at),
            _ => {}
        }
    }

    /// The alternative that comes closest speaks for all: the one that goes wrong deepest.
    fn any_of(&mut self, schemas: &[Value], value: &Value, at: &str) {
        let mut closest: Option<Vec<String>> = None;
        for schema in schemas {
            let mut walk = Walk {
                root: self.root,
                complaints: Vec::new(),
            };
            walk.value(schema, value, at);
            if walk.complaints.is_empty() {
                return;
            }
            let depth = |complaints: &[String]| complaints.iter().map(|text| place(text).matches('/').count()).max();
            let right_type = |complaints: &[String]| {
                !complaints.iter().any(|text| {
                    let own = text.strip_prefix(at);
                    own.is_some_and(|own| {
                        own.starts_with(": expected type") || own.ends_with("is not a valid enum value")
                    })
                })
            };
            let rank = |complaints: &[String]| (right_type(complaints), depth(complaints));
            if closest
                .as_ref()
                .is_none_or(|known| rank(&walk.complaints) > rank(known))
            {
                closest = Some(walk.complaints);
            }
        }
        self.complaints.extend(closest.unwrap_or_default());
    }

    fn is_of_type(&mut self, schema: &Value, value: &Value, at: &str) -> bool {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let is = |name: &&str| match *name {
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => value.is_null(),
        };
        let right = types.iter().any(is);
        if !right {
            let expected = types.iter().map(|name| title(name)).collect::<Vec<_>>().join(" or ");
            self.complain(at, &format!("expected type: {expected}, found: {}", found(value)));
        }
        right
    }

    fn words(&mut self, schema: &Value, value: &Value, at: &str) {
        let allowed = schema.get("enum").and_then(Value::as_array);
        let shown = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if allowed.is_some_and(|allowed| !allowed.contains(value)) {
            self.complain(at, &format!("{} is not a valid enum value", shown()));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            self.complain(at, &format!("{} is not a valid enum value", shown()));
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, at: &str) {
        let empty = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if fields.get(name).is_none_or(Value::is_null) {
                self.complain(at, &format!("required key [{name}] not found"));
            }
        }
        let others = schema.get("additionalProperties");
        for (name, value) in fields {
            match (known.get(name), others) {
                (None, Some(Value::Bool(false))) => {
                    self.complain(at, &format!("extraneous key [{name}] is not permitted"));
                }
                (Some(_), _) if value.is_null() => {}
                (Some(schema), _) | (None, Some(schema)) => self.value(schema, value, &format!("{at}/{name}")),
                (None, None) => {}
            }
        }
    }

    fn list(&mut self, schema: &Value, items: &[Value], at: &str) {
        let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
        let count = items.len() as u64;
        if let Some(min) = limit("minItems").filter(|min| count < *min) {
            self.complain(at, &format!("expected minimum item count: {min}, found: {count}"));
        }
        if let Some(max) = limit("maxItems").filter(|max| count > *max) {
            self.complain(at, &format!("expected maximum item count: {max}, found: {count}"));
        }
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(schema, item, &format!("{at}/{index}"));
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, at: &str) {
        let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
        let length = text.chars().count() as u64;
        if let Some(min) = limit("minLength").filter(|min| length < *min) {
            self.complain(at, &format!("expected minLength: {min}, actual: {length}"));
        }
        if let Some(max) = limit("maxLength").filter(|max| length > *max) {
            self.complain(at, &format!("expected maxLength: {max}, actual: {length}"));
        }
        let pattern = schema.get("pattern").and_then(Value::as_str);
        let matches = |pattern: &&str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
        if let Some(pattern) = pattern.filter(|pattern| !matches(pattern)) {
            self.complain(at, &format!("string [{text}] does not match pattern {pattern}"));
        }
    }

    fn number(&mut self, schema: &Value, number: f64, value: &Value, at: &str) {
        let limit = |name: &str| schema.get(name).filter(|limit| limit.is_number());
        let beyond = |limit: &&Value, over: bool| {
            let limit = limit.as_f64().unwrap_or_default();
            if over { number > limit } else { number < limit }
        };
        if let Some(min) = limit("minimum").filter(|min| beyond(min, false)) {
            self.complain(at, &format!("{value} is not greater or equal to {min}"));
        }
        if let Some(max) = limit("maximum").filter(|max| beyond(max, true)) {
            self.complain(at, &format!("{value} is not less or equal to {max}"));
        }
    }
}

/// Where a complaint stands.
fn place(complaint: &str) -> &str {
    complaint.split_once(": ").map_or(complaint, |(place, _)| place)
}

fn title(name: &str) -> &'static str {
    match name {
        "integer" => "Integer",
        "number" => "Number",
        "string" => "String",
        "boolean" => "Boolean",
        "array" => "JSONArray",
        "object" => "JSONObject",
        _ => "Null",
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "BigDecimal",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Bool(_) => "Boolean",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
        Value::Null => "Null",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(body: Value) -> Vec<String> {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["messages"],
            "definitions": {"text": {"type": "string", "minLength": 1}},
            "properties": {
                "messages": {"type": "array", "minItems": 1, "items": {
                    "type": "object",
                    "properties": {"content": {"anyOf": [
                        {"$ref": "#/definitions/text"},
                        {"type": "array", "items": {
                            "type": "object",
                            "properties": {"type": {"const": "text"}},
                            "additionalProperties": false,
                        }},
                    ]}},
                }},
                "temperature": {"type": "number", "minimum": 0, "maximum": 1},
                "mode": {"enum": ["a", "b"]},
                "name": {"type": "string", "pattern": "^[a-z]+$"},
            },
        });
        complaints(&schema, &body)
    }

    #[test]
    fn what_is_right_passes() {
        assert_eq!(wrong(json!({"messages": [{"content": "a"}], "mode": null})), [""; 0]);
        assert_eq!(wrong(json!({"messages": [{"content": [{"type": "text"}]}]})), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(
            wrong(json!({"temperature": 2, "x": 1})),
            [
                "#: required key [messages] not found",
                "#/temperature: 2 is not less or equal to 1",
                "#: extraneous key [x] is not permitted",
            ]
        );
        assert_eq!(
            wrong(json!({"messages": [], "mode": "c"})),
            [
                "#/messages: expected minimum item count: 1, found: 0",
                "#/mode: c is not a valid enum value",
            ]
        );
        assert_eq!(
            wrong(json!({"messages": [{"content": [{"typ": 1}]}]})),
            ["#/messages/0/content/0: extraneous key [typ] is not permitted"]
        );
        assert_eq!(
            wrong(json!({"messages": [{}], "name": "A b"})),
            ["#/name: string [A b] does not match pattern ^[a-z]+$"]
        );
        assert_eq!(
            wrong(json!({"messages": [{"content": ""}]})),
            ["#/messages/0/content: expected minLength: 1, actual: 0"]
        );
    }
}
