//! `outcrop usage`: sums of requests, tokens and dollars.

mod csv;
mod reconcile;
mod sums;

pub(super) use self::reconcile::day_number;

use clap::ArgMatches;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use outcrop_store::{Bucket, Filter, GroupBy, UsageQuery};
use serde_json::{Value, json};

use self::sums::{By, Sum, fold};
use super::models::table::table;
use super::print_page;
use super::tenancy::{Book, align_right, dollars, note, or_dash, text, with_session};
use crate::cli::words::{Moment, start_of};
use crate::failure::Failure;

/// Runs it.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(("reconcile", matches)) = matches.subcommand() {
        return reconcile::run(matches);
    }
    with_session(matches, async |session| {
        let book = Book::read(session).await?;
        let zone = matches.get_one::<TimeZone>("zone").cloned().unwrap_or(TimeZone::UTC);
        let span = span(matches, &zone, session.now)?;
        let mut by: Vec<By> = Vec::new();
        for word in matches.get_many::<String>("by").into_iter().flatten() {
            match By::named(word) {
                Some(one) if !by.contains(&one) => by.push(one),
                _ => {}
            }
        }
        let query = UsageQuery {
            filter: filter(&book, matches, span)?,
            bucket: if by.iter().any(|one| one.is_time()) {
                Bucket::Quarter
            } else {
                Bucket::Whole
            },
            group_by: by.iter().filter_map(|one| one.group()).collect::<Vec<GroupBy>>(),
        };
        let rows = session.store.usage(&query).await?;
        let sums = fold(rows, &by, &zone, &book);
        let mut total = Sum::default();
        for sum in &sums {
            total.add(sum);
        }
        if matches.get_flag("csv") {
            return print_page(&csv::page(&by, &sums));
        }
        session.print(&view(&by, &sums, &total, span, &zone), || {
            page(&by, &sums, &total, span, &zone)
        })?;
        Ok(())
    })
}

/// From when to when, in seconds since 1970; the end is not part of it.
fn span(matches: &ArgMatches, zone: &TimeZone, now: i64) -> Result<(i64, i64), Failure> {
    if let Some(last) = matches.get_one::<i64>("last") {
        return Ok((now.saturating_sub(*last), now + 1));
    }
    let wrong = |flag| Failure::Tenancy(format!("{flag}: there is no such time"));
    let from = match matches.get_one::<Moment>("from").copied() {
        None => first_of_month(now, zone),
        Some(Moment::Span(seconds)) => Some(now.saturating_sub(seconds)),
        Some(Moment::Day(day)) => start_of(day, zone),
        Some(Moment::At(at)) => Some(at),
        Some(Moment::Never) => None,
    };
    let to = match matches.get_one::<Moment>("to").copied() {
        None => Some(now + 1),
        Some(Moment::Span(seconds)) => Some(now.saturating_sub(seconds)),
        // A day is meant as a whole.
        Some(Moment::Day(day)) => day.tomorrow().ok().and_then(|next| start_of(next, zone)),
        Some(Moment::At(at)) => Some(at),
        Some(Moment::Never) => None,
    };
    let (from, to) = (from.ok_or_else(|| wrong("--from"))?, to.ok_or_else(|| wrong("--to"))?);
    if from >= to {
        return Err(Failure::Tenancy("--from must be before --to".to_owned()));
    }
    Ok((from, to))
}

fn first_of_month(now: i64, zone: &TimeZone) -> Option<i64> {
    let day = Timestamp::from_second(now).ok()?.to_zoned(zone.clone()).date();
    start_of(day.first_of_month(), zone)
}

fn filter(book: &Book, matches: &ArgMatches, (from, to): (i64, i64)) -> Result<Filter, Failure> {
    let words = |id| text(matches, id).map(ToOwned::to_owned).into_iter().collect();
    let organization = text(matches, "organization")
        .map(|named| book.organization(named))
        .transpose()?;
    let project = text(matches, "project").map(|named| book.project(named)).transpose()?;
    let key = text(matches, "key").map(|named| book.credential(named)).transpose()?;
    Ok(Filter {
        from: Some(from.saturating_mul(1000)),
        until: Some(to.saturating_mul(1000)),
        organization_id: organization.map(|one| one.id.clone()),
        project_ids: project.map(|one| one.id.clone()).into_iter().collect(),
        key_ids: key.map(|one| one.id.clone()).into_iter().collect(),
        users: words("user"),
        models: words("model"),
        ..Filter::default()
    })
}

/// A moment in a time zone.
fn local(seconds: i64, zone: &TimeZone) -> String {
    match Timestamp::from_second(seconds) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string(),
        Err(_) => seconds.to_string(),
    }
}

fn zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some(name) => name.to_owned(),
        None => Timestamp::UNIX_EPOCH.to_zoned(zone.clone()).strftime("%:z").to_string(),
    }
}

fn view(by: &[By], sums: &[Sum], total: &Sum, (from, to): (i64, i64), zone: &TimeZone) -> Value {
    json!({
        "object": "list",
        "from": from,
        "to": to,
        "time_zone": zone_name(zone),
        "by": by.iter().map(|one| one.word()).collect::<Vec<_>>(),
        "data": sums.iter().map(|sum| sum.view(by)).collect::<Vec<_>>(),
        "total": total.view(&[]),
    })
}

fn page(by: &[By], sums: &[Sum], total: &Sum, (from, to): (i64, i64), zone: &TimeZone) -> String {
    let mut head = vec![by.iter().map(|one| one.word().to_uppercase()).collect::<Vec<_>>()];
    head.extend(
        sums.iter()
            .map(|sum| sum.names.iter().map(|name| or_dash(name)).collect()),
    );
    let mut last = vec![String::new(); by.len()];
    if let Some(first) = last.first_mut() {
        "TOTAL".clone_into(first);
    }
    head.push(last);
    // The table has a fixed number of columns: what sums are by becomes one of them.
    let groups = columns(&head);
    let numbers = [
        "REQUESTS",
        "FAILED",
        "INPUT",
        "CACHE READ",
        "CACHE WRITE",
        "OUTPUT",
        "COST",
        "CACHE SAVED",
    ];
    let mut rows = vec![numbers.map(str::to_owned)];
    rows.extend(sums.iter().chain([total]).map(numbers_of));
    align_right(&mut rows, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let rows: Vec<[String; 9]> = groups
        .into_iter()
        .zip(rows)
        .map(|(group, [a, b, c, d, e, f, g, h])| [group, a, b, c, d, e, f, g, h])
        .collect();
    let mut page = format!(
        "From {} to {}\n\n{}",
        local(from, zone),
        local(to, zone),
        table(&rows, "")
    );
    if total.unpriced > 0 {
        let count = total.unpriced;
        page += &format!("\n{count} requests have no price, and are not part of the cost: see outcrop prices.\n");
    }
    if total.estimated > 0 {
        page += &format!(
            "\n{} requests broke off; their tokens are estimated.\n",
            total.estimated
        );
    }
    if sums.is_empty() {
        note("Nobody asked anything in this time; --from or --last names another.");
    }
    page
}

/// Cells under each other, as one cell for each row.
fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

fn numbers_of(sum: &Sum) -> [String; 8] {
    let tokens = &sum.tokens;
    [
        sum.requests.to_string(),
        sum.failed.to_string(),
        tokens.input.to_string(),
        tokens.cache_read.to_string(),
        tokens.cache_write.saturating_add(tokens.cache_write_1h).to_string(),
        tokens.output.to_string(),
        dollars(sum.cost),
        dollars(sum.cache_savings),
    ]
}
