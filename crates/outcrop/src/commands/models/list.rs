//! `outcrop models list`: the models of the catalogue.

use clap::ArgMatches;
use outcrop_server::Catalogue;
use outcrop_server::catalogue::{Lifecycle, Modality, Model, Price, Prices, Set, Status, Word};
use serde_json::{Value, json};

use super::json::model as model_json;
use super::table::table;
use crate::cli;
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::load;

const HEAD: [&str; 8] = [
    "ID",
    "NAMES",
    "PROFILES",
    "IN→OUT",
    "APIS",
    "CONTEXT",
    "PRICE",
    "LIFECYCLE",
];

/// Lists them, by id.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let provider = matches.get_one::<String>("provider").map(String::as_str);
    let models = models(&loaded.settings.models, provider)?;
    if matches.get_flag("json") {
        let data: Vec<Value> = models.into_iter().map(model_json).collect();
        return print_page(&format!("{:#}\n", json!({ "object": "list", "data": data })));
    }
    let rows: Vec<_> = std::iter::once(HEAD.map(str::to_owned))
        .chain(models.into_iter().map(row))
        .collect();
    print_page(&table(&rows, ""))
}

fn models<'c>(catalogue: &'c Catalogue, asked: Option<&str>) -> Result<Vec<&'c Model>, Failure> {
    let Some(asked) = asked else {
        return Ok(catalogue.models().collect());
    };
    let is = |name: &str| name.eq_ignore_ascii_case(asked);
    let provider = catalogue
        .providers()
        .find(|provider| is(&provider.id) || is(&provider.name) || provider.also.iter().any(|also| is(also)))
        .ok_or_else(|| Failure::UnknownProvider {
            asked: asked.to_owned(),
            known: catalogue.providers().map(|provider| provider.id.clone()).collect(),
        })?;
    Ok(catalogue
        .models()
        .filter(|model| model.provider == provider.id)
        .collect())
}

fn row(model: &Model) -> [String; 8] {
    [
        model.id.clone(),
        model.short_names.join(","),
        profiles(model),
        format!("{}→{}", modalities(model.input), modalities(model.output)),
        words(model.apis.iter().copied(), ","),
        model.context.map(tokens).unwrap_or_default(),
        model.prices.as_deref().map(price).unwrap_or_default(),
        lifecycle(&model.lifecycle),
    ]
}

/// Geographies, and `-` for the bare id.
fn profiles(model: &Model) -> String {
    let bare = model.on_demand.then_some("-");
    let all: Vec<&str> = bare
        .into_iter()
        .chain(model.profiles.iter().map(String::as_str))
        .collect();
    all.join(",")
}

fn modalities(modalities: Set<Modality>) -> String {
    words(modalities.iter(), "+")
}

fn words<T: Word>(words: impl Iterator<Item = T>, between: &str) -> String {
    words.map(Word::name).collect::<Vec<_>>().join(between)
}

/// As people say it: `200K`, `1M`, and the number itself where that isn't round.
fn tokens(tokens: u64) -> String {
    match tokens {
        0 => "0".to_owned(),
        _ if tokens.is_multiple_of(1_000_000) => format!("{}M", tokens / 1_000_000),
        _ if tokens.is_multiple_of(1000) => format!("{}K", tokens / 1000),
        _ if tokens.is_multiple_of(1024) => format!("{}Ki", tokens / 1024),
        _ => tokens.to_string(),
    }
}

/// What is read and what is written.
fn price(prices: &Prices) -> String {
    let one = |price: Option<Price>| price.map_or_else(|| "?".to_owned(), |price| format!("${price}"));
    match prices.base.output {
        Some(_) => format!("{}/{}", one(prices.base.input), one(prices.base.output)),
        // Embeddings write no tokens.
        None => prices.base.input.map(|price| format!("${price}")).unwrap_or_default(),
    }
}

fn lifecycle(lifecycle: &Lifecycle) -> String {
    let mut text = lifecycle.status.name().to_owned();
    if let Some(day) = &lifecycle.end_of_life {
        let word = if lifecycle.status == Status::Retired {
            "since"
        } else {
            "until"
        };
        text.push_str(&format!(" {word} {day}"));
    }
    if let Some(successor) = &lifecycle.successor {
        text.push_str(&format!(" → {successor}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_round_where_they_can_be() {
        for (number, text) in [
            (0, "0"),
            (200_000, "200K"),
            (1_000_000, "1M"),
            (131_072, "128Ki"),
            (1500, "1500"),
        ] {
            assert_eq!(tokens(number), text);
        }
    }
}
