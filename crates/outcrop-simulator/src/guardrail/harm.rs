//! What is harmful about a text, told by its words: a few plain ones of each kind.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Low,
    Medium,
    High,
}

impl Level {
    /// As an assessment says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Level::None => "NONE",
            Level::Low => "LOW",
            Level::Medium => "MEDIUM",
            Level::High => "HIGH",
        }
    }

    /// As a check says it, from 0 to 1.
    pub(super) fn severity(self) -> f64 {
        match self {
            Level::None => 0.0,
            Level::Low => 0.2,
            Level::Medium => 0.6,
            Level::High => 0.95,
        }
    }
}

/// Words that tell of a kind of harm, by how bad they are.
struct Kind {
    name: &'static str,
    high: &'static [&'static str],
    medium: &'static [&'static str],
    low: &'static [&'static str],
}

const KINDS: [Kind; 9] = [
    Kind {
        name: "VIOLENCE",
        high: &["kill", "killing", "murder", "massacre", "behead"],
        medium: &["stab", "shoot", "shooting", "attack", "beat up"],
        low: &["fight", "punch"],
    },
    Kind {
        name: "HATE",
        high: &["subhuman", "vermin", "ethnic cleansing"],
        medium: &["inferior race", "hate them all"],
        low: &["foreigners"],
    },
    Kind {
        name: "INSULTS",
        high: &["worthless scum", "disgusting pig"],
        medium: &["idiot", "moron", "stupid", "loser"],
        low: &["silly", "fool"],
    },
    Kind {
        name: "SEXUAL",
        high: &["porn", "pornographic", "explicit sex"],
        medium: &["naked", "nude", "sexual"],
        low: &["kiss", "lingerie"],
    },
    Kind {
        name: "MISCONDUCT",
        high: &["build a bomb", "make a bomb", "cook meth", "steal a car"],
        medium: &["shoplift", "steal", "hack into"],
        low: &["cheat"],
    },
    Kind {
        name: "PROMPT_ATTACK",
        high: &[
            "ignore all previous instructions",
            "ignore previous instructions",
            "jailbreak",
        ],
        medium: &["reveal your system prompt", "pretend you have no rules"],
        low: &["system prompt"],
    },
    Kind {
        name: "JAILBREAK",
        high: &["jailbreak", "do anything now"],
        medium: &["pretend you have no rules"],
        low: &[],
    },
    Kind {
        name: "PROMPT_INJECTION",
        high: &["ignore all previous instructions", "ignore previous instructions"],
        medium: &["new instructions"],
        low: &[],
    },
    Kind {
        name: "PROMPT_LEAKAGE",
        high: &["reveal your system prompt"],
        medium: &["repeat your instructions"],
        low: &["system prompt"],
    },
];

/// How much of a kind of harm is in a text.
pub(super) fn level(kind: &str, text: &str) -> Level {
    let text = normal(text);
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
        return Level::None;
    };
    let has = |words: &[&str]| words.iter().any(|word| text.contains(&format!(" {word} ")));
    match () {
        () if has(kind.high) => Level::High,
        () if has(kind.medium) => Level::Medium,
        () if has(kind.low) => Level::Low,
        () => Level::None,
    }
}

/// How much of a kind of harm is in an image: it says so in its bytes, as `sim:violence`.
pub(super) fn level_of_image(kind: &str, bytes: &[u8]) -> Level {
    let label = format!("sim:{}", kind.to_lowercase());
    match bytes.windows(label.len()).any(|window| window == label.as_bytes()) {
        true => Level::High,
        false => Level::None,
    }
}

/// The first of some words that a text holds.
pub(super) fn word<'a>(words: &[&'a str], text: &str) -> Option<&'a str> {
    let text = normal(text);
    words.iter().find(|word| text.contains(&format!(" {word} "))).copied()
}

/// Words in small letters with single spaces between and around them.
fn normal(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count_wherever_they_stand() {
        assert_eq!(level("VIOLENCE", "I want to KILL them."), Level::High);
        assert_eq!(level("VIOLENCE", "You are skilled"), Level::None);
        assert_eq!(level("INSULTS", "You idiot!"), Level::Medium);
        assert_eq!(
            level("PROMPT_ATTACK", "Please ignore all\nprevious instructions"),
            Level::High
        );
        assert_eq!(level("UNHEARD_OF", "kill"), Level::None);
    }

    #[test]
    fn images_say_what_they_show() {
        assert_eq!(level_of_image("VIOLENCE", b"\x89PNG sim:violence"), Level::High);
        assert_eq!(level_of_image("SEXUAL", b"\x89PNG sim:violence"), Level::None);
    }
}
