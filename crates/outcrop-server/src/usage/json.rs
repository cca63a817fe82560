//! Reports as JSON.

use outcrop_store::{GroupBy, UsageRow};
use serde_json::{Map, Value, json};

use super::query::{GROUPS, Question};
use super::report::{Report, group};
use super::slots::{Slot, zoned};
use crate::tenants::Directory;

/// The answer to `/v1/usage`.
pub(super) fn report(question: &Question, report: &Report, directory: &Directory) -> Value {
    let width = match question.width {
        super::slots::Width::Whole => "none",
        super::slots::Width::Minute => "minute",
        super::slots::Width::Hour => "hour",
        super::slots::Width::Day => "day",
        super::slots::Width::Month => "month",
    };
    let groups: Vec<&str> = GROUPS
        .iter()
        .filter(|(_, by)| question.group_by.contains(by))
        .map(|(name, _)| *name)
        .collect();
    let data: Vec<Value> = report
        .slots
        .iter()
        .map(|(slot, rows)| {
            let results: Vec<Value> = rows
                .iter()
                .map(|row| {
                    let mut members = named(question, row, directory);
                    members.extend(sums(row));
                    Value::Object(members)
                })
                .collect();
            let mut bucket = bounds(question, *slot);
            bucket.insert("results".to_owned(), results.into());
            Value::Object(bucket)
        })
        .collect();
    let whole = Slot {
        start: question.from,
        end: question.until,
    };
    let mut answer = Map::new();
    answer.insert("object".to_owned(), "usage".into());
    answer.extend(bounds(question, whole));
    answer.insert(
        "time_zone".to_owned(),
        question.zone.iana_name().unwrap_or("UTC").into(),
    );
    answer.insert("bucket".to_owned(), width.into());
    answer.insert("group_by".to_owned(), json!(groups));
    answer.insert("total".to_owned(), Value::Object(sums(&report.total())));
    answer.insert("data".to_owned(), data.into());
    answer.insert("has_more".to_owned(), report.next.is_some().into());
    answer.insert("next_page".to_owned(), report.next.map(|next| next.to_string()).into());
    Value::Object(answer)
}

/// Beginning and end, for programs and for people.
fn bounds(question: &Question, slot: Slot) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, text, at) in [("start_time", "start", slot.start), ("end_time", "end", slot.end)] {
        members.insert(name.to_owned(), at.div_euclid(1000).into());
        members.insert(text.to_owned(), local(question, at).into());
    }
    members
}

/// A moment with the offset of the time zone.
pub(super) fn local(question: &Question, at: i64) -> String {
    let text = zoned(at, &question.zone).map(|zoned| {
        let seconds = zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        seconds.replace("+00:00", "Z")
    });
    text.unwrap_or_default()
}

/// What a row is grouped by, with names for ids.
pub(super) fn named(question: &Question, row: &UsageRow, directory: &Directory) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, by) in GROUPS.iter().filter(|(_, by)| question.group_by.contains(by)) {
        let value = group(&question.group_by, row, *by);
        match name_of(*by, value, directory) {
            Some(known) => {
                members.insert(format!("{name}_id"), value.into());
                members.insert(format!("{name}_name"), known.into());
            }
            None => {
                members.insert((*name).to_owned(), value.into());
            }
        }
    }
    members
}

/// The name for an id; `None` where there are no ids.
pub(super) fn name_of(by: GroupBy, id: Option<&str>, directory: &Directory) -> Option<Option<String>> {
    let name = match by {
        GroupBy::Organization => id.and_then(|id| directory.organization(id)).map(|it| it.name.clone()),
        GroupBy::Project => id.and_then(|id| directory.project(id)).map(|it| it.name.clone()),
        GroupBy::Key => id
            .and_then(|id| directory.by_id(id))
            .map(|it| it.credential.name.clone()),
        _ => return None,
    };
    Some(name)
}

/// The sums of a row.
pub(super) fn sums(row: &UsageRow) -> Map<String, Value> {
    let tokens = &row.tokens;
    let written = tokens.cache_write.saturating_add(tokens.cache_write_1h);
    let members: [(&str, Value); 14] = [
        ("requests", row.requests.into()),
        ("failed", row.failed.into()),
        ("cache_hits", row.cache_hits.into()),
        ("input_tokens", tokens.all_input().into()),
        ("uncached_input_tokens", tokens.input.into()),
        ("cached_input_tokens", tokens.cache_read.into()),
        ("cache_write_tokens", written.into()),
        ("output_tokens", tokens.output.into()),
        ("images", tokens.images.into()),
        ("searches", tokens.searches.into()),
        ("cost", json!(row.cost)),
        ("cache_savings", json!(row.cache_savings)),
        ("estimated", row.estimated.into()),
        ("unpriced", row.unpriced.into()),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
