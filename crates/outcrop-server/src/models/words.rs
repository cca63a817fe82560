//! The words of the list: what kinds of ids there are, and what models are for.

use outcrop_translate::catalogue::{Capabilities, Modality};

/// What an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    FoundationModel,
    InferenceProfile,
    ApplicationInferenceProfile,
    ProvisionedThroughput,
    ImportedModel,
    CustomModelDeployment,
    /// A name that the operator has given to several places that answer.
    Route,
    /// A name that the operator has given.
    Alias,
    /// A name of the catalogue.
    ShortName,
    /// Any other name that means a model; it isn't listed, but can be asked for.
    Name,
}

impl Kind {
    pub(super) const ALL: [(&'static str, Self); 10] = [
        ("foundation_model", Self::FoundationModel),
        ("inference_profile", Self::InferenceProfile),
        ("application_inference_profile", Self::ApplicationInferenceProfile),
        ("provisioned_throughput", Self::ProvisionedThroughput),
        ("imported_model", Self::ImportedModel),
        ("custom_model_deployment", Self::CustomModelDeployment),
        ("route", Self::Route),
        ("alias", Self::Alias),
        ("short_name", Self::ShortName),
        ("name", Self::Name),
    ];

    pub(super) fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Chat,
    Embedding,
    Image,
    Rerank,
}

impl Purpose {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("chat", Self::Chat),
        ("embedding", Self::Embedding),
        ("image", Self::Image),
        ("rerank", Self::Rerank),
    ];

    pub(super) fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

/// What a model is for; `None` if no endpoint of the gateway's has it.
pub(crate) fn purpose(capabilities: &Capabilities) -> Option<Purpose> {
    let makes = |modality| capabilities.output.contains(modality) && capabilities.single_calls;
    match () {
        () if capabilities.chat => Some(Purpose::Chat),
        () if makes(Modality::Embedding) => Some(Purpose::Embedding),
        () if makes(Modality::Image) => Some(Purpose::Image),
        () if makes(Modality::Ranking) => Some(Purpose::Rerank),
        () => None,
    }
}

/// The same of a model that only Bedrock knows.
pub(super) fn purpose_of_words(output: &[String]) -> Option<Purpose> {
    let words = [
        ("TEXT", Purpose::Chat),
        ("EMBEDDING", Purpose::Embedding),
        ("IMAGE", Purpose::Image),
    ];
    let found = words.iter().find(|(word, _)| output.iter().any(|told| told == word));
    match found {
        Some((_, purpose)) => Some(*purpose),
        // It doesn't say; people want to chat.
        None if output.is_empty() => Some(Purpose::Chat),
        None => None,
    }
}

/// What an ARN names.
pub(super) fn kind_of_arn(arn: &str) -> Kind {
    let kinds = [
        (":foundation-model/", Kind::FoundationModel),
        (":inference-profile/", Kind::InferenceProfile),
        (":application-inference-profile/", Kind::ApplicationInferenceProfile),
        (":provisioned-model/", Kind::ProvisionedThroughput),
        (":imported-model/", Kind::ImportedModel),
        (":custom-model-deployment/", Kind::CustomModelDeployment),
    ];
    let found = kinds.iter().find(|(part, _)| arn.contains(part));
    found.map_or(Kind::Name, |(_, kind)| *kind)
}

fn name_of<T: PartialEq>(words: &[(&'static str, T)], word: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == word)
        .map_or("", |(name, _)| name)
}
