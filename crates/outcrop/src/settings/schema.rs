//! The JSON Schema of the file, for editors.

use serde_json::{Map, Value, json};

use super::policies;
use super::routing;
use super::table::SETTINGS;

/// The schema. Unknown keys are errors, as they are for us.
pub(crate) fn schema() -> Value {
    let mut properties: Map<String, Value> = SETTINGS
        .iter()
        .map(|setting| {
            let mut property = (setting.schema)();
            let description = format!("{} {}", setting.summary(), setting.details());
            property["description"] = json!(description.trim_end());
            if setting.secret {
                property["writeOnly"] = json!(true);
            }
            if let Some(default) = (setting.shown_default)(setting.default) {
                property["default"] = default;
            }
            (setting.name.to_owned(), property)
        })
        .collect();
    properties.insert(policies::POLICIES.to_owned(), policies::schema());
    properties.extend(routing::schemas().map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "outcrop.toml",
        "description": "The settings of Outcrop, an OpenAI-compatible gateway for Amazon Bedrock.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}
