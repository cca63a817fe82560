//! `ListInferenceProfiles`, `GetInferenceProfile`, `CreateInferenceProfile` and `DeleteInferenceProfile`.

use serde_json::{Value, json};

use crate::exchange::parse;
use crate::models::{Catalogue, Profile};
use crate::page::Page;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::validate;

const LIST: &str = "ListInferenceProfiles";
const CREATE: &str = "CreateInferenceProfile";

/// Lists a page of the profiles.
pub(crate) fn list(catalogue: &Catalogue, query: &str) -> Result<Value, Refusal> {
    let query = Query::read(LIST, query)?;
    let page = Page::read(LIST, &query)?;
    let kind = query.text("typeEquals");
    let wanted = |profile: &Profile| kind.is_none_or(|kind| kind == profile.kind);
    let profiles: Vec<_> = catalogue
        .profiles()
        .into_iter()
        .filter(|profile| wanted(profile))
        .collect();
    let (shown, next) = page.of(&profiles)?;
    let summaries: Vec<Value> = shown.iter().map(|profile| summary(profile)).collect();
    let mut answer = json!({"inferenceProfileSummaries": summaries});
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

/// Describes one profile, by id or ARN.
pub(crate) fn one(catalogue: &Catalogue, identifier: &str) -> Result<Value, Refusal> {
    match catalogue.profile(identifier) {
        Some(profile) => Ok(summary(&profile)),
        None => Err(not_found()),
    }
}

/// Makes an application inference profile.
pub(crate) fn create(catalogue: &Catalogue, body: &[u8]) -> Result<Value, Refusal> {
    let body = parse(body)?;
    validate::body(CREATE, &body)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let profile = catalogue.create_profile(
        &text(&body["inferenceProfileName"]),
        &text(&body["modelSource"]["copyFrom"]),
    )?;
    Ok(json!({"inferenceProfileArn": profile.arn, "status": "ACTIVE"}))
}

/// Deletes one that was made here.
pub(crate) fn delete(catalogue: &Catalogue, identifier: &str) -> Result<Value, Refusal> {
    match catalogue.profile(identifier) {
        None => Err(not_found()),
        Some(profile) if profile.kind == "SYSTEM_DEFINED" => Err(Refusal::validation(
            "System-defined inference profiles cannot be deleted.",
        )),
        Some(profile) if catalogue.delete_profile(&profile) => Ok(json!({})),
        Some(_) => Err(Refusal::new(
            "ConflictException",
            "This inference profile is a part of the simulator.",
        )),
    }
}

fn not_found() -> Refusal {
    Refusal::new(
        "ResourceNotFoundException",
        "The requested inference profile was not found.",
    )
}

fn summary(profile: &Profile) -> Value {
    let since = format!("{}T00:00:00Z", profile.model.since);
    let models: Vec<Value> = profile.model_arns.iter().map(|arn| json!({"modelArn": arn})).collect();
    json!({
        "inferenceProfileName": profile.name,
        "inferenceProfileArn": profile.arn,
        "inferenceProfileId": profile.id,
        "models": models,
        "status": "ACTIVE",
        "type": profile.kind,
        "createdAt": since,
        "updatedAt": since,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri;

    #[test]
    fn pages_follow_one_another() {
        let catalogue = Catalogue::new("eu-west-1");
        let all = list(&catalogue, "").unwrap();
        validate::named("ListInferenceProfilesResponse", &all).unwrap();
        let (mut seen, mut query) = (0, "maxResults=7".to_owned());
        loop {
            let page = list(&catalogue, &query).unwrap();
            seen += page["inferenceProfileSummaries"].as_array().unwrap().len();
            let Some(token) = page["nextToken"].as_str() else {
                break;
            };
            query = format!("maxResults=7&nextToken={}", uri::encode(token, ""));
        }
        assert_eq!(seen, catalogue.profiles().len());
    }

    #[test]
    fn types_and_limits_are_checked() {
        let catalogue = Catalogue::new("us-east-1");
        let application = list(&catalogue, "type=APPLICATION").unwrap();
        assert_eq!(application["inferenceProfileSummaries"].as_array().unwrap().len(), 1);
        for query in ["type=OTHER", "maxResults=0", "maxResults=x", "nextToken=x"] {
            assert!(list(&catalogue, query).is_err(), "{query}");
        }
    }
}
