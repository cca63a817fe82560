//! What is asked of usage.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use outcrop_store::{Filter, GroupBy};
use outcrop_translate::Problem;

use super::slots::{Width, days_before};

/// As much of a client's word as an error repeats.
const SHOWN_CHARS: usize = 80;
/// How many days are told where nothing is said.
const DAYS: i32 = 30;
/// The most values of one parameter.
const MAX_VALUES: usize = 500;

/// The parameters of a query, each with all of its values.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, Vec<String>)>);

impl Parameters {
    /// Reads a query. Lists are said by repeating a name, with or without `[]` behind it.
    pub(super) fn read(query: &str) -> Self {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = name.strip_suffix("[]").unwrap_or(&name);
            match parameters.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value.into_owned()),
                None => parameters.0.push((name.to_owned(), vec![value.into_owned()])),
            }
        }
        parameters
    }

    /// The last value of the first of several names that is said.
    pub(super) fn one<'p>(&'p self, names: &[&'static str]) -> Option<(&'static str, &'p str)> {
        names.iter().find_map(|&name| {
            let (_, values) = self.0.iter().find(|(known, _)| known == name)?;
            let value = values.last().filter(|value| !value.is_empty())?;
            Some((name, value.as_str()))
        })
    }

    /// All values of several names; `splits` is whether commas are between them.
    pub(super) fn all(&self, names: &[&'static str], splits: bool) -> Result<Vec<String>, Problem> {
        let mut all = Vec::new();
        for &name in names {
            let said = self.0.iter().find(|(known, _)| known == name);
            for value in said.into_iter().flat_map(|(_, values)| values) {
                match splits {
                    true => all.extend(value.split(',').map(|part| part.trim().to_owned())),
                    false => all.push(value.clone()),
                }
            }
            if all.len() > MAX_VALUES {
                return Err(invalid(name, &format!("{} values", all.len()), "500 values at most"));
            }
        }
        all.retain(|value| !value.is_empty());
        Ok(all)
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, names: &[&'static str], bounds: (i64, i64)) -> Result<Option<i64>, Problem> {
        let Some((name, value)) = self.one(names) else {
            return Ok(None);
        };
        let number = value
            .parse()
            .ok()
            .filter(|number| (bounds.0..=bounds.1).contains(number));
        let expected = || format!("a whole number from {} to {}", bounds.0, bounds.1);
        number.map(Some).ok_or_else(|| invalid(name, value, &expected()))
    }

    /// Refuses parameters that nobody knows: a filter that is misspelt would show too much.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        // Azure's clients send theirs with each request.
        match self
            .0
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()) && name != "api-version")
        {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(SHOWN_CHARS).collect();
                let message = format!("Unknown parameter: '{shown}'. There are: {}.", known.join(", "));
                Err(Problem::invalid(message)
                    .with_code("unknown_parameter")
                    .with_param(shown))
            }
        }
    }
}

/// A value that isn't one.
pub(super) fn invalid(name: &str, value: &str, expected: &str) -> Problem {
    let shown: String = value.chars().take(SHOWN_CHARS).collect();
    let message = format!("Invalid '{name}': expected {expected}, got '{shown}'.");
    Problem::invalid(message).with_code("invalid_value").with_param(name)
}

/// How it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Json,
    Csv,
    Focus,
}

/// The parameters of `/v1/usage`.
const KNOWN: &[&str] = &[
    "from",
    "until",
    "start_time",
    "end_time",
    "days",
    "bucket",
    "time_zone",
    "group_by",
    "models",
    "organization_id",
    "project_ids",
    "key_ids",
    "api_key_ids",
    "users",
    "user_ids",
    "operations",
    "format",
    "limit",
    "page",
];

/// Words for what sums are grouped by, in the order of the columns.
pub(super) const GROUPS: [(&str, GroupBy); 11] = [
    ("organization", GroupBy::Organization),
    ("project", GroupBy::Project),
    ("key", GroupBy::Key),
    ("user", GroupBy::User),
    ("model", GroupBy::Model),
    ("called_model", GroupBy::CalledModel),
    ("operation", GroupBy::Operation),
    ("endpoint", GroupBy::Endpoint),
    ("region", GroupBy::Region),
    ("account", GroupBy::Account),
    ("tier", GroupBy::Tier),
];

/// What is asked of `/v1/usage`.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) filter: Filter,
    /// From and until, in milliseconds since 1970.
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) width: Width,
    pub(super) zone: TimeZone,
    pub(super) group_by: Vec<GroupBy>,
    pub(super) format: Format,
    /// How many slots at most.
    pub(super) limit: usize,
}

/// The most slots of one answer.
pub(super) const MAX_SLOTS: i64 = 1500;

impl Question {
    /// Reads a query, at `now` in milliseconds since 1970. `prefers_csv` is what the client's headers say.
    ///
    /// # Errors
    /// A parameter that nobody knows, or a value that isn't one.
    pub(super) fn read(query: &str, now: i64, prefers_csv: bool) -> Result<Self, Problem> {
        let said = Parameters::read(query);
        said.only(KNOWN)?;
        let zone = zone(&said)?;
        let width = match said.one(&["bucket"]) {
            None | Some((_, "day")) => Width::Day,
            Some((_, "hour")) => Width::Hour,
            Some((_, "month")) => Width::Month,
            Some((_, "none")) => Width::Whole,
            Some((name, value)) => return Err(invalid(name, value, "'hour', 'day', 'month' or 'none'")),
        };
        let format = match said.one(&["format"]) {
            None if prefers_csv => Format::Csv,
            None | Some((_, "json")) => Format::Json,
            Some((_, "csv")) => Format::Csv,
            Some((_, "focus")) => Format::Focus,
            Some((name, value)) => return Err(invalid(name, value, "'json', 'csv' or 'focus'")),
        };
        let (from, until) = range(&said, now, &zone)?;
        let page = said.number(&["page"], (0, i64::MAX))?;
        Ok(Self {
            filter: filter(&said)?,
            from: page.map_or(from, |page| page.max(from)),
            until,
            width,
            group_by: group_by(&said)?,
            zone,
            format,
            limit: said
                .number(&["limit"], (1, MAX_SLOTS))?
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(MAX_SLOTS as usize),
        })
    }
}

/// Which records.
pub(super) fn filter(said: &Parameters) -> Result<Filter, Problem> {
    Ok(Filter {
        organization_id: said.one(&["organization_id"]).map(|(_, id)| id.to_owned()),
        project_ids: said.all(&["project_ids"], true)?,
        key_ids: said.all(&["key_ids", "api_key_ids"], true)?,
        users: said.all(&["users", "user_ids"], false)?,
        models: said.all(&["models"], true)?,
        operations: said.all(&["operations"], true)?,
        ..Filter::default()
    })
}

fn zone(said: &Parameters) -> Result<TimeZone, Problem> {
    match said.one(&["time_zone"]) {
        None | Some((_, "UTC")) => Ok(TimeZone::UTC),
        Some((name, value)) => {
            TimeZone::get(value).map_err(|_| invalid(name, value, "the name of a time zone, such as 'Europe/Berlin'"))
        }
    }
}

fn group_by(said: &Parameters) -> Result<Vec<GroupBy>, Problem> {
    let mut groups = Vec::new();
    for word in said.all(&["group_by"], true)? {
        let plain = word.strip_suffix("_id").unwrap_or(&word);
        let plain = if plain == "api_key" { "key" } else { plain };
        let found = GROUPS.iter().find(|(name, _)| *name == plain);
        let Some((_, group)) = found else {
            let words: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
            return Err(invalid("group_by", &word, &format!("one of {}", words.join(", "))));
        };
        if !groups.contains(group) {
            groups.push(*group);
        }
    }
    Ok(groups)
}

/// From and until: what is said, else the last days with today.
pub(super) fn range(said: &Parameters, now: i64, zone: &TimeZone) -> Result<(i64, i64), Problem> {
    let days = said.number(&["days"], (1, 36_600))?;
    let from = said.one(&["from", "start_time"]);
    if let (Some(days), Some((name, _))) = (days, from) {
        return Err(invalid("days", &days.to_string(), &format!("nothing beside '{name}'")));
    }
    let until = match said.one(&["until", "end_time"]) {
        Some((name, value)) => moment(name, value, zone)?,
        // What ends just now is there, too.
        None => now + 1,
    };
    let from = match from {
        Some((name, value)) => moment(name, value, zone)?,
        None => {
            let days = days.and_then(|days| i32::try_from(days).ok()).unwrap_or(DAYS);
            days_before((until - 1).min(now), days - 1, zone)
                .map_err(|_| invalid("days", &days.to_string(), "days since 1970"))?
        }
    };
    if from >= until {
        let (name, value) = said.one(&["until", "end_time"]).unwrap_or(("from", "a time to come"));
        return Err(invalid(name, value, "the end to be behind the beginning"));
    }
    Ok((from, until))
}

/// A moment: seconds since 1970, a time with its offset, or the beginning of a day in the time zone.
fn moment(name: &'static str, value: &str, zone: &TimeZone) -> Result<i64, Problem> {
    let seconds = || {
        value
            .parse::<i64>()
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
    };
    let day = || {
        let day: Date = value.parse().ok()?;
        day.to_zoned(zone.clone()).ok()?.start_of_day().ok()
    };
    // In a query `+` is a space.
    let time = || value.replace(' ', "+").parse::<Timestamp>().ok();
    let is_day = value.len() == "2026-01-01".len() && value.contains('-');
    let found = match is_day {
        true => day().as_ref().map(Zoned::timestamp),
        false => seconds().or_else(time),
    };
    let expected = "seconds since 1970, a day such as 2026-11-01 or a time such as 2026-11-01T12:00:00Z";
    let found = found.filter(|moment| moment.as_millisecond() >= 0);
    found
        .map(Timestamp::as_millisecond)
        .ok_or_else(|| invalid(name, value, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn read(query: &str) -> Result<Question, Problem> {
        Question::read(query, at("2026-11-21T22:30:00Z"), false)
    }

    #[test]
    fn nothing_said_is_the_last_thirty_days() {
        let question = read("").unwrap();
        assert_eq!(question.from, at("2026-10-23T00:00:00Z"));
        assert_eq!(question.until, at("2026-11-21T22:30:00Z") + 1);
        assert_eq!(question.width, Width::Day);
        // There it is the next day already.
        let question = read("time_zone=Asia/Tokyo&days=1").unwrap();
        assert_eq!(question.from, at("2026-11-21T15:00:00Z"));
    }

    #[test]
    fn times_are_said_in_three_ways() {
        for (said, meant) in [
            ("1793491200", "2026-11-01T00:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T01:00:00%2B01:00", "2026-11-01T00:00:00Z"),
            ("2026-11-01T01:00:00+01:00", "2026-11-01T00:00:00Z"),
        ] {
            assert_eq!(read(&format!("from={said}")).unwrap().from, at(meant), "{said}");
            assert_eq!(read(&format!("start_time={said}")).unwrap().from, at(meant), "{said}");
        }
        let question = read("from=2026-11-01&time_zone=America/New_York").unwrap();
        assert_eq!(question.from, at("2026-11-01T04:00:00Z"));
    }

    #[test]
    fn lists_are_said_in_three_ways() {
        for query in [
            "models=a,b",
            "models=a&models=b",
            "models[]=a&models[]=b",
            "models%5B%5D=a&models%5B%5D=b",
        ] {
            assert_eq!(read(query).unwrap().filter.models, ["a", "b"], "{query}");
        }
        let question = read("group_by=project_id,model&group_by=api_key_id").unwrap();
        assert_eq!(question.group_by, [GroupBy::Project, GroupBy::Model, GroupBy::Key]);
        // Users have commas in their names.
        assert_eq!(read("users=a,b").unwrap().filter.users, ["a,b"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, parameter) in [
            ("bucket=week", "bucket"),
            ("time_zone=Mars/Olympus", "time_zone"),
            ("from=yesterday", "from"),
            ("from=2026-13-01", "from"),
            ("start_time=-5", "start_time"),
            ("until=1e9", "until"),
            ("from=2026-11-02&until=2026-11-01", "until"),
            ("days=0", "days"),
            ("days=99999999999999999999", "days"),
            ("days=3&from=2026-11-01", "days"),
            ("group_by=colour", "group_by"),
            ("format=xml", "format"),
            ("limit=0", "limit"),
            ("page=x", "page"),
            ("projects=p", "projects"),
        ] {
            let problem = read(query).map(|_| ()).unwrap_err();
            assert_eq!(
                problem.param.as_deref(),
                Some(parameter),
                "{query}: {}",
                problem.message
            );
            assert_eq!(problem.status, 400, "{query}");
        }
    }
}
