//! The headers that `InvokeModel` takes beside the body: the service model names them, and says what they may hold.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::shapes::table;
use crate::validate;

/// A member of the body that belongs to Bedrock, not to the model.
const GUARDRAIL_CONFIG: &str = "amazon-bedrock-guardrailConfig";
const MAX_METADATA: usize = 16;

/// What a call's headers ask for, by the names that the service model has for them.
pub(super) struct Asked {
    values: Map<String, Value>,
}

impl Asked {
    /// Reads and checks the headers of `operation`.
    ///
    /// # Errors
    ///
    /// One that the service model doesn't allow.
    pub(super) fn read(operation: &str, headers: &HeaderMap) -> Result<Asked, Refusal> {
        let mut values = Map::new();
        let members = table().input_of(operation).map(|shape| &shape.members);
        for (member, named) in members.into_iter().flatten() {
            let header = named.name.as_ref().and_then(|name| headers.get(name));
            if let Some(header) = header {
                let value = String::from_utf8_lossy(header.as_bytes()).into_owned();
                validate::text(&named.shape, member, &value)?;
                values.insert(member.clone(), value.into());
            }
        }
        let asked = Asked { values };
        asked.check_metadata()?;
        Ok(asked)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = self.values.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    }

    /// Refuses types of content that models are neither asked nor answer in.
    pub(super) fn check_types(&self) -> Result<(), Refusal> {
        let content = self.text("contentType").unwrap_or(JSON);
        // What SDKs say of any body if nobody told them.
        if !is_json(content) && content != "application/octet-stream" {
            return Err(Refusal::validation(
                "The provided Content-Type is invalid or not supported for this model.",
            ));
        }
        let accept = self.text("accept").unwrap_or(JSON);
        if !accept
            .split(',')
            .any(|accept| is_json(accept) || accept.trim().starts_with("*/*"))
        {
            return Err(Refusal::validation(
                "The provided Accept Type is invalid or not supported for this model.",
            ));
        }
        Ok(())
    }

    /// Metadata are the same pairs as Converse's, as JSON.
    fn check_metadata(&self) -> Result<(), Refusal> {
        let Some(text) = self.text("requestMetadata") else {
            return Ok(());
        };
        let pairs: Option<Map<String, Value>> = serde_json::from_str(text).ok();
        let right = pairs
            .as_ref()
            .is_some_and(|pairs| (1..=MAX_METADATA).contains(&pairs.len()) && pairs.values().all(Value::is_string));
        match right {
            true => Ok(()),
            false => Err(Refusal::validation(
                "The request metadata must be a JSON object of 1 to 16 strings.",
            )),
        }
    }

    /// The guardrail that is asked for, in Converse's words, and the body without Bedrock's own member.
    ///
    /// # Errors
    ///
    /// A configuration without a guardrail, and a guardrail without its version or with a body that isn't said to be
    /// JSON, as the reference of the operation says.
    pub(super) fn guardrail(&self, mut body: Value) -> Result<(Value, Option<Value>), Refusal> {
        let config = body.as_object_mut().and_then(|fields| fields.remove(GUARDRAIL_CONFIG));
        let Some(identifier) = self.text("guardrailIdentifier") else {
            return match config {
                Some(_) => Err(Refusal::validation(format!(
                    "The {GUARDRAIL_CONFIG} field needs a guardrail identifier in the request."
                ))),
                None => Ok((body, None)),
            };
        };
        let Some(version) = self.text("guardrailVersion") else {
            return Err(Refusal::validation("A guardrail identifier needs a guardrail version."));
        };
        if self.text("contentType").is_some_and(|content| !is_json(content)) {
            return Err(Refusal::validation(
                "A guardrail needs the content type application/json.",
            ));
        }
        let mode = config.as_ref().and_then(|config| config.get("streamProcessingMode"));
        let asynchronous = mode.and_then(Value::as_str) == Some("ASYNCHRONOUS");
        let guardrail = json!({
            "guardrailIdentifier": identifier,
            "guardrailVersion": version,
            "trace": self.text("trace").unwrap_or("DISABLED").to_ascii_lowercase(),
            "streamProcessingMode": if asynchronous { "async" } else { "sync" },
        });
        Ok((body, Some(guardrail)))
    }

    /// Refuses a guardrail where there is none: before models that make vectors.
    pub(super) fn refuse_guardrail(&self) -> Result<(), Refusal> {
        match self.text("guardrailIdentifier") {
            Some(_) => Err(Refusal::validation(
                "Guardrails are not supported for the model that you provided.",
            )),
            None => Ok(()),
        }
    }

    /// Adds what Converse has in its body.
    pub(super) fn add_to(&self, request: &mut Value, guardrail: Option<&Value>) {
        if let Some(guardrail) = guardrail {
            request["guardrailConfig"] = guardrail.clone();
        }
        if let Some(latency) = self.text("performanceConfigLatency") {
            request["performanceConfig"] = json!({"latency": latency});
        }
        if let Some(tier) = self.text("serviceTier") {
            request["serviceTier"] = json!({"type": tier});
        }
    }
}

const JSON: &str = "application/json";

fn is_json(mime: &str) -> bool {
    mime.split(';')
        .next()
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case(JSON))
}
