//! Durations and times as LiteLLM writes them.

use outcrop_tenants::Period;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The longest duration, of a hundred years.
const MOST: i64 = 36_525 * DAY;

/// Seconds of a duration: `30s`, `30m`, `30h`, `30d`, `2w`, `1mo`. A month has 30 days here.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().ok()?;
    let of_unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => DAY,
        "w" => 7 * DAY,
        "mo" => 30 * DAY,
        _ => return None,
    };
    number
        .checked_mul(of_unit)
        .filter(|seconds| (0..=MOST).contains(seconds))
}

/// The period that a budget's duration is. LiteLLM's own days, weeks and months begin at midnight, on Monday and on the
/// first, too; all other durations are no period of ours.
pub(super) fn period(text: &str) -> Option<Period> {
    match text {
        "daily" => return Some(Period::Day),
        "weekly" => return Some(Period::Week),
        "monthly" => return Some(Period::Month),
        _ => {}
    }
    match seconds(text)? {
        DAY => Some(Period::Day),
        week if week == 7 * DAY => Some(Period::Week),
        month if month == 30 * DAY => Some(Period::Month),
        _ => None,
    }
}

/// A period as LiteLLM says it.
pub(super) fn duration(period: Period) -> Option<&'static str> {
    match period {
        Period::Day => Some("1d"),
        Period::Week => Some("7d"),
        Period::Month => Some("30d"),
        Period::Total => None,
    }
}

/// Seconds since 1970 in ISO 8601.
pub(super) fn iso(seconds: i64) -> String {
    let (date, second) = (day(seconds), seconds.rem_euclid(DAY));
    format!(
        "{date}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The day of a time.
pub(super) fn day(seconds: i64) -> String {
    // Years begin in March, so that leap days are their last (Howard Hinnant's `civil_from_days`).
    let shifted = seconds.div_euclid(DAY) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("30s", Some(30)),
            ("2h", Some(7200)),
            ("1w", Some(7 * DAY)),
            ("1mo", Some(30 * DAY)),
            ("", None),
            ("30", None),
            ("d", None),
            ("-1d", None),
            ("1y", None),
            ("99999999999999999999d", None),
            ("9999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1d", Some(Period::Day)),
            ("24h", Some(Period::Day)),
            ("7d", Some(Period::Week)),
            ("1w", Some(Period::Week)),
            ("30d", Some(Period::Month)),
            ("1mo", Some(Period::Month)),
            ("monthly", Some(Period::Month)),
            ("1h", None),
            ("90d", None),
        ] {
            assert_eq!(period(text), expected, "{text}");
        }
        for known in Period::ALL {
            assert_eq!(duration(known).and_then(period).unwrap_or(Period::Total), known);
        }
    }

    #[test]
    fn times_are_written() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(951_825_600), "2000-02-29T12:00:00Z");
        assert_eq!(iso(1_795_297_568), "2026-11-21T21:46:08Z");
        assert_eq!(day(4_107_542_400), "2100-03-01");
    }
}
