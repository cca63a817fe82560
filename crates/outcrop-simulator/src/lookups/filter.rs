//! The filters of the lists.

use serde_json::Value;

use crate::query::{self, Query};
use crate::resources::Resource;

/// Filters by equality, with the members of a summary that they look at, the first that is there.
const EQUAL: [(&str, &[&str]); 6] = [
    ("statusEquals", &["status"]),
    ("modelStatus", &["modelStatus"]),
    ("modelArnEquals", &["modelArn"]),
    ("baseModelArnEquals", &["baseModelArn"]),
    ("foundationModelArnEquals", &["foundationModelArn", "baseModelArn"]),
    ("type", &["type"]),
];

/// If a query lets a resource through, of which a list tells `summary`.
pub(super) fn is_wanted(resource: &Resource, summary: &Value, query: &Query) -> bool {
    let is_equal = |(filter, members): &(&str, &[&str])| {
        let told = members.iter().find_map(|member| summary[*member].as_str());
        query.text(filter).is_none_or(|wanted| told == Some(wanted))
    };
    let made = query::time(&format!("{}T00:00:00Z", resource.since));
    let before = ["creationTimeBefore", "createdBefore"];
    let after = ["creationTimeAfter", "createdAfter"];
    query.text("nameContains").is_none_or(|part| resource.name.contains(part))
        // All here is the account's own, and shared by nobody.
        && query.truth("isOwned").unwrap_or(true)
        && EQUAL.iter().all(is_equal)
        && before.iter().filter_map(|name| query.time(name)).all(|limit| made < Some(limit))
        && after.iter().filter_map(|name| query.time(name)).all(|limit| made > Some(limit))
}
