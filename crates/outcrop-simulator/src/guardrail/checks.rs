//! `InvokeGuardrailChecks`: checks that a request brings along, without a guardrail.

use serde_json::{Map, Value, json};

use super::{Found, harm, personal, units};
use crate::exchange::parse;
use crate::refusal::Refusal;
use crate::validate;

/// Makes the checks that a body asks for, and no others.
///
/// # Errors
///
/// What the service model doesn't allow, and a body without a check.
pub(crate) fn answer(body: &[u8]) -> Result<Found, Refusal> {
    let body = parse(body)?;
    validate::body("InvokeGuardrailChecks", &body)?;
    let texts = texts(&body);
    let text = texts.iter().map(|one| one.text).collect::<Vec<_>>().join("\n");
    let units = json!({"textUnits": units(text.chars().count())});
    let (mut results, mut usage) = (Map::new(), Map::new());
    for check in ["contentFilter", "promptAttack", "sensitiveInformation"] {
        let Some(asked) = body["checks"].get(check).filter(|asked| !asked.is_null()) else {
            continue;
        };
        let found = match check {
            "sensitiveInformation" => json!({"results": entities(asked, &texts), "truncated": false}),
            _ => json!({"results": severities(asked, &text)}),
        };
        results.insert(check.to_owned(), found);
        usage.insert(check.to_owned(), units.clone());
    }
    if results.is_empty() {
        return Err(Refusal::validation("At least one guardrail check must be configured."));
    }
    Ok(Found {
        answer: json!({"results": results, "usage": usage}),
        text,
    })
}

/// A text and where it stands.
struct Text<'a> {
    message: usize,
    block: usize,
    text: &'a str,
}

fn texts(body: &Value) -> Vec<Text<'_>> {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut texts = Vec::new();
    for (message, said) in messages.iter().enumerate() {
        let blocks = said["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (block, content) in blocks.iter().enumerate() {
            if let Some(text) = content["text"].as_str() {
                texts.push(Text { message, block, text });
            }
        }
    }
    texts
}

fn severities(asked: &Value, text: &str) -> Vec<Value> {
    let categories = asked["categories"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names = categories.iter().filter_map(|one| one["category"].as_str());
    names
        .map(|name| json!({"category": name, "severityScore": harm::level(name, text).severity()}))
        .collect()
}

fn entities(asked: &Value, texts: &[Text<'_>]) -> Vec<Value> {
    let wanted = asked["entities"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_wanted = |kind: &str| wanted.iter().any(|one| one["type"] == kind);
    let mut entities = Vec::new();
    for Text { message, block, text } in texts {
        for one in personal::find(text).iter().filter(|one| is_wanted(one.kind)) {
            // Offsets count characters.
            let chars = |end: usize| text[..end].chars().count();
            entities.push(json!({
                "type": one.kind,
                "confidenceScore": 0.99,
                "beginOffset": chars(one.at.start),
                "endOffset": chars(one.at.end),
                "messageIndex": message,
                "contentIndex": block,
            }));
        }
    }
    entities
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, checks: Value) -> Result<Value, String> {
        let body =
            json!({"messages": [{"role": "user", "content": [{"text": "One"}, {"text": text}]}], "checks": checks});
        let found = answer(body.to_string().as_bytes()).map_err(|refusal| refusal.message)?;
        validate::named("InvokeGuardrailChecksResponse", &found.answer).unwrap();
        Ok(found.answer)
    }

    #[test]
    fn only_what_is_asked_for_is_checked() {
        let answer = check(
            "kill the idiot",
            json!({"contentFilter": {"categories": [{"category": "VIOLENCE"}, {"category": "HATE"}]}}),
        );
        let expected = json!([
            {"category": "VIOLENCE", "severityScore": 0.95},
            {"category": "HATE", "severityScore": 0.0},
        ]);
        let answer = answer.unwrap();
        assert_eq!(answer["results"], json!({"contentFilter": {"results": expected}}));
        assert_eq!(answer["usage"], json!({"contentFilter": {"textUnits": 1}}));
    }

    #[test]
    fn what_is_somebodys_own_is_told_by_its_place() {
        let checks = json!({"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}});
        let answer = check("Ähm: ann@example.com, 10.0.0.1", checks).unwrap();
        let entity = &answer["results"]["sensitiveInformation"]["results"][0];
        assert_eq!((&entity["beginOffset"], &entity["endOffset"]), (&json!(5), &json!(20)));
        assert_eq!(
            (&entity["messageIndex"], &entity["contentIndex"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(
            answer["results"]["sensitiveInformation"]["results"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }

    #[test]
    fn a_check_is_needed() {
        assert!(check("Hello", json!({})).unwrap_err().contains("At least one"));
        let empty = json!({"contentFilter": {"categories": []}});
        assert!(
            check("Hello", empty)
                .unwrap_err()
                .contains("checks.contentFilter.categories")
        );
    }
}
