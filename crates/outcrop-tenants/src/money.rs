//! Amounts of US dollars.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many billionths a dollar has.
const NANOS: i64 = 1_000_000_000;

/// An amount of US dollars, exact to a billionth: the price of one token is some thousands of them. It saturates at
/// nine billion dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// A text is no amount of dollars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no amount of dollars, such as 12.5, with at most nine digits behind the point")]
pub struct MoneyError(String);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths of a dollar.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// In billionths of a dollar.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// In dollars; for JSON and for people, not for sums.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to nine million dollars, which is what shows"
    )]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }

    /// The nearest amount to a number of dollars; `None` if there is none.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let nanos = (dollars * 1e9).round();
        (nanos.is_finite() && nanos.abs() < 9.2e18).then_some(Self(nanos as i64))
    }

    /// What is left of it without `other`, at least nothing.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// Without a sign for the currency: at least two digits behind the point, and as many as it has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let fraction = format!("{:09}", nanos % NANOS.unsigned_abs());
        let shown = fraction.trim_end_matches('0').len().max(2);
        f.pad(&format!(
            "{sign}{}.{}",
            nanos / NANOS.unsigned_abs(),
            &fraction[..shown]
        ))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// A decimal number, with or without a dollar sign before it.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let fault = || MoneyError(text.to_owned());
        let trimmed = text.trim();
        let (sign, rest) = match trimmed.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, trimmed),
        };
        let rest = rest.strip_prefix('$').unwrap_or(rest);
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || !are_digits(whole)
            || !are_digits(fraction)
            || fraction.len() > 9
        {
            return Err(fault());
        }
        let dollars: i64 = match whole {
            "" => 0,
            whole => whole.parse().map_err(|_| fault())?,
        };
        let nanos: i64 = format!("{fraction:0<9}").parse().map_err(|_| fault())?;
        let total = dollars.checked_mul(NANOS).and_then(|all| all.checked_add(nanos));
        total.map(|nanos| Self(sign * nanos)).ok_or_else(fault)
    }
}

impl Serialize for Money {
    /// As a number of dollars.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

impl<'de> Deserialize<'de> for Money {
    /// From a number of dollars, or its text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Number(f64),
            Text(String),
        }
        match Said::deserialize(deserializer)? {
            Said::Number(dollars) => {
                Self::from_dollars(dollars).ok_or_else(|| serde::de::Error::custom("too many dollars"))
            }
            Said::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, nanos, shown) in [
            ("12.5", 12_500_000_000, "12.50"),
            ("$3", 3_000_000_000, "3.00"),
            (".000000001", 1, "0.000000001"),
            ("-0.10", -100_000_000, "-0.10"),
            ("0", 0, "0.00"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!(money.nanos(), nanos, "{text}");
            assert_eq!(money.to_string(), shown, "{text}");
        }
        for wrong in ["", ".", "1e3", "1.0000000001", "ten", "1,5", "99999999999999", "+1"] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_has_numbers_of_dollars() {
        let money: Money = serde_json::from_str("0.1").unwrap();
        assert_eq!(money.nanos(), 100_000_000);
        assert_eq!(serde_json::to_string(&money).unwrap(), "0.1");
        let text: Money = serde_json::from_str("\"0.1\"").unwrap();
        assert_eq!(text, money);
        assert!(serde_json::from_str::<Money>("1e300").is_err());
    }
}
