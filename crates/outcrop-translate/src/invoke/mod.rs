//! `InvokeModel`: the models' own bodies, to and from Converse.
//!
//! A body shape is one file with one [`Family`]: it writes a Converse request as the model's own body, reads the model's
//! whole answer as Converse's, and its chunks as Converse's events. So a client can't tell by the answer which of the two
//! APIs Bedrock was asked by, and no client protocol knows these shapes.

mod ai21_j2;
mod ai21_jamba;
mod anthropic;
mod anthropic_text;
mod call_id;
mod cohere_chat;
mod cohere_command;
mod completion;
mod deepseek_prompt;
mod extras;
mod imported;
mod meta_llama;
mod mistral_chat;
mod mistral_prompt;
mod nova;
mod openai_chat;
mod prompt;
mod sayings;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_chat;
mod text_only;
mod thoughts;
mod titan_text;
mod unplaced;

use std::fmt::Debug;

use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ConverseRequest, ConverseResponse};
use outcrop_bedrock::json::Fault;

use crate::catalogue::{MediaSupport, PromptFormat, Shape, Traits, Word as _};
use crate::notes::Notes;
use crate::problem::Problem;
use prompt::RAW;

pub(crate) use ai21_j2::Ai21J2;
pub(crate) use ai21_jamba::Ai21Jamba;
pub(crate) use anthropic::AnthropicMessages;
pub(crate) use anthropic_text::AnthropicText;
pub(crate) use cohere_chat::CohereChat;
pub(crate) use cohere_command::CohereCommand;
pub(crate) use deepseek_prompt::DeepSeekPrompt;
pub(crate) use extras::{headers, reply, write_additional_fields};
pub(crate) use imported::Imported;
pub(crate) use meta_llama::MetaLlama;
pub(crate) use mistral_chat::MistralChat;
pub(crate) use mistral_prompt::MistralPrompt;
pub(crate) use nova::Nova;
pub(crate) use openai_chat::OpenAiChat;
pub(crate) use sayings::Sayings;
pub(crate) use stream::InvokeStream;
pub(crate) use thoughts::{Piece, Splitter};
pub(crate) use titan_text::TitanText;

/// A shape of bodies that several models share.
pub(crate) trait Family: Debug + Sync {
    /// Writes the request. What the shape has no place for is noted as lost, or refused where an answer without it would
    /// be wrong.
    ///
    /// # Errors
    /// When the request holds what these models can't take at all.
    fn body(&self, ask: &Ask<'_, '_>, notes: &mut Notes) -> Result<CallBody, Problem>;

    /// Changes what is known of a model to what it takes by this body, where that differs from Converse.
    fn adapt(&self, _traits: &mut Traits) {}

    /// Reads a whole answer. Its usage is zero where the body tells none: the reply's headers tell it.
    ///
    /// # Errors
    /// When the body is not what the model answers.
    fn reply<'a>(&self, body: &'a [u8]) -> Result<ConverseResponse<'a>, Fault>;

    /// The shape for a request whose last turn is the beginning of the answer, where such answers are read otherwise.
    fn going_on(&self) -> Option<&'static dyn Family> {
        None
    }

    /// Whether a streamed answer may be whole without a reason to stop, once Bedrock tells what it cost. Of other shapes,
    /// such an answer was cut short.
    fn ends_untold(&self) -> bool {
        false
    }

    /// A reader of one streamed answer.
    fn chunks(&self) -> Box<dyn ChunkReader>;
}

/// Reads the chunks of one streamed answer.
pub(crate) trait ChunkReader: Debug + Send {
    /// Reads a chunk, which is one JSON document, and says what it says.
    ///
    /// # Errors
    /// When it is not what the model sends.
    fn read(&mut self, chunk: &[u8], said: &mut Sayings<'_>) -> Result<(), Fault>;

    /// The stream is over: says what was held back.
    fn finish(&mut self, _said: &mut Sayings<'_>) {}
}

/// What a body is written from.
#[derive(Debug)]
pub(crate) struct Ask<'r, 'a> {
    /// The request, in Converse's words.
    pub(crate) request: &'r ConverseRequest<'a>,
    /// Whether the answer is to be streamed, for bodies that say so.
    pub(crate) streams: bool,
    /// The name of the model without geography, for what differs within a shape.
    pub(crate) base_id: &'r str,
    /// What the model takes besides text.
    pub(crate) media: MediaSupport,
    /// The most tokens that the model answers: what Converse takes where a request sets no limit, and what bodies that
    /// demand one are given.
    pub(crate) max_output: u64,
}

/// The family of a shape; `None` where a shape has several, and no prompt format says which.
pub(crate) fn family(shape: Shape, prompt: Option<PromptFormat>) -> Option<&'static dyn Family> {
    Some(match shape {
        Shape::AnthropicMessages => &AnthropicMessages,
        Shape::AnthropicText => &AnthropicText,
        Shape::TitanText => &TitanText::CHAT,
        Shape::CohereCommand => &CohereCommand::CHAT,
        Shape::CohereChat => &CohereChat,
        Shape::Ai21J2 => &Ai21J2::CHAT,
        Shape::Ai21Jamba => &Ai21Jamba,
        Shape::MetaLlama => match prompt? {
            PromptFormat::Llama2 => &MetaLlama { template: "llama2" },
            PromptFormat::Llama3 => &MetaLlama { template: "llama3" },
            PromptFormat::Llama4 => &MetaLlama { template: "llama4" },
            _ => return None,
        },
        Shape::Imported => Imported::named(prompt?.name())?,
        Shape::MistralPrompt => &MistralPrompt::CHAT,
        Shape::MistralChat => &MistralChat,
        Shape::DeepseekPrompt => &DeepSeekPrompt,
        Shape::Nova => &Nova,
        Shape::OpenaiChat => &OpenAiChat,
        // Those hold no conversation.
        Shape::AmazonImage | Shape::StableDiffusion | Shape::StabilityImage => return None,
    })
}

/// The family of a shape for a text that the model goes on with, as it stands; `None` where a shape takes conversations
/// only, or its models do badly without one.
pub(crate) fn continuing(shape: Shape) -> Option<&'static dyn Family> {
    Some(match shape {
        Shape::TitanText => &TitanText::RAW,
        Shape::CohereCommand => &CohereCommand::RAW,
        Shape::Ai21J2 => &Ai21J2::RAW,
        Shape::MistralPrompt => &MistralPrompt::RAW,
        Shape::MetaLlama => &MetaLlama { template: RAW },
        Shape::Imported => &Imported::RAW,
        _ => return None,
    })
}

/// Whether the models of a shape were made to go on with texts, and not for conversations.
pub(crate) fn is_for_texts(shape: Shape) -> bool {
    matches!(shape, Shape::TitanText | Shape::CohereCommand | Shape::Ai21J2)
}

/// The family of an imported model, by the name of its format.
pub(crate) fn imported(format: &str) -> Option<&'static dyn Family> {
    match format {
        "openai-chat" => Some(&OpenAiChat),
        format => Imported::named(format),
    }
}

/// The shape of an imported model's bodies, by the name of its format.
pub(crate) fn shape_of_format(format: &str) -> Option<Shape> {
    match format {
        "openai-chat" => Some(Shape::OpenaiChat),
        "mistral" => Some(Shape::MistralPrompt),
        format => Imported::named(format).map(|_| Shape::Imported),
    }
}

/// The prompt format of an imported model, by the name that the account gave it: `DeepSeek-R1-Distill-Llama-8B`.
pub(crate) fn format_of_name(name: &str) -> Option<&'static str> {
    let is_separator = |letter: char| !letter.is_ascii_alphanumeric();
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(is_separator).filter(|word| !word.is_empty()).collect();
    let is_distilled = words
        .windows(2)
        .any(|pair| matches!(pair, ["deepseek", "r1"] | ["r1", "distill"]));
    is_distilled.then_some("deepseek-r1")
}

/// The prompt format of an imported model, by the architecture that its configuration names.
pub(crate) fn format_of_architecture(architecture: &str) -> Option<&'static str> {
    let architecture = architecture.to_ascii_lowercase();
    // Architectures that Bedrock imports (Amazon Bedrock User Guide, "Custom model import", read 2026-11).
    [
        ("llama4", "llama4"),
        ("llama", "llama3"),
        ("mixtral", "mistral"),
        ("mistral", "mistral"),
        ("qwen", "chatml"),
        ("gptoss", "openai-chat"),
        ("gpt_oss", "openai-chat"),
        ("gpt-oss", "openai-chat"),
    ]
    .into_iter()
    .find(|(beginning, _)| architecture.starts_with(beginning))
    .map(|(_, format)| format)
}
