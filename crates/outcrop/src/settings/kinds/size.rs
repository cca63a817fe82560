//! Sizes in bytes.

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind, Raw};

/// The units, larger ones first; of two that are equal the first is the one that is shown.
const UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// The largest size: what a `usize` and an `i64` can hold on any machine that we run on.
const LARGEST: u64 = 1 << 40;

/// A number of bytes above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteSize(u64);

impl ByteSize {
    /// How many bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.0
    }

    fn new(bytes: u64) -> Result<Self, Invalid> {
        if (1..=LARGEST).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(Invalid::because("from 1 byte to 1024 GiB"))
        }
    }
}

impl Kind for ByteSize {
    const EXPECTED: &'static str = "a size such as `32MiB`, `1MB` or a number of bytes";
    const PLACEHOLDER: &'static str = "SIZE";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "" => "B",
            unit => unit,
        };
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or_else(Invalid::kind)?;
        let number: u64 = number.parse().map_err(|_| Invalid::kind())?;
        Self::new(number.saturating_mul(*factor))
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Text(text) => Self::from_text(text),
            Raw::Integer(bytes) => Self::new(u64::try_from(*bytes).map_err(|_| Invalid::kind())?),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        let (unit, factor) = UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor))?;
        Some(json!(format!("{}{unit}", self.0 / factor)))
    }

    fn schema() -> Value {
        json!({ "oneOf": [
            { "type": "string", "pattern": "^[0-9]+ *([KMGkmg][Ii]?)?[Bb]$|^[0-9]+$" },
            { "type": "integer", "minimum": 1, "description": "bytes" },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("32MiB", 32 << 20),
            ("1MB", 1_000_000),
            ("512", 512),
            ("4 kib", 4096),
            ("7B", 7),
        ] {
            assert_eq!(ByteSize::from_text(text).unwrap().bytes(), bytes, "{text}");
        }
        for bad in [
            "",
            "MiB",
            "0",
            "-1",
            "1.5MiB",
            "32 potatoes",
            "99999999999999999999",
            "9999999GiB",
        ] {
            assert!(ByteSize::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_shows_in_the_unit_that_fits() {
        for (text, shown) in [
            ("33554432", "32MiB"),
            ("1000000", "1MB"),
            ("513", "513B"),
            ("1024KiB", "1MiB"),
        ] {
            assert_eq!(ByteSize::from_text(text).unwrap().show().unwrap(), shown);
        }
    }
}
