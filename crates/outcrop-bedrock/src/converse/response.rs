//! The whole reply of `Converse`.

use super::content::{ContentBlock, Reasoning};
use super::event::{BlockStart, Delta, Event};
use super::usage::{Served, ServiceTier, TokenUsage};
use crate::json::{Fault, Json, JsonText, Kind, Reader};

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConverseResponse<'a> {
    /// What the assistant said.
    pub content: Vec<ContentBlock<'a>>,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// What it cost.
    pub usage: TokenUsage,
    /// What else is told of the call.
    pub extras: Extras<'a>,
}

/// What a reply tells besides the message; in a stream, with its last events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras<'a> {
    /// Fields of the model's own answer that were asked for.
    pub additional_model_response_fields: Option<Json<'a>>,
    /// What a guardrail or a prompt router did.
    pub trace: Option<Json<'a>>,
    /// The service tier that served the call.
    pub service_tier: Option<JsonText<'a>>,
    /// A `PerformanceConfiguration`.
    pub performance_config: Option<Json<'a>>,
}

impl<'a> Extras<'a> {
    /// Reads a member of a reply or an event, if it is one of these.
    pub(super) fn read_member(&mut self, member: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match member {
            "additionalModelResponseFields" => self.additional_model_response_fields = reader.nullable(Reader::json)?,
            "trace" => self.trace = reader.nullable(Reader::json)?,
            "performanceConfig" => self.performance_config = reader.nullable(Reader::json)?,
            "serviceTier" => reader
                .nullable(|reader| {
                    reader.object(|member, reader| match member {
                        "type" => reader.text().map(|tier| self.service_tier = Some(tier)),
                        _ => reader.skip(),
                    })
                })
                .map(drop)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    /// How the call was served: what isn't told is as usual.
    pub fn served(&self) -> Served {
        let tier = self.service_tier.as_ref();
        Served {
            tier: tier.map_or(ServiceTier::Default, |tier| ServiceTier::from_name(&tier.decoded())),
            is_latency_optimized: self.performance_config.as_ref().is_some_and(is_optimized),
        }
    }

    /// The usage with what else bears on its cost: how the call was served, and what of the output was thoughts.
    #[must_use]
    pub(super) fn complete(&self, mut usage: TokenUsage) -> TokenUsage {
        if let Some(thoughts) = self.thinking_tokens() {
            usage.reasoning_tokens = thoughts;
        }
        usage.served = self.served();
        usage
    }

    /// How many of the output tokens were thoughts, where the model was asked and told it.
    pub fn thinking_tokens(&self) -> Option<u64> {
        let fields = self.additional_model_response_fields.as_ref()?;
        let mut found = None;
        // Bedrock nests what a pointer finds; how deep is not documented.
        let _ = fields.read(|reader| find_thinking_tokens(reader, &mut found));
        found
    }
}

fn find_thinking_tokens(reader: &mut Reader<'_>, found: &mut Option<u64>) -> Result<(), Fault> {
    if reader.kind()? != Kind::Object {
        return reader.skip();
    }
    reader.object(|member, reader| match member {
        "thinking_tokens" | "reasoning_tokens" => reader.count().map(|count| *found = Some(count)),
        _ => find_thinking_tokens(reader, found),
    })
}

fn is_optimized(config: &Json<'_>) -> bool {
    let mut found = false;
    // What isn't as the service model has it says nothing.
    let _ = config.read(|reader| {
        reader.object(|member, reader| match member {
            "latency" => reader.string().map(|latency| found = latency == "optimized"),
            _ => reader.skip(),
        })
    });
    found
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// `end_turn`
    EndTurn,
    /// `tool_use`
    ToolUse,
    /// `max_tokens`
    MaxTokens,
    /// `stop_sequence`
    StopSequence,
    /// `guardrail_intervened`
    GuardrailIntervened,
    /// `content_filtered`
    ContentFiltered,
    /// `malformed_model_output`
    MalformedModelOutput,
    /// `malformed_tool_use`
    MalformedToolUse,
    /// `model_context_window_exceeded`
    ModelContextWindowExceeded,
    /// A reason that is newer than this version.
    Other(String),
}

impl StopReason {
    /// The reason of a name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "end_turn" => Self::EndTurn,
            "tool_use" => Self::ToolUse,
            "max_tokens" => Self::MaxTokens,
            "stop_sequence" => Self::StopSequence,
            "guardrail_intervened" => Self::GuardrailIntervened,
            "content_filtered" => Self::ContentFiltered,
            "malformed_model_output" => Self::MalformedModelOutput,
            "malformed_tool_use" => Self::MalformedToolUse,
            "model_context_window_exceeded" => Self::ModelContextWindowExceeded,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl<'a> ConverseResponse<'a> {
    /// Reads a whole reply.
    ///
    /// # Errors
    /// When the body is not what Converse answers.
    pub fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let (mut content, mut stop_reason, mut usage) = (None, None, TokenUsage::default());
        let mut extras = Extras::default();
        Reader::document(body, |reader| {
            reader.object(|member, reader| match member {
                "output" => reader.object(|member, reader| match member {
                    "message" => reader.object(|member, reader| {
                        if member == "content" {
                            content = Some(reader.list(ContentBlock::read)?);
                            return Ok(());
                        }
                        reader.skip()
                    }),
                    _ => reader.skip(),
                }),
                "stopReason" => {
                    stop_reason = Some(StopReason::from_name(&reader.string()?));
                    Ok(())
                }
                "usage" => {
                    usage = TokenUsage::read(reader)?;
                    Ok(())
                }
                _ => extras.read_member(member, reader),
            })
        })?;
        let (Some(content), Some(stop_reason)) = (content, stop_reason) else {
            return Err(Fault::shape("the reply lacks its message or stop reason"));
        };
        Ok(Self {
            content,
            stop_reason,
            usage: extras.complete(usage),
            extras,
        })
    }

    /// The events of which a stream of this reply would be made.
    pub fn into_events(self) -> Vec<Event<'a>> {
        let mut events = vec![Event::MessageStart];
        for (index, block) in (0_u64..).zip(self.content) {
            let mut deltas = Vec::new();
            match block {
                ContentBlock::Text(text) => deltas.push(Delta::Text(text)),
                ContentBlock::ToolUse(tool_use) => {
                    let start = BlockStart::ToolUse {
                        id: tool_use.id,
                        name: tool_use.name,
                    };
                    events.push(Event::ContentBlockStart { index, start });
                    deltas.push(Delta::ToolUseInput(JsonText::encode(tool_use.input.as_str())));
                }
                ContentBlock::Reasoning(Reasoning::Text { text, signature }) => {
                    deltas.push(Delta::ReasoningText(text));
                    deltas.extend(signature.map(Delta::ReasoningSignature));
                }
                ContentBlock::Reasoning(Reasoning::Redacted(bytes)) => deltas.push(Delta::ReasoningRedacted(bytes)),
                _ => deltas.push(Delta::Other),
            }
            events.extend(
                deltas
                    .into_iter()
                    .map(|delta| Event::ContentBlockDelta { index, delta }),
            );
            events.push(Event::ContentBlockStop { index });
        }
        let Extras {
            additional_model_response_fields,
            trace,
            service_tier,
            performance_config,
        } = self.extras;
        events.push(Event::MessageStop {
            stop_reason: self.stop_reason,
            extras: Extras {
                additional_model_response_fields,
                ..Extras::default()
            },
        });
        events.push(Event::Metadata {
            usage: self.usage,
            extras: Extras {
                additional_model_response_fields: None,
                trace,
                service_tier,
                performance_config,
            },
        });
        events
    }
}
