//! What calls by one name cost.

use std::sync::Arc;

use super::super::Catalogue;
use super::cost::{Ask, Consumption, Cost, Terms};
use super::rules::Prices;
use crate::resolve::{Arn, Target};

/// What calls of one model by one name cost. Cheap to clone, so that a request can keep it until it is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    prices: Arc<Prices>,
    geography: Option<Arc<str>>,
}

impl Tariff {
    /// What a call costs; `None` where a price that is needed isn't known.
    #[must_use]
    pub fn cost(&self, terms: &Terms, used: &Consumption) -> Option<Cost> {
        self.prices.cost(self.geography(), terms, used)
    }

    /// The most that a call can cost, in billionths of a dollar; `None` where a price that may be needed isn't known.
    #[must_use]
    pub fn most(&self, terms: &Terms, ask: &Ask) -> Option<i64> {
        self.prices.most(self.geography(), terms, ask)
    }

    /// The geography of the profile that is called.
    #[must_use]
    pub fn geography(&self) -> Option<&str> {
        self.geography.as_deref()
    }

    /// All prices of the model.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }
}

impl Catalogue {
    /// What calls of a target cost; `None` where nobody knows.
    #[must_use]
    pub fn tariff(&self, target: &Target) -> Option<Tariff> {
        let behind = target.behind.as_deref().or(target.base_id.as_deref());
        self.tariff_of(&target.model_id, behind)
    }

    /// What calls by the id, profile or ARN `called` cost, which is the model `behind`, where the name doesn't tell.
    /// Capacity and models of the account's own have the prices of their own rows alone.
    #[must_use]
    pub fn tariff_of(&self, called: &str, behind: Option<&str>) -> Option<Tariff> {
        let tariff = |id: &str, geography: Option<&str>| {
            let prices = self.prices(id)?;
            Some(Tariff {
                prices: Arc::clone(prices),
                geography: geography.map(Arc::from),
            })
        };
        if let Some(own) = tariff(called, None) {
            return Some(own);
        }
        let arn = Arn::parse(called);
        let is_own = arn.is_some_and(|arn| {
            !matches!(
                arn.kind,
                "foundation-model" | "inference-profile" | "application-inference-profile"
            )
        });
        if is_own {
            return None;
        }
        let id = match arn {
            Some(arn) => arn.id().or(behind)?,
            None => called,
        };
        let base = self.base_id(id)?;
        let geography = id.strip_suffix(base).and_then(|before| before.strip_suffix('.'));
        tariff(base, geography).or_else(|| tariff(behind?, geography))
    }
}
