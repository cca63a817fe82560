//! `outcrop usage reconcile`: the gateway's usage beside AWS's bill.

mod bill;
mod compare;
mod names;
#[cfg(test)]
mod tests;
mod usage_type;

pub(in crate::commands) use compare::day_number;

use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use outcrop_store::{Bucket, Filter, GroupBy, UsageQuery};
use serde_json::{Value, json};

use crate::cli;
use crate::commands::models::table;
use crate::commands::{block_on, complain, print_page};
use crate::configs::upstream_config;
use crate::database::open_kept;
use crate::failure::Failure;
use crate::settings::load;
use bill::Bill;
use compare::{Comparison, Kinds, Row, compare};
use names::Names;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let loaded = load(&cli::given(matches))?;
    complain(&loaded.warnings);
    let settings = &loaded.settings;
    let path = matches.get_one::<PathBuf>("bill").cloned().unwrap_or_default();
    let tolerance = matches.get_one::<f64>("tolerance").copied().unwrap_or_default();
    let shown = path.to_string_lossy().into_owned();
    let bytes = fs::read(&path).map_err(|source| Failure::ReadFile {
        path: shown.clone(),
        source,
    })?;
    let bill = Bill::read(&bytes).map_err(|message| Failure::Bill { path: shown, message })?;
    let rows = match bill.days() {
        None => Vec::new(),
        Some((first, last)) => block_on(async {
            let (store, _) = open_kept(settings, &upstream_config(settings)).await?;
            let query = UsageQuery {
                filter: Filter {
                    from: Some(first * DAY),
                    until: Some((last + 1) * DAY),
                    ..Filter::default()
                },
                bucket: Bucket::Day,
                group_by: vec![GroupBy::Model],
            };
            let rows = store.usage(&query).await?;
            store.close().await;
            Ok(rows)
        })?,
    };
    let comparison = compare(&rows, &bill, &Names::of(&settings.models));
    if matches.get_flag("json") {
        print_page(&format!("{:#}\n", to_json(&comparison, tolerance)))?;
    } else {
        print_page(&page(&comparison, tolerance))?;
    }
    if comparison.is_within(tolerance) {
        Ok(())
    } else {
        Err(Failure::Differs(tolerance))
    }
}

fn page(comparison: &Comparison, tolerance: f64) -> String {
    let head = [
        "DAY",
        "MODEL",
        "OURS",
        "AWS'S",
        "DIFFERENCE",
        "%",
        "INPUT",
        "OUTPUT",
        "CACHED",
        "",
    ]
    .map(str::to_owned);
    let rows = comparison.rows.iter().map(|row| cells(row, tolerance));
    let total = cells(&comparison.total(), tolerance);
    let rows: Vec<_> = std::iter::once(head).chain(rows).chain([total]).collect();
    let mut page = table(&rows, "");
    if !comparison.unmatched.is_empty() {
        page.push_str("\nLines of no model that the catalogue knows:\n");
        let head = ["USAGE TYPE", "PRODUCT", "COST"].map(str::to_owned);
        let unmatched = comparison
            .unmatched
            .iter()
            .map(|((usage_type, product), cost)| [usage_type.clone(), product.clone(), format!("${cost}")]);
        let rows: Vec<_> = std::iter::once(head).chain(unmatched).collect();
        page.push_str(&table(&rows, "  "));
    }
    for (kind, cost) in &comparison.others {
        page.push_str(&format!("\nNot compared: {kind} of ${cost}\n"));
    }
    page
}

fn cells(row: &Row, tolerance: f64) -> [String; 10] {
    let both = |ours: u64, theirs: u64| match (ours, theirs) {
        (0, 0) => String::new(),
        (ours, theirs) if ours == theirs => ours.to_string(),
        (ours, theirs) => format!("{ours} / {theirs}"),
    };
    let (ours, theirs) = (&row.our_tokens, &row.their_tokens);
    [
        row.day.clone(),
        row.model.clone(),
        format!("${}", row.ours),
        format!("${}", row.theirs),
        format!("${}", row.difference()),
        row.percent().map(|percent| format!("{percent:.2}")).unwrap_or_default(),
        both(ours.input, theirs.input),
        both(ours.output, theirs.output),
        both(ours.cached(), theirs.cached()),
        if row.is_within(tolerance) { "" } else { "differs" }.to_owned(),
    ]
}

fn to_json(comparison: &Comparison, tolerance: f64) -> Value {
    let tokens = |kinds: &Kinds| {
        json!({
            "input": kinds.input,
            "output": kinds.output,
            "cache_read": kinds.cache_read,
            "cache_write": kinds.cache_write,
            "cache_write_1h": kinds.cache_write_1h,
            "images": kinds.images,
            "searches": kinds.searches,
        })
    };
    let row = |row: &Row| {
        json!({
            "day": row.day,
            "model": row.model,
            "ours": { "cost": row.ours, "tokens": tokens(&row.our_tokens) },
            "aws": { "cost": row.theirs, "tokens": tokens(&row.their_tokens) },
            "difference": row.difference(),
            "percent": row.percent(),
            "within_tolerance": row.is_within(tolerance),
        })
    };
    let unmatched: Vec<Value> = comparison
        .unmatched
        .iter()
        .map(|((usage_type, product), cost)| json!({ "usage_type": usage_type, "product": product, "cost": cost }))
        .collect();
    json!({
        "currency": "USD",
        "tolerance_percent": tolerance,
        "within_tolerance": comparison.is_within(tolerance),
        "rows": comparison.rows.iter().map(row).collect::<Vec<_>>(),
        "total": row(&comparison.total()),
        "unmatched": unmatched,
        "not_compared": comparison.others,
    })
}
