//! Model families: what each leaves to us beyond Converse.
//!
//! A family is asked by name ("how do you sample?"); no mapping looks into a model id itself. What no family knows
//! takes everything: Bedrock decides, and what it refuses is learned ([`crate::lesson`]).

mod amazon;
mod claude;
mod media;
mod others;

pub use media::{MediaSupport, media};

use crate::lesson::Lesson;

/// What a model takes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Which of `temperature` and `top_p`.
    pub(crate) sampling: Sampling,
    /// Where `top_k` goes.
    pub(crate) top_k: TopK,
    /// How it is told how hard to think.
    pub(crate) thinking: Thinking,
    /// Whether `thinking` may be of the type `adaptive`.
    pub(crate) takes_adaptive: bool,
    /// Whether it thinks unless it is told not to.
    pub(crate) thinks_unasked: bool,
    /// What bedrock-wrapper writes around its thoughts.
    pub(crate) thinking_tag: &'static str,
    /// Whether earlier thoughts are shown to it again; they must be signed.
    pub(crate) takes_signed_thoughts: bool,
    /// The most stop sequences; 0 for none.
    pub(crate) stop_sequences: usize,
    /// Whether it takes stop sequences of white space alone.
    pub(crate) blank_stop_sequences: bool,
    /// Whether it takes system prompts.
    pub(crate) system: bool,
    /// Whether a turn may hold the results of tools and other content.
    pub(crate) mixed_turns: bool,
    /// Whether results of tools may hold images and documents.
    pub(crate) media_in_results: bool,
    /// Whether it can call tools.
    pub(crate) tools: bool,
    /// Whether its calls of tools can be streamed.
    pub(crate) tool_streaming: bool,
    /// Whether it can be made to call any tool, or a certain one.
    pub(crate) forced_tools: ForcedTools,
    /// Whether tools may be `strict`.
    pub(crate) strict_tools: bool,
    /// Whether it can be told to call one tool at a time.
    pub(crate) one_tool_at_a_time: bool,
    /// Whether `outputConfig.textFormat` is worth a try.
    pub(crate) structured_output: bool,
    /// Whether structured output and strict tools demand closed objects (`additionalProperties: false`).
    pub(crate) closed_schemas: bool,
    /// Whether the last message may be the assistant's.
    pub(crate) prefill: bool,
    /// How it caches prompts, if it does.
    pub(crate) cache: Option<CacheRules>,
    /// OpenAI's parameters that it takes by OpenAI's name.
    pub(crate) openai_parameters: &'static [&'static str],
    /// Whether its output tokens can be told apart (`/usage/output_tokens_details`).
    pub(crate) reports_thinking_tokens: bool,
    /// Whether a stream's `inputTokens` may hold the cached tokens too.
    pub(crate) counts_cached_input_twice: bool,
    /// The smallest `maxTokens`.
    pub(crate) least_max_tokens: u64,
    /// The smallest budget for thinking, in tokens.
    pub(crate) least_thinking_budget: u64,
    /// Parameters that it refused before, by the client's name.
    pub(crate) refused: Vec<String>,
}

/// Which of `temperature` and `top_p` a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// Both together.
    Both,
    /// One of them.
    Either,
    /// Neither, not even with the default value.
    Neither,
    /// Both, but only where `reasoning_effort` is `none`.
    WithoutThinking,
}

/// Where `top_k` goes, which Converse has no member for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopK {
    /// A field of this name.
    Field(&'static str),
    /// `inferenceConfig.topK` within the additional fields.
    NovaInferenceConfig,
    /// Nowhere: the model refuses it.
    Nowhere,
}

/// How a model is told how hard to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// It can't be told; whether it thinks is its own business.
    Untold,
    /// `thinking` with a budget of tokens.
    Budget,
    /// `thinking` of the type `adaptive`, and an effort.
    Adaptive {
        /// Whether it can be told not to think.
        can_be_off: bool,
    },
    /// `reasoningConfig` with an effort of low, medium or high.
    NovaConfig,
    /// `reasoning_effort`, as one of these words.
    Effort(&'static [&'static str]),
}

/// Whether a model can be made to call tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForcedTools {
    /// `any` and `tool`.
    AnyOrNamed,
    /// `any`, not a certain one.
    Any,
    /// Not at all, but `auto` may be said.
    Never,
    /// No `toolChoice` is taken, not even `auto`.
    Unsaid,
}

/// How a model caches prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CacheRules {
    /// Tokens that a prefix must have to be cached.
    pub(crate) least_tokens: u64,
    /// Whether `ttl: 1h` is taken.
    pub(crate) one_hour: bool,
    /// Whether points may stand behind tools, their calls and results.
    pub(crate) tools: bool,
}

/// The most cache points of a request (Amazon Bedrock User Guide, prompt caching, read 2026-11).
pub(crate) const MAX_CACHE_POINTS: usize = 4;

/// The traits of a model that nobody knows: everything is tried as OpenAI's clients and Converse have it.
const UNKNOWN: Traits = Traits {
    sampling: Sampling::Both,
    top_k: TopK::Field("top_k"),
    thinking: Thinking::Effort(&["low", "medium", "high"]),
    takes_adaptive: true,
    thinks_unasked: false,
    thinking_tag: "think",
    takes_signed_thoughts: true,
    stop_sequences: MAX_STOP_SEQUENCES,
    blank_stop_sequences: true,
    system: true,
    mixed_turns: true,
    media_in_results: true,
    tools: true,
    tool_streaming: true,
    forced_tools: ForcedTools::AnyOrNamed,
    strict_tools: true,
    one_tool_at_a_time: false,
    structured_output: true,
    closed_schemas: true,
    prefill: true,
    cache: Some(CacheRules {
        least_tokens: 1024,
        one_hour: true,
        tools: true,
    }),
    openai_parameters: &[],
    reports_thinking_tokens: false,
    counts_cached_input_twice: false,
    least_max_tokens: 1,
    least_thinking_budget: 1024,
    refused: Vec::new(),
};

/// The most stop sequences that Converse takes (service model of Bedrock Runtime, 2026-11).
pub(crate) const MAX_STOP_SEQUENCES: usize = 2500;

/// The vendors whose models somebody here knows, as ids begin with them.
const VENDORS: &[&str] = &[
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
    "xai",
    "zai",
];

/// The part of an id, profile or ARN that begins with the model's vendor: `amazon.nova-lite-v1:0` of
/// `us.amazon.nova-lite-v1:0`. `None` where there is no vendor that is known. Each request asks, so the tables are
/// compared with what begins here, and not searched for in all of the id.
fn base_id(model_id: &str) -> Option<&str> {
    let ends_of_words = model_id.match_indices(['.', '/']).map(|(end, _)| end + 1);
    std::iter::once(0)
        .chain(ends_of_words)
        .filter_map(|start| model_id.get(start..))
        .find(|id| id.split_once('.').is_some_and(|(vendor, _)| VENDORS.contains(&vendor)))
}

impl Traits {
    /// The traits of the model `model_id`, with what was learned of it.
    pub(crate) fn of(model_id: &str, lessons: &[Lesson]) -> Self {
        let known = base_id(model_id).and_then(|id| {
            claude::traits(id)
                .or_else(|| amazon::traits(id))
                .or_else(|| others::traits(id))
        });
        let mut traits = known.unwrap_or(UNKNOWN);
        for lesson in lessons {
            traits.learn(lesson);
        }
        traits
    }

    fn learn(&mut self, lesson: &Lesson) {
        match lesson {
            Lesson::Parameter(name) => self.refused.push(name.clone()),
            Lesson::SamplingTogether => self.sampling = Sampling::Either,
            Lesson::ForcedTools => self.forced_tools = ForcedTools::Never,
            Lesson::ToolChoice => self.forced_tools = ForcedTools::Unsaid,
            Lesson::StrictTools => self.strict_tools = false,
            Lesson::StructuredOutput => self.structured_output = false,
            Lesson::CachePoints => self.cache = None,
            Lesson::CacheOneHour => {
                if let Some(cache) = &mut self.cache {
                    cache.one_hour = false;
                }
            }
            Lesson::Prefill => self.prefill = false,
            Lesson::StopSequences(most) => self.stop_sequences = self.stop_sequences.min(*most),
            Lesson::ToolStreaming => self.tool_streaming = false,
            Lesson::System => self.system = false,
            Lesson::OneToolAtATime => self.one_tool_at_a_time = false,
            Lesson::ThinkingBudget => self.thinking = Thinking::Adaptive { can_be_off: true },
            Lesson::ThinkingOff => {
                if let Thinking::Adaptive { can_be_off } = &mut self.thinking {
                    *can_be_off = false;
                }
            }
            Lesson::ThinkingAdaptive => {
                self.takes_adaptive = false;
                self.thinking = Thinking::Budget;
            }
            Lesson::Thinking => self.thinking = Thinking::Untold,
            Lesson::LeastThinkingBudget(tokens) => self.least_thinking_budget = *tokens,
            Lesson::Thoughts => self.takes_signed_thoughts = false,
            Lesson::MediaInResults => self.media_in_results = false,
            Lesson::MixedTurns => self.mixed_turns = false,
            Lesson::ThinkingTokens => self.reports_thinking_tokens = false,
        }
    }

    /// Whether the model refused the parameter `name` before.
    pub(crate) fn has_refused(&self, name: &str) -> bool {
        self.refused.iter().any(|refused| refused == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendor_is_found_in_each_form_of_id() {
        for (model_id, id) in [
            ("amazon.nova-lite-v1:0", Some("amazon.nova-lite-v1:0")),
            ("us-gov.anthropic.claude-3-haiku", Some("anthropic.claude-3-haiku")),
            ("openai.gpt-6.1-sol", Some("openai.gpt-6.1-sol")),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/mistral.mixtral-8x7b-instruct-v0:1",
                Some("mistral.mixtral-8x7b-instruct-v0:1"),
            ),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/global.xai.grok-5",
                Some("xai.grok-5"),
            ),
            (
                "arn:aws:bedrock:us-east-1:1:custom-model/amazon.titan-text-lite-v1:0:4k/abc",
                Some("amazon.titan-text-lite-v1:0:4k/abc"),
            ),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", None),
            ("acme.amazonas-v1", None),
            ("amazon", None),
        ] {
            assert_eq!(base_id(model_id), id, "{model_id}");
        }
    }

    #[test]
    fn each_row_can_be_found() {
        for id in others::beginnings().chain(media::beginnings()) {
            // Some rows name nothing but the vendor, and need a name behind it.
            let model_id = format!("us.{id}x.y");
            assert_eq!(base_id(&model_id), Some(&model_id[3..]));
        }
    }
}
