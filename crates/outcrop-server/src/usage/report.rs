//! Sums of usage by slot and group.

use std::collections::BTreeMap;

use outcrop_store::{GroupBy, Store, UsageQuery, UsageRow};
use outcrop_tenants::TokenCounts;
use outcrop_translate::Problem;

use super::access::Scope;
use super::query::{Question, invalid};
use super::slots::{Slot, slot_of};
use super::unavailable;

/// What is answered.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) slots: Vec<(Slot, Vec<UsageRow>)>,
    /// Where the next page begins.
    pub(super) next: Option<i64>,
}

impl Report {
    /// Asks for it.
    pub(super) async fn fetch(store: &Store, scope: &Scope, question: &Question) -> Result<Self, Problem> {
        let Question { from, until, zone, .. } = question;
        let too_far = |_| invalid("from", &from.to_string(), "a time that there is in the time zone");
        let (slots, has_more) = question
            .width
            .slots(*from, *until, zone, question.limit)
            .map_err(too_far)?;
        let Some(last) = slots.last() else {
            return Ok(Self::default());
        };
        let next = has_more.then_some(last.end);
        let mut filter = question.filter.clone();
        filter.from = Some(*from);
        filter.until = Some(last.end.min(*until));
        if !scope.narrow(&mut filter) {
            return Ok(Self::of(&slots, Vec::new(), next));
        }
        let query = UsageQuery {
            filter,
            bucket: question.width.bucket(zone),
            group_by: question.group_by.clone(),
        };
        let rows = store.usage(&query).await.map_err(|error| unavailable(&error))?;
        Ok(Self::of(&slots, rows, next))
    }

    /// Adds sums up to those of the slots.
    fn of(slots: &[Slot], rows: Vec<UsageRow>, next: Option<i64>) -> Self {
        let mut sums: Vec<BTreeMap<Vec<String>, UsageRow>> = slots.iter().map(|_| BTreeMap::new()).collect();
        for row in rows {
            // All in one has no beginning.
            let start = if slots.len() == 1 { slots[0].start } else { row.start };
            if let Some(sums) = slot_of(slots, start).and_then(|index| sums.get_mut(index)) {
                match sums.get_mut(&row.group) {
                    Some(sum) => add(sum, &row),
                    None => {
                        sums.insert(row.group.clone(), row);
                    }
                }
            }
        }
        let rows = sums.into_iter().map(|sums| sums.into_values().collect());
        Self {
            slots: slots.iter().copied().zip(rows).collect(),
            next,
        }
    }

    /// The sum of all.
    pub(super) fn total(&self) -> UsageRow {
        let mut total = UsageRow::default();
        for row in self.slots.iter().flat_map(|(_, rows)| rows) {
            add(&mut total, row);
        }
        total
    }
}

/// What a row is grouped by.
pub(super) fn group<'r>(question: &[GroupBy], row: &'r UsageRow, by: GroupBy) -> Option<&'r str> {
    let index = question.iter().position(|known| *known == by)?;
    row.group
        .get(index)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

pub(super) fn add(sum: &mut UsageRow, row: &UsageRow) {
    sum.requests += row.requests;
    sum.failed += row.failed;
    sum.cache_hits += row.cache_hits;
    sum.estimated += row.estimated;
    sum.unpriced += row.unpriced;
    sum.cost += row.cost;
    sum.cache_savings += row.cache_savings;
    let (all, more) = (&mut sum.tokens, &row.tokens);
    let TokenCounts {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h,
        reasoning,
        images,
        searches,
    } = all;
    for (all, more) in [
        (input, more.input),
        (output, more.output),
        (cache_read, more.cache_read),
        (cache_write, more.cache_write),
        (cache_write_1h, more.cache_write_1h),
        (reasoning, more.reasoning),
        (images, more.images),
        (searches, more.searches),
    ] {
        *all = all.saturating_add(more);
    }
}

#[cfg(test)]
mod tests {
    use outcrop_tenants::Money;

    use super::*;

    #[test]
    fn quarters_add_up_to_slots_by_group() {
        let slots = [Slot { start: 0, end: 1000 }, Slot { start: 1000, end: 2000 }];
        let row = |start, group: &str, nanos| UsageRow {
            start,
            group: vec![group.to_owned()],
            requests: 1,
            cost: Money::from_nanos(nanos),
            ..UsageRow::default()
        };
        let rows = vec![row(-5, "a", 1), row(999, "a", 2), row(10, "b", 4), row(1000, "a", 8)];
        let report = Report::of(&slots, rows, None);
        let sums: Vec<Vec<(&str, i64)>> = report
            .slots
            .iter()
            .map(|(_, rows)| {
                let of = |row: &'_ UsageRow| (row.group[0].clone(), row.cost.nanos());
                rows.iter().map(of).collect::<Vec<_>>()
            })
            .map(|rows| {
                rows.into_iter()
                    .map(|(group, nanos)| (if group == "a" { "a" } else { "b" }, nanos))
                    .collect()
            })
            .collect();
        assert_eq!(sums, [vec![("a", 3), ("b", 4)], vec![("a", 8)]]);
        assert_eq!(report.total().requests, 4);
        assert_eq!(report.total().cost.nanos(), 15);
    }
}
