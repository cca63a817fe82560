//! How hard a model is asked to think.

/// OpenAI's `reasoning_effort` (OpenAI's API description, `ReasoningEffort`, read 2026-11), from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    /// All names, for errors.
    pub(crate) const NAMES: &str = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "minimal" => Some(Self::Minimal),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            "xhigh" => Some(Self::Xhigh),
            "max" => Some(Self::Max),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The budget for thinking out of `max_tokens`, which it must stay below: 30 % for low, 60 % for medium, all but
    /// the last token for high and above, at least `least` (bedrock-access-gateway's usage guide, read 2026-11).
    /// `None` where `max_tokens` leaves no room.
    pub(crate) fn budget(self, max_tokens: u64, least: u64) -> Option<u64> {
        let share = match self {
            Self::None | Self::Minimal => 0,
            Self::Low => max_tokens.saturating_mul(30) / 100,
            Self::Medium => max_tokens.saturating_mul(60) / 100,
            Self::High | Self::Xhigh | Self::Max => max_tokens,
        };
        let budget = share.max(least).min(max_tokens.saturating_sub(1));
        (budget >= least).then_some(budget)
    }

    /// The effort that comes next to a budget, for models that take no budgets (LiteLLM's thresholds, read 2026-11).
    pub(crate) fn of_budget(budget_tokens: u64) -> Self {
        match budget_tokens {
            16_384.. => Self::Max,
            8_192.. => Self::Xhigh,
            4_096.. => Self::High,
            2_048.. => Self::Medium,
            _ => Self::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_of_the_tokens_with_a_floor_and_a_ceiling() {
        assert_eq!(Effort::Low.budget(10_000, 1024), Some(3000));
        assert_eq!(Effort::Low.budget(2_000, 1024), Some(1024));
        assert_eq!(Effort::Medium.budget(10_000, 1024), Some(6000));
        assert_eq!(Effort::High.budget(10_000, 1024), Some(9999));
        assert_eq!(Effort::Minimal.budget(10_000, 1024), Some(1024));
        assert_eq!(Effort::High.budget(1_025, 1024), Some(1024));
        assert_eq!(Effort::High.budget(1_024, 1024), None);
    }
}
