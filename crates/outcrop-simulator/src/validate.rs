//! Checks a JSON value against a shape of the table: what the framework in front of Bedrock does, before any rule of
//! Bedrock itself.

use aws_smithy_types::base64;
use serde_json::{Map, Value};

use crate::path::Path;
use crate::refusal::Refusal;
use crate::shapes::{Kind, Member, Shape, Table, table};

/// Checks a request's body against the input of `operation`.
///
/// # Errors
///
/// A value of the wrong type, or a member that doesn't exist, is reported at once; broken limits are collected, as AWS
/// does, and unions that hold no member, or more than one, come last.
pub(crate) fn body(operation: &str, body: &Value) -> Result<(), Refusal> {
    let Some(shape) = table().input_of(operation) else {
        return Err(Refusal::new(
            "UnknownOperationException",
            "The requested operation is not recognized by the service.",
        ));
    };
    let in_body = |member: &Member| member.location.is_none();
    run(shape, in_body, body)
}

/// Checks the parameters of a query, by the names that they have in the input of `operation`.
pub(crate) fn query(operation: &str, query: &Value) -> Result<(), Refusal> {
    let in_query = |member: &Member| member.location.as_deref() == Some("querystring");
    match table().input_of(operation) {
        Some(shape) => run(shape, in_query, query),
        None => Ok(()),
    }
}

/// Checks one text (a part of the path) against a named shape, as if it stood at `name`.
pub(crate) fn text(shape: &str, name: &str, value: &str) -> Result<(), Refusal> {
    let mut walk = Walk::new(|_| true);
    walk.path.member(name);
    walk.named(shape, &Value::String(value.to_owned()))?;
    walk.finish()
}

fn run(shape: &Shape, takes: impl Fn(&Member) -> bool, value: &Value) -> Result<(), Refusal> {
    let mut walk = Walk::new(takes);
    walk.value(shape, "", value)?;
    walk.finish()
}

struct Walk<F> {
    table: &'static Table,
    /// Which members are to be found here: those of a body, not those of its URI.
    takes: F,
    path: Path,
    violations: Vec<String>,
    bad_unions: Vec<String>,
}

impl<F: Fn(&Member) -> bool> Walk<F> {
    fn new(takes: F) -> Walk<F> {
        Walk {
            table: table(),
            takes,
            path: Path::default(),
            violations: Vec::new(),
            bad_unions: Vec::new(),
        }
    }

    fn finish(self) -> Result<(), Refusal> {
        if !self.violations.is_empty() {
            return Err(Refusal::constraints(&self.violations));
        }
        match self.bad_unions.into_iter().next() {
            Some(message) => Err(Refusal::validation(message)),
            None => Ok(()),
        }
    }

    fn named(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        match self.table.shape(name) {
            Some(shape) => self.value(shape, name, value),
            None => Ok(()),
        }
    }

    fn value(&mut self, shape: &Shape, name: &str, value: &Value) -> Result<(), Refusal> {
        if shape.document {
            return Ok(());
        }
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(fields)) => self.structure(shape, name, fields),
            (Kind::List, Value::Array(items)) => self.list(shape, value, items),
            (Kind::Map, Value::Object(entries)) => self.map(shape, value, entries),
            (Kind::String, Value::String(text)) => {
                self.string(shape, text);
                Ok(())
            }
            (Kind::Blob, Value::String(text)) => self.blob(shape, text),
            (Kind::Integer | Kind::Long, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                self.range(shape, value, number.as_f64().unwrap_or(f64::INFINITY), "have value");
                Ok(())
            }
            (Kind::Float | Kind::Double, Value::Number(number)) => {
                self.range(shape, value, number.as_f64().unwrap_or(f64::INFINITY), "have value");
                Ok(())
            }
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::String(_) | Value::Number(_)) => Ok(()),
            _ => Err(self.malformed(&format!(
                "expected type: {}, found: {}",
                wanted(shape.kind),
                found(value)
            ))),
        }
    }

    fn structure(&mut self, shape: &Shape, name: &str, fields: &Map<String, Value>) -> Result<(), Refusal> {
        for (key, value) in fields {
            let Some(member) = shape.members.get(key).filter(|member| (self.takes)(member)) else {
                return Err(self.malformed(&format!("extraneous key [{key}] is not permitted")));
            };
            // An explicit null is the same as nothing.
            if !value.is_null() {
                self.path.member(key);
                self.named(&member.shape, value)?;
                self.path.pop();
            }
        }
        let given = |name: &String| fields.get(name).is_some_and(|value| !value.is_null());
        for required in &shape.required {
            if shape.members.get(required).is_some_and(|member| (self.takes)(member)) && !given(required) {
                self.path.member(required);
                self.violates("null", "Member must not be null");
                self.path.pop();
            }
        }
        if shape.union {
            self.union(shape, name, shape.members.keys().filter(|name| given(name)).count());
        }
        Ok(())
    }

    fn union(&mut self, shape: &Shape, name: &str, given: usize) {
        let only = match given {
            1 => return,
            0 => "must set one",
            _ => "must set only one",
        };
        let keys = shape.members.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let at = self.path.dotted();
        self.bad_unions.push(format!(
            "The {name} object at {at} {only} of the following keys: {keys}."
        ));
    }

    fn list(&mut self, shape: &Shape, value: &Value, items: &[Value]) -> Result<(), Refusal> {
        self.range(shape, value, items.len() as f64, "have length");
        let Some(member) = shape.member.as_deref() else {
            return Ok(());
        };
        for (index, item) in items.iter().enumerate() {
            self.path.index(index);
            match item {
                Value::Null => self.violates("null", "Member must not be null"),
                item => self.named(member, item)?,
            }
            self.path.pop();
        }
        Ok(())
    }

    fn map(&mut self, shape: &Shape, value: &Value, entries: &Map<String, Value>) -> Result<(), Refusal> {
        self.range(shape, value, entries.len() as f64, "have length");
        for (key, value) in entries {
            self.path.entry(key);
            if let Some(shape) = shape.key.as_deref().and_then(|name| self.table.shape(name)) {
                self.string(shape, key);
            }
            match (&shape.value, value) {
                (_, Value::Null) => self.violates("null", "Member must not be null"),
                (Some(name), value) => self.named(name, value)?,
                (None, _) => {}
            }
            self.path.pop();
        }
        Ok(())
    }

    fn string(&mut self, shape: &Shape, text: &str) {
        let shown = Value::String(text.to_owned());
        self.range(shape, &shown, text.chars().count() as f64, "have length");
        if let Some(pattern) = shape.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
            let rule = format!("Member must satisfy regular expression pattern: {}", pattern.text);
            self.violates(&quoted(&shown), &rule);
        }
        if !shape.words.is_empty() && !shape.words.iter().any(|word| word == text) {
            let rule = format!("Member must satisfy enum value set: [{}]", shape.words.join(", "));
            self.violates(&quoted(&shown), &rule);
        }
    }

    fn blob(&mut self, shape: &Shape, text: &str) -> Result<(), Refusal> {
        let Ok(bytes) = base64::decode(text) else {
            return Err(self.malformed("the value is not valid base64"));
        };
        self.range(shape, &Value::Null, bytes.len() as f64, "have length");
        Ok(())
    }

    fn range(&mut self, shape: &Shape, shown: &Value, measure: f64, of: &str) {
        if let Some(min) = shape.min.filter(|min| measure < *min) {
            self.violates(
                &quoted(shown),
                &format!("Member must {of} greater than or equal to {min}"),
            );
        }
        if let Some(max) = shape.max.filter(|max| measure > *max) {
            self.violates(&quoted(shown), &format!("Member must {of} less than or equal to {max}"));
        }
    }

    fn violates(&mut self, shown: &str, rule: &str) {
        let at = self.path.coral();
        // A value that isn't shown leaves no gap.
        let shown = if shown.is_empty() {
            String::new()
        } else {
            format!(" {shown}")
        };
        self.violations
            .push(format!("Value{shown} at '{at}' failed to satisfy constraint: {rule}"));
    }

    fn malformed(&self, what: &str) -> Refusal {
        let at = self.path.pointer();
        Refusal::validation(format!(
            "Malformed input request: {at}: {what}, please reformat your input and try again."
        ))
    }
}

/// How a value stands in a message; long or nested ones are left out.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 200 => format!("'{text}'"),
        Value::Number(number) => format!("'{number}'"),
        _ => String::new(),
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure | Kind::Map => "JSONObject",
        Kind::List => "JSONArray",
        Kind::String | Kind::Blob | Kind::Timestamp => "String",
        Kind::Integer | Kind::Long => "Integer",
        Kind::Float | Kind::Double => "Number",
        Kind::Boolean => "Boolean",
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}

/// Checks an answer of ours against the table: the simulator holds itself to the same model.
#[cfg(test)]
pub(crate) fn named(shape: &str, value: &Value) -> Result<(), Refusal> {
    run(table().shape(shape).expect("a shape of the table"), |_| true, value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(value: Value) -> String {
        body("Converse", &value).expect_err("should be refused").message
    }

    #[test]
    fn a_plain_body_passes() {
        let value = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": null});
        assert_eq!(body("Converse", &value), Ok(()));
    }

    #[test]
    fn unknown_members_are_refused_where_they_stand() {
        let value = json!({"messages": [{"role": "user", "content": [], "name": "x"}]});
        assert!(refused(value).contains("#/messages/0: extraneous key [name] is not permitted"));
        let in_uri = json!({"modelId": "x"});
        assert!(refused(in_uri).contains("extraneous key [modelId]"));
    }

    #[test]
    fn wrong_types_are_refused() {
        let value = json!({"messages": [{"role": "user", "content": "Hello"}]});
        assert!(refused(value).contains("#/messages/0/content: expected type: JSONArray, found: String"));
        let value = json!({"inferenceConfig": {"maxTokens": 1.5}});
        assert!(refused(value).contains("expected type: Integer, found: Number"));
    }

    #[test]
    fn broken_limits_are_collected() {
        let value = json!({"messages": [{"content": []}], "inferenceConfig": {"maxTokens": 0, "temperature": 1.5}});
        let message = refused(value);
        assert!(message.starts_with("3 validation errors detected: "), "{message}");
        assert!(
            message.contains(
                "Value null at 'messages.1.member.role' failed to satisfy constraint: Member must not be null"
            )
        );
        assert!(message.contains("Value '0' at 'inferenceConfig.maxTokens'"));
        assert!(message.contains("Member must have value less than or equal to 1"));
    }

    #[test]
    fn enums_and_patterns_are_checked() {
        let value = json!({"messages": [{"role": "tool", "content": []}]});
        assert!(refused(value).contains("Member must satisfy enum value set: [user, assistant, system]"));
        let value = json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}});
        assert!(refused(value).contains("Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"));
    }

    #[test]
    fn a_union_holds_one_member() {
        let value = json!({"messages": [{"role": "user", "content": [{}]}]});
        assert!(
            refused(value)
                .contains("The ContentBlock object at messages.0.content.0 must set one of the following keys")
        );
        let value =
            json!({"messages": [{"role": "user", "content": [{"text": "a", "cachePoint": {"type": "default"}}]}]});
        assert!(refused(value).contains("must set only one"));
    }

    #[test]
    fn blobs_are_base64() {
        let image = |bytes: &str| json!({"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": bytes}}}]}]});
        assert_eq!(body("Converse", &image("aGVsbG8=")), Ok(()));
        assert!(refused(image("data:image/png;base64,aGVsbG8=")).contains("not valid base64"));
        assert!(refused(image("")).contains("Member must have length greater than or equal to 1"));
    }

    #[test]
    fn free_form_members_take_anything() {
        let value = json!({"additionalModelRequestFields": {"any": [{"thing": null}]}});
        assert_eq!(body("Converse", &value), Ok(()));
    }
}
