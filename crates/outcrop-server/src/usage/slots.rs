//! Slots of time: hours, days and months of a time zone, with their days of 23 and 25 hours.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, Zoned, ZonedRound};
use outcrop_store::Bucket;

/// How long a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// All in one.
    Whole,
    Minute,
    Hour,
    Day,
    Month,
}

/// A slot: milliseconds since 1970, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Width {
    /// The sums of which slots of this length are made.
    pub(super) fn bucket(self, zone: &TimeZone) -> Bucket {
        match self {
            Self::Whole => Bucket::Whole,
            Self::Minute => Bucket::Minute,
            Self::Day | Self::Month if *zone == TimeZone::UTC => Bucket::Day,
            // All offsets of today's time zones are quarters of an hour.
            Self::Hour | Self::Day | Self::Month => Bucket::Quarter,
        }
    }

    /// The beginning of the slot that a moment is in.
    fn start_of(self, at: &Zoned) -> Result<Zoned, jiff::Error> {
        match self {
            Self::Whole => Ok(at.clone()),
            Self::Minute => at.round(ZonedRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Trunc)),
            Self::Hour => at.with().minute(0).second(0).subsec_nanosecond(0).build(),
            Self::Day => at.start_of_day(),
            Self::Month => at
                .first_of_month()?
                .with()
                .time(Time::midnight())
                .build()?
                .start_of_day(),
        }
    }

    /// The beginning of the slot behind one that begins at `start`.
    fn next(self, start: &Zoned) -> Result<Zoned, jiff::Error> {
        let next = match self {
            Self::Whole => return Ok(start.clone()),
            Self::Minute => return start.checked_add(Span::new().minutes(1)),
            Self::Hour => start.checked_add(Span::new().hours(1))?,
            Self::Day => start.checked_add(Span::new().days(1))?,
            // The middle of it, whatever day the zone skips.
            Self::Month => start.checked_add(Span::new().days(40))?,
        };
        let floor = self.start_of(&next)?;
        // Where clocks are put by half an hour, an hour of the clock isn't one.
        Ok(if floor > *start { floor } else { next })
    }

    /// The slots from the one that `from` is in to the one that ends at or behind `until`, at most `most` of them, and
    /// whether there are more.
    pub(super) fn slots(
        self,
        from: i64,
        until: i64,
        zone: &TimeZone,
        most: usize,
    ) -> Result<(Vec<Slot>, bool), jiff::Error> {
        if self == Self::Whole {
            return Ok((
                vec![Slot {
                    start: from,
                    end: until,
                }],
                false,
            ));
        }
        let mut start = self.start_of(&zoned(from, zone)?)?;
        let mut slots = Vec::new();
        while start.timestamp().as_millisecond() < until {
            if slots.len() == most {
                return Ok((slots, true));
            }
            let next = self.next(&start)?;
            slots.push(Slot {
                start: start.timestamp().as_millisecond(),
                end: next.timestamp().as_millisecond(),
            });
            start = next;
        }
        Ok((slots, false))
    }
}

/// A moment in a time zone.
pub(super) fn zoned(at: i64, zone: &TimeZone) -> Result<Zoned, jiff::Error> {
    Ok(Timestamp::from_millisecond(at)?.to_zoned(zone.clone()))
}

/// The beginning of the day of a moment, `days` days before it.
pub(super) fn days_before(at: i64, days: i32, zone: &TimeZone) -> Result<i64, jiff::Error> {
    let day = zoned(at, zone)?
        .checked_sub(Span::new().try_days(days)?)?
        .start_of_day()?;
    Ok(day.timestamp().as_millisecond())
}

/// The slot that a moment is in; what is before the first is in the first.
pub(super) fn slot_of(slots: &[Slot], at: i64) -> Option<usize> {
    let after = slots.partition_point(|slot| slot.start <= at);
    let index = after.saturating_sub(1);
    slots.get(index).filter(|slot| at < slot.end).map(|_| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn hours(width: Width, from: &str, until: &str, zone: &str) -> Vec<f64> {
        let zone = TimeZone::get(zone).unwrap();
        let (slots, has_more) = width.slots(at(from), at(until), &zone, 1000).unwrap();
        assert!(!has_more);
        for pair in slots.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
        let length = |slot: &Slot| (slot.end - slot.start) as f64 / HOUR as f64;
        slots.iter().map(length).collect()
    }

    #[test]
    fn days_have_the_hours_that_they_have() {
        let berlin = |from, until| hours(Width::Day, from, until, "Europe/Berlin");
        assert_eq!(
            berlin("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z"),
            [24.0, 23.0, 24.0]
        );
        assert_eq!(
            berlin("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z"),
            [24.0, 25.0, 24.0]
        );
        // Midnight is skipped there on the day on which summer begins.
        let cairo = hours(
            Width::Day,
            "2026-04-23T00:00:00Z",
            "2026-04-25T20:00:00Z",
            "Africa/Cairo",
        );
        assert_eq!(cairo, [24.0, 23.0, 24.0]);
        // Half an hour.
        let howe = hours(
            Width::Day,
            "2026-04-03T13:00:00Z",
            "2026-04-05T13:00:00Z",
            "Australia/Lord_Howe",
        );
        assert_eq!(howe, [24.0, 24.5]);
    }

    #[test]
    fn hours_are_those_of_the_clock() {
        let all = hours(
            Width::Hour,
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            "Europe/Berlin",
        );
        assert_eq!(all, [1.0; 25]);
        let zone = TimeZone::get("Asia/Kathmandu").unwrap();
        let (slots, _) = Width::Hour
            .slots(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:30:00Z"), &zone, 9)
            .unwrap();
        // A quarter to: there the full hour is.
        assert_eq!(slots[0].start, at("2025-12-31T23:15:00Z"));
        let howe = hours(
            Width::Hour,
            "2026-04-04T13:00:00Z",
            "2026-04-05T13:00:00Z",
            "Australia/Lord_Howe",
        );
        // The whole day, in which half an hour comes twice.
        assert_eq!(howe.iter().sum::<f64>(), 24.5);
    }

    #[test]
    fn months_begin_on_their_first_days() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let (slots, _) = Width::Month
            .slots(at("2026-01-31T12:00:00Z"), at("2026-04-02T00:00:00Z"), &zone, 9)
            .unwrap();
        let starts: Vec<i64> = slots.iter().map(|slot| slot.start).collect();
        assert_eq!(
            starts,
            [
                at("2026-01-01T05:00:00Z"),
                at("2026-02-01T05:00:00Z"),
                at("2026-03-01T05:00:00Z"),
                at("2026-04-01T04:00:00Z")
            ]
        );
    }

    #[test]
    fn slots_are_found_and_cut_off() {
        let (slots, has_more) = Width::Day
            .slots(
                at("2026-01-01T10:00:00Z"),
                at("2026-01-09T00:00:00Z"),
                &TimeZone::UTC,
                3,
            )
            .unwrap();
        assert_eq!(slots.len(), 3);
        assert!(has_more);
        assert_eq!(slot_of(&slots, at("2026-01-02T23:59:59Z")), Some(1));
        assert_eq!(slot_of(&slots, at("2025-12-31T23:59:59Z")), Some(0));
        assert_eq!(slot_of(&slots, at("2026-01-04T00:00:00Z")), None);
        assert_eq!(slot_of(&[], 0), None);
    }

    #[test]
    fn sums_of_quarters_make_all_slots_but_those_of_utc() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(Width::Day.bucket(&zone), Bucket::Quarter);
        assert_eq!(Width::Month.bucket(&TimeZone::UTC), Bucket::Day);
        assert_eq!(Width::Hour.bucket(&TimeZone::UTC), Bucket::Quarter);
    }
}
