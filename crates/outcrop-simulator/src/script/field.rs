//! If a request holds a field, by its path.

use serde_json::Value;

/// What is the client's own, whatever its members are called.
const FREE_FORM: [&str; 8] = [
    "input",
    "inputSchema",
    "input_schema",
    "json",
    "json_schema",
    "parameter_definitions",
    "parameters",
    "requestMetadata",
];

/// If `body` holds what `path` names: members with dots between them, lists are looked through. A single word is a
/// member of any name at any depth, but for those of schemas and arguments.
pub(super) fn holds(body: &Value, path: &str) -> bool {
    match path.contains('.') {
        true => follow(body, &path.split('.').collect::<Vec<_>>()),
        false => anywhere(body, path),
    }
}

fn follow(value: &Value, path: &[&str]) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return !value.is_null();
    };
    match value {
        Value::Array(items) => match name.parse::<usize>() {
            Ok(index) => items.get(index).is_some_and(|item| follow(item, rest)),
            Err(_) => items.iter().any(|item| follow(item, path)),
        },
        // A union's member may be left out of the path: `toolConfig.tools.strict`.
        Value::Object(fields) => match fields.get(*name) {
            Some(value) => follow(value, rest),
            None => ["toolSpec"]
                .iter()
                .filter_map(|union| fields.get(*union))
                .any(|value| follow(value, path)),
        },
        _ => false,
    }
}

fn anywhere(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| anywhere(item, name)),
        Value::Object(fields) => {
            fields.get(name).is_some_and(|value| !value.is_null())
                || fields
                    .iter()
                    .any(|(member, value)| !FREE_FORM.contains(&member.as_str()) && anywhere(value, name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_path() {
        let schema = json!({"json": {"type": "object", "properties": {"city": {}}}});
        let body = json!({
            "messages": [{"role": "user", "content": [{"text": "a"}, {"cachePoint": {"type": "default"}}]}],
            "inferenceConfig": {"temperature": 1, "topP": null},
            "additionalModelRequestFields": {"foo": {"bar": 1}},
            "toolConfig": {"tools": [{"toolSpec": {"strict": true, "inputSchema": schema}}]},
        });
        for path in [
            "temperature",
            "inferenceConfig.temperature",
            "cachePoint",
            "messages.content.cachePoint",
            "messages.0.content.1.cachePoint",
            "additionalModelRequestFields.foo.bar",
            "toolConfig.tools.strict",
            "toolConfig.tools.0.toolSpec.strict",
        ] {
            assert!(holds(&body, path), "{path}");
        }
        let own = json!({"tools": [{"name": "f", "input_schema": {"properties": {"city": {}}}}], "top_k": 5});
        assert!(holds(&own, "top_k") && holds(&own, "tools.input_schema") && !holds(&own, "city"));
        for path in [
            "topP",
            "inferenceConfig.topP",
            "city",
            "messages.1.content",
            "foo.bar",
            "maxTokens",
        ] {
            assert!(!holds(&body, path), "{path}");
        }
    }
}
