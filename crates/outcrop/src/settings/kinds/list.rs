//! Lists whose items are words.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use outcrop_server::{HostPattern, ModelPattern, Network, REQUEST_AWS_PARAMETERS};
use serde_json::{Value, json};

use super::ModelName;
use crate::settings::kind::{Invalid, Kind, Raw, Shape};

/// What can stand in a [`List`].
pub(crate) trait Item: FromStr<Err = String> + fmt::Display {
    /// What a valid list looks like, to end the sentence "expected …".
    const EXPECTED: &'static str;
    /// The word for the list in help.
    const PLACEHOLDER: &'static str;
}

impl Item for HostPattern {
    const EXPECTED: &'static str = "a list of hosts such as `cdn.example.com` or `*.example.com`";
    const PLACEHOLDER: &'static str = "HOST,…";
}

impl Item for Network {
    const EXPECTED: &'static str = "a list of networks such as `10.1.0.0/16` or `fd12::/16`";
    const PLACEHOLDER: &'static str = "NETWORK,…";
}

impl Item for ModelPattern {
    const EXPECTED: &'static str = "a list of models such as `*claude*`, with `*` for any text";
    const PLACEHOLDER: &'static str = "MODEL,…";
}

/// A member of requests that says who Bedrock is asked as: `aws_region_name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsParameter(String);

impl FromStr for AwsParameter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !REQUEST_AWS_PARAMETERS.contains(&text) {
            return Err(format!("it is none of {}", REQUEST_AWS_PARAMETERS.join(", ")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AwsParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Item for AwsParameter {
    const EXPECTED: &'static str = "a list of parameters such as `aws_region_name`";
    const PLACEHOLDER: &'static str = "NAME,…";
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text).map_err(|_| format!("expected {}", <Self as Kind>::EXPECTED))
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Item for ModelName {
    const EXPECTED: &'static str = "a list of models such as `us.amazon.nova-lite-v1:0`";
    const PLACEHOLDER: &'static str = "MODEL,…";
}

/// A list that may be empty: empty text is the empty list, so that a variable can undo what a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T>(Vec<T>);

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

fn item<T: Item>(text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|why| {
        // Whoever writes a URL with a password here is refused, but the password must not spread.
        if text.contains('@') {
            Invalid::because(why)
        } else {
            Invalid::because(format!("{text:?}: {why}"))
        }
    })
}

impl<T: Item> Kind for List<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const PLACEHOLDER: &'static str = T::PLACEHOLDER;
    const SHAPE: Shape = Shape::List;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let items: Result<_, _> = text.split(',').map(|text| item(text.trim())).collect();
        Ok(Self(items?))
    }

    fn from_file(value: &Raw) -> Result<Self, Invalid> {
        let Raw::List(items) = value else {
            return Err(Invalid::kind());
        };
        let items: Result<_, _> = items
            .iter()
            .map(|value| match value {
                Raw::Text(text) => item(text),
                other => Err(Invalid::because(format!("{other} is not a string"))),
            })
            .collect();
        Ok(Self(items?))
    }

    fn show(&self) -> Option<Value> {
        Some(self.iter().map(|item| json!(item.to_string())).collect())
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_items_and_nothing_is_none() {
        let list = List::<Network>::from_text("10.0.0.0/8, ::1").unwrap();
        assert_eq!(list.show().unwrap(), json!(["10.0.0.0/8", "::1/128"]));
        assert!(List::<Network>::from_text("").unwrap().is_empty());
        for bad in ["10.0.0.0/8,", ",", "10.0.0.1/8", "a"] {
            assert!(List::<Network>::from_text(bad).is_err(), "{bad}");
        }
    }
}
