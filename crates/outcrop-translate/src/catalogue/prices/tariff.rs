//! What calls by one name cost.

use std::sync::Arc;

use super::super::Catalogue;
use super::cost::{Ask, Consumption, Cost, Place, Terms};
use super::rules::Prices;
use crate::resolve::{Arn, Target};

/// What calls of one model by one name cost. Cheap to clone, so that a request can keep it until it is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    prices: Arc<Prices>,
    place: Place,
}

impl Tariff {
    /// What a call costs; `None` where a price that is needed isn't known.
    #[must_use]
    pub fn cost(&self, terms: &Terms, used: &Consumption) -> Option<Cost> {
        self.prices.cost(&self.place, terms, used)
    }

    /// The most that a call can cost, in billionths of a dollar; `None` where a price that may be needed isn't known.
    #[must_use]
    pub fn most(&self, terms: &Terms, ask: &Ask) -> Option<i64> {
        self.prices.most(&self.place, terms, ask)
    }

    /// Where the calls go.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// All prices of the model.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }
}

impl Catalogue {
    /// What calls of a target cost in `region`, the gateway's own where the target names none; `None` where nobody
    /// knows.
    #[must_use]
    pub fn tariff(&self, target: &Target, region: &str) -> Option<Tariff> {
        let behind = target.behind.as_deref().or(target.base_id.as_deref());
        let region = target.region.as_deref().unwrap_or(region);
        let mut tariff = self.tariff_of(&target.model_id, behind, region)?;
        if let Some(geography) = &target.geography {
            tariff.place.geography = Some(Arc::from(geography.as_str()));
        }
        Some(tariff)
    }

    /// What calls by the id, profile or ARN `called` cost in `region`. The model is the one `behind`, where the name
    /// doesn't tell. Capacity and models of the account's own have the prices of their own rows alone.
    #[must_use]
    pub fn tariff_of(&self, called: &str, behind: Option<&str>, region: &str) -> Option<Tariff> {
        let tariff = |id: &str, geography: Option<&str>| {
            let prices = self.prices(id)?;
            Some(Tariff {
                prices: Arc::clone(prices),
                place: Place {
                    geography: geography.map(Arc::from),
                    region: Arc::from(region),
                },
            })
        };
        if let Some(own) = tariff(called, None) {
            return Some(own);
        }
        let arn = Arn::parse(called);
        if arn.is_some_and(|arn| !has_price_of_model(arn.kind)) {
            return None;
        }
        let id = match arn {
            Some(arn) => arn.id().or(behind)?,
            None => called,
        };
        let Some(base) = self.base_id(id) else {
            return tariff(behind?, None);
        };
        let geography = id.strip_suffix(base).and_then(|before| before.strip_suffix('.'));
        tariff(base, geography).or_else(|| tariff(behind?, geography))
    }
}

/// Whether what an ARN of this kind stands for costs what its model costs.
fn has_price_of_model(kind: &str) -> bool {
    matches!(
        kind,
        "foundation-model" | "inference-profile" | "application-inference-profile"
    )
}
