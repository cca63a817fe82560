//! Anthropic's Claude.

use super::Sampling;

/// The version that a model id names: `anthropic.claude-opus-4-7` is 4.7, `anthropic.claude-3-5-sonnet-20240620-v1:0`
/// is 3.5, `anthropic.claude-sonnet-5` is 5.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// The version in a model id, profile or ARN; `None` for other models.
    pub(super) fn of(model_id: &str) -> Option<Self> {
        let (_, name) = model_id.split_once("anthropic.claude-")?;
        // Dates are numbers too, but longer ones.
        let number = |part: &str| (part.len() <= 2).then(|| part.parse().ok()).flatten();
        let mut parts = name.split('-').skip_while(|part| number(part).is_none());
        Some(Self {
            major: number(parts.next()?)?,
            minor: parts.next().and_then(number).unwrap_or(0),
        })
    }

    /// Claude 4.5 and 4.6 refuse `temperature` and `top_p` together; 4.7 and whatever came later refuse both
    /// (LiteLLM's price map and users' reports, collected 2026-11).
    pub(super) fn sampling(self) -> Sampling {
        match (self.major, self.minor) {
            (5.., _) | (4, 7..) => Sampling::Neither,
            (4, 5..) => Sampling::Either,
            _ => Sampling::Both,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_each_form_of_id() {
        for (model_id, version) in [
            ("anthropic.claude-3-haiku-20240307-v1:0", Some((3, 0))),
            ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", Some((3, 5))),
            ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("anthropic.claude-opus-4-20250514-v1:0", Some((4, 0))),
            ("us.anthropic.claude-opus-4-7", Some((4, 7))),
            ("us.anthropic.claude-sonnet-5", Some((5, 0))),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-fable-5-1",
                Some((5, 1)),
            ),
            ("anthropic.claude-v2:1", None),
            ("amazon.nova-lite-v1:0", None),
        ] {
            let version = version.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::of(model_id), version, "{model_id}");
        }
    }
}
