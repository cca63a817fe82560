//! The shapes of bodies. To add one: a file beside this one, a schema in `invoke/schemas`, a line in [`named`], and its
//! name as `invoke` of the models that have it in `models/models.json`.

use serde_json::Value;

use super::about::About;
use super::text;
use crate::converse::{Event, Mode, Reply};
use crate::models::Target;
use crate::refusal::Refusal;

/// How a model family is asked, and how it answers.
pub(super) trait Shape: Sync {
    /// Checks a body strictly, and puts what it asks for in Converse's words: `messages`, `system`, `inferenceConfig`,
    /// `toolConfig`, `additionalModelRequestFields`. The rules of Converse and of the model's family are checked
    /// on that afterwards.
    ///
    /// # Errors
    ///
    /// What the family's own documents don't allow.
    fn read(&self, body: &Value, target: &Target, mode: Mode) -> Result<Value, Refusal>;

    /// The whole answer.
    fn whole(&self, reply: &Reply, about: &About) -> Value;

    /// Writes a stream.
    fn chunks(&self, about: About) -> Box<dyn Writer>;
}

/// Writes Converse's events in a family's own words, as they come. Bedrock's metrics are added to the last chunk.
pub(super) trait Writer: Send {
    /// Adds the chunks that an event makes, if any.
    fn push(&mut self, event: &Event, out: &mut Vec<Value>);
}

/// A shape by its name in `models.json`.
pub(super) fn named(name: &str) -> Option<&'static dyn Shape> {
    Some(match name {
        "anthropic" => &super::anthropic::Anthropic,
        "command-r" => &super::command_r::CommandR,
        "jamba" => &super::jamba::Jamba,
        "mistral-chat" => &super::mistral::MistralChat,
        "nova" => &super::nova::Nova,
        "openai" => &super::openai_chat::OpenAiChat,
        "claude-text" => &text::Claude,
        "titan-text" => &text::Titan,
        "cohere-command" => &text::Command,
        "j2" => &text::Jurassic,
        "llama2" => &text::Llama::Two,
        "llama3" => &text::Llama::Three,
        "llama4" => &text::Llama::Four,
        "mistral-text" => &text::Mistral,
        "deepseek-r1" => &text::DeepSeek,
        "imported-llama" => &text::Imported::Llama3,
        "imported-deepseek" => &text::Imported::DeepSeek,
        "imported-chatml" => &text::Imported::ChatMl,
        "imported-mistral" => &text::Imported::Mistral,
        "imported-chat" => &text::Imported::Chat,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::Catalogue;

    #[test]
    fn each_shape_that_a_model_names_is_known() {
        let catalogue = Catalogue::new("us-east-1");
        let own = catalogue.resources().iter().map(|own| own.model);
        for model in catalogue.models().chain(own) {
            if let Some(name) = &model.invoke {
                let known = named(name).is_some()
                    || super::super::images::named(name).is_some()
                    || super::super::embed::named(name).is_some()
                    || name == crate::rerank::SHAPE;
                assert!(known, "{}: {name}", model.id);
            }
        }
    }

    #[test]
    fn no_shape_takes_just_anything() {
        let catalogue = Catalogue::new("us-east-1");
        for model in catalogue.models() {
            let Some(shape) = model.invoke.as_deref().and_then(named) else {
                continue;
            };
            let target = catalogue.target(model);
            for body in [
                json!({}),
                json!({"messages": 5, "message": 5, "prompt": 5}),
                json!({"unheard-of": 1}),
            ] {
                assert!(shape.read(&body, &target, Mode::Whole).is_err(), "{}: {body}", model.id);
            }
        }
    }
}
