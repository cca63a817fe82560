//! The gateway's usage beside the lines of a bill, by model and day.

use std::collections::BTreeMap;

use outcrop_store::UsageRow;
use outcrop_tenants::Money;

use super::bill::{Bill, Line};
use super::names::Names;
use super::usage_type::{Kind, UsageType};

/// Below this nobody looks for a reason: costs of small calls are rounded.
const CENT: i64 = 10_000_000;

/// Tokens, and what else is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) cache_write_1h: u64,
    pub(super) images: u64,
    pub(super) searches: u64,
}

/// A model's day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) day: String,
    pub(super) model: String,
    pub(super) ours: Money,
    pub(super) theirs: Money,
    pub(super) our_tokens: Kinds,
    pub(super) their_tokens: Kinds,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// By day and model.
    pub(super) rows: Vec<Row>,
    /// What lines cost that no model is known for, by usage type and product.
    pub(super) unmatched: BTreeMap<(String, String), Money>,
    /// What lines cost that aren't usage, by their kind.
    pub(super) others: BTreeMap<String, Money>,
}

/// Compares them.
pub(super) fn compare(usage: &[UsageRow], bill: &Bill, names: &Names<'_>) -> Comparison {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut row_of = |day: &str, model: &str, change: &mut dyn FnMut(&mut Row)| {
        let row = rows.entry((day.to_owned(), model.to_owned())).or_insert_with(|| Row {
            day: day.to_owned(),
            model: model.to_owned(),
            ..Row::default()
        });
        change(row);
    };
    for ours in usage {
        let name = ours.group.first().map(String::as_str).unwrap_or_default();
        let model = names.of_id(name).unwrap_or(name);
        row_of(&day_text(ours.start), model, &mut |row| {
            row.ours += ours.cost;
            row.our_tokens.add(&Kinds {
                input: ours.tokens.input,
                output: ours.tokens.output,
                cache_read: ours.tokens.cache_read,
                cache_write: ours.tokens.cache_write,
                cache_write_1h: ours.tokens.cache_write_1h,
                images: ours.tokens.images,
                searches: ours.tokens.searches,
            });
        });
    }
    let mut comparison = Comparison::default();
    for line in &bill.lines {
        if let Some(kind) = &line.other {
            *comparison.others.entry(kind.clone()).or_default() += line.cost;
            continue;
        }
        let usage_type = UsageType::parse(&line.usage_type);
        let of_resource = names.of_id(&line.resource);
        let of_type = usage_type.model.and_then(|model| names.of_name(model));
        let Some(model) = of_resource.or(of_type).or_else(|| names.of_name(&line.product)) else {
            let what = (line.usage_type.clone(), line.product.clone());
            *comparison.unmatched.entry(what).or_default() += line.cost;
            continue;
        };
        row_of(&line.day, model, &mut |row| {
            row.theirs += line.cost;
            row.their_tokens.add(&counted(line, &usage_type));
        });
    }
    comparison.rows = rows.into_values().collect();
    comparison
}

/// What a line counts, in single tokens.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "amounts are neither negative nor beyond what a float holds exactly; a cast saturates"
)]
fn counted(line: &Line, usage_type: &UsageType<'_>) -> Kinds {
    let unit = line.unit.to_ascii_lowercase();
    let is_of_things = matches!(usage_type.kind, Kind::Images | Kind::Searches);
    let times = match () {
        () if is_of_things => 1.0,
        () if unit.contains("1m") || unit.contains("million") => 1e6,
        () if unit.contains("1k") => 1e3,
        () if unit == "tokens" || unit == "token" => 1.0,
        // The marketplace says `Units`, and means a million of them.
        () if usage_type.is_of_marketplace => 1e6,
        () => 1e3,
    };
    let count = (line.amount * times).round() as u64;
    let mut kinds = Kinds::default();
    match usage_type.kind {
        Kind::Input => kinds.input = count,
        Kind::Output => kinds.output = count,
        Kind::CacheRead => kinds.cache_read = count,
        Kind::CacheWrite => kinds.cache_write = count,
        Kind::CacheWrite1h => kinds.cache_write_1h = count,
        Kind::Images => kinds.images = count,
        Kind::Searches => kinds.searches = count,
        Kind::Other => {}
    }
    kinds
}

impl Kinds {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.cache_write_1h, other.cache_write_1h),
            (&mut self.images, other.images),
            (&mut self.searches, other.searches),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
    }

    /// What was read from the cache or written to it.
    pub(super) fn cached(&self) -> u64 {
        self.cache_read
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_write_1h)
    }
}

impl Row {
    /// What AWS charges more.
    pub(super) fn difference(&self) -> Money {
        self.theirs - self.ours
    }

    /// The same in percent of what AWS charges.
    pub(super) fn percent(&self) -> Option<f64> {
        (self.theirs.nanos() != 0).then(|| self.difference().dollars() / self.theirs.dollars() * 100.0)
    }

    pub(super) fn is_within(&self, tolerance: f64) -> bool {
        self.difference().nanos().saturating_abs() < CENT
            || self.percent().is_some_and(|percent| percent.abs() <= tolerance)
    }
}

impl Comparison {
    /// The sum of all rows.
    pub(super) fn total(&self) -> Row {
        let mut total = Row {
            day: "total".to_owned(),
            ..Row::default()
        };
        for row in &self.rows {
            total.ours += row.ours;
            total.theirs += row.theirs;
            total.our_tokens.add(&row.our_tokens);
            total.their_tokens.add(&row.their_tokens);
        }
        total
    }

    /// Whether no day of a model differs by more, and what has no model is no more of it all.
    pub(super) fn is_within(&self, tolerance: f64) -> bool {
        let unmatched: Money = self.unmatched.values().copied().sum();
        let all = Row {
            theirs: self.total().theirs + unmatched,
            ours: self.total().theirs,
            ..Row::default()
        };
        all.is_within(tolerance) && self.rows.iter().all(|row| row.is_within(tolerance))
    }
}

/// Days since 1970 of a day such as 2026-11-21 (Howard Hinnant's "days from civil").
pub(in crate::commands) fn day_number(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The day of milliseconds since 1970 (his "civil from days").
fn day_text(milliseconds: i64) -> String {
    let days = milliseconds.div_euclid(super::DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
