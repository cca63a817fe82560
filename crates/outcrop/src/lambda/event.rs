//! The events by which AWS hands over HTTP requests: of function URLs, API Gateway (payload formats 1.0 and 2.0) and
//! Application Load Balancers.
//!
//! `lambda_http` would read them too, but it guesses what kind an event is, ends on a body that is no base64, and streams
//! either all answers or none. Here each kind is told by what only it has.
//!
//! Sources: the developer guides of Lambda (function URLs, ALB) and API Gateway (payload formats of Lambda integrations),
//! read 2026-11.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use outcrop_server::{Body, Handed, Problem, arn_of_request_context};
use serde_json::Value;

use super::address::{decoded_query, path, query, without_base, without_stage};

/// Headers that say how a connection was used by whoever read the request from it.
const OF_CONNECTION: [HeaderName; 6] = [CONNECTION, CONTENT_LENGTH, EXPECT, TE, TRANSFER_ENCODING, UPGRADE];

/// Who hands requests over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// A function URL.
    FunctionUrl,
    /// An HTTP API of API Gateway; it takes whole answers only.
    HttpApi,
    /// A REST API of API Gateway; whether it takes streams is a matter of its settings, which no event tells.
    RestApi,
    /// A load balancer; it takes whole answers only.
    LoadBalancer {
        /// Whether its headers come, and go, as lists.
        lists_headers: bool,
    },
}

/// What an event is.
pub(super) enum Event {
    /// A request.
    Request(Front, Box<Handed>),
    /// A request that can't be read; it is answered nevertheless.
    Broken(Front, Box<Request<()>>, Box<Problem>),
    /// Something else: a timer that keeps the function warm, or a test from the console.
    Other,
}

/// Reads an event.
pub(super) fn read(mut event: Value) -> Event {
    let Some((front, method)) = recognize(&event) else {
        return Event::Other;
    };
    let body = event.get_mut("body").map(Value::take);
    match handed(front, &method, &event, body) {
        Ok(handed) => Event::Request(front, Box::new(handed)),
        Err(problem) => {
            let mut request = Request::new(());
            *request.method_mut() = method.parse().unwrap_or_default();
            if let Ok(uri) = address(front, &event).parse() {
                *request.uri_mut() = uri;
            }
            Event::Broken(front, Box::new(request), problem)
        }
    }
}

/// Who hands an event over, and the method of its request.
fn recognize(event: &Value) -> Option<(Front, String)> {
    let context = event.get("requestContext")?;
    let text = |pointer: &str| Some(event.pointer(pointer)?.as_str()?.to_owned());
    if let Some(method) = text("/requestContext/http/method") {
        let domain = text("/requestContext/domainName").unwrap_or_default();
        // HTTP APIs have this format too, under names of their own or of AWS's. Emulators call themselves localhost.
        let is_url = domain.contains(".lambda-url.") || domain == "localhost";
        let front = if is_url { Front::FunctionUrl } else { Front::HttpApi };
        return Some((front, method));
    }
    let method = text("/httpMethod")?;
    let front = if context.get("elb").is_some() {
        Front::LoadBalancer {
            lists_headers: event.get("multiValueHeaders").is_some_and(Value::is_object),
        }
    } else if text("/version").as_deref() == Some("1.0") {
        Front::HttpApi
    } else {
        Front::RestApi
    };
    Some((front, method))
}

fn handed(front: Front, method: &str, event: &Value, body: Option<Value>) -> Result<Handed, Box<Problem>> {
    let headers = headers(event)?;
    let mut request = Request::new(Body::from(bytes(event, body)?));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| broken("its method is none"))?;
    *request.uri_mut() = address(front, event).parse().map_err(|_| broken("its path is none"))?;
    *request.headers_mut() = headers;
    let is_secure = match front {
        Front::LoadBalancer { .. } => last(request.headers(), "x-forwarded-proto") == Some("https"),
        _ => true,
    };
    let context = event.get("requestContext").map(Value::to_string);
    Ok(Handed {
        peer: peer(front, event, request.headers()),
        arn: context.and_then(|context| arn_of_request_context(&context)),
        is_secure,
        ends_at: None,
        request,
    })
}

/// The path and the query, as they would stand in a request.
fn address(front: Front, event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let stage = text("/requestContext/stage").unwrap_or_default();
    let (raw, query) = match text("/rawPath") {
        Some(raw) => (
            without_stage(raw, stage),
            query(text("/rawQueryString").unwrap_or_default()),
        ),
        None => {
            let raw = text("/path").unwrap_or_default();
            let of_proxy = (text("/resource") == Some("/{proxy+}"))
                .then(|| text("/pathParameters/proxy"))
                .flatten();
            // A load balancer hands values on as they came, API Gateway decodes them.
            let is_encoded = matches!(front, Front::LoadBalancer { .. });
            let whole = text("/requestContext/path").unwrap_or_default();
            let is_staged = whole.strip_prefix('/').and_then(|whole| whole.strip_prefix(stage)) == Some(raw);
            let raw = match of_proxy {
                Some(proxy) => without_base(raw, proxy),
                None if is_staged => raw,
                None => without_stage(raw, stage),
            };
            (raw, decoded_query(event, is_encoded))
        }
    };
    let mut address = path(raw);
    if !query.is_empty() {
        address.push('?');
        address.push_str(&query);
    }
    address
}

fn headers(event: &Value) -> Result<HeaderMap, Box<Problem>> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => return Ok(()),
            other => other.to_string(),
        };
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(text.as_bytes()),
        ) {
            (Ok(name), Ok(value)) => {
                headers.append(name, value);
                Ok(())
            }
            _ => Err(broken("one of its headers is none")),
        }
    };
    let lists = event.get("multiValueHeaders").and_then(Value::as_object);
    let single = event.get("headers").and_then(Value::as_object);
    for (name, values) in lists.into_iter().flatten() {
        match values {
            Value::Array(values) => values.iter().try_for_each(|value| add(name, value))?,
            value => add(name, value)?,
        }
    }
    for (name, value) in single.into_iter().flatten() {
        let is_listed = lists.is_some_and(|lists| lists.keys().any(|listed| listed.eq_ignore_ascii_case(name)));
        if !is_listed {
            add(name, value)?;
        }
    }
    let cookies = event.get("cookies").and_then(Value::as_array);
    let cookies: Vec<&str> = cookies.into_iter().flatten().filter_map(Value::as_str).collect();
    if !cookies.is_empty() && !headers.contains_key(COOKIE) {
        let value = HeaderValue::from_str(&cookies.join("; ")).map_err(|_| broken("one of its cookies is none"))?;
        headers.insert(COOKIE, value);
    }
    OF_CONNECTION.iter().for_each(|name| {
        headers.remove(name);
    });
    Ok(headers)
}

fn bytes(event: &Value, body: Option<Value>) -> Result<Vec<u8>, Box<Problem>> {
    let text = match body {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(broken("its body is no text")),
    };
    if event.get("isBase64Encoded").and_then(Value::as_bool) != Some(true) {
        return Ok(text.into_bytes());
    }
    STANDARD
        .decode(text)
        .map_err(|_| broken("its body says that it is base64, and is not"))
}

/// The address of the client, by whoever it reached first. What a client writes into `X-Forwarded-For` itself stands
/// before what the load balancer adds.
fn peer(front: Front, event: &Value, headers: &HeaderMap) -> Option<IpAddr> {
    let text = match front {
        Front::LoadBalancer { .. } => last(headers, "x-forwarded-for")?,
        _ => {
            let of_second = event.pointer("/requestContext/http/sourceIp");
            let of_first = || event.pointer("/requestContext/identity/sourceIp");
            of_second.or_else(of_first)?.as_str()?
        }
    };
    text.parse::<IpAddr>().ok().or_else(|| {
        let with_port: std::net::SocketAddr = text.parse().ok()?;
        Some(with_port.ip())
    })
}

/// The last value of a header that may be a list.
fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

fn broken(why: &str) -> Box<Problem> {
    let message = format!("The event that came to the Lambda function can't be read as a request: {why}.");
    Box::new(Problem::invalid(message).with_code("invalid_event"))
}

#[cfg(test)]
mod tests;
