//! Answers of OpenAI's shape, as Converse's.

use outcrop_bedrock::converse::{ContentBlock, ConverseResponse, Extras, Reasoning, StopReason};
use outcrop_bedrock::json::{Fault, JsonText};

use super::super::thoughts::Piece;
use super::super::{ChunkReader, Sayings};
use super::calls::Calls;
use super::document::{Bit, Document};
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
