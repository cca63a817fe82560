//! `ListInferenceProfiles` and `GetInferenceProfile`.

use serde_json::{Value, json};

use crate::models::{Catalogue, Profile};
use crate::refusal::Refusal;
use crate::{uri, validate};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

/// Lists a page of the profiles.
pub(crate) fn list(catalogue: &Catalogue, query: &str) -> Result<Value, Refusal> {
    let page = Page::read(query)?;
    let wanted = |profile: &Profile| page.kind.as_ref().is_none_or(|kind| kind == profile.kind);
    let profiles: Vec<_> = catalogue
        .profiles()
        .into_iter()
        .filter(|profile| wanted(profile))
        .collect();
    let end = page.start.saturating_add(page.length).min(profiles.len());
    let shown = profiles.get(page.start..end).ok_or_else(bad_token)?;
    let summaries: Vec<Value> = shown.iter().map(|profile| summary(profile)).collect();
    let mut answer = json!({"inferenceProfileSummaries": summaries});
    if end < profiles.len() {
        answer["nextToken"] = token(end).into();
    }
    Ok(answer)
}

/// Describes one profile, by id or ARN.
pub(crate) fn one(catalogue: &Catalogue, identifier: &str) -> Result<Value, Refusal> {
    match catalogue.profile(identifier) {
        Some(profile) => Ok(summary(&profile)),
        None => Err(Refusal::new(
            "ResourceNotFoundException",
            "The requested inference profile was not found.",
        )),
    }
}

struct Page {
    start: usize,
    length: usize,
    kind: Option<String>,
}

impl Page {
    fn read(query: &str) -> Result<Page, Refusal> {
        let mut page = Page {
            start: 0,
            length: DEFAULT_PAGE,
            kind: None,
        };
        for (name, value) in uri::query(query) {
            match name.as_str() {
                "maxResults" => page.length = length(&value)?,
                "nextToken" => page.start = start(&value).ok_or_else(bad_token)?,
                "type" => {
                    validate::text("InferenceProfileType", "typeEquals", &value)?;
                    page.kind = Some(value);
                }
                _ => {}
            }
        }
        Ok(page)
    }
}

fn length(value: &str) -> Result<usize, Refusal> {
    let length: usize = value
        .parse()
        .map_err(|_| Refusal::validation("maxResults isn't a number."))?;
    if (1..=MAX_PAGE).contains(&length) {
        return Ok(length);
    }
    let (than, limit) = if length == 0 {
        ("greater", 1)
    } else {
        ("less", MAX_PAGE)
    };
    Err(Refusal::constraints(&[format!(
        "Value '{length}' at 'maxResults' failed to satisfy constraint: Member must have value {than} than or equal to {limit}"
    )]))
}

/// Tokens are opaque to clients.
fn token(start: usize) -> String {
    aws_smithy_types::base64::encode(format!("from:{start}"))
}

fn start(token: &str) -> Option<usize> {
    let decoded = aws_smithy_types::base64::decode(token).ok()?;
    std::str::from_utf8(&decoded).ok()?.strip_prefix("from:")?.parse().ok()
}

fn bad_token() -> Refusal {
    Refusal::validation("The provided nextToken is invalid.")
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
