//! The words of the catalogue's fields, and sets of them.

use std::fmt;
use std::marker::PhantomData;

use outcrop_bedrock::converse::DocumentFormat;
use serde::de::{Deserialize, Deserializer, Error};

use crate::effort::Effort;

/// A choice between few words, each with a name in the catalogue's files.
pub trait Word: Copy + PartialEq + Sized + 'static {
    /// All of them, in their order.
    const ALL: &'static [Self];

    /// The word as the files have it.
    fn name(self) -> &'static str;

    /// The word that is written `name`.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.name() == name)
    }
}

/// A set of words, in the order of [`Word::ALL`].
pub struct Set<T> {
    bits: u16,
    of: PhantomData<T>,
}

impl<T: Word> Set<T> {
    /// The empty set.
    pub const EMPTY: Self = Self::of_bits(0);
    /// All words.
    pub const ALL: Self = Self::of_bits(u16::MAX);

    const fn of_bits(bits: u16) -> Self {
        Self { bits, of: PhantomData }
    }

    /// The set of these.
    #[must_use]
    pub fn of(words: &[T]) -> Self {
        words.iter().copied().collect()
    }

    /// Whether `word` is one of them.
    #[must_use]
    pub fn contains(self, word: T) -> bool {
        self.bits & Self::bit(word) != 0
    }

    /// The words.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |word| self.contains(*word))
    }

    fn bit(word: T) -> u16 {
        let index = T::ALL.iter().position(|known| *known == word);
        index.map_or(0, |index| 1 << index)
    }
}

impl<T: Word> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        Self::of_bits(words.into_iter().fold(0, |bits, word| bits | Self::bit(word)))
    }
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Set<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Set<T> {}

impl<T: Word> Default for Set<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T: Word> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        T::ALL.iter().all(|word| self.contains(*word) == other.contains(*word))
    }
}

impl<T: Word> Eq for Set<T> {}

impl<T: Word> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Word::name)).finish()
    }
}

impl<'de, T: Word> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| read(name)).collect()
    }
}

fn read<T: Word, E: Error>(name: &str) -> Result<T, E> {
    T::named(name).ok_or_else(|| {
        let known: Vec<String> = T::ALL.iter().map(|word| format!("`{}`", word.name())).collect();
        E::custom(format!("unknown value `{name}`, expected one of {}", known.join(", ")))
    })
}

/// Enums whose variants have names in the files.
macro_rules! words {
    ($($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            $vis enum $name {
                $($(#[$variant_doc])* $variant,)*
            }

            impl Word for $name {
                const ALL: &'static [Self] = &[$(Self::$variant,)*];

                fn name(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)*
                    }
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    read(&String::deserialize(deserializer)?)
                }
            }
        )*
    };
}

words! {
    /// What goes into a model, or comes out of it.
    pub enum Modality {
        /// Text.
        Text = "text",
        /// Images.
        Image = "image",
        /// Documents, whose text Bedrock takes out for models that see nothing.
        Document = "document",
        /// Video.
        Video = "video",
        /// Audio, speech too.
        Audio = "audio",
        /// Vectors.
        Embedding = "embedding",
        /// The order of documents by how well they fit a query.
        Ranking = "ranking",
    }

    /// One of Bedrock's APIs, at the endpoint `bedrock-runtime`.
    pub enum Api {
        /// Converse and ConverseStream.
        Converse = "converse",
        /// InvokeModel and InvokeModelWithResponseStream.
        Invoke = "invoke",
        /// `/openai/v1/chat/completions`.
        OpenAi = "openai",
    }

    /// The form of InvokeModel's bodies.
    pub enum Shape {
        /// Anthropic's Messages.
        AnthropicMessages = "anthropic-messages",
        /// Claude 2's and Instant's text.
        AnthropicText = "anthropic-text",
        /// Titan's `inputText`.
        TitanText = "titan-text",
        /// Cohere Command's `prompt`.
        CohereCommand = "cohere-command",
        /// Cohere Command R's `message` and `chat_history`.
        CohereChat = "cohere-chat",
        /// AI21 Jurassic-2's `prompt`.
        Ai21J2 = "ai21-j2",
        /// AI21 Jamba's `messages`.
        Ai21Jamba = "ai21-jamba",
        /// Llama's `prompt` and `max_gen_len`.
        MetaLlama = "meta-llama",
        /// Mistral's `prompt`.
        MistralPrompt = "mistral-prompt",
        /// Mistral's `messages`.
        MistralChat = "mistral-chat",
        /// DeepSeek R1's `prompt`.
        DeepseekPrompt = "deepseek-prompt",
        /// Nova's `messages-v1`.
        Nova = "nova",
        /// OpenAI's chat completions.
        OpenaiChat = "openai-chat",
        /// An imported model's `prompt`, in the format that its row names.
        Imported = "imported",
        /// Amazon's `taskType` of images.
        AmazonImage = "amazon-image",
        /// Stable Diffusion XL's `text_prompts`.
        StableDiffusion = "stable-diffusion",
        /// The `prompt` of Stability AI's newer image models and services.
        StabilityImage = "stability-image",
    }

    /// What an image model can be asked to do.
    pub enum ImageTask {
        /// To make an image of a text.
        Generate = "generate",
        /// To change an image.
        Edit = "edit",
        /// To make others like an image.
        Vary = "vary",
    }

    /// The form of InvokeModel's bodies, of models that make vectors.
    pub enum VectorShape {
        /// Titan's `inputText` alone.
        Titan1 = "titan-1",
        /// Titan's `inputText` with `dimensions`.
        Titan2 = "titan-2",
        /// Titan's `inputText` and `inputImage`.
        TitanImage = "titan-image",
        /// Cohere's `texts` with `truncate` by `START` and `END`.
        Cohere3 = "cohere-3",
        /// Cohere's `texts` and `inputs` with `output_dimension`.
        Cohere4 = "cohere-4",
        /// Nova's `singleEmbeddingParams`.
        Nova = "nova",
        /// Marengo's `inputText`.
        Marengo2 = "marengo-2",
        /// Marengo's `text` and `text_image`.
        Marengo3 = "marengo-3",
    }

    /// How a conversation is written as one text.
    pub enum PromptFormat {
        /// `[INST]`, the system prompt within `<<SYS>>`.
        Llama2 = "llama2",
        /// Headers between `<|start_header_id|>` and `<|end_header_id|>`.
        Llama3 = "llama3",
        /// Headers between `<|header_start|>` and `<|header_end|>`.
        Llama4 = "llama4",
        /// `[INST]`, without a system prompt.
        Mistral = "mistral",
        /// DeepSeek R1's, which ends within a thought.
        DeepseekR1 = "deepseek-r1",
        /// `<|im_start|>`, as Qwen has it.
        Chatml = "chatml",
        /// Names of who speaks, and colons.
        Plain = "plain",
    }

    /// How far a model is in its life.
    pub enum Status {
        /// For everyone.
        Active = "active",
        /// For those who used it before.
        Legacy = "legacy",
        /// Gone.
        Retired = "retired",
    }

    /// How a model is told how hard to think, as the files have it.
    pub(crate) enum ThinkingKind {
        Untold = "none",
        Budget = "budget",
        Adaptive = "adaptive",
        Always = "always",
        Own = "own",
    }

    /// The field that takes an effort in a model's own way.
    pub(crate) enum EffortField {
        ReasoningConfig = "reasoningConfig",
        ReasoningEffort = "reasoning_effort",
    }

    /// What bedrock-wrapper writes around thoughts.
    pub(crate) enum ThinkingTag {
        Think = "think",
        Reasoning = "reasoning",
    }

    /// Which of `temperature` and `top_p` a model takes.
    pub(crate) enum Sampling {
        /// Both together.
        Both = "both",
        /// One of them.
        Either = "either",
        /// Neither, not even with the default value.
        Neither = "neither",
        /// Both, but only where `reasoning_effort` is `none`.
        WithoutThinking = "without_thinking",
    }

    /// Where `top_k` goes, which Converse has no member for.
    pub(crate) enum TopK {
        /// A field `top_k`.
        Field = "top_k",
        /// A field `k`.
        K = "k",
        /// `inferenceConfig.topK` within the additional fields.
        NovaInferenceConfig = "nova",
        /// Nowhere: the model refuses it.
        Nowhere = "none",
    }

    /// Whether a model can be made to call tools.
    pub(crate) enum ForcedTools {
        /// `any` and `tool`.
        AnyOrNamed = "named",
        /// `any`, not a certain one.
        Any = "any",
        /// Not at all, but `auto` may be said.
        Never = "auto",
        /// No `toolChoice` is taken, not even `auto`.
        Unsaid = "none",
    }

    /// OpenAI's parameters that some models take by OpenAI's name.
    pub(crate) enum Parameter {
        FrequencyPenalty = "frequency_penalty",
        PresencePenalty = "presence_penalty",
        Seed = "seed",
    }

    /// How long a prefix stays in the cache.
    pub(crate) enum Ttl {
        FiveMinutes = "5m",
        OneHour = "1h",
    }
}

impl Word for Effort {
    const ALL: &'static [Self] = &[
        Self::None,
        Self::Minimal,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Xhigh,
        Self::Max,
    ];

    fn name(self) -> &'static str {
        Self::name(self)
    }
}

impl Word for DocumentFormat {
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        Self::name(self)
    }
}
