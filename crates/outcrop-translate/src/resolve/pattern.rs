//! Patterns of names, with `*` for any text.

use std::fmt;
use std::str::FromStr;

/// Names of models, with `*` for any text: `gpt-4o*`. Capital letters and small ones are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// Whether a name is one of them.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.to_ascii_lowercase(), name.to_ascii_lowercase());
        let mut parts = pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // Each part as early as it can be: what is left over is then the most that there can be.
        for part in parts {
            match rest.find(part) {
                Some(start) => rest = &rest[start + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether it is one name, and no pattern.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamePattern {
    type Err = String;

    /// Takes any text but none.
    ///
    /// # Errors
    /// If it is empty.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("no model has an empty name; `*` is for all".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_capitals_are_small_letters() {
        for (pattern, name, matches) in [
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("*claude*", "us.anthropic.claude-x", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            let parsed: NamePattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(name), matches, "{pattern} {name}");
        }
        assert!("".parse::<NamePattern>().is_err());
    }

    #[test]
    fn a_pattern_matches_the_whole_name() {
        for (pattern, model) in [
            ("*", ""),
            ("*", "amazon.nova-lite-v1:0"),
            ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("*claude*", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("*claude*", "claude"),
            ("us.*", "us.amazon.nova-lite-v1:0"),
            ("*:0", "us.amazon.nova-lite-v1:0"),
            ("us.*nova*v1:*", "us.amazon.nova-lite-v1:0"),
            ("a*b*b", "abb"),
            ("a**b", "ab"),
        ] {
            assert!(NamePattern(pattern.to_owned()).matches(model), "{pattern} {model}");
        }
        for (pattern, model) in [
            ("amazon.nova", "amazon.nova-lite-v1:0"),
            ("nova*", "amazon.nova-lite-v1:0"),
            ("*nova", "amazon.nova-lite-v1:0"),
            ("ab*b", "ab"),
            ("a*ab*b", "aab"),
            ("aa*aa", "aaa"),
        ] {
            assert!(!NamePattern(pattern.to_owned()).matches(model), "{pattern} {model}");
        }
    }
}
