//! Kinds of harm: OpenAI's, Bedrock's, and which is which.
//!
//! Sources: OpenAI's API description, `CreateModerationResponse`; service model of Bedrock Runtime (botocore 1.44.5);
//! both 2026-11.

/// OpenAI's categories, in its order, and whether OpenAI's clients expect them to be about images, too.
pub(super) const OPENAI: [(&str, bool); 13] = [
    ("harassment", false),
    ("harassment/threatening", false),
    ("hate", false),
    ("hate/threatening", false),
    ("illicit", false),
    ("illicit/violent", false),
    ("self-harm", true),
    ("self-harm/instructions", true),
    ("self-harm/intent", true),
    ("sexual", true),
    ("sexual/minors", false),
    ("violence", true),
    ("violence/graphic", true),
];

/// What Bedrock finds and OpenAI has no category for.
pub(super) const PROMPT_ATTACK: &str = "prompt-attack";
pub(super) const DENIED_TOPIC: &str = "denied-topic";
pub(super) const BLOCKED_WORD: &str = "blocked-word";
pub(super) const SENSITIVE_INFORMATION: &str = "sensitive-information";

/// The categories of our own that each result has.
pub(super) const OWN: [&str; 4] = [PROMPT_ATTACK, DENIED_TOPIC, BLOCKED_WORD, SENSITIVE_INFORMATION];

/// Bedrock's categories of content, and of prompt attacks where no guardrail is applied.
pub(super) const CONTENT: [&str; 5] = ["VIOLENCE", "HATE", "SEXUAL", "MISCONDUCT", "INSULTS"];
pub(super) const PROMPT_ATTACKS: [&str; 3] = ["JAILBREAK", "PROMPT_INJECTION", "PROMPT_LEAKAGE"];

/// The category of Bedrock's `name`; one that is new gets a category of its own.
pub(super) fn of_bedrock(name: &str) -> String {
    match name {
        "HATE" => "hate",
        "INSULTS" => "harassment",
        "SEXUAL" => "sexual",
        "VIOLENCE" => "violence",
        "MISCONDUCT" => "illicit",
        "PROMPT_ATTACK" => PROMPT_ATTACK,
        _ if PROMPT_ATTACKS.contains(&name) => PROMPT_ATTACK,
        _ => return own_name(name),
    }
    .to_owned()
}

/// The category that an operator means by a topic: one of OpenAI's, if it is called so.
pub(super) fn of_topic(name: &str) -> Option<&'static str> {
    let name = own_name(name);
    OPENAI
        .iter()
        .map(|(category, _)| *category)
        .find(|category| *category == name)
}

fn own_name(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' '], "-")
}

/// The score of a guardrail's confidence, which it only gives in words.
pub(super) fn score(confidence: &str) -> f64 {
    match confidence {
        "LOW" => 0.33,
        "MEDIUM" => 0.66,
        "HIGH" => 0.99,
        _ => 0.0,
    }
}

/// From this severity on, a check has found something.
pub(super) const THRESHOLD: f64 = 0.5;
