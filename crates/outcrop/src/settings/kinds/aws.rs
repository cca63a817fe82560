//! Names that end up in AWS's hosts and configuration files.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::list::Item;
use crate::settings::kind::{Invalid, Kind};

/// An AWS region. It becomes part of a host name, so only what can stand in one is let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// `eu-central-1`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for Region {
    const EXPECTED: &'static str = "an AWS region such as `eu-central-1`";
    const PLACEHOLDER: &'static str = "REGION";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let fits = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits && text.contains('-') && !text.starts_with('-') && !text.ends_with('-') && text.len() <= 63 {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text).map_err(|_| format!("expected {}", <Self as Kind>::EXPECTED))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Item for Region {
    const EXPECTED: &'static str = "a list of AWS regions such as `eu-central-1`";
    const PLACEHOLDER: &'static str = "REGION,…";
}

/// A profile in `~/.aws/config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile(String);

impl Profile {
    /// Its name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for Profile {
    const EXPECTED: &'static str = "the name of a profile in AWS's configuration files";
    const PLACEHOLDER: &'static str = "NAME";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let fits = !text.is_empty() && text.trim() == text && !text.contains([']', '\n', '\r']);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::kind())
        }
    }

    fn show(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_can_stand_in_a_host_name() {
        for good in ["us-east-1", "us-gov-west-1", "eu-isoe-west-1"] {
            assert_eq!(Region::from_text(good).unwrap().as_str(), good);
        }
        for bad in ["us_east_1", "US-EAST-1", "evil.example/-", "useast1", "-", ""] {
            assert!(Region::from_text(bad).is_err(), "{bad}");
        }
    }
}
