//! AWS's times, as its lists tell them.

/// Seconds since 1970 of a time in ISO 8601, as AWS writes it: `2026-11-26T00:00:00Z`, or its day alone.
pub(crate) fn unix_seconds(text: &str) -> Option<u64> {
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut parts = time.get(..8)?.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some(((days_since_1970(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds)
}

/// The day of such a time.
pub(super) fn day(text: &str) -> &str {
    text.split_once('T').map_or(text, |(day, _)| day)
}

/// Days by the Gregorian calendar; years begin in March here, so that leap days are their last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days lie between 1 March of the year 0 and 1970.
    (year * 365 + leap_days + day_of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01", Some(0)),
            ("2000-02-29T12:00:00.123Z", Some(951_825_600)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2026-11-26T00:00:00Z", Some(1_795_651_200)),
            ("2100-03-01T00:00:00+00:00", Some(4_107_542_400)),
            ("yesterday", None),
            ("2026-13-01", None),
            ("2026-11-26T0", None),
        ] {
            assert_eq!(unix_seconds(text), expected, "{text}");
        }
        assert_eq!(day("2026-11-26T00:00:00Z"), "2026-11-26");
    }
}
