//! What a call has used.

use crate::json::{Fault, Kind, Reader};

/// By which service tier a call was served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServiceTier {
    /// As usual.
    #[default]
    Default,
    /// When there was room.
    Flex,
    /// Before others.
    Priority,
    /// By capacity that is paid for by time.
    Reserved,
    /// A tier that is newer than this version.
    Other,
}

impl ServiceTier {
    /// The tier of a name, in Bedrock's words or OpenAI's.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "" | "default" | "auto" | "standard" => Self::Default,
            "flex" => Self::Flex,
            "priority" | "fast" => Self::Priority,
            "reserved" | "scale" => Self::Reserved,
            _ => Self::Other,
        }
    }

    /// Bedrock's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Reserved => "reserved",
            Self::Other => "other",
        }
    }
}

/// How a call was served, as far as that bears on its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Served {
    /// By which tier, which need not be the one that was asked for.
    pub tier: ServiceTier,
    /// Whether by latency-optimized inference.
    pub is_latency_optimized: bool,
}

/// Tokens of one call. Bedrock's `inputTokens` leaves out what was read from or written to the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// `inputTokens`
    pub input_tokens: u64,
    /// `outputTokens`
    pub output_tokens: u64,
    /// `cacheReadInputTokens`
    pub cache_read_input_tokens: u64,
    /// `cacheWriteInputTokens`, for however long they stay.
    pub cache_write_input_tokens: u64,
    /// Those of `cache_write_input_tokens` that stay for an hour.
    pub cache_write_1h_input_tokens: u64,
    /// Those of `output_tokens` that are thoughts, where it is told.
    pub reasoning_tokens: u64,
    /// How the call was served.
    pub served: Served,
}

impl TokenUsage {
    /// All of the prompt, whether cached or not.
    pub fn prompt_tokens(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_write_input_tokens)
    }

    /// The sum with the usage of another call. It was served as the first of them that has tokens.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let has_tokens = self.prompt_tokens() > 0 || self.output_tokens > 0;
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_input_tokens: self
                .cache_read_input_tokens
                .saturating_add(other.cache_read_input_tokens),
            cache_write_input_tokens: self
                .cache_write_input_tokens
                .saturating_add(other.cache_write_input_tokens),
            cache_write_1h_input_tokens: self
                .cache_write_1h_input_tokens
                .saturating_add(other.cache_write_1h_input_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            served: if has_tokens { self.served } else { other.served },
        }
    }

    /// What is written to the cache for five minutes.
    pub fn cache_write_5m_input_tokens(&self) -> u64 {
        self.cache_write_input_tokens
            .saturating_sub(self.cache_write_1h_input_tokens)
    }

    /// Reads a `usage` object.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut usage = Self::default();
        let mut detailed: u64 = 0;
        reader.object(|member, reader| {
            let slot = match member {
                "inputTokens" => &mut usage.input_tokens,
                "outputTokens" => &mut usage.output_tokens,
                "cacheReadInputTokens" => &mut usage.cache_read_input_tokens,
                "cacheWriteInputTokens" => &mut usage.cache_write_input_tokens,
                "cacheDetails" if reader.kind()? == Kind::Array => {
                    return reader.array(|reader| {
                        let (tokens, is_1h) = read_detail(reader)?;
                        detailed = detailed.saturating_add(tokens);
                        if is_1h {
                            usage.cache_write_1h_input_tokens =
                                usage.cache_write_1h_input_tokens.saturating_add(tokens);
                        }
                        Ok(())
                    });
                }
                _ => return reader.skip(),
            };
            *slot = reader.nullable(Reader::count)?.unwrap_or(0);
            Ok(())
        })?;
        // Whichever of the two tells more has counted them.
        usage.cache_write_input_tokens = usage.cache_write_input_tokens.max(detailed);
        Ok(usage)
    }
}

/// The tokens of a `CacheDetail`, and whether they stay for an hour.
fn read_detail(reader: &mut Reader<'_>) -> Result<(u64, bool), Fault> {
    let (mut tokens, mut is_1h) = (0, false);
    reader.object(|member, reader| match member {
        "inputTokens" => reader.nullable(Reader::count).map(|count| tokens = count.unwrap_or(0)),
        "ttl" => reader.string().map(|ttl| is_1h = ttl == "1h"),
        _ => reader.skip(),
    })?;
    Ok((tokens, is_1h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> TokenUsage {
        Reader::document(json.as_bytes(), TokenUsage::read).unwrap()
    }

    #[test]
    fn what_stays_for_an_hour_is_told_apart() {
        let usage = read(
            r#"{"inputTokens":5,"outputTokens":7,"totalTokens":142,"cacheReadInputTokens":100,
                "cacheWriteInputTokens":30,"cacheDetails":[{"ttl":"1h","inputTokens":20},{"ttl":"5m","inputTokens":10}]}"#,
        );
        assert_eq!(
            (usage.cache_write_1h_input_tokens, usage.cache_write_5m_input_tokens()),
            (20, 10)
        );
        assert_eq!(usage.prompt_tokens(), 135);
        let twice = usage.plus(usage);
        assert_eq!(
            (twice.cache_write_1h_input_tokens, twice.cache_write_input_tokens),
            (40, 60)
        );
    }

    #[test]
    fn details_may_be_absent_or_alone() {
        let usage = read(r#"{"inputTokens":5,"outputTokens":7,"cacheWriteInputTokens":30,"cacheDetails":null}"#);
        assert_eq!(
            (usage.cache_write_1h_input_tokens, usage.cache_write_5m_input_tokens()),
            (0, 30)
        );
        let usage = read(r#"{"cacheDetails":[{"inputTokens":4,"ttl":"1h"}]}"#);
        assert_eq!(
            (usage.cache_write_1h_input_tokens, usage.cache_write_input_tokens),
            (4, 4)
        );
    }

    #[test]
    fn a_sum_was_served_as_its_first_call() {
        let flex = TokenUsage {
            input_tokens: 1,
            served: Served {
                tier: ServiceTier::Flex,
                is_latency_optimized: false,
            },
            ..TokenUsage::default()
        };
        assert_eq!(TokenUsage::default().plus(flex).served.tier, ServiceTier::Flex);
        assert_eq!(flex.plus(TokenUsage::default()).served.tier, ServiceTier::Flex);
    }
}
