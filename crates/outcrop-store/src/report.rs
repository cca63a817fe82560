//! Sums of usage, and lists of it.

use std::fmt::Write as _;

use outcrop_tenants::{Money, UsageRecord};

use crate::conditions::Conditions;
use crate::sql::Row;
use crate::usage::{COLUMNS, from_row, tokens};
use crate::{Bucket, Filter, GroupBy, Page, PageOf, Store, StoreError, UsageQuery, UsageRow, cursor};

const LIST: &str = "usage";

/// What is summed up, under the names of the columns; the sums of PostgreSQL would be of another type.
const SUMS: &[&str] = &[
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "images",
    "searches",
    "cost",
    "cache_savings",
];

/// What is counted, and under which name.
const COUNTS: &[(&str, &str)] = &[
    ("outcome = 'failed'", "failed"),
    ("is_cache_hit = 1", "cache_hits"),
    ("is_estimated = 1", "estimated"),
    ("cost IS NULL", "unpriced"),
];

impl GroupBy {
    fn column(self) -> &'static str {
        match self {
            Self::Organization => "organization_id",
            Self::Project => "project_id",
            Self::Key => "key_id",
            Self::User => "user_name",
            Self::Model => "base_model",
            Self::CalledModel => "called_model",
            Self::Operation => "operation",
            Self::Region => "region",
            Self::Account => "account",
            Self::Tier => "tier",
            Self::Endpoint => "endpoint",
        }
    }
}

impl Bucket {
    /// In milliseconds.
    fn length(self) -> Option<i64> {
        match self {
            Self::Whole => None,
            Self::Minute => Some(60_000),
            Self::Quarter => Some(900_000),
            Self::Day => Some(86_400_000),
        }
    }
}

fn conditions(filter: &Filter) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(from) = filter.from {
        conditions.add("at >= ?", from);
    }
    if let Some(until) = filter.until {
        conditions.add("at < ?", until);
    }
    if let Some(organization) = &filter.organization_id {
        conditions.add("organization_id = ?", organization);
    }
    if let Some(request) = &filter.request_id {
        conditions.add("request_id = ?", request);
    }
    conditions.add_any(&["project_id"], &filter.project_ids);
    conditions.add_any(&["key_id"], &filter.key_ids);
    conditions.add_any(&["user_name"], &filter.users);
    conditions.add_any(&["model", "called_model", "base_model"], &filter.models);
    conditions.add_any(&["operation"], &filter.operations);
    conditions
}

/// The question as SQL: the beginning of the slot, the groups, the counts, the sums.
fn select(query: &UsageQuery, condition: &str) -> String {
    let start = query.bucket.length().map_or_else(
        || "CAST(0 AS BIGINT)".to_owned(),
        |length| format!("at - at % {length}"),
    );
    let mut sql = format!("SELECT {start} AS start");
    for (index, by) in query.group_by.iter().enumerate() {
        let _ = write!(sql, ", COALESCE({}, '') AS group_{index}", by.column());
    }
    sql += ", COUNT(*) AS requests";
    for (condition, name) in COUNTS {
        let _ = write!(
            sql,
            ", CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT) AS {name}"
        );
    }
    for column in SUMS {
        let _ = write!(sql, ", CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}");
    }
    let places: Vec<String> = (1..=query.group_by.len() + 1).map(|place| place.to_string()).collect();
    let places = places.join(", ");
    let _ = write!(
        sql,
        " FROM usage_records WHERE {condition} GROUP BY {places} ORDER BY {places}"
    );
    sql
}

fn sum(row: &Row, groups: usize) -> Result<UsageRow, StoreError> {
    let group = (0..groups).map(|index| row.text(&format!("group_{index}")));
    Ok(UsageRow {
        start: row.number("start")?,
        group: group.collect::<Result<_, _>>()?,
        requests: row.count("requests")?,
        failed: row.count("failed")?,
        cache_hits: row.count("cache_hits")?,
        estimated: row.count("estimated")?,
        unpriced: row.count("unpriced")?,
        tokens: tokens(row)?,
        cost: Money::from_nanos(row.number("cost")?),
        cache_savings: Money::from_nanos(row.number("cache_savings")?),
    })
}

impl Store {
    /// Sums of usage, grouped, by time and then by group. Where there is no usage, there is no sum.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        let (condition, values) = conditions(&query.filter).finish();
        let rows = self.inner.pools.rows(select(query, &condition), values).await?;
        rows.iter().map(|row| sum(row, query.group_by.len())).collect()
    }

    /// Records of usage themselves, newest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`], or the database fails.
    pub async fn usage_records(&self, filter: &Filter, page: &Page) -> Result<PageOf<UsageRecord>, StoreError> {
        let mut conditions = conditions(filter);
        if let Some(after) = &page.after {
            let (at, id) = cursor::read(LIST, after)?;
            conditions.add("at <= ?", at);
            let at = conditions.placeholder(at);
            let id = conditions.placeholder(id);
            conditions.add_own(format!("(at < {at} OR id < {id})"));
        }
        let limit = conditions.placeholder(cursor::limit(page) + 1);
        let (condition, values) = conditions.finish();
        let sql =
            format!("SELECT {COLUMNS} FROM usage_records WHERE {condition} ORDER BY at DESC, id DESC LIMIT {limit}");
        let rows = self.inner.pools.rows(sql, values).await?;
        cursor::page(page, rows, from_row, |row| {
            Ok(cursor::write(LIST, row.number("at")?, &row.text("id")?))
        })
    }
}
