//! What is told about one thing that an account has.

use serde_json::{Value, json};

use crate::models::{ACCOUNT, Catalogue};
use crate::resources::{Kind, ROUTED, Resource};

/// All that is told when it's asked for by itself.
pub(super) fn details(resource: &Resource, catalogue: &Catalogue) -> Value {
    let mut details = summary(resource, catalogue);
    let region = catalogue.region();
    let job = |kind: &str| format!("arn:aws:bedrock:{region}:{ACCOUNT}:{kind}/simulator001");
    let bucket = |place: &str| format!("s3://simulator-bucket/{place}");
    let more = match resource.kind {
        Kind::Custom => {
            rename(&mut details, "baseModelName", None);
            rename(&mut details, "ownerAccountId", None);
            json!({
                "jobName": "simulator-job",
                "jobArn": job(&format!("model-customization-job/{}", resource.model.id)),
                "trainingDataConfig": {"s3Uri": bucket("training.jsonl")},
                "outputDataConfig": {"s3Uri": bucket("output/")},
            })
        }
        Kind::Deployment => {
            rename(&mut details, "customModelDeploymentName", Some("modelDeploymentName"));
            json!({"description": "The custom model, on demand"})
        }
        Kind::Imported => json!({
            "jobName": "simulator-import",
            "jobArn": job("model-import-job"),
            "modelDataSource": {"s3DataSource": {"s3Uri": bucket("weights/")}},
            "customModelUnits": {"customModelUnitsPerModelCopy": 1, "customModelUnitsVersion": "v1.0"},
        }),
        Kind::Provisioned | Kind::Router => json!({}),
    };
    for (name, value) in more.as_object().into_iter().flatten() {
        details[name] = value.clone();
    }
    details
}

/// What a list tells.
pub(super) fn summary(resource: &Resource, catalogue: &Catalogue) -> Value {
    let model = resource.model.arn(catalogue.region());
    let since = format!("{}T00:00:00Z", resource.since);
    match resource.kind {
        Kind::Provisioned => json!({
            "provisionedModelName": resource.name,
            "provisionedModelArn": resource.arn,
            "modelArn": model,
            "desiredModelArn": model,
            "foundationModelArn": model,
            "modelUnits": 1,
            "desiredModelUnits": 1,
            "status": "InService",
            "creationTime": since,
            "lastModifiedTime": since,
        }),
        Kind::Custom => json!({
            "modelArn": resource.arn,
            "modelName": resource.name,
            "creationTime": since,
            "baseModelArn": model,
            "baseModelName": resource.model.id.split(":").next(),
            "customizationType": "FINE_TUNING",
            "ownerAccountId": ACCOUNT,
            "modelStatus": "Active",
        }),
        Kind::Deployment => {
            let custom = catalogue.resources().iter().find(|one| one.kind == Kind::Custom);
            json!({
                "customModelDeploymentArn": resource.arn,
                "customModelDeploymentName": resource.name,
                "modelArn": custom.map(|custom| custom.arn.as_str()),
                "createdAt": since,
                "status": "Active",
                "lastUpdatedAt": since,
            })
        }
        Kind::Imported => {
            let (architecture, converse) = resource.imported.unwrap_or(("llama", true));
            json!({
                "modelArn": resource.arn,
                "modelName": resource.name,
                "creationTime": since,
                "instructSupported": converse,
                "modelArchitecture": architecture,
            })
        }
        Kind::Router => {
            let routed = |id: &str| {
                let arn = format!("arn:aws:bedrock:{}::foundation-model/{id}", catalogue.region());
                json!({"modelArn": arn})
            };
            json!({
                "promptRouterName": resource.name,
                "routingCriteria": {"responseQualityDifference": 0.0},
                "description": "Routes requests among models of one family",
                "createdAt": since,
                "updatedAt": since,
                "promptRouterArn": resource.arn,
                "models": ROUTED.iter().map(|id| routed(id)).collect::<Vec<_>>(),
                "fallbackModel": routed(ROUTED[0]),
                "status": "AVAILABLE",
                "type": "default",
            })
        }
    }
}

/// Lists and answers about one don't name their members alike.
fn rename(details: &mut Value, from: &str, to: Option<&str>) {
    let Some(members) = details.as_object_mut() else {
        return;
    };
    if let (Some(value), Some(to)) = (members.remove(from), to) {
        members.insert(to.to_owned(), value);
    }
}
