//! From the replies to the answer.

use std::collections::BTreeMap;

use outcrop_bedrock::json::{Json, ObjectWriter, write_array};
use serde_json::Value;

use super::categories::{
    self, BLOCKED_WORD, DENIED_TOPIC, OPENAI, OWN, PROMPT_ATTACK, SENSITIVE_INFORMATION, THRESHOLD,
};
use super::{Judge, Judged, Memo};
use crate::problem::{Problem, ProblemKind};
use crate::task::{AnswerContext, TaskAnswer, TaskReply};

/// What was found out about one input.
#[derive(Default)]
struct Verdict<'a> {
    flagged: bool,
    categories: BTreeMap<String, Finding>,
    /// What Bedrock said, and the member that it stands in.
    said: Option<(&'static str, Json<'a>)>,
}

/// What was found out about one category.
#[derive(Clone, Copy, Default)]
struct Finding {
    found: bool,
    score: f64,
}

/// Writes a result for each input.
pub(super) fn write(
    memo: &Memo,
    replies: &[TaskReply<'_>],
    context: &AnswerContext<'_>,
) -> Result<TaskAnswer, Problem> {
    let mut replies = replies.iter();
    let mut verdicts = Vec::new();
    for input in &memo.inputs {
        let verdict = match input.is_empty() {
            true => Verdict::default(),
            false => replies
                .next()
                .and_then(|reply| Verdict::read(memo.by, reply.body))
                .ok_or_else(unreadable)?,
        };
        verdicts.push((input, verdict));
    }
    let mut body = Vec::new();
    ObjectWriter::write(&mut body, |answer| {
        answer.field("id", &format!("modr-{:032x}", context.unique));
        answer.field("model", &memo.model);
        write_array(answer.key("results"), &verdicts, |(input, verdict), out| {
            verdict.write(**input, out)
        });
    });
    Ok(TaskAnswer {
        body,
        ..TaskAnswer::default()
    })
}

impl<'a> Verdict<'a> {
    fn read(by: Judge, body: &'a [u8]) -> Option<Self> {
        let reply: Value = serde_json::from_slice(body).ok()?;
        let said = Json::parse(std::str::from_utf8(body).ok()?).ok()?;
        let mut verdict = match by {
            Judge::Guardrail => Self::of_guardrail(&reply)?,
            Judge::Checks => Self::of_checks(&reply)?,
        };
        let member = match by {
            Judge::Guardrail => "amazon-bedrock-guardrail",
            Judge::Checks => "amazon-bedrock-guardrail-checks",
        };
        verdict.said = Some((member, said));
        Some(verdict)
    }

    fn of_guardrail(reply: &Value) -> Option<Self> {
        let mut verdict = Self {
            flagged: reply["action"].as_str()? == "GUARDRAIL_INTERVENED",
            ..Self::default()
        };
        for assessment in reply["assessments"].as_array()? {
            let each = |path: &str| assessment.pointer(path).and_then(Value::as_array).into_iter().flatten();
            for filter in each("/contentPolicy/filters") {
                let score = categories::score(filter["confidence"].as_str().unwrap_or_default());
                let category = categories::of_bedrock(filter["type"].as_str().unwrap_or_default());
                verdict.add(category, is_found(filter), score);
            }
            for topic in each("/topicPolicy/topics") {
                let (found, score) = certain(topic);
                verdict.add(DENIED_TOPIC.to_owned(), found, score);
                if let Some(category) = categories::of_topic(topic["name"].as_str().unwrap_or_default()) {
                    verdict.add(category.to_owned(), found, score);
                }
            }
            for (path, category) in [
                ("/wordPolicy/customWords", BLOCKED_WORD),
                ("/wordPolicy/managedWordLists", BLOCKED_WORD),
                ("/sensitiveInformationPolicy/piiEntities", SENSITIVE_INFORMATION),
                ("/sensitiveInformationPolicy/regexes", SENSITIVE_INFORMATION),
            ] {
                for one in each(path) {
                    let (found, score) = certain(one);
                    verdict.add(category.to_owned(), found, score);
                }
            }
        }
        Some(verdict)
    }

    fn of_checks(reply: &Value) -> Option<Self> {
        let mut verdict = Self::default();
        for check in ["contentFilter", "promptAttack"] {
            for result in reply["results"][check]["results"].as_array()? {
                let score = result["severityScore"].as_f64()?;
                let found = score >= THRESHOLD;
                verdict.flagged |= found;
                let category = categories::of_bedrock(result["category"].as_str().unwrap_or_default());
                verdict.add(category, found, score);
            }
        }
        Some(verdict)
    }

    /// Of several findings of a category, the worst counts.
    fn add(&mut self, category: String, found: bool, score: f64) {
        let finding = self.categories.entry(category).or_default();
        finding.found |= found;
        finding.score = finding.score.max(score);
    }

    fn write(&self, input: Judged, out: &mut Vec<u8>) {
        let finding = |name: &str| self.categories.get(name).copied();
        let known = || OPENAI.iter().map(|(name, _)| *name).chain(OWN);
        let is_known = |name: &str| known().any(|known| known == name);
        let all = || {
            let others = self
                .categories
                .keys()
                .map(String::as_str)
                .filter(|name| !is_known(name));
            known().chain(others)
        };
        ObjectWriter::write(out, |result| {
            result.field("flagged", &self.flagged);
            result.object("categories", |object| {
                for name in all() {
                    object.field(name, &finding(name).unwrap_or_default().found);
                }
            });
            result.object("category_scores", |object| {
                for name in all() {
                    object.field(name, &finding(name).unwrap_or_default().score);
                }
            });
            result.object("category_applied_input_types", |object| {
                for name in all() {
                    let is_judged = finding(name).is_some();
                    let text = (input.text && is_judged).then_some("text");
                    let image = (input.image && is_judged && sees_images(name)).then_some("image");
                    write_array(object.key(name), text.into_iter().chain(image), |kind, out| {
                        outcrop_bedrock::json::write_str(kind, out);
                    });
                }
            });
            if let Some((member, said)) = &self.said {
                result.field(member, said);
            }
        });
    }
}

/// Whether a category may be about images: OpenAI's as its clients expect it, Bedrock's as guardrails judge them.
fn sees_images(category: &str) -> bool {
    match OPENAI.iter().find(|(name, _)| *name == category) {
        Some((_, sees_images)) => *sees_images,
        None => category == PROMPT_ATTACK || !OWN.contains(&category),
    }
}

/// Whether something is there, blocked or not; older guardrails only say what they did.
fn is_found(one: &Value) -> bool {
    let acted = || one["action"].as_str().is_some_and(|action| action != "NONE");
    one["detected"].as_bool().unwrap_or_else(acted)
}

/// What is found or not, without any doubt.
fn certain(one: &Value) -> (bool, f64) {
    let found = is_found(one);
    (found, f64::from(u8::from(found)))
}

fn unreadable() -> Problem {
    let message = "The upstream's answer is not one of Bedrock's, or is damaged.";
    Problem::new(502, ProblemKind::Server, message).with_code("upstream_invalid_response")
}
