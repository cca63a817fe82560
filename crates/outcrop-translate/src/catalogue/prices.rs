//! What models cost, and what a call costs by it.

mod amount;
mod cost;
mod rules;
mod tariff;
#[cfg(test)]
mod tests;

pub use amount::Price;
pub use cost::{Ask, Consumption, Cost, Images, Place, Terms};
pub use rules::{GeographicRates, ImagePrice, Latency, Prices, Rates, SpecialRates};
pub use tariff::Tariff;
