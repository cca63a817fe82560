//! What the guardrail's policies make of a content: an assessment, and what becomes of it.

use serde_json::{Map, Value, json};

use super::harm::{self, Level};
use super::{IN_INPUT, IN_OUTPUT, personal};

/// The filters of the content policy, and from which confidence on each blocks.
const FILTERS: [(&str, Level); 6] = [
    ("SEXUAL", Level::Low),
    ("VIOLENCE", Level::Low),
    ("HATE", Level::Low),
    // Of medium strength: what is only a little insulting passes.
    ("INSULTS", Level::Medium),
    ("MISCONDUCT", Level::Low),
    // Of input only.
    ("PROMPT_ATTACK", Level::Low),
];
const TOPIC: &str = "Investment advice";
const TOPIC_WORDS: [&str; 3] = ["investment advice", "which stocks", "what stocks"];
const PROFANITY: [&str; 2] = ["damn", "crap"];
/// A regex of the operator's own.
const TICKET: (&str, &str) = ("ticket", "TICKET-[0-9]{4}");

/// What is judged.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) texts: Vec<String>,
    pub(super) images: Vec<Vec<u8>>,
    pub(super) is_input: bool,
}

/// What was found, and what isn't to be seen of it.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The policies of an assessment.
    pub(super) policies: Map<String, Value>,
    pub(super) blocked: bool,
    /// The texts with what was masked, if anything was.
    pub(super) masked: Option<Vec<String>>,
}

/// Judges a content. `full` shows what was looked for and not found, too.
pub(super) fn judge(content: &Content, full: bool) -> Verdict {
    let text = content.texts.join("\n");
    let mut found = Found { full, blocked: false };
    let topics = found.topics(&text);
    let filters = found.filters(content, &text);
    let (words, managed) = found.words(content, &text);
    let (entities, regexes, masked) = found.personal(content);
    let mut policies = Map::new();
    let mut add = |policy: &str, lists: &[(&str, Vec<Value>)]| {
        if lists.iter().any(|(_, list)| !list.is_empty()) {
            let lists = lists.iter().map(|(name, list)| ((*name).to_owned(), json!(list)));
            policies.insert(policy.to_owned(), lists.collect::<Map<_, _>>().into());
        }
    };
    add("topicPolicy", &[("topics", topics)]);
    add("contentPolicy", &[("filters", filters)]);
    add("wordPolicy", &[("customWords", words), ("managedWordLists", managed)]);
    add(
        "sensitiveInformationPolicy",
        &[("piiEntities", entities), ("regexes", regexes)],
    );
    Verdict {
        policies,
        blocked: found.blocked,
        masked,
    }
}

struct Found {
    full: bool,
    blocked: bool,
}

impl Found {
    /// Notes if something blocks. `None` if it isn't worth showing.
    fn note(&mut self, detected: bool) -> Option<&'static str> {
        self.blocked |= detected;
        match detected {
            true => Some("BLOCKED"),
            false => self.full.then_some("NONE"),
        }
    }

    fn topics(&mut self, text: &str) -> Vec<Value> {
        let detected = harm::word(&TOPIC_WORDS, text).is_some();
        let action = self.note(detected);
        let topic = |action| json!({"name": TOPIC, "type": "DENY", "action": action, "detected": detected});
        action.map(topic).into_iter().collect()
    }

    fn filters(&mut self, content: &Content, text: &str) -> Vec<Value> {
        let mut filters = Vec::new();
        for (kind, least) in FILTERS {
            if kind == "PROMPT_ATTACK" && !content.is_input {
                continue;
            }
            let shown = content
                .images
                .iter()
                .map(|image| harm::level_of_image(kind, image))
                .max();
            let level = harm::level(kind, text).max(shown.unwrap_or(Level::None));
            let detected = level >= least;
            // What is there but too little of is told, too.
            if let Some(action) = self.note(detected) {
                filters.push(json!({
                    "type": kind,
                    "confidence": level.name(),
                    "filterStrength": if least == Level::Low { "HIGH" } else { "MEDIUM" },
                    "action": action,
                    "detected": detected,
                }));
            }
        }
        filters
    }

    fn words(&mut self, content: &Content, text: &str) -> (Vec<Value>, Vec<Value>) {
        let own = if content.is_input { IN_INPUT } else { IN_OUTPUT };
        let detected = text.contains(own);
        let custom = self
            .note(detected)
            .map(|action| json!({"match": own, "action": action, "detected": detected}));
        let managed = harm::word(&PROFANITY, text).map(|word| {
            self.blocked = true;
            json!({"match": word, "type": "PROFANITY", "action": "BLOCKED", "detected": true})
        });
        (custom.into_iter().collect(), managed.into_iter().collect())
    }

    /// Numbers of the social security block, and so do keys; what else is somebody's own is masked.
    fn personal(&mut self, content: &Content) -> (Vec<Value>, Vec<Value>, Option<Vec<String>>) {
        let (mut entities, mut regexes, mut masked) = (Vec::new(), Vec::new(), Vec::new());
        let ticket = regex_lite::Regex::new(TICKET.1).ok();
        for text in &content.texts {
            let mut hidden = text.clone();
            for one in personal::find(text).iter().rev() {
                let blocks = ["US_SOCIAL_SECURITY_NUMBER", "AWS_ACCESS_KEY"].contains(&one.kind);
                self.blocked |= blocks;
                let action = if blocks { "BLOCKED" } else { "ANONYMIZED" };
                let matched = &text[one.at.clone()];
                entities.push(json!({"match": matched, "type": one.kind, "action": action, "detected": true}));
                hidden.replace_range(one.at.clone(), &format!("{{{}}}", one.kind));
            }
            for one in ticket.iter().flat_map(|form| form.find_iter(text)) {
                let (name, form) = TICKET;
                regexes.push(
                    json!({"name": name, "match": one.as_str(), "regex": form, "action": "NONE", "detected": true}),
                );
            }
            masked.push(hidden);
        }
        let is_masked = masked != content.texts;
        (entities, regexes, is_masked.then_some(masked))
    }
}
