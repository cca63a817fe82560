//! The OpenAPI document (OpenAPI Specification 3.1.1), put together of what each endpoint says of itself.

use serde_json::{Map, Value, json};

use super::{Operation, headers};

/// What stands at the top.
const ABOUT: &str = "Amazon Bedrock in the words of OpenAI's API. The paths below `/v1` are served below `/api/v1`, \
    `/openai` and `/openai/v1` and without a prefix, too; and in Azure's form, with the model in the path, below \
    `/openai/deployments/{model}`. A request with the header `X-Outcrop-Dry-Run: true` is answered with the call to Bedrock that \
    it would become, and no call is made.";

/// Statuses of errors, and what they mean. Which of them an endpoint can answer with depends on Bedrock as well.
const ERRORS: [(&str, &str); 13] = [
    ("400", "The request is wrong: `param` names the field."),
    ("401", "No key, or one that is not known."),
    ("403", "The caller may not, or the AWS account can't call the model."),
    ("404", "There is no such model or path."),
    ("405", "The path takes another method."),
    ("408", "The request did not arrive in time."),
    ("413", "The request is too large."),
    ("415", "The content type or encoding is not one that the path takes."),
    (
        "429",
        "Bedrock, or a limit of the gateway's, wants fewer requests: `Retry-After` says when to come back.",
    ),
    ("500", "Bedrock or the gateway failed."),
    (
        "502",
        "Bedrock can't be reached, or has answered with what is no answer.",
    ),
    ("503", "Bedrock is not available, or the gateway is shutting down."),
    ("504", "Bedrock took too long."),
];

/// The same for operations of administrators.
const ADMIN_ERRORS: [(&str, &str); 12] = [
    ("400", "The request is wrong: `param` names the field."),
    ("401", "No admin key, or one that is not known."),
    ("403", "The key is none for administration, or its role may not."),
    ("404", "There is no such thing, or not for this key."),
    ("405", "The path takes another method."),
    ("408", "The request did not arrive in time."),
    (
        "409",
        "A name is taken, somebody else has changed it meanwhile, it is deleted, or it is the last of its kind.",
    ),
    ("412", "It is no longer as `If-Match` says."),
    ("413", "The request is too large: 1 MiB is the most."),
    ("415", "The content type or encoding is not one that the path takes."),
    ("500", "The gateway or its database failed."),
    ("503", "The database does not answer, or there is none."),
];

/// The members that a description may have.
///
/// `summary` and `tag`; `description`; `parameters`, those of the query, as OpenAPI has them; `request` and `form`, the
/// schemas of a JSON body and of a form; `example`, a request; `response`, the schema of the answer; `stream`, a sentence
/// on the events of a streamed one; `text`, media types of answers that are no JSON; `schemas`, which the others refer to;
/// `public`, where no key is asked for, with `otherwise`, the answers besides 200; `tagged`, where answers have an `ETag`;
/// `admin`, where an admin key is asked for.
#[cfg(test)]
const MEMBERS: [&str; 15] = [
    "summary",
    "tag",
    "description",
    "parameters",
    "request",
    "form",
    "example",
    "response",
    "stream",
    "text",
    "schemas",
    "public",
    "otherwise",
    "tagged",
    "admin",
];

/// The document.
pub(super) fn of(operations: &[Operation]) -> Value {
    let (mut paths, mut schemas, mut tags) = (Map::new(), Map::new(), Vec::<String>::new());
    schemas.insert("Error".to_owned(), error_schema());
    for operation in operations {
        // That each can be read is a test's business.
        let mut said: Map<String, Value> = serde_json::from_str(&operation.description).unwrap_or_default();
        if let Some(Value::Object(own)) = said.remove("schemas") {
            schemas.extend(own);
        }
        let tag = said.get("tag").and_then(Value::as_str).unwrap_or("Gateway").to_owned();
        if !tags.contains(&tag) {
            tags.push(tag.clone());
        }
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[operation.method] = described(operation, &said, &tag);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Outcrop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"api-key": []}],
        "tags": tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": headers::components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "One of the gateway's keys."},
                "api-key": {"type": "apiKey", "in": "header", "name": "api-key", "description": "The same, as Azure's clients send it."},
            },
        },
    })
}

fn described(operation: &Operation, said: &Map<String, Value>, tag: &str) -> Value {
    let mut result = json!({
        "operationId": operation_id(operation),
        "tags": [tag],
        "summary": said.get("summary"),
    });
    if let Some(description) = said.get("description") {
        result["description"] = description.clone();
    }
    let calls = said.contains_key("request") || said.contains_key("form");
    let mut of_headers = match calls {
        true => headers::of_requests(),
        false => Vec::new(),
    };
    if said.contains_key("tagged") {
        of_headers.push(headers::if_none_match());
    }
    let parameters: Vec<Value> = path_parameters(&operation.path)
        .chain(
            said.get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .cloned(),
        )
        .chain(of_headers)
        .collect();
    if !parameters.is_empty() {
        result["parameters"] = parameters.into();
    }
    let mut content = Map::new();
    for (member, media_type) in [("request", "application/json"), ("form", "multipart/form-data")] {
        if let Some(schema) = said.get(member) {
            let mut schema = schema.clone();
            if member == "request" {
                allow_null(&mut schema);
            }
            forbid_empty(&mut schema, "model");
            if operation.path.contains("{model}") {
                leave_to_path(&mut schema, "model");
            }
            let mut media = json!({"schema": schema});
            if let (Some(example), "request") = (said.get("example"), member) {
                media["example"] = example.clone();
            }
            content.insert(media_type.to_owned(), media);
        }
    }
    if !content.is_empty() {
        result["requestBody"] = json!({"required": true, "content": content});
    }
    result["responses"] = responses(operation, said);
    for (status, response) in result["responses"].as_object_mut().into_iter().flatten() {
        response["headers"] = headers::of_response(status, calls, said.contains_key("tagged"));
    }
    if said.get("public").is_some() {
        result["security"] = json!([]);
    }
    result
}

fn responses(operation: &Operation, said: &Map<String, Value>) -> Value {
    let mut content = Map::new();
    if let Some(schema) = said.get("response") {
        content.insert("application/json".to_owned(), json!({"schema": schema}));
    }
    if let Some(stream) = said.get("stream") {
        let schema = json!({"type": "string", "description": stream});
        content.insert("text/event-stream".to_owned(), json!({"schema": schema}));
    }
    for media_type in said.get("text").and_then(Value::as_array).into_iter().flatten() {
        if let Some(media_type) = media_type.as_str() {
            content.insert(media_type.to_owned(), json!({"schema": {"type": "string"}}));
        }
    }
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({"description": "The answer.", "content": content}),
    );
    if said.get("public").is_some() {
        // Nothing is asked of anyone, but for what the gateway says of itself.
        if let Some(others) = said.get("otherwise").and_then(Value::as_object) {
            responses.extend(others.clone());
        }
        return responses.into();
    }
    if said.contains_key("tagged") {
        let meaning = "Nothing has changed since the answer whose tag `If-None-Match` names.";
        responses.insert("304".to_owned(), json!({"description": meaning}));
    }
    let is_admin = said.contains_key("admin");
    let errors = if is_admin { &ADMIN_ERRORS[..] } else { &ERRORS[..] };
    for (status, meaning) in errors.iter().copied() {
        let is_of_body = matches!(status, "408" | "413" | "415");
        if is_of_body && matches!(operation.method, "get" | "delete") {
            continue;
        }
        let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}});
        responses.insert(status.to_owned(), json!({"description": meaning, "content": content}));
    }
    responses.into()
}

fn error_schema() -> Value {
    let nullable = json!({"type": ["string", "null"]});
    json!({
        "type": "object",
        "description": "What went wrong, in OpenAI's form.",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "For people."},
                "type": {"type": "string", "description": "The kind of error."},
                "param": {"type": ["string", "null"], "description": "The field to blame."},
                "code": {"type": ["string", "null"], "description": "For programs."},
                "aws_error_type": nullable, "aws_request_id": nullable, "region": nullable, "model": nullable,
            },
        }},
    })
}

/// `null` counts as absent wherever a parameter may be.
fn allow_null(schema: &mut Value) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        required
            .as_array()
            .is_some_and(|required| required.iter().any(|known| known == name))
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties.iter_mut() {
        if is_required(name) {
            continue;
        }
        if let Some(Value::String(kind)) = property.get("type")
            && property.get("enum").is_none()
        {
            property["type"] = json!([kind, "null"]);
            continue;
        }
        if let Some(Value::Array(words)) = property.get_mut("enum") {
            words.push(Value::Null);
            if let Some(Value::String(kind)) = property.get("type") {
                property["type"] = json!([kind, "null"]);
            }
            continue;
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(Value::Array(choices)) = property.get_mut(choice) {
                choices.push(json!({"type": "null"}));
            }
        }
    }
}

/// What is required can't be nothing.
fn forbid_empty(schema: &mut Value, name: &str) {
    let required = schema.get("required").and_then(Value::as_array);
    if required.is_some_and(|required| required.iter().any(|known| known == name)) {
        schema["properties"][name]["minLength"] = 1.into();
    }
}

/// What the path says need not stand in the body.
fn leave_to_path(schema: &mut Value, name: &str) {
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|known| known != name);
    }
}

/// `{model}` and the like.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> + '_ {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": {"type": "string", "minLength": 1},
        }))
    })
}

/// A name for generated clients, such as `post_v1_chat_completions`.
fn operation_id(operation: &Operation) -> String {
    let path: String = operation
        .path
        .chars()
        .filter(|letter| !matches!(letter, '{' | '}'))
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    format!("{}{path}", operation.method)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    #[test]
    fn each_endpoint_describes_itself() {
        for operation in routes::operations() {
            let said: Map<String, Value> = serde_json::from_str(&operation.description)
                .unwrap_or_else(|error| panic!("{}: {error}", operation.path));
            for member in ["summary", "tag"] {
                assert!(said[member].is_string(), "{}: {member}", operation.path);
            }
            for member in said.keys() {
                assert!(MEMBERS.contains(&member.as_str()), "{}: {member}", operation.path);
            }
        }
    }

    #[test]
    fn each_reference_leads_somewhere() {
        let document = of(&routes::operations());
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let path = reference.split('"').next().unwrap();
            assert!(document.pointer(path).is_some(), "{path}");
        }
    }

    #[test]
    fn what_may_be_left_out_may_be_null() {
        let mut schema = json!({
            "required": ["a"],
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "string"},
                "c": {"enum": ["x"]},
                "d": {"anyOf": [{"type": "string"}]},
            },
        });
        allow_null(&mut schema);
        let properties = &schema["properties"];
        assert_eq!(properties["a"], json!({"type": "string"}));
        assert_eq!(properties["b"], json!({"type": ["string", "null"]}));
        assert_eq!(properties["c"], json!({"enum": ["x", null]}));
        assert_eq!(
            properties["d"],
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]})
        );
    }
}
