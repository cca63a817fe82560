//! The bodies of AWS's query protocol: `Action=…&Tags.member.1.Key=…`.

use serde_json::{Map, Value};

use crate::uri;

/// More than any member has.
const DEEPEST: usize = 8;
/// Members whose values are numbers.
const NUMBERS: [&str; 2] = ["DurationSeconds", "MinimumSessionTokenSize"];
/// What nobody may read afterwards.
const SECRETS: [&str; 5] = [
    "WebIdentityToken",
    "clientSecret",
    "refreshToken",
    "accessToken",
    "TokenCode",
];

/// The decoded pairs.
pub(super) fn pairs(body: &[u8]) -> Vec<(String, String)> {
    // In forms, unlike in URIs, a plus is a space.
    uri::query(&String::from_utf8_lossy(body).replace('+', "%20"))
}

/// The same as JSON: what has dots in its name is nested, and `member.1` is the first of a list.
pub(super) fn to_json(pairs: &[(String, String)]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        let value = match value.parse::<i64>() {
            Ok(number) if NUMBERS.contains(&name.as_str()) => number.into(),
            _ => Value::String(value.clone()),
        };
        let steps: Vec<&str> = name.split('.').take(DEEPEST).collect();
        put(&mut root, &steps, value);
    }
    root
}

fn put(place: &mut Value, steps: &[&str], value: Value) {
    match steps {
        [] => *place = value,
        ["member", number, rest @ ..] => {
            if !place.is_array() {
                *place = Value::Array(Vec::new());
            }
            let at = number.parse::<usize>().unwrap_or(1).clamp(1, 100) - 1;
            if let Value::Array(items) = place {
                while items.len() <= at {
                    items.push(Value::Object(Map::new()));
                }
                put(&mut items[at], rest, value);
            }
        }
        [name, rest @ ..] => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            put(&mut place[*name], rest, value);
        }
    }
}

/// A body as a test may see it afterwards: without secrets. `None` if it is no form.
pub(crate) fn shown(content_type: &str, body: &[u8]) -> Option<Value> {
    if let (true, Ok(mut json)) = (content_type.contains("json"), serde_json::from_slice::<Value>(body)) {
        let mut hidden = false;
        for name in SECRETS {
            if let Some(secret) = json.get_mut(name) {
                *secret = "[redacted]".into();
                hidden = true;
            }
        }
        return hidden.then_some(json);
    }
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let mut pairs = pairs(body);
    for (name, value) in &mut pairs {
        if SECRETS.contains(&name.as_str()) {
            *value = "[redacted]".to_owned();
        }
    }
    Some(to_json(&pairs))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_structures_are_nested() {
        let body =
            b"Action=AssumeRole&DurationSeconds=900&Tags.member.1.Key=a&Tags.member.1.Value=b+c&Tags.member.2.Key=d";
        assert_eq!(
            to_json(&pairs(body)),
            json!({"Action": "AssumeRole", "DurationSeconds": 900, "Tags": [{"Key": "a", "Value": "b c"}, {"Key": "d"}]})
        );
    }

    #[test]
    fn secrets_arent_shown() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(
            shown(form, b"Action=A&WebIdentityToken=secret"),
            Some(json!({"Action": "A", "WebIdentityToken": "[redacted]"}))
        );
        assert_eq!(shown("application/json", b"{\"model\": 1}"), None);
    }
}
