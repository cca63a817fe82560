//! What a model takes, and how: what each leaves to us beyond Converse.

use std::sync::Arc;

use super::Catalogue;
use super::row::Row;
use super::words::{
    Api, EffortField, ForcedTools, Parameter, PromptFormat, Sampling, Set, Shape, ThinkingKind, ThinkingTag, TopK, Ttl,
    VectorShape,
};
use crate::effort::Effort;
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
    pub(crate) thinking_tag: ThinkingTag,
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
    pub(crate) openai_parameters: Set<Parameter>,
    /// Whether its output tokens can be told apart (`/usage/output_tokens_details`).
    pub(crate) reports_thinking_tokens: bool,
    /// Whether `CountTokens` is known to count its tokens.
    pub(crate) counts_tokens: bool,
    /// Whether a stream's `inputTokens` may hold the cached tokens too.
    pub(crate) counts_cached_input_twice: bool,
    /// How many tokens of a quota a token of an answer costs.
    pub(crate) output_burn_rate: u64,
    /// The smallest `maxTokens`.
    pub(crate) least_max_tokens: u64,
    /// The smallest budget for thinking, in tokens.
    pub(crate) least_thinking_budget: u64,
    /// The API that it is asked by unless somebody wants another one.
    pub(crate) api: Api,
    /// The APIs that it answers.
    pub(crate) apis: Set<Api>,
    /// The form of its InvokeModel bodies, where it is known.
    pub(crate) invoke: Option<Shape>,
    /// How a conversation is written as one text, where InvokeModel wants that.
    pub(crate) prompt: Option<PromptFormat>,
    /// The form of its InvokeModel bodies, if it makes vectors.
    pub(crate) vectors: Option<VectorShape>,
    /// How many numbers its vectors may have; none where that isn't known.
    pub(crate) dimensions: Vec<u64>,
    /// The longest text that becomes a vector, in characters.
    pub(crate) max_text_chars: Option<usize>,
    /// Whether it streams.
    pub(crate) streaming: bool,
    /// The beta that widens its context.
    pub(crate) long_context_beta: Option<Arc<str>>,
    /// Parameters that it refused before, by the client's name.
    pub(crate) refused: Vec<String>,
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
    /// `reasoningConfig` with one of these efforts.
    NovaConfig(Set<Effort>),
    /// `reasoning_effort`, as one of these words.
    Effort(Set<Effort>),
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

/// The most stop sequences that Converse takes (service model of Bedrock Runtime, 2026-11).
pub(crate) const MAX_STOP_SEQUENCES: usize = 2500;

impl Traits {
    /// The traits of the model that the catalogue calls `base_id`, with what was learned of it.
    pub(crate) fn of(catalogue: &Catalogue, base_id: Option<&str>, lessons: &[Lesson]) -> Self {
        let mut traits = catalogue.traits(base_id);
        for lesson in lessons {
            traits.learn(lesson);
        }
        traits
    }

    /// The traits that the rows for a model come to. What they leave open is as with a model that nobody knows:
    /// everything is tried as OpenAI's clients and Converse have it. Bedrock decides, and what it refuses is learned.
    pub(super) fn of_row(row: &Row) -> Self {
        let apis = row.apis.as_deref().unwrap_or(&[Api::Converse]);
        Self {
            sampling: row.sampling.unwrap_or(Sampling::Both),
            top_k: row.top_k.unwrap_or(TopK::Field),
            thinking: Thinking::of_row(row),
            takes_adaptive: row.takes_adaptive.unwrap_or(true),
            thinks_unasked: row.thinks_unasked.unwrap_or(false),
            thinking_tag: row.thinking_tag.unwrap_or(ThinkingTag::Think),
            takes_signed_thoughts: row.signed_thoughts.unwrap_or(true),
            stop_sequences: row.stop_sequences.unwrap_or(MAX_STOP_SEQUENCES),
            blank_stop_sequences: row.blank_stop_sequences.unwrap_or(true),
            system: row.system.unwrap_or(true),
            mixed_turns: row.mixed_turns.unwrap_or(true),
            media_in_results: row.media_in_results.unwrap_or(true),
            tools: row.tools.unwrap_or(true),
            tool_streaming: row.tool_streaming.unwrap_or(true),
            forced_tools: row.tool_choice.unwrap_or(ForcedTools::AnyOrNamed),
            strict_tools: row.strict_tools.unwrap_or(true),
            one_tool_at_a_time: row.one_tool_at_a_time.unwrap_or(false),
            structured_output: row.structured_output.unwrap_or(true),
            closed_schemas: row.closed_schemas.unwrap_or(true),
            prefill: row.prefill.unwrap_or(true),
            cache: CacheRules::of_row(row),
            openai_parameters: row.parameters.unwrap_or(Set::EMPTY),
            reports_thinking_tokens: row.thinking_tokens.unwrap_or(false),
            counts_tokens: row.counts_tokens.unwrap_or(false),
            counts_cached_input_twice: row.counts_cached_input_twice.unwrap_or(false),
            output_burn_rate: row.output_burn_rate.unwrap_or(1),
            least_max_tokens: row.least_max_tokens.unwrap_or(1),
            least_thinking_budget: row.least_thinking_budget.unwrap_or(1024),
            api: apis.first().copied().unwrap_or(Api::Converse),
            apis: Set::of(apis),
            invoke: row.invoke,
            prompt: row.prompt,
            vectors: row.vectors,
            dimensions: row.dimensions.clone().unwrap_or_default(),
            max_text_chars: row.max_text_chars,
            streaming: row.streaming.unwrap_or(true),
            long_context_beta: row.long_context_beta.as_deref().map(Arc::from),
            refused: Vec::new(),
        }
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

impl Thinking {
    fn of_row(row: &Row) -> Self {
        let efforts = || {
            let common = [Effort::Low, Effort::Medium, Effort::High];
            row.efforts.unwrap_or_else(|| Set::of(&common))
        };
        match (row.thinking.unwrap_or(ThinkingKind::Own), row.effort_field) {
            (ThinkingKind::Untold, _) => Self::Untold,
            (ThinkingKind::Budget, _) => Self::Budget,
            (ThinkingKind::Adaptive, _) => Self::Adaptive { can_be_off: true },
            (ThinkingKind::Always, _) => Self::Adaptive { can_be_off: false },
            (ThinkingKind::Own, Some(EffortField::ReasoningConfig)) => Self::NovaConfig(efforts()),
            (ThinkingKind::Own, Some(EffortField::ReasoningEffort) | None) => Self::Effort(efforts()),
        }
    }
}

impl CacheRules {
    fn of_row(row: &Row) -> Option<Self> {
        row.cache.unwrap_or(true).then(|| Self {
            least_tokens: row.cache_least_tokens.unwrap_or(1024),
            one_hour: row.cache_ttls.is_none_or(|ttls| ttls.contains(Ttl::OneHour)),
            tools: row.cache_tools.unwrap_or(true),
        })
    }
}
