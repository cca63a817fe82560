//! Service Quotas, of Bedrock only: what is enforced here, and for all else what AWS might give by default.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::Request;
use crate::access::session::{opened, seal};
use crate::models::{Catalogue, Model};
use crate::refusal::Refusal;
use crate::world::{Limit, Limits};

const SERVICE: &str = "bedrock";
const PAGE: usize = 100;
const MINUTE: f64 = 60.0;
const DAY: f64 = 24.0 * 60.0 * 60.0;

/// Some of what else is listed, and looks like what is meant.
const OTHERS: [(&str, f64); 5] = [
    (
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length",
        1_000_000.0,
    ),
    (
        "On-demand, latency-optimized model inference tokens per minute for Amazon Nova Pro",
        400_000.0,
    ),
    ("Batch inference job size (in GB) for Nova Lite V1", 5.0),
    ("Records per batch inference job for Claude 3.5 Haiku", 50_000.0),
    ("(Knowledge Bases) Rerank requests per second", 10.0),
];

/// A quota as it is listed.
struct Quota {
    name: String,
    value: f64,
    default: f64,
    adjustable: bool,
}

/// Where a model is asked, each with its own quotas.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    OnDemand,
    Geography,
    Global,
}

pub(super) fn answer(request: &Request<'_>) -> Result<Value, Refusal> {
    let body = request.body;
    let action = format!("servicequotas:{}", request.operation);
    request.caller.may_read(&action, "*")?;
    if body["ServiceCode"] != SERVICE {
        return Err(no_such(
            "The request failed because the specified service does not exist.",
        ));
    }
    let region = request.shared.catalogue.region();
    let account = &request.caller.account;
    let quotas = request.shared.world.quotas.clone();
    let all = all(&request.shared.catalogue, |model| quotas.limits(region, account, model));
    let by_default = request.operation == "ListAWSDefaultServiceQuotas";
    let shown = |quota: &Quota| quota.shown(region, account, by_default);
    if request.operation == "GetServiceQuota" {
        let code = body["QuotaCode"].as_str().unwrap_or_default();
        let found = all.iter().find(|quota| quota.code() == code);
        return found
            .map(|quota| json!({"Quota": shown(quota)}))
            .ok_or_else(|| no_such("The request failed because the specified quota does not exist."));
    }
    let mut all = all;
    if let Some(code) = body["QuotaCode"].as_str() {
        all.retain(|quota| quota.code() == code);
    }
    let size = body["MaxResults"].as_u64().and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(PAGE);
    let start = match body["NextToken"].as_str() {
        Some(token) => start_of(token, request.operation)?,
        None => 0,
    };
    let page = all.iter().skip(start).take(size);
    let mut listed = json!({"Quotas": page.map(shown).collect::<Vec<_>>()});
    if start + size < all.len() {
        listed["NextToken"] = seal(format!("{} {}", request.operation, start + size).as_bytes()).into();
    }
    Ok(listed)
}

fn start_of(token: &str, operation: &str) -> Result<usize, Refusal> {
    let opened = opened(token.as_bytes()).and_then(|text| String::from_utf8(text).ok());
    let start = opened
        .as_deref()
        .and_then(|text| text.split_once(' '))
        .filter(|(of, _)| *of == operation)
        .and_then(|(_, start)| start.parse().ok());
    start.ok_or_else(|| Refusal::new("InvalidPaginationTokenException", "Invalid NextToken"))
}

fn no_such(message: &str) -> Refusal {
    Refusal::new("NoSuchResourceException", message)
}

/// All quotas of a region, in the order of their names.
fn all(catalogue: &Catalogue, limits: impl Fn(&str) -> Limits) -> Vec<Quota> {
    let profiles = catalogue.profiles();
    let mut all = Vec::new();
    for model in catalogue.models() {
        let name = quota_name(model);
        let mut reaches = Vec::new();
        if model.on_demand {
            reaches.push((Reach::OnDemand, model.id.clone()));
        }
        for profile in profiles.iter().filter(|profile| profile.model.id == model.id) {
            match profile.id.strip_suffix(&format!(".{}", model.id)) {
                Some("global") => reaches.push((Reach::Global, profile.id.clone())),
                Some(_) => reaches.push((Reach::Geography, profile.id.clone())),
                None => {}
            }
        }
        // Two geographies share what is listed, as a region counts both as one.
        reaches.dedup_by_key(|(reach, _)| *reach);
        for (reach, id) in &reaches {
            all.extend(of_a_minute(model, &name, *reach, &limits(id)));
        }
        all.extend(of_a_day(model, &name, &reaches, &limits));
    }
    all.extend(OTHERS.map(|(name, value)| Quota {
        name: name.to_owned(),
        value,
        default: value,
        adjustable: true,
    }));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    // Versions of a model that have one name have one quota.
    all.dedup_by(|a, b| a.name == b.name);
    all
}

fn of_a_minute(model: &Model, name: &str, reach: Reach, limits: &Limits) -> [Quota; 2] {
    let kind = match reach {
        Reach::OnDemand => "On-demand model inference",
        Reach::Geography => "Cross-region model inference",
        Reach::Global => "Global cross-region model inference",
    };
    let (requests, tokens) = defaults(model);
    let factor = if reach == Reach::OnDemand { 0.5 } else { 1.0 };
    let quota = |what: &str, default: f64, limit| Quota {
        name: format!("{kind} {what} per minute for {name}"),
        value: value(limit, MINUTE).unwrap_or(default),
        default,
        adjustable: reach != Reach::OnDemand,
    };
    [
        quota("requests", requests * factor, limits.requests),
        quota("tokens", tokens * factor, limits.tokens),
    ]
}

/// The quota of a day is one for calls of a region and of its geography, which may use twice as much.
fn of_a_day(model: &Model, name: &str, reaches: &[(Reach, String)], limits: impl Fn(&str) -> Limits) -> Vec<Quota> {
    let of = |wanted: Reach| {
        reaches
            .iter()
            .find(|(reach, _)| *reach == wanted)
            .map(|(_, id)| limits(id))
    };
    let (on_demand, geography, global) = (of(Reach::OnDemand), of(Reach::Geography), of(Reach::Global));
    let default = defaults(model).1 * 0.5 * 60.0 * 24.0;
    let mut quotas = Vec::new();
    if on_demand.is_some() || geography.is_some() {
        let own = on_demand.and_then(|limits| value(limits.daily_tokens, DAY));
        let halved = geography
            .and_then(|limits| value(limits.daily_tokens, DAY))
            .map(|value| value / 2.0);
        let doubled = if geography.is_some() {
            " (doubled for cross-region calls)"
        } else {
            ""
        };
        quotas.push(Quota {
            name: format!("Model invocation max tokens per day for {name}{doubled}"),
            value: own.or(halved).unwrap_or(default),
            default,
            adjustable: false,
        });
    }
    if let Some(limits) = global {
        quotas.push(Quota {
            name: format!("Global cross-region model inference tokens per day for {name}"),
            value: value(limits.daily_tokens, DAY).unwrap_or(default * 2.0),
            default: default * 2.0,
            adjustable: false,
        });
    }
    quotas
}

/// So many in the usual time, where they are counted in another.
fn value(limit: Option<Limit>, usual: f64) -> Option<f64> {
    limit.map(|limit| (limit.amount as f64 * usual / limit.period.as_secs_f64()).round())
}

/// Made up, but of the right size.
fn defaults(model: &Model) -> (f64, f64) {
    match model.provider.as_str() {
        "Anthropic" => (10_000.0, 5_000_000.0),
        "Amazon" => (4_000.0, 8_000_000.0),
        _ => (800.0, 600_000.0),
    }
}

/// A model as its quotas name it: with its provider, and some with a version.
fn quota_name(model: &Model) -> String {
    let name = model.name.replace(" v2", " V2");
    let name = match name.strip_prefix("gpt-oss-") {
        Some(rest) => format!("GPT OSS {}", rest.to_uppercase()),
        None => name,
    };
    let versioned = [
        "claude-3-7-",
        "claude-sonnet-4-20",
        "claude-sonnet-4-5",
        "claude-opus-4-",
    ];
    let version = match versioned.iter().any(|part| model.id.contains(part)) {
        true => " V1",
        false => "",
    };
    format!("{} {name}{version}", model.provider)
}

impl Quota {
    fn code(&self) -> String {
        let sum = digest(&SHA256, self.name.as_bytes());
        let hex: String = sum.as_ref()[..4].iter().map(|byte| format!("{byte:02X}")).collect();
        format!("L-{hex}")
    }

    fn shown(&self, region: &str, account: &str, by_default: bool) -> Value {
        let code = self.code();
        let owner = if by_default { "" } else { account };
        let mut shown = json!({
            "ServiceCode": SERVICE,
            "ServiceName": "Amazon Bedrock",
            "QuotaArn": format!("arn:aws:servicequotas:{region}:{owner}:{SERVICE}/{code}"),
            "QuotaCode": code,
            "QuotaName": self.name,
            "Value": if by_default { self.default } else { self.value },
            "Unit": "None",
            "Adjustable": self.adjustable,
            "GlobalQuota": false,
        });
        if !by_default {
            shown["QuotaAppliedAtLevel"] = "ACCOUNT".into();
        }
        shown
    }
}
