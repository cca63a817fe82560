//! Single records of usage, newest first.

use jiff::tz::TimeZone;
use outcrop_store::{Filter, Page, PageOf, Store};
use outcrop_tenants::UsageRecord;
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::access::Scope;
use super::query::{Parameters, filter, range};
use super::unavailable;

/// How many there are on a page where nothing is said.
const LIMIT: i64 = 100;

const KNOWN: &[&str] = &[
    "from",
    "until",
    "start_time",
    "end_time",
    "days",
    "models",
    "organization_id",
    "project_ids",
    "key_ids",
    "api_key_ids",
    "users",
    "user_ids",
    "operations",
    "request_id",
    "limit",
    "page",
];

/// Answers `GET /v1/usage/records`.
pub(super) async fn answer(store: &Store, scope: &Scope, query: &str, now: i64) -> Result<Value, Problem> {
    let said = Parameters::read(query);
    said.only(KNOWN)?;
    let (from, until) = range(&said, now, &TimeZone::UTC)?;
    let mut filter = Filter {
        from: Some(from),
        until: Some(until),
        request_id: said.one(&["request_id"]).map(|(_, id)| id.to_owned()),
        ..filter(&said)?
    };
    let limit = said.number(&["limit"], (1, 1000))?.unwrap_or(LIMIT);
    let page = Page {
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
        after: said.one(&["page"]).map(|(_, page)| page.to_owned()),
        with_deleted: false,
    };
    let found = if scope.narrow(&mut filter) {
        store
            .usage_records(&filter, &page)
            .await
            .map_err(|error| unavailable(&error))?
    } else {
        PageOf {
            items: Vec::new(),
            next: None,
        }
    };
    let data: Vec<Value> = found.items.into_iter().map(|record| told(record, scope)).collect();
    Ok(json!({
        "object": "list",
        "data": data,
        "has_more": found.next.is_some(),
        "next_page": found.next,
    }))
}

/// A record as it is told. What the operator calls accounts is nobody else's business.
fn told(mut record: UsageRecord, scope: &Scope) -> Value {
    if matches!(scope, Scope::Key(_)) {
        record.account.clear();
    }
    let mut value = json!(record);
    value["object"] = "usage.record".into();
    value
}
