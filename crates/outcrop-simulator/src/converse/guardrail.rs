//! The one guardrail in a conversation: it blocks a word of the input, and another one of the output.

use serde_json::{Map, Value, json};

use super::Mode;
use super::reply::{Block, Reply};
use crate::guardrail::{self, ID, IN_INPUT, IN_OUTPUT, MESSAGE, Named};
use crate::refusal::Refusal;
use crate::rules::{blocks, is_from, list, messages};

/// A guardrail as a request asks for it.
pub(super) struct Guardrail {
    trace: Trace,
    /// If a stream goes out before it is looked at.
    asynchronous: bool,
    named: Named,
}

#[derive(PartialEq)]
enum Trace {
    Disabled,
    Enabled,
    /// With what was looked for and not found.
    Full,
}

impl Guardrail {
    /// The guardrail that a request asks for, if any.
    ///
    /// # Errors
    ///
    /// One that doesn't exist.
    pub(super) fn of(body: &Value, region: &str) -> Result<Option<Guardrail>, Refusal> {
        let config = body.get("guardrailConfig").unwrap_or(&Value::Null);
        let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
        let (identifier, version) = (text("guardrailIdentifier"), text("guardrailVersion"));
        match (identifier, version) {
            ("", "") => return Ok(None),
            ("", _) | (_, "") => {
                return Err(Refusal::validation(
                    "The guardrailConfig must have both a guardrailIdentifier and a guardrailVersion.",
                ));
            }
            _ => {}
        }
        let named = Named::find(identifier, version, region)?;
        Ok(Some(Guardrail {
            trace: match text("trace") {
                "enabled" => Trace::Enabled,
                "enabled_full" => Trace::Full,
                _ => Trace::Disabled,
            },
            asynchronous: text("streamProcessingMode") == "async",
            named,
        }))
    }

    /// If the input is blocked, so that no model is asked.
    pub(super) fn blocks(&self, body: &Value) -> bool {
        inspected(body).contains(IN_INPUT)
    }

    /// The answer to an input that is blocked.
    pub(super) fn answer(&self, body: &Value, reply: Reply) -> Reply {
        Reply {
            blocks: vec![Block::Text(MESSAGE.to_owned())],
            stop_reason: "guardrail_intervened".to_owned(),
            asked: false,
            cached: None,
            extra_fields: None,
            trace: self.trace(body, None),
            ..reply
        }
    }

    /// Replaces what is blocked of an answer.
    pub(super) fn apply(&self, body: &Value, mut reply: Reply, mode: Mode) -> Reply {
        let output = text_of(&reply.blocks);
        reply.trace = self.trace(body, Some(&output));
        if !output.contains(IN_OUTPUT) {
            return reply;
        }
        reply.stop_reason = "guardrail_intervened".to_owned();
        reply.extra_fields = None;
        if mode == Mode::Stream && self.asynchronous {
            cut_behind(&mut reply.blocks, IN_OUTPUT);
        } else {
            reply.blocks.clear();
        }
        reply.blocks.push(Block::Text(MESSAGE.to_owned()));
        reply
    }

    fn trace(&self, body: &Value, output: Option<&str>) -> Option<Value> {
        if self.trace == Trace::Disabled {
            return None;
        }
        let input = inspected(body);
        let blocked = [
            input.contains(IN_INPUT),
            output.is_some_and(|output| output.contains(IN_OUTPUT)),
        ];
        let mut trace = Map::new();
        trace.insert(
            "inputAssessment".to_owned(),
            json!({ID: self.assessment(&input, IN_INPUT)}),
        );
        if let Some(output) = output {
            let assessments = json!({ID: [self.assessment(output, IN_OUTPUT)]});
            trace.insert("outputAssessments".to_owned(), assessments);
            trace.insert("modelOutput".to_owned(), json!([output]));
        }
        let reason = if blocked.contains(&true) {
            "Guardrail blocked."
        } else {
            "No action."
        };
        trace.insert("actionReason".to_owned(), reason.into());
        Some(json!({"guardrail": trace}))
    }

    fn assessment(&self, text: &str, word: &str) -> Value {
        let chars = text.chars().count();
        let mut assessment = json!({
            "invocationMetrics": {
                "guardrailProcessingLatency": guardrail::latency(chars),
                "usage": {
                    "topicPolicyUnits": 0,
                    "contentPolicyUnits": 0,
                    "wordPolicyUnits": guardrail::units(chars),
                    "sensitiveInformationPolicyUnits": 0,
                    "sensitiveInformationPolicyFreeUnits": 0,
                    "contextualGroundingPolicyUnits": 0,
                },
                "guardrailCoverage": {"textCharacters": {"guarded": chars, "total": chars}},
            },
            "appliedGuardrailDetails": self.named.details(),
        });
        let found = text.contains(word);
        if found || self.trace == Trace::Full {
            let action = if found { "BLOCKED" } else { "NONE" };
            let word = json!({"match": word, "action": action, "detected": found});
            assessment["wordPolicy"] = json!({"customWords": [word], "managedWordLists": []});
        }
        assessment
    }
}

/// What is looked at of an input: what is marked as guarded, or, if nothing is, all that users say.
fn inspected(body: &Value) -> String {
    let in_messages = messages(body).iter().flat_map(blocks);
    let all = list(body, "system").iter().chain(in_messages);
    let guarded: Vec<&Value> = all.filter_map(|block| block.get("guardContent")).collect();
    let texts: Vec<&str> = if guarded.is_empty() {
        let users = messages(body).iter().filter(|message| is_from(message, "user"));
        users
            .flat_map(blocks)
            .filter_map(|block| block.get("text")?.as_str())
            .collect()
    } else {
        let texts = guarded.iter().filter_map(|guarded| guarded.pointer("/text/text"));
        texts.filter_map(Value::as_str).collect()
    };
    texts.join("\n")
}

fn text_of(blocks: &[Block]) -> String {
    let texts = blocks.iter().filter_map(|block| match block {
        Block::Text(text) | Block::Citation { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Keeps what comes before a word's end.
fn cut_behind(blocks: &mut Vec<Block>, word: &str) {
    let holds = |block: &Block| text_of(std::slice::from_ref(block)).contains(word);
    let Some(at) = blocks.iter().position(holds) else {
        return;
    };
    blocks.truncate(at + 1);
    if let Some(Block::Text(text) | Block::Citation { text, .. }) = blocks.last_mut() {
        let end = text.find(word).map_or(text.len(), |start| start + word.len());
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: Value) -> Value {
        let mut config = json!({"guardrailIdentifier": ID, "guardrailVersion": "1"});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        json!({"guardrailConfig": config})
    }

    fn refused(more: Value) -> String {
        Guardrail::of(&config(more), "us-east-1").err().unwrap().message
    }

    #[test]
    fn guardrails_are_known_by_id_and_arn() {
        let known = |more: Value| Guardrail::of(&config(more), "us-east-1").unwrap().is_some();
        assert!(known(json!({})));
        assert!(known(json!({"guardrailVersion": "DRAFT"})));
        let arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/simguardrail1";
        assert!(known(json!({"guardrailIdentifier": arn})));
        assert!(!known(json!({"guardrailIdentifier": "", "guardrailVersion": ""})));
        assert!(refused(json!({"guardrailIdentifier": "other"})).contains("identifier is invalid"));
        assert!(refused(json!({"guardrailVersion": "2"})).contains("does not exist"));
        assert!(refused(json!({"guardrailVersion": ""})).contains("both"));
    }

    #[test]
    fn only_guarded_content_is_looked_at_if_there_is_any() {
        let mut body = json!({"messages": [{"role": "user", "content": [{"text": "a BLOCKED-INPUT"}]}]});
        assert!(inspected(&body).contains(IN_INPUT));
        body["system"] = json!([{"guardContent": {"text": {"text": "b"}}}]);
        assert_eq!(inspected(&body), "b");
    }
}
