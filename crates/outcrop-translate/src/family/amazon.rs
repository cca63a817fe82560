//! Amazon's Nova and Titan.

use super::{CacheRules, ForcedTools, Thinking, TopK, Traits, UNKNOWN};

/// The traits of Amazon's models; `None` for others.
///
/// Stop sequences: bedrock-wrapper's README; the rest: Amazon Nova User Guide and LiteLLM's map, collected 2026-11.
pub(super) fn traits(id: &str) -> Option<Traits> {
    let name = id.strip_prefix("amazon.")?;
    if name.starts_with("titan-text") {
        return Some(Traits {
            top_k: TopK::Nowhere,
            thinking: Thinking::Untold,
            system: false,
            tools: false,
            forced_tools: ForcedTools::Unsaid,
            strict_tools: false,
            structured_output: false,
            cache: None,
            ..UNKNOWN
        });
    }
    let is_second = name.starts_with("nova-2");
    name.starts_with("nova").then_some(Traits {
        top_k: TopK::NovaInferenceConfig,
        thinking: if is_second {
            Thinking::NovaConfig
        } else {
            Thinking::Untold
        },
        takes_signed_thoughts: false,
        stop_sequences: 4,
        media_in_results: false,
        strict_tools: false,
        structured_output: false,
        cache: Some(CacheRules {
            least_tokens: 1024,
            one_hour: false,
            tools: false,
        }),
        ..UNKNOWN
    })
}
