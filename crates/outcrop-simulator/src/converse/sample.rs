//! A value that fits a JSON schema: arguments for a tool that must be called, an answer of a required form.

use serde_json::{Map, Value, json};

/// Schemas may refer to themselves; nothing real is deeper than this.
const MAX_DEPTH: usize = 16;
/// From here on, what may end does.
const DEEP: usize = 6;
const MAX_ITEMS: u64 = 10;

/// A plain value that fits `schema`: all required properties, the first of each choice.
pub(super) fn of(schema: &Value) -> Value {
    Sampler { root: schema }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return found.map_or(Value::Null, |schema| self.value(schema, depth + 1));
        }
        if let Some(value) = schema.get("const").or(schema.get("default")) {
            return value.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|words| words.get(0)) {
            return first.clone();
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(schema, parts, depth);
        }
        let choices = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array);
        if let Some(choices) = choices.filter(|choices| !choices.is_empty()) {
            let end = choices
                .iter()
                .find(|choice| kind(choice) == "null")
                .filter(|_| depth >= DEEP);
            return self.value(end.unwrap_or(&choices[0]), depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => json!(number(schema, 1.0, 1.0) as i64),
            "number" => json!(number(schema, 1.5, 0.5)),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => text(schema),
        }
    }

    /// Objects that must fit several schemas have the properties of all; of others, the first is taken.
    fn all_of(&self, schema: &Value, parts: &[Value], depth: usize) -> Value {
        let mut own = schema.clone();
        if let Some(fields) = own.as_object_mut() {
            fields.remove("allOf");
        }
        let mut whole = Map::new();
        for part in parts.iter().chain([&own]) {
            match self.value(part, depth + 1) {
                Value::Object(fields) => whole.extend(fields),
                other if whole.is_empty() => return other,
                _ => {}
            }
        }
        Value::Object(whole)
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = schema.get("required").and_then(Value::as_array);
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        let properties = names.map(|name| {
            let schema = schema.get("properties").and_then(|properties| properties.get(name));
            (name.to_owned(), self.value(schema.unwrap_or(&Value::Null), depth + 1))
        });
        Value::Object(properties.collect::<Map<_, _>>())
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let mut items: Vec<Value> = first
            .into_iter()
            .flatten()
            .map(|schema| self.value(schema, depth + 1))
            .collect();
        let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
        let usual = if depth >= DEEP { 0 } else { 1 };
        let most = limit("maxItems").unwrap_or(MAX_ITEMS).min(MAX_ITEMS);
        let count = limit("minItems").unwrap_or(usual).min(most) as usize;
        if items.len() < count {
            let item = self.value(schema.get("items").unwrap_or(&Value::Null), depth + 1);
            items.resize(count, item);
        }
        items.into()
    }
}

/// The type a schema names; the first that isn't `null` if it names several.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

/// A number within a schema's limits, `usual` if it's there.
fn number(schema: &Value, usual: f64, step: f64) -> f64 {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let above = limit("exclusiveMinimum").map(|limit| limit + step);
    let below = limit("exclusiveMaximum").map(|limit| limit - step);
    let least = limit("minimum").unwrap_or(f64::MIN).max(above.unwrap_or(f64::MIN));
    let most = limit("maximum").unwrap_or(f64::MAX).min(below.unwrap_or(f64::MAX));
    let within = usual.min(most).max(least);
    match limit("multipleOf").filter(|unit| *unit > 0.0) {
        Some(unit) => (within / unit).ceil() * unit,
        None => within,
    }
}

fn text(schema: &Value) -> Value {
    let formatted = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-01",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("time") => "00:00:00Z",
        Some("duration") => "P1D",
        Some("email") => "someone@example.com",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "example",
    };
    let limit = |name: &str| {
        schema
            .get(name)
            .and_then(Value::as_u64)
            .map(|limit| limit.min(10_000) as usize)
    };
    let padding = limit("minLength").unwrap_or(0).saturating_sub(formatted.len());
    let padded = format!("{formatted}{}", "x".repeat(padding));
    json!(
        padded
            .chars()
            .take(limit("maxLength").unwrap_or(usize::MAX))
            .collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fit_their_schema() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["c", "f"]},
                "days": {"type": ["integer", "null"], "minimum": 3},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
                "skipped": {"type": "string"},
            },
            "required": ["city", "unit", "days", "tags"],
            "$defs": {"tag": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}},
        });
        assert_eq!(
            of(&schema),
            json!({"city": "example", "unit": "c", "days": 3, "tags": [{"on": true}]})
        );
    }

    #[test]
    fn limits_are_kept() {
        for (schema, expected) in [
            (json!({"type": "integer", "minimum": 5}), json!(5)),
            (json!({"type": "integer", "maximum": -3}), json!(-3)),
            (
                json!({"type": "integer", "exclusiveMinimum": 1, "multipleOf": 10}),
                json!(10),
            ),
            (json!({"type": "number", "exclusiveMaximum": 1}), json!(0.5)),
            (json!({"type": "string", "maxLength": 3}), json!("exa")),
            (json!({"type": "string", "format": "ipv4"}), json!("192.0.2.1")),
            (
                json!({"type": "array", "minItems": 2, "items": {"type": "null"}}),
                json!([null, null]),
            ),
            (
                json!({"type": "array", "maxItems": 0, "items": {"type": "null"}}),
                json!([]),
            ),
            (json!({"prefixItems": [{"const": 1}], "type": "array"}), json!([1])),
        ] {
            assert_eq!(of(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn several_schemas_are_one() {
        let part = |name: &str| json!({"type": "object", "properties": {name: {"const": 1}}, "required": [name]});
        let schema = json!({"allOf": [part("a"), {"$ref": "#/$defs/b"}], "$defs": {"b": part("b")}});
        assert_eq!(of(&schema), json!({"a": 1, "b": 1}));
    }

    #[test]
    fn trees_end_before_they_are_too_deep() {
        let node = json!({
            "type": "object",
            "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["children", "next"],
        });
        let sample = of(&json!({"$ref": "#/$defs/node", "$defs": {"node": node}})).to_string();
        assert!(!sample.contains("[null]"), "{sample}");
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
        assert!(of(&schema).is_object());
    }
}
