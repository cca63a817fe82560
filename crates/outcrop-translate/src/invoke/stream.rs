//! A streamed answer of `InvokeModelWithResponseStream`: frames that hold chunks in base64.

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::converse::{Event, Extras, StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, Json, Kind, Reader};

use super::sayings::{Said, Sayings};
use super::{ChunkReader, Family};
use crate::unread::Unread;

/// Where Bedrock tells, in the last chunk of any model, what the call cost.
const METRICS: &str = "amazon-bedrock-invocationMetrics";
/// Where Bedrock tells, in any chunk, that a guardrail has stepped in.
const GUARDRAIL_ACTION: &str = "amazon-bedrock-guardrailAction";
/// Where Bedrock tells what the guardrail did.
const TRACE: &str = "amazon-bedrock-trace";

/// One streamed answer.
#[derive(Debug)]
pub(crate) struct InvokeStream {
    chunks: Box<dyn ChunkReader>,
    said: Said,
    trace: Option<Json<'static>>,
    intervened: bool,
    /// Whether Bedrock has told what the call cost, which it does at the end.
    is_metered: bool,
    /// Whether the end may come without a reason.
    ends_untold: bool,
}

impl InvokeStream {
    pub(crate) fn new(family: &dyn Family) -> Self {
        Self {
            chunks: family.chunks(),
            said: Said::default(),
            trace: None,
            intervened: false,
            is_metered: false,
            ends_untold: family.ends_untold(),
        }
    }

    /// Reads the payload of a frame named `name`.
    ///
    /// # Errors
    /// When it is not what Bedrock sends, or tells of an error.
    pub(crate) fn read(&mut self, name: &str, payload: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Unread> {
        if name != "chunk" {
            // Newer than this version.
            return Ok(());
        }
        let mut encoded = None;
        Reader::document(payload, |reader| {
            reader.object(|member, reader| match member {
                "bytes" => reader.string().map(|text| encoded = Some(text)),
                _ => reader.skip(),
            })
        })?;
        let chunk = encoded
            .and_then(Base64::parse)
            .map(|base64| base64.decode())
            .ok_or_else(|| Fault::shape("a chunk holds no base64"))?;
        if let Some(error) = Unread::error_of(&chunk) {
            return Err(error);
        }
        let mut said = Sayings::new(&mut self.said, sink);
        self.chunks.read(&chunk, &mut said)?;
        // Members of Bedrock's own stand beside the model's; few chunks have them.
        if std::str::from_utf8(&chunk).is_ok_and(|chunk| chunk.contains("amazon-bedrock-")) {
            let of_bedrock = OfBedrock::read(&chunk)?;
            if let Some(usage) = of_bedrock.usage {
                said.metrics(usage);
                self.is_metered = true;
            }
            self.intervened |= of_bedrock.intervened;
            self.trace = of_bedrock.trace.or(self.trace.take());
        }
        Ok(())
    }

    /// The stream is over. Whether the answer is whole.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        let mut said = Sayings::new(&mut self.said, sink);
        self.chunks.finish(&mut said);
        // Metrics come with what was cut short, too: they are no reason, unless nobody tells one.
        if self.is_metered && self.ends_untold && said.has_begun() && !said.has_stopped() {
            said.stop(StopReason::EndTurn);
        }
        if self.intervened && (self.is_metered || said.has_stopped()) {
            said.stop(StopReason::GuardrailIntervened);
        }
        said.end(Extras {
            trace: self.trace.take(),
            ..Extras::default()
        })
    }
}

/// What Bedrock itself adds to a model's answer.
#[derive(Debug, Default)]
pub(super) struct OfBedrock {
    usage: Option<TokenUsage>,
    pub(super) intervened: bool,
    pub(super) trace: Option<Json<'static>>,
}

impl OfBedrock {
    /// Reads it from a whole answer or a chunk.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let mut found = Self::default();
        Reader::document(body, |reader| {
            reader.object(|member, reader| match member {
                METRICS if reader.kind()? == Kind::Object => {
                    let mut usage = TokenUsage::default();
                    reader.object(|member, reader| {
                        let slot = match member {
                            "inputTokenCount" => &mut usage.input_tokens,
                            "outputTokenCount" => &mut usage.output_tokens,
                            "cacheReadInputTokenCount" => &mut usage.cache_read_input_tokens,
                            "cacheWriteInputTokenCount" => &mut usage.cache_write_input_tokens,
                            _ => return reader.skip(),
                        };
                        *slot = reader.nullable(Reader::count)?.unwrap_or(0);
                        Ok(())
                    })?;
                    found.usage = Some(usage);
                    Ok(())
                }
                GUARDRAIL_ACTION if reader.kind()? == Kind::String => {
                    found.intervened = reader.string()? == "INTERVENED";
                    Ok(())
                }
                TRACE => reader.json().map(|trace| found.trace = Some(trace.into_owned())),
                _ => reader.skip(),
            })
        })?;
        Ok(found)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
