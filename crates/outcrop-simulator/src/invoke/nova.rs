//! Amazon Nova: Converse's own conversation in a body of its own, `messages-v1`.
//!
//! Source: Nova's user guide, "Complete request schema" (2026-11), which names some of `inferenceConfig` in two ways.

use serde_json::{Map, Value, json};

use super::about::About;
use super::json_schema::Schema;
use super::shape::{Shape, Writer};
use crate::converse::{Event, Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;
use crate::validate;

pub(super) struct Nova;

/// The names of old, and those that Converse has.
const RENAMED: [(&str, &str); 3] = [("max_new_tokens", "maxTokens"), ("top_p", "topP"), ("top_k", "topK")];

impl Shape for Nova {
    fn read(&self, body: &Value, _: &Target, _: Mode) -> Result<Value, Refusal> {
        static SCHEMA: Schema = Schema::new(include_str!("schemas/nova.json"));
        SCHEMA.check(body)?;
        let mut request = body.as_object().cloned().unwrap_or_default();
        request.remove("schemaVersion");
        let mut extra = Map::new();
        if let Some(config) = request.remove("reasoningConfig") {
            extra.insert("reasoningConfig".to_owned(), config);
        }
        if let Some(config) = request.get_mut("inferenceConfig").and_then(Value::as_object_mut) {
            for (old, new) in RENAMED {
                if let Some(value) = config.remove(old) {
                    config.insert(new.to_owned(), value);
                }
            }
            if let Some(top_k) = config.remove("topK") {
                extra.insert("inferenceConfig".to_owned(), json!({"topK": top_k}));
            }
        }
        if !extra.is_empty() {
            request.insert("additionalModelRequestFields".to_owned(), extra.into());
        }
        let request = Value::Object(request);
        // Within, Nova has the same members as Converse.
        validate::body("Converse", &request)?;
        Ok(request)
    }

    fn whole(&self, reply: &Reply, about: &About) -> Value {
        let mut whole = reply.to_json();
        let output = whole["output"].take();
        json!({"output": output, "stopReason": stop_reason(&reply.stop_reason), "usage": usage(about)})
    }

    fn chunks(&self, about: About) -> Box<dyn Writer> {
        Box::new(Stream { about })
    }
}

struct Stream {
    about: About,
}

impl Writer for Stream {
    fn push(&mut self, event: &Event, out: &mut Vec<Value>) {
        let payload = match event.name {
            "messageStop" => {
                json!({"stopReason": stop_reason(event.payload["stopReason"].as_str().unwrap_or_default())})
            }
            "metadata" => json!({"usage": usage(&self.about), "metrics": {}, "trace": {}}),
            _ => event.payload.clone(),
        };
        out.push(json!({event.name: payload}));
    }
}

/// A guardrail stands before Nova, so that Nova has no word for it.
fn stop_reason(stop_reason: &str) -> &str {
    match stop_reason {
        "guardrail_intervened" => "end_turn",
        other => other,
    }
}

fn usage(about: &About) -> Value {
    let usage = &about.usage;
    let cached = usage.cached.clone().unwrap_or_default();
    json!({
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.all_input() + usage.output,
        "cacheReadInputTokenCount": cached.read,
        "cacheWriteInputTokenCount": cached.written,
    })
}
