//! Tools as Cohere describes them: flat lists of parameters with types by Python's names.

use outcrop_bedrock::converse::ToolSpec;
use outcrop_bedrock::json::ObjectWriter;
use serde_json::{Map, Value};

use crate::notes::Notes;

/// Members of a tool's schema of which nothing is lost.
const SAID_OF_TOOLS: &[&str] = &[
    "$schema",
    "$id",
    "title",
    "description",
    "type",
    "properties",
    "required",
];
/// Members of a parameter's schema of which nothing is lost.
const SAID_OF_PARAMETERS: &[&str] = &["title", "description", "type", "items"];

/// Writes a tool. What its parameters' types can't say stands in its description, as JSON Schema.
pub(super) fn write_tool(spec: &ToolSpec<'_>, out: &mut Vec<u8>, notes: &mut Notes) {
    let schema: Value = serde_json::from_str(spec.input_schema.as_str()).unwrap_or_default();
    let parameters = parameters(&schema);
    let is_whole = parameters.iter().all(|parameter| parameter.is_whole) && is_said(&schema);
    let name = spec.name.decoded();
    let mut description = match &spec.description {
        Some(description) => description.decoded().into_owned(),
        // Cohere demands one.
        None => name.clone().into_owned(),
    };
    if !is_whole {
        notes.lose("tools.parameters", "simplified", "invoke-api");
        let schema = spec.input_schema.as_str();
        description += &format!("\n\nJSON Schema of the parameters: {schema}");
    }
    ObjectWriter::write(out, |tool| {
        tool.field("name", &name);
        tool.field("description", &description);
        if parameters.is_empty() {
            return;
        }
        tool.object("parameter_definitions", |definitions| {
            for parameter in &parameters {
                definitions.object(parameter.name, |definition| {
                    if let Some(description) = parameter.description {
                        definition.field("description", description);
                    }
                    definition.field("type", &parameter.kind);
                    definition.field("required", &parameter.required);
                });
            }
        });
    });
}

/// A parameter of a tool.
struct Parameter<'s> {
    name: &'s str,
    description: Option<&'s str>,
    /// Its type, by Python's name.
    kind: String,
    required: bool,
    /// Whether this is all that its schema says.
    is_whole: bool,
}

fn parameters(schema: &Value) -> Vec<Parameter<'_>> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let parameters = properties.into_iter().flatten().map(|(name, schema)| {
        let kind = kind(schema);
        let is_said = |schema: &Map<_, _>| schema.keys().all(|key| SAID_OF_PARAMETERS.contains(&key.as_str()));
        Parameter {
            name,
            description: schema.get("description").and_then(Value::as_str),
            required: is_required(name),
            is_whole: kind.is_some() && schema.as_object().is_some_and(is_said),
            kind: kind.unwrap_or_else(|| broad_kind(schema).to_owned()),
        }
    });
    parameters.collect()
}

/// The type, where it says all of what the schema says of types.
fn kind(schema: &Value) -> Option<String> {
    match schema.get("type")?.as_str()? {
        "array" => match schema.get("items") {
            None => Some("List".to_owned()),
            Some(items) => {
                let has_only_type = items
                    .as_object()
                    .is_some_and(|items| items.keys().all(|key| key == "type"));
                let kind = broad_kind(items);
                let is_flat = !matches!(kind, "List" | "Dict" | "Any");
                (has_only_type && is_flat).then(|| format!("List[{kind}]"))
            }
        },
        // Which members it has, a flat list can't say.
        "object" if schema.get("properties").is_some() => None,
        _ => Some(broad_kind(schema))
            .filter(|kind| *kind != "Any")
            .map(str::to_owned),
    }
}

fn broad_kind(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => "str",
        Some("integer") => "int",
        Some("number") => "float",
        Some("boolean") => "bool",
        Some("array") => "List",
        Some("object") => "Dict",
        _ => "Any",
    }
}

/// Whether the definitions say all of a tool's schema, apart from the parameters.
fn is_said(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    schema.iter().all(|(key, value)| match key.as_str() {
        "additionalProperties" => value == &Value::Bool(false),
        key => SAID_OF_TOOLS.contains(&key),
    })
}
