//! `reasoning_effort`, and Anthropic's `thinking`, in each family's own words.

use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, Message, Role};
use outcrop_bedrock::json::{Json, JsonText};

use super::super::request::{self, ChatRequest};
use crate::catalogue::{Set, Thinking, Traits};
use crate::effort::Effort;
use crate::notes::Notes;

/// The tokens of which a budget is a share where the client sets no limit. All models that take budgets write at least
/// 32,000 tokens (Anthropic's model overview, read 2026-11).
const DEFAULT_MAX_TOKENS: u64 = 16_384;

/// The budget for thoughts that are asked for by asking to see them.
const SHOWN_BUDGET: u64 = 16_000;

/// Where Claude tells how many of its tokens were thoughts.
const THINKING_TOKENS: &str = "/usage/output_tokens_details";

/// What a request says of thinking, once it is placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// Whether thinking forbids some other parameters.
    pub(super) restricts: bool,
    /// Whether the model thinks because it was told so.
    pub(super) is_on: bool,
}

/// Tells the model how hard to think. `thinks` is whether the model's name wants it to.
pub(super) fn place<'a>(
    request: &ChatRequest<'a>,
    thinks: bool,
    max_tokens: Option<u64>,
    traits: &Traits,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) -> Placed {
    let placed = match (&request.thinking, request.reasoning_effort) {
        (Some(thinking), effort) => {
            if effort.is_some() {
                notes.lose("reasoning_effort", "dropped", "thinking-set");
            }
            place_thinking(thinking, traits, converse, notes)
        }
        (None, Some(effort)) => place_effort(effort, max_tokens, traits, converse, notes),
        (None, None) if request.include_thinking_data => {
            place_shown("include_thinking_data", max_tokens, traits, converse, notes)
        }
        (None, None) if thinks => place_shown("name-of-model", max_tokens, traits, converse, notes),
        (None, None) => Placed::default(),
    };
    if (placed.is_on || traits.thinks_unasked) && traits.reports_thinking_tokens {
        converse
            .additional_model_response_field_paths
            .push(JsonText::encode(THINKING_TOKENS));
    }
    placed
}

fn place_effort(
    effort: Effort,
    max_tokens: Option<u64>,
    traits: &Traits,
    converse: &mut ConverseRequest<'_>,
    notes: &mut Notes,
) -> Placed {
    const NAME: &str = "reasoning_effort";
    if traits.has_refused(NAME) {
        notes.lose(NAME, "dropped", "refused-by-model");
        return Placed::default();
    }
    match traits.thinking {
        Thinking::Untold => {
            if effort != Effort::None {
                notes.lose(NAME, "dropped", "unsupported-by-model");
            }
            Placed::default()
        }
        Thinking::Budget => {
            if effort == Effort::None {
                return Placed::default();
            }
            if lacks_thoughts(&converse.messages) {
                notes.lose(NAME, "dropped", "history-lacks-thinking_blocks");
                return Placed::default();
            }
            let Some(budget) = effort.budget(max_tokens.unwrap_or(DEFAULT_MAX_TOKENS), traits.least_thinking_budget)
            else {
                notes.lose(NAME, "dropped", "max_tokens-too-small");
                return Placed::default();
            };
            push_field(converse, "thinking", budget_of(budget));
            Placed {
                restricts: true,
                is_on: true,
            }
        }
        Thinking::Adaptive { can_be_off } => {
            if effort == Effort::None && can_be_off {
                // The newest think unless they are told not to.
                push_field(
                    converse,
                    "thinking",
                    Json::object(|object| object.field("type", "disabled")),
                );
                return Placed::default();
            }
            if effort < Effort::Low {
                let reason = if can_be_off {
                    "least-of-model"
                } else {
                    "model-always-thinks"
                };
                notes.lose(NAME, "low", reason);
            }
            place_adaptive(effort.max(Effort::Low), converse);
            Placed {
                restricts: false,
                is_on: true,
            }
        }
        Thinking::NovaConfig(efforts) => place_nova(effort, efforts, converse, notes),
        Thinking::Effort(_) => match effort_word(effort, traits, notes) {
            None => Placed::default(),
            Some(word) => {
                push_field(converse, NAME, Json::encode(&JsonText::encode(word)));
                Placed {
                    restricts: false,
                    is_on: true,
                }
            }
        },
    }
}

/// The model's own word for an effort; `None` where it is left out.
pub(super) fn effort_word(effort: Effort, traits: &Traits, notes: &mut Notes) -> Option<&'static str> {
    const NAME: &str = "reasoning_effort";
    let Thinking::Effort(efforts) = traits.thinking else {
        return Some(effort.name());
    };
    let word = nearest(effort, efforts);
    if effort == Effort::None && word != Effort::None {
        if traits.thinks_unasked {
            notes.lose(NAME, "dropped", "model-always-thinks");
        }
        return None;
    }
    if word != effort {
        notes.lose(NAME, word.name(), "nearest-of-model");
    }
    Some(word.name())
}

fn budget_of(tokens: u64) -> Json<'static> {
    Json::object(|object| {
        object.field("type", "enabled");
        object.field("budget_tokens", &tokens);
    })
}

/// bedrock-wrapper's users ask for thoughts by asking to see them: a budget of 16,000 tokens, at most 80 % of
/// `max_tokens` (its sources, read 2026-11). Models that think anyhow need no word. `reason` is who asks.
fn place_shown(
    reason: &str,
    max_tokens: Option<u64>,
    traits: &Traits,
    converse: &mut ConverseRequest<'_>,
    notes: &mut Notes,
) -> Placed {
    match traits.thinking {
        Thinking::Budget if !lacks_thoughts(&converse.messages) => {
            let most = max_tokens.map_or(SHOWN_BUDGET, |max_tokens| max_tokens.saturating_mul(80) / 100);
            let budget = SHOWN_BUDGET.min(most).max(traits.least_thinking_budget);
            if max_tokens.is_some_and(|max_tokens| budget >= max_tokens) {
                notes.lose("thinking", "dropped", "max_tokens-too-small");
                return Placed::default();
            }
            notes.add("thinking", "enabled", reason);
            push_field(converse, "thinking", budget_of(budget));
            Placed {
                restricts: true,
                is_on: true,
            }
        }
        Thinking::Adaptive { .. } => {
            notes.add("thinking", "adaptive", reason);
            place_adaptive(Effort::Medium, converse);
            Placed {
                restricts: false,
                is_on: true,
            }
        }
        Thinking::NovaConfig(efforts) => {
            notes.add("thinking", "enabled", reason);
            place_nova(Effort::Medium, efforts, converse, notes)
        }
        _ => Placed::default(),
    }
}

/// Adaptive thinking shows its text only where that is asked for.
fn place_adaptive(effort: Effort, converse: &mut ConverseRequest<'_>) {
    let thinking = Json::object(|object| {
        object.field("type", "adaptive");
        object.field("display", "summarized");
    });
    push_field(converse, "thinking", thinking);
    converse.output_config.effort = Some(effort.name());
}

/// Nova 2 takes three efforts; with the highest, the tokens and the sampling must be its own.
fn place_nova(effort: Effort, efforts: Set<Effort>, converse: &mut ConverseRequest<'_>, notes: &mut Notes) -> Placed {
    const NAME: &str = "reasoning_effort";
    if effort == Effort::None {
        return Placed::default();
    }
    let word = nearest(effort, efforts);
    if word != effort {
        notes.lose(NAME, word.name(), "nearest-of-model");
    }
    let config = Json::object(|object| {
        object.field("type", "enabled");
        object.field("maxReasoningEffort", word.name());
    });
    push_field(converse, "reasoningConfig", config);
    if word == Effort::High {
        let sampling = &mut converse.inference_config;
        for (name, is_set) in [
            ("temperature", sampling.temperature.take().is_some()),
            ("top_p", sampling.top_p.take().is_some()),
            ("max_tokens", sampling.max_tokens.take().is_some()),
        ] {
            if is_set {
                notes.lose(name, "dropped", "refused-with-high-effort");
            }
        }
    }
    Placed {
        restricts: false,
        is_on: true,
    }
}

/// Anthropic's words pass as they stand, unless the model takes only others.
fn place_thinking<'a>(
    thinking: &request::Thinking<'a>,
    traits: &Traits,
    converse: &mut ConverseRequest<'a>,
    notes: &mut Notes,
) -> Placed {
    // Newer models of Claude know only one of the names.
    let name = match traits.thinking {
        Thinking::Budget | Thinking::Adaptive { .. } => "thinking",
        _ => thinking.name,
    };
    if traits.has_refused(name) {
        notes.lose(name, "dropped", "refused-by-model");
        return Placed::default();
    }
    let kind = thinking.kind.as_deref();
    match (kind, traits.thinking) {
        (Some("enabled"), Thinking::Adaptive { .. }) => {
            notes.lose(name, "adaptive", "model-takes-no-budget");
            place_adaptive(effort_of(thinking), converse);
            return Placed {
                restricts: false,
                is_on: true,
            };
        }
        (Some("disabled"), Thinking::Adaptive { can_be_off: false }) => {
            notes.lose(name, "dropped", "model-always-thinks");
            return Placed::default();
        }
        (Some("enabled"), Thinking::Budget) if lacks_thoughts(&converse.messages) => {
            notes.lose(name, "dropped", "history-lacks-thinking_blocks");
            return Placed::default();
        }
        (Some("adaptive"), Thinking::Budget) if !traits.takes_adaptive => {
            notes.lose(name, "enabled", "model-takes-budgets-only");
            let max_tokens = converse.inference_config.max_tokens;
            return place_effort(Effort::High, max_tokens, traits, converse, notes);
        }
        // It asks for what is so anyhow, of models that refuse the very word.
        (Some("disabled"), Thinking::Untold | Thinking::NovaConfig(_)) => return Placed::default(),
        (Some("enabled" | "adaptive"), Thinking::NovaConfig(efforts)) => {
            notes.lose(name, "reasoningConfig", "model-takes-no-budget");
            return place_nova(effort_of(thinking), efforts, converse, notes);
        }
        (Some(kind), Thinking::Effort(_)) if !traits.takes_signed_thoughts => {
            notes.lose(name, "reasoning_effort", "model-takes-no-budget");
            let effort = if kind == "disabled" {
                Effort::None
            } else {
                effort_of(thinking)
            };
            return place_effort(effort, None, traits, converse, notes);
        }
        (Some("enabled" | "adaptive"), Thinking::Untold) => {
            notes.lose(name, "dropped", "unsupported-by-model");
            return Placed::default();
        }
        _ => {}
    }
    let is_on = matches!(kind, Some("enabled" | "adaptive"));
    let json = match thinking.budget_tokens.filter(|_| kind == Some("enabled")) {
        Some(asked) => match fit_budget(asked, converse, traits) {
            Some(budget) if budget == asked => thinking.json.clone(),
            Some(budget) => {
                notes.lose("thinking.budget_tokens", &budget.to_string(), "out-of-range");
                budget_of(budget)
            }
            None => {
                notes.lose(name, "dropped", "max_tokens-too-small");
                return Placed::default();
            }
        },
        None => thinking.json.clone(),
    };
    push_field(converse, name, json);
    Placed {
        // Up to Claude 4.6, in either form; later ones refuse those parameters anyhow, or take them all.
        restricts: is_on && !matches!(traits.thinking, Thinking::Adaptive { .. }),
        is_on,
    }
}

/// The budget that comes next to `asked`: not below the model's least, and below `maxTokens`, but where thinking is
/// interleaved with calls of tools and the budget is that of all thoughts together. `None` where there is no room.
fn fit_budget(asked: u64, converse: &ConverseRequest<'_>, traits: &Traits) -> Option<u64> {
    let budget = asked.max(traits.least_thinking_budget);
    let is_interleaved = converse
        .additional_model_request_fields
        .iter()
        .any(|(name, value)| name == "anthropic_beta" && value.as_str().contains("interleaved-thinking"));
    match converse.inference_config.max_tokens {
        Some(max_tokens) if !is_interleaved && budget >= max_tokens => {
            let most = max_tokens.saturating_sub(1);
            (most >= traits.least_thinking_budget).then_some(most)
        }
        _ => Some(budget),
    }
}

/// The effort that comes next to what is asked for.
fn effort_of(thinking: &request::Thinking<'_>) -> Effort {
    thinking.budget_tokens.map_or(Effort::High, Effort::of_budget)
}

/// Whether the assistant waits for results of calls that it made without, as far as the client kept it, a thought. A
/// model that thinks with a budget refuses to go on from there.
fn lacks_thoughts(messages: &[Message<'_>]) -> bool {
    let [.., asking, answering] = messages else {
        return false;
    };
    let answers = |block: &ContentBlock<'_>| matches!(block, ContentBlock::ToolResult(_));
    asking.role == Role::Assistant
        && answering.content.iter().any(answers)
        && !matches!(asking.content.first(), Some(ContentBlock::Reasoning(_)))
}

fn push_field<'a>(converse: &mut ConverseRequest<'a>, name: &'static str, value: Json<'a>) {
    converse.additional_model_request_fields.push((name.into(), value));
}

/// The word that comes next to `effort`, rather a stronger than a weaker one.
fn nearest(effort: Effort, efforts: Set<Effort>) -> Effort {
    let at_least = efforts.iter().find(|known| *known >= effort);
    at_least.or(efforts.iter().last()).unwrap_or(Effort::Medium)
}
