//! An exact price.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many billionths a dollar has.
const NANOS: u64 = 1_000_000_000;

/// The most dollars of a price; more is a mistake, and less can be counted with for any number of tokens.
const MOST: u64 = 1_000_000;

/// A number of US dollars that isn't negative, exact to a billionth. Also a factor that prices are multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// What a price must be.
pub(super) const FORM: &str = "a price is a number of 0 or more, with at most nine digits behind the point";

impl Price {
    /// In billionths of a dollar.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// In dollars; for JSON and for people, not for sums.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to nine million dollars, and a price is less"
    )]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }
}

impl fmt::Display for Price {
    /// As short as it can be written: `3`, `0.00875`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / NANOS, self.0 % NANOS);
        let fraction = format!("{rest:09}");
        match fraction.trim_end_matches('0') {
            "" => f.pad(&whole.to_string()),
            fraction => f.pad(&format!("{whole}.{fraction}")),
        }
    }
}

impl FromStr for Price {
    type Err = ();

    /// A decimal number without a sign.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) || fraction.len() > 9 {
            return Err(());
        }
        let dollars: u64 = whole.parse().map_err(|_| ())?;
        let nanos: u64 = format!("{fraction:0<9}").parse().map_err(|_| ())?;
        if dollars > MOST {
            return Err(());
        }
        Ok(Self(dollars * NANOS + nanos))
    }
}

impl Serialize for Price {
    /// As a number of dollars.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

impl<'de> Deserialize<'de> for Price {
    /// From a number, as the decimal that it is written as, or from its text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a price is a number of 0 or more, with at most nine digits behind the point"
        )]
        enum Said {
            Whole(u64),
            Number(f64),
            Text(String),
        }
        let said = Said::deserialize(deserializer)?;
        let text = match &said {
            Said::Whole(dollars) => dollars.to_string(),
            // The shortest decimal that means this number is the one that was written, up to 15 digits.
            Said::Number(dollars) => dollars.to_string(),
            Said::Text(text) => text.clone(),
        };
        text.parse()
            .map_err(|()| D::Error::invalid_value(Unexpected::Other(&text), &FORM))
    }
}
