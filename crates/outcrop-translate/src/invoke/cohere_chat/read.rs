//! Cohere's answers, as Converse's.

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Extras, StopReason, TokenUsage, ToolUse};
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::super::call_id::call_id;
use super::super::{ChunkReader, Sayings};

/// Reads a whole answer.
pub(super) fn reply(body: &[u8]) -> Result<ConverseResponse<'_>, Fault> {
    let answer = Reader::document(body, Answer::read)?;
    if answer.text.is_none() && answer.calls.is_empty() && answer.finish_reason.is_none() {
        return Err(Fault::shape("the reply lacks its text"));
    }
    let stop_reason = stop_reason(answer.finish_reason.as_deref(), !answer.calls.is_empty())?;
    let text = answer.text.filter(|text| !text.inner().is_empty());
    let mut content: Vec<ContentBlock<'_>> = text.map(ContentBlock::Text).into_iter().collect();
    let calls = answer.calls.into_iter().enumerate();
    content.extend(calls.map(|(number, call)| {
        ContentBlock::ToolUse(ToolUse {
            id: call_id(number, &call.name.decoded()),
            name: call.name,
            input: call.parameters,
        })
    }));
    Ok(ConverseResponse {
        content,
        stop_reason,
        usage: answer.usage,
        extras: Extras::default(),
    })
}

/// Why the model stopped. Calls come with `COMPLETE`, as any other answer.
fn stop_reason(name: Option<&str>, has_calls: bool) -> Result<StopReason, Fault> {
    Ok(match name {
        None | Some("COMPLETE") if has_calls => StopReason::ToolUse,
        None | Some("COMPLETE") => StopReason::EndTurn,
        Some("MAX_TOKENS") => StopReason::MaxTokens,
        Some("STOP_SEQUENCE") => StopReason::StopSequence,
        Some("ERROR_TOXIC") => StopReason::ContentFiltered,
        Some("ERROR_LIMIT") => StopReason::ModelContextWindowExceeded,
        Some("ERROR") => return Err(Fault::shape("the model failed")),
        Some(name) => StopReason::from_name(name),
    })
}

/// A whole answer; in a stream, what the events `tool-calls-generation` and `stream-end` hold.
#[derive(Default)]
struct Answer<'a> {
    text: Option<JsonText<'a>>,
    calls: Vec<Call<'a>>,
    finish_reason: Option<String>,
    usage: TokenUsage,
}

/// A call of a tool, which has no id.
struct Call<'a> {
    name: JsonText<'a>,
    parameters: Json<'a>,
}

impl<'a> Answer<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut answer = Self::default();
        reader.object(|member, reader| answer.read_member(member, reader))?;
        Ok(answer)
    }

    fn read_member(&mut self, member: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match member {
            "text" => self.text = reader.nullable(Reader::text)?,
            "tool_calls" if reader.kind()? == Kind::Array => self.calls = reader.list(Call::read)?,
            "finish_reason" => {
                let reason = reader.nullable(Reader::string)?;
                self.finish_reason = reason.map(|reason| reason.into_owned());
            }
            "meta" if reader.kind()? == Kind::Object => self.usage = read_usage(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    }
}

impl<'a> Call<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut name, mut parameters) = (None, None);
        reader.object(|member, reader| {
            match member {
                "name" => name = Some(reader.text()?),
                "parameters" => parameters = reader.nullable(Reader::json)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(Self {
            name: name.ok_or_else(|| Fault::shape("a call lacks its name"))?,
            parameters: parameters.unwrap_or(Json::EMPTY_OBJECT),
        })
    }
}

/// Tokens, where the answer tells them; those that were billed, where it tells no others.
fn read_usage(reader: &mut Reader<'_>) -> Result<TokenUsage, Fault> {
    let (mut counted, mut billed) = (TokenUsage::default(), TokenUsage::default());
    reader.object(|member, reader| {
        let usage = match (member, reader.kind()?) {
            ("tokens", Kind::Object) => &mut counted,
            ("billed_units", Kind::Object) => &mut billed,
            _ => return reader.skip(),
        };
        reader.object(|member, reader| {
            let slot = match member {
                "input_tokens" => &mut usage.input_tokens,
                "output_tokens" => &mut usage.output_tokens,
                _ => return reader.skip(),
            };
            *slot = reader.nullable(Reader::count)?.unwrap_or(0);
            Ok(())
        })
    })?;
    Ok(if counted == TokenUsage::default() {
        billed
    } else {
        counted
    })
}

/// Reads a stream.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Whether text was said; later events repeat it.
    has_text: bool,
    /// How many calls were said; later events repeat them.
    calls: usize,
}

impl Chunks {
    /// Says what earlier events haven't said.
    fn say(&mut self, text: Option<JsonText<'_>>, calls: Vec<Call<'_>>, said: &mut Sayings<'_>) {
        if let Some(text) = text.filter(|_| !self.has_text) {
            self.has_text = !text.inner().is_empty();
            said.text(text);
        }
        if self.calls > 0 {
            return;
        }
        for call in calls {
            let key = self.calls as u64;
            said.call(key, call_id(self.calls, &call.name.decoded()), call.name);
            said.arguments(key, JsonText::encode(call.parameters.as_str()));
            said.end_block(key);
            self.calls += 1;
        }
    }
}

impl ChunkReader for Chunks {
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
        let (mut kind, mut answer, mut whole) = (None, Answer::default(), Answer::default());
        Reader::document(chunk, |reader| {
            reader.object(|member, reader| match member {
                "event_type" => reader.string().map(|name| kind = Some(name)),
                "response" if reader.kind()? == Kind::Object => Answer::read(reader).map(|read| whole = read),
                _ => answer.read_member(member, reader),
            })
        })?;
        match kind.as_deref() {
            // The model's plan comes in pieces, then its calls, whole.
            Some("text-generation" | "tool-calls-chunk") => {
                if let Some(text) = answer.text {
                    self.has_text |= !text.inner().is_empty();
                    said.text(text);
                }
            }
            Some("tool-calls-generation") => self.say(answer.text, answer.calls, said),
            Some("stream-end") => {
                self.say(whole.text, whole.calls, said);
                said.usage(whole.usage);
                let reason = answer.finish_reason.or(whole.finish_reason);
                said.stop(stop_reason(reason.as_deref(), self.calls > 0)?);
            }
            // stream-start, citations, searches, and what is newer than this version.
            _ => {}
        }
        Ok(())
    }
}
