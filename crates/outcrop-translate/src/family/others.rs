//! The families that differ in little: a row each.

use super::{ForcedTools, Sampling, Thinking, TopK, Traits, UNKNOWN};

/// OpenAI's parameters that models with an API like OpenAI's take in Converse's additional fields.
const OPENAI_LIKE: &[&str] = &["frequency_penalty", "presence_penalty", "seed"];

/// A row: what ids begin with, and the traits.
type Row = (&'static [&'static str], fn() -> Traits);

/// The first row with a beginning of the id counts.
///
/// From bedrock-wrapper's README (stop sequences), bedrock-access-gateway's and LiteLLM's sources and issues, and
/// users' reports, collected 2026-11.
const ROWS: &[Row] = &[
    (&["meta.llama3-3-70b"], || Traits {
        tool_streaming: false,
        ..llama()
    }),
    (
        &[
            "meta.llama3-8b",
            "meta.llama3-70b",
            "meta.llama3-2-1b",
            "meta.llama3-2-3b",
            "meta.llama2",
        ],
        || Traits {
            tools: false,
            ..llama()
        },
    ),
    (&["meta.llama4"], || Traits {
        mixed_turns: true,
        ..llama()
    }),
    (&["meta.llama"], llama),
    (&["deepseek.r1"], || Traits {
        top_k: TopK::Nowhere,
        thinking: Thinking::Untold,
        stop_sequences: 10,
        tools: false,
        forced_tools: ForcedTools::Unsaid,
        structured_output: false,
        ..plain()
    }),
    (&["deepseek."], || Traits {
        structured_output: true,
        ..plain()
    }),
    (&["openai.gpt-oss"], || Traits {
        thinks_unasked: true,
        thinking_tag: "reasoning",
        openai_parameters: OPENAI_LIKE,
        ..plain()
    }),
    (&["openai.gpt-6-astra", "openai.gpt-6.1-sol"], || Traits {
        thinking: Thinking::Effort(&["minimal", "low", "medium", "high", "xhigh"]),
        ..gpt()
    }),
    (&["openai."], gpt),
    (&["xai.grok"], || Traits {
        // Its penalties end in a 503, and `none` is an effort that it refuses.
        openai_parameters: &["seed"],
        ..plain()
    }),
    (
        &[
            "mistral.mistral-7b",
            "mistral.mixtral",
            "cohere.command-text",
            "cohere.command-light",
            "ai21.j2",
        ],
        || Traits {
            stop_sequences: 4,
            system: false,
            tools: false,
            forced_tools: ForcedTools::Unsaid,
            thinking: Thinking::Untold,
            ..plain()
        },
    ),
    (
        &["mistral.ministral", "mistral.mistral-large-3", "mistral.voxtral"],
        || Traits {
            structured_output: true,
            ..mistral()
        },
    ),
    (&["mistral.mistral-large-24", "mistral.mistral-small-24"], || Traits {
        forced_tools: ForcedTools::Any,
        mixed_turns: false,
        ..mistral()
    }),
    (&["mistral."], mistral),
    (&["cohere.command-r"], || Traits {
        top_k: TopK::Field("k"),
        stop_sequences: 4,
        forced_tools: ForcedTools::Never,
        openai_parameters: OPENAI_LIKE,
        thinking: Thinking::Untold,
        ..plain()
    }),
    (&["ai21.jamba"], || Traits {
        top_k: TopK::Nowhere,
        openai_parameters: &["frequency_penalty", "presence_penalty"],
        thinking: Thinking::Untold,
        ..plain()
    }),
    (
        &[
            "qwen.",
            "minimax.",
            "moonshot.",
            "moonshotai.",
            "zai.",
            "nvidia.nemotron-3",
        ],
        || Traits {
            structured_output: true,
            openai_parameters: OPENAI_LIKE,
            ..plain()
        },
    ),
    (&["google.gemma", "nvidia.", "writer."], || Traits {
        thinking: Thinking::Untold,
        ..plain()
    }),
];

/// The traits of the models of the rows; `None` for others.
pub(super) fn traits(id: &str) -> Option<Traits> {
    ROWS.iter()
        .find(|(beginnings, _)| beginnings.iter().any(|beginning| id.starts_with(beginning)))
        .map(|(_, traits)| traits())
}

#[cfg(test)]
pub(super) fn beginnings() -> impl Iterator<Item = &'static str> {
    ROWS.iter().flat_map(|(beginnings, _)| beginnings.iter().copied())
}

/// What all but Claude and Nova have in common: nothing is cached or signed, and no tool is strict.
fn plain() -> Traits {
    Traits {
        takes_signed_thoughts: false,
        media_in_results: false,
        strict_tools: false,
        structured_output: false,
        closed_schemas: false,
        cache: None,
        ..UNKNOWN
    }
}

fn llama() -> Traits {
    Traits {
        top_k: TopK::Nowhere,
        thinking: Thinking::Untold,
        stop_sequences: 0,
        forced_tools: ForcedTools::Unsaid,
        mixed_turns: false,
        ..plain()
    }
}

fn mistral() -> Traits {
    Traits {
        stop_sequences: 10,
        thinking: Thinking::Untold,
        ..plain()
    }
}

/// OpenAI's closed models: the smallest answer has 16 tokens.
fn gpt() -> Traits {
    Traits {
        sampling: Sampling::WithoutThinking,
        thinking: Thinking::Effort(&["none", "minimal", "low", "medium", "high", "xhigh"]),
        structured_output: true,
        counts_cached_input_twice: true,
        least_max_tokens: 16,
        ..plain()
    }
}
