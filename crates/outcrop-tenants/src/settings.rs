//! What an operator says of an organization, a project or a key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Money;

/// What an operator says of an organization, a project or a key. What isn't said is as the one above it says: a key
/// belongs to a project, a project to an organization.
///
/// - Restrictions (`allowed_…`, `denied_models`) of all three hold: a key can't allow what its project doesn't.
/// - Limits and budgets of all three hold, each counted over all that is below it.
/// - All else is the nearest's: the key's, else the project's, else the organization's. Maps are merged, member by
///   member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The models that may be asked: names, with `*` for any text, compared with what the client says, what Bedrock is
    /// asked, and the catalogue's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// The models that may not, whatever is allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_models: Vec<String>,
    /// The endpoints that may be called: paths as in the API description, with `*` for any text, such as
    /// `/v1/chat/*`, `/v1/embeddings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_endpoints: Option<Vec<String>>,
    /// The networks that may call: addresses, or networks such as `10.0.0.0/8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    /// Requests in 60 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens, read and written, in 60 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests that are open at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u32>,
    /// Streams that are open at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_streams: Option<u32>,
    /// What may be spent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// Members for requests that lack them, such as `{"temperature": 0.2}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// The guardrail of all requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guardrail: Option<GuardrailSetting>,
    /// Where prompts are cached: `off`, `explicit`, `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_caching: Option<String>,
    /// What becomes of what a model can't do: `adapt`, `reject`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unsupported: Option<String>,
    /// What goes into Bedrock's request metadata, and into each record of usage.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Names of models of its own: to ids, ARNs (such as application inference profiles), routes or other names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// The account of the gateway's settings by which Bedrock is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A role that is assumed for its calls, with what `account` says or the gateway's own identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// What the role wants to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Tags of the role's session, by which AWS can split the bill.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub session_tags: BTreeMap<String, String>,
}

/// What may be spent in a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The period.
    pub period: Period,
    /// The hard limit, in US dollars: what comes after it is refused.
    pub limit_usd: Money,
    /// The part of the limit, from 0 to 1, from which answers and the log warn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<f64>,
    /// Whether it only warns, and refuses nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub soft: bool,
}

/// A period of a budget. Days begin at midnight UTC, weeks on Monday, months on the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// For ever.
    Total,
}

/// The guardrail of a tenant's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardrailSetting {
    /// Id or ARN.
    pub id: String,
    /// A number, or `DRAFT`.
    pub version: String,
    /// What is told of its assessment: `disabled`, `enabled`, `enabled_full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// How it works on streams: `sync`, `async`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_mode: Option<String>,
}

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Period {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Total];

    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// When the period began that a moment is in; both are seconds since 1970, UTC.
    #[must_use]
    pub fn start(self, now: i64) -> i64 {
        let day = now.div_euclid(DAY);
        match self {
            Self::Day => day * DAY,
            // The first day of 1970 was a Thursday.
            Self::Week => (day - (day + 3).rem_euclid(7)) * DAY,
            Self::Month => {
                let (year, month) = year_and_month(day);
                first_day(year, month) * DAY
            }
            Self::Total => 0,
        }
    }

    /// When the next period begins; `None` if there is none.
    #[must_use]
    pub fn end(self, now: i64) -> Option<i64> {
        let start = self.start(now);
        match self {
            Self::Day => Some(start + DAY),
            Self::Week => Some(start + 7 * DAY),
            Self::Month => {
                let (year, month) = year_and_month(start.div_euclid(DAY));
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                Some(first_day(year, month) * DAY)
            }
            Self::Total => None,
        }
    }
}

/// The year, the month and the day of a day since 1970.
pub(crate) fn date(day: i64) -> (i64, i64, i64) {
    let (year, month) = year_and_month(day);
    (year, month, day - first_day(year, month) + 1)
}

/// The year and the month of a day since 1970, by Howard Hinnant's `civil_from_days`.
fn year_and_month(day: i64) -> (i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The day since 1970 of a month's first, by Howard Hinnant's `days_from_civil`.
fn first_day(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_and_end_in_utc() {
        // Saturday, 2026-11-21 21:46:08.
        let now = 1_795_297_568;
        assert_eq!(Period::Day.start(now), 1_795_219_200);
        assert_eq!(Period::Week.start(now), 1_794_787_200, "Monday, 2026-11-16");
        assert_eq!(Period::Month.start(now), 1_793_491_200, "2026-11-01");
        assert_eq!(Period::Month.end(now), Some(1_796_083_200), "2026-12-01");
        assert_eq!(Period::Total.start(now), 0);
        assert_eq!(Period::Total.end(now), None);
        // The last second of a leap day, and of a year.
        assert_eq!(Period::Month.start(1_709_251_199), 1_706_745_600);
        assert_eq!(Period::Month.end(1_709_251_199), Some(1_709_251_200));
        assert_eq!(Period::Month.end(1_704_067_199), Some(1_704_067_200));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(serde_json::from_str::<Settings>(r#"{"rpm": 3}"#).is_err());
        let settings: Settings =
            serde_json::from_str(r#"{"budgets": [{"period": "month", "limit_usd": 12.5}]}"#).unwrap();
        assert_eq!(settings.budgets[0].limit_usd, "12.5".parse().unwrap());
        assert_eq!(serde_json::to_string(&Settings::default()).unwrap(), "{}");
    }
}
