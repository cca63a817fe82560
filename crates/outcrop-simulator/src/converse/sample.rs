//! A value that fits a JSON schema: arguments for a tool that must be called, an answer of a required form.

use serde_json::{Map, Value, json};

/// Schemas may refer to themselves; nothing real is deeper than this.
const MAX_DEPTH: usize = 16;

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
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|choices| choices.get(0)) {
                return self.value(first, depth + 1);
            }
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => json!(schema.get("minimum").and_then(Value::as_i64).unwrap_or(1)),
            "number" => json!(schema.get("minimum").and_then(Value::as_f64).unwrap_or(1.5)),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => text(schema),
        }
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
        let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(10);
        let item = self.value(schema.get("items").unwrap_or(&Value::Null), depth + 1);
        (0..count).map(|_| item.clone()).collect()
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
        _ => "string",
    }
}

fn text(schema: &Value) -> Value {
    let formatted = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-01",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "example",
    };
    let min = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0) as usize;
    let padding = min.min(10_000).saturating_sub(formatted.len());
    json!(format!("{formatted}{}", "x".repeat(padding)))
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
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
        assert!(of(&schema).is_object());
    }
}
