//! `outcrop prices check`: whether models have prices, from where, how old they are, and whether they are sound.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use outcrop_server::Catalogue;
use outcrop_server::catalogue::{Fact, Modality, Model, Prices, Rates, Status};
use serde_json::{Value, json};

use super::show::FIELDS;
use crate::cli;
use crate::commands::models::{base_id, table};
use crate::commands::usage::day_number as day;
use crate::commands::{complain, print_page};
use crate::failure::Failure;
use crate::settings::load;

/// One thing that is not in order.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    model: String,
    /// `missing`, `source`, `old`, `unsound`.
    kind: &'static str,
    message: String,
}

/// What is to be found.
struct Wanted {
    /// The day, in days since 1970.
    today: i64,
    max_age: i64,
    allows_unpriced: bool,
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let catalogue = &loaded.settings.models;
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs());
    let wanted = Wanted {
        today: i64::try_from(seconds / 86_400).unwrap_or(i64::MAX),
        max_age: matches.get_one::<u32>("max-age").copied().map_or(i64::MAX, i64::from),
        allows_unpriced: matches.get_flag("allow-unpriced"),
    };
    let models: Vec<&Model> = match matches.get_many::<String>("model") {
        Some(names) => names
            .map(|name| named(name, &loaded.settings))
            .collect::<Result<_, _>>()?,
        None => catalogue.models().filter(|model| is_callable(model)).collect(),
    };
    let findings: Vec<Finding> = models
        .iter()
        .flat_map(|model| check(catalogue, model, &wanted))
        .collect();
    if matches.get_flag("json") {
        let found: Vec<Value> = findings
            .iter()
            .map(|one| json!({ "model": one.model, "kind": one.kind, "message": one.message }))
            .collect();
        let page = json!({ "checked": models.len(), "in_order": findings.is_empty(), "findings": found });
        print_page(&format!("{page:#}\n"))?;
    } else {
        print_page(&page(models.len(), &findings))?;
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Failure::Prices(findings.len()))
    }
}

fn named<'s>(name: &str, settings: &'s crate::settings::Settings) -> Result<&'s Model, Failure> {
    let id = base_id(name, settings)?;
    let model = settings.models.model(&id);
    model.ok_or_else(|| Failure::NoPrice(format!("{id} has no row in the catalogue, and so no price")))
}

/// Whether the gateway calls it: models over two-way streams or in the background aren't.
fn is_callable(model: &Model) -> bool {
    model.lifecycle.status != Status::Retired && !model.apis.is_empty() && model.base_model.is_none()
}

fn page(checked: usize, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return format!("the prices of {checked} models are in order\n");
    }
    let head = ["MODEL", "WHAT", "WHY"].map(str::to_owned);
    let rows = findings
        .iter()
        .map(|one| [one.model.clone(), one.kind.to_owned(), one.message.clone()]);
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    table(&rows, "")
}

fn check(catalogue: &Catalogue, model: &Model, wanted: &Wanted) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |kind, message: String| {
        findings.push(Finding {
            model: model.id.clone(),
            kind,
            message,
        });
    };
    let Some(prices) = model.prices.as_deref() else {
        if !wanted.allows_unpriced {
            find("missing", "it has no price".to_owned());
        }
        return findings;
    };
    if !wanted.allows_unpriced {
        missing(model, prices).for_each(|what| find("missing", format!("it has no price for {what}")));
    }
    let facts = catalogue.facts(&model.id);
    let facts: Vec<&Fact> = facts.iter().filter(|fact| FIELDS.contains(&fact.field)).collect();
    for fact in &facts {
        match &fact.source {
            None => find(
                "source",
                format!("{} of {} don't say where they are from", fact.field, fact.file),
            ),
            Some(source) => match day(&source.read) {
                None => find("source", format!("{}: '{}' is no day", fact.field, source.read)),
                Some(read) if wanted.today - read > wanted.max_age => {
                    let days = wanted.today - read;
                    find(
                        "old",
                        format!("{} were read on {}, {days} days ago", fact.field, source.read),
                    );
                }
                Some(_) => {}
            },
        }
    }
    unsound(model, prices)
        .into_iter()
        .for_each(|message| find("unsound", message));
    let file_of = |field: &str| {
        facts
            .iter()
            .find(|fact| fact.field == field)
            .map(|fact| fact.file.as_str())
    };
    for field in &FIELDS[1..3] {
        if let (Some(base), Some(other)) = (file_of("prices"), file_of(field))
            && base != other
        {
            find(
                "unsound",
                format!("`prices` are those of {base}, but `{field}` still those of {other}"),
            );
        }
    }
    findings
}

/// What the model is used for, and has no price.
fn missing<'p>(model: &Model, prices: &'p Prices) -> impl Iterator<Item = &'static str> + use<'p> {
    let rates = &prices.base;
    let is_for = |modality| model.output.contains(modality);
    let needed = [
        (is_for(Modality::Text), rates.input.is_some(), "input"),
        (is_for(Modality::Text), rates.output.is_some(), "output"),
        (is_for(Modality::Embedding), rates.input.is_some(), "input"),
        (is_for(Modality::Image), !prices.images.is_empty(), "images"),
        (is_for(Modality::Ranking), rates.search.is_some(), "searches"),
    ];
    needed
        .into_iter()
        .filter(|(is_needed, is_there, _)| *is_needed && !is_there)
        .map(|(_, _, what)| what)
}

fn unsound(model: &Model, prices: &Prices) -> Vec<String> {
    let mut found = Vec::new();
    let mut each = |place: &str, rates: &Rates| {
        if rates
            .cache_read
            .zip(rates.input)
            .is_some_and(|(read, input)| read > input)
        {
            found.push(format!("reading from the cache costs more than reading ({place})"));
        }
        if rates
            .cache_write_1h
            .zip(rates.cache_write)
            .is_some_and(|(hour, minutes)| hour < minutes)
        {
            found.push(format!(
                "writing for an hour costs less than for five minutes ({place})"
            ));
        }
    };
    each("by default", &prices.base);
    for other in &prices.geographic {
        each(&other.profiles.join(","), &other.rates);
    }
    for special in &prices.special {
        special.rates.iter().for_each(|rates| each("on special terms", rates));
    }
    for profile in prices.geographic.iter().flat_map(|other| &other.profiles) {
        if !model.profiles.contains(profile) {
            found.push(format!("it has prices for `{profile}`, but no such profile"));
        }
    }
    for length in prices
        .special
        .iter()
        .filter(|special| special.profiles.is_empty())
        .filter_map(|special| special.above_input)
    {
        let has_it = |profile: &String| {
            let mut same = prices
                .special
                .iter()
                .filter(|special| special.above_input == Some(length));
            same.any(|special| special.profiles.contains(profile))
        };
        for profile in prices
            .geographic
            .iter()
            .flat_map(|other| &other.profiles)
            .filter(|profile| !has_it(profile))
        {
            found.push(format!("there is no price above {length} tokens for `{profile}`"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(today: &str) -> Wanted {
        Wanted {
            today: day(today).unwrap(),
            max_age: 30,
            allows_unpriced: false,
        }
    }

    fn kinds(catalogue: &Catalogue, id: &str, today: &str) -> Vec<&'static str> {
        let model = catalogue.model(id).unwrap();
        check(catalogue, model, &wanted(today))
            .into_iter()
            .map(|one| one.kind)
            .collect()
    }

    #[test]
    fn days_are_counted() {
        for (text, days) in [("1970-01-01", 0), ("2000-03-01", 11_017), ("2026-11-21", 20_778)] {
            assert_eq!(day(text), Some(days), "{text}");
        }
        assert_eq!(day("soon"), None);
    }

    #[test]
    fn what_is_missing_old_or_unsound_is_found() {
        let built_in = Catalogue::built_in();
        let lite = "amazon.nova-lite-v1:0";
        assert_eq!(kinds(built_in, lite, "2026-11-30"), [""; 0]);
        assert_eq!(kinds(built_in, lite, "2027-11-30"), ["old", "old"]);
        let toml = r#"
            [[model]]
            id = "amazon.nova-lite-v1:0"
            prices = { input = 1, output = 2, cache_read = 3 }

            [[model]]
            id = "acme.model-1"

            [[model]]
            id = "acme.painter-1"
            output = ["image"]
            prices = { input = 1 }
        "#;
        let catalogue = built_in.with("own.toml", toml).unwrap();
        assert_eq!(kinds(&catalogue, lite, "2026-11-30"), ["source", "unsound", "unsound"]);
        assert_eq!(kinds(&catalogue, "acme.model-1", "2026-11-30"), ["missing"]);
        assert_eq!(kinds(&catalogue, "acme.painter-1", "2026-11-30"), ["missing", "source"]);
    }

    #[test]
    fn the_built_in_prices_are_sound() {
        let built_in = Catalogue::built_in();
        let findings = built_in
            .models()
            .flat_map(|model| check(built_in, model, &wanted("2026-11-21")));
        let unsound: Vec<Finding> = findings.filter(|one| one.kind != "missing").collect();
        assert_eq!(unsound, []);
    }
}
