//! The services beside Bedrock that its callers need: STS, the places where machines find credentials, Secrets Manager,
//! Systems Manager's parameters, and Service Quotas. All share Bedrock's address; a request is told by what it carries.

mod form;
mod machine;
mod parameters;
mod secrets;
mod service_quotas;
mod sso;
mod sts;

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::access::{Caller, Signed};
use crate::exchange::{Answer, Shared};
use crate::refusal::Refusal;
use crate::script::Script;
use crate::validate;

pub(crate) use form::shown as shown_form;

/// A request to one of these services.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    service: Service,
    operation: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Service {
    Sts,
    Secrets,
    Parameters,
    Quotas,
    /// The machine that a caller runs on: EC2's metadata, ECS's and EKS's credentials.
    Machine,
    Sso,
}

/// An operation with what is needed to answer it.
struct Request<'a> {
    shared: &'a Shared,
    operation: &'a str,
    caller: Caller,
    body: &'a Value,
}

impl Call {
    /// Reads what a request is for; nothing if it is Bedrock's.
    pub(crate) fn find(parts: &Parts, body: &[u8]) -> Option<Call> {
        let path = parts.uri.path();
        let call = |service, operation: &str| {
            Some(Call {
                service,
                operation: operation.to_owned(),
            })
        };
        if (&parts.method, path) == (&Method::POST, "/") {
            let Some(target) = text(&parts.headers, "x-amz-target") else {
                let fields = form::pairs(body);
                let action = fields.iter().find(|(name, _)| name == "Action");
                return call(Service::Sts, action.map_or("", |(_, action)| action));
            };
            let (service, operation) = target.split_once('.')?;
            let service = match service {
                "secretsmanager" => Service::Secrets,
                "AmazonSSM" => Service::Parameters,
                "ServiceQuotasV20190624" => Service::Quotas,
                _ => return None,
            };
            return call(service, operation);
        }
        if (&parts.method, path) == (&Method::GET, "/") {
            let fields = form::pairs(parts.uri.query()?.as_bytes());
            let (_, action) = fields.iter().find(|(name, _)| name == "Action")?;
            return call(Service::Sts, action);
        }
        if let Some(operation) = machine::operation(&parts.method, path) {
            return call(Service::Machine, operation);
        }
        match (&parts.method, path) {
            (&Method::GET, "/federation/credentials") => call(Service::Sso, "GetRoleCredentials"),
            (&Method::POST, "/token") => call(Service::Sso, "CreateToken"),
            _ => None,
        }
    }

    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// Answers it, in the service's own form.
    pub(crate) async fn answer(&self, shared: &Shared, parts: &Parts, body: &Bytes) -> Answer {
        let answered = match self.scripted(shared).await {
            Some(refusal) => Err(refusal),
            None => self.operate(shared, parts, body),
        };
        answered.unwrap_or_else(|refusal| match self.service {
            Service::Sts => sts::refusal(&refusal),
            Service::Machine => machine::refusal(&refusal),
            Service::Sso => sso::refusal(&refusal),
            Service::Secrets | Service::Parameters | Service::Quotas => json_refusal(&refusal),
        })
    }

    /// What a scenario's rule for this operation asks for: a wait, an error.
    async fn scripted(&self, shared: &Shared) -> Option<Refusal> {
        let script = Script::new(shared.scripted(&self.operation, "", ""));
        if let Some(delay) = script.delay {
            tokio::time::sleep(delay).await;
        }
        script.error_at(1).cloned()
    }

    fn operate(&self, shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Answer, Refusal> {
        match self.service {
            Service::Machine => return machine::answer(shared, parts),
            Service::Sso => return sso::answer(shared, parts, body),
            _ => {}
        }
        let signed = Signed {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        if self.service == Service::Sts {
            return sts::answer(shared, &self.operation, &signed);
        }
        let (name, known) = match self.service {
            Service::Secrets => ("secretsmanager", &["GetSecretValue"][..]),
            Service::Parameters => ("ssm", &["GetParameter", "GetParameters"][..]),
            _ => (
                "servicequotas",
                &["ListServiceQuotas", "GetServiceQuota", "ListAWSDefaultServiceQuotas"][..],
            ),
        };
        if !known.contains(&self.operation.as_str()) {
            return Err(Refusal::new("UnknownOperationException", ""));
        }
        let caller = shared.access().admit_signed(&signed, name, SystemTime::now())?;
        let parsed: Value = serde_json::from_slice(body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::new("SerializationException", "Could not parse the request body as JSON"))?;
        validate::body(&self.operation, &parsed).map_err(in_lower_camel)?;
        let request = Request {
            shared,
            operation: &self.operation,
            caller,
            body: &parsed,
        };
        let found = match self.service {
            Service::Secrets => secrets::answer(&request)?,
            Service::Parameters => parameters::answer(&request)?,
            _ => service_quotas::answer(&request)?,
        };
        let mut answer = Answer::json(&found);
        answer.content_type = JSON;
        Ok(answer)
    }
}

const JSON: &str = "application/x-amz-json-1.1";

/// A refusal of a service that speaks JSON 1.1: its name stands in the body.
fn json_refusal(refusal: &Refusal) -> Answer {
    let mut body = json!({"__type": refusal.exception});
    // Parameter Store gives no reason for what it hasn't got.
    if !refusal.message.is_empty() {
        body["Message"] = refusal.message.clone().into();
    }
    let mut answer = Answer::json(&body);
    answer.content_type = JSON;
    answer.status = match refusal.exception.as_str() {
        "InternalServerException" => StatusCode::INTERNAL_SERVER_ERROR,
        "ServiceUnavailableException" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    answer
}

/// These services name a member in a violation as `roleArn`, though it is sent as `RoleArn`.
fn in_lower_camel(mut refusal: Refusal) -> Refusal {
    let mut parts = refusal.message.split(" at '");
    let mut message = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        message.push_str(" at '");
        let mut chars = part.chars();
        message.extend(chars.next().map(|first| first.to_ascii_lowercase()));
        message.push_str(chars.as_str());
    }
    refusal.message = message;
    refusal
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
}

/// `2026-11-21T18:49:29Z`.
fn iso(moment: SystemTime) -> String {
    let whole = DateTime::from_secs(DateTime::from(moment).secs());
    whole.fmt(Format::DateTime).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_apart() {
        let find = |method: &str, path: &str, target: Option<&str>, body: &str| {
            let mut request = http::Request::builder().method(method).uri(path);
            if let Some(target) = target {
                request = request.header("x-amz-target", target);
            }
            let parts = request.body(()).unwrap().into_parts().0;
            Call::find(&parts, body.as_bytes()).map(|call| (call.service, call.operation))
        };
        let found = |service, operation: &str| Some((service, operation.to_owned()));
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        assert_eq!(find("POST", "/", None, body), found(Service::Sts, "GetCallerIdentity"));
        assert_eq!(
            find("POST", "/", Some("AmazonSSM.GetParameter"), "{}"),
            found(Service::Parameters, "GetParameter")
        );
        assert_eq!(
            find("GET", "/v2/credentials/simulator", None, ""),
            found(Service::Machine, "GetContainerCredentials")
        );
        assert_eq!(
            find("GET", &format!("/?{body}"), None, ""),
            found(Service::Sts, "GetCallerIdentity")
        );
        assert_eq!(find("GET", "/", None, ""), None);
        assert_eq!(find("GET", "/foundation-models", None, ""), None);
        assert_eq!(find("POST", "/model/a/converse", None, ""), None);
    }

    #[test]
    fn members_are_named_as_aws_names_them() {
        let refusal = in_lower_camel(Refusal::validation(
            "Value 'x' at 'RoleArn' failed; Value at 'Name' failed",
        ));
        assert_eq!(refusal.message, "Value 'x' at 'roleArn' failed; Value at 'name' failed");
    }
}
