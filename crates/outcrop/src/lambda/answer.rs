//! Answers as AWS takes them: streamed, or as one document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRAILER, TRANSFER_ENCODING,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::MetadataPrelude;
use outcrop_server::{Problem, ProblemKind};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::event::Front;

/// The largest answer of a function that doesn't stream (Lambda's quotas, 2026-11).
const LIMIT: usize = 6 * 1024 * 1024;
/// The largest that a load balancer takes (the user guide of Application Load Balancers, 2026-11).
const LOAD_BALANCER_LIMIT: usize = 1024 * 1024;

/// Headers that say how a connection is used. The answer goes over none of ours.
const OF_CONNECTION: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING];

/// The head of a streamed answer.
pub(super) fn prelude(head: Parts) -> MetadataPrelude {
    let cookies = head.headers.get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(ToOwned::to_owned));
    MetadataPrelude {
        status_code: head.status,
        cookies: cookies.collect(),
        headers: joined(&head.headers),
    }
}

/// A whole answer.
///
/// # Errors
/// If it is larger than may be.
pub(super) fn whole(front: Front, head: &Parts, body: &[u8]) -> Result<Box<RawValue>, Box<Problem>> {
    let limit = match front {
        Front::LoadBalancer { .. } => LOAD_BALANCER_LIMIT,
        _ => LIMIT,
    };
    let document = document(front, head, body);
    let text = serde_json::to_string(&document).unwrap_or_default();
    if text.len() > limit {
        return Err(too_large(front, text.len(), limit));
    }
    RawValue::from_string(text).map_err(|_| too_large(front, 0, limit))
}

fn document(front: Front, head: &Parts, body: &[u8]) -> Value {
    let text = is_text(&head.headers).then(|| str::from_utf8(body).ok()).flatten();
    let (body, is_base64) = match text {
        Some(text) => (text.to_owned(), false),
        None => (STANDARD.encode(body), true),
    };
    let mut document = json!({
        "statusCode": head.status.as_u16(),
        "isBase64Encoded": is_base64,
        "body": body,
    });
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let lists = || {
        let mut lists = Map::new();
        for (name, value) in &head.headers {
            if !OF_CONNECTION.contains(name) {
                let list = lists.entry(name.as_str()).or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.push(shown(value).into());
                }
            }
        }
        Value::Object(lists)
    };
    let single = || {
        let headers = joined(&head.headers);
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), shown(value).into()));
        Value::Object(pairs.collect())
    };
    match front {
        Front::RestApi | Front::LoadBalancer { lists_headers: true } => document["multiValueHeaders"] = lists(),
        Front::LoadBalancer { lists_headers: false } => document["headers"] = single(),
        Front::HttpApi | Front::FunctionUrl => {
            document["headers"] = single();
            let cookies: Vec<Value> = head
                .headers
                .get_all(SET_COOKIE)
                .iter()
                .map(|cookie| shown(cookie).into())
                .collect();
            document["cookies"] = cookies.into();
        }
    }
    if let Front::LoadBalancer { .. } = front {
        let reason = head.status.canonical_reason().unwrap_or_default();
        document["statusDescription"] = format!("{} {reason}", head.status.as_u16()).into();
    }
    document
}

/// Headers of which each has one value, without cookies, which have a place of their own.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::new();
    for name in headers.keys() {
        if OF_CONNECTION.contains(name) || name == SET_COOKIE {
            continue;
        }
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b", "[..])) {
            joined.insert(name.clone(), value);
        }
    }
    joined
}

/// Whether a body can stand in a document as it is.
fn is_text(headers: &HeaderMap) -> bool {
    if headers.contains_key(CONTENT_ENCODING) {
        return false;
    }
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.is_empty()
        || essence.starts_with("text/")
        || essence.ends_with("json")
        || essence.ends_with("xml")
        || essence.ends_with("javascript")
        || essence.ends_with("yaml")
}

fn too_large(front: Front, size: usize, limit: usize) -> Box<Problem> {
    let way = match front {
        Front::LoadBalancer { .. } => "Use a function URL that streams (up to 200 MB) in place of the load balancer",
        Front::RestApi => {
            "Set the integration's response transfer mode to STREAM and `lambda_response` to `stream` (up to 200 MB)"
        }
        _ => "Use a function URL with the invoke mode RESPONSE_STREAM (up to 200 MB)",
    };
    let message = format!(
        "The answer takes {size} bytes, and no more than {limit} may come from a Lambda function this way. {way}, or ask for less."
    );
    let problem = Problem::new(500, ProblemKind::Server, message).with_code("answer_too_large");
    let mut problem = Box::new(problem);
    problem.should_retry = Some(false);
    problem
}

/// What is answered to an event that is no request, in the form of an answer to one: whoever sent it may be a front that we
/// don't know.
pub(super) fn of_other() -> Box<RawValue> {
    let said = json!({
        "message": "The function is up. This event is no request from a function URL, API Gateway or a load balancer, so \
                    nothing else was done.",
    });
    let document = json!({
        "statusCode": 200,
        "headers": { "content-type": "application/json" },
        "isBase64Encoded": false,
        "body": said.to_string(),
    });
    RawValue::from_string(document.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn head(content_type: &'static str) -> Parts {
        let response = Response::builder()
            .header("content-type", content_type)
            .header("x-two", "1")
            .header("x-two", "2")
            .header("connection", "close")
            .header("set-cookie", "a=1")
            .body(());
        response.unwrap().into_parts().0
    }

    fn read(front: Front, content_type: &'static str, body: &[u8]) -> Value {
        serde_json::from_str(whole(front, &head(content_type), body).unwrap().get()).unwrap()
    }

    #[test]
    fn text_stands_as_it_is_and_all_else_as_base64() {
        let text = read(
            Front::HttpApi,
            "application/json; charset=utf-8",
            "{\"é\": 1}".as_bytes(),
        );
        assert_eq!(text["body"], "{\"é\": 1}");
        assert_eq!(text["isBase64Encoded"], false);
        for (content_type, body) in [("image/png", &b"\x89PNG"[..]), ("text/plain", &b"\xff"[..])] {
            let binary = read(Front::HttpApi, content_type, body);
            assert_eq!(binary["body"], STANDARD.encode(body), "{content_type}");
            assert_eq!(binary["isBase64Encoded"], true);
        }
    }

    #[test]
    fn headers_have_the_form_that_each_takes() {
        let of_api = read(Front::HttpApi, "text/plain", b"");
        assert_eq!(
            of_api["headers"],
            json!({ "content-type": "text/plain", "x-two": "1, 2" })
        );
        assert_eq!(of_api["cookies"], json!(["a=1"]));
        let of_rest = read(Front::RestApi, "text/plain", b"");
        assert_eq!(of_rest["multiValueHeaders"]["x-two"], json!(["1", "2"]));
        assert_eq!(of_rest["multiValueHeaders"].get("connection"), None);
        let listing = Front::LoadBalancer { lists_headers: true };
        assert_eq!(read(listing, "text/plain", b"")["statusDescription"], "200 OK");
        let single = Front::LoadBalancer { lists_headers: false };
        assert_eq!(read(single, "text/plain", b"")["headers"]["x-two"], "1, 2");
    }

    #[test]
    fn what_is_too_large_says_what_to_do() {
        let body = vec![b'a'; LOAD_BALANCER_LIMIT];
        let balancer = Front::LoadBalancer { lists_headers: false };
        let problem = whole(balancer, &head("text/plain"), &body).unwrap_err();
        assert_eq!(problem.code, Some("answer_too_large"));
        assert!(problem.message.contains("function URL"), "{}", problem.message);
        assert!(whole(Front::RestApi, &head("text/plain"), &body).is_ok());
        let body = vec![b'a'; LIMIT];
        let problem = whole(Front::RestApi, &head("text/plain"), &body).unwrap_err();
        assert!(problem.message.contains("STREAM"), "{}", problem.message);
    }
}
