//! The events of `ConverseStream`.

use super::content::SERVER_TOOL_USE;
use super::response::{Extras, StopReason};
use super::usage::TokenUsage;
use crate::json::{Fault, JsonText, Reader};

/// An event. Texts are slices of its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The assistant begins.
    MessageStart,
    /// A block begins; blocks of text begin without.
    ContentBlockStart {
        /// Number of the block, over all kinds of blocks.
        index: u64,
        /// What begins.
        start: BlockStart<'a>,
    },
    /// A block goes on.
    ContentBlockDelta {
        /// Number of the block.
        index: u64,
        /// The new part.
        delta: Delta<'a>,
    },
    /// A block ends.
    ContentBlockStop {
        /// Number of the block.
        index: u64,
    },
    /// The message ends.
    MessageStop {
        /// Why.
        stop_reason: StopReason,
        /// What else is told.
        extras: Extras<'a>,
    },
    /// What it cost; the last event.
    Metadata {
        /// The tokens.
        usage: TokenUsage,
        /// What else is told.
        extras: Extras<'a>,
    },
    /// An event that is newer than this version.
    Unknown,
}

/// What kind of block begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockStart<'a> {
    /// A call of a tool.
    ToolUse {
        /// Ties the result to the call.
        id: JsonText<'a>,
        /// Name of the tool.
        name: JsonText<'a>,
    },
    /// A kind that this version has no name for.
    Other,
}

/// The new part of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta<'a> {
    /// Text.
    Text(JsonText<'a>),
    /// A piece of the JSON of a tool's arguments.
    ToolUseInput(JsonText<'a>),
    /// Readable thoughts.
    ReasoningText(JsonText<'a>),
    /// Proof for the model that the thoughts are its own.
    ReasoningSignature(JsonText<'a>),
    /// Thoughts that only the model can read, in base64.
    ReasoningRedacted(JsonText<'a>),
    /// A kind that this version has no name for.
    Other,
}

impl Delta<'_> {
    /// About how many bytes of what the model wrote it has.
    pub fn text_bytes(&self) -> u64 {
        match self {
            Self::Text(text) | Self::ToolUseInput(text) | Self::ReasoningText(text) | Self::ReasoningRedacted(text) => {
                text.inner().len() as u64
            }
            Self::ReasoningSignature(_) | Self::Other => 0,
        }
    }

    /// Whether it belongs to a block of reasoning.
    pub fn is_thought(&self) -> bool {
        matches!(
            self,
            Self::ReasoningText(_) | Self::ReasoningSignature(_) | Self::ReasoningRedacted(_)
        )
    }
}

impl<'a> Event<'a> {
    /// Reads the event `event_type` from its payload.
    ///
    /// # Errors
    /// When the payload is not what the service model says.
    pub fn parse(event_type: &str, payload: &'a [u8]) -> Result<Self, Fault> {
        match event_type {
            "contentBlockDelta" => Reader::document(payload, read_delta),
            "contentBlockStart" => Reader::document(payload, read_start),
            "contentBlockStop" => Reader::document(payload, |reader| {
                let mut index = 0;
                reader.object(|member, reader| match member {
                    "contentBlockIndex" => reader.count().map(|count| index = count),
                    _ => reader.skip(),
                })?;
                Ok(Self::ContentBlockStop { index })
            }),
            "messageStart" => Ok(Self::MessageStart),
            "messageStop" => Reader::document(payload, |reader| {
                let (mut stop_reason, mut extras) = (None, Extras::default());
                reader.object(|member, reader| match member {
                    "stopReason" => reader
                        .string()
                        .map(|name| stop_reason = Some(StopReason::from_name(&name))),
                    _ => extras.read_member(member, reader),
                })?;
                let stop_reason = stop_reason.ok_or_else(|| Fault::shape("messageStop lacks its reason"))?;
                Ok(Self::MessageStop { stop_reason, extras })
            }),
            "metadata" => Reader::document(payload, |reader| {
                let (mut usage, mut extras) = (TokenUsage::default(), Extras::default());
                reader.object(|member, reader| match member {
                    "usage" => TokenUsage::read(reader).map(|read| usage = read),
                    _ => extras.read_member(member, reader),
                })?;
                let usage = extras.complete(usage);
                Ok(Self::Metadata { usage, extras })
            }),
            _ => Ok(Self::Unknown),
        }
    }
}

fn read_start<'a>(reader: &mut Reader<'a>) -> Result<Event<'a>, Fault> {
    let (mut index, mut start) = (0, BlockStart::Other);
    reader.object(|member, reader| match member {
        "contentBlockIndex" => reader.count().map(|count| index = count),
        "start" => reader.object(|member, reader| {
            if member != "toolUse" {
                return reader.skip();
            }
            let (mut id, mut name, mut is_server_side) = (None, None, false);
            reader.object(|member, reader| match member {
                "toolUseId" => reader.text().map(|text| id = Some(text)),
                "name" => reader.text().map(|text| name = Some(text)),
                "type" => reader.string().map(|kind| is_server_side = kind == SERVER_TOOL_USE),
                _ => reader.skip(),
            })?;
            if is_server_side {
                return Ok(());
            }
            let (Some(id), Some(name)) = (id, name) else {
                return Err(Fault::shape("a tool use lacks its id or name"));
            };
            start = BlockStart::ToolUse { id, name };
            Ok(())
        }),
        _ => reader.skip(),
    })?;
    Ok(Event::ContentBlockStart { index, start })
}

fn read_delta<'a>(reader: &mut Reader<'a>) -> Result<Event<'a>, Fault> {
    let (mut index, mut delta) = (0, Delta::Other);
    reader.object(|member, reader| match member {
        "contentBlockIndex" => reader.count().map(|count| index = count),
        "delta" => reader.object(|member, reader| match member {
            "text" => reader.text().map(|text| delta = Delta::Text(text)),
            "toolUse" => reader.object(|member, reader| match member {
                "input" => reader.text().map(|text| delta = Delta::ToolUseInput(text)),
                _ => reader.skip(),
            }),
            "reasoningContent" => reader.object(|member, reader| {
                let kind = match member {
                    "text" => Delta::ReasoningText,
                    "signature" => Delta::ReasoningSignature,
                    "redactedContent" => Delta::ReasoningRedacted,
                    _ => return reader.skip(),
                };
                delta = kind(reader.text()?);
                Ok(())
            }),
            _ => reader.skip(),
        }),
        _ => reader.skip(),
    })?;
    Ok(Event::ContentBlockDelta { index, delta })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_keeps_its_text_as_it_stood() {
        let payload = br#"{"contentBlockIndex":3,"delta":{"text":"a\n\u00e9"},"p":"abc"}"#;
        let Event::ContentBlockDelta {
            index: 3,
            delta: Delta::Text(text),
        } = Event::parse("contentBlockDelta", payload).unwrap()
        else {
            panic!("not a delta of text");
        };
        assert_eq!(text.token(), r#""a\n\u00e9""#);
    }

    #[test]
    fn what_is_newer_than_this_version_is_no_error() {
        assert_eq!(Event::parse("somethingNew", b"{}").unwrap(), Event::Unknown);
        let delta = Event::parse(
            "contentBlockDelta",
            br#"{"contentBlockIndex":0,"delta":{"citation":{"x":1}}}"#,
        );
        assert!(matches!(
            delta.unwrap(),
            Event::ContentBlockDelta {
                delta: Delta::Other,
                ..
            }
        ));
    }

    #[test]
    fn a_payload_of_another_shape_is_an_error() {
        for (name, payload) in [
            ("contentBlockDelta", "[]"),
            ("contentBlockDelta", r#"{"delta":{"text":1}}"#),
            ("messageStop", "{}"),
            ("messageStop", "not json"),
            ("contentBlockStart", r#"{"start":{"toolUse":{"name":"x"}}}"#),
        ] {
            assert!(Event::parse(name, payload.as_bytes()).is_err(), "{name} {payload}");
        }
    }
}
