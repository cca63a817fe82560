//! `outcrop prices show`: all prices of a model, and where they are from.

use clap::ArgMatches;
use outcrop_server::catalogue::{Fact, Prices, Rates, SpecialRates};
use serde_json::{Value, json};

use super::{prices_json, shown};
use crate::cli;
use crate::commands::models::{base_id, table};
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::load;

/// The fields that hold prices.
pub(super) const FIELDS: [&str; 4] = ["prices", "geographic_prices", "special_prices", "image_prices"];

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let name = matches.get_one::<String>("name").map(String::as_str);
    let id = base_id(name.unwrap_or_default(), &loaded.settings)?;
    let catalogue = &loaded.settings.models;
    let priced = catalogue.model(&id).and_then(|model| model.prices.as_deref());
    let prices = priced.ok_or_else(|| Failure::NoPrice(format!("nobody knows what {id} costs")))?;
    let facts: Vec<Fact> = catalogue
        .facts(&id)
        .into_iter()
        .filter(|fact| FIELDS.contains(&fact.field))
        .collect();
    if matches.get_flag("json") {
        let sources: Vec<Value> = facts.iter().map(source_json).collect();
        let page = json!({ "id": id, "object": "model", "prices": prices_json(prices), "sources": sources });
        return print_page(&format!("{page:#}\n"));
    }
    let mut page = format!("{id}\n\n{}", table(&rows(prices), ""));
    if !prices.images.is_empty() {
        page.push_str(&format!("\n{}", table(&image_rows(prices), "")));
    }
    page.push('\n');
    for fact in &facts {
        let source = match &fact.source {
            Some(source) => format!("{}, read {}", source.title, source.read),
            None => "source not said".to_owned(),
        };
        page.push_str(&format!("{}: {}: {source}\n", fact.field, fact.file));
    }
    print_page(&page)
}

fn source_json(fact: &Fact) -> Value {
    json!({
        "field": fact.field,
        "file": fact.file,
        "title": fact.source.as_ref().map(|source| &source.title),
        "read": fact.source.as_ref().map(|source| &source.read),
    })
}

fn rows(prices: &Prices) -> Vec<[String; 8]> {
    let head = [
        "TERMS",
        "INPUT",
        "OUTPUT",
        "CACHE READ",
        "WRITE 5M",
        "WRITE 1H",
        "IMAGE READ",
        "SEARCH",
    ];
    let mut rows = vec![head.map(str::to_owned), row("by default".to_owned(), &prices.base)];
    for other in &prices.geographic {
        rows.push(row(other.profiles.join(","), &other.rates));
    }
    for special in &prices.special {
        let terms = terms(special);
        if let Some(rates) = &special.rates {
            rows.push(row(terms.clone(), rates));
        }
        if let Some(factor) = special.factor {
            let mut cells = row(terms, &Rates::default());
            cells[1] = format!("all × {factor}");
            rows.push(cells);
        }
    }
    rows
}

fn terms(special: &SpecialRates) -> String {
    let mut terms = Vec::new();
    terms.extend((!special.profiles.is_empty()).then(|| special.profiles.join(",")));
    terms.extend((!special.regions.is_empty()).then(|| special.regions.join(",")));
    terms.extend(special.tier.map(|tier| tier.name().to_owned()));
    terms.extend(special.latency.map(|_| "latency-optimized".to_owned()));
    terms.extend(special.batch.then(|| "batch".to_owned()));
    terms.extend(
        special
            .above_input
            .map(|tokens| format!("over {tokens} tokens of input")),
    );
    terms.join(", ")
}

fn row(terms: String, rates: &Rates) -> [String; 8] {
    [
        terms,
        shown(rates.input),
        shown(rates.output),
        shown(rates.cache_read),
        shown(rates.cache_write),
        shown(rates.cache_write_1h),
        shown(rates.input_image),
        shown(rates.search),
    ]
}

fn image_rows(prices: &Prices) -> Vec<[String; 3]> {
    let head = ["IMAGE OF QUALITY", "UP TO PIXELS", "PRICE"].map(str::to_owned);
    let rows = prices.images.iter().map(|image| {
        [
            image.quality.clone().unwrap_or_else(|| "any".to_owned()),
            image
                .pixels
                .map_or_else(|| "any".to_owned(), |pixels| pixels.to_string()),
            format!("${}", image.price),
        ]
    });
    std::iter::once(head).chain(rows).collect()
}
