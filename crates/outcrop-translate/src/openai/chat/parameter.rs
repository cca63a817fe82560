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
        // LiteLLM's switches for what is done here anyhow.
        "drop_params" | "modify_params" => Ignore,
        // Whether an answer may be one that was given before: the server's business.
        "cache" => Ignore,
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

/// Why a parameter that chooses an account or a way to it is refused, if it is one.
pub(in crate::openai) fn operators_decision(name: &str) -> Option<&'static str> {
    match treatment(name) {
        Treatment::Refuse { advice, .. } if advice == OPERATORS_DECISION => Some(advice),
        _ => None,
    }
}

/// Whether `value` is `neutral` but for white space and the writing of numbers.
pub(super) fn is_neutral(value: &Json<'_>, neutral: &str) -> bool {
    let squeezed: String = value.as_str().split_ascii_whitespace().collect();
    squeezed == neutral || matches!((squeezed.parse::<f64>(), neutral.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../../docs/chat-completions.md");
    const SOURCE: &str = include_str!("parameter.rs");

    /// The names in the table above: all that is quoted at the beginning of an arm.
    fn names() -> Vec<&'static str> {
        let arms = SOURCE
            .split_once("match name {")
            .and_then(|(_, rest)| rest.split_once("_ => Pass,"))
            .map_or("", |(arms, _)| arms);
        arms.lines()
            .map(str::trim)
            .filter(|line| line.starts_with('"') || line.starts_with("| "))
            .flat_map(|line| {
                line.split("=>")
                    .next()
                    .unwrap_or_default()
                    .split('"')
                    .skip(1)
                    .step_by(2)
            })
            .collect()
    }

    #[test]
    fn each_parameter_of_the_table_is_on_the_page() {
        assert!(names().len() > 25, "{:?}", names());
        for name in names() {
            assert!(PAGE.contains(&format!("`{name}`")), "{name} is missing");
        }
    }

    #[test]
    fn the_page_says_what_becomes_of_openais_parameters() {
        let rows = PAGE
            .split_once("### OpenAI's")
            .and_then(|(_, rest)| rest.split_once("### Beyond"))
            .map_or("", |(rows, _)| rows);
        let rows: Vec<(&str, &str)> = rows
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter_map(|(name, rest)| Some((name, rest.split_once(" |")?.0)))
            .collect();
        assert_eq!(rows.len(), 37, "parameters of CreateChatCompletionRequest, 2026-11");
        for (name, told) in rows {
            let is_told_so = match treatment(name) {
                Treatment::Ignore => told == "ignored",
                Treatment::Drop { .. } => told == "dropped",
                Treatment::PassToSome { .. } => told == "passed or dropped",
                Treatment::Refuse { .. } => told == "refused",
                // Those are read into fields of their own.
                Treatment::Placed | Treatment::Pass => told == "translated" || told == "adapted",
            };
            assert!(is_told_so, "{name} is not '{told}'");
        }
    }
}
