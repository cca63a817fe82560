//! What a request would become, told instead of done: over HTTP, and without a server.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Request;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt as _;
use outcrop_bedrock::call::Call;
use outcrop_bedrock::model_id::path_segment;
use outcrop_translate::resolve::{Asked, Unresolved};
use outcrop_translate::{Notes, Problem, ProblemKind, openai};
use outcrop_upstream::Client;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::access::API_KEY;
use crate::caller::DRY_RUN;
use crate::config::Config;
use crate::exchange::Gateway;
use crate::inquiry::Inquiry;
use crate::routing::Stop;
use crate::tenants::Tenants;
use crate::{iam, routes};

/// A request that is to be explained, not made.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The endpoint that it is for: what follows `/v1/` in its path, such as `chat/completions`.
    pub endpoint: String,
    /// Its headers. If they show no key, none is asked for, and what is set for some keys alone doesn't apply.
    pub headers: HeaderMap,
    /// The model to ask instead of the one that the body names.
    pub model: Option<String>,
    /// Its JSON body.
    pub body: Bytes,
    /// Whether what its URLs point to is really fetched. If not, a name stands in for it, and no connection is made to
    /// anyone.
    pub fetches_urls: bool,
}

/// What a client would be told instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Bytes,
}

impl DryRun {
    /// Sends the request through a gateway that has these settings but no socket. The explanation is the JSON that the
    /// header `X-Outcrop-Dry-Run` gets from a server.
    ///
    /// # Errors
    /// What the gateway would refuse the request with.
    pub async fn explain(self, mut config: Config, client: Client) -> Result<Bytes, Refused> {
        if !self.headers.contains_key(AUTHORIZATION) && !self.headers.contains_key(API_KEY) {
            config.api_keys.clear();
        }
        let mut gateway = Gateway::new(config, client, Tenants::none());
        gateway.leaves_urls_out = !self.fetches_urls;
        let mut request = Request::new(axum::body::Body::from(self.body));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = self.headers;
        request.headers_mut().insert(DRY_RUN, HeaderValue::from_static("true"));
        let endpoint = self.endpoint.trim_matches('/');
        let path = match &self.model {
            Some(model) => format!("/openai/deployments/{}/{endpoint}", path_segment(model)),
            None => format!("/v1/{endpoint}"),
        };
        *request.uri_mut() = path.parse().map_err(|_| no_endpoint())?;
        let answered = routes::router(Arc::new(gateway)).call(request).await;
        let response = answered.unwrap_or_else(|never| match never {});
        let (head, body) = response.into_parts();
        // A body that is all there can't fail.
        let body = body.collect().await.map_or_else(|_| Bytes::new(), |all| all.to_bytes());
        if head.status.is_success() {
            return Ok(body);
        }
        Err(Refused {
            status: head.status.as_u16(),
            body,
        })
    }
}

/// An endpoint's name that can't stand in a path.
fn no_endpoint() -> Refused {
    let problem = Problem::new(404, ProblemKind::InvalidRequest, "There is no such endpoint.").with_code("unknown_url");
    Refused {
        status: problem.status,
        body: openai::error_body(&problem).into(),
    }
}

/// What a dry run tells.
pub(crate) struct Explanation<'a> {
    /// Which of Bedrock's APIs would be asked.
    pub(crate) route: &'a str,
    /// The calls that differ, and how often all of them are made together.
    pub(crate) calls: &'a [Call],
    pub(crate) times: usize,
    pub(crate) guardrail: Option<&'a str>,
    pub(crate) notes: &'a Notes,
    /// The URLs whose files aren't in the calls.
    pub(crate) left_out: &'a [String],
    /// What may be asked if these calls fail.
    pub(crate) next: Vec<Value>,
}

impl Explanation<'_> {
    /// The answer to a dry run.
    pub(crate) fn response(&self, client: &Client) -> Response {
        let mut response = Response::new(self.to_json(client).into());
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// The bodies of the calls stand in it byte for byte.
    fn to_json(&self, client: &Client) -> String {
        let Some((first, others)) = self.calls.split_first() else {
            return json!({"route": self.route, "calls": 0}).to_string();
        };
        let described = client.describe(first);
        let first_body = body_of(first);
        let adaptations: Vec<Value> = self
            .notes
            .iter()
            .map(|note| {
                json!({
                    "parameter": note.parameter,
                    "outcome": note.outcome,
                    "reason": note.reason,
                    "loss": note.is_loss,
                })
            })
            .collect();
        let account = first.account.as_deref();
        let region = first.region.as_deref().unwrap_or(client.region_of(account));
        let mut needs = iam::needs(region, first, self.guardrail, &first_body);
        if client.uses_api_key(account) {
            needs.push(iam::api_key());
        }
        needs.extend(client.assumed_roles(account).iter().flat_map(iam::assumed_role));
        let mut before = json!({
            "route": self.route,
            "method": "POST",
            "url": described.url,
            "headers": described.headers,
            "region": region,
        });
        if let Some(account) = account {
            before["account"] = account.into();
        }
        let after = json!({
            "calls": self.times,
            "adaptations": adaptations,
            "iam": needs,
            "not_fetched": self.left_out,
            "next": self.next,
        });
        let (before, after) = (before.to_string(), after.to_string());
        // One object, cut open where the bodies belong.
        let before = before.strip_suffix('}').unwrap_or_default();
        let after = after.strip_prefix('{').unwrap_or_default();
        let further = if others.is_empty() {
            String::new()
        } else {
            let bodies: Vec<String> = others.iter().map(body_of).collect();
            format!("\"further_bodies\":[{}],", bodies.join(","))
        };
        format!("{before},\"body\":{first_body},{further}{after}")
    }
}

impl Inquiry {
    /// What may be asked if the calls at the first target fail: which model, where, and by whom.
    pub(crate) fn next(&self) -> Vec<Value> {
        let stops = self.course.ahead();
        let mut next: Vec<Value> = stops.iter().map(|stop| self.stop(stop)).collect();
        if let Some(tenant) = self.whose() {
            let (catalogue, route) = (&self.gateway.config.catalogue, self.course.route_name());
            next.retain(|stop| {
                let names = [stop["model"].as_str(), stop["model_id"].as_str()];
                self.gateway.tenants.may_be_told(tenant, catalogue, names, route)
            });
        }
        next
    }

    fn stop(&self, stop: &Stop) -> Value {
        let gateway = &self.gateway;
        let account = stop.target.as_ref().and_then(|target| target.account.as_deref());
        let own_region = stop.target.as_ref().and_then(|target| target.region.as_deref());
        let region = own_region.unwrap_or(gateway.client.region_of(account));
        let name = stop.model.as_deref().or(self.course.asked_name()).unwrap_or_default();
        let asked = Asked {
            name,
            model_id: stop.target.as_ref().and_then(|target| target.model_id.as_deref()),
            ..Asked::default()
        };
        let pinned = (own_region.is_some() || account.is_some()).then_some(region);
        let home = gateway.client.region();
        let meant = gateway.names.resolve(&asked, &gateway.config, home, pinned);
        let mut said = json!({
            "when": stop.when,
            "model": name,
            "region": meant.as_ref().ok().and_then(|meant| meant.region.as_deref()).unwrap_or(region),
        });
        match &meant {
            Ok(meant) => said["model_id"] = meant.model_id.as_str().into(),
            Err(Unresolved::LookUp(arn)) => said["model_id"] = arn.as_str().into(),
            // A name that means nothing there is passed over.
            Err(Unresolved::Problem(_)) => {}
        }
        if let Some(account) = account {
            said["account"] = account.into();
        }
        said
    }
}

fn body_of(call: &Call) -> String {
    String::from_utf8(call.body.to_vec()).unwrap_or_else(|_| Value::Null.to_string())
}
