//! `outcrop prices list`: what models cost as they are called by default.

use clap::ArgMatches;
use outcrop_server::catalogue::{Model, Prices};
use serde_json::{Value, json};

use super::{prices_json, shown};
use crate::cli;
use crate::commands::models::table;
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::load;

const HEAD: [&str; 8] = [
    "ID",
    "INPUT",
    "OUTPUT",
    "CACHE READ",
    "WRITE 5M",
    "WRITE 1H",
    "ONE",
    "OTHERS",
];

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let models = loaded.settings.models.models();
    let priced = models.filter_map(|model| Some((model, model.prices.as_deref()?)));
    if matches.get_flag("json") {
        let data: Vec<Value> = priced
            .map(|(model, prices)| json!({ "id": model.id, "object": "model", "prices": prices_json(prices) }))
            .collect();
        return print_page(&format!("{:#}\n", json!({ "object": "list", "data": data })));
    }
    let rows: Vec<_> = std::iter::once(HEAD.map(str::to_owned))
        .chain(priced.map(|(model, prices)| row(model, prices)))
        .collect();
    print_page(&table(&rows, ""))
}

fn row(model: &Model, prices: &Prices) -> [String; 8] {
    let rates = &prices.base;
    [
        model.id.clone(),
        shown(rates.input),
        shown(rates.output),
        shown(rates.cache_read),
        shown(rates.cache_write),
        shown(rates.cache_write_1h),
        things(prices),
        others(prices),
    ]
}

/// What is paid for one by one.
fn things(prices: &Prices) -> String {
    let image = prices.images.iter().map(|image| image.price);
    let things = [
        (image.clone().min(), image.max(), "image"),
        (prices.base.input_image, prices.base.input_image, "image read"),
        (prices.base.search, prices.base.search, "search"),
    ];
    let told = things.into_iter().filter_map(|(least, most, what)| {
        let (least, most) = (least?, most?);
        Some(if least == most {
            format!("{what} ${least}")
        } else {
            format!("{what} ${least} to ${most}")
        })
    });
    told.collect::<Vec<_>>().join(", ")
}

/// On which terms there are other prices.
fn others(prices: &Prices) -> String {
    let profiles = prices
        .geographic
        .iter()
        .flat_map(|other| other.profiles.iter().cloned());
    let mut terms: Vec<String> = profiles.collect();
    for special in &prices.special {
        terms.extend(special.tier.map(|tier| tier.name().to_owned()));
        terms.extend(special.latency.map(|_| "optimized".to_owned()));
        terms.extend(special.batch.then(|| "batch".to_owned()));
        terms.extend(special.above_input.map(|tokens| format!("over {}K", tokens / 1000)));
        terms.extend((!special.regions.is_empty()).then(|| "regions".to_owned()));
    }
    let mut seen = Vec::new();
    for term in terms {
        if !seen.contains(&term) {
            seen.push(term);
        }
    }
    seen.join(",")
}
