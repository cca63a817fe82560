//! Lengths of time.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind, Raw};

/// The longest time. Adding it to now can't overflow a clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Kind for Duration {
    const EXPECTED: &'static str = "a duration such as `15s`, `500ms`, `15m` or a number of seconds";
    const PLACEHOLDER: &'static str = "DURATION";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if bare {
            seconds(text.parse().map_err(|_| Invalid::kind())?)
        } else {
            bounded(humantime::parse_duration(text).map_err(|_| Invalid::kind())?)
        }
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Text(text) => Self::from_text(text),
            #[expect(clippy::cast_precision_loss, reason = "exact up to far above the longest time")]
            Raw::Integer(number) => seconds(*number as f64),
            Raw::Float(number) => seconds(*number),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(humantime::format_duration(*self).to_string()))
    }

    fn schema() -> Value {
        json!({ "oneOf": [{ "type": "string" }, { "type": "number", "minimum": 0, "description": "seconds" }] })
    }
}

fn seconds(number: f64) -> Result<Duration, Invalid> {
    bounded(Duration::try_from_secs_f64(number).map_err(|_| Invalid::kind())?)
}

fn bounded(duration: Duration) -> Result<Duration, Invalid> {
    if duration <= LONGEST {
        Ok(duration)
    } else {
        Err(Invalid::because("at most 365 days"))
    }
}

/// A duration above 0: of a limit that can't be switched off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeout(Duration);

impl Timeout {
    fn new(duration: Duration) -> Result<Self, Invalid> {
        if duration.is_zero() {
            Err(Invalid::because("0 would fail at once"))
        } else {
            Ok(Self(duration))
        }
    }
}

impl Deref for Timeout {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Kind for Timeout {
    const EXPECTED: &'static str = Duration::EXPECTED;
    const PLACEHOLDER: &'static str = Duration::PLACEHOLDER;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Duration::from_text(text).and_then(Self::new)
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        Duration::from_file(value).and_then(Self::new)
    }

    fn show(&self) -> Option<Value> {
        self.0.show()
    }

    fn schema() -> Value {
        json!({ "oneOf": [
            { "type": "string" },
            { "type": "number", "exclusiveMinimum": 0, "description": "seconds" },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("15s", 15_000),
            ("500ms", 500),
            ("15m", 900_000),
            ("90", 90_000),
            ("1.5", 1_500),
        ] {
            assert_eq!(
                Duration::from_text(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
        for bad in ["", "soon", "15 bananas", "-1s", "1.2.3", ".", "366d", "1e400"] {
            assert!(Duration::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_may_give_seconds_as_a_number() {
        assert_eq!(Duration::from_file(&Raw::Integer(3)).unwrap(), Duration::from_secs(3));
        assert_eq!(
            Duration::from_file(&Raw::Float(0.25)).unwrap(),
            Duration::from_millis(250)
        );
        for bad in [
            Raw::Integer(-1),
            Raw::Float(f64::NAN),
            Raw::Float(f64::INFINITY),
            Raw::Bool(true),
        ] {
            assert!(Duration::from_file(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_timeout_is_never_zero() {
        assert!(Timeout::from_text("0").is_err());
        assert!(Duration::from_text("0").is_ok());
        assert_eq!(*Timeout::from_text("1ms").unwrap(), Duration::from_millis(1));
    }
}
