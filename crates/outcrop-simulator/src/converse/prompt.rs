//! The one prompt that there is in prompt management: it brings a model and a text with a variable.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::models::ACCOUNT;
use crate::refusal::Refusal;

const ID: &str = "SIMPROMPT1";
const MODEL: &str = "amazon.nova-lite-v1:0";
const VARIABLE: &str = "topic";

/// What a prompt brings itself.
const FORBIDDEN: [&str; 4] = [
    "additionalModelRequestFields",
    "inferenceConfig",
    "system",
    "toolConfig",
];

/// A call as it is once a prompt, if it names one, is filled in: the model to ask, and the request.
///
/// # Errors
///
/// A prompt that doesn't exist, fields that don't go with one, and a variable that isn't given.
pub(super) fn filled<'a>(
    identifier: &'a str,
    region: &str,
    mut request: Value,
) -> Result<(Cow<'a, str>, Value), Refusal> {
    if !(identifier.starts_with("arn:") && identifier.contains(":prompt/")) {
        return Ok((identifier.into(), request));
    }
    let arn = format!("arn:aws:bedrock:{region}:{ACCOUNT}:prompt/{ID}");
    if identifier != arn && identifier != format!("{arn}:1") {
        return Err(Refusal::new(
            "ResourceNotFoundException",
            "The provided prompt identifier doesn't exist.",
        ));
    }
    let given = |name: &&&str| request.get(**name).is_some_and(|value| !value.is_null());
    if let Some(name) = FORBIDDEN.iter().find(given) {
        return Err(Refusal::validation(format!(
            "The {name} field can't be used with a prompt ARN. Remove {name} and try again."
        )));
    }
    let variables = request.get_mut("promptVariables").map(Value::take).unwrap_or_default();
    let Some(value) = variables
        .get(VARIABLE)
        .and_then(|value| value.get("text"))
        .and_then(Value::as_str)
    else {
        return Err(Refusal::validation(format!(
            "The promptVariables field lacks a value for the variable {VARIABLE} of the prompt."
        )));
    };
    let turn = json!({"role": "user", "content": [{"text": format!("Tell me about {value}.")}]});
    match request.get_mut("messages").and_then(Value::as_array_mut) {
        Some(messages) => messages.insert(0, turn),
        None => request["messages"] = json!([turn]),
    }
    Ok((Cow::Borrowed(MODEL), request))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:prompt/SIMPROMPT1";

    fn variables() -> Value {
        json!({"promptVariables": {"topic": {"text": "rain"}}})
    }

    #[test]
    fn a_prompt_brings_its_model_and_its_text() {
        let (model, request) = filled(ARN, "us-east-1", variables()).unwrap();
        assert_eq!(model, MODEL);
        assert_eq!(request["messages"][0]["content"][0]["text"], "Tell me about rain.");
        assert!(request["promptVariables"].is_null());
        let (model, _) = filled(MODEL, "us-east-1", json!({})).unwrap();
        assert_eq!(model, MODEL);
    }

    #[test]
    fn what_doesnt_go_with_a_prompt_is_refused() {
        let refused = |arn: &str, body: Value| filled(arn, "us-east-1", body).unwrap_err().message;
        let other = "arn:aws:bedrock:us-east-1:123456789012:prompt/SIMPROMPT2";
        assert!(refused(other, variables()).contains("doesn't exist"));
        assert!(refused(ARN, json!({})).contains("the variable topic"));
        let mut body = variables();
        body["inferenceConfig"] = json!({"maxTokens": 1});
        assert!(refused(ARN, body).contains("inferenceConfig field can't be used"));
    }
}
