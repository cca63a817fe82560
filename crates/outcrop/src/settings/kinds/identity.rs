//! What the settings of logins are made of.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use outcrop_server::{ForwardedIdentity, IamReplay, JwtAlgorithm};
use serde_json::{Value, json};

use super::list::Item;
use super::words::words;
use crate::settings::kind::{Invalid, Kind, Raw};

words! {
    IamReplay: "`refuse` or `allow`", "refuse|allow", {
        Refuse = "refuse",
        Allow = "allow",
    }
}

/// The name of a gateway that tokens are bound to: mostly its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayName(String);

impl FromStr for GatewayName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_mark = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
        if text.is_empty() || text.len() > 255 || !text.bytes().all(is_mark) {
            return Err("expected a host such as `gateway.example.com`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Item for GatewayName {
    const EXPECTED: &'static str = "a list of hosts such as `gateway.example.com`";
    const PLACEHOLDER: &'static str = "HOST,…";
}

impl FromStr for Audience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.is_empty() {
            true => Err("it is empty".to_owned()),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// What the claim `aud` of a token may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience(String);

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Item for Audience {
    const EXPECTED: &'static str = "a list of audiences such as `https://gateway.example.com`";
    const PLACEHOLDER: &'static str = "AUDIENCE,…";
}

/// How a token may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenAlgorithm(pub(crate) JwtAlgorithm);

impl FromStr for TokenAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        JwtAlgorithm::from_name(text).map(Self).ok_or_else(|| {
            let names = JwtAlgorithm::ALL.map(JwtAlgorithm::name);
            format!("it is none of {}", names.join(", "))
        })
    }
}

impl fmt::Display for TokenAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Item for TokenAlgorithm {
    const EXPECTED: &'static str = "a list of algorithms such as `RS256` or `ES256`";
    const PLACEHOLDER: &'static str = "ALGORITHM,…";
}

impl Kind for ForwardedIdentity {
    const EXPECTED: &'static str = "`aws-request-context` or the name of a header";
    const PLACEHOLDER: &'static str = "HEADER";

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(Invalid::kind)
    }

    fn show(&self) -> Option<Value> {
        Some(json!(match self {
            Self::RequestContext => "aws-request-context",
            Self::Header(name) => name.as_str(),
        }))
    }
}

/// A duration of at least a second, and at most so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpTo<const SECONDS: u64>(Duration);

impl<const SECONDS: u64> UpTo<SECONDS> {
    /// The duration.
    pub(crate) fn get(self) -> Duration {
        self.0
    }

    fn new(duration: Duration) -> Result<Self, Invalid> {
        let longest = Duration::from_secs(SECONDS);
        match (Duration::from_secs(1)..=longest).contains(&duration) {
            true => Ok(Self(duration)),
            false => Err(Invalid::because(format!(
                "at least 1s, and at most {}",
                humantime::format_duration(longest)
            ))),
        }
    }
}

impl<const SECONDS: u64> Kind for UpTo<SECONDS> {
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
        Duration::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_names_have_bounds() {
        assert!(UpTo::<900>::from_text("15m").is_ok());
        assert!(UpTo::<900>::from_text("16m").is_err() && UpTo::<900>::from_text("0").is_err());
        assert!("gateway.example:8443".parse::<GatewayName>().is_ok());
        assert!("a;b".parse::<GatewayName>().is_err() && "".parse::<GatewayName>().is_err());
        assert!("HS256".parse::<TokenAlgorithm>().is_err() && "none".parse::<TokenAlgorithm>().is_err());
        assert!(ForwardedIdentity::from_text("authorization").is_err());
    }
}
