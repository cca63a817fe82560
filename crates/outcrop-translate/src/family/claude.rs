//! Anthropic's Claude.

use super::{CacheRules, ForcedTools, Sampling, Thinking, TopK, Traits, UNKNOWN};

/// The version that a model id names: `anthropic.claude-opus-4-7` is 4.7, `anthropic.claude-3-5-sonnet-20240620-v1:0`
/// is 3.5, `anthropic.claude-sonnet-5` is 5.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// The version in the part of a model id after `anthropic.claude-`.
    fn of(name: &str) -> Option<Self> {
        // Dates are numbers too, but longer ones.
        let number = |part: &str| (part.len() <= 2).then(|| part.parse().ok()).flatten();
        let mut parts = name.split('-').skip_while(|part| number(part).is_none());
        Some(Self {
            major: number(parts.next()?)?,
            minor: parts.next().and_then(number).unwrap_or(0),
        })
    }

    const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// The traits of a Claude; `None` for other models.
///
/// From LiteLLM's price map, users' reports and AWS's user guide, collected 2026-11. Where they contradict one another
/// (structured output of the fifth generation), the feature is tried, and a refusal is learned.
pub(super) fn traits(id: &str) -> Option<Traits> {
    let name = id.strip_prefix("anthropic.claude-")?;
    let Some(version) = Version::of(name) else {
        return Some(completion());
    };
    let is = |line: &str| name.starts_with(line);
    let thinks_always = is("fable") || is("mythos") || version >= Version::new(5, 5) && !is("haiku");
    let from_4_5 = version >= Version::new(4, 5);
    let from_4_7 = version >= Version::new(4, 7);
    Some(Traits {
        sampling: if from_4_7 {
            Sampling::Neither
        } else if from_4_5 {
            Sampling::Either
        } else {
            Sampling::Both
        },
        top_k: if from_4_7 { TopK::Nowhere } else { TopK::Field("top_k") },
        thinking: match version {
            _ if from_4_7 => Thinking::Adaptive {
                can_be_off: !thinks_always,
            },
            _ if version >= Version::new(3, 7) => Thinking::Budget,
            _ => Thinking::Untold,
        },
        // Claude takes 8,191 (bedrock-wrapper's README, read 2026-11), Converse fewer.
        // Anthropic's pages on the fifth generation, read 2026-11.
        thinks_unasked: version.major >= 5,
        takes_adaptive: version >= Version::new(4, 6),
        stop_sequences: super::MAX_STOP_SEQUENCES,
        blank_stop_sequences: false,
        forced_tools: if is("fable-5-1") || is("opus-5-5") || is("sonnet-5-5") {
            ForcedTools::Never
        } else {
            ForcedTools::AnyOrNamed
        },
        strict_tools: from_4_5
            && !["opus-4-7", "opus-4-8", "opus-5", "sonnet-5", "haiku-5-5"]
                .iter()
                .any(|line| is(line)),
        one_tool_at_a_time: from_4_5,
        structured_output: from_4_5 && !["opus-4-7", "opus-5", "fable"].iter().any(|line| is(line)),
        prefill: version < Version::new(4, 6),
        cache: cache(version, name),
        reports_thinking_tokens: version >= Version::new(3, 7),
        ..UNKNOWN
    })
}

/// Smallest prefixes, in tokens (Amazon Bedrock User Guide and LiteLLM's map, collected 2026-11). Claude 3.5 Sonnet's
/// second version and 3.5 Haiku were the first to cache.
fn cache(version: Version, name: &str) -> Option<CacheRules> {
    let is_first_sonnet = name.starts_with("3-5-sonnet-20240620");
    if version < Version::new(3, 5) || is_first_sonnet {
        return None;
    }
    let is = |line: &str| name.starts_with(line);
    let least_tokens = match version {
        _ if version.major >= 5 => 512,
        _ if is("haiku-4-5") || is("opus-4-5") || is("opus-4-6") => 4096,
        _ if is("3-5-haiku") || is("opus-4-7") => 2048,
        _ => 1024,
    };
    Some(CacheRules {
        least_tokens,
        one_hour: version >= Version::new(4, 5),
        tools: true,
    })
}

/// Claude 2 and Instant: text completion behind Converse.
fn completion() -> Traits {
    Traits {
        thinking: Thinking::Untold,
        tools: false,
        forced_tools: ForcedTools::Unsaid,
        strict_tools: false,
        structured_output: false,
        cache: None,
        ..UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_each_form_of_id() {
        for (name, version) in [
            ("3-haiku-20240307-v1:0", Some((3, 0))),
            ("3-5-sonnet-20241022-v2:0", Some((3, 5))),
            ("sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("opus-4-20250514-v1:0", Some((4, 0))),
            ("opus-4-7", Some((4, 7))),
            ("sonnet-5", Some((5, 0))),
            ("fable-5-1", Some((5, 1))),
            ("v2:1", None),
        ] {
            let version = version.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::of(name), version, "{name}");
        }
    }

    #[test]
    fn what_a_generation_takes_is_known_from_its_id() {
        let of = |name: &str| traits(&format!("anthropic.claude-{name}")).unwrap();
        assert_eq!(of("3-7-sonnet-20250219-v1:0").thinking, Thinking::Budget);
        assert_eq!(of("3-5-haiku-20241022-v1:0").thinking, Thinking::Untold);
        assert_eq!(of("opus-4-7").thinking, Thinking::Adaptive { can_be_off: true });
        assert_eq!(of("fable-5").thinking, Thinking::Adaptive { can_be_off: false });
        assert_eq!(of("haiku-5-5").thinking, Thinking::Adaptive { can_be_off: true });
        assert_eq!(of("opus-5-5").thinking, Thinking::Adaptive { can_be_off: false });
        assert_eq!(of("opus-5-5").forced_tools, ForcedTools::Never);
        assert_eq!(of("opus-5").forced_tools, ForcedTools::AnyOrNamed);
        assert!(!of("opus-4-6-v1").prefill && of("opus-4-5-20251101-v1:0").prefill);
        assert_eq!(of("opus-4-5-20251101-v1:0").cache.unwrap().least_tokens, 4096);
        assert_eq!(of("3-5-sonnet-20240620-v1:0").cache, None);
        assert!(traits("amazon.nova-lite-v1:0").is_none());
    }
}
