//! What the caller's identity must be allowed for a call.
//!
//! Sources: Service Authorization Reference, Amazon Bedrock; Amazon Bedrock's user guide on inference profiles, prompt
//! management, guardrails, the Marketplace and API keys; read 2026-11. Converse has no action of its own: those of
//! `InvokeModel` govern it. `outcrop explain` tells them of a request, `outcrop iam-policy` of a configuration.

use outcrop_bedrock::call::{Call, CallBody, Operation};
use outcrop_upstream::AssumedRole;
use serde_json::{Value, json};

const RENDER_PROMPT: &str = "bedrock:RenderPrompt";
const APPLY_GUARDRAIL: &str = "bedrock:ApplyGuardrail";

/// The model behind a name of the account's own is known to AWS alone.
const BEHIND: &str = "only the model behind it, which AWS knows";
/// A profile of AWS's sends calls to several regions.
const EACH_REGION: &str = "in each region that the profile sends calls to";

/// An action and what it is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Such as `bedrock:InvokeModel`.
    pub action: String,
    /// An ARN, or a pattern of ARNs.
    pub resource: String,
}

/// What a model is asked for, as far as the rights differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelUse {
    /// Whole answers, vectors, images.
    Whole,
    /// Streamed answers.
    Streamed,
    /// The number of a prompt's tokens.
    Counted,
    /// The order of documents.
    Ranked,
}

/// The rights for a use of a model: an id, a profile or an ARN. `*` stands where only AWS knows more.
pub fn rights_on_model(region: &str, model_id: &str, model_use: ModelUse) -> Vec<Right> {
    let operation = match model_use {
        ModelUse::Whole => Operation::Converse,
        ModelUse::Streamed => Operation::ConverseStream,
        ModelUse::Counted => Operation::CountTokens,
        ModelUse::Ranked => Operation::Rerank,
    };
    let call = Call {
        operation,
        model_id: model_id.to_owned(),
        account: None,
        region: None,
        headers: Vec::new(),
        body: CallBody::default(),
    };
    let told = |need: &Value, name: &str| need[name].as_str().unwrap_or_default().to_owned();
    let needs = needs(region, &call, None, "{}");
    needs
        .iter()
        .map(|need| Right {
            action: told(need, "action"),
            resource: told(need, "resource"),
        })
        .collect()
}

/// The ARN of a guardrail, which may be one already.
pub fn guardrail_arn(region: &str, guardrail: &str) -> String {
    match guardrail.starts_with("arn:") {
        true => guardrail.to_owned(),
        false => format!("arn:{}:bedrock:{region}:*:guardrail/{guardrail}", partition(region)),
    }
}

/// The actions and resources of a call in `region`. `*` stands where only AWS knows more, such as the account.
pub(crate) fn needs(region: &str, call: &Call, guardrail: Option<&str>, body: &str) -> Vec<Value> {
    let action = if call.is_stream() {
        "bedrock:InvokeModelWithResponseStream"
    } else {
        "bedrock:InvokeModel"
    };
    let partition = partition(region);
    if let Some(needs) = of_operation(partition, region, call) {
        return needs;
    }
    let mut needs = match Arn::parse(&call.model_id) {
        Some(arn) => of_arn(action, &arn),
        None if call.model_id.starts_with("arn:") => vec![need(action, call.model_id.clone())],
        None => of_id(action, partition, region, &call.model_id),
    };
    if let Some(guardrail) = guardrail {
        needs.push(of_guardrail(region, guardrail));
    }
    let body = serde_json::from_str(body).unwrap_or_default();
    let mut objects = Vec::new();
    collect_objects(&body, &mut objects);
    for object in objects {
        let entry = need("s3:GetObject", format!("arn:{partition}:s3:::{object}"));
        if !needs.contains(&entry) {
            needs.push(entry);
        }
    }
    needs
}

/// The operations that have actions of their own.
fn of_operation(partition: &str, region: &str, call: &Call) -> Option<Vec<Value>> {
    let model = |action| match Arn::parse(&call.model_id) {
        Some(arn) => of_arn(action, &arn),
        None => of_id(action, partition, region, &call.model_id),
    };
    match call.operation {
        Operation::CountTokens => Some(model("bedrock:CountTokens")),
        Operation::Rerank => {
            let mut needs = vec![need("bedrock:Rerank", "*".to_owned())];
            needs.extend(model("bedrock:InvokeModel"));
            Some(needs)
        }
        Operation::ApplyGuardrail => {
            let (guardrail, _) = call.model_id.rsplit_once('/').unwrap_or((&call.model_id, ""));
            Some(vec![of_guardrail(region, guardrail)])
        }
        Operation::InvokeGuardrailChecks => Some(vec![need("bedrock:InvokeGuardrailChecks", "*".to_owned())]),
        _ => None,
    }
}

fn of_guardrail(region: &str, guardrail: &str) -> Value {
    need(APPLY_GUARDRAIL, guardrail_arn(region, guardrail))
}

/// What a Bedrock API key needs besides.
pub(crate) fn api_key() -> Value {
    need("bedrock:CallWithBearerToken", "*".to_owned())
}

/// What whoever assumes a role needs: for the call, the role's own identity has the other rights.
pub(crate) fn assumed_role(role: &AssumedRole) -> Vec<Value> {
    let note = format!("of the identity that assumes the role of account '{}'", role.account);
    let resource = || role.arn.clone().unwrap_or_else(|| "*".to_owned());
    let mut needs = vec![need_with_note("sts:AssumeRole", resource(), &note)];
    if role.is_tagged {
        needs.push(need_with_note("sts:TagSession", resource(), &note));
    }
    needs
}

fn need(action: &str, resource: String) -> Value {
    json!({ "action": action, "resource": resource })
}

fn need_with_note(action: &str, resource: String, note: &str) -> Value {
    json!({ "action": action, "resource": resource, "note": note })
}

/// A model id, or a system-defined inference profile's.
fn of_id(action: &str, partition: &str, region: &str, id: &str) -> Vec<Value> {
    match behind_profile(id) {
        None => vec![need(
            action,
            format!("arn:{partition}:bedrock:{region}::foundation-model/{id}"),
        )],
        Some(model) => {
            let profile = format!("arn:{partition}:bedrock:{region}:*:inference-profile/{id}");
            let mut needs = vec![need(action, profile)];
            needs.extend(models_of_profile(action, partition, region, id, model));
            needs
        }
    }
}

/// The models that a system-defined profile needs besides itself.
fn models_of_profile(action: &str, partition: &str, region: &str, id: &str, model: &str) -> Vec<Value> {
    let resource = |region: &str| format!("arn:{partition}:bedrock:{region}::foundation-model/{model}");
    if id.starts_with("global.") {
        // The model as it is anywhere has an ARN without a region.
        return vec![need(action, resource(region)), need(action, resource(""))];
    }
    vec![need_with_note(action, resource("*"), EACH_REGION)]
}

fn of_arn(action: &str, arn: &Arn<'_>) -> Vec<Value> {
    let partition = arn.partition;
    let any_model = || format!("arn:{partition}:bedrock:*::foundation-model/*");
    let itself = || need(action, arn.text.to_owned());
    match (arn.service, arn.kind) {
        ("bedrock", "inference-profile") => {
            let models = behind_profile(arn.name)
                .map(|model| models_of_profile(action, partition, arn.region, arn.name, model))
                .unwrap_or_default();
            std::iter::once(itself()).chain(models).collect()
        }
        ("bedrock", "application-inference-profile" | "default-prompt-router" | "prompt-router") => {
            vec![itself(), need_with_note(action, any_model(), BEHIND)]
        }
        ("bedrock", "prompt") => vec![
            need(RENDER_PROMPT, arn.text.to_owned()),
            need_with_note(action, any_model(), BEHIND),
        ],
        // An endpoint of the Marketplace: Bedrock calls it in the caller's name.
        ("sagemaker", "endpoint") => {
            let marketplace = format!(
                "arn:{partition}:bedrock:{}:{}:marketplace/model-endpoint/all-access",
                arn.region, arn.account
            );
            vec![
                need(action, marketplace),
                need("sagemaker:InvokeEndpoint", arn.text.to_owned()),
            ]
        }
        // Foundation, provisioned, imported and deployed custom models, and whatever comes next.
        _ => vec![itself()],
    }
}

/// `arn:partition:service:region:account:kind/name`
struct Arn<'a> {
    text: &'a str,
    partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    kind: &'a str,
    name: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let (partition, service) = (parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let (kind, name) = parts.next()?.split_once('/')?;
        Some(Self {
            text,
            partition,
            service,
            region,
            account,
            kind,
            name,
        })
    }
}

/// `bucket/key` of each object that the model reads itself.
fn collect_objects<'a>(body: &'a Value, objects: &mut Vec<&'a str>) {
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                let uri = value.get("uri").and_then(Value::as_str);
                match uri.and_then(|uri| uri.strip_prefix("s3://")) {
                    Some(object) if name == "s3Location" => objects.push(object),
                    _ => collect_objects(value, objects),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_objects(item, objects)),
        _ => {}
    }
}

/// The model that a system-defined inference profile calls: `us.anthropic.x` calls `anthropic.x`.
fn behind_profile(id: &str) -> Option<&str> {
    let (geography, model) = id.split_once('.')?;
    let (provider, _) = model.split_once('.')?;
    let is_provider = provider.len() > 1 && provider.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_provider && is_geography(geography)).then_some(model)
}

/// Prefixes of inference profiles (AWS's user guide and price lists, collected 2026-11).
fn is_geography(prefix: &str) -> bool {
    matches!(
        prefix,
        "us" | "eu" | "apac" | "jp" | "au" | "us-gov" | "global" | "in" | "ca" | "sa"
    )
}

/// The partition of a region (botocore 1.44.5, `partitions.json`, 2026-11).
pub fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("us-gov-", "aws-us-gov"),
        ("cn-", "aws-cn"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    let found = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(region: &str, model_id: &str, guardrail: Option<&str>, body: &str) -> Vec<String> {
        let call = Call {
            operation: Operation::Converse,
            model_id: model_id.to_owned(),
            account: None,
            region: None,
            headers: Vec::new(),
            body: CallBody::default(),
        };
        let needs = needs(region, &call, guardrail, body);
        let text = |need: &Value, name: &str| need[name].as_str().unwrap().to_owned();
        let told = |need: &Value| format!("{} {}", text(need, "action"), text(need, "resource"));
        needs.iter().map(told).collect()
    }

    fn of_model(region: &str, model_id: &str) -> Vec<String> {
        told(region, model_id, None, "{}")
    }

    #[test]
    fn a_model_needs_itself_in_its_region_and_partition() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(
                of_model(region, "zai.glm-4.7"),
                [format!(
                    "bedrock:InvokeModel arn:{partition}:bedrock:{region}::foundation-model/zai.glm-4.7"
                )]
            );
        }
    }

    #[test]
    fn a_profile_needs_its_model_where_it_sends_calls() {
        let of_us = [
            "bedrock:InvokeModel arn:aws:bedrock:us-east-1:*:inference-profile/us.deepseek.r1-v1:0",
            "bedrock:InvokeModel arn:aws:bedrock:*::foundation-model/deepseek.r1-v1:0",
        ];
        assert_eq!(of_model("us-east-1", "us.deepseek.r1-v1:0"), of_us);
        assert_eq!(
            of_model("eu-west-1", "global.amazon.nova-2-lite-v1:0"),
            [
                "bedrock:InvokeModel arn:aws:bedrock:eu-west-1:*:inference-profile/global.amazon.nova-2-lite-v1:0",
                "bedrock:InvokeModel arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-2-lite-v1:0",
                "bedrock:InvokeModel arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
            ]
        );
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.deepseek.r1-v1:0";
        // The ARN's own region and account count, not ours.
        assert_eq!(
            of_model("cn-north-1", arn),
            [format!("bedrock:InvokeModel {arn}"), of_us[1].to_owned()]
        );
    }

    #[test]
    fn what_hides_its_model_needs_more_than_itself() {
        let of = "arn:aws:bedrock:us-east-1:123456789012";
        let any_model = "bedrock:InvokeModel arn:aws:bedrock:*::foundation-model/*";
        for kind in ["application-inference-profile/abc", "default-prompt-router/a.b:1"] {
            let arn = format!("{of}:{kind}");
            assert_eq!(
                of_model("us-east-1", &arn),
                [format!("bedrock:InvokeModel {arn}"), any_model.to_owned()]
            );
        }
        let prompt = format!("{of}:prompt/ABCDEFGHIJ:1");
        assert_eq!(
            of_model("us-east-1", &prompt),
            [format!("bedrock:RenderPrompt {prompt}"), any_model.to_owned()]
        );
        let endpoint = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine";
        assert_eq!(
            of_model("us-east-1", endpoint),
            [
                format!("bedrock:InvokeModel {of}:marketplace/model-endpoint/all-access"),
                format!("sagemaker:InvokeEndpoint {endpoint}")
            ]
        );
    }

    #[test]
    fn what_holds_no_conversation_has_actions_of_its_own() {
        let told = |operation, name: &str| {
            let call = Call {
                operation,
                model_id: name.to_owned(),
                account: None,
                region: None,
                headers: Vec::new(),
                body: CallBody::default(),
            };
            let needs = needs("us-west-2", &call, None, "{}");
            let told = needs
                .iter()
                .map(|need| format!("{} {}", need["action"], need["resource"]).replace('"', ""));
            told.collect::<Vec<_>>()
        };
        let model = "arn:aws:bedrock:us-west-2::foundation-model/a.b";
        assert_eq!(
            told(Operation::Rerank, "a.b"),
            ["bedrock:Rerank *".to_owned(), format!("bedrock:InvokeModel {model}")]
        );
        assert_eq!(
            told(Operation::CountTokens, "a.b"),
            [format!("bedrock:CountTokens {model}")]
        );
        assert_eq!(
            told(Operation::ApplyGuardrail, "gr1/DRAFT"),
            ["bedrock:ApplyGuardrail arn:aws:bedrock:us-west-2:*:guardrail/gr1"]
        );
        let arn = "arn:aws:bedrock:us-west-2:123456789012:guardrail/gr1";
        assert_eq!(
            told(Operation::ApplyGuardrail, &format!("{arn}/1")),
            [format!("bedrock:ApplyGuardrail {arn}")]
        );
        assert_eq!(
            told(Operation::InvokeGuardrailChecks, ""),
            ["bedrock:InvokeGuardrailChecks *"]
        );
    }

    #[test]
    fn other_arns_need_themselves() {
        for kind in [
            "provisioned-model/x",
            "imported-model/x",
            "custom-model-deployment/x",
            "of-tomorrow/x",
            "odd",
        ] {
            let arn = format!("arn:aws:bedrock:us-east-1:123456789012:{kind}");
            assert_eq!(of_model("us-east-1", &arn), [format!("bedrock:InvokeModel {arn}")]);
        }
        let arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0";
        assert_eq!(of_model("us-east-1", arn), [format!("bedrock:InvokeModel {arn}")]);
    }

    #[test]
    fn guardrails_and_objects_are_resources_too() {
        let body = r#"{"messages":[{"content":[
            {"image":{"source":{"s3Location":{"uri":"s3://bucket/a/b.png"}}}},
            {"document":{"source":{"s3Location":{"uri":"s3://bucket/a/b.png"}}}}]}]}"#;
        let told_with = |guardrail| told("us-east-1", "amazon.nova-lite-v1:0", Some(guardrail), body);
        assert_eq!(
            told_with("gr1")[1..],
            [
                "bedrock:ApplyGuardrail arn:aws:bedrock:us-east-1:*:guardrail/gr1",
                "s3:GetObject arn:aws:s3:::bucket/a/b.png"
            ]
        );
        let arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1";
        assert_eq!(told_with(arn)[1], format!("bedrock:ApplyGuardrail {arn}"));
    }
}
