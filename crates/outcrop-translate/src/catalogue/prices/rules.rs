//! Prices, as the catalogue's files hold them.

use outcrop_bedrock::converse::ServiceTier;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

use super::amount::Price;
use super::cost::{Images, Place, Terms};

/// Prices in USD: of tokens for a million of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// For what is read, and not found in the cache.
    pub input: Option<Price>,
    /// For what is written.
    pub output: Option<Price>,
    /// For what is found in the cache.
    pub cache_read: Option<Price>,
    /// For what is put into the cache for five minutes.
    pub cache_write: Option<Price>,
    /// For what is put into the cache for an hour.
    pub cache_write_1h: Option<Price>,
    /// For one image that is read, where images have no tokens.
    pub input_image: Option<Price>,
    /// For one search unit.
    pub search: Option<Price>,
}

/// What a model costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// By its bare id, its global profile, and all profiles that have no others.
    pub base: Rates,
    /// By profiles whose prices differ from these.
    pub geographic: Vec<GeographicRates>,
    /// On other terms.
    pub special: Vec<SpecialRates>,
    /// For each image that it makes; the first that fits counts.
    pub images: Vec<ImagePrice>,
}

/// What a model costs by some of its profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeographicRates {
    /// The geographies of the profiles.
    pub profiles: Vec<String>,
    /// What it costs by them.
    pub rates: Rates,
}

/// How fast an answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    /// By latency-optimized inference.
    Optimized,
}

/// What a model costs on certain terms. All that is named must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialRates {
    /// By the profiles of these geographies. With none named: rates hold where `prices` do, factors everywhere.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// By the bare id in these regions.
    #[serde(default)]
    pub regions: Vec<String>,
    /// By this service tier.
    #[serde(default, deserialize_with = "tier")]
    pub tier: Option<ServiceTier>,
    /// With this latency.
    pub latency: Option<Latency>,
    /// In batches.
    #[serde(default)]
    pub batch: bool,
    /// With more tokens read than these, cached ones among them.
    pub above_input: Option<u64>,
    /// What it costs then.
    pub rates: Option<Rates>,
    /// What all prices are multiplied by then.
    pub factor: Option<Price>,
}

fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ServiceTier>, D::Error> {
    let name = String::deserialize(deserializer)?;
    match ServiceTier::from_name(&name) {
        tier @ (ServiceTier::Flex | ServiceTier::Priority | ServiceTier::Reserved) if tier.name() == name => {
            Ok(Some(tier))
        }
        _ => {
            let expected = &"one of `flex`, `priority`, `reserved`";
            Err(D::Error::invalid_value(Unexpected::Str(&name), expected))
        }
    }
}

/// What a model costs for an image that it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePrice {
    /// Of this quality; of any, if there is none.
    pub quality: Option<String>,
    /// Of at most so many pixels.
    pub pixels: Option<u64>,
    /// In USD.
    pub price: Price,
}

impl Prices {
    /// What the model costs by the profile of `geography`, or by its bare id, on no other terms.
    #[must_use]
    pub fn rates(&self, geography: Option<&str>) -> Rates {
        self.of_geography(geography).unwrap_or(self.base)
    }

    fn of_geography(&self, geography: Option<&str>) -> Option<Rates> {
        let named = self.geographic.iter();
        let found = named.filter(|other| other.profiles.iter().any(|name| Some(name.as_str()) == geography));
        found.map(|other| other.rates).next()
    }

    /// What holds for a call: rates, and what to multiply them by. `None` where nobody knows what it costs on these
    /// terms.
    pub(super) fn holding(&self, place: &Place, terms: &Terms, read: u64) -> Option<(Rates, Option<Price>)> {
        let geography = place.geography.as_deref();
        let has_own = self.of_geography(geography).is_some();
        let mut rates = self.rates(geography);
        let mut factor = None;
        let (mut tier, mut latency, mut batch) = (
            terms.tier == ServiceTier::Default,
            !terms.is_latency_optimized,
            !terms.is_batch,
        );
        for special in &self.special {
            let is_there = if special.profiles.is_empty() {
                special.factor.is_some() || !has_own
            } else {
                special.profiles.iter().any(|name| Some(name.as_str()) == geography)
            };
            // What a region's prices are says nothing of profiles, which go to several.
            let is_here = special.regions.is_empty()
                || (geography.is_none() && special.regions.iter().any(|name| **name == *place.region));
            let holds = is_there
                && is_here
                && special.tier.is_none_or(|named| named == terms.tier)
                && (special.latency.is_none() || terms.is_latency_optimized)
                && (!special.batch || terms.is_batch)
                && special.above_input.is_none_or(|most| read > most);
            if !holds {
                continue;
            }
            tier |= special.tier.is_some();
            latency |= special.latency.is_some();
            batch |= special.batch;
            rates = special.rates.unwrap_or(rates);
            factor = special.factor.or(factor);
        }
        (tier && latency && batch).then_some((rates, factor))
    }

    /// What one of these images costs.
    pub(super) fn image(&self, images: &Images) -> Option<Price> {
        let fits = |price: &&ImagePrice| {
            price.quality.as_deref().is_none_or(|quality| images.quality == quality)
                && price.pixels.is_none_or(|most| images.pixels <= most)
        };
        self.images.iter().find(fits).map(|found| found.price)
    }

    /// The dearest image.
    pub(super) fn dearest_image(&self) -> Option<Price> {
        self.images.iter().map(|image| image.price).max()
    }
}

impl SpecialRates {
    /// What is wrong with it.
    pub(in super::super) fn fault(&self) -> Option<&'static str> {
        let names_terms = !self.profiles.is_empty()
            || !self.regions.is_empty()
            || self.tier.is_some()
            || self.latency.is_some()
            || self.batch
            || self.above_input.is_some();
        if !names_terms {
            return Some(
                "a row must say on which terms it holds: `tier`, `latency`, `batch`, `above_input`, `regions`, `profiles`",
            );
        }
        if self.rates.is_none() && self.factor.is_none() {
            return Some("a row needs `rates` or a `factor`");
        }
        (!self.profiles.is_empty() && !self.regions.is_empty())
            .then_some("prices are those of `profiles` or those of `regions`")
    }
}
