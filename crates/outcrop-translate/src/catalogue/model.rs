//! What the catalogue tells of a model to all who ask.

use std::sync::Arc;

use serde::Deserialize;

use super::prices::Prices;
use super::row::Row;
use super::words::{Api, Modality, PromptFormat, Set, Shape, Status};

/// A maker of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// As the ids of its models begin: `anthropic`.
    pub id: String,
    /// As people call it: `Anthropic`.
    pub name: String,
    /// Other beginnings of its models' ids.
    pub also: Vec<String>,
}

/// A model that has a row of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its id without a geography, or, in an operator's row, an ARN.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The id of its [`Provider`].
    pub provider: String,
    /// Names that people type instead of the id, found without regard to case.
    pub short_names: Vec<String>,
    /// The geography whose profile a short name means, where that is not the caller's.
    pub named_profile: Option<String>,
    /// The geographies that have a profile of it: `us`, `eu`, `global`.
    pub profiles: Vec<String>,
    /// Whether it can be called by its bare id.
    pub on_demand: bool,
    /// The model that an ARN stands for.
    pub base_model: Option<String>,
    /// What goes in.
    pub input: Set<Modality>,
    /// What comes out.
    pub output: Set<Modality>,
    /// The most tokens of a request and its answer.
    pub context: Option<u64>,
    /// The most tokens of an answer.
    pub max_output: Option<u64>,
    /// The day of its release, `2025-09-29`.
    pub released: Option<String>,
    /// How far it is in its life.
    pub lifecycle: Lifecycle,
    /// What it costs.
    pub prices: Option<Arc<Prices>>,
    /// The APIs that it answers; the first is asked unless somebody wants another one.
    pub apis: Vec<Api>,
    /// The form of its InvokeModel bodies, where it is known.
    pub invoke: Option<Shape>,
    /// How a conversation is written as one text, where InvokeModel wants that.
    pub prompt: Option<PromptFormat>,
    /// Whether it streams.
    pub streaming: bool,
    /// The beta that widens its context.
    pub long_context_beta: Option<String>,
    /// Where all of this is from.
    pub sources: Vec<Source>,
}

/// How far a model is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// The stage.
    pub status: Status,
    /// The day from which only those may use it who did before.
    pub legacy: Option<String>,
    /// The day on which it ends.
    pub end_of_life: Option<String>,
    /// The id of the model to use instead.
    pub successor: Option<String>,
    /// Whether a request to it goes to the successor.
    pub redirect: bool,
}

/// Where facts are from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What was read.
    pub title: String,
    /// The day.
    pub read: String,
}

impl Model {
    /// The model that the rows for `id` come to.
    pub(super) fn of_row(id: &str, provider: String, sources: Vec<Source>, row: &Row) -> Self {
        let profiles = row.profiles.clone().unwrap_or_default();
        Self {
            id: id.to_owned(),
            name: row.name.clone().unwrap_or_else(|| id.to_owned()),
            provider,
            short_names: row.short_names.clone().unwrap_or_default(),
            named_profile: row.named_profile.clone(),
            on_demand: row.on_demand.unwrap_or(profiles.is_empty()),
            profiles,
            base_model: row.base_model.clone(),
            input: row.input.unwrap_or_else(|| Set::of(&[Modality::Text])),
            output: row.output.unwrap_or_else(|| Set::of(&[Modality::Text])),
            context: row.context,
            max_output: row.max_output,
            released: row.released.clone(),
            lifecycle: Lifecycle {
                status: row.status.unwrap_or(Status::Active),
                legacy: row.legacy.clone(),
                end_of_life: row.end_of_life.clone(),
                successor: row.successor.clone(),
                redirect: row.redirect.unwrap_or(false),
            },
            prices: prices(row).map(Arc::new),
            apis: row.apis.clone().unwrap_or_else(|| vec![Api::Converse]),
            invoke: row.invoke,
            prompt: row.prompt,
            streaming: row.streaming.unwrap_or(true),
            long_context_beta: row.long_context_beta.clone(),
            sources,
        }
    }
}

/// What the rows say of prices; `None` where they say nothing.
fn prices(row: &Row) -> Option<Prices> {
    let is_priced = row.prices.is_some() || row.image_prices.is_some() || row.special_prices.is_some();
    is_priced.then(|| Prices {
        base: row.prices.unwrap_or_default(),
        geographic: row.geographic_prices.clone().unwrap_or_default(),
        special: row.special_prices.clone().unwrap_or_default(),
        images: row.image_prices.clone().unwrap_or_default(),
    })
}
