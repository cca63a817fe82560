//! `GET /spend/logs`

use std::collections::BTreeMap;

use outcrop_store::Filter;
use outcrop_tenants::{Money, UsageRecord};
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call};
use super::super::problems::{invalid, of_store};
use super::{resolve, time};
use crate::models::unix_seconds;

/// How many records an answer has at most: LiteLLM's scripts know no pages.
const MOST: usize = 10_000;
/// How many the database is asked for at once.
const PAGE: u32 = 1000;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

#[derive(Default)]
struct Asked {
    filter: Filter,
    has_start: bool,
    has_end: bool,
    sums: Option<bool>,
}

pub(in super::super) async fn logs(call: Call) -> Answered {
    let asked = Asked::read(&call).await?;
    let (records, is_all) = records(&call, &asked.filter).await?;
    let sums = asked.has_start && asked.has_end && asked.sums.unwrap_or(true);
    let body = if sums {
        Value::Array(by_day(&records))
    } else {
        records.iter().map(view).collect()
    };
    Ok(Answer {
        body,
        tag: None,
        warning: (!is_all).then(|| format!("these are the newest {MOST} records; ask for fewer days")),
    })
}

impl Asked {
    async fn read(call: &Call) -> Result<Self, Problem> {
        let mut asked = Self::default();
        asked.filter.organization_id.clone_from(&call.admin()?.organization_id);
        for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
            if value.contains(char::is_control) {
                return Err(invalid(
                    &name.chars().take(64).collect::<String>(),
                    "has control characters",
                ));
            }
            match name.as_ref() {
                "api_key" => asked
                    .filter
                    .key_ids
                    .push(resolve::key(call, &value, "api_key").await?.id),
                "user_id" => asked.filter.users.push(value.into_owned()),
                "team_id" => asked.filter.project_ids.push(resolve::team(call, &value).await?.id),
                "request_id" => asked.filter.request_id = Some(value.into_owned()),
                "start_date" => {
                    asked.filter.from = Some(moment("start_date", &value)?);
                    asked.has_start = true;
                }
                "end_date" => {
                    let end = moment("end_date", &value)?;
                    // A day is meant with all its hours.
                    let is_day = !value.contains(['T', ' ']);
                    asked.filter.until = Some(if is_day { end + DAY } else { end });
                    asked.has_end = true;
                }
                "summarize" => asked.sums = Some(matches!(value.as_ref(), "true" | "True" | "1")),
                other => return Err(invalid(&other.chars().take(64).collect::<String>(), "is not known")),
            }
        }
        Ok(asked)
    }
}

/// Milliseconds since 1970 of a day or a time.
fn moment(member: &str, text: &str) -> Result<i64, Problem> {
    let seconds = unix_seconds(&text.replacen(' ', "T", 1)).and_then(|seconds| i64::try_from(seconds).ok());
    seconds.map(|seconds| seconds * 1000).ok_or_else(|| {
        invalid(
            member,
            "must be a day such as '2026-11-21', or a time such as '2026-11-21T08:00:00Z'",
        )
    })
}

/// The newest records, and whether they are all.
async fn records(call: &Call, filter: &Filter) -> Result<(Vec<UsageRecord>, bool), Problem> {
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let page = outcrop_store::Page {
            limit: PAGE,
            after,
            with_deleted: false,
        };
        let part = call.store.usage_records(filter, &page).await.map_err(of_store)?;
        records.extend(part.items);
        after = part.next;
        if after.is_none() || records.len() >= MOST {
            return Ok((records, after.is_none()));
        }
    }
}

fn view(record: &UsageRecord) -> Value {
    let tokens = &record.tokens;
    let end = record.at;
    let start = end.saturating_sub(i64::try_from(record.duration_ms).unwrap_or_default());
    let input = tokens.all_input();
    json!({
        "request_id": record.request_id,
        "call_type": record.operation,
        "api_key": record.key_id,
        "spend": record.cost.unwrap_or_default(),
        "total_tokens": input.saturating_add(tokens.output),
        "prompt_tokens": input,
        "completion_tokens": tokens.output,
        "startTime": time::iso(start.div_euclid(1000)),
        "endTime": time::iso(end.div_euclid(1000)),
        "model": record.base_model,
        "model_id": record.called_model,
        "model_group": record.model,
        "custom_llm_provider": "bedrock",
        "user": record.user,
        "end_user": "",
        "team_id": record.project_id,
        "organization_id": record.organization_id,
        "metadata": record.metadata,
        "cache_hit": if record.is_cache_hit { "True" } else { "False" },
        "request_tags": record.metadata.get("tags").map(|tags| tags.split(',').collect::<Vec<_>>()).unwrap_or_default(),
        "status": if record.outcome == "completed" { "success" } else { "failure" },
    })
}

/// Sums of each day, newest first, by key, user and model.
fn by_day(records: &[UsageRecord]) -> Vec<Value> {
    #[derive(Default)]
    struct Day {
        spend: Money,
        keys: BTreeMap<String, Money>,
        users: BTreeMap<String, Money>,
        models: BTreeMap<String, Money>,
    }
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for record in records {
        let cost = record.cost.unwrap_or_default();
        let day = days.entry(time::day(record.at.div_euclid(1000))).or_default();
        day.spend += cost;
        *day.keys.entry(record.key_id.clone().unwrap_or_default()).or_default() += cost;
        *day.users.entry(record.user.clone()).or_default() += cost;
        *day.models.entry(record.base_model.clone()).or_default() += cost;
    }
    let views = days.into_iter().rev().map(|(day, sums)| {
        json!({
            "startTime": day,
            "spend": sums.spend,
            "api_keys": sums.keys,
            "users": sums.users,
            "models": sums.models,
        })
    });
    views.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: i64, cost: &str, user: &str) -> UsageRecord {
        UsageRecord {
            at,
            cost: Some(cost.parse().unwrap()),
            user: user.to_owned(),
            base_model: "nova".to_owned(),
            ..UsageRecord::default()
        }
    }

    #[test]
    fn days_are_summed() {
        let records = [
            record(1_795_297_568_000, "0.5", "ann"),
            record(1_795_297_569_000, "0.25", "bob"),
            record(1_795_197_568_000, "1", "ann"),
        ];
        let days = by_day(&records);
        assert_eq!(days[0]["startTime"], "2026-11-21");
        assert_eq!(
            (&days[0]["spend"], &days[0]["users"]["bob"]),
            (&json!(0.75), &json!(0.25))
        );
        assert_eq!(days[1]["models"], json!({"nova": 1.0}));
        assert_eq!(view(&records[0])["endTime"], "2026-11-21T21:46:08Z");
    }

    #[test]
    fn days_and_times_are_read() {
        assert_eq!(moment("start_date", "2026-11-26").unwrap(), 1_795_651_200_000);
        assert_eq!(moment("start_date", "2026-11-26 00:00:01").unwrap(), 1_795_651_201_000);
        assert!(moment("start_date", "today").is_err());
    }
}
