//! Sums by time and by what else: the database has quarters of an hour, which fit into the hours and days of all zones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use outcrop_store::{GroupBy, UsageRow};
use outcrop_tenants::{Money, TokenCounts};
use serde_json::{Value, json};

use super::super::tenancy::Book;

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Day,
    Hour,
    Group(GroupBy),
}

const WORDS: [(&str, By); 13] = [
    ("day", By::Day),
    ("hour", By::Hour),
    ("model", By::Group(GroupBy::Model)),
    ("called-model", By::Group(GroupBy::CalledModel)),
    ("key", By::Group(GroupBy::Key)),
    ("project", By::Group(GroupBy::Project)),
    ("organization", By::Group(GroupBy::Organization)),
    ("user", By::Group(GroupBy::User)),
    ("endpoint", By::Group(GroupBy::Endpoint)),
    ("operation", By::Group(GroupBy::Operation)),
    ("region", By::Group(GroupBy::Region)),
    ("account", By::Group(GroupBy::Account)),
    ("tier", By::Group(GroupBy::Tier)),
];

impl By {
    pub(super) fn named(word: &str) -> Option<Self> {
        WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, by)| by)
    }

    pub(super) fn word(self) -> &'static str {
        let found = WORDS.into_iter().find(|(_, by)| *by == self);
        found.map_or("", |(word, _)| word)
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Hour)
    }

    /// What the database groups by.
    pub(super) fn group(self) -> Option<GroupBy> {
        match self {
            Self::Group(group) => Some(group),
            _ => None,
        }
    }
}

/// One sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    /// What it is of, as people call it, in the order that was asked for.
    pub(super) names: Vec<String>,
    /// The same as the database has it.
    pub(super) ids: Vec<String>,
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) cache_hits: u64,
    pub(super) estimated: u64,
    pub(super) unpriced: u64,
    pub(super) tokens: TokenCounts,
    pub(super) cost: Money,
    pub(super) cache_savings: Money,
}

impl Sum {
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.cache_hits += other.cache_hits;
        self.estimated += other.estimated;
        self.unpriced += other.unpriced;
        self.cost += other.cost;
        self.cache_savings += other.cache_savings;
        let (all, more) = (&mut self.tokens, &other.tokens);
        all.input += more.input;
        all.output += more.output;
        all.cache_read += more.cache_read;
        all.cache_write += more.cache_write;
        all.cache_write_1h += more.cache_write_1h;
        all.reasoning += more.reasoning;
        all.images += more.images;
        all.searches += more.searches;
    }

    pub(super) fn view(&self, by: &[By]) -> Value {
        let mut view = json!({});
        for ((by, name), id) in by.iter().zip(&self.names).zip(&self.ids) {
            let word = by.word().replace('-', "_");
            if has_ids(*by) {
                view[format!("{word}_id")] = none_if_empty(id);
            }
            view[word] = none_if_empty(name);
        }
        view["requests"] = self.requests.into();
        view["failed"] = self.failed.into();
        view["cache_hits"] = self.cache_hits.into();
        view["estimated"] = self.estimated.into();
        view["unpriced"] = self.unpriced.into();
        view["tokens"] = json!(self.tokens);
        view["cost_usd"] = json!(self.cost);
        view["cache_savings_usd"] = json!(self.cache_savings);
        view
    }
}

fn none_if_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// Whether what it is by has an id besides its name.
pub(super) fn has_ids(by: By) -> bool {
    matches!(by, By::Group(GroupBy::Key | GroupBy::Project | GroupBy::Organization))
}

/// Sums of what the database has, in the order of time, and then the dearest first.
pub(super) fn fold(rows: Vec<UsageRow>, by: &[By], zone: &TimeZone, book: &Book) -> Vec<Sum> {
    let mut sums: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
    for row in rows {
        let mut groups = row.group.into_iter();
        let ids: Vec<String> = by
            .iter()
            .map(|by| match by {
                By::Day => slot(row.start, zone, "%Y-%m-%d"),
                // With its distance from UTC: in autumn, there is an hour twice.
                By::Hour => slot(row.start, zone, "%Y-%m-%d %H:00%:z"),
                By::Group(_) => groups.next().unwrap_or_default(),
            })
            .collect();
        let part = Sum {
            names: by.iter().zip(&ids).map(|(by, id)| name(*by, id, book)).collect(),
            ids: ids.clone(),
            requests: row.requests,
            failed: row.failed,
            cache_hits: row.cache_hits,
            estimated: row.estimated,
            unpriced: row.unpriced,
            tokens: row.tokens,
            cost: row.cost,
            cache_savings: row.cache_savings,
        };
        match sums.entry(ids) {
            std::collections::btree_map::Entry::Occupied(mut there) => there.get_mut().add(&part),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(part);
            }
        }
    }
    let times = |sum: &Sum| -> Vec<String> {
        let slots = by.iter().zip(&sum.ids).filter(|(by, _)| by.is_time());
        slots.map(|(_, id)| id.clone()).collect()
    };
    let mut sums: Vec<Sum> = sums.into_values().collect();
    sums.sort_by(|one, other| times(one).cmp(&times(other)).then_with(|| other.cost.cmp(&one.cost)));
    sums
}

fn name(by: By, id: &str, book: &Book) -> String {
    match by {
        _ if id.is_empty() => String::new(),
        By::Group(GroupBy::Key) => book.key_name(id),
        By::Group(GroupBy::Project) => book.path(id),
        By::Group(GroupBy::Organization) => book.organization_name(id),
        _ => id.to_owned(),
    }
}

fn slot(millis: i64, zone: &TimeZone, format: &str) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(at) => at.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => millis.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_where_they_do_and_an_hour_may_be_there_twice() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(slot(at("2026-11-20T23:00:00Z"), &paris, "%Y-%m-%d"), "2026-11-21");
        let hour = |text| slot(at(text), &paris, "%Y-%m-%d %H:00%:z");
        assert_eq!(hour("2026-10-25T00:45:00Z"), "2026-10-25 02:00+02:00");
        assert_eq!(hour("2026-10-25T01:00:00Z"), "2026-10-25 02:00+01:00");
    }
}
