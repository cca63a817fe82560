//! The whole reply of `Converse`.

use super::content::ContentBlock;
use crate::json::{Fault, Reader};

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConverseResponse<'a> {
    /// What the assistant said.
    pub content: Vec<ContentBlock<'a>>,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// What it cost.
    pub usage: TokenUsage,
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// `end_turn`
    EndTurn,
    /// `tool_use`
    ToolUse,
    /// `max_tokens`
    MaxTokens,
    /// `stop_sequence`
    StopSequence,
    /// `guardrail_intervened`
    GuardrailIntervened,
    /// `content_filtered`
    ContentFiltered,
    /// `malformed_model_output`
    MalformedModelOutput,
    /// `malformed_tool_use`
    MalformedToolUse,
    /// `model_context_window_exceeded`
    ModelContextWindowExceeded,
    /// A reason that is newer than this version.
    Other(String),
}

impl StopReason {
    /// The reason of a name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "end_turn" => Self::EndTurn,
            "tool_use" => Self::ToolUse,
            "max_tokens" => Self::MaxTokens,
            "stop_sequence" => Self::StopSequence,
            "guardrail_intervened" => Self::GuardrailIntervened,
            "content_filtered" => Self::ContentFiltered,
            "malformed_model_output" => Self::MalformedModelOutput,
            "malformed_tool_use" => Self::MalformedToolUse,
            "model_context_window_exceeded" => Self::ModelContextWindowExceeded,
            other => Self::Other(other.to_owned()),
        }
    }
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
    /// `cacheWriteInputTokens`
    pub cache_write_input_tokens: u64,
}

impl TokenUsage {
    /// All of the prompt, whether cached or not.
    pub fn prompt_tokens(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_write_input_tokens)
    }

    /// The sum with the usage of another call.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_input_tokens: self
                .cache_read_input_tokens
                .saturating_add(other.cache_read_input_tokens),
            cache_write_input_tokens: self
                .cache_write_input_tokens
                .saturating_add(other.cache_write_input_tokens),
        }
    }

    /// Reads a `usage` object.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut usage = Self::default();
        reader.object(|member, reader| {
            let slot = match member {
                "inputTokens" => &mut usage.input_tokens,
                "outputTokens" => &mut usage.output_tokens,
                "cacheReadInputTokens" => &mut usage.cache_read_input_tokens,
                "cacheWriteInputTokens" => &mut usage.cache_write_input_tokens,
                _ => return reader.skip(),
            };
            *slot = reader.nullable(Reader::count)?.unwrap_or(0);
            Ok(())
        })?;
        Ok(usage)
    }
}

impl<'a> ConverseResponse<'a> {
    /// Reads a whole reply.
    ///
    /// # Errors
    /// When the body is not what Converse answers.
    pub fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let (mut content, mut stop_reason, mut usage) = (None, None, TokenUsage::default());
        Reader::document(body, |reader| {
            reader.object(|member, reader| match member {
                "output" => reader.object(|member, reader| match member {
                    "message" => reader.object(|member, reader| {
                        if member == "content" {
                            content = Some(reader.list(ContentBlock::read)?);
                            return Ok(());
                        }
                        reader.skip()
                    }),
                    _ => reader.skip(),
                }),
                "stopReason" => {
                    stop_reason = Some(StopReason::from_name(&reader.string()?));
                    Ok(())
                }
                "usage" => {
                    usage = TokenUsage::read(reader)?;
                    Ok(())
                }
                _ => reader.skip(),
            })
        })?;
        let (Some(content), Some(stop_reason)) = (content, stop_reason) else {
            return Err(Fault::shape("the reply lacks its message or stop reason"));
        };
        Ok(Self {
            content,
            stop_reason,
            usage,
        })
    }
}
