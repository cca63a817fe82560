//! What a model can do, for people who choose one.

use super::Catalogue;
use super::model::Model;
use super::row::Row;
use super::traits::{Thinking, Traits};
use super::words::{Api, Modality, Set};

/// What a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What goes in, where it is known.
    pub input: Option<Set<Modality>>,
    /// What comes out.
    pub output: Set<Modality>,
    /// Whether it can be asked through chat completions.
    pub chat: bool,
    /// Whether one of Bedrock's APIs for single calls has it; else it is asked over two-way streams or in the background.
    pub single_calls: bool,
    /// Whether it streams by itself.
    pub streaming: bool,
    /// Whether it takes system prompts.
    pub system: bool,
    /// Whether it calls tools.
    pub tools: bool,
    /// Whether it can think before it answers.
    pub reasoning: bool,
    /// Whether it is held to a schema by Bedrock itself.
    pub structured_output: bool,
    /// Whether it caches prompts.
    pub prompt_caching: bool,
}

impl Catalogue {
    /// What a model can do by the rows that hold for it; `None` where there are none, and everything is tried.
    #[must_use]
    pub fn capabilities(&self, base_id: &str) -> Option<Capabilities> {
        let id = self.known_id(base_id);
        let has_rows = self.layers.iter().any(|layer| layer.rows_for(id).next().is_some());
        has_rows.then(|| {
            let row = self.row(id);
            Capabilities::of(
                &row,
                &Model::of_row(id, String::new(), Vec::new(), &row),
                &Traits::of_row(&row),
            )
        })
    }
}

impl Capabilities {
    fn of(row: &Row, model: &Model, traits: &Traits) -> Self {
        let has_body = model.apis.contains(&Api::Invoke) && model.invoke.is_some();
        let converses = model.apis.iter().any(|api| *api != Api::Invoke);
        Self {
            input: row.input,
            output: model.output,
            chat: model.output.contains(Modality::Text) && (converses || has_body),
            single_calls: !model.apis.is_empty(),
            streaming: model.streaming,
            system: traits.system,
            tools: traits.tools,
            reasoning: traits.thinking != Thinking::Untold || traits.thinks_unasked,
            structured_output: traits.structured_output,
            prompt_caching: traits.cache.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str) -> Capabilities {
        Catalogue::built_in().capabilities(id).unwrap()
    }

    #[test]
    fn what_rows_say_is_told() {
        let claude = of("anthropic.claude-sonnet-4-5-20250929-v1:0");
        assert!(claude.chat && claude.tools && claude.reasoning && claude.prompt_caching && claude.streaming);
        let mistral = of("mistral.mistral-7b-instruct-v0:2");
        assert!(mistral.chat && !mistral.tools && !mistral.system);
        let embedding = of("amazon.titan-embed-text-v2:0");
        assert!(!embedding.chat && embedding.output.contains(Modality::Embedding));
    }

    #[test]
    fn who_cant_be_asked_by_chat_isnt_of_chat() {
        for id in [
            "amazon.nova-sonic-v1:0",
            "twelvelabs.pegasus-1-2-v1:0",
            "cohere.rerank-v3-5:0",
        ] {
            assert!(!of(id).chat, "{id}");
        }
        assert!(!of("amazon.nova-reel-v1:1").single_calls);
    }

    #[test]
    fn a_variant_is_its_model_and_a_stranger_nothing() {
        assert_eq!(of("amazon.nova-lite-v1:0:300k"), of("amazon.nova-lite-v1:0"));
        assert_eq!(Catalogue::built_in().capabilities("acme.model-1"), None);
    }
}
