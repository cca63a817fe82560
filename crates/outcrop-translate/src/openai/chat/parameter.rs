//! What becomes of the parameters that Converse has no member for: one table.

use outcrop_bedrock::json::Json;

/// What is done with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It can't change the meaning of an answer, so leaving it out needs no word.
    Ignore,
    /// It has a place of its own in the plan.
    Placed,
    /// It is left out, and a note says so, unless it has its default value.
    Drop {
        /// The value that asks for nothing, in JSON.
        neutral: &'static str,
    },
    /// It goes to the models that take it by OpenAI's name, and is otherwise dropped as above.
    PassToSome {
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
/// Names and defaults from OpenAI's API description, `CreateChatCompletionRequest`, read 2026-11; those of credentials
/// and routing from LiteLLM's document on Bedrock, read 2026-11.
pub(super) fn treatment(name: &str) -> Treatment {
    use Treatment::{Drop, Ignore, Pass, PassToSome, Placed, Refuse};
    let text_only = "answers are text";
    match name {
        // OpenAI's own book-keeping, and hints about its safety systems.
        "store" | "safety_identifier" => Ignore,
        // The name that tells nothing beyond the model's.
        "model_provider" => Ignore,
        "top_k" | "service_tier" => Placed,
        // Hints about speed and style: the answer stays an answer.
        "prediction" | "verbosity" | "moderation" => Drop { neutral: "null" },
        "logit_bias" => Drop { neutral: "{}" },
        // Best effort at OpenAI's as well.
        "seed" => PassToSome { neutral: "null" },
        "frequency_penalty" | "presence_penalty" => PassToSome { neutral: "0" },
        "logprobs" => Refuse {
            neutral: &["false"],
            advice: "Bedrock's models don't tell log probabilities",
        },
        "top_logprobs" => Refuse {
            neutral: &["0"],
            advice: "Bedrock's models don't tell log probabilities",
        },
        "modalities" => Refuse {
            neutral: &[r#"["text"]"#],
            advice: text_only,
        },
        "audio" => Refuse {
            neutral: &[],
            advice: text_only,
        },
        "web_search_options" => Refuse {
            neutral: &[],
            advice: "Bedrock's models don't search the web by themselves",
        },
        "functions" | "function_call" => Refuse {
            neutral: &[],
            advice: "it is deprecated; use 'tools' and 'tool_choice' instead",
        },
        // Whose account is asked, and where, is the operator's decision.
        "api_base"
        | "api_key"
        | "api_version"
        | "base_url"
        | "custom_llm_provider"
        | "endpoint_url"
        | "extra_headers"
        | "extra_query"
        | "modelId"
        | "model_id"
        | "region"
        | "region_name" => Refuse {
            neutral: &[],
            advice: OPERATORS_DECISION,
        },
        _ if name.starts_with("aws_") => Refuse {
            neutral: &[],
            advice: OPERATORS_DECISION,
        },
        _ => Pass,
    }
}

const OPERATORS_DECISION: &str = "credentials and routing are the gateway's own";

/// Whether `value` is `neutral` but for white space and the writing of numbers.
pub(super) fn is_neutral(value: &Json<'_>, neutral: &str) -> bool {
    let squeezed: String = value.as_str().split_ascii_whitespace().collect();
    squeezed == neutral || matches!((squeezed.parse::<f64>(), neutral.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}
