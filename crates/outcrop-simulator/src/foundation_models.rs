//! `ListFoundationModels` and `GetFoundationModel`.

use serde_json::{Value, json};

use crate::models::{Catalogue, Model};
use crate::query::Query;
use crate::refusal::Refusal;

/// Lists the models that all given filters let through.
pub(crate) fn list(catalogue: &Catalogue, query: &str) -> Result<Value, Refusal> {
    let query = Query::read("ListFoundationModels", query)?;
    let kept = catalogue.models().filter(|model| is_wanted(model, &query));
    let summaries: Vec<Value> = kept.map(|model| summary(catalogue, model)).collect();
    Ok(json!({"modelSummaries": summaries}))
}

/// Describes one model, by id or ARN.
pub(crate) fn one(catalogue: &Catalogue, identifier: &str) -> Result<Value, Refusal> {
    match catalogue.model(identifier) {
        Some(model) => Ok(json!({"modelDetails": summary(catalogue, model)})),
        None => Err(Refusal::new(
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
        )),
    }
}

fn is_wanted(model: &Model, query: &Query) -> bool {
    let fits = |name: &str, is_so: &dyn Fn(&str) -> bool| query.text(name).is_none_or(is_so);
    fits("byProvider", &|provider| provider.eq_ignore_ascii_case(&model.provider))
        && fits("byOutputModality", &|modality| {
            model.output.iter().any(|known| known == modality)
        })
        && fits("byInferenceType", &|kind| inference_types(model).contains(&kind))
        // No model of ours can be customized or has provisioned throughput.
        && query.text("byCustomizationType").is_none()
}

fn summary(catalogue: &Catalogue, model: &Model) -> Value {
    // Bedrock doesn't list these, though models read them.
    let unlisted = ["VIDEO", "AUDIO"];
    let is_listed = |modality: &&String| !unlisted.contains(&modality.as_str());
    let listed: Vec<&String> = model.input.iter().filter(is_listed).collect();
    json!({
        "modelArn": model.arn(catalogue.region()),
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": listed,
        "outputModalities": model.output,
        "responseStreamingSupported": model.streaming,
        "customizationsSupported": [],
        "inferenceTypesSupported": inference_types(model),
        "modelLifecycle": lifecycle(model),
    })
}

fn lifecycle(model: &Model) -> Value {
    let mut lifecycle = json!({"status": model.status});
    let days = [
        ("startOfLifeTime", Some(&model.since)),
        ("legacyTime", model.legacy.as_ref()),
        ("publicExtendedAccessTime", model.extended.as_ref()),
        ("endOfLifeTime", model.end.as_ref()),
    ];
    for (name, day) in days {
        if let Some(day) = day {
            lifecycle[name] = format!("{day}T00:00:00Z").into();
        }
    }
    lifecycle
}

/// `INFERENCE_PROFILE` is newer than the service model's enum, and what Bedrock sends.
fn inference_types(model: &Model) -> Vec<&'static str> {
    if model.on_demand {
        vec!["ON_DEMAND"]
    } else {
        vec!["INFERENCE_PROFILE"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate;

    fn ids(query: &str) -> Vec<String> {
        let listed = list(&Catalogue::new("us-east-1"), query).unwrap();
        let models = listed["modelSummaries"].as_array().unwrap().iter();
        models
            .map(|model| model["modelId"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn filters_narrow_the_list() {
        assert!(ids("").len() > 60);
        assert!(
            ids("byProvider=anthropic")
                .iter()
                .all(|id| id.starts_with("anthropic."))
        );
        assert!(ids("byOutputModality=EMBEDDING").iter().all(|id| id.contains("embed")));
        assert!(!ids("byInferenceType=ON_DEMAND").contains(&"anthropic.claude-sonnet-4-6".to_owned()));
        assert!(ids("byInferenceType=PROVISIONED").is_empty());
        assert!(list(&Catalogue::new("us-east-1"), "byOutputModality=SMELL").is_err());
    }

    #[test]
    fn on_demand_models_are_as_the_service_model_says() {
        let listed = list(&Catalogue::new("us-east-1"), "byInferenceType=ON_DEMAND").unwrap();
        validate::named("ListFoundationModelsResponse", &listed).unwrap();
    }
}
