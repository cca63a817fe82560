//! Words of the command line that are more than text: times, budgets, parts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use outcrop_tenants::{Money, Period};

/// When something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So many seconds from now, or ago.
    Span(i64),
    /// On a day, which begins when it does in a time zone.
    Day(civil::Date),
    /// Then, in seconds since 1970.
    At(i64),
    /// Not at all.
    Never,
}

impl Moment {
    /// In seconds since 1970. A span is from now on, a day begins at midnight UTC.
    pub(crate) fn later(self, now: i64) -> Option<i64> {
        match self {
            Self::Span(seconds) => Some(now.saturating_add(seconds)),
            Self::Day(day) => start_of(day, &TimeZone::UTC),
            Self::At(seconds) => Some(seconds),
            Self::Never => None,
        }
    }
}

/// When a day begins, in seconds since 1970.
pub(crate) fn start_of(day: civil::Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs());
    since.map_or(0, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// `90d`, `2026-12-31`, `2026-12-31T18:00:00Z`, `never`.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if text == "never" {
        return Ok(Moment::Never);
    }
    if let Ok(duration) = humantime::parse_duration(text) {
        return seconds(duration).map(Moment::Span);
    }
    // A time has its zone: without one, nobody knows when it is.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment::At(at.as_second()));
    }
    match (text.len(), text.parse::<civil::Date>()) {
        (10, Ok(day)) => Ok(Moment::Day(day)),
        _ => Err(
            "write a span such as 90d or 12h, a day such as 2026-12-31, or a time such as \
                  2026-12-31T18:00:00Z"
                .to_owned(),
        ),
    }
}

/// `24h`, `7d`; in seconds.
pub(super) fn span(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    let duration = humantime::parse_duration(text).map_err(|_| "write a span such as 24h or 7d".to_owned())?;
    seconds(duration)
}

fn seconds(duration: Duration) -> Result<i64, String> {
    // A hundred years: more can't be meant, and some sums would be none.
    i64::try_from(duration.as_secs())
        .ok()
        .filter(|seconds| *seconds <= 100 * 366 * 86_400)
        .ok_or_else(|| "that is more than a hundred years".to_owned())
}

/// `100/month`, `$2.50/day`, `1000/total`.
pub(super) fn budget(text: &str) -> Result<(Period, Money), String> {
    let wrong = "write dollars and a period, such as 100/month; periods are day, week, month and total";
    let (amount, name) = text.split_once('/').ok_or(wrong)?;
    let limit: Money = amount.trim().parse().map_err(|error| format!("{error}"))?;
    if limit < Money::ZERO {
        return Err("a budget can't be less than nothing".to_owned());
    }
    Ok((period(name.trim()).map_err(|_| wrong)?, limit))
}

/// `day`, `week`, `month`, `total`.
pub(super) fn period(name: &str) -> Result<Period, String> {
    let found = Period::ALL.into_iter().find(|period| period.name() == name);
    found.ok_or_else(|| "periods are day, week, month and total".to_owned())
}

/// `0.8`, `80%`.
pub(super) fn part(text: &str) -> Result<f64, String> {
    let read = |text: &str| text.trim().parse::<f64>().ok();
    let part = match text.strip_suffix('%') {
        Some(percent) => read(percent).map(|percent| percent / 100.0),
        None => read(text),
    };
    let wrong = "write a part of the limit from 0 to 1, such as 0.8 or 80%";
    part.filter(|part| (0.0..=1.0).contains(part))
        .ok_or_else(|| wrong.to_owned())
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() {
        return Err("there is no name before the '='".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `Europe/Paris`, `UTC`, `+02:00`.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    let of_offset = || {
        let offset = jiff::fmt::strtime::parse("%:z", text).ok()?.offset()?;
        Some(TimeZone::fixed(offset))
    };
    let found = TimeZone::get(text).ok().or_else(of_offset);
    found.ok_or_else(|| "no such time zone; they are called like Europe/Paris, UTC or +02:00".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spans_days_or_times() {
        assert_eq!(moment("90d").unwrap().later(10), Some(10 + 90 * 86_400));
        assert_eq!(moment("2026-11-21").unwrap().later(0), Some(1_795_219_200));
        assert_eq!(
            moment("2026-11-21T01:00:00+01:00").unwrap().later(0),
            Some(1_795_219_200)
        );
        assert_eq!(moment("never").unwrap().later(0), None);
        for wrong in [
            "",
            "soon",
            "2026-13-01",
            "2026-11-21T01:00:00",
            "-3d",
            "20261121",
            "90000000y",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn budgets_are_dollars_for_a_period() {
        assert_eq!(budget("100/month").unwrap(), (Period::Month, "100".parse().unwrap()));
        assert_eq!(budget("$2.5/day").unwrap().1.to_string(), "2.50");
        for wrong in ["100", "/month", "100/year", "x/month", "-1/day", "1,5/day"] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
        assert!((part("80%").unwrap() - part("0.8").unwrap()).abs() < 1e-12);
        for wrong in ["80", "-0.1", "x", "NaN", "101%"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_are_known_by_name_or_offset() {
        assert!(zone("Europe/Paris").is_ok());
        assert!(zone("+02:00").is_ok());
        assert!(zone("Europe/Atlantis").is_err());
    }
}
