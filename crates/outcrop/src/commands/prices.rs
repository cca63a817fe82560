//! `outcrop prices`: what models cost, as the catalogue knows it.

mod check;
mod estimate;
mod list;
mod show;

use clap::ArgMatches;
use outcrop_server::catalogue::{Latency, Price, Prices, Rates, SpecialRates};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Runs a subcommand.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("list", matches)) => list::run(matches),
        Some(("show", matches)) => show::run(matches),
        Some(("check", matches)) => check::run(matches),
        Some(("estimate", matches)) => estimate::run(matches),
        // The command line requires one and knows no other.
        _ => Ok(()),
    }
}

/// A price as people read it; nothing where there is none.
fn shown(price: Option<Price>) -> String {
    price.map(|price| format!("${price}")).unwrap_or_default()
}

fn rates_json(rates: &Rates) -> Value {
    let all = [
        ("input", rates.input),
        ("output", rates.output),
        ("cache_read", rates.cache_read),
        ("cache_write", rates.cache_write),
        ("cache_write_1h", rates.cache_write_1h),
        ("input_image", rates.input_image),
        ("search", rates.search),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, price)| Some((name.to_owned(), json!(price?))));
    Value::Object(known.collect())
}

fn prices_json(prices: &Prices) -> Value {
    let geographic = prices.geographic.iter();
    let geographic: Vec<Value> = geographic
        .map(|other| json!({ "profiles": other.profiles, "rates": rates_json(&other.rates) }))
        .collect();
    let special: Vec<Value> = prices.special.iter().map(special_json).collect();
    let images = prices.images.iter();
    let images: Vec<Value> = images
        .map(|image| json!({ "quality": image.quality, "pixels": image.pixels, "price": image.price }))
        .collect();
    json!({
        "currency": "USD",
        "rates": rates_json(&prices.base),
        "geographic": geographic,
        "special": special,
        "images": images,
    })
}

fn special_json(special: &SpecialRates) -> Value {
    json!({
        "profiles": special.profiles,
        "regions": special.regions,
        "tier": special.tier.map(|tier| tier.name()),
        "latency": special.latency.map(|Latency::Optimized| "optimized"),
        "batch": special.batch,
        "above_input": special.above_input,
        "rates": special.rates.as_ref().map(rates_json),
        "factor": special.factor,
    })
}
