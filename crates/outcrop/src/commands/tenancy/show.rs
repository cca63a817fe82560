//! How times, dollars and settings are shown to people.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use outcrop_tenants::{Budget, Money, Settings, Status};
use serde_json::Value;

use super::super::models::table::table;

/// Cells of a bar.
const BAR: usize = 10;

/// A moment, to the minute.
pub(in crate::commands) fn moment(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// When something ends.
pub(in crate::commands) fn expiry(end: Option<i64>) -> String {
    end.map_or_else(|| "never".to_owned(), moment)
}

/// The same, in a sentence.
pub(in crate::commands) fn ending(end: Option<i64>) -> String {
    end.map_or_else(
        || "It doesn't expire.".to_owned(),
        |end| format!("It expires on {}.", moment(end)),
    )
}

pub(in crate::commands) fn dollars(amount: Money) -> String {
    match amount.nanos() < 0 {
        true => format!("-${}", Money::ZERO - amount),
        false => format!("${amount}"),
    }
}

/// Whether something may be used now.
pub(in crate::commands) fn status(status: Status, expires_at: Option<i64>, now: i64) -> &'static str {
    match status {
        Status::Active if expires_at.is_some_and(|end| end <= now) => "expired",
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Deleted => "revoked",
    }
}

pub(in crate::commands) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

/// A part of a whole as a bar, and in percent.
pub(in crate::commands) fn bar(some: Money, whole: Money) -> String {
    let (some, whole) = (i128::from(some.nanos().max(0)), i128::from(whole.nanos()));
    let percent = if whole == 0 { 100 } else { some * 100 / whole };
    let cells = usize::try_from(percent.min(100)).unwrap_or(100) * BAR / 100;
    // A little isn't nothing.
    let cells = if some > 0 { cells.max(1) } else { cells };
    format!("{}{} {percent}%", "█".repeat(cells), "░".repeat(BAR - cells))
}

/// Pads the cells of columns with numbers, so that their ends line up.
pub(in crate::commands) fn align_right<const COLUMNS: usize>(rows: &mut [[String; COLUMNS]], columns: &[usize]) {
    for column in columns {
        let length = |row: &[String; COLUMNS]| row.get(*column).map_or(0, |cell| cell.chars().count());
        let widest = rows.iter().map(length).max().unwrap_or_default();
        for row in rows.iter_mut() {
            if let Some(cell) = row.get_mut(*column) {
                *cell = format!("{cell:>widest$}");
            }
        }
    }
}

/// Names and values under each other; those without a value are left out.
pub(in crate::commands) fn facts(facts: Vec<(&str, String)>) -> String {
    let rows: Vec<[String; 2]> = facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| [name.to_owned(), value])
        .collect();
    table(&rows, "")
}

/// What settings say, a line for each.
pub(in crate::commands) fn summary(settings: &Settings) -> Vec<(&'static str, String)> {
    let tree = serde_json::to_value(settings).unwrap_or_default();
    let mut lines = Vec::new();
    for name in NAMES {
        let Some(value) = tree.get(name) else { continue };
        let text = match (*name, value) {
            ("budgets", _) => settings.budgets.iter().map(budget).collect::<Vec<_>>().join(", "),
            (_, value) => plain(value),
        };
        lines.push((*name, text));
    }
    lines
}

/// The settings, in the order in which they are shown.
const NAMES: &[&str] = &[
    "allowed_models",
    "denied_models",
    "allowed_endpoints",
    "allowed_networks",
    "requests_per_minute",
    "tokens_per_minute",
    "concurrent_requests",
    "concurrent_streams",
    "budgets",
    "parameters",
    "guardrail",
    "prompt_caching",
    "on_unsupported",
    "metadata",
    "aliases",
    "account",
    "region",
    "role_arn",
    "external_id",
    "session_tags",
];

/// Whether there is a setting of this name.
pub(super) fn is_setting(name: &str) -> bool {
    NAMES.contains(&name)
}

/// `$100.00/month, warns from 80%`.
pub(in crate::commands) fn budget(budget: &Budget) -> String {
    let mut text = format!("{}/{}", dollars(budget.limit_usd), budget.period.name());
    if budget.soft {
        text += " (soft)";
    }
    if let Some(part) = budget.warn_at {
        text += &format!(" (warns from {}%)", (part * 1000.0).round() / 10.0);
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}={}", plain(value)));
            members.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_settings_are_shown() {
        // What the type refuses by name is a list of what it has.
        let error = serde_json::from_value::<Settings>(json!({ "no_such": 1 }))
            .unwrap_err()
            .to_string();
        let (_, known) = error.split_once("expected one of ").unwrap();
        let known: Vec<&str> = known.split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(known, NAMES);
    }

    #[test]
    fn bars_show_a_little_and_stop_at_their_end() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        assert_eq!(bar(money("0"), money("10")), "░░░░░░░░░░ 0%");
        assert_eq!(bar(money("0.001"), money("10")), "█░░░░░░░░░ 0%");
        assert_eq!(bar(money("5.2"), money("10")), "█████░░░░░ 52%");
        assert_eq!(bar(money("12"), money("10")), "██████████ 120%");
        assert_eq!(bar(money("0"), money("0")), "██████████ 100%");
    }

    #[test]
    fn times_and_dollars_are_for_people() {
        assert_eq!(moment(1_795_297_568), "2026-11-21 21:46 UTC");
        assert_eq!(dollars("-1.5".parse().unwrap()), "-$1.50");
        assert_eq!(dollars("0.000123".parse().unwrap()), "$0.000123");
    }
}
