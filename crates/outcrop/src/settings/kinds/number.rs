//! Counts and shares.

use std::num::{NonZeroU64, NonZeroUsize};

use serde_json::{Value, json};

use crate::settings::kind::{Invalid, Kind, Raw};

/// The largest count. No setting has a use for more, and sums of a few of them can't overflow.
const LARGEST_COUNT: usize = 1_000_000_000;

/// The largest count of tokens: a `u64` holds sums of many of them, and a JSON number each.
const LARGEST_QUOTA: u64 = 1_000_000_000_000_000;

/// Whole numbers from 1, up to `$largest`.
macro_rules! from_one {
    ($type:ty, $largest:expr) => {
        impl Kind for $type {
            const EXPECTED: &'static str = "a whole number from 1";
            const PLACEHOLDER: &'static str = "NUMBER";

            fn from_text(text: &str) -> Result<Self, Invalid> {
                text.parse()
                    .ok()
                    .filter(|count: &Self| count.get() <= $largest)
                    .ok_or_else(Invalid::kind)
            }

            fn from_file(value: &Raw) -> Result<Self, Invalid> {
                match value {
                    Raw::Integer(count) => Self::from_text(&count.to_string()),
                    _ => Err(Invalid::kind()),
                }
            }

            fn show(&self) -> Option<Value> {
                Some(json!(self.get()))
            }

            fn schema() -> Value {
                json!({ "type": "integer", "minimum": 1, "maximum": $largest })
            }
        }
    };
}

from_one!(NonZeroUsize, LARGEST_COUNT);
from_one!(NonZeroU64, LARGEST_QUOTA);

impl Kind for usize {
    const EXPECTED: &'static str = "a whole number from 0";
    const PLACEHOLDER: &'static str = "NUMBER";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .ok()
            .filter(|count| *count <= LARGEST_COUNT)
            .ok_or_else(Invalid::kind)
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Integer(count) => Self::from_text(&count.to_string()),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": LARGEST_COUNT })
    }
}

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio(f64);

impl Ratio {
    /// The share.
    pub(crate) fn get(self) -> f64 {
        self.0
    }

    fn parse(share: f64) -> Result<Self, Invalid> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(Invalid::kind())
        }
    }
}

impl Kind for Ratio {
    const EXPECTED: &'static str = "a number from 0 to 1 such as `0.1`";
    const PLACEHOLDER: &'static str = "SHARE";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.parse().map_err(|_| Invalid::kind())?)
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        match value {
            Raw::Float(share) => Self::parse(*share),
            Raw::Integer(0) => Ok(Self(0.0)),
            Raw::Integer(1) => Ok(Self(1.0)),
            _ => Err(Invalid::kind()),
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }

    fn schema() -> Value {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_start_at_one() {
        assert_eq!(NonZeroUsize::from_text("3").unwrap().get(), 3);
        for bad in ["0", "-1", "1.5", "3x", "", "99999999999999999999", "1000000001"] {
            assert!(NonZeroUsize::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ratio_is_a_share() {
        for good in ["0", "1", "0.25", "1e-3"] {
            assert!(Ratio::from_text(good).is_ok(), "{good}");
        }
        for bad in ["-0.1", "1.1", "nan", "inf", "10%", ""] {
            assert!(Ratio::from_text(bad).is_err(), "{bad}");
        }
    }
}
