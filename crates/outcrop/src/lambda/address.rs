//! Paths and queries of events, put back to how they were sent.

use form_urlencoded::Serializer;
use serde_json::Value;

/// A path without the stage of API Gateway before it: `/prod/v1/models` of stage `prod` is `/v1/models`.
pub(super) fn without_stage<'p>(path: &'p str, stage: &str) -> &'p str {
    if stage.is_empty() || stage == "$default" {
        return path;
    }
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    match rest {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// A path without what a domain of one's own has before it: what the proxy resource at the root has matched, and the slash
/// before it.
pub(super) fn without_base<'p>(path: &'p str, matched: &str) -> &'p str {
    let base = path.strip_suffix(matched).and_then(|base| base.strip_suffix('/'));
    base.map_or(path, |base| &path[base.len()..])
}

/// A path as it may stand in a request. Some of the fronts decode it, others don't: what is encoded stays so.
pub(super) fn path(raw: &str) -> String {
    let mut path = escaped(raw, |byte| matches!(byte, b'?' | b'#'));
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    path
}

/// A query as it may stand in a request.
pub(super) fn query(raw: &str) -> String {
    escaped(raw, |byte| byte == b'#')
}

/// The query of an event that lists its parameters.
pub(super) fn decoded_query(event: &Value, is_encoded: bool) -> String {
    let lists = event.get("multiValueQueryStringParameters").and_then(Value::as_object);
    let single = event.get("queryStringParameters").and_then(Value::as_object);
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    match lists {
        Some(lists) => {
            for (name, values) in lists {
                let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
                pairs.extend(values.map(|value| (name.as_str(), value)));
            }
        }
        None => {
            let single = single.into_iter().flatten();
            pairs.extend(single.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))));
        }
    }
    if is_encoded {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        return query(&pairs.join("&"));
    }
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Text with all encoded that no address may have in it, and what else `also` names.
fn escaped(raw: &str, also: impl Fn(u8) -> bool) -> String {
    let bytes = raw.as_bytes();
    let mut text = String::with_capacity(raw.len());
    for (index, &byte) in bytes.iter().enumerate() {
        let is_escape = byte == b'%' && {
            let digits = bytes.get(index + 1..index + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let may_stand = byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'%');
        if is_escape || (may_stand && !also(byte)) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stage_is_taken_away_and_nothing_else() {
        for (raw, stage, expected) in [
            ("/prod/v1/models", "prod", "/v1/models"),
            ("/prod", "prod", "/"),
            ("/product/v1", "prod", "/product/v1"),
            ("/v1/models", "$default", "/v1/models"),
            ("/v1/models", "", "/v1/models"),
            ("/v1/v1/models", "v1", "/v1/models"),
        ] {
            assert_eq!(without_stage(raw, stage), expected, "{raw}");
        }
        assert_eq!(without_base("/ai/v1/models", "v1/models"), "/v1/models");
        assert_eq!(without_base("/v1/models", "v1/models"), "/v1/models");
        assert_eq!(without_base("/v1/a b", "v1/a%20b"), "/v1/a b");
    }

    #[test]
    fn what_is_encoded_stays_so_and_what_is_not_becomes_so() {
        assert_eq!(path("/v1/models/a%2Fb:0"), "/v1/models/a%2Fb:0");
        assert_eq!(path("/v1/models/a b?é#%zz"), "/v1/models/a%20b%3F%C3%A9%23%25zz");
        assert_eq!(path(""), "/");
        assert_eq!(query("a=b&c=%20+d e"), "a=b&c=%20+d%20e");
    }

    #[test]
    fn queries_are_encoded_again_where_they_were_decoded() {
        let event = json!({
            "queryStringParameters": { "a": "2" },
            "multiValueQueryStringParameters": { "a": ["1 &", "2"], "b": [""] },
        });
        assert_eq!(decoded_query(&event, false), "a=1+%26&a=2&b=");
        let event = json!({ "queryStringParameters": { "a": "1%20%26" } });
        assert_eq!(decoded_query(&event, true), "a=1%20%26");
        assert_eq!(decoded_query(&json!({ "queryStringParameters": null }), false), "");
    }
}
