//! The table of shapes: what AWS's published service model says about each operation's bodies.
//!
//! `shapes/generate.py` makes it from botocore.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use http::StatusCode;
use regex_lite::Regex;
use serde::Deserialize;

/// The table that ships with the simulator.
pub(crate) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the table is part of the program, and a test reads it"
        )]
        serde_json::from_str(include_str!("../shapes/shapes.json")).expect("shapes.json is a table of shapes")
    });
    &TABLE
}

#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    input: String,
}

/// What a value of some name must look like.
#[derive(Debug, Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) member: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) pattern: Option<Pattern>,
    #[serde(rename = "enum", default)]
    pub(crate) words: Vec<String>,
    #[serde(default)]
    pub(crate) union: bool,
    /// Free-form JSON: a tool's arguments, a schema, a model's own fields.
    #[serde(default)]
    pub(crate) document: bool,
    status: Option<u16>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Blob,
    Boolean,
    Double,
    Float,
    Integer,
    List,
    Long,
    Map,
    String,
    Structure,
    Timestamp,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) shape: String,
    /// `uri`, `querystring` or `header` where the member doesn't stand in the body.
    pub(crate) location: Option<String>,
    /// The name of its header or parameter, where that is another one.
    pub(crate) name: Option<String>,
}

/// A pattern that the whole of a value must match; compiled on first use, since most are never asked for.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Pattern {
    pub(crate) text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Pattern {
        Pattern {
            text,
            compiled: OnceLock::new(),
        }
    }
}

impl Pattern {
    pub(crate) fn matches(&self, value: &str) -> bool {
        let compiled = self
            .compiled
            .get_or_init(|| Regex::new(&format!("^(?:{})$", plain(&self.text))).ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(value))
    }
}

/// A pattern in the words of our engine, which knows no classes of Unicode: letters are those of ASCII, and all beyond.
fn plain(pattern: &str) -> String {
    pattern
        .replace(r"\p{L}", r"a-zA-Z\x{80}-\x{10FFFF}")
        .replace(r"\p{Z}", r"\s")
        .replace(r"\p{N}", "0-9")
        .replace(r"\u10000-\u10FFFF", r"\x{10000}-\x{10FFFF}")
}

impl Table {
    /// The shape of an operation's input.
    pub(crate) fn input_of(&self, operation: &str) -> Option<&Shape> {
        self.shape(&self.operations.get(operation)?.input)
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The status that an exception of the service model goes with.
    pub(crate) fn status_of(&self, exception: &str) -> Option<StatusCode> {
        StatusCode::from_u16(self.shape(exception)?.status?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_in_the_table_leads_to_a_shape() {
        for shape in table().shapes.values() {
            let parts = [&shape.member, &shape.key, &shape.value].into_iter().flatten();
            for name in parts.chain(shape.members.values().map(|member| &member.shape)) {
                assert!(table().shape(name).is_some(), "{name}");
            }
        }
        for operation in table().operations.values() {
            assert!(table().shape(&operation.input).is_some(), "{}", operation.input);
        }
    }

    #[test]
    fn each_pattern_of_the_table_compiles() {
        for pattern in table().shapes.values().filter_map(|shape| shape.pattern.as_ref()) {
            pattern.matches("");
            assert!(pattern.compiled.get().is_some_and(Option::is_some), "{}", pattern.text);
        }
    }

    #[test]
    fn statuses_come_from_the_table() {
        assert_eq!(
            table().status_of("ModelErrorException"),
            Some(StatusCode::FAILED_DEPENDENCY)
        );
        assert_eq!(table().status_of("Message"), None);
    }
}
