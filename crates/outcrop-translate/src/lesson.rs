//! What Bedrock's refusals teach about a model, so that the same request is not refused twice.
//!
//! New models appear before anyone has written down what they refuse. A refusal that names one field is a lesson: the
//! request is planned again without that field, and the next one is planned so from the start.

use std::fmt;

/// One thing that a model refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lesson {
    /// A parameter, by the client's name for it.
    Parameter(String),
    /// `temperature` together with `top_p`.
    SamplingTogether,
    /// A `toolChoice` that forces a call.
    ForcedTools,
    /// Any `toolChoice`.
    ToolChoice,
    /// `strict` tools.
    StrictTools,
    /// `outputConfig.textFormat`.
    StructuredOutput,
    /// Cache points.
    CachePoints,
    /// Cache points for an hour.
    CacheOneHour,
    /// A last message of the assistant's.
    Prefill,
    /// More stop sequences than this.
    StopSequences(usize),
    /// Tools in streams.
    ToolStreaming,
    /// System prompts.
    System,
    /// Images and documents in results of tools.
    MediaInResults,
    /// Results of tools and other content in one turn.
    MixedTurns,
    /// The switch for one tool at a time.
    OneToolAtATime,
    /// Thinking with a budget.
    ThinkingBudget,
    /// A budget below this many tokens.
    LeastThinkingBudget(u64),
    /// Thinking that is switched off.
    ThinkingOff,
    /// Adaptive thinking.
    ThinkingAdaptive,
    /// Being told how hard to think at all.
    Thinking,
    /// The question how many tokens were thoughts.
    ThinkingTokens,
    /// Its own earlier thoughts.
    Thoughts,
}

/// Words with which Bedrock and the models behind it refuse a field.
const REFUSING: [&str; 13] = [
    "not support",
    "n't support",
    "unsupported",
    "deprecated",
    "not permitted",
    "not allowed",
    "did not allow",
    "extraneous",
    "extra inputs",
    "unknown",
    "unexpected",
    "unrecognized",
    "must be unset",
];

/// A lesson, and whether it is one about the model or about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teaching {
    /// What is left out from now on.
    pub lesson: Lesson,
    /// Whether other requests to the model are planned by it too. A schema that can't be followed, or a cache point
    /// where none can stand, says nothing about other schemas and other places.
    pub is_lasting: bool,
}

impl Teaching {
    /// What a refusal of a request that had `parameters`, by the client's names, teaches; `None` if nothing about one
    /// field.
    pub fn of_refusal(message: &str, parameters: &[&str]) -> Option<Self> {
        let message = &without_values(message);
        let text = message.to_ascii_lowercase();
        let of_request = |lesson| {
            Some(Self {
                lesson,
                is_lasting: false,
            })
        };
        // A refusal repeats names that only the client has given, which may hold any words.
        let named = parameters
            .iter()
            .find(|name| !KNOWN_FIELDS.contains(name) && contains_word(&text, &name.to_ascii_lowercase()));
        if let Some(name) = named {
            let is_refused = REFUSING.iter().any(|word| text.contains(word));
            return is_refused.then(|| Self {
                lesson: Lesson::Parameter((*name).to_owned()),
                is_lasting: is_plain(name),
            });
        }
        if text.contains("thinking.") && text.contains("extra inputs") {
            // A member of `thinking` that is the client's own.
            return of_request(Lesson::Thinking);
        }
        if text.contains("output_config.format.schema") || text.contains("jsonschema") {
            return of_request(Lesson::StructuredOutput);
        }
        if text.contains("when tool_choice forces") {
            // While it thinks: without, it can be forced.
            return of_request(Lesson::ForcedTools);
        }
        if text.contains("tools.") && text.contains("schema") && text.contains("strict") {
            return of_request(Lesson::StrictTools);
        }
        let has_points = parameters.contains(&"cache_control");
        let is_misplaced = text.contains("cache_control")
            || text.contains("nothing available to cache")
            || text.contains("cachepoint")
            || text.contains(".type: field required");
        let lesson = Lesson::of_refusal(message, parameters);
        if has_points && is_misplaced && lesson.is_none() {
            return of_request(Lesson::CachePoints);
        }
        let lesson = lesson?;
        // A value that is refused, alone or beside another, says nothing about other values.
        let is_about_value = [
            "unsupported value",
            "supported values",
            "together with",
            "in combination",
        ];
        let is_lasting = match &lesson {
            Lesson::Parameter(name) => {
                !is_about_value.iter().any(|words| text.contains(words)) && !names_member_of(&text, name)
            }
            _ => true,
        };
        Some(Self { lesson, is_lasting })
    }
}

/// A refusal without the values that it quotes, which are the client's: `Value '…' at 'path'`.
fn without_values(message: &str) -> String {
    let mut kept = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once("Value '") {
        kept.push_str(before);
        rest = quoted.split_once("' at '").map_or("", |(_, after)| after);
    }
    kept + rest
}

/// Whether a refusal is about a member of the parameter `name`, not about all of it.
fn names_member_of(text: &str, name: &str) -> bool {
    let prefix = format!("{}.", name.to_ascii_lowercase());
    text.match_indices(&prefix).any(|(start, _)| {
        let next = text[start + prefix.len()..].chars().next();
        next.is_some_and(|letter| letter.is_ascii_alphabetic())
    })
}

/// Names of fields that the gateway itself gives, or knows.
const KNOWN_FIELDS: [&str; 18] = [
    "anthropic_beta",
    "cache_control",
    "frequency_penalty",
    "inferenceConfig",
    "logit_bias",
    "output_config",
    "presence_penalty",
    "reasoningConfig",
    "reasoning_config",
    "reasoning_effort",
    "seed",
    "service_tier",
    "stop",
    "temperature",
    "thinking",
    "tool_choice",
    "top_k",
    "top_p",
];

/// Whether a name is one that a model could know: what is remembered must not be any text.
fn is_plain(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Lesson {
    /// The lesson of a refusal of a request that had `parameters`, by the client's names; `None` if it teaches nothing
    /// about one field.
    pub fn of_refusal(message: &str, parameters: &[&str]) -> Option<Self> {
        let text = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().all(|word| text.contains(word));
        if let Some(lesson) = numbered(&text) {
            return Some(lesson);
        }
        if has(&["temperature", "top_p", "both"]) || has(&["temperature", "topp", "both"]) {
            return Some(Self::SamplingTogether);
        }
        if has(&["conversation must end with a user message"]) {
            return Some(Self::Prefill);
        }
        if has(&["tool result", "same turn"]) {
            return Some(Self::MixedTurns);
        }
        if !REFUSING.iter().any(|word| text.contains(word)) {
            return None;
        }
        for (word, lesson) in [
            ("prefill", Self::Prefill),
            ("ttl", Self::CacheOneHour),
            ("strict", Self::StrictTools),
        ] {
            if contains_word(&text, word) {
                return Some(lesson);
            }
        }
        let fixed: [(&[&str], Self); 20] = [
            (&["toolresult.content."], Self::MediaInResults),
            (&["tool result", "image"], Self::MediaInResults),
            (&["prompt caching"], Self::CachePoints),
            (&["cachepoint"], Self::CachePoints),
            (&["cache_control"], Self::CachePoints),
            (&["thinking.type", "\"enabled\""], Self::ThinkingBudget),
            (&["thinking.type.enabled"], Self::ThinkingBudget),
            (&["thinking.type", "\"disabled\""], Self::ThinkingOff),
            (&["thinking.type.disabled"], Self::ThinkingOff),
            (&["thinking.type", "\"adaptive\""], Self::ThinkingAdaptive),
            (&["reasoningcontent"], Self::Thoughts),
            (&["output_tokens_details"], Self::ThinkingTokens),
            (&["additionalmodelresponsefieldpaths"], Self::ThinkingTokens),
            (&["disable_parallel_tool_use"], Self::OneToolAtATime),
            (&["additionalmodelrequestfields.tool_choice"], Self::OneToolAtATime),
            (&["textformat"], Self::StructuredOutput),
            (&["output_config.format"], Self::StructuredOutput),
            (&["tool", "streaming"], Self::ToolStreaming),
            (&["system message"], Self::System),
            (&["system prompt"], Self::System),
        ];
        if let Some((_, lesson)) = fixed.into_iter().find(|(words, _)| has(words)) {
            return Some(lesson);
        }
        let after_choice = text.split_once("toolchoice").or_else(|| text.split_once("tool_choice"));
        if let Some((before, after)) = after_choice {
            let forced_next = after.starts_with(".any") || after.starts_with(".tool");
            let words = ["'any'", "\"any\"", "\"tool\"", "forc", "required"];
            let is_forced = forced_next || before.contains("forc") || words.iter().any(|word| after.contains(word));
            return Some(if is_forced { Self::ForcedTools } else { Self::ToolChoice });
        }
        if has(&["stop", "sequence"]) || text.contains("stopsequences") {
            return Some(Self::StopSequences(0));
        }
        if contains_word(&text, "effort") || contains_word(&text, "thinking") {
            return Some(Self::Thinking);
        }
        parameters
            .iter()
            .find(|name| spellings(name).any(|spelling| contains_word(&text, &spelling)))
            .map(|name| Self::Parameter((*name).to_owned()))
    }
}

/// Refusals that name a limit.
fn numbered(text: &str) -> Option<Lesson> {
    if text.contains("budget_tokens") && (text.contains("greater than or equal") || text.contains("at least")) {
        return number_after(text, &["equal to ", "at least "]).map(Lesson::LeastThinkingBudget);
    }
    if text.contains("stop sequences") && text.contains("limit of") {
        let most = number_after(text, &["limit of "])?;
        return usize::try_from(most).ok().map(Lesson::StopSequences);
    }
    None
}

fn number_after(text: &str, marks: &[&str]) -> Option<u64> {
    let rest = marks.iter().find_map(|mark| text.split_once(mark))?.1;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// The ways in which a refusal may write the name of a parameter: as the client does, and as Converse does.
fn spellings(name: &str) -> impl Iterator<Item = String> {
    let snake = name.to_ascii_lowercase();
    let joined = snake.replace('_', "");
    [snake, joined].into_iter()
}

/// Whether `word` stands in `text` as a word of its own.
fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

impl fmt::Display for Lesson {
    /// A short name, with which it is shown to clients and operators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Parameter(name) => return f.write_str(name),
            Self::StopSequences(0) => "stop",
            Self::StopSequences(most) => return write!(f, "stop>{most}"),
            Self::LeastThinkingBudget(least) => return write!(f, "thinking.budget_tokens<{least}"),
            Self::SamplingTogether => "temperature+top_p",
            Self::ForcedTools => "tool_choice=required",
            Self::ToolChoice => "tool_choice",
            Self::StrictTools => "tools.strict",
            Self::StructuredOutput => "response_format.json_schema",
            Self::CachePoints => "cache_control",
            Self::CacheOneHour => "cache_control.ttl=1h",
            Self::Prefill => "prefill",
            Self::ToolStreaming => "stream+tools",
            Self::System => "messages.system",
            Self::MediaInResults => "messages.tool.content",
            Self::MixedTurns => "messages.tool+user",
            Self::OneToolAtATime => "parallel_tool_calls=false",
            Self::ThinkingBudget => "thinking.type=enabled",
            Self::ThinkingOff => "thinking.type=disabled",
            Self::ThinkingAdaptive => "thinking.type=adaptive",
            Self::Thinking => "reasoning_effort",
            Self::ThinkingTokens => "completion_tokens_details",
            Self::Thoughts => "messages.thinking_blocks",
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_names_a_field_is_a_lesson() {
        let asked = ["temperature", "top_p", "top_k", "foo_bar"];
        let parameter = |name: &str| Lesson::Parameter(name.to_owned());
        for (message, lesson) in [
            (
                "The model returned the following errors: `temperature` is deprecated for this model.",
                parameter("temperature"),
            ),
            (
                "This model doesn't support the topP field. Remove topP and try again.",
                parameter("top_p"),
            ),
            ("foo_bar: Extra inputs are not permitted", parameter("foo_bar")),
            (
                "Malformed input request: #: extraneous key [top_k] is not permitted, please reformat your input",
                parameter("top_k"),
            ),
            (
                "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
                Lesson::SamplingTogether,
            ),
            (
                "You invoked an unsupported model or your request did not allow prompt caching.",
                Lesson::CachePoints,
            ),
            (
                "This model doesn't support the ttl 1h for cachePoint. Remove ttl and try again.",
                Lesson::CacheOneHour,
            ),
            (
                "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
                Lesson::ForcedTools,
            ),
            (
                "This model doesn't support the toolConfig.toolChoice field.",
                Lesson::ToolChoice,
            ),
            (
                "tools.0.custom.strict: Extra inputs are not permitted",
                Lesson::StrictTools,
            ),
            (
                "This model doesn't support the outputConfig.textFormat field. Remove it and try again.",
                Lesson::StructuredOutput,
            ),
            (
                "This model doesn't support tool use in streaming mode.",
                Lesson::ToolStreaming,
            ),
            (
                "This model does not support assistant message prefill. The conversation must end with a user message.",
                Lesson::Prefill,
            ),
            (
                "The number of stop sequences exceeds the model limit of 4. Try again with at most 4.",
                Lesson::StopSequences(4),
            ),
            (
                "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
                Lesson::StopSequences(0),
            ),
            (
                "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\".",
                Lesson::ThinkingBudget,
            ),
            (
                "thinking.type: \"disabled\" is not supported for this model.",
                Lesson::ThinkingOff,
            ),
            (
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 2048",
                Lesson::LeastThinkingBudget(2048),
            ),
        ] {
            assert_eq!(Lesson::of_refusal(message, &asked), Some(lesson), "{message}");
        }
    }

    #[test]
    fn what_a_client_makes_up_teaches_nothing_about_the_model() {
        for name in [
            "system prompt",
            "x temperature x",
            "my stop sequence",
            "textformat!",
            "budget_tokens at least 99",
        ] {
            let message = format!("{name}: Extra inputs are not permitted");
            let teaching = Teaching::of_refusal(&message, &["temperature", "stop", name]).unwrap();
            assert_eq!(teaching.lesson, Lesson::Parameter(name.to_owned()));
            assert!(!teaching.is_lasting, "{name}");
        }
        let teaching = Teaching::of_refusal("thinking.enabled.foo: Extra inputs are not permitted", &["thinking"]);
        assert!(!teaching.unwrap().is_lasting);
        let teaching = Teaching::of_refusal("foo_bar: Extra inputs are not permitted", &["foo_bar"]).unwrap();
        assert!(teaching.is_lasting);
    }

    #[test]
    fn a_refusal_of_something_else_is_none() {
        for message in [
            "Input is too long for requested model.",
            "The provided model identifier is invalid.",
            "messages.1.content.0: `tool_use` ids were found without `tool_result` blocks",
            "Invocation of model ID x with on-demand throughput isn't supported. Retry with an inference profile.",
            "bar: Extra inputs are not permitted",
            "",
        ] {
            assert_eq!(Lesson::of_refusal(message, &["temperature"]), None, "{message}");
        }
    }
}
