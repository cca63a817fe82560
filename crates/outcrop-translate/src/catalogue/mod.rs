//! The catalogue: what is known of models, as data.
//!
//! Files, one for each provider, hold rows of families (beginnings of ids) and of models. `catalogue/README.md`, next
//! to the files, describes each field. What holds for a model is found by a cascade: what a model takes that nobody
//! knows, then each family row whose beginning fits, from the shortest to the longest, then the model's own row, and
//! then the operator's rows in the same order; each sets only the fields that it names. What was learned at run time
//! ([`crate::Lesson`]) comes on top, and is kept elsewhere.

mod capabilities;
mod changes;
mod check;
mod error;
mod facts;
mod file;
mod images;
mod media;
mod model;
mod prices;
mod row;
#[cfg(test)]
mod tests;
mod traits;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

pub use capabilities::Capabilities;
pub use changes::Changes;
pub use error::CatalogueError;
pub use facts::Fact;
pub use images::{ImageRules, ImageSize, SizeRule};
pub use media::MediaSupport;
pub use model::{Lifecycle, Model, Provider, Source};
pub use outcrop_bedrock::converse::ServiceTier as Tier;
pub use prices::{
    Ask, Consumption, Cost, GeographicRates, ImagePrice, Images, Latency, Place, Price, Prices, Rates, SpecialRates,
    Tariff, Terms,
};
pub use words::{Api, ImageTask, Modality, PromptFormat, Set, Shape, Status, VectorShape, Word};

pub(crate) use traits::{CacheRules, MAX_CACHE_POINTS, MAX_STOP_SEQUENCES, Thinking, Traits};
pub(crate) use words::{ForcedTools, Parameter, Sampling, TopK};

use file::{Faults, Layer};
use row::Row;

macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../catalogue/", $name))),)*]
    };
}

/// The files that are built in.
const FILES: &[(&str, &str)] = files![
    "ai21.toml",
    "amazon.toml",
    "anthropic.toml",
    "cohere.toml",
    "deepseek.toml",
    "google.toml",
    "meta.toml",
    "minimax.toml",
    "mistral.toml",
    "moonshot.toml",
    "nvidia.toml",
    "openai.toml",
    "qwen.toml",
    "stability.toml",
    "twelvelabs.toml",
    "writer.toml",
    "xai.toml",
    "zai.toml",
];

/// What is known of models.
pub struct Catalogue {
    /// What the files say, ours first.
    layers: Vec<Arc<Layer>>,
    providers: Vec<Provider>,
    /// Models that have a row, by id.
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    by_short_name: HashMap<String, usize>,
    /// What holds for a model that nobody knows.
    unknown: (Traits, MediaSupport),
}

/// A model that has a row, with what each request asks of it.
#[derive(Debug)]
struct Entry {
    model: Model,
    traits: Traits,
    media: MediaSupport,
    images: Option<Arc<ImageRules>>,
}

impl fmt::Debug for Catalogue {
    /// Without its rows, which are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue")
            .field("models", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Catalogue {
    /// The catalogue as it is built in.
    #[must_use]
    pub fn built_in() -> &'static Arc<Self> {
        static BUILT_IN: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
            let catalogue = Catalogue::of_files(FILES);
            Arc::new(catalogue.unwrap_or_else(|errors| unreachable!("a test reads the files: {errors:?}")))
        });
        &BUILT_IN
    }

    fn of_files(files: &[(&str, &str)]) -> Result<Self, Vec<CatalogueError>> {
        let layers: Result<_, _> = files
            .iter()
            .map(|(name, text)| Layer::read(name, text).map(Arc::new))
            .collect();
        Self::of_layers(layers?)
    }

    /// This catalogue, and over it what an operator's file says, which is called `file_name` in errors.
    ///
    /// # Errors
    /// All that is wrong with the file. What can't be read as TOML, or as rows, is one error, the first.
    pub fn with(&self, file_name: &str, toml: &str) -> Result<Self, Vec<CatalogueError>> {
        let mut layers = self.layers.clone();
        layers.push(Arc::new(Layer::read(file_name, toml)?));
        Self::of_layers(layers)
    }

    fn of_layers(layers: Vec<Arc<Layer>>) -> Result<Self, Vec<CatalogueError>> {
        let mut catalogue = Self {
            providers: providers(&layers),
            layers,
            entries: Vec::new(),
            by_id: HashMap::new(),
            by_short_name: HashMap::new(),
            unknown: (Traits::of_row(&Row::default()), MediaSupport::of_row(&Row::default())),
        };
        let mut ids: Vec<&String> = catalogue.layers.iter().flat_map(|layer| layer.models.keys()).collect();
        ids.sort_unstable();
        ids.dedup();
        let entries: Vec<Entry> = ids.into_iter().map(|id| catalogue.entry(id)).collect();
        for (index, entry) in entries.iter().enumerate() {
            catalogue.by_id.insert(entry.model.id.clone(), index);
            for name in &entry.model.short_names {
                catalogue.by_short_name.insert(name.to_ascii_lowercase(), index);
            }
        }
        catalogue.entries = entries;
        let mut faults = Faults::default();
        check::check(&catalogue, &mut faults);
        faults.into_result(catalogue)
    }

    fn entry(&self, id: &str) -> Entry {
        let row = self.row(id);
        let vendor = row
            .base_model
            .as_deref()
            .and_then(|base| self.base_id(base))
            .unwrap_or(id);
        let provider = self.provider_of(vendor).map(|provider| provider.id.clone());
        Entry {
            traits: Traits::of_row(&row),
            media: MediaSupport::of_row(&row),
            images: row.images.clone().map(Arc::new),
            model: Model::of_row(id, provider.unwrap_or_default(), self.sources(id), &row),
        }
    }

    /// The cascade: what all rows for `id` come to.
    fn row(&self, id: &str) -> Row {
        let own = |layer: &Arc<Layer>| layer.models.get(id).and_then(|row| row.base_model.clone());
        let base_model = self.layers.iter().rev().find_map(own);
        let base = base_model.as_deref().and_then(|base| self.base_id(base));
        let mut row = base.filter(|base| *base != id).map_or_else(Row::default, |base| {
            let near = self.nearest_id(base).unwrap_or(base);
            self.own_row(near).without_facts()
        });
        self.override_by_rows(&mut row, id);
        row
    }

    fn own_row(&self, id: &str) -> Row {
        let mut row = Row::default();
        self.override_by_rows(&mut row, id);
        row
    }

    fn override_by_rows(&self, row: &mut Row, id: &str) {
        for layer in &self.layers {
            layer.rows_for(id).for_each(|over| row.override_with(over));
        }
    }

    /// Where what is known of `id` is from, each once.
    fn sources(&self, id: &str) -> Vec<Source> {
        let mut sources = Vec::new();
        for layer in &self.layers {
            let named = layer.rows_for(id).flat_map(Row::named_sources);
            for source in named.filter_map(|name| layer.sources.get(name)) {
                if !sources.contains(source) {
                    sources.push(source.clone());
                }
            }
        }
        sources
    }

    /// The model whose row has the id `base_id`: without a geography or, in an operator's row, an ARN.
    #[must_use]
    pub fn model(&self, base_id: &str) -> Option<&Model> {
        let index = self.by_id.get(base_id)?;
        self.entries.get(*index).map(|entry| &entry.model)
    }

    /// All models that have a row, by id.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.entries.iter().map(|entry| &entry.model)
    }

    /// The model that people call `name`, in any case.
    #[must_use]
    pub fn by_short_name(&self, name: &str) -> Option<&Model> {
        let index = self.by_short_name.get(&name.to_ascii_lowercase())?;
        self.entries.get(*index).map(|entry| &entry.model)
    }

    /// The makers of models, by id.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter()
    }

    /// The provider of the model `base_id`, by the beginning of the id.
    fn provider_of(&self, base_id: &str) -> Option<&Provider> {
        let (vendor, _) = base_id.split_once('.')?;
        self.providers
            .iter()
            .find(|provider| provider.id == vendor || provider.also.iter().any(|also| also == vendor))
    }

    /// The part of an id, profile or ARN that begins with the model's provider: `amazon.nova-lite-v1:0` of
    /// `us.amazon.nova-lite-v1:0`. `None` where there is no provider that is known. An ARN with a row is itself.
    ///
    /// Each request asks, so providers are compared with what begins here, and not searched for in all of the id.
    #[must_use]
    pub fn base_id<'a>(&self, model_id: &'a str) -> Option<&'a str> {
        if self.by_id.contains_key(model_id) {
            return Some(model_id);
        }
        let ends_of_words = model_id.match_indices(['.', '/']).map(|(end, _)| end + 1);
        std::iter::once(0)
            .chain(ends_of_words)
            .filter_map(|start| model_id.get(start..))
            .find(|id| self.provider_of(id).is_some())
    }

    /// The id of the row that is nearest to `base_id`: its own, or that of the id without what is added to it, as in
    /// `amazon.titan-text-lite-v1:0:4k`.
    fn nearest_id<'a>(&self, base_id: &'a str) -> Option<&'a str> {
        let ends = base_id.rmatch_indices([':', '/']).map(|(end, _)| end);
        std::iter::once(base_id.len())
            .chain(ends)
            .filter_map(|end| base_id.get(..end))
            .find(|id| self.by_id.contains_key(*id))
    }

    /// The id of the row that knows most of a model: a variant with a longer context, `:300k`, is its model. Itself where
    /// there is none.
    #[must_use]
    pub fn known_id<'a>(&self, base_id: &'a str) -> &'a str {
        self.nearest_id(base_id).unwrap_or(base_id)
    }

    /// What the model costs.
    fn prices(&self, base_id: &str) -> Option<&Arc<Prices>> {
        self.nearest(base_id)?.model.prices.as_ref()
    }

    fn nearest(&self, base_id: &str) -> Option<&Entry> {
        let index = self.by_id.get(self.nearest_id(base_id)?)?;
        self.entries.get(*index)
    }

    /// What the model takes, and how.
    pub(crate) fn traits(&self, base_id: Option<&str>) -> Traits {
        match base_id {
            None => self.unknown.0.clone(),
            Some(id) => match self.nearest(id) {
                Some(entry) => entry.traits.clone(),
                None => Traits::of_row(&self.own_row(id)),
            },
        }
    }

    /// How many tokens of a quota a token of the model's answers costs; 1 where nothing is known.
    #[must_use]
    pub fn output_burn_rate(&self, base_id: Option<&str>) -> u64 {
        let Some(id) = base_id else {
            return self.unknown.0.output_burn_rate;
        };
        self.nearest(id).map_or_else(
            || Traits::of_row(&self.own_row(id)).output_burn_rate,
            |entry| entry.traits.output_burn_rate,
        )
    }

    /// The most tokens of the model's answers, which AWS takes from a quota for a call that sets no limit.
    #[must_use]
    pub fn max_output(&self, base_id: Option<&str>) -> Option<u64> {
        let id = base_id?;
        self.nearest(id)
            .map_or_else(|| self.own_row(id).max_output, |entry| entry.model.max_output)
    }

    /// Whether the model can be told to think.
    #[must_use]
    pub fn thinks(&self, base_id: &str) -> bool {
        self.traits(Some(base_id)).thinking != Thinking::Untold
    }

    /// The models whose tokens `CountTokens` is known to count, and that can still be called.
    pub fn counting(&self) -> impl Iterator<Item = &Model> {
        self.models()
            .filter(|model| model.lifecycle.status != Status::Retired && self.traits(Some(&model.id)).counts_tokens)
    }

    /// What the model takes besides text.
    #[must_use]
    pub fn media(&self, base_id: Option<&str>) -> MediaSupport {
        match base_id {
            None => self.unknown.1,
            Some(id) => match self.nearest(id) {
                Some(entry) => entry.media,
                None => MediaSupport::of_row(&self.own_row(id)),
            },
        }
    }

    /// How the model is asked for images; `None` where nobody knows how.
    #[must_use]
    pub fn images(&self, base_id: &str) -> Option<Arc<ImageRules>> {
        match self.nearest(base_id) {
            Some(entry) => entry.images.clone(),
            None => self.own_row(base_id).images.map(Arc::new),
        }
    }
}

/// The providers of all files, by id; the last file that names one counts.
fn providers(layers: &[Arc<Layer>]) -> Vec<Provider> {
    let named = layers.iter().filter_map(|layer| layer.provider.clone());
    let mut by_id: BTreeMap<String, Provider> = named.map(|provider| (provider.id.clone(), provider)).collect();
    // An operator's file need not name the provider of a row: the id does.
    let own = layers.iter().filter(|layer| layer.provider.is_none());
    let ids = own.flat_map(|layer| layer.families.iter().map(|(id, _)| id).chain(layer.models.keys()));
    for id in ids {
        let Some((vendor, _)) = id.split_once('.') else {
            continue;
        };
        let is_word = vendor
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_known = by_id.values().any(|known| known.also.iter().any(|also| also == vendor));
        if is_word && !is_known && !GEOGRAPHIES.contains(&vendor) {
            by_id.entry(vendor.to_owned()).or_insert_with(|| Provider {
                id: vendor.to_owned(),
                name: vendor.to_owned(),
                also: Vec::new(),
            });
        }
    }
    by_id.into_values().collect()
}

/// What stands before the id in a profile, and is no provider.
const GEOGRAPHIES: &[&str] = &["us", "eu", "apac", "jp", "au", "in", "ca", "sa", "global"];
