//! Who somebody is, as AWS's own front door says: API Gateway or a Lambda function URL with IAM authorization.
//!
//! Sources: API Gateway's and Lambda's developer guides on the request context of payload formats 1.0 and 2.0; the
//! README of the AWS Lambda Web Adapter; read 2026-11.

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::sts::account_of;

/// The header in which the Lambda Web Adapter passes on the request context.
const REQUEST_CONTEXT: HeaderName = HeaderName::from_static("x-amzn-request-context");

/// Who a request is from, among its extensions: AWS's front door has said so to the gateway itself.
#[derive(Clone, Debug)]
pub(crate) struct Vouched(pub(crate) String);

/// In which header the identity stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardedIdentity {
    /// `x-amzn-request-context`: the request context, as JSON.
    RequestContext,
    /// A header with an ARN.
    Header(HeaderName),
}

impl ForwardedIdentity {
    /// Reads the setting: `aws-request-context`, or the name of a header.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "aws-request-context" {
            return Some(Self::RequestContext);
        }
        let name: HeaderName = text.parse().ok()?;
        // These say other things already.
        let is_taken = ["authorization", "api-key", "host", "cookie", "content-length"].contains(&name.as_str());
        (!is_taken).then_some(Self::Header(name))
    }

    /// The ARN of the caller; `None` if the headers name none, or name two.
    pub(super) fn arn(&self, headers: &HeaderMap) -> Option<String> {
        let name = match self {
            Self::RequestContext => &REQUEST_CONTEXT,
            Self::Header(name) => name,
        };
        let mut values = headers.get_all(name).iter();
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        let text = value.to_str().ok()?.trim();
        match self {
            Self::RequestContext => arn_of_request_context(text),
            Self::Header(_) => sound(text),
        }
    }
}

/// The caller's ARN in the request context of an event of API Gateway or of a function URL, of either payload format;
/// `None` if nobody proved by IAM who they are.
pub fn arn_of_request_context(json: &str) -> Option<String> {
    let context: Value = serde_json::from_str(json).ok()?;
    let of_first = context.pointer("/identity/userArn");
    // What a function of the operator's own made of the caller stands beside it, under other names.
    let of_second = || context.pointer("/authorizer/iam/userArn");
    let arn = of_first.filter(|arn| !arn.is_null()).or_else(of_second)?;
    sound(arn.as_str()?)
}

fn sound(arn: &str) -> Option<String> {
    account_of(arn).map(|_| arn.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Search/me";

    #[test]
    fn both_forms_of_the_context_name_the_caller() {
        let first = format!(r#"{{"httpMethod": "POST", "identity": {{"userArn": "{ARN}", "accountId": "1"}}}}"#);
        let second = format!(r#"{{"authorizer": {{"iam": {{"userArn": "{ARN}"}}}}, "http": {{"method": "POST"}}}}"#);
        for context in [first, second] {
            assert_eq!(arn_of_request_context(&context).as_deref(), Some(ARN), "{context}");
        }
        for context in [
            "",
            "[]",
            "{}",
            r#"{"identity": {"userArn": null}}"#,
            r#"{"identity": {"userArn": 1}}"#,
            r#"{"identity": {"userArn": "me"}}"#,
            r#"{"authorizer": {"lambda": {"userArn": "arn:aws:iam::123456789012:user/me"}}}"#,
            r#"{"authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/*"}}}"#,
        ] {
            assert_eq!(arn_of_request_context(context), None, "{context}");
        }
    }

    #[test]
    fn a_header_names_one_caller() {
        let setting = ForwardedIdentity::parse("X-Caller-Arn").unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(setting.arn(&headers), None);
        headers.append("x-caller-arn", HeaderValue::from_static(ARN));
        assert_eq!(setting.arn(&headers).as_deref(), Some(ARN));
        headers.append("x-caller-arn", HeaderValue::from_static(ARN));
        assert_eq!(setting.arn(&headers), None);
        assert_eq!(ForwardedIdentity::parse("authorization"), None);
        assert_eq!(ForwardedIdentity::parse("a b"), None);
    }
}
