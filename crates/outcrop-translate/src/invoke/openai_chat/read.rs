//! Answers of OpenAI's shape, as Converse's.

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Extras, Reasoning, StopReason, TokenUsage};
use outcrop_bedrock::json::{Fault, JsonText, Kind, Reader};

use super::super::thoughts::Piece;
use super::super::{ChunkReader, Sayings};
use super::calls::{CallPart, Calls};
use super::tags::Tags;

/// Reads a whole answer; `has_tags` says whether thoughts may stand in the text.
pub(in crate::invoke) fn reply(body: &[u8], has_tags: bool) -> Result<ConverseResponse<'_>, Fault> {
    let document = Document::read(body)?;
    let choice = document
        .choice
        .ok_or_else(|| Fault::shape("the reply lacks its choices"))?;
    let mut content = Content::new(has_tags);
    if let Some(thoughts) = choice.thoughts {
        content.push(Piece::Thought(thoughts.into_decoded().into_owned()));
    }
    for bit in choice.content {
        match bit {
            Bit::Thought(text) => content.push(Piece::Thought(text.into_decoded().into_owned())),
            Bit::Text(text) => content.push_text(&text.decoded()),
        }
    }
    content.finish_text();
    let is_refusal = choice.refusal.is_some();
    if let Some(text) = choice.refusal {
        content.push(Piece::Text(text.into_decoded().into_owned()));
    }
    let mut blocks = content.blocks();
    let has_calls = !choice.calls.is_empty();
    for (number, call) in choice.calls.into_iter().enumerate() {
        blocks.push(ContentBlock::ToolUse(call.into_whole(number)?));
    }
    let reason = choice.reason.unwrap_or(StopReason::EndTurn);
    Ok(ConverseResponse {
        content: blocks,
        stop_reason: stop_reason(reason, has_calls, is_refusal),
        usage: document.usage,
        extras: Extras::default(),
    })
}

/// Texts and thoughts in their order, neighbours of one kind joined.
struct Content {
    tags: Option<Tags>,
    pieces: Vec<Piece>,
}

impl Content {
    fn new(has_tags: bool) -> Self {
        Self {
            tags: has_tags.then(Tags::default),
            pieces: Vec::new(),
        }
    }

    fn push_text(&mut self, text: &str) {
        let pieces = match &mut self.tags {
            Some(tags) => tags.push(text),
            None => vec![Piece::Text(text.to_owned())],
        };
        pieces.into_iter().for_each(|piece| self.push(piece));
    }

    fn finish_text(&mut self) {
        if let Some(piece) = self.tags.as_mut().and_then(Tags::finish) {
            self.push(piece);
        }
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (_, Piece::Text(more) | Piece::Thought(more)) if more.is_empty() => {}
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (Some(Piece::Thought(text)), Piece::Thought(more)) => text.push_str(&more),
            (_, piece) => self.pieces.push(piece),
        }
    }

    fn blocks<'a>(self) -> Vec<ContentBlock<'a>> {
        let blocks = self.pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => ContentBlock::Text(JsonText::encode(&text)),
            Piece::Thought(text) => ContentBlock::Reasoning(Reasoning::Text {
                text: JsonText::encode(&text),
                signature: None,
            }),
        });
        blocks.collect()
    }
}

/// Some servers say `stop` where tools are called, or where the model refuses.
fn stop_reason(reason: StopReason, has_calls: bool, is_refusal: bool) -> StopReason {
    match reason {
        StopReason::EndTurn if has_calls => StopReason::ToolUse,
        StopReason::EndTurn if is_refusal => StopReason::ContentFiltered,
        reason => reason,
    }
}

/// An answer, or a chunk of one.
#[derive(Default)]
struct Document<'a> {
    choice: Option<Choice<'a>>,
    usage: TokenUsage,
}

impl<'a> Document<'a> {
    fn read(document: &'a [u8]) -> Result<Self, Fault> {
        let (mut read, mut error) = (Self::default(), None);
        Reader::document(document, |reader| {
            reader.object(|member, reader| match member {
                "choices" if reader.kind()? == Kind::Array => reader.array(|reader| {
                    let choice = Choice::read(reader)?;
                    // One is asked for; other numbers would be others' answers.
                    if choice.index == 0 && read.choice.is_none() {
                        read.choice = Some(choice);
                    }
                    Ok(())
                }),
                "usage" => read_usage(reader).map(|usage| read.usage = usage),
                "error" if reader.kind()? == Kind::Object => reader.object(|member, reader| match member {
                    "message" => reader
                        .nullable(Reader::string)
                        .map(|text| error = Some(text.unwrap_or_default().into_owned())),
                    _ => reader.skip(),
                }),
                _ => reader.skip(),
            })
        })?;
        match error {
            Some(message) if message.is_empty() => Err(Fault::shape("the model failed")),
            Some(message) => Err(Fault::shape(message)),
            None => Ok(read),
        }
    }
}

fn read_usage(reader: &mut Reader<'_>) -> Result<TokenUsage, Fault> {
    let mut usage = TokenUsage::default();
    if reader.kind()? != Kind::Object {
        return reader.skip().map(|()| usage);
    }
    reader.object(|member, reader| {
        let slot = match member {
            "prompt_tokens" => &mut usage.input_tokens,
            "completion_tokens" => &mut usage.output_tokens,
            "prompt_tokens_details" if reader.kind()? == Kind::Object => {
                return reader.object(|member, reader| match member {
                    "cached_tokens" => {
                        usage.cache_read_input_tokens = reader.nullable(Reader::count)?.unwrap_or(0);
                        Ok(())
                    }
                    _ => reader.skip(),
                });
            }
            _ => return reader.skip(),
        };
        *slot = reader.nullable(Reader::count)?.unwrap_or(0);
        Ok(())
    })?;
    // OpenAI counts what was cached among the prompt's tokens, Bedrock doesn't.
    usage.input_tokens = usage.input_tokens.saturating_sub(usage.cache_read_input_tokens);
    Ok(usage)
}

/// A choice, whole or its new part.
#[derive(Default)]
struct Choice<'a> {
    index: u64,
    thoughts: Option<JsonText<'a>>,
    content: Vec<Bit<'a>>,
    refusal: Option<JsonText<'a>>,
    calls: Vec<CallPart<'a>>,
    reason: Option<StopReason>,
}

/// A bit of the content, in its order.
enum Bit<'a> {
    Thought(JsonText<'a>),
    Text(JsonText<'a>),
}

impl<'a> Choice<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut choice, mut stop_reason) = (Self::default(), None);
        reader.object(|member, reader| {
            match member {
                "index" => choice.index = reader.nullable(Reader::count)?.unwrap_or(0),
                "message" | "delta" if reader.kind()? == Kind::Object => choice.read_message(reader)?,
                "finish_reason" if reader.kind()? == Kind::String => choice.reason = Some(read_reason(reader)?),
                // Mistral's word; servers of other models put a stop sequence here, beside the reason.
                "stop_reason" if reader.kind()? == Kind::String => stop_reason = Some(read_reason(reader)?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        choice.reason = choice.reason.or(stop_reason);
        Ok(choice)
    }

    fn read_message(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (mut reasoning_content, mut reasoning) = (None, None);
        reader.object(|member, reader| {
            match (member, reader.kind()?) {
                ("content", Kind::String) => self.content.push(Bit::Text(reader.text()?)),
                ("content", Kind::Array) => reader.array(|reader| self.read_part(reader))?,
                ("reasoning_content", Kind::String) => reasoning_content = Some(reader.text()?),
                ("reasoning", Kind::String) => reasoning = Some(reader.text()?),
                ("refusal", Kind::String) => {
                    self.refusal = Some(reader.text()?).filter(|text| !text.inner().is_empty());
                }
                ("tool_calls", Kind::Array) => self.calls = reader.list(CallPart::read)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        // Servers that are about to rename the one send both, with the same text.
        let is_said = |text: &JsonText<'_>| !text.inner().is_empty();
        self.thoughts = reasoning_content.filter(is_said).or(reasoning.filter(is_said));
        Ok(())
    }

    /// A part of content that is a list: text, or thoughts as Magistral has them.
    fn read_part(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Object {
            return reader.skip();
        }
        reader.object(|member, reader| {
            match (member, reader.kind()?) {
                ("text", Kind::String) => self.content.push(Bit::Text(reader.text()?)),
                ("thinking", Kind::String) => self.content.push(Bit::Thought(reader.text()?)),
                ("thinking", Kind::Array) => reader.array(|reader| {
                    if reader.kind()? != Kind::Object {
                        return reader.skip();
                    }
                    reader.object(|member, reader| match (member, reader.kind()?) {
                        ("text", Kind::String) => {
                            self.content.push(Bit::Thought(reader.text()?));
                            Ok(())
                        }
                        _ => reader.skip(),
                    })
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })
    }
}

fn read_reason(reader: &mut Reader<'_>) -> Result<StopReason, Fault> {
    Ok(match reader.string()?.as_ref() {
        "stop" => StopReason::EndTurn,
        "length" | "model_length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::ContentFiltered,
        name => StopReason::from_name(name),
    })
}

/// Reads a stream.
#[derive(Debug)]
pub(in crate::invoke) struct Chunks {
    /// Tells thoughts from text, where they stand in one.
    tags: Option<Tags>,
    calls: Calls,
    /// A delta of a refusal came.
    refused: bool,
}

impl Chunks {
    /// A reader; `has_tags` says whether thoughts may stand in the text.
    pub(in crate::invoke) fn new(has_tags: bool) -> Self {
        Self {
            tags: has_tags.then(Tags::default),
            calls: Calls::default(),
            refused: false,
        }
    }

    fn say_text(&mut self, text: JsonText<'_>, said: &mut Sayings<'_>) {
        match &mut self.tags {
            Some(tags) => tags
                .push(&text.decoded())
                .into_iter()
                .for_each(|piece| say(piece, said)),
            None => said.text(text),
        }
    }

    fn say_held_back(&mut self, said: &mut Sayings<'_>) {
        if let Some(piece) = self.tags.as_mut().and_then(Tags::finish) {
            say(piece, said);
        }
    }
}

fn say(piece: Piece, said: &mut Sayings<'_>) {
    match piece {
        Piece::Text(text) => said.text(JsonText::encode(&text)),
        Piece::Thought(text) => said.thought(JsonText::encode(&text)),
    }
}

impl ChunkReader for Chunks {
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault> {
        let document = Document::read(chunk)?;
        said.usage(document.usage);
        let Some(choice) = document.choice else {
            return Ok(());
        };
        if let Some(text) = choice.thoughts {
            said.thought(text);
        }
        for bit in choice.content {
            match bit {
                Bit::Thought(text) => said.thought(text),
                Bit::Text(text) => self.say_text(text, said),
            }
        }
        if let Some(text) = choice.refusal {
            self.say_held_back(said);
            self.refused = true;
            said.text(text);
        }
        if !choice.calls.is_empty() {
            self.say_held_back(said);
        }
        for call in choice.calls {
            self.calls.say(call, said)?;
        }
        if let Some(reason) = choice.reason {
            said.stop(stop_reason(reason, self.calls.have_begun(), self.refused));
        }
        Ok(())
    }

    fn finish(&mut self, said: &mut Sayings<'_>) {
        self.say_held_back(said);
    }
}
