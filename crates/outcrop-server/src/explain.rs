//! What a request would become, told instead of done.

use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use outcrop_translate::Plan;
use outcrop_upstream::Client;
use serde_json::{Value, json};

use crate::rounds::{call_of, is_streamed};

/// The answer to a dry run.
pub(crate) fn response<M>(client: &Client, plan: &Plan<M>) -> Response {
    let mut response = Response::new(explanation(client, plan).to_string().into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn explanation<M>(client: &Client, plan: &Plan<M>) -> Value {
    let described = client.describe(&call_of(plan));
    let body = serde_json::from_slice(&plan.body.to_vec()).unwrap_or(Value::Null);
    let adaptations: Vec<Value> = plan
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
    json!({
        "method": "POST",
        "url": described.url,
        "headers": described.headers,
        "body": body,
        "calls": plan.choices,
        "adaptations": adaptations,
        "iam": actions(client.region(), plan),
    })
}

/// The actions that the caller's identity must be allowed (Service Authorization Reference, Amazon Bedrock, read
/// 2026-11). Converse is governed by the actions of `InvokeModel`.
fn actions<M>(region: &str, plan: &Plan<M>) -> Vec<Value> {
    let action = if is_streamed(plan) {
        "bedrock:InvokeModelWithResponseStream"
    } else {
        "bedrock:InvokeModel"
    };
    let partition = partition(region);
    let mut actions = vec![json!({"action": action, "resource": resource(region, &plan.model_id)})];
    if let Some(model) = behind_profile(&plan.model_id) {
        // A profile sends the call to other regions, in each of which the model must be allowed too.
        let resource = format!("arn:{partition}:bedrock:*::foundation-model/{model}");
        actions.push(json!({"action": action, "resource": resource}));
    }
    if let Some(guardrail) = &plan.guardrail {
        let resource = if guardrail.starts_with("arn:") {
            guardrail.clone()
        } else {
            format!("arn:{partition}:bedrock:{region}:*:guardrail/{guardrail}")
        };
        actions.push(json!({"action": "bedrock:ApplyGuardrail", "resource": resource}));
    }
    actions
}

fn resource(region: &str, model_id: &str) -> String {
    let partition = partition(region);
    if model_id.starts_with("arn:") {
        model_id.to_owned()
    } else if behind_profile(model_id).is_some() {
        format!("arn:{partition}:bedrock:{region}:*:inference-profile/{model_id}")
    } else {
        format!("arn:{partition}:bedrock:{region}::foundation-model/{model_id}")
    }
}

/// The model that a system-defined inference profile calls: `us.anthropic.x` calls `anthropic.x`.
fn behind_profile(model_id: &str) -> Option<&str> {
    let (geography, model) = model_id.split_once('.')?;
    let is_profile = model.split_once('.').is_some_and(|(provider, _)| {
        provider.len() > 1 && provider.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_geography(geography)
    });
    is_profile.then_some(model)
}

/// Prefixes of inference profiles (AWS's user guide and price lists, collected 2026-11).
fn is_geography(prefix: &str) -> bool {
    matches!(
        prefix,
        "us" | "eu" | "apac" | "jp" | "au" | "us-gov" | "global" | "in" | "ca" | "sa"
    )
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}
