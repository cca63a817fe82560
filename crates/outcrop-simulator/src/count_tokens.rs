//! `CountTokens`.

use serde_json::{Value, json};

use crate::exchange::parse;
use crate::models::{Catalogue, Target};
use crate::refusal::Refusal;
use crate::{invoke, tokens, validate};

/// Counts what `Converse` would report as input. Only a model's own id is taken: profiles don't count tokens.
pub(crate) fn answer(catalogue: &Catalogue, identifier: &str, body: &[u8]) -> Result<Value, Refusal> {
    let body = parse(body)?;
    validate::text("FoundationModelVersionIdentifier", "modelId", identifier)?;
    validate::body("CountTokens", &body)?;
    let Some(model) = catalogue.model(identifier) else {
        return Err(match catalogue.profile(identifier) {
            Some(_) => unsupported(),
            None => Refusal::validation("The provided model identifier is invalid."),
        });
    };
    let target = catalogue.target(model);
    if !target.family.count_tokens {
        return Err(unsupported());
    }
    let converse = body.get("input").and_then(|input| input.get("converse"));
    let count = match converse {
        Some(converse) => tokens::input(converse),
        None => in_invoke_body(&body, &target)?,
    };
    Ok(json!({"inputTokens": count}))
}

fn unsupported() -> Refusal {
    Refusal::validation("The provided model doesn't support counting tokens.")
}

/// A body in the model's own shape counts as what it asks for.
fn in_invoke_body(body: &Value, target: &Target) -> Result<u64, Refusal> {
    let encoded = body
        .get("input")
        .and_then(|input| input.get("invokeModel")?.get("body")?.as_str());
    let decoded = aws_smithy_types::base64::decode(encoded.unwrap_or_default()).unwrap_or_default();
    Ok(tokens::input(&invoke::request(target, &parse(&decoded)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(model: &str, body: &Value) -> Result<Value, String> {
        let answer = answer(&Catalogue::new("us-east-1"), model, body.to_string().as_bytes());
        answer.map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_conversation_is_counted() {
        let body =
            json!({"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}}});
        let counted = count("anthropic.claude-sonnet-4-5-20250929-v1:0", &body).unwrap();
        validate::named("CountTokensResponse", &counted).unwrap();
        assert!(counted["inputTokens"].as_u64() > Some(3));
    }

    #[test]
    fn a_body_of_the_models_own_counts_the_same() {
        let body = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 5,
            "messages": [{"role": "user", "content": "Hello there"}],
        });
        let encoded = |body: &Value| json!({"input": {"invokeModel": {"body": aws_smithy_types::base64::encode(body.to_string())}}});
        let converse =
            json!({"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}}});
        let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        assert_eq!(count(model, &encoded(&body)), count(model, &converse));
        assert!(count(model, &encoded(&json!({"messages": []}))).is_err());
    }

    #[test]
    fn profiles_and_other_models_dont_count() {
        let body = json!({"input": {"converse": {}}});
        let unsupported = Err("The provided model doesn't support counting tokens.".to_owned());
        assert_eq!(
            count("us.anthropic.claude-sonnet-4-5-20250929-v1:0", &body),
            unsupported
        );
        assert_eq!(count("amazon.nova-lite-v1:0", &body), unsupported);
    }
}
