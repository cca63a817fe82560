//! What becomes of the parameters that Converse has no member for: one table.

use outcrop_bedrock::json::Json;

/// What is done with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It can't change the meaning of an answer, so leaving it out needs no word.
    Ignore,
    /// It is left out, and a note says so, unless it has its default value.
    Drop {
        /// The value that asks for nothing, in JSON.
        neutral: &'static str,
    },
    /// An answer without it would be wrong, so a request that sets it is refused.
    Refuse {
        /// The values that ask for nothing, in JSON.
        neutral: &'static [&'static str],
        /// What to do instead, in words for the client.
        advice: &'static str,
    },
    /// It isn't OpenAI's: it goes to the model as it stands.
    Pass,
}

/// The treatment of the parameter `name`.
///
/// Names and defaults from OpenAI's API description, `CreateChatCompletionRequest`, read 2026-11.
pub(super) fn treatment(name: &str) -> Treatment {
    use Treatment::{Drop, Ignore, Pass, Refuse};
    let not_yet = "it is not supported yet";
    match name {
        // OpenAI's own book-keeping, and hints about its caches and safety systems.
        "store" | "safety_identifier" | "prompt_cache_key" | "prompt_cache_retention" | "prompt_cache_options" => {
            Ignore
        }
        // Hints about speed and style: the answer stays an answer.
        "prediction" | "verbosity" | "moderation" => Drop { neutral: "null" },
        "service_tier" => Drop { neutral: "\"auto\"" },
        "reasoning_effort" => Drop { neutral: "\"none\"" },
        "parallel_tool_calls" => Drop { neutral: "true" },
        // Best effort at OpenAI's as well.
        "seed" => Drop { neutral: "null" },
        "frequency_penalty" | "presence_penalty" => Drop { neutral: "0" },
        "logit_bias" => Drop { neutral: "{}" },
        // The name that tells nothing beyond the model's.
        "model_provider" => Ignore,
        "logprobs" => Refuse {
            neutral: &["false"],
            advice: "Bedrock's models don't tell log probabilities",
        },
        "top_logprobs" => Refuse {
            neutral: &["0"],
            advice: "Bedrock's models don't tell log probabilities",
        },
        "response_format" => Refuse {
            neutral: &[r#"{"type":"text"}"#],
            advice: not_yet,
        },
        "modalities" => Refuse {
            neutral: &[r#"["text"]"#],
            advice: "answers are text",
        },
        "audio" => Refuse {
            neutral: &[],
            advice: "answers are text",
        },
        "web_search_options" => Refuse {
            neutral: &[],
            advice: "Bedrock's models don't search the web by themselves",
        },
        "functions" | "function_call" => Refuse {
            neutral: &[],
            advice: "it is deprecated; use 'tools' and 'tool_choice' instead",
        },
        _ => Pass,
    }
}

/// Whether `value` is `neutral` but for white space and the writing of numbers.
pub(super) fn is_neutral(value: &Json<'_>, neutral: &str) -> bool {
    let squeezed: String = value.as_str().split_ascii_whitespace().collect();
    squeezed == neutral || matches!((squeezed.parse::<f64>(), neutral.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}
