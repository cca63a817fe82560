//! The words of the list: what kinds of ids there are, and what models are for.

/// What an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    FoundationModel,
    InferenceProfile,
    ApplicationInferenceProfile,
    ProvisionedThroughput,
    ImportedModel,
    CustomModelDeployment,
    /// A name that the operator has given.
    Alias,
    /// A name of the catalogue.
    ShortName,
    /// Any other name that means a model; it isn't listed, but can be asked for.
    Name,
}

impl Kind {
    pub(super) const ALL: [(&'static str, Self); 9] = [
        ("foundation_model", Self::FoundationModel),
        ("inference_profile", Self::InferenceProfile),
        ("application_inference_profile", Self::ApplicationInferenceProfile),
        ("provisioned_throughput", Self::ProvisionedThroughput),
        ("imported_model", Self::ImportedModel),
        ("custom_model_deployment", Self::CustomModelDeployment),
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
pub(super) enum Purpose {
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

fn name_of<T: PartialEq>(words: &[(&'static str, T)], word: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == word)
        .map_or("", |(name, _)| name)
}
