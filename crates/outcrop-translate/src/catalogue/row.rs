//! A row of the catalogue's files: everything that one may say, all of it optional.

use std::collections::BTreeMap;

use outcrop_bedrock::converse::DocumentFormat;
use serde::Deserialize;

use super::images::ImageRules;
use super::prices::{GeographicRates, ImagePrice, Rates, SpecialRates};
use super::words::{
    Api, EffortField, ForcedTools, Modality, Parameter, PromptFormat, Sampling, Set, Shape, Status, ThinkingKind,
    ThinkingTag, TopK, Ttl, VectorShape,
};
use crate::effort::Effort;

/// Makes the struct, and what must look at each of its fields, of one list.
macro_rules! row {
    (families { $($family:ident: $family_type:ty,)* } models { $($model:ident: $model_type:ty,)* } both { $($both:ident: $both_type:ty,)* }) => {
        /// What a row of a family or of a model says. `catalogue/README.md` describes the fields.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Row {
            $(pub(super) $family: Option<$family_type>,)*
            $(pub(super) $model: Option<$model_type>,)*
            $(pub(super) $both: Option<$both_type>,)*
        }

        impl Row {
            /// The names of the fields that rows of models have.
            pub(super) const OF_MODELS: &[&str] = &[$(stringify!($model),)* $(stringify!($both),)*];
            /// The names of the fields that both have.
            #[cfg(test)]
            pub(super) const OF_BOTH: &[&str] = &[$(stringify!($both),)*];
            /// The names of all fields.
            #[cfg(test)]
            pub(super) const FIELDS: &[&str] =
                &[$(stringify!($family),)* $(stringify!($model),)* $(stringify!($both),)*];

            /// Lets `over` have its say: each field that it sets counts.
            pub(super) fn override_with(&mut self, over: &Self) {
                $(if over.$model.is_some() { self.$model.clone_from(&over.$model); })*
                $(if over.$both.is_some() { self.$both.clone_from(&over.$both); })*
            }

            /// The names of the fields that families don't have: what is true of one id alone.
            pub(super) const OF_MODELS_ALONE: &[&str] = &[$(stringify!($model),)*];

            /// What it says that holds for other ids of the same model too.
            pub(super) fn without_facts(mut self) -> Self {
                $(self.$model = None;)*
                self
            }

            /// A field that a row of a family must not have, but this one does.
            pub(super) fn field_of_models(&self) -> Option<&'static str> {
                $(if self.$model.is_some() { return Some(stringify!($model)); })*
                None
            }

            /// A field that a row of a model must not have, but this one does.
            pub(super) fn field_of_families(&self) -> Option<&'static str> {
                $(if self.$family.is_some() { return Some(stringify!($family)); })*
                None
            }
        }
    };
}

row! {
    families {
        ids: Vec<String>,
    }
    models {
        id: String,
        name: String,
        short_names: Vec<String>,
        base_model: String,
        named_profile: String,
        profiles: Vec<String>,
        on_demand: bool,
        released: String,
        status: Status,
        legacy: String,
        end_of_life: String,
        successor: String,
        redirect: bool,
        prices: Rates,
        geographic_prices: Vec<GeographicRates>,
        special_prices: Vec<SpecialRates>,
        image_prices: Vec<ImagePrice>,
    }
    both {
        source: String,
        sources: BTreeMap<String, String>,
        input: Set<Modality>,
        output: Set<Modality>,
        context: u64,
        max_output: u64,
        s3: bool,
        max_videos: usize,
        large_documents: Set<DocumentFormat>,
        apis: Vec<Api>,
        invoke: Shape,
        prompt: PromptFormat,
        images: ImageRules,
        vectors: VectorShape,
        dimensions: Vec<u64>,
        max_text_chars: usize,
        streaming: bool,
        long_context_beta: String,
        system: bool,
        prefill: bool,
        mixed_turns: bool,
        media_in_results: bool,
        tools: bool,
        tool_streaming: bool,
        tool_choice: ForcedTools,
        strict_tools: bool,
        one_tool_at_a_time: bool,
        structured_output: bool,
        closed_schemas: bool,
        thinking: ThinkingKind,
        effort_field: EffortField,
        efforts: Set<Effort>,
        takes_adaptive: bool,
        thinks_unasked: bool,
        thinking_tag: ThinkingTag,
        signed_thoughts: bool,
        thinking_tokens: bool,
        least_thinking_budget: u64,
        sampling: Sampling,
        top_k: TopK,
        parameters: Set<Parameter>,
        stop_sequences: usize,
        blank_stop_sequences: bool,
        least_max_tokens: u64,
        cache: bool,
        cache_least_tokens: u64,
        cache_ttls: Set<Ttl>,
        cache_tools: bool,
        counts_tokens: bool,
        counts_cached_input_twice: bool,
        output_burn_rate: u64,
    }
}

impl Row {
    /// The names of the sources of its fields.
    pub(super) fn named_sources(&self) -> impl Iterator<Item = &String> {
        let of_fields = self.sources.iter().flat_map(BTreeMap::values);
        self.source.iter().chain(of_fields)
    }
}
